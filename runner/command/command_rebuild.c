/*
 * command_rebuild.c - rebuild: a new database from the specs and journals of the
 * workspace.
 *
 * Each spec is planned and queued as before; runs that no spec contains any more are
 * queued from their job.json. Then every attempt on disk is recorded and concluded
 * again, in order, from its journal and exit.json, by the code that the runner's loop
 * uses. Jobs that turn out not to be done stay queued, and everything left out is
 * named. The old database stays in use until the new one is complete, and is then
 * renamed, not removed.
 */
#include "enqueue.h"
#include "error.h"
#include "executors.h"
#include "exit_code.h"
#include "file.h"
#include "hash.h"
#include "journal.h"
#include "json.h"
#include "log.h"
#include "mark_file.h"
#include "names.h"
#include "options.h"
#include "plan.h"
#include "queue.h"
#include "rebuild_disk.h"
#include "removed_mark.h"
#include "replay.h"
#include "store.h"
#include "store_presence.h"
#include "store_replace.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rebuild {
    struct replay *replay;
    struct workspace *workspace;
    struct store *store;
    struct disk disk; /* runs as described by their job.json */
    int specs, specs_failed, attempts, attempts_failed, alive;
};

/* ---- specs ---- */

/* Checks a spec's file against its name, NAME-HASH12.json with a hash of its
 * content: an edited file leads to other runs. */
static int check_content(const char *path, struct error *err)
{
    char hash[HASH_HEX_SIZE], *text;
    size_t size, length = strlen(path), end = HASH_SHORT + strlen(".json");
    int rc = file_read(&text, &size, path, JSON_SPEC_LIMIT, err);

    if (rc < 0)
        return rc;
    hash_hex(hash, text, size);
    free(text);
    if (length < end || strncmp(path + length - end, hash, HASH_SHORT) != 0)
        return error_set(err, ERROR_DAMAGED,
                         "%s: its content is not what was queued (SHA-256 %.*s..., not as its "
                         "name says); its runs are taken from their job.json",
                         path, HASH_SHORT, hash);
    return 0;
}

/* Plans a spec and restores what it led to when it was queued, even if its data or
 * the engine have changed since. */
static int plan_spec(struct plan **out, const struct rebuild *r, const struct options *options,
                     const char *path, struct error *err)
{
    struct spec *spec;
    int adjusted = 0;
    int rc = check_content(path, err);

    *out = NULL;
    if (rc == 0)
        rc = spec_read(&spec, path, NULL, NULL, 0, err);
    if (rc == 0)
        rc = plan_create(out, spec, options->worker_program, options->workspace, err);
    if (rc == 0)
        rc = disk_adjust_plan(&r->disk, &adjusted, *out, err);
    if (rc == 0 && adjusted > 0)
        log_warning("%s: %d of %d runs used other data, or another engine, than exist "
                    "now; they are restored as they were",
                    path, adjusted, (*out)->run_count);
    return rc;
}

/* Whether the spec or its data are at fault, so that other specs can still be read. */
static bool is_fault_of_spec(int rc)
{
    return rc == ERROR_FORMAT || rc == ERROR_ABSENT || rc == ERROR_DAMAGED;
}

static int queue_spec(struct rebuild *r, const struct options *options, const char *path,
                      struct error *err)
{
    struct plan *plan;
    struct enqueue_summary summary = { 0 };
    struct error fault = { 0 };
    int rc = plan_spec(&plan, r, options, path, &fault);
    bool faulty = is_fault_of_spec(rc);

    if (rc == 0) {
        rc = enqueue_plan(&summary, r->store, r->workspace, plan, &fault);
        /* two specs of one name, from before version 3 */
        if (rc < 0 && summary.vanishing > 0)
            rc = enqueue_plan_as_new(&summary, r->store, r->workspace, plan, &fault);
    }
    plan_destroy(plan);
    r->specs++;
    r->specs_failed += faulty;
    if (faulty)
        log_warning("left out: %s", fault.message);
    return rc < 0 && !faulty ? error_set(err, fault.code, "%s", fault.message) : 0;
}

/* Appends a number to the plan's name while a spec has that name. */
static int find_free_name(struct plan *plan, struct store *store, struct error *err)
{
    char *name = strdup(plan->spec->name);
    int rc = name == NULL ? error_no_memory(err, "a name") : 0;

    for (int number = 2; rc == 0; number++) {
        struct queue_known known;

        rc = queue_find_experiment(store, &known, plan->spec->name, err);
        free(known.spec_file);
        if (rc < 0 || known.id == 0)
            break;
        free(plan->spec->name);
        plan->spec->name = format_string("%s-%d", name, number);
        if (plan->spec->name == NULL)
            rc = error_no_memory(err, "a name");
    }
    free(name);
    return rc;
}

/* Queues runs, and evaluations of runs, whose specs no longer exist or have changed. */
static int queue_rest(struct rebuild *r, struct error *err)
{
    struct plan *plan;
    struct enqueue_summary summary = { 0 };
    int rc = disk_plan_rest(&plan, &r->disk, r->store, err);

    if (rc < 0 || plan == NULL)
        return rc;
    rc = find_free_name(plan, r->store, err);
    if (rc == 0)
        rc = enqueue_found(&summary, r->store, r->workspace, plan, err);
    if (rc == 0)
        log_warning("%d run%s to no spec: see the experiment %s", plan->run_count,
                    plan->run_count == 1 ? " belongs" : "s belong", plan->spec->name);
    plan_destroy(plan);
    return rc;
}

struct dated {
    char *name;
    struct timespec time;
};

static int compare_dated(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;

    if (x->time.tv_sec != y->time.tv_sec)
        return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
    if (x->time.tv_nsec != y->time.tv_nsec)
        return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sorts by time, oldest first, so that of two specs with one name the newer one
 * counts. */
static int sort_by_time(struct names *names, const char *directory, struct error *err)
{
    struct dated *list = calloc((size_t)names->count + 1, sizeof *list);
    int rc = list == NULL ? error_no_memory(err, "a list of specs") : 0;

    for (int i = 0; i < names->count && rc == 0; i++) {
        char *path = file_join(directory, names->items[i]);
        struct stat status;

        list[i].name = names->items[i];
        if (path == NULL)
            rc = error_no_memory(err, "a list of specs");
        else if (stat(path, &status) == 0)
            list[i].time = status.st_mtim;
        free(path);
    }
    if (rc == 0) {
        qsort(list, (size_t)names->count, sizeof *list, compare_dated);
        for (int i = 0; i < names->count; i++)
            names->items[i] = list[i].name;
    }
    free(list);
    return rc;
}

static int queue_specs(struct rebuild *r, const struct options *options, struct error *err)
{
    char *directory = workspace_path(r->workspace, "specs");
    struct names names = { 0 };
    int rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : names_read(&names, directory, err);

    if (rc == 0)
        rc = sort_by_time(&names, directory, err);
    for (int i = 0; i < names.count && rc == 0; i++) {
        const char *dot = strrchr(names.items[i], '.');
        if (dot == NULL || strcmp(dot, ".json") != 0)
            continue;
        char *path = file_join(directory, names.items[i]);
        rc = path == NULL ? error_no_memory(err, "a path") : queue_spec(r, options, path, err);
        free(path);
    }
    names_release(&names);
    free(directory);
    return rc;
}

/* ---- attempts ---- */

/* Queues another job of the kind in the attempt's job.json, because an earlier
 * attempt has ended its job already. */
static int add_job(struct rebuild *r, int64_t run_id, bool evaluate, const cJSON *job_json,
                   struct error *err)
{
    int64_t job = 0;
    int rc = store_begin(r->store, err);

    if (rc < 0)
        return rc;
    rc = queue_job_like(r->store, &job, run_id, evaluate, err);
    const cJSON *list = json_member(job_json, "evaluations");
    struct queue_missing *missing = NULL;
    int count = 0;
    if (rc == 0 && (list != NULL || evaluate))
        rc = queue_missing_evaluations(r->store, &missing, &count, run_id, err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = queue_job_evaluation(r->store, job, missing[i].evaluation_id, err);
    if (count > 0)
        queue_free_missing(missing, count);
    if (rc == 0)
        rc = store_commit(r->store, err);
    if (rc < 0)
        store_rollback(r->store);
    return rc;
}

/* Reads the kind from the journal's first line ("evaluate", or else "train"), and
 * the size of its beginning. The only error is ERROR_NOMEM. */
static int read_kind(bool *evaluate, size_t *size, const char *path, struct error *err)
{
    enum journal_status status = JOURNAL_PARTIAL;
    struct journal_event event;
    struct error why;
    char *data = malloc(JOURNAL_MAX_LINE);
    int fd = data != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    ssize_t length = fd >= 0 ? read(fd, data, JOURNAL_MAX_LINE) : 0;
    size_t used;

    *evaluate = false;
    *size = length > 0 ? (size_t)length : 0;
    if (*size > 0)
        status = journal_next(&event, &used, data, *size, 0, &why);
    if (status == JOURNAL_EVENT) {
        const cJSON *kind = json_member(event.body, "kind");
        *evaluate = cJSON_IsString(kind) && strcmp(kind->valuestring, "evaluate") == 0;
        cJSON_Delete(event.body);
    }
    if (fd >= 0)
        close(fd);
    int rc = data == NULL || status == JOURNAL_FAILED ? error_no_memory(err, "a journal") : 0;
    free(data);
    return rc;
}

/* An attempt found on disk. */
struct found {
    char *directory; /* owned */
    cJSON *job;      /* owned; NULL: cannot be read; why has the reason */
    struct error why;
    bool evaluate, begun; /* begun: its journal is not empty */
};

static void found_release(struct found *found)
{
    free(found->directory);
    cJSON_Delete(found->job);
}

/* Determines the kind of an attempt from job.json or, failing that, from its
 * journal. */
static int look_at(struct found *out, const struct rebuild *r, const char *hash, int number,
                   struct error *err)
{
    size_t size = 0;
    const char *kind = NULL;

    *out = (struct found){ .directory = format_string("%s/runs/%s/attempts/%d",
                                                      r->workspace->path, hash, number) };
    char *job = out->directory != NULL ? file_join(out->directory, "job.json") : NULL;
    char *journal = out->directory != NULL ? file_join(out->directory, "journal.jsonl") : NULL;
    int rc = job == NULL || journal == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for a path")
                 : 0;
    if (rc == 0)
        rc = read_kind(&out->evaluate, &size, journal, err);
    if (rc == 0) {
        out->begun = size > 0;
        int read = json_read_file(&out->job, job, JSON_JOB_LIMIT, &out->why);
        if (read == ERROR_NOMEM)
            rc = error_no_memory(err, "the runs on disk");
        else if (read < 0)
            out->job = NULL;
        else if (json_get_string(&kind, out->job, "kind", job, &out->why) == 0)
            out->evaluate = strcmp(kind, "evaluate") == 0;
    }
    free(job);
    free(journal);
    return rc;
}

/* Replays an attempt of a run that is in the store, for its job. */
static int replay_found(struct rebuild *r, const struct found *found, int64_t run_id,
                        const char *hash, int number, struct error *err)
{
    struct record_job *job = NULL;
    int jobs = 0;
    int rc = record_find_job(r->store, &job, &jobs, hash, found->evaluate, err);

    if (rc == 0 && jobs == 0) {
        rc = add_job(r, run_id, found->evaluate, found->job, err);
        if (rc == 0)
            rc = record_find_job(r->store, &job, &jobs, hash, found->evaluate, err);
    }
    bool alive = false;
    if (rc == 0 && jobs > 0)
        rc = replay_attempt(r->replay, job, number, &alive, err);
    r->alive += alive; /* hrmlab work will adopt it */
    record_free_jobs(job, jobs);
    r->attempts++;
    return rc;
}

/* Names an attempt whose run is not in the store, unless remove has marked the run. */
static int leave_out(struct rebuild *r, const struct found *found, const char *hash,
                     struct error *err)
{
    bool removed;
    int rc = removed_mark_find(&removed, r->workspace, hash, err);

    if (rc < 0 || removed)
        return rc;
    log_warning("left out: %s: no spec has its run, and its job.json does not describe it%s%s",
                found->directory, found->job == NULL ? ": " : "",
                found->job == NULL ? found->why.message : "");
    r->attempts_failed++;
    return 0;
}

static int replay_directory(struct rebuild *r, const char *hash, int number, struct error *err)
{
    struct queue_state state = { 0 };
    struct found found;
    int rc = look_at(&found, r, hash, number, err);

    if (rc == 0 && (found.job != NULL || found.begun)) {
        rc = queue_state(r->store, &state, hash, err);
        if (rc == 0 && state.run_id != 0) {
            rc = replay_found(r, &found, state.run_id, hash, number, err);
        } else if (rc == 0) {
            rc = leave_out(r, &found, hash, err);
        }
    } /* otherwise it cannot have begun */
    found_release(&found);
    return rc;
}

static int replay_run(struct rebuild *r, const char *hash, struct error *err)
{
    char *directory = format_string("%s/runs/%s/attempts", r->workspace->path, hash);
    struct names names = { 0 };
    int rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : names_read(&names, directory, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        char *end;
        long number = strtol(names.items[i], &end, 10);
        if (*end == '\0' && number >= 1 && number < 1000000)
            rc = replay_directory(r, hash, (int)number, err);
    }
    names_release(&names);
    free(directory);
    return rc;
}

static int replay_runs(struct rebuild *r, struct error *err)
{
    char *directory = workspace_path(r->workspace, "runs");
    struct names names = { 0 };
    int rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : names_read(&names, directory, err);

    for (int i = 0; i < names.count && rc == 0; i++)
        rc = replay_run(r, names.items[i], err);
    names_release(&names);
    free(directory);
    return rc;
}

/* Restores notes, tags and what is kept. A file that cannot be read is left out, like a
 * spec. */
static int read_marks(struct rebuild *r, struct error *err)
{
    struct error fault = { 0 };
    int rc = mark_file_read(r->workspace, r->store, &fault);
    bool faulty = is_fault_of_spec(rc);

    if (faulty) {
        log_warning("left out: %s", fault.message);
        r->specs_failed++;
        r->specs++;
    }
    return rc < 0 && !faulty ? error_set(err, fault.code, "%s", fault.message) : 0;
}

/* ---- the command ---- */

static int rebuild(struct rebuild *r, const struct options *options, struct error *err)
{
    int rc = replay_open(&r->replay, r->store, r->workspace, options, EXECUTORS, err);

    if (rc == 0)
        rc = disk_read(&r->disk, r->workspace, err);
    if (rc == 0)
        rc = queue_specs(r, options, err);
    if (rc == 0)
        rc = queue_rest(r, err);
    if (rc == 0)
        rc = replay_runs(r, err);
    if (rc == 0)
        rc = read_marks(r, err);
    disk_release(&r->disk);
    replay_close(r->replay);
    r->replay = NULL;
    return rc;
}

static int error_nothing(const struct workspace *workspace, struct error *err)
{
    return error_set(err, ERROR_ABSENT,
                     "workspace %s has neither specs nor attempts to rebuild from",
                     workspace->path);
}

/* Refuses a directory that is none of ours before a lock is put into it. */
static int check_anything(const struct workspace *workspace, struct error *err)
{
    char *specs = workspace_path(workspace, "specs"), *runs = workspace_path(workspace, "runs");
    int rc = 0;

    if (specs == NULL || runs == NULL)
        rc = error_no_memory(err, "a path");
    else if (!file_exists(specs) && !file_exists(runs))
        rc = error_nothing(workspace, err);
    free(specs);
    free(runs);
    return rc;
}

/* Builds the new database and puts it in place. On failure the old one is unchanged. */
static int replace_database(struct rebuild *r, const struct options *options, char **kept,
                            struct error *err)
{
    const char *workspace = r->workspace->path;
    struct store_hold *held = NULL;
    int rc = store_hold(&held, workspace, err);

    if (rc == 0)
        rc = store_create(&r->store, workspace, err);
    if (rc == 0)
        rc = rebuild(r, options, err);
    if (rc == 0 && r->specs + r->attempts + r->attempts_failed == 0)
        rc = error_nothing(r->workspace, err);
    if (rc == 0) {
        rc = store_replace(r->store, workspace, kept, err);
    } else {
        store_close(r->store);
        store_discard(workspace);
    }
    r->store = NULL;
    store_let_go(held);
    return rc;
}

/* Completes an earlier rebuild that was interrupted when its database was complete. */
static int finish_earlier(const struct rebuild *r, struct error *err)
{
    char *kept = NULL;
    struct store_hold *held = NULL;
    bool pending = false;
    int rc = store_is_pending(&pending, r->workspace->path, err);

    if (rc == 0 && pending)
        rc = store_hold(&held, r->workspace->path, err);
    if (rc == 0 && pending)
        rc = store_finish_replacing(r->workspace->path, &kept, err);
    store_let_go(held);
    if (rc == 0 && kept != NULL)
        log_info("an earlier rebuild was interrupted; the database before it is %s", kept);
    free(kept);
    return rc;
}

int command_rebuild(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct rebuild r = { .workspace = &workspace };
    char *kept = NULL, holder[WORKSPACE_HOLDER] = "";
    bool held = false;
    int rc = workspace_find(&workspace, options->workspace, err);

    if (rc == 0)
        rc = check_anything(&workspace, err);
    if (rc == 0)
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, err);
    if (rc == 0 && !held)
        rc = error_set(err, ERROR_BUSY, "workspace %s: the runner %s is running; stop it first",
                       workspace.path, holder);
    if (rc == 0)
        rc = finish_earlier(&r, err);
    if (rc == 0)
        rc = store_check_owner(workspace.path, err);
    if (rc == 0)
        rc = replace_database(&r, options, &kept, err);
    if (rc == 0) {
        int specs = r.specs - r.specs_failed;

        log_info("rebuilt from %d spec%s and %d attempt%s (left out: %d and %d)%s%s", specs,
                 specs == 1 ? "" : "s", r.attempts, r.attempts == 1 ? "" : "s", r.specs_failed,
                 r.attempts_failed, kept != NULL ? "; the old database is " : "",
                 kept != NULL ? kept : "");
        if (r.alive > 0)
            log_info("%d worker%s still running; hrmlab work takes %s over", r.alive,
                     r.alive == 1 ? " is" : "s are", r.alive == 1 ? "it" : "them");
        *exit_code = r.specs_failed + r.attempts_failed > 0 ? EXIT_SOME_FAILED : EXIT_DONE;
    }
    free(kept);
    workspace_close(&workspace);
    return rc;
}
