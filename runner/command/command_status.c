/* command_status.c - status: prints the progress of every experiment, and the jobs of
 * executors whose attempts run elsewhere. */
#include "error.h"
#include "executors.h"
#include "hash.h"
#include "live_load.h"
#include "log.h"
#include "options.h"
#include "query.h"
#include "record.h"
#include "status_query.h"
#include "store.h"
#include "workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jobs listed; of the others the number is told. */
enum { MOST_JOBS = 40 };

/* Opens workspace and database for reading. */
static int open_reader(struct workspace *workspace, struct store **store,
                       const struct options *options, struct error *err)
{
    int rc = workspace_find(workspace, options->workspace, err);

    *store = NULL;
    return rc < 0 ? rc : store_open(store, workspace->path, STORE_READ, err);
}

/* Says who does what is open, if no runner is running. */
static void mention_idle_queue(const struct live *live, const struct workspace *workspace)
{
    int elsewhere = live->elsewhere, queued = live->counts.queued;
    int alone = live->counts.running - elsewhere; /* of a runner that was killed */

    if (alone < 0) { /* some of those elsewhere are to be tried again */
        queued += alone;
        alone = 0;
    }
    if (live->runner[0] != '\0')
        return;
    if (elsewhere > 0)
        log_info("%d job%s with Slurm and no runner is running; hrmlab sync --workspace %s "
                 "records what %s done",
                 elsewhere, elsewhere == 1 ? " is" : "s are", workspace->path,
                 elsewhere == 1 ? "it has" : "they have");
    if (alone > 0)
        log_info("%d job%s left by a runner that has ended; hrmlab work --workspace %s takes "
                 "%s over",
                 alone, alone == 1 ? " was" : "s were", workspace->path,
                 alone == 1 ? "it" : "them");
    if (queued > 0)
        log_info("%d job%s queued and no runner is running; hrmlab work --workspace %s runs "
                 "%s",
                 queued, queued == 1 ? " is" : "s are", workspace->path,
                 queued == 1 ? "it" : "them");
}

/* Divergence is a result, and counts as done. */
static void mention_diverged(const struct live *live)
{
    if (live->diverged > 0)
        log_warning("%d of the %d jobs done ha%s diverged", live->diverged, live->counts.done,
                    live->diverged == 1 ? "s" : "ve");
}

/* ---- jobs elsewhere ---- */

static void put_job(struct table *table, const struct record_attempt *attempt,
                    const struct executor_task *task)
{
    static const char *const states[] = { [EXECUTOR_PREPARED] = "not submitted",
                                          [EXECUTOR_PENDING] = "pending",
                                          [EXECUTOR_RUNNING] = "running",
                                          [EXECUTOR_GONE] = "ended" };
    const char *hash = strchr(attempt->directory, '/');
    char run[HASH_SHORT + 1];

    snprintf(run, sizeof run, "%s", hash != NULL ? hash + 1 : "");
    table_row(table);
    table_text(table, run);
    table_int(table, attempt->number);
    table_text(table, task->name);
    table_text(table,
               task->cause != OUTCOME_NONE ? outcome_name(task->cause) : states[task->state]);
    table_text(table, task->host);
}

/* Asks the executors about the attempts that are open, of those jobs. *left: how many
 * more there are than the table lists. */
static int fill_jobs(struct table *table, int *left, struct store *store,
                     const struct workspace *workspace, const int64_t *ids, int id_count,
                     struct error *err)
{
    struct executor_set executors;
    struct record_attempt *attempts = NULL;
    int count = 0;
    int rc = record_open_attempts(store, &attempts, &count, err);

    *left = 0;
    executor_set_init(&executors, EXECUTORS, &(struct executor_setup){ .looks_on = true });
    for (int i = 0; i < count && rc == 0; i++) {
        struct executor_task *task = NULL;
        bool meant = false;

        for (int k = 0; k < id_count; k++)
            meant = meant || ids[k] == attempts[i].job_id;
        if (!meant || !executor_is_detached(attempts[i].executor) ||
            attempts[i].place[0] == '\0')
            continue;
        if (table_row_count(table) == MOST_JOBS) {
            ++*left;
            continue;
        }
        char *directory = workspace_path(workspace, attempts[i].directory);
        rc = directory == NULL ? error_no_memory(err, "a path")
                               : executor_set_adopt(&executors, &task, attempts[i].executor,
                                                    directory, attempts[i].place, err);
        if (rc == 0)
            put_job(table, &attempts[i], task);
        free(directory);
    }
    executor_set_close(&executors);
    free(attempts);
    return rc;
}

/* Prints the open jobs that run elsewhere, for people. */
static int print_jobs(struct store *store, const struct workspace *workspace,
                      const char *experiment, const struct options *options, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "run", .type = TABLE_TEXT },   { .name = "attempt", .type = TABLE_INT },
        { .name = "job", .type = TABLE_TEXT },   { .name = "state", .type = TABLE_TEXT },
        { .name = "where", .type = TABLE_TEXT },
    };
    struct table *table = NULL;
    struct error why = { 0 };
    int64_t *ids = NULL;
    int count = 0, left = 0;
    int rc = table_create(&table, columns, sizeof columns / sizeof *columns, err);

    if (rc == 0)
        rc = record_find_jobs(store, &ids, &count, experiment != NULL ? experiment : "all",
                              JOBS_OPEN, RECORD_ALL_JOBS, err);
    int known = rc == 0 ? fill_jobs(table, &left, store, workspace, ids, count, &why) : 0;
    if (known == ERROR_NOMEM)
        rc = error_set(err, ERROR_NOMEM, "%s", why.message);
    else if (known < 0)
        log_warning("the states of jobs are not known: %s", why.message);
    if (rc == 0 && !table_is_empty(table)) {
        putchar('\n');
        rc = table_print(table, stdout, options->format, options_color(options), err);
    }
    if (rc == 0 && left > 0)
        log_info("and %d more job%s", left, left == 1 ? "" : "s");
    free(ids);
    table_destroy(table);
    return rc;
}

/* All of it at one moment. */
static int load_live(struct live_source *source, struct store *store, struct error *err)
{
    int rc = store_begin(store, err);

    if (rc == 0)
        rc = live_load(source, err);
    store_rollback(store); /* nothing was written */
    return rc;
}

/* The rate is that of the trainings at work, as in watch: those that are done may have
 * been of another size, or beside others. */
static int print_status(struct store *store, const struct workspace *workspace,
                        const char *experiment, const struct options *options,
                        struct error *err)
{
    struct live_source *source = calloc(1, sizeof *source);
    struct table *table = NULL;

    if (source == NULL)
        return error_no_memory(err, "the status");
    *source = (struct live_source){ .workspace = workspace, .store = store };
    source->live.experiment = experiment;
    int rc = load_live(source, store, err);
    if (rc == 0)
        rc = status_table(store, &table, experiment, live_worker_rate(&source->live), err);
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    if (rc == 0 && options->format == FORMAT_TABLE)
        rc = print_jobs(store, workspace, experiment, options, err);
    if (rc == 0) {
        mention_diverged(&source->live);
        mention_idle_queue(&source->live, workspace);
    }
    table_destroy(table);
    live_source_release(source);
    free(source);
    return rc;
}

int command_status(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct store *store = NULL;
    char name[EXPERIMENT_NAME_SIZE];
    const char *experiment = options->argument_count > 0 ? name : NULL;
    int rc = open_reader(&workspace, &store, options, err);

    (void)exit_code;
    if (rc == 0 && experiment != NULL)
        rc = experiment_name(store, name, options->arguments[0], err);
    if (rc == 0)
        rc = print_status(store, &workspace, experiment, options, err);
    store_close(store);
    workspace_close(&workspace);
    return rc;
}
