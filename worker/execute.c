/* execute.c - runs a job: data, engine, training or evaluation, and how it ended. */
#include "execute.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "batches.h"
#include "blas_environment.h"
#include "checkpoint.h"
#include "clock.h"
#include "data_set.h"
#include "engine_setup.h"
#include "error.h"
#include "evaluate.h"
#include "file.h"
#include "job.h"
#include "job_state.h"
#include "keeper.h"
#include "log.h"
#include "pool.h"
#include "provenance.h"
#include "rank_service.h"
#include "report.h"
#include "sandbox.h"
#include "shape.h"
#include "train.h"
#include "work.h"

/* One execution. It owns its members unless marked borrowed. */
struct execution {
    const struct execute_request *request; /* borrowed */
    struct report report;
    struct sandbox sandbox; /* which restrictions are in force */
    struct job job;
    struct data_set *set;
    struct batches *batches; /* NULL in an evaluate job */
    struct engine *engine;
    struct engine_config config;
    int64_t total_steps;
    bool serving; /* the other ranks serve */
    bool data_changed;
    bool checkpoint_damaged; /* the checkpoint to evaluate is damaged or missing */
    struct train_end end;
};

/* Adds to the fault of data that are not there how a job gets their new place. */
static void mention_moved_data(const struct job *job, struct error *err)
{
    const char *path = config_text(&job->config, DATA_PATH);
    char message[sizeof err->message];

    if (path[0] != '/' || file_exists(path))
        return;
    memcpy(message, err->message, sizeof message);
    error_ignore(error_set(err, err->code,
                           "%s; if it was moved: hrmlab retry RUN --set data.path=PLACE",
                           message));
}

static int load_data(struct execution *execution, struct error *err)
{
    const struct job *job = &execution->job;
    int rc = data_set_open(&execution->set, &job->config, true, err);

    if (rc == ERROR_FORMAT || rc == ERROR_ABSENT)
        mention_moved_data(job, err);

    if (rc == 0 && strcmp(data_set_hash(execution->set), job->data_hash) != 0) {
        execution->data_changed = true;
        rc = error_set(err, ERROR_FORMAT,
                       "the data of %s are not those that the job was queued with (content "
                       "%.12s... now, %.12s... then); put the former files back and `hrmlab "
                       "retry`, or queue the spec again, which makes new runs of the data as "
                       "they are",
                       config_text(&job->config, DATA_PATH), data_set_hash(execution->set),
                       job->data_hash);
    }
    for (int i = 0; i < job->evaluation_count && rc == 0; i++)
        if (job->evaluations[i].train_split)
            rc = data_set_check_train_rows(execution->set, err);
    return rc;
}

static int create_engine(struct execution *execution, struct error *err)
{
    const struct job *job = &execution->job;
    const struct data_info *info = data_set_info(execution->set);
    struct engine_setup_data sizes = { .seq_len = info->seq_len,
                                       .vocab_size = info->vocab_size,
                                       .num_puzzle_identifiers = config_puzzle_ids(
                                           &job->config, info->num_puzzle_identifiers) };
    int rc = 0;

    if (job->kind == JOB_TRAIN) {
        rc = batches_create(&execution->batches, execution->set, &job->config, err);
        if (rc == 0)
            execution->total_steps = batches_total_steps(execution->batches);
    } else {
        execution->total_steps =
            batches_count_steps(&job->config, info->groups, info->mean_puzzle_examples);
    }
    if (rc < 0)
        return rc;
    if (execution->total_steps < 1 && config_trains(&job->config))
        return error_set(err, ERROR_FORMAT, "the settings give no training step");
    work_set_step(0, execution->total_steps);
    sizes.total_steps = execution->total_steps;
    engine_setup(&execution->config, &job->config, &sizes, job->kind == JOB_EVALUATE);
    execution->config.exchange = execution->request->exchange;
    /* as many as there are; of a job that asks for more, one has the same bits */
    if (execution->config.exchange != NULL)
        execution->config.ranks = execution->config.exchange->count;
    rc = engine_create(&execution->engine, &execution->config, err);
    if (rc == 0)
        engine_set_watch(execution->engine, work_watch, NULL);
    return rc;
}

/* Adds the members that describe the data; false when out of memory. */
static bool add_data(cJSON *body, const struct data_info *info)
{
    cJSON *data = cJSON_AddObjectToObject(body, "data");

    return cJSON_AddStringToObject(data, "source", info->source) != NULL &&
           cJSON_AddNumberToObject(data, "tasks_training", info->tasks_training) != NULL &&
           cJSON_AddNumberToObject(data, "tasks_evaluation", info->tasks_evaluation) != NULL &&
           cJSON_AddNumberToObject(data, "left_out", info->left_out) != NULL &&
           cJSON_AddNumberToObject(data, "groups", info->groups) != NULL &&
           cJSON_AddNumberToObject(data, "puzzles", info->puzzles) != NULL &&
           cJSON_AddNumberToObject(data, "examples", info->examples) != NULL &&
           cJSON_AddNumberToObject(data, "test_rows", info->test_rows) != NULL;
}

static int say_begin(struct execution *execution, struct error *err)
{
    const struct job *job = &execution->job;
    const struct data_info *info = data_set_info(execution->set);
    int64_t parameters = 0, puzzle_parameters = 0;
    cJSON *body = cJSON_CreateObject();
    cJSON *provenance = provenance_create(execution->request->environment, &execution->sandbox);
    struct shape shape;

    engine_count_parameters(execution->engine, &parameters, &puzzle_parameters);
    shape_compute(&shape, &job->config, info->seq_len, info->vocab_size,
                  config_puzzle_ids(&job->config, info->num_puzzle_identifiers));
    const char *kind = job->kind == JOB_TRAIN ? "train" : "evaluate";
    double steps = (double)execution->total_steps;
    bool whole =
        cJSON_AddStringToObject(body, "run_hash", job->run_hash) != NULL &&
        cJSON_AddNumberToObject(body, "attempt", job->attempt) != NULL &&
        cJSON_AddStringToObject(body, "kind", kind) != NULL &&
        cJSON_AddNumberToObject(body, "worker_pid", (double)getpid()) != NULL &&
        cJSON_AddNumberToObject(body, "total_steps", steps) != NULL &&
        cJSON_AddNumberToObject(body, "parameters", (double)parameters) != NULL &&
        cJSON_AddNumberToObject(body, "puzzle_parameters", (double)puzzle_parameters) != NULL &&
        cJSON_AddNumberToObject(body, "train_flops", shape.train_step_flops * steps) != NULL;
    if (!whole || !add_data(body, info) || provenance == NULL ||
        !cJSON_AddItemToObject(body, "provenance", provenance)) {
        cJSON_Delete(provenance);
        cJSON_Delete(body);
        body = NULL;
    }
    return report_event(&execution->report, "begin", body, true, err);
}

static int train_job(struct execution *execution, struct error *err)
{
    const struct train_context context = {
        .job = &execution->job,
        .engine = execution->engine,
        .config = &execution->config,
        .set = execution->set,
        .batches = execution->batches,
        .report = &execution->report,
    };

    int rc = train_run(&context, &execution->end, err);
    execution->checkpoint_damaged = rc < 0 && execution->end.base_damaged;
    return rc;
}

/* Whether the training was evaluated before its end, as far as its settings tell. */
static bool has_interim(const struct config *config)
{
    int64_t interval = config_int(config, TRAIN_EVAL_INTERVAL);

    return interval > 0 && (config_int(config, TRAIN_MAX_STEPS) > 0 ||
                            config_int(config, TRAIN_EPOCHS) > interval);
}

/* Votes over several evaluations need the predictions that a training keeps where it
 * is asked for them. *lost: why they are missing; code 0: they are not. */
static int open_pool(struct pool *pool, struct error *lost, const struct job *job, int64_t step,
                     struct error *err)
{
    int rc = pool_open(pool, job, step, err);

    if (rc == 0 && pool->count == 0 && pool->damaged_count == 0 && has_interim(&job->config))
        error_ignore(error_set(
            lost, ERROR_FORMAT,
            "eval.pool_checkpoints: no predictions of this training's interim evaluations are "
            "kept: gc deletes them, eval.keep_predictions may leave them out; queue it under "
            "other settings, such as another train.seed, to train it with the pool"));
    return rc;
}

static int evaluate_job(struct execution *execution, struct error *err)
{
    const struct job *job = &execution->job;
    char *path = job_run_path(job, job->checkpoint);
    char *submission = job_own_path(job, "submission.json");
    struct checkpoint_facts facts = { 0 };
    struct pool pool = { 0 };
    struct error lost = { 0 };
    int rc = 0;

    if (path == NULL || submission == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for a path");
    if (rc == 0)
        rc = checkpoint_load(&facts, execution->engine, path, job->run_hash, CHECKPOINT_WEIGHTS,
                             err);
    execution->checkpoint_damaged = rc == ERROR_DAMAGED || rc == ERROR_ABSENT;
    if (rc == 0) {
        execution->end.step = facts.step;
        memcpy(execution->end.weights_hash, facts.weights_hash, sizeof facts.weights_hash);
        rc = baseline_say(job, execution->set, &execution->report, err);
    }
    if (rc == 0)
        rc = open_pool(&pool, &lost, job, facts.step, err);
    if (rc == 0) {
        const struct evaluate_context context = {
            .engine = execution->engine,
            .config = &execution->config,
            .set = execution->set,
            .report = &execution->report,
            .step = facts.step,
            .total_steps = execution->total_steps,
            .checkpoint = "last",
            .outcomes = true,
            .submission_path = submission,
            .pool = &pool,
            .lost_history = &lost,
            .settings = &job->config,
            .weights_hash = facts.weights_hash,
            .from_kept = strcmp(config_choice(&job->config, EVAL_ANSWERS), "kept") == 0,
        };

        rc = evaluate_run(&context, job->evaluations, job->evaluation_count, NULL, err);
    }
    pool_close(&pool);
    checkpoint_facts_release(&facts);
    free(submission);
    free(path);
    return rc;
}

/* A launcher of another MPI starts processes that do not know of each other. Each would
 * be rank 0, alone. */
static int check_launcher(const struct execution *execution, struct error *err)
{
    const struct exchange *exchange = execution->request->exchange;
    int64_t ranks = config_int(&execution->job.config, RESOURCES_RANKS);

    if (exchange == NULL || exchange->count > 1 || ranks == 1)
        return 0;
    return error_set(err, ERROR_ENVIRONMENT,
                     "resources.ranks is %d, but MPI knows of one process: the launcher is not "
                     "of the MPI that this hrmlab-worker is built with; HRMLAB_LAUNCHER names "
                     "another (mpirun, or \"srun --mpi=pmix\" for Open MPI)",
                     (int)ranks);
}

/* Sets the limits of this process, and of the other ranks', which then serve. */
static int limit_process(struct execution *execution, struct error *err)
{
    const struct exchange *exchange = execution->request->exchange;
    const struct job *job = &execution->job;

    rank_begin_service(exchange, job);
    execution->serving = true;
    return rank_limit_process(exchange, job->cpus, job->cpu_count,
                              config_real(&job->config, RESOURCES_MEMORY_GB),
                              (int)config_int(&job->config, RESOURCES_THREADS), err);
}

/* Called before anything else, so that all threads of libraries and all readers of
 * data are confined. */
static void enter_sandbox(struct execution *execution)
{
    const char *directory = execution->request->directory;
    char words[SANDBOX_WORDS];

    if (execution->request->exchange != NULL)
        sandbox_enter_rank(&execution->sandbox, directory);
    else
        sandbox_enter(&execution->sandbox, directory);
    sandbox_describe(words, sizeof words, &execution->sandbox);
    if (!sandbox_is_whole(&execution->sandbox))
        log_warning("the sandbox is incomplete here: %s", words);
}

static int work(struct execution *execution, struct error *err)
{
    const char *directory = execution->request->directory;
    int rc;

    enter_sandbox(execution);
    work_open(&execution->report, directory);
    rc = work_done(1, err);
    if (rc == 0)
        rc = engine_setup_environment(err);
    if (rc == 0)
        rc = job_read(&execution->job, directory, err);
    if (rc == 0)
        rc = check_launcher(execution, err);
    if (rc == 0)
        rc = limit_process(execution, err);
    if (rc == 0)
        rc = load_data(execution, err);
    if (rc == 0)
        rc = create_engine(execution, err);
    if (rc == 0)
        rc = say_begin(execution, err);
    if (rc < 0)
        return rc;
    return execution->job.kind == JOB_TRAIN ? train_job(execution, err)
                                            : evaluate_job(execution, err);
}

/* The outcome of a failure: it names the error event and gives the exit code. */
static enum outcome classify(enum error_code code, const struct execution *execution)
{
    if (execution->data_changed)
        return OUTCOME_DATA_CHANGED;
    if (execution->checkpoint_damaged)
        return OUTCOME_CHECKPOINT_DAMAGED;
    switch (code) {
    case ERROR_FORMAT:
    case ERROR_ABSENT:
    case ERROR_DAMAGED:
        return OUTCOME_BAD_JOB;
    case ERROR_NOMEM:
        return OUTCOME_OUT_OF_MEMORY;
    case ERROR_NOSPACE:
        return OUTCOME_DISK_FULL;
    case ERROR_STOPPED:
        return OUTCOME_STOPPED;
    case ERROR_IO:
    case ERROR_DATABASE:
    case ERROR_BUSY:
    case ERROR_SPAWN:
    case ERROR_ENVIRONMENT:
        break;
    }
    return OUTCOME_ENVIRONMENT;
}

/* Replaces the message of a failed allocation by one that names the memory limit, if
 * there is one. */
static void name_memory_limit(struct error *out, const struct execution *execution,
                              const struct error *failure)
{
    double limit_gb = config_real(&execution->job.config, RESOURCES_MEMORY_GB);

    *out = *failure;
    if (failure->code == ERROR_NOMEM && limit_gb > 0.0)
        (void)error_set(out, ERROR_NOMEM,
                        "the limit of %.4g GiB (resources.memory_gb) is too low; raise it with "
                        "hrmlab retry RUN --set resources.memory_gb=GIB, 0 for none: %.300s",
                        limit_gb, failure->message);
}

/* Writes the events error (after a failure) and end. If the journal cannot be written,
 * logs them. */
static int conclude(struct execution *execution, int rc, const struct error *fault,
                    double seconds)
{
    struct report_end end = {
        .status = OUTCOME_DONE,
        .step = execution->end.step,
        .weights_hash =
            execution->end.weights_hash[0] != '\0' ? execution->end.weights_hash : NULL,
        .seconds = seconds,
        .train_seconds = execution->end.train_seconds,
        .evaluation_seconds = execution->end.evaluation_seconds,
    };
    enum outcome outcome = OUTCOME_DONE;
    struct error err = { 0 }, named = { 0 };
    const struct error *failure = &named;
    int said = 0;

    name_memory_limit(&named, execution, fault);
    if (rc < 0) {
        outcome = classify(failure->code, execution);
        if (outcome == OUTCOME_STOPPED) {
            end.message = failure->message;
            log_info("%s", failure->message);
        } else {
            log_error("%s: %s", outcome_name(outcome), failure->message);
            said = report_error(&execution->report, outcome, failure->message, &err);
        }
        end.status = outcome == OUTCOME_STOPPED ? OUTCOME_STOPPED : OUTCOME_FAILED;
    } else if (execution->end.diverged) {
        outcome = end.status = OUTCOME_DIVERGED;
        end.weights_hash = NULL;
        log_warning("the loss is not finite at step %lld", (long long)execution->end.step);
    }
    if (said == 0)
        said = report_end(&execution->report, &end, &err);
    if (said < 0)
        log_error("%s", err.message);
    /* Without an end event the exit code must not be that of a completed job. */
    if (said < 0 && rc >= 0)
        outcome = classify(err.code, execution);
    return outcome_exit_code(outcome);
}

int execute_job(void *request)
{
    struct execution execution = { .request = request };
    struct error err = { 0 };
    double started = clock_monotonic_s();
    char *path = NULL;
    int rc, code;

    path = format_string("%s/journal.jsonl", execution.request->directory);
    rc = path != NULL ? report_open(&execution.report, path, &err)
                      : error_set(&err, ERROR_NOMEM, "out of memory for a path");
    if (rc < 0) {
        log_error("%s", err.message);
        rank_end_service(execution.request->exchange, false);
        free(path);
        return outcome_exit_code(classify(err.code, &execution));
    }
    rc = work(&execution, &err);
    code = conclude(&execution, rc, &err, clock_monotonic_s() - started);
    work_open(NULL, NULL);
    report_close(&execution.report);
    engine_destroy(execution.engine);
    rank_end_service(execution.request->exchange, execution.serving);
    batches_destroy(execution.batches);
    data_set_close(execution.set);
    job_release(&execution.job);
    free(path);
    return code;
}
