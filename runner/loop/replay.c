/* replay.c - concludes attempts found on disk, which were not started here. */
#include "replay.h"

#include "error.h"
#include "executors.h"
#include "file.h"
#include "log.h"
#include "store.h"
#include "supervisor.h"

#include <stdlib.h>

struct replay {
    struct supervisor supervisor; /* without a loop: it starts nothing */
};

int replay_open(struct replay **out, struct store *store, const struct workspace *workspace,
                const struct options *options, const struct executor_type *const *types,
                struct error *err)
{
    struct replay *replay = calloc(1, sizeof *replay);

    *out = NULL;
    if (replay == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a rebuild");
    struct supervisor *s = &replay->supervisor;
    s->store = store;
    s->workspace = workspace;
    s->options = options;
    s->err = err;
    progress_init(&s->progress, &(struct progress_setup){ .quiet = true });
    executor_set_init(&s->executors, types, &(struct executor_setup){ 0 });
    *out = replay;
    return executor_set_choose(&s->executors, &s->executor, NULL, err);
}

void replay_close(struct replay *replay)
{
    if (replay == NULL)
        return;
    struct supervisor *s = &replay->supervisor;

    progress_finish(&s->progress);
    while (s->slots != NULL)
        slot_destroy(s, s->slots);
    executor_set_close(&s->executors);
    free(replay);
}

/* The executor that has started the attempt in that directory: the first, unless the
 * files of another one tell. */
static int choose_executor(struct supervisor *s, const char *directory)
{
    const char *name = NULL;

    for (int i = 0; s->executors.types[i] != NULL; i++) {
        const struct executor_type *type = s->executors.types[i];
        if (type->has_started != NULL && type->has_started(directory))
            name = type->name;
    }
    return executor_set_choose(&s->executors, &s->executor, name, s->err);
}

/* Records the attempt as starting, with a place by which it can be adopted. */
static int record_found(struct supervisor *s, const struct slot *slot, int number,
                        struct record_attempt *attempt, struct executor_task **task)
{
    char *directory =
        format_string("%s/runs/%s/attempts/%d", s->workspace->path, slot->job.run_hash, number);
    int rc = directory == NULL ? error_set(s->err, ERROR_NOMEM, "no memory for a path")
                               : choose_executor(s, directory);

    if (rc == 0)
        rc = store_begin(s->store, s->err);
    if (rc < 0) {
        free(directory);
        return rc;
    }
    const struct executor_type *type = s->executor->type;
    rc = record_attempt(s->store, &attempt->attempt_id, &attempt->number, attempt->directory,
                        &slot->job, type->name, number, s->err);
    if (rc == 0)
        rc = type->prepare(s->executor, task, directory, &(struct executor_needs){ 0 }, s->err);
    if (rc == 0)
        rc = record_attempt_place(s->store, attempt->attempt_id,
                                  &(struct record_place){ (*task)->place, "", "" }, s->err);
    if (rc == 0)
        rc = store_commit(s->store, s->err);
    if (rc < 0)
        store_rollback(s->store);
    free(directory);
    return rc;
}

/* Finds out whether the attempt is still running, although its place is unknown. */
static int find_alive(struct supervisor *s, struct slot *slot, bool *alive)
{
    const struct executor_task *prepared = slot->task;
    struct executor_task *task = NULL;
    char *exit_path = file_join(prepared->directory, "exit.json");
    bool ended = exit_path != NULL && file_exists(exit_path);
    int rc = exit_path == NULL ? error_no_memory(s->err, "a path") : 0;

    free(exit_path);
    *alive = false;
    if (rc < 0 || ended)
        return rc;
    rc = s->executor->type->adopt(s->executor, &task, prepared->directory, prepared->place,
                                  s->err);
    if (rc == ERROR_SPAWN) { /* not from this machine; a newer attempt fences it off */
        log_warning("%s; it is taken to have ended", s->err->message);
        return 0;
    }
    if (rc < 0)
        return rc;
    *alive = task->state != EXECUTOR_GONE;
    slot->outside = task->cause;
    s->executor->type->release(task);
    return 0;
}

int replay_attempt(struct replay *replay, const struct record_job *job, int number, bool *alive,
                   struct error *err)
{
    struct supervisor *s = &replay->supervisor;
    struct record_attempt attempt = { .job_id = job->job_id, .run_id = job->run_id };
    struct slot *slot = slot_create(s, job);
    int rc;

    *alive = false;
    s->err = err;
    if (slot == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a job");
    rc = record_found(s, slot, number, &attempt, &slot->task);
    if (rc == 0)
        rc = recorder_init(&slot->recorder, &attempt, s->workspace->path, err);
    if (rc == 0)
        rc = find_alive(s, slot, alive);
    if (rc == 0 && !*alive)
        rc = recorder_read(&slot->recorder, s->store, err);
    if (rc < 0 || *alive) {
        slot_destroy(s, slot);
        return rc;
    }
    char *exit_path = file_join(slot->task->directory, "exit.json");
    if (exit_path == NULL) {
        slot_destroy(s, slot);
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    }
    /* Without exit.json the machine must have gone down, and damage to the end of
     * the journal is expected. Other damage leads to quarantine, as it did while the
     * runner was running. */
    if (slot->recorder.damaged && !file_exists(exit_path))
        slot->outside = OUTCOME_RESTARTED;
    free(exit_path);
    return attempt_conclude(s, slot);
}
