/* attempt_end.c - derives the job's next state from exit.json, journal and results,
 * and deletes the temporary files of a killed worker. */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "names.h"
#include "queue.h"
#include "record_base.h"
#include "resume.h"
#include "schedule.h"
#include "store.h"
#include "supervisor.h"
#include "text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_LIMIT = 1 << 16 };

/* before checking again whether a full disk has room */
static const double PAUSE_S = 10.0;

/* Reads a JSON file of the attempt. *json NULL: it is missing or unreadable.
 * ERROR_NOMEM: nothing is known about it. */
static int read_file(cJSON **json, const struct supervisor *s, const struct slot *slot,
                     const char *name, size_t limit, struct error *err)
{
    struct error fault = { 0 };
    char *path =
        format_string("%s/%s/%s", s->workspace->path, slot->recorder.attempt.directory, name);
    int rc = path == NULL ? ERROR_NOMEM : json_read_file(json, path, limit, &fault);

    free(path);
    if (rc < 0)
        *json = NULL;
    return rc == ERROR_NOMEM ? error_set(err, ERROR_NOMEM, "no memory to read %s of %s", name,
                                         slot->recorder.attempt.directory)
                             : 0;
}

/* The cause according to the executor. An attempt that was never started has no
 * journal; if it has one, the executor does not know the cause. */
static enum outcome outside_cause(const struct slot *slot)
{
    bool begun = slot->outside == OUTCOME_NEVER_STARTED && file_exists(slot->recorder.path);

    return begun ? OUTCOME_NONE : slot->outside;
}

static struct schedule_facts gather_facts(const struct supervisor *s, const struct slot *slot,
                                          const cJSON *exit_json)
{
    const cJSON *status = json_member(exit_json, "exit_status");
    const cJSON *signal_json = json_member(exit_json, "signal");

    return (struct schedule_facts){
        .has_exit = exit_json != NULL,
        .has_status = cJSON_IsNumber(status),
        .exit_status = cJSON_IsNumber(status) ? status->valueint : 0,
        .signal = cJSON_IsNumber(signal_json) ? signal_json->valueint : 0,
        .outcome = slot->recorder.error_text[0] == '\0' ? slot->recorder.outcome : OUTCOME_NONE,
        .outside = outside_cause(slot),
        .cancelled = slot->cancelled,
        .stopping = s->interrupts > 0,
        .timed_out = slot->timed_out,
        .hung = slot->hung,
        .flooded = slot->flooded,
        .out_of_memory = schedule_ran_out_of_memory(
            json_real_or(exit_json, "oom_kills", 0.0),
            json_real_or(exit_json, "peak_rss_mib", 0.0), slot->job.memory_gb * 1024.0),
        .advanced = slot->recorder.checkpoint_step >= 0 &&
                    (slot->recorder.resume.attempt == 0 ||
                     slot->recorder.checkpoint_step > slot->recorder.resume.step),
    };
}

/* The final weights that the job needs cannot be used: those of its run or, of a
 * training, those of the run that it begins with. Deletes their record and queues a
 * training that makes them again; the job waits for it. */
static int train_again(struct supervisor *s, const struct slot *slot)
{
    int64_t id, run_id = slot->job.run_id;
    int rc = slot->job.evaluate ? 0 : record_base_of(s->store, &run_id, run_id, s->err);

    if (rc < 0 || run_id == 0)
        return rc;
    rc = queue_forget_checkpoint(s->store, run_id, s->err);
    return rc < 0 ? rc : queue_job_like(s->store, &id, run_id, false, s->err);
}

/* Records the job's new state after its attempt. */
static int record_action(struct supervisor *s, const struct slot *slot, struct schedule_end end,
                         const char *message)
{
    int failures = slot->job.failures + 1, rc = 0;
    int64_t id = slot->job.job_id;
    double wait_s = schedule_backoff_s(slot->job.retry_delay_s, failures, (uint64_t)id);

    if (schedule_gives_up(end.action, failures, slot->job.retries_max))
        return record_job_state(s->store, id, JOB_FAILED, end.cause, message, s->err);
    switch (end.action) {
    case ACTION_DONE:
        return record_job_state(s->store, id, JOB_DONE, end.cause, message, s->err);
    case ACTION_CANCEL:
        return record_job_state(s->store, id, JOB_CANCELLED, end.cause, message, s->err);
    case ACTION_REQUEUE:
        return record_job_retry(s->store, id, false, 0.0, end.cause, message, s->err);
    case ACTION_PAUSE:
        return record_job_retry(s->store, id, false, clock_wall_s() + PAUSE_S, end.cause,
                                message, s->err);
    case ACTION_RETRAIN:
        rc = train_again(s, slot);
        wait_s = 0.0;
        break;
    case ACTION_RETRY:
    case ACTION_FAIL:
        break;
    }
    return rc < 0 ? rc
                  : record_job_retry(s->store, id, true, clock_wall_s() + wait_s, end.cause,
                                     message, s->err);
}

/* An attempt that has ended; it is counted and reported after its end is committed. */
struct ending {
    bool done, failed;
    enum outcome cause;
    char text[700]; /* a line for the terminal */
};

static void describe_end(struct ending *out, const struct slot *slot, struct schedule_end end,
                         const char *message)
{
    bool last = schedule_gives_up(end.action, slot->job.failures + 1, slot->job.retries_max);
    /* A worker that was stopped reports at which step, and which checkpoint counts. */
    bool told = end.action == ACTION_REQUEUE && message[0] != '\0';
    bool named = end.cause != OUTCOME_NONE && end.cause != OUTCOME_CANCELLED && !told;

    out->done = end.action == ACTION_DONE;
    out->failed = last;
    out->cause = end.cause;
    snprintf(out->text, sizeof out->text, "%s%s%s%s%s",
             end.action == ACTION_DONE      ? "done"
             : last                         ? "failed"
             : end.action == ACTION_RETRY   ? "will be tried again"
             : end.action == ACTION_RETRAIN ? "is trained again"
             : end.action == ACTION_CANCEL  ? "cancelled"
             : end.action == ACTION_PAUSE   ? "paused"
             : end.cause != OUTCOME_STOPPED ? "queued again"
             : told                         ? "the state is safe"
                                            : "stopped, the state is safe",
             named ? ": " : "", named ? outcome_name(end.cause) : "",
             message[0] != '\0' ? ": " : "", message);
}

static void announce_end(struct supervisor *s, const struct slot *slot,
                         const struct ending *ending)
{
    if (ending->done && slot->job.own) {
        s->result.done++;
        s->progress.jobs_done++;
        s->progress.work_done += slot->job.cost;
    }
    if (ending->failed && slot->job.own) {
        s->result.failed++;
        s->result.causes[ending->cause]++;
        s->progress.jobs_failed++;
    }
    progress_say(&s->progress, "%s: %s", slot->job.label, ending->text);
}

/* *asked: whether the attempt's job.json has this evaluation. */
static int was_asked(bool *asked, const cJSON *job_json, const char *canonical,
                     struct error *err)
{
    const cJSON *list = json_member(job_json, "evaluations");

    *asked = false;
    for (const cJSON *item = list != NULL ? list->child : NULL; item != NULL && !*asked;
         item = item->next) {
        char *text = json_canonical(item);
        if (text == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for an evaluation");
        *asked = strcmp(text, canonical) == 0;
        free(text);
    }
    return 0;
}

/* Queues evaluations that were added while the attempt was running, as a separate
 * job. */
static int queue_later(struct supervisor *s, const struct slot *slot,
                       const struct queue_missing *missing, int count)
{
    int64_t job = 0;
    int rc = queue_job_like(s->store, &job, slot->job.run_id, true, s->err);

    for (int i = 0; i < count && rc == 0; i++)
        rc = queue_job_evaluation(s->store, job, missing[i].evaluation_id, s->err);
    if (rc == 0)
        progress_say(&s->progress, "%s: %d more evaluation%s asked for meanwhile",
                     slot->job.label, count, count == 1 ? " was" : "s were");
    return rc;
}

/*
 * Checks that a worker that reports "done" left a final checkpoint and every result
 * that its job.json lists; otherwise *end becomes a failure. Queues evaluations that
 * were added later.
 */
static int check_done(struct supervisor *s, const struct slot *slot, struct schedule_end *end)
{
    struct queue_missing *missing;
    struct queue_state state;
    cJSON *job_json = NULL;
    int count = 0, later = 0;
    int rc = read_file(&job_json, s, slot, "job.json", JSON_JOB_LIMIT, s->err);
    if (rc == 0)
        rc = queue_state(s->store, &state, slot->job.run_hash, s->err);
    bool lacking = rc == 0 && state.checkpoint[0] == '\0';

    if (rc == 0)
        rc = queue_missing_evaluations(s->store, &missing, &count, slot->job.run_id, s->err);
    for (int i = 0; i < count && rc == 0; i++) {
        bool asked;
        rc = was_asked(&asked, job_json, missing[i].canonical, s->err);
        if (asked) {
            lacking = true;
        } else {
            struct queue_missing kept = missing[later];
            missing[later++] = missing[i];
            missing[i] = kept;
        }
    }
    if (lacking)
        *end = schedule_end_of(OUTCOME_NO_RESULT);
    else if (rc == 0 && later > 0)
        rc = queue_later(s, slot, missing, later);
    if (count > 0)
        queue_free_missing(missing, count);
    cJSON_Delete(job_json);
    return rc;
}

/* Checks that everything before the attempt's results is in the database; without
 * that they do not count. */
static int check_beginning(struct supervisor *s, const struct slot *slot,
                           struct schedule_end *end)
{
    bool recorded;
    int rc =
        resume_is_recorded(&recorded, s->store, s->workspace->path, &slot->recorder, s->err);

    if (rc == 0 && !recorded)
        *end = schedule_end_of(OUTCOME_NO_BEGINNING);
    return rc;
}

/* Quarantine: the job waits for the user. */
static int conclude_quarantined(struct ending *out, struct supervisor *s, struct slot *slot,
                                const cJSON *exit_json)
{
    const char *why = slot->recorder.error_text;
    struct record_end end = { ATTEMPT_QUARANTINED, OUTCOME_QUARANTINED, why, exit_json };
    int rc = record_attempt_end(s->store, slot->recorder.attempt.attempt_id, &end, s->err);

    if (rc == 0)
        rc = record_job_state(s->store, slot->job.job_id, JOB_QUARANTINED, OUTCOME_JOURNAL, why,
                              s->err);
    out->failed = true;
    out->cause = OUTCOME_JOURNAL;
    snprintf(out->text, sizeof out->text, "quarantined: %s; see %s", why,
             slot->recorder.attempt.directory);
    return rc;
}

/* If a worker died before it wrote to its journal, for example because a library is
 * missing, the last line of its log becomes the message. */
static void take_log_end(const struct supervisor *s, struct slot *slot)
{
    char tail[2048], *message = slot->recorder.message;
    char *path =
        format_string("%s/%s/log", s->workspace->path, slot->recorder.attempt.directory);
    struct stat status;
    int fd = -1;
    ssize_t size = path == NULL ? -1 : file_open(&fd, path, O_RDONLY, NULL);

    free(path);
    if (size == 0 && fstat(fd, &status) == 0) {
        off_t most = (off_t)sizeof tail - 1;

        size =
            pread(fd, tail, sizeof tail - 1, status.st_size > most ? status.st_size - most : 0);
    }
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return;
    /* mpirun puts its last words between lines of dashes */
    while (size > 0 &&
           (tail[size - 1] == '\n' || tail[size - 1] == '\0' || tail[size - 1] == '-'))
        size--;
    tail[size] = '\0';
    const char *newline = strrchr(tail, '\n');
    char *line = newline != NULL ? tail + (newline - tail) + 1 : tail;
    if (line[0] == '\0')
        return;
    int used = snprintf(message, sizeof slot->recorder.message, "its log ends with: ");
    text_strip_controls(message + used, sizeof slot->recorder.message - (size_t)used, line);
}

/* Says which rank of the worker was lost, if one was. */
static void name_lost_rank(struct slot *slot, const cJSON *exit_json)
{
    const cJSON *rank = json_member(exit_json, "rank");

    if (cJSON_IsNumber(rank))
        snprintf(slot->recorder.message, sizeof slot->recorder.message,
                 "rank %d was killed by signal %d", rank->valueint,
                 (int)json_real_or(exit_json, "signal", 0.0));
}

static int conclude_ended(struct ending *out, struct supervisor *s, struct slot *slot,
                          const cJSON *exit_json)
{
    const char *message = slot->recorder.message;
    struct schedule_facts facts = gather_facts(s, slot, exit_json);
    struct schedule_end end = schedule_classify(&facts);
    int rc = 0;

    if (end.action == ACTION_DONE)
        rc = check_beginning(s, slot, &end);
    if (rc == 0 && end.action == ACTION_DONE && end.cause == OUTCOME_NONE)
        rc = check_done(s, slot, &end);
    /* the launcher asks the other ranks to stop: what they say of it is no cause */
    if (message[0] == '\0' || end.cause == OUTCOME_KILLED || end.cause == OUTCOME_CRASH)
        name_lost_rank(slot, exit_json);
    if (message[0] == '\0' && (end.action == ACTION_RETRY || end.action == ACTION_FAIL))
        take_log_end(s, slot);
    struct record_end attempt_end = { ATTEMPT_ENDED,
                                      end.cause != OUTCOME_NONE ? end.cause : OUTCOME_DONE,
                                      message[0] != '\0' ? message : NULL, exit_json };
    if (rc == 0)
        rc = record_attempt_end(s->store, slot->recorder.attempt.attempt_id, &attempt_end,
                                s->err);
    if (rc == 0)
        rc = record_action(s, slot, end, message[0] != '\0' ? message : NULL);
    if (rc == 0)
        describe_end(out, slot, end, message);
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), part = strlen(end);

    return size > part && strcmp(text + size - part, end) == 0;
}

/* Deletes temporary files of a killed worker, such as an incomplete checkpoint. They
 * are never read, so a failure to delete them is ignored. */
static void remove_unfinished(const struct supervisor *s, const struct slot *slot)
{
    struct names names = { 0 };
    char *directory =
        format_string("%s/%s", s->workspace->path, slot->recorder.attempt.directory);

    if (directory != NULL && names_read(&names, directory, NULL) == 0)
        for (int i = 0; i < names.count; i++) {
            bool unfinished =
                ends_with(names.items[i], ".tmp") || ends_with(names.items[i], ".new");
            char *path = unfinished ? file_join(directory, names.items[i]) : NULL;
            if (path != NULL)
                unlink(path);
            free(path);
        }
    names_release(&names);
    free(directory);
}

int attempt_conclude(struct supervisor *s, struct slot *slot)
{
    struct ending ending = { 0 };
    cJSON *exit_json = NULL;
    int rc = read_file(&exit_json, s, slot, "exit.json", EXIT_LIMIT, s->err);

    if (rc == 0)
        rc = store_begin(s->store, s->err);
    if (rc == 0) {
        rc = recorder_drain(&slot->recorder, s->store, s->err);
        if (rc < 0)
            store_rollback(s->store);
    }
    if (rc == 0) {
        /* When a machine goes down, the end of the journal may be lost. That is not
         * the worker's fault, and what was stored is valid. */
        bool faulty =
            slot->recorder.error_text[0] != '\0' && !schedule_machine_failed(slot->outside);
        if (!faulty)
            remove_unfinished(s, slot);
        rc = faulty ? conclude_quarantined(&ending, s, slot, exit_json)
                    : conclude_ended(&ending, s, slot, exit_json);
        if (rc == 0)
            rc = store_commit(s->store, s->err);
        if (rc < 0)
            store_rollback(s->store);
        else
            announce_end(s, slot, &ending);
    }
    cJSON_Delete(exit_json);
    slot_destroy(s, slot);
    s->next_look_at = 0.0;
    return rc;
}
