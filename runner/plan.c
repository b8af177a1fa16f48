/* plan.c - cells grouped into runs by identity, evaluations merged. */
#include "plan.h"

#include "describe_client.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_NOMEM, "no memory for a plan");
}

static void run_release(struct plan_run *run)
{
    for (int i = 0; i < run->evaluation_count; i++)
        free(run->evaluations[i].canonical);
    free(run->evaluations);
    free(run->canonical);
    cJSON_Delete(run->job_config);
    config_release(&run->config);
}

void plan_destroy(struct plan *plan)
{
    if (plan == NULL)
        return;
    for (int i = 0; i < plan->run_count; i++)
        run_release(&plan->runs[i]);
    for (int i = 0; i < plan->dropped_count; i++) {
        free(plan->dropped[i].evaluation);
        free(plan->dropped[i].reason);
    }
    free(plan->runs);
    free(plan->cells);
    free(plan->dropped);
    spec_destroy(plan->spec);
    free(plan);
}

/* data.path as an absolute path, so that a worker elsewhere finds it. */
static int make_path_absolute(struct config *config, const char *name, struct error *err)
{
    const char *path = config_text(config, DATA_PATH);

    if (strncmp(path, "builtin:", 8) == 0)
        return 0;
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: data.path = \"%.300s\": no such file or directory", name, path);
    cJSON *value = cJSON_CreateString(absolute);
    int rc = value == NULL ? no_memory(err)
                           : config_set_json(config, DATA_PATH, value, "data.path", err);
    cJSON_Delete(value);
    free(absolute);
    return rc;
}

/* What describe says of one arm, into a run. */
static int take_description(struct plan_run *run, const cJSON *answer, const char *label,
                            struct error *err)
{
    static const char where[] = "hrmlab-worker describe";
    const cJSON *fault = json_member(answer, "error");
    const char *data_hash;
    double eval_flops = 0, rows = 0;

    if (cJSON_IsString(fault))
        return error_set(err, ERROR_FORMAT, "%s", fault->valuestring);
    int rc = json_get_string(&data_hash, answer, "data_hash", where, err);
    if (rc == 0)
        rc = json_get_int(&run->parameters, answer, "parameters", where, err);
    if (rc == 0)
        rc = json_get_int(&run->puzzle_parameters, answer, "puzzle_parameters", where, err);
    if (rc == 0)
        rc = json_get_int(&run->total_steps, answer, "total_steps", where, err);
    if (rc == 0)
        rc = json_get_real(&run->train_flops, answer, "train_flops", where, err);
    if (rc == 0)
        rc = json_get_real(&eval_flops, answer, "eval_row_step_flops", where, err);
    if (rc == 0)
        rc = json_get_real(&rows, answer, "test_rows", where, err);
    if (rc < 0)
        return error_prefix(err, "%s", label);
    if (strlen(data_hash) != HASH_HEX_SIZE - 1)
        return error_set(err, ERROR_ENVIRONMENT, "%s: malformed data_hash", where);
    memcpy(run->data_hash, data_hash, HASH_HEX_SIZE);
    run->cost = run->train_flops + eval_flops * rows; /* evaluations are multiplied in later */
    return 0;
}

/* The five evaluation settings, outer steps resolved. Fresh canonical text. */
static char *evaluation_canonical(const struct config *config, int64_t outer_steps)
{
    cJSON *object = cJSON_CreateObject();
    char *text = NULL;

    for (int id = 0; id < SETTING_COUNT && object != NULL; id++) {
        if (settings_table[id].phase != PHASE_EVALUATION)
            continue;
        cJSON *value = id == EVAL_HALT_MAX_STEPS ? cJSON_CreateNumber((double)outer_steps)
                                                 : config_get_json(config, id);
        if (value == NULL || !cJSON_AddItemToObject(object, settings_table[id].key, value)) {
            cJSON_Delete(value);
            cJSON_Delete(object);
            return NULL;
        }
    }
    if (object != NULL)
        text = json_canonical(object);
    cJSON_Delete(object);
    return text;
}

/* Finds or adds the evaluation in run; its index into *index. Takes text over. */
static int add_evaluation(int *index, struct plan_run *run, char *text,
                          const struct config *config, int64_t outer_steps, struct error *err)
{
    for (*index = 0; *index < run->evaluation_count; ++*index)
        if (strcmp(run->evaluations[*index].canonical, text) == 0) {
            free(text);
            return 0;
        }
    struct plan_evaluation *larger = realloc(
        run->evaluations, (size_t)(run->evaluation_count + 1) * sizeof *run->evaluations);
    if (larger == NULL) {
        free(text);
        return no_memory(err);
    }
    run->evaluations = larger;
    run->evaluations[run->evaluation_count++] = (struct plan_evaluation){
        .canonical = text,
        .outer_steps = outer_steps,
        .augmentations = config_int(config, EVAL_AUGMENTATIONS),
        .eval_seed = config_int(config, EVAL_SEED),
        .act_inference = config_bool(config, EVAL_ACT_INFERENCE),
        .train_split = strcmp(config_choice(config, EVAL_SPLIT), "train") == 0,
    };
    return 0;
}

static int add_dropped(struct plan *plan, int arm, char *evaluation, int64_t asked,
                       int64_t trained, struct error *err)
{
    for (int i = 0; i < plan->dropped_count; i++) /* once per arm, not per seed */
        if (plan->dropped[i].arm == arm &&
            strcmp(plan->dropped[i].evaluation, evaluation) == 0) {
            free(evaluation);
            return 0;
        }
    struct plan_dropped *larger =
        realloc(plan->dropped, (size_t)(plan->dropped_count + 1) * sizeof *plan->dropped);
    char *reason = format_string("asks for %" PRId64 " predictions per test, but the model was "
                                 "trained with %" PRId64 " variants of a task",
                                 asked, trained);
    if (larger != NULL)
        plan->dropped = larger;
    if (larger == NULL || reason == NULL) {
        free(reason);
        free(evaluation);
        return no_memory(err);
    }
    plan->dropped[plan->dropped_count++] =
        (struct plan_dropped){ .arm = arm, .evaluation = evaluation, .reason = reason };
    return 0;
}

static int add_cell(struct plan *plan, int arm, int run, int evaluation, struct error *err)
{
    if ((plan->cell_count & (plan->cell_count - 1)) == 0) {
        size_t room = plan->cell_count == 0 ? 1 : 2 * (size_t)plan->cell_count;
        struct plan_cell *larger = realloc(plan->cells, room * sizeof *larger);
        if (larger == NULL)
            return no_memory(err);
        plan->cells = larger;
    }
    plan->cells[plan->cell_count++] = (struct plan_cell){ arm, run, evaluation };
    return 0;
}

static int add_cells(struct plan *plan, int arm, int run_index, struct error *err)
{
    struct plan_run *run = &plan->runs[run_index];
    int64_t variants = config_int(&run->config, DATA_NUM_AUG) + 1;
    int before = plan->cell_count, rc = 0;

    for (int e = 0; e < plan->spec->evaluation_count && rc == 0; e++) {
        const struct config *config = &plan->spec->evaluations[e].config;
        int64_t steps = config_int(config, EVAL_HALT_MAX_STEPS);
        int64_t asked = config_int(config, EVAL_AUGMENTATIONS);
        int index;
        if (steps == 0)
            steps = config_int(&run->config, ARCH_HALT_MAX_STEPS);
        char *text = evaluation_canonical(config, steps);
        if (text == NULL)
            return no_memory(err);
        if (asked > variants) {
            rc = add_dropped(plan, arm, text, asked, variants, err);
            continue;
        }
        rc = add_evaluation(&index, run, text, config, steps, err);
        bool there = false; /* "as trained" and the same number by name are one evaluation */
        for (int c = before; c < plan->cell_count; c++)
            there = there || (rc == 0 && plan->cells[c].evaluation == index);
        if (rc == 0 && !there)
            rc = add_cell(plan, arm, run_index, index, err);
    }
    return rc;
}

/* An index of runs by hash: open addressing over run numbers + 1. */
struct run_index {
    int *places; /* owned */
    size_t size; /* a power of two */
};

static int *run_place(struct run_index *index, const struct plan *plan, const char *hash)
{
    size_t at = (size_t)hash_xxh3(hash, HASH_HEX_SIZE - 1) & (index->size - 1);

    while (index->places[at] != 0 && strcmp(plan->runs[index->places[at] - 1].hash, hash) != 0)
        at = (at + 1) & (index->size - 1);
    return &index->places[at];
}

/* Finds or makes the run of an arm and a seed; its number into *number. */
static int add_run(int *number, struct plan *plan, struct run_index *index, int arm,
                   int64_t seed, const cJSON *answer, struct error *err)
{
    const struct spec_arm *spec_arm = &plan->spec->arms[arm];
    struct plan_run *run = &plan->runs[plan->run_count];
    int rc = config_copy(&run->config, &spec_arm->config, err);

    if (rc == 0) {
        run->config.values[TRAIN_SEED].integer = seed;
        run->seed = seed;
        rc = take_description(run, answer, spec_arm->label, err);
    }
    if (rc == 0)
        rc = config_run_hash(run->hash, &run->config, run->data_hash, err);
    if (rc == 0) {
        int *place = run_place(index, plan, run->hash);
        if (*place != 0) { /* trained for another arm already */
            *number = *place - 1;
            run_release(run);
            *run = (struct plan_run){ 0 };
            return 0;
        }
        *place = plan->run_count + 1;
        run->canonical = config_canonical(&run->config, PHASE_TRAINING, err);
        rc = run->canonical == NULL ? ERROR_NOMEM
                                    : make_path_absolute(&run->config, plan->spec->name, err);
    }
    if (rc == 0) {
        run->job_config = config_to_json(&run->config);
        rc = run->job_config == NULL ? no_memory(err) : 0;
    }
    *number = plan->run_count++; /* counted even on failure, so that it is released */
    return rc;
}

/* The list of configurations to ask about, one per arm. */
static int ask_worker(cJSON **answers, struct plan *plan, const char *worker_program,
                      struct error *err)
{
    cJSON *configs = cJSON_CreateArray();
    int rc = configs == NULL ? no_memory(err) : 0;

    for (int a = 0; a < plan->spec->arm_count && rc == 0; a++) {
        rc = make_path_absolute(&plan->spec->arms[a].config, plan->spec->name, err);
        cJSON *config = rc == 0 ? config_to_json(&plan->spec->arms[a].config) : NULL;
        if (rc == 0 && (config == NULL || !cJSON_AddItemToArray(configs, config))) {
            cJSON_Delete(config);
            rc = no_memory(err);
        }
    }
    if (rc == 0)
        rc = describe_ask(answers, worker_program, configs, err);
    cJSON_Delete(configs);
    return rc;
}

/* The inference passes' share of the expected work. */
static void finish_costs(struct plan *plan)
{
    for (int i = 0; i < plan->run_count; i++) {
        struct plan_run *run = &plan->runs[i];
        int64_t most = 0;
        for (int e = 0; e < run->evaluation_count; e++)
            if (run->evaluations[e].outer_steps > most)
                most = run->evaluations[e].outer_steps;
        /* Once untrained and once at the end. */
        run->cost = run->train_flops + (run->cost - run->train_flops) * 2.0 * (double)most;
    }
}

static int build(struct plan *plan, const cJSON *answers, struct error *err)
{
    struct spec *spec = plan->spec;
    size_t most = (size_t)spec->arm_count * (size_t)spec->seed_count;
    struct run_index index = { .size = 16 };
    int rc = 0, arm = 0;

    while (index.size < 2 * most)
        index.size *= 2;
    index.places = calloc(index.size, sizeof *index.places);
    plan->runs = calloc(most, sizeof *plan->runs);
    if (index.places == NULL || plan->runs == NULL)
        rc = no_memory(err);
    for (const cJSON *answer = answers->child; answer != NULL && rc == 0;
         answer = answer->next, arm++)
        for (int s = 0; s < spec->seed_count && rc == 0; s++) {
            int run;
            rc = add_run(&run, plan, &index, arm, spec->seeds[s], answer, err);
            if (rc == 0)
                rc = add_cells(plan, arm, run, err);
        }
    free(index.places);
    if (rc == 0)
        finish_costs(plan);
    return rc;
}

int plan_create(struct plan **out, struct spec *spec, const char *worker_program,
                struct error *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    cJSON *answers = NULL;

    *out = NULL;
    if (plan == NULL) {
        spec_destroy(spec);
        return no_memory(err);
    }
    plan->spec = spec;
    hash_hex(plan->spec_hash, spec->resolved, strlen(spec->resolved));
    int rc = ask_worker(&answers, plan, worker_program, err);
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
