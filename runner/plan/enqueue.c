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
                               const struct plan_arm *arm, struct error *err)
{
    int rc = 0;

    *missing = false;
    for (int i = 0; i < arm->evaluation_count && rc == 0 && !*missing; i++) {
        bool there;
        rc = queue_has_result(store, &there, run_id, arm->evaluations[i].canonical, err);
        *missing = rc == 0 && !there;
    }
    return rc;
}

/* What a run needs that no job is working on. */
static int closed_need(enum enqueue_need *out, struct store *store,
                       const struct workspace *workspace, const struct plan *plan,
                       const struct plan_run *run, struct error *err)
{
    struct queue_state state;
    bool missing = false;
    int rc = queue_state(store, &state, run->hash, err);

    if (rc < 0 || state.last_train_job == 0)
        return rc;
    if (strcmp(state.train_state, "done") != 0) {
        *out = NEED_AGAIN;
        return 0;
    }
    if (strcmp(state.train_cause, "diverged") == 0) {
        *out = NEED_NOTHING_DIVERGED;
        return 0;
    }
    char *file = workspace_path(workspace, state.checkpoint);
    if (file == NULL)
        return error_no_memory(err, "the queueing of a plan");
    bool gone = state.checkpoint[0] == '\0' || !checkpoint_file_is_whole(file);
    free(file);
    rc = missing_evaluations(&missing, store, state.run_id, plan_arm_of(plan, run), err);
    *out = gone ? NEED_RETRAINING : missing ? NEED_EVALUATION : NEED_NOTHING;
    return rc;
}

int enqueue_need(enum enqueue_need *out, int64_t *run_id, struct store *store,
                 const struct workspace *workspace, const struct plan *plan,
                 const struct plan_run *run, struct error *err)
{
    int64_t open_job = 0;

    *out = NEED_TRAINING;
    *run_id = 0;
    if (store == NULL)
        return 0;
    int rc = queue_find_run(store, run_id, &open_job, run->hash, err);
    if (rc < 0 || *run_id == 0)
        return rc;
    if (open_job == 0)
        return closed_need(out, store, workspace, plan, run, err);
    *out = NEED_WAIT;
    return 0;
}

/* Every active setting of the arm with its value; NULL when out of memory. */
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

/* What is known while a plan is queued; ids are of the store. */
struct enqueue {
    struct enqueue_summary *out;
    struct store *store;
    const struct workspace *workspace;
    const struct plan *plan;
    int64_t *run_ids;         /* owned; as plan->runs */
    struct queue_range added; /* runs of the arm added_arm that have no jobs yet */
    int added_arm;
    int64_t config_id; /* of the settings of the arm config_arm */
    int config_arm;    /* -1: none yet */
    bool existed;      /* the experiment was there: so were its runs' evaluations */
};

/* The runs of an arm come one after the other and share their settings. */
static int find_config(struct enqueue *e, int arm, struct error *err)
{
    if (e->config_arm == arm)
        return 0;
    cJSON *settings = active_settings(&e->plan->spec->arms[arm].config);
    int rc = settings == NULL ? error_no_memory(err, "the queueing of a plan")
                              : queue_config(e->store, &e->config_id, settings, err);

    cJSON_Delete(settings);
    if (rc == 0)
        e->config_arm = arm;
    return rc;
}

static int add_run(struct enqueue *e, int64_t *id, const struct plan_run *run,
                   struct error *err)
{
    const struct plan_arm *arm = plan_arm_of(e->plan, run);
    char *canonical = seeded_text_make(&arm->canonical, run->seed);
    char *job_config = seeded_text_make(&arm->job_config, run->seed);
    int rc = canonical == NULL || job_config == NULL
                 ? error_no_memory(err, "the queueing of a plan")
                 : find_config(e, run->arm, err);

    if (rc == 0)
        rc =
            queue_run(e->store, id,
                      &(struct queue_run){ .hash = run->hash,
                                           .canonical = canonical,
                                           .data_hash = run->data_hash != NULL ? run->data_hash
                                                                               : arm->data_hash,
                                           .numeric_version = run->numeric_version,
                                           .job_config = job_config,
                                           .config_id = e->config_id,
                                           .seed = run->seed,
                                           .parameters = arm->parameters,
                                           .puzzle_parameters = arm->puzzle_parameters,
                                           .total_steps = arm->total_steps,
                                           .train_flops = arm->train_flops },
                      err);

    free(canonical);
    free(job_config);
    return rc;
}

static int add_evaluations(struct enqueue *e, struct queue_range runs,
                           const struct plan_arm *arm, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < arm->evaluation_count && rc == 0; i++) {
        const struct plan_evaluation *p = &arm->evaluations[i];
        rc = queue_evaluation(e->store, runs,
                              &(struct queue_evaluation){ p->canonical, p->outer_steps,
                                                          p->augmentations, p->eval_seed,
                                                          p->act_inference, p->train_split },
                              err);
    }
    return rc;
}

/* The conditions of an arm's jobs. */
static struct queue_job job_of(const struct enqueue *e, int arm, bool evaluate)
{
    const struct plan_arm *planned = &e->plan->arms[arm];
    const struct config *config = &e->plan->spec->arms[arm].config;

    return (struct queue_job){
        .evaluate = evaluate,
        .priority = e->plan->spec->priority,
        .threads = (int)config_int(config, RESOURCES_THREADS),
        .retries_max = (int)config_int(config, RETRIES_MAX),
        .retry_delay_s = config_real(config, RETRIES_DELAY_S),
        .cost = evaluate ? planned->cost - planned->train_flops : planned->cost,
        .memory_gb = config_real(config, RESOURCES_MEMORY_GB),
        .time_limit_min = config_real(config, RESOURCES_TIME_LIMIT_MIN),
    };
}

/* Evaluations and trainings of the runs added last: in a few statements, since an arm may have a
 * thousand seeds. */
static int settle_added(struct enqueue *e, struct error *err)
{
    struct queue_range runs = e->added;

    e->added = (struct queue_range){ 0 };
    if (runs.count == 0)
        return 0;
    struct queue_job job = job_of(e, e->added_arm, false);
    int rc = add_evaluations(e, runs, &e->plan->arms[e->added_arm], err);
    if (rc == 0)
        rc = queue_jobs(e->store, runs, &job, err);
    e->out->jobs += rc == 0 ? (int)runs.count : 0;
    return rc;
}

/* Ids count upwards within a transaction, so that an arm's new runs are a range. */
static int add_new_run(struct enqueue *e, int64_t *id, const struct plan_run *run,
                       struct error *err)
{
    int rc = e->added_arm == run->arm ? 0 : settle_added(e, err);

    if (rc == 0)
        rc = add_run(e, id, run, err);
    if (rc < 0)
        return rc;
    if (e->added.count == 0)
        e->added.first = *id;
    e->added.count++;
    e->added_arm = run->arm;
    return 0;
}

static int add_job(struct enqueue *e, const struct plan_run *run, int64_t run_id, bool evaluate,
                   struct error *err)
{
    const struct plan_arm *arm = plan_arm_of(e->plan, run);
    struct queue_job job = job_of(e, run->arm, evaluate);
    int64_t id;

    job.run_id = run_id;
    int rc = queue_job(e->store, &id, &job, err);
    e->out->jobs += rc == 0;
    for (int i = 0; evaluate && i < arm->evaluation_count && rc == 0; i++)
        rc = queue_job_if_missing(e->store, id, arm->evaluations[i].canonical, err);
    return rc;
}

/* What a run that was there needs: evaluations that are new, and a job. */
static int add_to_run(struct enqueue *e, enum enqueue_need need, const struct plan_run *run,
                      int64_t run_id, struct error *err)
{
    bool settled = need == NEED_WAIT || need == NEED_NOTHING || need == NEED_NOTHING_DIVERGED;
    int rc = 0;

    if (!(e->existed && settled))
        rc = add_evaluations(e, (struct queue_range){ run_id, 1 }, plan_arm_of(e->plan, run),
                             err);
    if (rc == 0 && need == NEED_RETRAINING)
        rc = queue_forget_checkpoint(e->store, run_id, err);
    return rc < 0 || settled ? rc : add_job(e, run, run_id, need == NEED_EVALUATION, err);
}

/* The run of that number, its evaluations and the job it needs. */
static int enqueue_run(struct enqueue *e, int number, struct error *err)
{
    const struct plan_run *run = &e->plan->runs[number];
    int64_t *run_id = &e->run_ids[number];
    enum enqueue_need need = NEED_NOTHING;
    int rc = enqueue_need(&need, run_id, e->store, e->workspace, e->plan, run, err);

    if (rc == 0)
        rc = *run_id == 0 ? add_new_run(e, run_id, run, err)
                          : add_to_run(e, need, run, *run_id, err);
    e->out->counts[need] += rc == 0;
    return rc;
}

/* What an arm consists of and asks for. */
static int link_arm(struct enqueue *e, int arm, int64_t arm_id, struct error *err)
{
    const struct plan_arm *planned = &e->plan->arms[arm];
    int seeds = e->plan->spec->seed_count, rc = 0;

    for (int s = 0; s < seeds && rc == 0;) {
        struct queue_range runs = { e->run_ids[plan_run_of(e->plan, arm, s)], 0 };

        while (s < seeds &&
               e->run_ids[plan_run_of(e->plan, arm, s)] == runs.first + runs.count) {
            runs.count++;
            s++;
        }
        rc = queue_link_runs(e->store, arm_id, runs, err);
    }
    for (int i = 0; i < planned->evaluation_count && rc == 0; i++)
        rc = queue_link_evaluation(e->store, arm_id, planned->evaluations[i].canonical, err);
    return rc;
}

static int enqueue_arms(struct enqueue *e, int64_t experiment_id, struct error *err)
{
    const struct plan *plan = e->plan;
    const struct spec *spec = plan->spec;
    int rc = 0;

    for (int a = 0; a < spec->arm_count && rc == 0; a++) {
        int64_t arm_id;
        rc = queue_arm(e->store, &arm_id, experiment_id, a, spec->arms[a].label,
                       spec->arms[a].axes, err);
        if (rc == 0)
            rc = link_arm(e, a, arm_id, err);
    }
    for (int d = 0; d < plan->dropped_count && rc == 0; d++)
        rc = queue_dropped(e->store, experiment_id, spec->arms[plan->dropped[d].arm].label,
                           plan->dropped[d].evaluation, plan->dropped[d].reason, err);
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

static int enqueue_all(struct enqueue *e, const char *spec_file, struct error *err)
{
    const struct plan *plan = e->plan;
    char hash[HASH_HEX_SIZE];
    struct queue_experiment experiment = { plan->spec->name, plan->spec->description, hash,
                                           spec_file, plan->spec->priority };
    int64_t experiment_id = 0;

    experiment_hash(hash, plan);
    int rc = queue_experiment(e->store, &experiment_id, &e->out->name, &e->existed, &experiment,
                              err);
    for (int i = 0; i < plan->run_count && rc == 0; i++)
        rc = enqueue_run(e, i, err);
    if (rc == 0)
        rc = settle_added(e, err);
    if (rc == 0 && !e->existed)
        rc = enqueue_arms(e, experiment_id, err);
    if (rc == 0)
        rc = queue_raise_priority(e->store, experiment_id, plan->spec->priority, err);
    if (rc == 0)
        e->out->renamed = strcmp(e->out->name, plan->spec->name) != 0;
    return rc;
}

static int enqueue_as(struct enqueue_summary *out, struct store *store,
                      const struct workspace *workspace, const struct plan *plan,
                      const char *spec_file, struct error *err)
{
    struct enqueue e = {
        .out = out, .store = store, .workspace = workspace, .plan = plan, .config_arm = -1
    };
    int rc;

    *out = (struct enqueue_summary){ 0 };
    e.run_ids = calloc((size_t)plan->run_count, sizeof *e.run_ids);
    rc = e.run_ids == NULL ? error_no_memory(err, "the queueing of a plan") : 0;
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0) {
        rc = enqueue_all(&e, spec_file, err);
        if (rc == 0)
            rc = store_commit(store, err);
        if (rc < 0)
            store_rollback(store);
    }
    free(e.run_ids);
    if (rc < 0) {
        free(out->name);
        out->name = NULL;
    }
    return rc;
}

int enqueue_plan(struct enqueue_summary *out, struct store *store,
                 const struct workspace *workspace, const struct plan *plan, struct error *err)
{
    char *spec_file =
        format_string("specs/%s-%.*s.json", plan->spec->name, HASH_SHORT, plan->spec_hash);
    char *path = spec_file != NULL ? workspace_path(workspace, spec_file) : NULL;
    int rc = path == NULL ? error_no_memory(err, "the queueing of a plan")
                          : file_write_atomic(path, plan->spec->resolved,
                                              strlen(plan->spec->resolved), err);

    *out = (struct enqueue_summary){ 0 };
    if (rc == 0)
        rc = enqueue_as(out, store, workspace, plan, spec_file, err);
    free(path);
    free(spec_file);
    return rc;
}

int enqueue_found(struct enqueue_summary *out, struct store *store,
                  const struct workspace *workspace, const struct plan *plan, struct error *err)
{
    return enqueue_as(out, store, workspace, plan, "", err);
}
