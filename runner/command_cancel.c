/* command_cancel.c - cancel and retry: requests that the runner answers. */
#include "error.h"
#include "log.h"
#include "options.h"
#include "queue.h"
#include "record.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody works: does it at once. The lock is held. */
static int do_it(struct store *store, const char *kind, const int64_t *ids, int count,
                 struct error *err)
{
    bool cancel = strcmp(kind, "cancel") == 0;
    int rc = store_begin(store, err);

    for (int i = 0; i < count && rc == 0; i++)
        rc = cancel ? record_job_state(store, ids[i], "cancelled", "cancelled", NULL, err)
                    : record_job_retry(store, ids[i], false, 0.0, NULL, NULL, err);
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc < 0)
        store_rollback(store);
    return rc;
}

static int request(const struct options *options, const char *kind, const char *states,
                   struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    const char *target = options->arguments[0];
    int64_t *ids = NULL;
    int count = 0;
    bool held = false;
    char holder[128];
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_WRITE, err);
    if (rc == 0)
        rc = record_find_jobs(store, &ids, &count, target, states, err);
    if (rc == 0 && count == 0)
        rc = error_set(err, ERROR_ABSENT,
                       "%s: no job to %s; a target is an experiment's name, the beginning of a "
                       "run's hash (4 digits or more), or all",
                       target, kind);
    if (rc == 0)
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, err);
    if (rc == 0 && held)
        rc = do_it(store, kind, ids, count, err);
    else if (rc == 0)
        rc = queue_request(store, kind, target, err);
    if (rc == 0)
        log_info("%s: %d jobs%s", strcmp(kind, "cancel") == 0 ? "cancelled" : "queued again",
                 count, held ? "" : " (asked of the runner)");
    if (rc == 0 && held && strcmp(kind, "retry") == 0)
        log_info("hrmlab work works on the queue");
    free(ids);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}

int command_cancel(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return request(options, "cancel", "queued,starting,running", err);
}

int command_retry(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    return request(options, "retry", "failed,cancelled,quarantined", err);
}
