/* plan.c - groups cells into runs by identity and merges their evaluations. */
#include "plan.h"

#include "data_places.h"
#include "describe_client.h"
#include "error.h"
#include "evaluation_keys.h"
#include "file.h"
#include "hash.h"
#include "init_from.h"
#include "json.h"
#include "large_array.h"
#include "spec_weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void arm_release(struct plan_arm *arm)
{
    for (int i = 0; i < arm->evaluation_count; i++)
        free(arm->evaluations[i].canonical);
    free(arm->evaluations);
    free(arm->data_counts);
    seeded_text_release(&arm->canonical);
    seeded_text_release(&arm->job_config);
}

void plan_destroy(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (int i = 0; plan->arms != NULL && i < plan->spec->arm_count; i++)
        arm_release(&plan->arms[i]);
    for (int i = 0; i < plan->dropped_count; i++) {
        free(plan->dropped[i].evaluation);
        free(plan->dropped[i].reason);
    }
    free(plan->arms);
    free(plan->runs);
    free(plan->run_of);
    free(plan->dropped);
    spec_destroy(plan->spec);
    free(plan);
}

/* Reads the answer of describe for one arm. */
static int take_description(struct plan_arm *arm, const cJSON *answer, const struct spec *spec,
                            const char *label, struct error *err)
{
    static const char where[] = "hrmlab-worker describe";
    const cJSON *fault = json_member(answer, "error");
    const char *data_hash = NULL, *counts = NULL;
    double eval_flops = 0, rows = 0;

    if (cJSON_IsString(fault) && spec->arm_count == 1)
        return error_set(err, ERROR_FORMAT, "%s: %s", spec->name, fault->valuestring);
    if (cJSON_IsString(fault))
        return error_set(err, ERROR_FORMAT, "%s: %.200s: %s", spec->name, label,
                         fault->valuestring);
    int rc = json_get_string(&data_hash, answer, "data_hash", where, err);
    if (rc == 0)
        rc = json_get_string(&counts, answer, "counts", where, err);
    if (rc == 0)
        rc = json_get_int(&arm->parameters, answer, "parameters", where, err);
    if (rc == 0)
        rc = json_get_int(&arm->puzzle_parameters, answer, "puzzle_parameters", where, err);
    if (rc == 0)
        rc = json_get_int(&arm->total_steps, answer, "total_steps", where, err);
    if (rc == 0)
        rc = json_get_real(&arm->train_flops, answer, "train_flops", where, err);
    if (rc == 0)
        rc = json_get_real(&eval_flops, answer, "eval_row_step_flops", where, err);
    if (rc == 0)
        rc = json_get_real(&arm->engine_bytes, answer, "engine_bytes", where, err);
    if (rc == 0)
        rc = json_get_real(&rows, answer, "test_rows", where, err);
    if (rc != 0)
        return error_prefix(err, "%s", label);
    if (strlen(data_hash) != HASH_HEX_SIZE - 1)
        return error_set(err, ERROR_ENVIRONMENT, "%s: malformed data_hash", where);
    memcpy(arm->data_hash, data_hash, HASH_HEX_SIZE);
    double epoch = json_real_or(answer, "steps_per_epoch", 0.0);
    arm->epochs = epoch > 0.0 ? (double)arm->total_steps / epoch : 0.0;
    arm->variants = json_integer_or(answer, "most_variants", 0);
    arm->random_ids = json_integer_or(answer, "random_ids", 1) != 0;
    arm->unknown_variants = json_integer_or(answer, "unknown_variants", 0) != 0;
    arm->leaked = json_integer_or(answer, "leaked", 0);
    arm->tasks_tested = json_integer_or(answer, "tasks_evaluation", 0);
    arm->eval_step_flops = eval_flops * rows;
    arm->data_counts = strdup(counts);
    if (arm->data_counts == NULL)
        return error_no_memory(err, "a plan");
    return 0;
}

/* The evaluation settings as canonical text, with outer steps resolved. Newly
 * allocated. */
static char *evaluation_canonical(const struct config *config, int64_t outer_steps)
{
    cJSON *object = evaluation_keys_object(config, outer_steps);
    char *text = object != NULL ? json_canonical(object) : NULL;

    cJSON_Delete(object);
    return text;
}

/* Adds the evaluation to the arm unless it is there already ("as trained" and the
 * same number are equal). Takes ownership of text. */
static int add_evaluation(struct plan_arm *arm, char *text, const struct config *config,
                          int64_t outer_steps, struct error *err)
{
    for (int i = 0; i < arm->evaluation_count; i++)
        if (strcmp(arm->evaluations[i].canonical, text) == 0) {
            free(text);
            return 0;
        }
    struct plan_evaluation *larger = realloc(
        arm->evaluations, (size_t)(arm->evaluation_count + 1) * sizeof *arm->evaluations);
    if (larger == NULL) {
        free(text);
        return error_no_memory(err, "a plan");
    }
    arm->evaluations = larger;
    arm->evaluations[arm->evaluation_count++] = (struct plan_evaluation){
        .canonical = text,
        .outer_steps = outer_steps,
        .augmentations = config_int(config, EVAL_AUGMENTATIONS),
        .eval_seed = config_int(config, EVAL_SEED),
        .rollouts = config_int(config, EVAL_ROLLOUTS),
        .act_inference = config_bool(config, EVAL_ACT_INFERENCE),
        .train_split = strcmp(config_choice(config, EVAL_SPLIT), "train") == 0,
    };
    return 0;
}

/* Takes ownership of evaluation and reason (NULL: no memory). */
static int add_dropped(struct plan *plan, int arm, char *evaluation, char *reason,
                       struct error *err)
{
    for (int i = plan->dropped_count - 1; i >= 0 && plan->dropped[i].arm == arm; i--)
        if (strcmp(plan->dropped[i].evaluation, evaluation) == 0) {
            free(evaluation);
            free(reason);
            return 0;
        }
    struct plan_dropped *larger =
        realloc(plan->dropped, (size_t)(plan->dropped_count + 1) * sizeof *plan->dropped);
    if (larger != NULL)
        plan->dropped = larger;
    if (larger == NULL || reason == NULL) {
        free(reason);
        free(evaluation);
        return error_no_memory(err, "a plan");
    }
    plan->dropped[plan->dropped_count++] =
        (struct plan_dropped){ .arm = arm, .evaluation = evaluation, .reason = reason };
    return 0;
}

/* The reason why the data do not allow an evaluation, newly allocated. NULL: they do
 * (*can is true), or no memory. */
static char *why_data_do_not(bool *can, const struct plan_arm *arm,
                             const struct config *trained, const struct config *config)
{
    /* in a directory of the published code data.num_aug does not tell how many there
     * are */
    int64_t drawn = config_int(trained, DATA_NUM_AUG) + 1;
    int64_t variants = arm->variants > drawn ? arm->variants : drawn;
    int64_t asked = config_int(config, EVAL_AUGMENTATIONS);

    *can = false;
    if (asked > variants)
        return format_string("asks for %" PRId64 " predictions per test, but the model was "
                             "trained with %" PRId64 " variant%s of a task",
                             asked, variants, variants == 1 ? "" : "s");
    if (!arm->random_ids && strcmp(config_choice(config, EVAL_PUZZLE_ID), "random") == 0)
        return format_string("asks for eval.puzzle_id = random, but the data have too few "
                             "tasks to give every row the id of another one");
    if (arm->unknown_variants && strcmp(config_choice(config, EVAL_SPLIT), "train") == 0)
        return format_string(
            "asks for eval.split = train, but data.path holds boards and their "
            "shuffles, which are not told, so that answers to them cannot be "
            "undone");
    *can = true;
    return NULL;
}

/* The reason why the model of an arm cannot be evaluated like that, in the same way. */
static char *why_dropped(bool *can, const struct plan_arm *arm, const struct config *trained,
                         const struct config *config)
{
    const struct system_facts *facts = config_system(trained);

    *can = false;
    if (!facts->q_continue && strcmp(config_choice(config, EVAL_HALT_RULE), "q") == 0)
        return format_string(
            "halts by q_halt > q_continue, which %s does not train; q_positive "
            "is its own rule",
            facts->name);
    if (config_differs(config, EVAL_PUZZLE_ID) &&
        (!config_active(trained, ARCH_CONDITIONING) || config_blank_ids(trained) ||
         config_puzzle_ndim(trained) == 0))
        return format_string("asks for eval.puzzle_id = %s, but the model has no puzzle ids",
                             config_choice(config, EVAL_PUZZLE_ID));
    if (config_raw_weights(config) && config_real(trained, TRAIN_EMA_RATE) <= 0.0)
        return format_string("asks for eval.weights = raw, but with train.ema_rate = 0 the "
                             "model has no other weights");
    if (config_int(config, EVAL_POOL_CHECKPOINTS) != 1 &&
        config_int(trained, TRAIN_EVAL_INTERVAL) == 0)
        return format_string("pools votes over evaluations of the training, but with "
                             "train.eval_interval = 0 there is only the last");
    return why_data_do_not(can, arm, trained, config);
}

/* Adds the evaluations of the spec that are possible for the arm. */
static int add_evaluations(struct plan *plan, int number, struct error *err)
{
    struct plan_arm *arm = &plan->arms[number];
    const struct config *trained = &plan->spec->arms[number].config;
    int rc = 0;

    for (int e = 0; e < plan->spec->evaluation_count && rc == 0; e++) {
        const struct config *config = &plan->spec->evaluations[e].config;
        int64_t steps = config_int(config, EVAL_HALT_MAX_STEPS);
        bool can;
        if (steps == 0)
            steps = config_int(trained, ARCH_HALT_MAX_STEPS);
        char *text = evaluation_canonical(config, steps);
        if (text == NULL)
            return error_no_memory(err, "a plan");
        char *reason = why_dropped(&can, arm, trained, config);
        rc = can ? add_evaluation(arm, text, config, steps, err)
                 : add_dropped(plan, number, text, reason, err);
    }
    return rc;
}

/* Estimates the work: the training, and two inference passes (untrained, and at the
 * end) with the most outer steps of all evaluations. */
static void compute_cost(struct plan_arm *arm)
{
    int64_t most = 0;

    for (int e = 0; e < arm->evaluation_count; e++) {
        const struct plan_evaluation *p = &arm->evaluations[e];
        int64_t steps = p->outer_steps * (p->rollouts > 1 ? p->rollouts : 1);

        most = steps > most ? steps : most;
    }
    arm->cost = arm->train_flops + 2.0 * (double)most * arm->eval_step_flops;
}

/* The texts from which those of the arm's runs are made; a base's hash depends on the
 * seed. */
static int make_texts(struct plan_arm *arm, const struct spec_arm *spec_arm, struct error *err)
{
    struct config config;
    int rc = config_copy(&config, &spec_arm->config, err);

    if (rc < 0)
        return rc;
    if (spec_arm->base >= 0)
        rc = config_set_text(&config, settings_table[TRAIN_INIT_FROM].key, INIT_RUN_UNKNOWN,
                             "plan", err);
    if (rc == 0)
        rc = seeded_text_init(&arm->canonical, &config, SEEDED_TRAINING, err);
    if (rc == 0)
        rc = seeded_text_init(&arm->job_config, &config, SEEDED_RUN, err);
    config_release(&config);
    return rc;
}

static int make_arm(struct plan *plan, int number, const cJSON *answer, struct error *err)
{
    struct plan_arm *arm = &plan->arms[number];
    const struct spec_arm *spec_arm = &plan->spec->arms[number];
    int rc = take_description(arm, answer, plan->spec, spec_arm->label, err);

    if (rc == 0)
        rc = make_texts(arm, spec_arm, err);
    if (rc == 0)
        rc = add_evaluations(plan, number, err);
    if (rc == 0)
        compute_cost(arm);
    return rc;
}

/* A hash table of runs by their hash, with open addressing. */
struct run_index {
    int *places; /* owned; run number + 1, 0: free */
    size_t size; /* a power of two */
};

static int *run_place(struct run_index *index, const struct plan *plan, const char *hash)
{
    size_t at = (size_t)hash_xxh3(hash, HASH_HEX_SIZE - 1) & (index->size - 1);

    while (index->places[at] != 0 && strcmp(plan->runs[index->places[at] - 1].hash, hash) != 0)
        at = (at + 1) & (index->size - 1);
    return &index->places[at];
}

char *plan_run_text(const struct plan *plan, const struct plan_run *run,
                    const struct seeded_text *text)
{
    char *made = seeded_text_make(text, run->seed);

    if (made != NULL && run->base >= 0)
        init_from_put_run(made, plan->runs[run->base].hash);
    return made;
}

/* Finds or adds the run, of which all but the hash is given; its number into
 * *number. */
static int add_run(int *number, struct plan *plan, struct run_index *index,
                   const struct plan_run *wanted, struct error *err)
{
    struct plan_run *run = &plan->runs[plan->run_count];
    const struct plan_arm *arm = &plan->arms[wanted->arm];
    char *canonical = plan_run_text(plan, wanted, &arm->canonical);

    if (canonical == NULL)
        return error_no_memory(err, "a plan");
    *run = *wanted;
    config_hash_canonical(run->hash, canonical, arm->data_hash);
    free(canonical);
    int *place = run_place(index, plan, run->hash);
    if (*place == 0) /* otherwise another arm has this run already */
        *place = ++plan->run_count;
    *number = *place - 1;
    return 0;
}

/* Asks the worker about a list of configurations, one per arm. */
static int ask_worker(cJSON **answers, struct plan *plan, const char *worker_program,
                      const char *workspace, struct error *err)
{
    cJSON *configs = cJSON_CreateArray();
    int rc = configs == NULL ? error_no_memory(err, "a plan") : 0;

    for (int a = 0; a < plan->spec->arm_count && rc == 0; a++) {
        rc = data_places_check(&plan->spec->arms[a].config, plan->spec->name, err);
        cJSON *config = rc == 0 ? config_to_json(&plan->spec->arms[a].config) : NULL;
        if (rc == 0 && (config == NULL || !cJSON_AddItemToArray(configs, config))) {
            cJSON_Delete(config);
            rc = error_no_memory(err, "a plan");
        }
    }
    if (rc == 0)
        rc = describe_ask(answers, worker_program, workspace, configs, err);
    cJSON_Delete(configs);
    return rc;
}

/* The runs of all arms that have a base, or of all others. */
static int add_runs(struct plan *plan, struct run_index *index, bool with_base,
                    struct error *err)
{
    const struct spec *spec = plan->spec;
    int rc = 0;

    for (int a = 0; a < spec->arm_count && rc == 0; a++) {
        int base = spec->arms[a].base;
        int *mine = plan->run_of + (size_t)a * (size_t)spec->seed_count;

        for (int s = 0; s < spec->seed_count && rc == 0 && (base >= 0) == with_base; s++) {
            int base_run = base >= 0 ? plan_run_of(plan, base, s) : -1;

            rc = add_run(
                &mine[s], plan, index,
                &(struct plan_run){ .arm = a, .base = base_run, .seed = spec->seeds[s] }, err);
        }
    }
    return rc;
}

/* Refuses a plan whose evaluations are all left out: it would train for nothing. */
static int check_evaluations(const struct plan *plan, struct error *err)
{
    const struct plan_dropped *first = plan->dropped;

    if (plan->cell_count > 0 || plan->dropped_count == 0)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: no evaluation is possible: that of arm %s %s; change \"evaluate\"",
                     plan->spec->name, plan->spec->arms[first->arm].label, first->reason);
}

/* What a run takes in memory until it is queued, above all in pages of the database. */
enum { BYTES_QUEUED = 400 };

static int build(struct plan *plan, const cJSON *answers, struct error *err)
{
    struct spec *spec = plan->spec;
    size_t most = (size_t)spec->arm_count * (size_t)spec->seed_count;
    struct run_index index = { .size = 16 };
    int rc = 0, arm = 0;

    while (index.size < 2 * most)
        index.size *= 2;
    large_heap(most * BYTES_QUEUED);
    index.places = large_array_zeroed(index.size, sizeof *index.places);
    plan->arms = calloc((size_t)spec->arm_count, sizeof *plan->arms);
    plan->runs = large_array_zeroed(most, sizeof *plan->runs);
    plan->run_of = calloc(most, sizeof *plan->run_of);
    if (index.places == NULL || plan->arms == NULL || plan->runs == NULL ||
        plan->run_of == NULL)
        rc = error_no_memory(err, "a plan");
    for (const cJSON *answer = answers->child; answer != NULL && rc == 0;
         answer = answer->next, arm++) {
        rc = make_arm(plan, arm, answer, err);
        plan->cell_count += (int64_t)spec->seed_count * plan->arms[arm].evaluation_count;
    }
    if (rc == 0)
        rc = check_evaluations(plan, err);
    for (int pass = 0; pass < 2 && rc == 0; pass++) /* first those that may be bases */
        rc = add_runs(plan, &index, pass == 1, err);
    free(index.places);
    return rc;
}

int plan_rename(struct plan *plan, const char *name, struct error *err)
{
    int rc = spec_rename(plan->spec, name, err);

    if (rc == 0)
        hash_hex(plan->spec_hash, plan->spec->resolved, strlen(plan->spec->resolved));
    return rc;
}

/* Files of weights are named by the spec, or in the workspace. */
static int check_weights(const struct spec *spec, const char *workspace, struct error *err)
{
    for (int a = 0; a < spec->arm_count; a++) {
        const char *digits, *text = config_text(&spec->arms[a].config, TRAIN_INIT_FROM);
        bool there = init_from_kind(text, &digits) != INIT_FILE;
        int rc = there ? 0 : spec_find_weights(&there, workspace, digits, err);

        if (rc < 0)
            return rc;
        for (int w = 0; w < spec->weights_count && !there; w++)
            there = strcmp(spec->weights[w].hash, digits) == 0;
        if (!there)
            return error_set(err, ERROR_FORMAT,
                             "%s: train.init_from = %.24s...: no such file is in the "
                             "workspace's weights/; hrmlab import FILE puts it there",
                             spec->name, text);
    }
    return 0;
}

int plan_create(struct plan **out, struct spec *spec, const char *worker_program,
                const char *workspace, struct error *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    cJSON *answers = NULL;

    *out = NULL;
    if (plan == NULL) {
        spec_destroy(spec);
        return error_no_memory(err, "a plan");
    }
    plan->spec = spec;
    hash_hex(plan->spec_hash, spec->resolved, strlen(spec->resolved));
    int rc = check_weights(spec, workspace, err);
    if (rc == 0)
        rc = ask_worker(&answers, plan, worker_program, workspace, err);
    if (rc == 0)
        rc = build(plan, answers, err);
    cJSON_Delete(answers);
    if (rc < 0) {
        plan_destroy(plan);
        return rc;
    }
    *out = plan;
    return 0;
}
