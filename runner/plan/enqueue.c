/* enqueue.c - decides what each run of a plan needs, and queues it. */
#include "enqueue.h"

#include "checkpoint_file.h"
#include "error.h"
#include "file.h"
#include "hash.h"
#include "init_from.h"
#include "mark_arms.h"
#include "mark_file.h"
#include "spec_weights.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What a run without open jobs needs. */
static int closed_need(enum enqueue_need *out, struct store *store,
                       const struct workspace *workspace, const struct plan *plan,
                       const struct plan_run *run, struct error *err)
{
    struct queue_state state;
    bool missing = false;
    int rc = queue_state(store, &state, run->hash, err);

    if (rc < 0 || state.last_train_job == 0)
        return rc;
    if (state.train_state != JOB_DONE) {
        *out = NEED_AGAIN;
        return 0;
    }
    if (state.train_cause == OUTCOME_DIVERGED) {
        *out = NEED_NOTHING_DIVERGED;
        return 0;
    }
    char *file = workspace_path(workspace, state.checkpoint);
    if (file == NULL)
        return error_no_memory(err, "the queueing of a plan");
    bool whole = false;
    if (state.checkpoint[0] != '\0')
        rc = checkpoint_file_check(&whole, file, err);
    free(file);
    if (rc == 0)
        rc = missing_evaluations(&missing, store, state.run_id, plan_arm_of(plan, run), err);
    *out = !whole ? NEED_RETRAINING : missing ? NEED_EVALUATION : NEED_NOTHING;
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

/* The arm's active settings with their values; NULL: no memory. */
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

/* State while a plan is queued; ids are those of the store. */
struct enqueue {
    struct enqueue_summary *out;
    struct store *store;
    const struct workspace *workspace;
    const struct plan *plan;
    int64_t *run_ids;         /* owned; as plan->runs; 0: the experiment had none */
    int64_t *open_jobs;       /* owned; likewise, of the runs that it had; 0: none */
    struct queue_range added; /* runs of the arm added_arm that have no jobs yet */
    int added_arm;
    /* what the runs of the arm training_arm share that have this data and version */
    int64_t training_id;
    int training_arm;                             /* -1: none yet */
    const char *training_data, *training_version; /* version NULL: this program's */
    /* the run that its settings name as base; "": none */
    char named_base[INIT_HASH_DIGITS + 1];
    /* of the execution settings of the arm execution_arm */
    int64_t execution_id;
    int execution_arm;             /* -1: none yet */
    struct queue_known experiment; /* spec_file owned; of the plan's name */
    /* the experiment exists with the same spec, and so do its runs' evaluations */
    bool existed;
};

/* Stores the settings of an arm and the texts that its runs share. */
static int add_training(struct enqueue *e, const struct plan_run *run, const char *data_hash,
                        struct error *err)
{
    const struct plan_arm *arm = plan_arm_of(e->plan, run);
    cJSON *settings = active_settings(&e->plan->spec->arms[run->arm].config);
    char *canonical = seeded_text_make(&arm->canonical, 0); /* without a seed */
    char *job_config = seeded_text_make(&arm->job_config, 0);
    struct queue_training training = { .canonical = canonical,
                                       .data_hash = data_hash,
                                       .numeric_version = run->numeric_version,
                                       .job_config = job_config,
                                       .parameters = arm->parameters,
                                       .puzzle_parameters = arm->puzzle_parameters,
                                       .total_steps = arm->total_steps,
                                       .train_flops = arm->train_flops };
    int rc = settings == NULL || canonical == NULL || job_config == NULL
                 ? error_no_memory(err, "the queueing of a plan")
                 : queue_config(e->store, &training.config_id, settings, err);

    if (rc == 0)
        rc = queue_training(e->store, &e->training_id, &training, err);
    if (rc == 0)
        (void)init_from_find(e->named_base, canonical, INIT_RUN_PREFIX);
    cJSON_Delete(settings);
    free(canonical);
    free(job_config);
    return rc;
}

/* Whether two texts are equal, or both NULL. */
static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Stores what the run shares with others of its arm, which are consecutive. Those of a
 * rebuild may differ in their data and version. */
static int find_training(struct enqueue *e, const struct plan_run *run, struct error *err)
{
    const char *data_hash =
        run->data_hash != NULL ? run->data_hash : plan_arm_of(e->plan, run)->data_hash;

    if (e->training_arm == run->arm && same_text(e->training_data, data_hash) &&
        same_text(e->training_version, run->numeric_version))
        return 0;
    int rc = add_training(e, run, data_hash, err);

    e->training_arm = rc == 0 ? run->arm : -1;
    e->training_data = data_hash;
    e->training_version = run->numeric_version;
    return rc;
}

/* Stores the execution settings of an arm, which all its jobs share. */
static int find_execution(struct enqueue *e, int arm, struct error *err)
{
    if (e->execution_arm == arm)
        return 0;
    cJSON *settings = config_job_settings(&e->plan->spec->arms[arm].config);
    int rc = settings == NULL ? error_no_memory(err, "the queueing of a plan")
                              : queue_execution(e->store, &e->execution_id, settings, err);

    cJSON_Delete(settings);
    if (rc == 0)
        e->execution_arm = arm;
    return rc;
}

static int add_run(struct enqueue *e, int64_t *id, const struct plan_run *run,
                   struct error *err)
{
    int rc = find_training(e, run, err);

    if (rc < 0)
        return rc;
    const char *named = e->named_base[0] != '\0' ? e->named_base : NULL;
    return queue_run(e->store, id,
                     &(struct queue_run){
                         .hash = run->hash,
                         .training_id = e->training_id,
                         .seed = run->seed,
                         .base_hash = run->base >= 0 ? e->plan->runs[run->base].hash : named },
                     err);
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

/* Fills in the parameters of an arm's jobs. */
static int make_job(struct queue_job *out, struct enqueue *e, int arm, bool evaluate,
                    struct error *err)
{
    const struct plan_arm *planned = &e->plan->arms[arm];
    const struct config *config = &e->plan->spec->arms[arm].config;

    int rc = find_execution(e, arm, err);

    *out = (struct queue_job){
        .execution_id = e->execution_id,
        .evaluate = evaluate,
        .priority = e->plan->spec->priority,
        .threads = config_cores(config),
        .retries_max = (int)config_int(config, RETRIES_MAX),
        .retry_delay_s = config_real(config, RETRIES_DELAY_S),
        .cost = evaluate ? planned->cost - planned->train_flops : planned->cost,
        .memory_gb = config_real(config, RESOURCES_MEMORY_GB),
        .time_limit_min = config_real(config, RESOURCES_TIME_LIMIT_MIN),
    };
    return rc;
}

/* Adds evaluations and training jobs of the runs added last. They are a range of
 * ids, so that one statement serves an arm with a thousand seeds. */
static int settle_added(struct enqueue *e, struct error *err)
{
    struct queue_range runs = e->added;

    e->added = (struct queue_range){ 0 };
    if (runs.count == 0)
        return 0;
    struct queue_job job;
    int rc = make_job(&job, e, e->added_arm, false, err);
    if (rc == 0)
        rc = add_evaluations(e, runs, &e->plan->arms[e->added_arm], err);
    if (rc == 0)
        rc = queue_jobs(e->store, runs, &job, err);
    e->out->jobs += rc == 0 ? (int)runs.count : 0;
    return rc;
}

/* Adds a run; *id 0: it is there already. Ids are consecutive within a transaction, so
 * that an arm's new runs are a range. */
static int add_new_run(struct enqueue *e, int64_t *id, const struct plan_run *run,
                       struct error *err)
{
    int rc = add_run(e, id, run, err);

    if (rc < 0 || *id == 0)
        return rc;
    if (e->added_arm != run->arm)
        rc = settle_added(e, err);
    if (e->added.count == 0)
        e->added.first = *id;
    e->added.count++;
    e->added_arm = run->arm;
    return rc;
}

static int add_job(struct enqueue *e, const struct plan_run *run, int64_t run_id, bool evaluate,
                   struct error *err)
{
    const struct plan_arm *arm = plan_arm_of(e->plan, run);
    struct queue_job job;
    int64_t id;
    int rc = make_job(&job, e, run->arm, evaluate, err);

    job.run_id = run_id;
    if (rc == 0)
        rc = queue_job(e->store, &id, &job, err);
    e->out->jobs += rc == 0;
    for (int i = 0; evaluate && i < arm->evaluation_count && rc == 0; i++)
        rc = queue_job_if_missing(e->store, id, arm->evaluations[i].canonical, err);
    return rc;
}

/* Adds what an existing run needs: new evaluations, and a job. */
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

/* Queues the run of that number, its evaluations, and the job it needs. One that the
 * experiment lacked is new, as a rule: it is added without a look for it. */
static int enqueue_run(struct enqueue *e, int number, struct error *err)
{
    const struct plan_run *run = &e->plan->runs[number];
    int64_t *run_id = &e->run_ids[number];
    enum enqueue_need need = NEED_TRAINING;
    bool had = *run_id != 0;
    int rc = had ? 0 : add_new_run(e, run_id, run, err);
    bool added = !had && *run_id != 0;

    if (rc == 0 && e->open_jobs[number] != 0)
        need = NEED_WAIT;
    else if (rc == 0 && had)
        rc = closed_need(&need, e->store, e->workspace, e->plan, run, err);
    else if (rc == 0 && !added)
        rc = enqueue_need(&need, run_id, e->store, e->workspace, e->plan, run, err);
    if (rc == 0 && !added)
        rc = add_to_run(e, need, run, *run_id, err);
    e->out->counts[need] += rc == 0;
    return rc;
}

/* Applies the current execution settings to all jobs of the arm: waiting jobs, jobs
 * that are retried, and also jobs that are done, because verify trains again. */
static int execute_like(struct enqueue *e, int arm, int64_t arm_id, struct error *err)
{
    struct queue_job job;
    int rc = make_job(&job, e, arm, false, err);

    return rc < 0 ? rc : queue_execute_like(e->store, arm_id, &job, err);
}

/* Links an arm to its runs and evaluations. */
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

/* Stores the arms of the plan; those of an unchanged experiment exist already. */
static int enqueue_arms(struct enqueue *e, struct error *err)
{
    const struct plan *plan = e->plan;
    const struct spec *spec = plan->spec;
    bool fresh = e->out->counts[NEED_TRAINING] == plan->run_count;
    int rc = 0;

    for (int a = 0; a < spec->arm_count && rc == 0; a++) {
        int64_t arm_id;
        rc = queue_arm(e->store, &arm_id, e->experiment.id, a, spec->arms[a].label,
                       spec->arms[a].axes, err);
        if (rc == 0 && !e->existed)
            rc = link_arm(e, a, arm_id, err);
        if (rc == 0 && !fresh)
            rc = execute_like(e, a, arm_id, err);
    }
    for (int i = 0; i < spec->contrast_count && rc == 0 && !e->existed; i++)
        rc = queue_contrast(e->store, e->experiment.id, i, spec->contrasts[i].name,
                            spec->contrasts[i].from, spec->contrasts[i].to, err);
    for (int d = 0; d < plan->dropped_count && rc == 0 && !e->existed; d++)
        rc = queue_dropped(e->store, e->experiment.id, spec->arms[plan->dropped[d].arm].label,
                           plan->dropped[d].evaluation, plan->dropped[d].reason, err);
    return rc;
}

/* Hash of everything an experiment asks for: its spec and, through the runs' hashes,
 * its data and engine. */
static void experiment_hash(char hex[HASH_HEX_SIZE], const struct plan *plan)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, plan->spec_hash, HASH_HEX_SIZE - 1);
    for (int i = 0; i < plan->run_count; i++)
        hash_add(&state, plan->runs[i].hash, HASH_HEX_SIZE - 1);
    hash_final_hex(&state, hex);
}

static int compare_hashes(const void *a, const void *b)
{
    const struct plan_run *const *x = a, *const *y = b;

    return strcmp((*x)->hash, (*y)->hash);
}

/* Finds the plan's runs among those that the experiment has; *lost, if not NULL, is one
 * that the plan lacks. */
static int match_runs(struct enqueue *e, const struct queue_found *known, int count,
                      const struct queue_found **lost, struct error *err)
{
    const struct plan *plan = e->plan;
    const struct plan_run **planned = calloc((size_t)plan->run_count, sizeof *planned);
    int kept = 0;

    *lost = NULL;
    if (planned == NULL)
        return error_no_memory(err, "the queueing of a plan");
    for (int i = 0; i < plan->run_count; i++)
        planned[i] = &plan->runs[i];
    qsort(planned, (size_t)plan->run_count, sizeof *planned, compare_hashes);
    for (int i = 0; i < count; i++) {
        struct plan_run run, *key = &run;
        memcpy(run.hash, known[i].hash, sizeof run.hash);
        const struct plan_run **found =
            bsearch(&key, planned, (size_t)plan->run_count, sizeof *planned, compare_hashes);
        if (found == NULL) {
            *lost = &known[i];
            continue;
        }
        kept++;
        e->run_ids[*found - plan->runs] = known[i].run_id;
        e->open_jobs[*found - plan->runs] = known[i].open_job;
    }
    free(planned);
    e->out->added = plan->run_count - kept;
    e->out->vanishing = count - kept;
    return 0;
}

/* Finds the runs that the experiment has, and counts those that it would lose and gain.
 * Losing one is an error. */
static int find_runs(struct enqueue *e, struct error *err)
{
    const struct plan *plan = e->plan;
    const struct queue_found *lost = NULL;
    struct queue_found *known;
    int count;
    int rc = queue_runs(e->store, &known, &count, e->experiment.id, err);

    if (rc == 0)
        rc = match_runs(e, known, count, &lost, err);
    if (lost != NULL)
        rc = error_set(err, ERROR_FORMAT,
                       "the experiment %s exists with %d of %d runs that this asks for no "
                       "longer (such as %.12s: other settings, seeds or data%s); nothing was "
                       "changed: give it another name, or --new for the name %s-2",
                       plan->spec->name, e->out->vanishing, count, lost->hash,
                       e->out->added == plan->run_count ? ", or another engine" : "",
                       plan->spec->name);
    free(known);
    return rc;
}

/* Finds or creates the experiment of the plan's name; it may be unchanged or
 * updated. */
static int find_experiment(struct enqueue *e, const char *spec_file, struct error *err)
{
    const struct spec *spec = e->plan->spec;
    char hash[HASH_HEX_SIZE];
    int rc = queue_find_experiment(e->store, &e->experiment, spec->name, err);

    experiment_hash(hash, e->plan);
    e->out->known = e->experiment.id != 0;
    e->existed = e->out->known && strcmp(e->experiment.spec_hash, hash) == 0;
    e->out->changed = e->out->known && !e->existed;
    if (rc == 0 && e->out->known)
        rc = find_runs(e, err);
    if (rc == 0)
        rc = queue_experiment(e->store, &e->experiment.id,
                              &(struct queue_experiment){ spec->name, spec->description, hash,
                                                          spec_file, spec->priority },
                              err);
    return rc;
}

/* Makes the arms of an experiment anew. Notes, tags and what is kept stay with an arm
 * whose label is another now. */
static int renew_arms(struct enqueue *e, struct error *err)
{
    struct mark_arms marked = { 0 };
    int moved = 0;
    int rc = mark_arms_read(&marked, e->store, e->experiment.id, err);

    if (rc == 0)
        rc = queue_forget_arms(e->store, e->experiment.id, err);
    if (rc == 0)
        rc = enqueue_arms(e, err);
    if (rc == 0)
        rc = mark_arms_write(&marked, &moved, e->store, e->experiment.id, err);
    if (rc == 0 && moved > 0)
        rc = mark_file_write(e->workspace, e->store, err);
    mark_arms_release(&marked);
    return rc;
}

static int enqueue_all(struct enqueue *e, const char *spec_file, struct error *err)
{
    const struct plan *plan = e->plan;
    int64_t before = 0, after = 0;
    int rc = find_experiment(e, spec_file, err);

    for (int i = 0; i < plan->run_count && rc == 0; i++)
        rc = enqueue_run(e, i, err);
    if (rc == 0)
        rc = settle_added(e, err);
    if (rc == 0 && e->out->changed)
        rc = queue_count_evaluations(e->store, &before, e->experiment.id, err);
    if (rc == 0)
        rc = e->out->changed ? renew_arms(e, err) : enqueue_arms(e, err);
    if (rc == 0 && e->out->changed)
        rc = queue_count_evaluations(e->store, &after, e->experiment.id, err);
    e->out->forgotten = before > after ? before - after : 0;
    return rc < 0 ? rc : queue_set_priority(e->store, e->experiment.id, err);
}

/* Deletes the spec file of an earlier version of the experiment. */
static void remove_old_spec(const struct enqueue *e, const char *spec_file)
{
    const char *old = e->experiment.spec_file;
    char *path = old != NULL && old[0] != '\0' && strcmp(old, spec_file) != 0
                     ? workspace_path(e->workspace, old)
                     : NULL;

    if (path != NULL)
        /* if that fails: it is older than the new one, and a rebuild lets the newest
         * count */
        unlink(path);
    free(path);
}

/* Writes the spec, of which a rebuild makes all that is queued. Two commands that queue
 * the same spec at a time write the same file: one after the other, since each does it
 * in its transaction. */
static int write_spec(const struct enqueue *e, const char *spec_file, struct error *err)
{
    const char *text = e->plan->spec->resolved;
    char *path = workspace_path(e->workspace, spec_file);
    int rc = path == NULL ? error_no_memory(err, "the queueing of a plan")
                          : file_write_atomic(path, text, strlen(text), err);

    free(path);
    return rc;
}

/* From so many on, whose rows take 4 MB, the first runs of a database are written
 * without the write-ahead log. */
enum { MANY_RUNS = 10000 };

/* spec_file: relative to the workspace; "": it is not written. */
static int enqueue_as(struct enqueue_summary *out, struct store *store,
                      const struct workspace *workspace, const struct plan *plan,
                      const char *spec_file, struct error *err)
{
    struct enqueue e = { .out = out,
                         .store = store,
                         .workspace = workspace,
                         .plan = plan,
                         .training_arm = -1,
                         .execution_arm = -1 };
    bool empty = false;
    int rc;

    *out = (struct enqueue_summary){ 0 };
    e.run_ids = calloc((size_t)plan->run_count, sizeof *e.run_ids);
    e.open_jobs = calloc((size_t)plan->run_count, sizeof *e.open_jobs);
    rc = e.run_ids == NULL || e.open_jobs == NULL
             ? error_no_memory(err, "the queueing of a plan")
             : 0;
    if (rc == 0 && plan->run_count >= MANY_RUNS)
        rc = queue_is_empty(store, &empty, err);
    if (rc == 0 && empty)
        store_leave_log(store);
    if (rc == 0)
        rc = store_begin(store, err);
    if (rc == 0) {
        rc = spec_file[0] != '\0' ? write_spec(&e, spec_file, err) : 0;
        if (rc == 0)
            rc = enqueue_all(&e, spec_file, err);
        if (rc == 0)
            rc = store_commit(store, err);
        if (rc < 0)
            store_rollback(store);
        else
            remove_old_spec(&e, spec_file);
    }
    store_start_log(store);
    free(e.experiment.spec_file);
    free(e.run_ids);
    free(e.open_jobs);
    return rc;
}

int enqueue_plan(struct enqueue_summary *out, struct store *store,
                 const struct workspace *workspace, const struct plan *plan, struct error *err)
{
    char *spec_file =
        format_string("specs/%s-%.*s.json", plan->spec->name, HASH_SHORT, plan->spec_hash);
    char *path = spec_file != NULL ? workspace_path(workspace, spec_file) : NULL;
    bool was_there = path != NULL && file_exists(path);
    int rc = path == NULL ? error_no_memory(err, "the queueing of a plan") : 0;
    char hash[HASH_HEX_SIZE];

    *out = (struct enqueue_summary){ 0 };
    for (int w = 0; w < plan->spec->weights_count && rc == 0; w++)
        rc = spec_import_weights(hash, workspace, plan->spec->weights[w].path, err);
    if (rc == 0)
        rc = enqueue_as(out, store, workspace, plan, spec_file, err);
    if (rc < 0 && path != NULL && out->vanishing > 0 && !was_there)
        unlink(path); /* nothing was queued */
    free(path);
    free(spec_file);
    return rc;
}

int enqueue_plan_as_new(struct enqueue_summary *out, struct store *store,
                        const struct workspace *workspace, struct plan *plan, struct error *err)
{
    char *name = strdup(plan->spec->name);
    int rc = name == NULL ? error_no_memory(err, "the queueing of a plan") : 0;

    *out = (struct enqueue_summary){ 0 };
    for (int number = 2; rc == 0; number++) {
        struct queue_known known;
        char hash[HASH_HEX_SIZE];

        rc = queue_find_experiment(store, &known, plan->spec->name, err);
        experiment_hash(hash, plan);
        free(known.spec_file);
        if (rc < 0 || known.id == 0 || strcmp(known.spec_hash, hash) == 0)
            break;
        char end[16];
        int room = SPEC_MAX_NAME - snprintf(end, sizeof end, "-%d", number);
        char *next = format_string("%.*s%s", room, name, end);
        rc = next == NULL ? error_no_memory(err, "the queueing of a plan")
                          : plan_rename(plan, next, err);
        free(next);
    }
    free(name);
    return rc < 0 ? rc : enqueue_plan(out, store, workspace, plan, err);
}

int enqueue_found(struct enqueue_summary *out, struct store *store,
                  const struct workspace *workspace, const struct plan *plan, struct error *err)
{
    return enqueue_as(out, store, workspace, plan, "", err);
}
