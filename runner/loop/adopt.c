/*
 * adopt.c - takes over the attempts of an earlier runner.
 *
 * The executor that started an attempt finds it again by its place. For a job that is
 * still "starting", the place was recorded before the start; its runner died before
 * recording more, and the worker may be running or not. If the attempt is alive, it is
 * followed from the stored journal offset on. If it is gone, the next tick reads the
 * rest of its journal and concludes it.
 */
#include "error.h"
#include "file.h"
#include "supervisor.h"

#include <stdlib.h>

static struct record_job *find_job(struct supervisor *s, int64_t job_id)
{
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].job_id == job_id)
            return &s->jobs[i];
    return NULL;
}

/* Asks the attempt's executor for its task. *task NULL: it cannot be found, because
 * the workspace is a copy. */
static int find_task(struct supervisor *s, struct executor_task **task,
                     const struct record_attempt *attempt)
{
    char *directory = format_string("%s/%s", s->workspace->path, attempt->directory);
    int rc = 0;

    *task = NULL;
    if (directory == NULL)
        return error_set(s->err, ERROR_NOMEM, "no memory for a path");
    if (attempt->place[0] != '\0')
        rc = executor_set_adopt(&s->executors, task, attempt->executor, directory,
                                attempt->place, s->err);
    free(directory);
    return rc;
}

/* Marks an attempt as superseded, because its job has ended or has a newer attempt.
 * What it reports is ignored. */
static int supersede(struct supervisor *s, const struct record_attempt *attempt,
                     struct executor_task *task)
{
    struct record_end end = { ATTEMPT_SUPERSEDED, OUTCOME_SUPERSEDED, NULL, NULL };

    if (task != NULL) {
        task->executor->type->signal(task, EXECUTOR_KILL);
        task->executor->type->release(task);
    }
    return record_attempt_end(s->store, attempt->attempt_id, &end, s->err);
}

static int adopt_one(struct supervisor *s, const struct record_attempt *attempt, bool newest)
{
    struct record_job *job = find_job(s, attempt->job_id);
    struct executor_task *task;
    int rc = find_task(s, &task, attempt);

    if (rc < 0)
        return rc;
    if (job == NULL || !newest)
        return supersede(s, attempt, task);
    struct slot *slot = slot_create(s, job);
    if (slot == NULL) {
        if (task != NULL)
            task->executor->type->release(task);
        return error_set(s->err, ERROR_NOMEM, "no memory for a job");
    }
    slot->task = task;
    slot->running = attempt->state == ATTEMPT_RUNNING;
    /* while no runner was running, or by one that did not see its end */
    slot->cancelled = job->state == JOB_CANCELLED;
    rc = recorder_init(&slot->recorder, attempt, s->workspace->path, s->err);
    if (rc == 0)
        rc = recorder_restore(&slot->recorder, s->err);
    if (rc < 0)
        return rc;
    if (task == NULL || task->state == EXECUTOR_GONE) {
        slot->outside = task == NULL ? OUTCOME_RESTARTED : task->cause;
        return 0;
    }
    slot->started_at -= task->age_s;
    progress_say(&s->progress, "%s: attempt %d is still running (%s), taken over",
                 slot->job.label, attempt->number, task->name);
    return slot->running ? 0 : attempt_record_place(s, slot);
}

int adopt_all(struct supervisor *s)
{
    struct record_attempt *attempts = NULL;
    int count = 0;
    int rc = record_busy_jobs(s->store, &s->jobs, &s->job_count, NULL, s->err);

    if (rc == 0)
        rc = record_open_attempts(s->store, &attempts, &count, s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        bool newest = true; /* attempts are listed in the order of their start */
        for (int k = i + 1; k < count; k++)
            newest = newest && attempts[k].run_id != attempts[i].run_id;
        rc = adopt_one(s, &attempts[i], newest);
    }
    free(attempts);
    for (int i = 0; i < s->job_count && rc == 0; i++) {
        bool has_slot = s->jobs[i].state == JOB_QUEUED;
        for (const struct slot *slot = s->slots; slot != NULL; slot = slot->next)
            has_slot = has_slot || slot->job.job_id == s->jobs[i].job_id;
        if (!has_slot)
            rc = record_job_retry(s->store, s->jobs[i].job_id, false, 0.0, OUTCOME_NONE, NULL,
                                  s->err);
    }
    return rc;
}
