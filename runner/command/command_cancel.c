/* command_cancel.c - cancel and retry: requests to the runner. */
#include "database.h"
#include "error.h"
#include "executors.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "queue.h"
#include "record.h"
#include "retry_settings.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the attempt, so that its worker can be asked to stop. */
static int find_worker(struct executor_task **out, struct executor_set *executors,
                       const struct workspace *workspace, const struct record_attempt *attempt,
                       struct error *err)
{
    char *directory = workspace_path(workspace, attempt->directory);
    int rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : executor_set_adopt(executors, out, attempt->executor,
                                                    directory, attempt->place, err);

    free(directory);
    return rc;
}

/* Stops the workers of these jobs that a killed runner left running. The next runner
 * concludes their attempts. All are found before the first is told: they may share
 * what they run in. */
static int stop_workers(struct store *store, const struct workspace *workspace,
                        const int64_t *ids, int count, struct error *err)
{
    struct executor_set executors;
    struct record_attempt *attempts;
    int attempt_count, found = 0;
    int rc = record_open_attempts(store, &attempts, &attempt_count, err);

    if (rc < 0)
        return rc;
    struct executor_task **tasks = calloc((size_t)attempt_count + 1, sizeof *tasks);
    if (tasks == NULL)
        rc = error_no_memory(err, "a list of attempts");
    executor_set_init(&executors, EXECUTORS, &(struct executor_setup){ 0 });
    for (int a = 0; a < attempt_count && rc == 0; a++) {
        bool meant = false;
        for (int i = 0; i < count; i++)
            meant = meant || ids[i] == attempts[a].job_id;
        if (meant && attempts[a].place[0] != '\0')
            rc = find_worker(&tasks[found++], &executors, workspace, &attempts[a], err);
    }
    for (int i = 0; i < found && rc == 0; i++)
        tasks[i]->executor->type->signal(tasks[i], EXECUTOR_STOP);
    if (rc == 0)
        rc = executor_set_poll(&executors, err);
    executor_set_close(&executors); /* releases the tasks */
    free((void *)tasks);
    free(attempts);
    return rc;
}

/* Without a runner: executes the request at once while this process holds the lock. */
static int do_it(struct store *store, enum request_kind kind, const char *target,
                 const int64_t *ids, int count, const struct options *options,
                 struct error *err)
{
    bool cancel = kind == REQUEST_CANCEL;
    int rc = store_begin(store, err);

    if (rc == 0)
        rc = record_cancel_experiment(store, target, cancel, err);
    if (rc == 0)
        rc = retry_apply_settings(store, ids, count, options->sets, options->set_count, err);

    for (int i = 0; i < count && rc == 0; i++)
        rc = cancel
                 ? record_job_state(store, ids[i], JOB_CANCELLED, OUTCOME_CANCELLED, NULL, err)
                 : record_job_requeue(store, ids[i], err);
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    return rc;
}

/* With a runner: stores the request, which it reads within a second or so. */
static int ask_for_it(struct store *store, enum request_kind kind, const char *target,
                      const int64_t *ids, int count, const struct options *options,
                      struct error *err)
{
    int rc = store_begin(store, err);

    if (rc == 0)
        rc = retry_apply_settings(store, ids, count, options->sets, options->set_count, err);

    if (rc == 0)
        rc = queue_request(store, kind, target, err);
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    return rc;
}

/* ERROR_ABSENT: the target has no job for such a request, or does not exist. */
static int error_no_job(struct store *store, const char *target, enum request_kind kind,
                        struct error *err)
{
    int64_t *ids = NULL;
    int count = 0;
    int rc = record_find_jobs(store, &ids, &count, target, (1U << JOB_STATE_COUNT) - 1,
                              RECORD_ALL_JOBS, err);

    free(ids);
    if (rc < 0)
        return rc;
    if (count > 0)
        return error_set(err, ERROR_ABSENT, "%s: no job to %s: none of its %d jobs is %s",
                         target, request_kind_name(kind), count,
                         kind == REQUEST_CANCEL ? "queued or running"
                                                : "failed, cancelled or quarantined");
    return error_set(err, ERROR_ABSENT,
                     "%s: no such experiment or run; a target is an experiment's name, the "
                     "beginning of a run's hash (4 digits or more), or all",
                     target);
}

/* The beginning of a hash, where no experiment has that name, is that of one run. */
static int check_target(struct store *store, const char *target, struct error *err)
{
    char hash[65], directory[160];
    struct queue_known known;
    bool digits = strlen(target) >= 4 && target[strspn(target, "0123456789abcdef")] == '\0';
    int rc = digits ? queue_find_experiment(store, &known, target, err) : 0;

    if (rc < 0 || !digits)
        return rc;
    free(known.spec_file);
    if (known.id == 0)
        rc = status_find_run(store, target, hash, directory, err);
    return rc == ERROR_ABSENT ? 0 : rc; /* which is told with what targets there are */
}

static int request(const struct options *options, enum request_kind kind, unsigned states,
                   struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    char target[EXPERIMENT_NAME_SIZE];
    int64_t *ids = NULL;
    int64_t shared = 0;
    int count = 0;
    bool held = false, cancel = kind == REQUEST_CANCEL;
    char holder[WORKSPACE_HOLDER];
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = database_open(&store, &workspace, err);
    if (rc == 0)
        rc = experiment_name(store, target, options->arguments[0], err);
    if (rc == 0)
        rc = check_target(store, target, err);
    if (rc == 0) /* first: no other process changes states after this */
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, err);
    if (rc == 0)
        rc = record_find_jobs(store, &ids, &count, target, states,
                              cancel ? RECORD_UNSHARED_JOBS : RECORD_ALL_JOBS, err);
    if (rc == 0 && cancel)
        rc = record_count_shared_jobs(store, &shared, target, states, err);
    if (rc == 0 && count == 0 && shared == 0)
        rc = error_no_job(store, target, kind, err);
    if (rc == 0 && held && cancel)
        rc = stop_workers(store, &workspace, ids, count, err);
    if (rc == 0 && held)
        rc = do_it(store, kind, target, ids, count, options, err);
    else if (rc == 0)
        rc = ask_for_it(store, kind, target, ids, count, options, err);
    if (rc == 0)
        log_info("%s: %d job%s%s", cancel ? "cancelled" : "queued again", count,
                 count == 1 ? "" : "s", held ? "" : " (requested from the runner)");
    if (rc == 0 && shared > 0)
        log_info("%lld job%s: other experiments need %s too", (long long)shared,
                 shared == 1 ? " continues" : "s continue", shared == 1 ? "it" : "them");
    if (rc == 0 && held && !cancel)
        log_info("hrmlab work runs the queued jobs");
    free(ids);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_cancel(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return request(options, REQUEST_CANCEL, JOBS_OPEN, err);
}

int command_retry(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return request(options, REQUEST_RETRY, JOBS_TO_RETRY, err);
}
