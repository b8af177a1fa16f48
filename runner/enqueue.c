/* enqueue.c - deciding what each run of a plan needs, and queueing that. */
#include "enqueue.h"

#include "checkpoint_file.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_NOMEM, "no memory to queue a plan");
}

const char *enqueue_need_text(enum enqueue_need need)
{
    static const char *const texts[ENQUEUE_NEEDS] = {
        [NEED_TRAINING] = "to be trained",
        [NEED_RETRAINING] =
            "trained, but its final checkpoint is gone or cut: to be trained again",
        [NEED_AGAIN] = "failed or was cancelled earlier: to be tried again",
        [NEED_EVALUATION] = "trained already, evaluations missing",
        [NEED_WAIT] = "queued or running already",
        [NEED_NOTHING] = "trained and evaluated already",
        [NEED_NOTHING_DIVERGED] = "diverged earlier, which is a result",
    };

    return texts[need];
}

static int missing_evaluations(bool *missing, struct store *store, int64_t run_id,
                               const struct plan_run *run, struct error *err)
{
    int rc = 0;

    *missing = false;
    for (int i = 0; i < run->evaluation_count && rc == 0 && !*missing; i++) {
        bool there;
        rc = queue_has_result(store, &there, run_id, run->evaluations[i].canonical, err);
        *missing = rc == 0 && !there;
    }
    return rc;
}

int enqueue_need(enum enqueue_need *out, struct queue_state *state, struct store *store,
                 const struct workspace *workspace, const struct plan_run *run,
                 struct error *err)
{
    bool missing = false;
    int rc;

    *out = NEED_TRAINING;
    memset(state, 0, sizeof *state);
    if (store == NULL)
        return 0;
    rc = queue_state(store, state, run->hash, err);
    if (rc < 0 || state->run_id == 0 || (state->last_train_job == 0 && state->open_job == 0))
        return rc;
    if (state->open_job != 0) {
        *out = NEED_WAIT;
        return 0;
    }
    if (strcmp(state->train_state, "done") != 0) {
        *out = NEED_AGAIN;
        return 0;
    }
    if (strcmp(state->train_cause, "diverged") == 0) {
        *out = NEED_NOTHING_DIVERGED;
        return 0;
    }
    char *file = workspace_path(workspace, state->checkpoint);
    if (file == NULL)
        return no_memory(err);
    bool gone = state->checkpoint[0] == '\0' || !checkpoint_file_is_whole(file);
    free(file);
    rc = missing_evaluations(&missing, store, state->run_id, run, err);
    *out = gone ? NEED_RETRAINING : missing ? NEED_EVALUATION : NEED_NOTHING;
    return rc;
}

/* Every active setting of the run with its value, for the settings table. */
static cJSON *active_settings(const struct config *config)
{
    cJSON *object = cJSON_CreateObject();

    for (int id = 0; id < SETTING_COUNT && object != NULL; id++) {
        if (settings_table[id].phase == PHASE_EVALUATION ||
            settings_table[id].phase == PHASE_EXECUTION || !config_active(config, id))
            continue;
        cJSON *value = config_get_json(config, id);
        if (value == NULL || !cJSON_AddItemToObject(object, settings_table[id].key, value)) {
            cJSON_Delete(value);
            cJSON_Delete(object);
            return NULL;
        }
    }
    return object;
}

static int add_run(int64_t *id, struct store *store, const struct plan_run *run,
                   struct error *err)
{
    cJSON *settings = active_settings(&run->config);

    if (settings == NULL)
        return no_memory(err);
    int rc = queue_run(store, id,
                       &(struct queue_run){ .hash = run->hash,
                                            .canonical = run->canonical,
                                            .data_hash = run->data_hash,
                                            .job_config = run->job_config,
                                            .settings = settings,
                                            .seed = run->seed,
                                            .parameters = run->parameters,
                                            .puzzle_parameters = run->puzzle_parameters,
                                            .total_steps = run->total_steps,
                                            .train_flops = run->train_flops },
                       err);
    cJSON_Delete(settings);
    return rc;
}

static int add_job(int64_t *id, struct store *store, const struct plan *plan,
                   const struct plan_run *run, int64_t run_id, bool evaluate, struct error *err)
{
    return queue_job(
        store, id,
        &(struct queue_job){ .run_id = run_id,
                             .evaluate = evaluate,
                             .priority = plan->spec->priority,
                             .threads = (int)config_int(&run->config, RESOURCES_THREADS),
                             .retries_max = (int)config_int(&run->config, RETRIES_MAX),
                             .retry_delay_s = config_real(&run->config, RETRIES_DELAY_S),
                             .cost = evaluate ? run->cost - run->train_flops : run->cost,
                             .memory_gb = config_real(&run->config, RESOURCES_MEMORY_GB),
                             .time_limit_min =
                                 config_real(&run->config, RESOURCES_TIME_LIMIT_MIN) },
        err);
}

/* The run, its evaluations and the job it needs; ids of the evaluations into evaluation_ids. */
static int enqueue_run(struct enqueue_summary *out, struct store *store,
                       const struct workspace *workspace, const struct plan *plan,
                       const struct plan_run *run, int64_t *run_id, int64_t *evaluation_ids,
                       struct error *err)
{
    struct queue_state state;
    enum enqueue_need need;
    int64_t job = 0;
    int rc = enqueue_need(&need, &state, store, workspace, run, err);

    if (rc == 0)
        rc = add_run(run_id, store, run, err);
    for (int e = 0; e < run->evaluation_count && rc == 0; e++) {
        const struct plan_evaluation *p = &run->evaluations[e];
        rc = queue_evaluation(store, &evaluation_ids[e], *run_id,
                              &(struct queue_evaluation){ p->canonical, p->outer_steps,
                                                          p->augmentations, p->eval_seed,
                                                          p->act_inference, p->train_split },
                              err);
    }
    if (rc < 0)
        return rc;
    out->counts[need]++;
    if (need == NEED_RETRAINING)
        rc = queue_forget_checkpoint(store, *run_id, err);
    if (need == NEED_WAIT)
        rc = queue_raise_priority(store, *run_id, plan->spec->priority, err);
    bool wanted = need == NEED_TRAINING || need == NEED_RETRAINING || need == NEED_AGAIN ||
                  need == NEED_EVALUATION;
    if (rc == 0 && wanted) {
        rc = add_job(&job, store, plan, run, *run_id, need == NEED_EVALUATION, err);
        out->jobs++;
    }
    for (int e = 0; e < run->evaluation_count && rc == 0 && need == NEED_EVALUATION; e++) {
        bool there;
        rc = queue_has_result(store, &there, *run_id, run->evaluations[e].canonical, err);
        if (rc == 0 && !there)
            rc = queue_job_evaluation(store, job, evaluation_ids[e], err);
    }
    return rc;
}

static int enqueue_arms(struct store *store, const struct plan *plan, int64_t experiment_id,
                        const int64_t *run_ids, int64_t *const *evaluation_ids,
                        struct error *err)
{
    const struct spec *spec = plan->spec;
    int64_t *arm_ids = calloc((size_t)spec->arm_count, sizeof *arm_ids);
    int rc = arm_ids == NULL ? no_memory(err) : 0;

    for (int a = 0; a < spec->arm_count && rc == 0; a++)
        rc = queue_arm(store, &arm_ids[a], experiment_id, a, spec->arms[a].label,
                       spec->arms[a].axes, err);
    for (int c = 0; c < plan->cell_count && rc == 0; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        rc = queue_link(store, arm_ids[cell->arm], run_ids[cell->run],
                        evaluation_ids[cell->run][cell->evaluation], err);
    }
    for (int d = 0; d < plan->dropped_count && rc == 0; d++)
        rc = queue_dropped(store, experiment_id, spec->arms[plan->dropped[d].arm].label,
                           plan->dropped[d].evaluation, plan->dropped[d].reason, err);
    free(arm_ids);
    return rc;
}

/* What an experiment is: its spec and, through the runs' hashes, its data and engine. The same
 * spec over changed data is another experiment, or arms would mix both. */
static void experiment_hash(char hex[HASH_HEX_SIZE], const struct plan *plan)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, plan->spec_hash, HASH_HEX_SIZE - 1);
    for (int i = 0; i < plan->run_count; i++)
        hash_add(&state, plan->runs[i].hash, HASH_HEX_SIZE - 1);
    hash_final_hex(&state, hex);
}

static int enqueue_all(struct enqueue_summary *out, struct store *store,
                       const struct workspace *workspace, const struct plan *plan,
                       const char *spec_file, struct error *err)
{
    char hash[HASH_HEX_SIZE];
    struct queue_experiment experiment = { plan->spec->name, plan->spec->description, hash,
                                           spec_file, plan->spec->priority };
    int64_t experiment_id, *run_ids = calloc((size_t)plan->run_count, sizeof *run_ids);
    int64_t **evaluation_ids = calloc((size_t)plan->run_count, sizeof *evaluation_ids);
    bool existed;
    experiment_hash(hash, plan);
    int rc =
        run_ids == NULL || evaluation_ids == NULL
            ? no_memory(err)
            : queue_experiment(store, &experiment_id, &out->name, &existed, &experiment, err);

    for (int i = 0; i < plan->run_count && rc == 0; i++) {
        evaluation_ids[i] =
            calloc((size_t)plan->runs[i].evaluation_count + 1, sizeof **evaluation_ids);
        rc = evaluation_ids[i] == NULL
                 ? no_memory(err)
                 : enqueue_run(out, store, workspace, plan, &plan->runs[i], &run_ids[i],
                               evaluation_ids[i], err);
    }
    if (rc == 0 && !existed)
        rc = enqueue_arms(store, plan, experiment_id, run_ids, evaluation_ids, err);
    if (rc == 0)
        out->renamed = strcmp(out->name, plan->spec->name) != 0;
    for (int i = 0; i < plan->run_count && evaluation_ids != NULL; i++)
        free(evaluation_ids[i]);
    free(evaluation_ids);
    free(run_ids);
    return rc;
}

int enqueue_plan(struct enqueue_summary *out, struct store *store,
                 const struct workspace *workspace, const struct plan *plan, struct error *err)
{
    char *spec_file =
        format_string("specs/%s-%.*s.json", plan->spec->name, HASH_SHORT, plan->spec_hash);
    char *path = spec_file != NULL ? workspace_path(workspace, spec_file) : NULL;
    int rc = path == NULL ? no_memory(err)
                          : file_write_atomic(path, plan->spec->resolved,
                                              strlen(plan->spec->resolved), err);

    *out = (struct enqueue_summary){ 0 };
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0) {
        rc = enqueue_all(out, store, workspace, plan, spec_file, err);
        if (rc == 0)
            rc = store_commit(store, err);
        if (rc < 0)
            store_rollback(store);
    }
    free(path);
    free(spec_file);
    if (rc < 0) {
        free(out->name);
        out->name = NULL;
    }
    return rc;
}
