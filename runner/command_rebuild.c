/*
 * command_rebuild.c - rebuild: a new database from the specs and journals of the workspace.
 *
 * Each spec is planned and queued as it was; then every attempt on disk is recorded and concluded
 * again, in order, from its journal and exit.json, by the code that does it while the runner works.
 * What is not found to be done stays queued. The old database is in its place until the new one
 * is complete, and is then set aside, not removed.
 */
#include "enqueue.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "plan.h"
#include "process.h"
#include "queue.h"
#include "store.h"
#include "store_replace.h"
#include "supervisor.h"
#include "workspace.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOB_LIMIT = 16 << 20 };

struct rebuild {
    struct supervisor *supervisor;
    struct workspace *workspace;
    struct store *store;
    int specs, specs_failed, attempts, attempts_failed, alive;
};

/* ---- names in directories ---- */

struct names {
    char **items; /* owned, and each */
    int count;
};

static void names_release(struct names *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){ 0 };
}

static int by_version(const struct dirent **a, const struct dirent **b)
{
    return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of their numbers and letters. An absent directory has none. */
static int names_read(struct names *out, const char *path, struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, by_version), rc = 0;

    *out = (struct names){ 0 };
    if (count < 0)
        return errno == ENOENT ? 0
                               : error_set(err, ERROR_IO, "read %s: %s", path, strerror(errno));
    out->items = calloc((size_t)count + 1, sizeof(char *));
    for (int i = 0; i < count; i++) {
        if (out->items != NULL && (out->items[out->count] = strdup(entries[i]->d_name)) != NULL)
            out->count++;
        free(entries[i]);
    }
    free(entries);
    if (out->items == NULL || out->count != count) {
        names_release(out);
        rc = error_set(err, ERROR_NOMEM, "no memory for the names in %s", path);
    }
    return rc;
}

/* ---- specs ---- */

static int queue_spec(struct rebuild *r, const struct options *options, const char *path)
{
    struct spec *spec;
    struct plan *plan = NULL;
    struct enqueue_summary summary = { 0 };
    struct error fault = { 0 };
    int rc = spec_read(&spec, path, NULL, 0, &fault);

    if (rc == 0)
        rc = plan_create(&plan, spec, options->worker_program, &fault);
    if (rc == 0)
        rc = enqueue_plan(&summary, r->store, r->workspace, plan, &fault);
    plan_destroy(plan);
    free(summary.name);
    r->specs++;
    r->specs_failed += rc < 0;
    if (rc < 0)
        log_warning("left out: %s", fault.message);
    return rc == ERROR_DATABASE || rc == ERROR_NOSPACE
               ? error_set(r->supervisor->err, (enum error_code)rc, "%s", fault.message)
               : 0;
}

static int queue_specs(struct rebuild *r, const struct options *options, struct error *err)
{
    char *directory = workspace_path(r->workspace, "specs");
    struct names names = { 0 };
    int rc = directory == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path")
                               : names_read(&names, directory, err);

    for (int i = 0; i < names.count && rc == 0; i++) {
        const char *dot = strrchr(names.items[i], '.');
        char *path = file_join(directory, names.items[i]);
        if (path != NULL && dot != NULL && strcmp(dot, ".json") == 0)
            rc = queue_spec(r, options, path);
        free(path);
    }
    names_release(&names);
    free(directory);
    return rc;
}

/* ---- attempts ---- */

/* Its job is over already, by an earlier attempt: one more of the kind that its job.json says. */
static int add_job(struct rebuild *r, int64_t run_id, bool evaluate, const cJSON *job_json,
                   struct error *err)
{
    int64_t job = 0;
    int rc = store_begin(r->store, err);

    if (rc < 0)
        return rc;
    rc = queue_job(r->store, &job,
                   &(struct queue_job){ .run_id = run_id,
                                        .evaluate = evaluate,
                                        .threads = 1,
                                        .retries_max = 2,
                                        .retry_delay_s = 2.0 },
                   err);
    const cJSON *list = json_member(job_json, "evaluations");
    struct queue_missing *missing = NULL;
    int count = 0;
    if (rc == 0 && list != NULL)
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

/* Records the attempt, reads its journal, concludes. */
static int conclude_again(struct rebuild *r, const struct record_job *job, int number,
                          struct error *err)
{
    struct record_attempt attempt = { .job_id = job->job_id, .run_id = job->run_id };
    char boot[64];
    struct slot *slot = slot_create(r->supervisor, job);
    int rc = slot == NULL ? error_set(err, ERROR_NOMEM, "no memory for a job")
                          : store_begin(r->store, err);

    if (rc < 0)
        return rc;
    process_boot_id(boot);
    rc = record_attempt(r->store, &attempt.attempt_id, &attempt.number, attempt.directory, job,
                        &(struct record_place){ boot, NULL, NULL }, number, err);
    if (rc == 0)
        rc = store_commit(r->store, err);
    if (rc < 0) {
        store_rollback(r->store);
        slot_destroy(r->supervisor, slot);
        return rc;
    }
    rc = recorder_init(&slot->recorder, &attempt, r->workspace->path, err);
    char *directory = format_string("%s/%s", r->workspace->path, attempt.directory);
    char *exit_path = format_string("%s/%s/exit.json", r->workspace->path, attempt.directory);
    if (rc == 0 && (directory == NULL || exit_path == NULL))
        rc = error_set(err, ERROR_NOMEM, "no memory for a path");
    bool alive = rc == 0 && process_find_keeper(directory) != 0;
    bool has_exit = rc == 0 && file_exists(exit_path);
    free(directory);
    free(exit_path);
    if (alive) {
        r->alive++; /* hrmlab work takes it over */
        slot_destroy(r->supervisor, slot);
        return 0;
    }
    if (rc == 0)
        rc = recorder_read(&slot->recorder, r->store, err);
    /* Only a machine that goes down takes the keeper along before it writes exit.json. A journal
     * that was damaged otherwise is quarantined, as it was while the runner worked. */
    slot->rebooted = rc == 0 && slot->recorder.damaged && !has_exit;
    if (rc < 0)
        slot_destroy(r->supervisor, slot);
    return rc < 0 ? rc : attempt_conclude(r->supervisor, slot);
}

static int replay_attempt(struct rebuild *r, const char *hash, int number, struct error *err)
{
    char *path =
        format_string("%s/runs/%s/attempts/%d/job.json", r->workspace->path, hash, number);
    struct error fault = { 0 };
    struct record_job *job = NULL;
    int jobs = 0;
    struct queue_state state;
    cJSON *job_json = NULL;
    const char *kind = NULL;
    int rc = path == NULL ? error_set(err, ERROR_NOMEM, "no memory for a path") : 0;

    if (rc == 0 && (json_read_file(&job_json, path, JOB_LIMIT, &fault) < 0 ||
                    json_get_string(&kind, job_json, "kind", path, &fault) < 0)) {
        log_warning("left out: %s", fault.message); /* it cannot have begun */
        free(path);
        r->attempts_failed++;
        return 0;
    }
    bool evaluate = kind != NULL && strcmp(kind, "evaluate") == 0;
    if (rc == 0)
        rc = queue_state(r->store, &state, hash, err);
    if (rc == 0 && state.run_id == 0) { /* of a spec that was left out */
        r->attempts_failed++;
    } else if (rc == 0) {
        rc = record_find_job(r->store, &job, &jobs, hash, evaluate, err);
        if (rc == 0 && jobs == 0) {
            rc = add_job(r, state.run_id, evaluate, job_json, err);
            if (rc == 0)
                rc = record_find_job(r->store, &job, &jobs, hash, evaluate, err);
        }
        if (rc == 0 && jobs > 0)
            rc = conclude_again(r, job, number, err);
        r->attempts++;
    }
    record_free_jobs(job, jobs);
    cJSON_Delete(job_json);
    free(path);
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
            rc = replay_attempt(r, hash, (int)number, err);
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

/* ---- the command ---- */

static int rebuild(struct rebuild *r, const struct options *options, struct error *err)
{
    struct supervisor *s = calloc(1, sizeof *s);

    if (s == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the supervisor");
    s->store = r->store;
    s->workspace = r->workspace;
    s->options = options;
    s->err = err;
    progress_init(&s->progress, true, false);
    r->supervisor = s;
    int rc = queue_specs(r, options, err);
    if (rc == 0)
        rc = replay_runs(r, err);
    progress_finish(&s->progress);
    while (s->slots != NULL)
        slot_destroy(s, s->slots);
    free(s);
    return rc;
}

/* Builds the new database and puts it in place; nothing has happened to the old one when this
 * fails. */
static int replace_database(struct rebuild *r, const struct options *options, char **kept,
                            struct error *err)
{
    const char *workspace = r->workspace->path;
    int rc = store_create(&r->store, workspace, err);

    if (rc == 0)
        rc = rebuild(r, options, err);
    if (rc == 0 && r->specs + r->attempts + r->attempts_failed == 0)
        rc =
            error_set(err, ERROR_ABSENT,
                      "workspace %s has neither specs nor attempts to rebuild from", workspace);
    if (rc == 0) {
        rc = store_replace(r->store, workspace, kept, err);
    } else {
        store_close(r->store);
        store_discard(workspace);
    }
    r->store = NULL;
    return rc;
}

/* The end of an earlier rebuild that was interrupted when its database was complete. */
static int finish_earlier(const struct rebuild *r, struct error *err)
{
    char *kept = NULL;
    bool pending = false;
    int rc = store_is_pending(&pending, r->workspace->path, err);

    if (rc == 0 && pending)
        rc = store_finish_replacing(r->workspace->path, &kept, err);
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
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, err);
    if (rc == 0 && !held)
        rc = error_set(err, ERROR_BUSY, "workspace %s: the runner %s is at work; stop it first",
                       workspace.path, holder);
    if (rc == 0)
        rc = finish_earlier(&r, err);
    if (rc == 0)
        rc = store_check_owner(workspace.path, err);
    if (rc == 0)
        rc = replace_database(&r, options, &kept, err);
    if (rc == 0) {
        log_info("rebuilt from %d specs and %d attempts (left out: %d and %d)%s%s",
                 r.specs - r.specs_failed, r.attempts, r.specs_failed, r.attempts_failed,
                 kept != NULL ? "; the old database is " : "", kept != NULL ? kept : "");
        if (r.alive > 0)
            log_info("%d workers are still running; hrmlab work takes them over", r.alive);
        *exit_code = r.specs_failed + r.attempts_failed > 0;
    }
    free(kept);
    workspace_close(&workspace);
    return rc;
}
