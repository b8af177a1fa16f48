/* plan_words.c - prints a plan's warnings. */
#include "plan_words.h"

#include "detectable.h"
#include "error.h"
#include "json.h"
#include "log.h"
#include "shape_widths.h"
#include "statistics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plan_tell_of_dropped(const struct plan *plan)
{
    for (int i = 0; i < plan->dropped_count; i++) {
        const struct plan_dropped *dropped = &plan->dropped[i];
        int count = 0;
        bool told = false;

        for (int k = 0; k < plan->dropped_count; k++) {
            bool same = strcmp(plan->dropped[k].reason, dropped->reason) == 0;
            told = told || (same && k < i);
            count += same;
        }
        if (!told)
            log_warning("%d %s left out, first of arm %s: %s", count,
                        count == 1 ? "evaluation is" : "evaluations are",
                        plan->spec->arms[dropped->arm].label, dropped->reason);
    }
}

/* The i-th configuration in which the setting counts: of an arm, or of an evaluation;
 * NULL: there are no more. */
static const struct config *config_with(const struct spec *spec, int id, int i)
{
    bool evaluation = settings_table[id].phase == PHASE_EVALUATION;

    if (i >= (evaluation ? spec->evaluation_count : spec->arm_count))
        return NULL;
    return evaluation ? &spec->evaluations[i].config : &spec->arms[i].config;
}

/* Number of arms, or evaluations, in which the setting has an effect. */
static int count_active(const struct spec *spec, int id)
{
    const struct config *config;
    int count = 0;

    for (int i = 0; (config = config_with(spec, id, i)) != NULL; i++)
        count += config_active(config, id);
    return count;
}

/* The settings that make this one inactive wherever it is, such as
 * "arch.name=transformer"; "" if no single setting does. */
static void describe_causes(char *out, size_t size, const struct spec *spec, int id)
{
    const struct config *config;
    char part[120];
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; (config = config_with(spec, id, i)) != NULL; i++) {
        int cause = config_inactive_because(config, id);
        cJSON *value = cause < 0 ? NULL : config_get_json(config, cause);
        char *text = value == NULL           ? NULL
                     : cJSON_IsString(value) ? strdup(value->valuestring)
                                             : json_canonical(value);

        cJSON_Delete(value);
        if (text == NULL)
            continue;
        snprintf(part, sizeof part, "%s=%.60s", settings_table[cause].key, text);
        free(text);
        if (strstr(out, part) == NULL && used + strlen(part) + 5 < size)
            used +=
                (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? " or " : "", part);
    }
}

static void tell_of_axis(const struct spec *spec, const char *key)
{
    int id = setting_find(key);
    char causes[300];

    if (id < 0)
        return;
    int active = count_active(spec, id);
    describe_causes(causes, sizeof causes, spec, id);
    const char *who = causes[0] != '\0' ? causes : "other settings together";
    const char *verb = causes[0] != '\0' ? "makes" : "make";
    if (settings_table[id].phase == PHASE_EXECUTION)
        log_warning("the axis %s is no axis of results: it changes how a run is executed, so "
                    "that its values fall together into one run; put it into \"set\"",
                    key);
    else if (active == 0)
        log_warning("the axis %s changes nothing: %s %s it inactive in every arm, so that its "
                    "values fall together",
                    key, who, verb);
    else if (active < spec->arm_count && spec->collapsed_count > 0)
        log_warning("the axis %s changes nothing in %d of %d arms, where %s %s it inactive; "
                    "cells that differ in it alone are one arm there",
                    key, spec->arm_count - active, spec->arm_count, who, verb);
}

static void tell_of_axes(const struct spec *spec, const cJSON *map)
{
    for (const cJSON *axis = map != NULL ? map->child : NULL; axis != NULL; axis = axis->next)
        if (axis->string != NULL)
            tell_of_axis(spec, axis->string);
}

void plan_tell_of_inactive_axes(const struct plan *plan)
{
    const struct spec *spec = plan->spec;
    struct error ignored;
    cJSON *merged;

    if (json_parse(&merged, spec->resolved, strlen(spec->resolved), spec->name, &ignored) < 0)
        return; /* no memory: one warning less */
    const cJSON *zips = json_member(merged, "zip");
    tell_of_axes(spec, json_member(merged, "grid"));
    tell_of_axes(spec, json_member(merged, "ablate"));
    for (const cJSON *zip = zips != NULL ? zips->child : NULL; zip != NULL; zip = zip->next)
        tell_of_axes(spec, zip);
    cJSON_Delete(merged);
}

void plan_tell_of_idle_threads(const struct plan *plan)
{
    for (int a = 0; a < plan->spec->arm_count; a++) {
        const struct config *config = &plan->spec->arms[a].config;
        int64_t threads = config_cores(config);
        int64_t lanes = config_int(config, TRAIN_GRADIENT_LANES);

        if (threads <= lanes * SHAPE_THREADS_OF_A_LANE)
            continue;
        log_warning("resources.threads is %" PRId64 ", but train.gradient_lanes %" PRId64
                    ": at most %" PRId64 " of the threads would train; give as many lanes as "
                    "threads (another number of lanes is another run)",
                    threads, lanes, lanes * SHAPE_THREADS_OF_A_LANE);
        return;
    }
}

void plan_tell_of_long_warm_ups(const struct plan *plan)
{
    for (int a = 0; a < plan->spec->arm_count; a++) {
        int64_t steps = plan->arms[a].total_steps;
        int64_t warm_up = config_int(&plan->spec->arms[a].config, TRAIN_LR_WARMUP_STEPS);

        if (steps == 0 || warm_up <= steps)
            continue;
        log_warning("arm %s: train.lr_warmup_steps = %" PRId64 ", but it makes %" PRId64
                    " steps: the rate ends at %.2g of train.lr",
                    plan->spec->arms[a].label, warm_up, steps, (double)steps / (double)warm_up);
        return;
    }
}

/* The largest pool of evaluations that is asked for; "all" does not count. */
static int64_t largest_pool(const struct spec *spec)
{
    int64_t most = 1;

    for (int e = 0; e < spec->evaluation_count; e++) {
        int64_t pool = config_int(&spec->evaluations[e].config, EVAL_POOL_CHECKPOINTS);

        most = pool > most ? pool : most;
    }
    return most;
}

void plan_tell_of_few_evaluations(const struct plan *plan)
{
    int64_t pool = largest_pool(plan->spec);

    for (int a = 0; a < plan->spec->arm_count; a++) {
        const struct config *config = &plan->spec->arms[a].config;
        double epochs = plan->arms[a].epochs;
        double interval = (double)config_int(config, TRAIN_EVAL_INTERVAL);

        if (interval <= 0.0 || epochs <= 0.0)
            continue;
        if (interval > epochs)
            log_warning("arm %s: train.eval_interval = %.0f epochs, but the training has %.3g: "
                        "it is evaluated once, at its end",
                        plan->spec->arms[a].label, interval, epochs);
        else if ((double)pool > ceil(epochs / interval))
            log_warning("arm %s: eval.pool_checkpoints = %" PRId64 ", but the training makes "
                        "%.0f evaluation%s, all of which are pooled then",
                        plan->spec->arms[a].label, pool, ceil(epochs / interval),
                        epochs > interval ? "s" : "");
        else
            continue;
        return;
    }
}

void plan_tell_of_few_tests(const struct plan *plan)
{
    for (int a = 0; a < plan->spec->arm_count; a++) {
        const struct config *config = &plan->spec->arms[a].config;
        int64_t there = plan->arms[a].tasks_tested;
        int64_t asked = config_int(config, DATA_TEST_TASKS);

        if (there == 0 || asked <= there || !config_active(config, DATA_TEST_TASKS))
            continue;
        log_warning("arm %s: data.test_tasks = %" PRId64 ", but there are %" PRId64
                    ", all of which are scored",
                    plan->spec->arms[a].label, asked, there);
        return;
    }
}

void plan_tell_of_equal_rollouts(const struct plan *plan)
{
    int64_t most = 1;

    for (int e = 0; e < plan->spec->evaluation_count; e++) {
        const struct config *config = &plan->spec->evaluations[e].config;

        if (config_int(config, EVAL_ROLLOUTS) > 1 && config_real(config, EVAL_INIT_NOISE) > 0.0)
            return;
        if (config_int(config, EVAL_ROLLOUTS) > most)
            most = config_int(config, EVAL_ROLLOUTS);
    }
    if (most > 1)
        log_warning("eval.rollouts = %" PRId64 " passes are all the same with eval.init_noise "
                    "= 0; set eval.init_noise above 0",
                    most);
}

/* Whether the evaluation halts rows by q_halt > q_continue in models of this system. */
static bool halts_by_comparison(const struct system_facts *facts, const struct config *config)
{
    const char *rule = config_choice(config, EVAL_HALT_RULE);

    return facts->q_continue &&
           (strcmp(rule, "q") == 0 ||
            (strcmp(rule, "max") == 0 && config_bool(config, EVAL_ACT_INFERENCE)));
}

void plan_tell_of_untrained_halting(const struct plan *plan)
{
    const struct spec *spec = plan->spec;

    for (int a = 0; a < spec->arm_count; a++) {
        const struct config *trained = &spec->arms[a].config;
        bool one_step = config_int(trained, ARCH_HALT_MAX_STEPS) == 1, halts = false;

        if (!one_step && config_bool(trained, ARCH_ACT_ENABLED))
            continue;
        for (int e = 0; e < spec->evaluation_count; e++)
            halts = halts ||
                    halts_by_comparison(config_system(trained), &spec->evaluations[e].config);
        if (!halts)
            continue;
        log_warning("arm %s: evaluations halt at q_halt > q_continue, but %s trains no "
                    "q_continue, which stays near its first bias; eval.halt_rule = q_positive "
                    "halts by q_halt alone",
                    spec->arms[a].label,
                    one_step ? "arch.halt_max_steps = 1" : "arch.act_enabled = false");
        return;
    }
}

void plan_tell_of_inactive_sets(const struct plan *plan, const char *const *sets, int count)
{
    for (int i = 0; i < count; i++) {
        char key[128], causes[300];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(sets[i], "="), sets[i]);
        int id = setting_find(key);

        if (id < 0 || settings_table[id].phase == PHASE_EXECUTION ||
            count_active(plan->spec, id) > 0)
            continue;
        describe_causes(causes, sizeof causes, plan->spec, id);
        log_warning("--set %s changes nothing: %s %s it inactive in every %s", key,
                    causes[0] != '\0' ? causes : "other settings together",
                    causes[0] != '\0' ? "makes" : "make",
                    settings_table[id].phase == PHASE_EVALUATION ? "evaluation" : "arm");
    }
}

void plan_tell_of_unused_excludes(const struct plan *plan)
{
    const struct spec *spec = plan->spec;

    for (int i = 0; i < spec->exclude_count; i++)
        if (!spec->exclude_used[i])
            log_warning("rule %d of \"exclude\" matches no cell and leaves nothing out", i + 1);
}

/* Whether an earlier arm has the same data. */
static bool data_were_before(const struct plan *plan, int arm)
{
    for (int a = 0; a < arm; a++)
        if (strcmp(plan->arms[a].data_hash, plan->arms[arm].data_hash) == 0)
            return true;
    return false;
}

/* Arms of the same data differ on as many tasks as this prior says: one in ten. */
static const double TASKS_THAT_DIFFER = 0.1;

int plan_tell_of_detectable(const struct plan *plan, struct store *store, struct error *err)
{
    const struct spec *spec = plan->spec;
    struct seed_spread spread = { .deviation = (double)NAN };
    int tasks = (int)plan->arms[0].tasks_tested;
    int comparisons = spec->contrast_count > 0 ? spec->contrast_count : 1;
    char source[160];
    int rc = store == NULL ? 0 : seed_spread_load(&spread, store, plan->arms[0].data_hash, err);

    if (rc < 0 || tasks < 2)
        return rc;
    bool known = isfinite(spread.deviation);
    double deviation = known ? spread.deviation : DETECTABLE_PRIOR_DEVIATION;

    snprintf(source, sizeof source,
             known ? "of %" PRId64 " arms and evaluations that have finished here"
                   : "a prior: nothing on this data has finished here",
             spread.cells);
    log_info("%d seed%s and %d tasks detect a difference of %.2f in pass@2 between two arms "
             "(80 %% power, level 0.05 over %d comparison%s%s; deviation over seeds %.3f, %s; "
             "prior: one task in ten differs)",
             spec->seed_count, spec->seed_count == 1 ? "" : "s", tasks,
             statistics_detectable(deviation, TASKS_THAT_DIFFER, spec->seed_count, tasks,
                                   comparisons),
             comparisons, comparisons == 1 ? "" : "s",
             spec->seed_count < STATISTICS_LEAST_SEEDS
                 ? ", over tasks only: other seeds take at least 3"
                 : "",
             deviation, source);
    return 0;
}

void plan_tell_of_leaks(const struct plan *plan)
{
    for (int a = 0; a < plan->spec->arm_count; a++) {
        int64_t leaked = plan->arms[a].leaked;

        if (leaked > 0 && !data_were_before(plan, a))
            log_warning("arm %s: of %" PRId64 " evaluation %s a copy is trained on, under "
                        "another name or augmented; hrmlab data check tells of them, and "
                        "data.drop_leaked = true leaves such copies out",
                        plan->spec->arms[a].label, leaked, leaked == 1 ? "task" : "tasks");
    }
}

/* Whether an arm before this one has the same base. */
static bool base_was_before(const struct spec *spec, int arm)
{
    for (int a = 0; a < arm; a++)
        if (spec->arms[a].base == spec->arms[arm].base)
            return true;
    return false;
}

void plan_tell_of_bases(const struct plan *plan)
{
    const struct spec *spec = plan->spec;

    for (int a = 0; a < spec->arm_count; a++) {
        int base = spec->arms[a].base, count = 0;

        if (base < 0 || base_was_before(spec, a))
            continue;
        for (int b = a; b < spec->arm_count; b++)
            count += spec->arms[b].base == base;
        log_info("%d %s with the weights of the arm %s, seed by seed; it is trained once, "
                 "and first",
                 count, count == 1 ? "arm begins" : "arms begin", spec->arms[base].label);
    }
}
