/*
 * adopt.c - taking over what an earlier runner left.
 *
 * An attempt is known by its keeper's pid, kernel start time and boot. One that is
 * still "starting" has no pid on record: its runner died between spawn and record, and
 * the keeper, if there is one, is found by its command line. Alive: it is followed from
 * the stored journal offset on. Dead: the next tick reads the rest of its journal and
 * concludes.
 */
#include "error.h"
#include "file.h"
#include "process.h"
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct record_job *find_job(struct supervisor *s, int64_t job_id)
{
    for (int i = 0; i < s->job_count; i++)
        if (s->jobs[i].job_id == job_id)
            return &s->jobs[i];
    return NULL;
}

/* Cores that an adopted attempt was pinned to, from "0,1". */
static void keep_cores(struct supervisor *s, struct slot *slot, const char *cpus)
{
    for (const char *at = cpus; *at != '\0' && slot->core_count < SUPERVISOR_MAX_CORES;) {
        char *end;
        long core = strtol(at, &end, 10);
        if (end == at)
            break;
        slot_take_core(s, slot, (int)core);
        at = *end == ',' ? end + 1 : end;
    }
}

/* The attempt's keeper, alive or not; pid 0: none. *rebooted: the machine has
 * restarted. */
static int find_keeper(const struct supervisor *s, const struct record_attempt *attempt,
                       int64_t *pid, int64_t *start, bool *rebooted)
{
    char boot[64];

    process_boot_id(boot);
    *rebooted = strcmp(attempt->boot_id, boot) != 0;
    *pid = attempt->keeper_pid;
    *start = attempt->keeper_start;
    if (*rebooted) { /* that boot is over, and its processes with it */
        *pid = *start = 0;
    } else if (attempt->state == ATTEMPT_STARTING) {
        char *directory = format_string("%s/%s", s->workspace->path, attempt->directory);
        if (directory == NULL)
            return error_set(s->err, ERROR_NOMEM, "no memory for a path");
        *pid = process_find_keeper(directory);
        *start = *pid > 0 ? process_start_time(*pid) : 0;
        free(directory);
        if (*pid < 0)
            return error_set(s->err, ERROR_ENVIRONMENT,
                             "the processes cannot be listed (/proc): %s", strerror(errno));
    }
    return 0;
}

/* Its job is over or has a newer attempt: what this attempt reports is ignored. */
static int supersede(struct supervisor *s, const struct record_attempt *attempt, int64_t pid,
                     int64_t start)
{
    struct executor_local executor = { 0 };
    struct record_end end = { ATTEMPT_SUPERSEDED, OUTCOME_SUPERSEDED, NULL, NULL };

    executor_local_adopt(&executor, pid, start);
    executor_local_signal(&executor, SIGKILL);
    return record_attempt_end(s->store, attempt->attempt_id, &end, s->err);
}

static int adopt_one(struct supervisor *s, const struct record_attempt *attempt, bool newest)
{
    struct record_job *job = find_job(s, attempt->job_id);
    int64_t pid, start;
    bool rebooted;
    int rc = find_keeper(s, attempt, &pid, &start, &rebooted);

    if (rc < 0)
        return rc;
    if (job == NULL || !newest)
        return supersede(s, attempt, pid, start);
    struct slot *slot = slot_create(s, job);
    rc = slot == NULL ? error_set(s->err, ERROR_NOMEM, "no memory for a job")
                      : recorder_init(&slot->recorder, attempt, s->workspace->path, s->err);
    if (rc == 0)
        rc = recorder_restore(&slot->recorder, s->err);
    if (rc < 0)
        return rc;
    slot->rebooted = rebooted;
    /* while no runner was at work */
    slot->cancelled = job->state == JOB_CANCELLED;
    keep_cores(s, slot, attempt->cpus);
    executor_local_adopt(&slot->executor, pid, start);
    if (!executor_local_alive(&slot->executor)) {
        slot->unstarted = attempt->state == ATTEMPT_STARTING;
        return 0;
    }
    slot->started_at -= process_age_s(start);
    progress_say(&s->progress, "%s: attempt %d is still running (pid %lld), taken over",
                 slot->job.label, attempt->number, (long long)pid);
    return attempt->state == ATTEMPT_STARTING ? attempt_record_running(s, slot) : 0;
}

int adopt_all(struct supervisor *s)
{
    struct record_attempt *attempts = NULL;
    int count = 0;
    int rc = record_busy_jobs(s->store, &s->jobs, &s->job_count, s->err);

    if (rc == 0)
        rc = record_open_attempts(s->store, &attempts, &count, s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        bool newest = true; /* they come in the order of their beginning */
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
