/* slurm_follow.c - what lists of jobs and the files of attempts mean for tasks. */
#include "clock.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "slurm_tasks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long after the end of a job its exit.json may take to be seen: directories of
 * network file systems are cached. */
static const double SEEN_WITHIN_S = 20.0;
static const double FIRST_PAUSE_S = 2.0, LONGEST_PAUSE_S = 300.0;

/* ---- whether Slurm answers ---- */

const char *slurm_why_failed(const struct client_answer *answer)
{
    return answer->late ? "no answer within a minute" : answer->errors;
}

bool slurm_says_one(const struct client_answer *answer, const char *const *words)
{
    /* What a site's own filters print before that may have any words. */
    const char *verdict = strstr(answer->errors, "submission failed");
    const char *text = verdict != NULL ? verdict : answer->errors;

    while (*words != NULL && strstr(text, *words) == NULL)
        words++;
    return *words != NULL;
}

bool slurm_is_unanswered(const struct client_answer *answer)
{
    static const char *const words[] = { "timed out", "contact",       "onnection",
                                         "temporar",  "transmitted",   "Zero Bytes",
                                         "try again", "ommunication",  "essage ",
                                         "standby",   "uthentication", NULL };

    return answer->exit_status < 0 || slurm_says_one(answer, words);
}

/* So many failures of sacct in a row are waited for. */
enum { PAST_PATIENCE = 3 };

bool slurm_has_accounting(const struct slurm *slurm)
{
    return !slurm->no_accounting &&
           (slurm->past_failures < PAST_PATIENCE || clock_monotonic_s() >= slurm->past_at);
}

double slurm_pause_s(const struct slurm *slurm, int failures)
{
    double pause = FIRST_PAUSE_S;

    for (int i = 1; i < failures && pause < LONGEST_PAUSE_S; i++)
        pause *= 2.0;
    return fmin(pause, LONGEST_PAUSE_S) * slurm->pace;
}

void slurm_note_failure(struct slurm *slurm, const char *program, const char *why)
{
    if (slurm->failures++ == 0)
        log_warning("%s: %s; jobs go on, and Slurm is asked again until it answers", program,
                    why[0] != '\0' ? why : "no answer");
    slurm->again_at = clock_monotonic_s() + slurm_pause_s(slurm, slurm->failures);
}

void slurm_note_success(struct slurm *slurm)
{
    if (slurm->failures > 0)
        log_info("Slurm answers again");
    slurm->failures = 0;
    slurm->again_at = 0.0;
}

/* ---- tasks ---- */

void slurm_task_name(struct slurm_task *task)
{
    const char *job = task->place.job;

    slurm_place_write(task->head.place, &task->place);
    snprintf(task->head.name, sizeof task->head.name, "%s%s",
             job[0] != '\0' ? "Slurm job " : "a Slurm job of unknown number", job);
    task->head.place_is_new = true;
}

void slurm_task_set_job(struct slurm_task *task, const char *job)
{
    if (strcmp(task->place.job, job) != 0) {
        snprintf(task->place.job, sizeof task->place.job, "%s", job);
        slurm_task_name(task);
    }
    task->step = SLURM_SUBMITTED;
    task->missing = 0;
}

void slurm_task_over(struct slurm_task *task, enum outcome cause)
{
    if (task->over)
        return;
    task->over = true;
    task->head.handed_over = false;
    task->over_at = clock_monotonic_s();
    task->cause = cause;
}

void slurm_task_gone(struct slurm_task *task, enum outcome cause)
{
    task->head.cause = cause;
    task->head.state = EXECUTOR_GONE;
}

void slurm_task_job_over(struct slurm_task *task, const struct slurm_job *job)
{
    if (job->nodes[0] != '\0')
        task->node = SLURM_NODE_ONCE;
    slurm_task_over(task, job->state->cause);
}

static bool is_marked(const struct slurm_task *task, enum slurm_mark mark)
{
    return slurm_mark_is_set(task->head.directory, mark);
}

static bool has_ended(const struct slurm_task *task)
{
    return slurm_worker_has_ended(task->head.directory);
}

/* ---- lists ---- */

bool slurm_is_listed(const struct slurm_task *task)
{
    return !task->over && (task->step == SLURM_SUBMITTED || task->step == SLURM_UNSURE);
}

/* Where the job runs. Of one that is COMPLETING Slurm lists the nodes that are not free
 * yet, which may be some of those that it had. */
static void take_nodes(struct slurm_task *task, const struct slurm_job *job)
{
    bool all = strcmp(job->state->name, "COMPLETING") != 0;

    if (strcmp(task->head.host, job->nodes) == 0 || (task->head.host[0] != '\0' && !all))
        return;
    snprintf(task->head.host, sizeof task->head.host, "%s", job->nodes);
    task->head.place_is_new = true;
}

/* The job is running. An attempt is running from when it has begun, after the user's
 * lines, which may take long; one that shares its job until that goes on with the next
 * one. */
static void take_running(struct slurm_task *task, const struct slurm_job *job)
{
    bool shared = task->place.per_job > 1;

    take_nodes(task, job);
    if (task->head.state == EXECUTOR_PENDING &&
        (is_marked(task, SLURM_MARK_BEGUN) || is_marked(task, SLURM_MARK_OVER)))
        task->head.state = EXECUTOR_RUNNING;
    if (shared && task->head.state == EXECUTOR_RUNNING && is_marked(task, SLURM_MARK_OVER))
        slurm_task_over(task, OUTCOME_NONE);
}

/* The job is waiting. If it has begun the attempt, somebody has put it back into the
 * queue, and the attempt is over: each has a directory of its own. A job may begin
 * between a list and the look at its mark, so the next list must say so again, for
 * which also a runner that leaves waits; last: there is none. */
static void take_waiting(struct slurm_task *task, bool last)
{
    bool begun = is_marked(task, SLURM_MARK_BEGUN);

    if (task->head.state == EXECUTOR_RUNNING || (begun && (last || task->begun_while_waiting)))
        slurm_task_over(task, OUTCOME_PREEMPTED);
    else
        task->head.handed_over = !begun;
    task->begun_while_waiting = begun;
}

/* For how long the attempt has been running. Its job is older where it has worked on
 * others before. */
static double age_of(const struct slurm_task *task, const struct slurm_job *job)
{
    if (task->place.per_job == 1)
        return job->age_s;
    return fmin(slurm_mark_age_s(task->head.directory, SLURM_MARK_BEGUN), job->age_s);
}

/* Returns whether anything has changed. last: no other list follows. */
static bool take_state(struct slurm_task *task, const struct slurm_job *job, bool last)
{
    enum executor_state before = task->head.state;

    slurm_task_set_job(task, task->place.job[0] != '\0' ? task->place.job : job->id);
    task->head.age_s = age_of(task, job);
    task->head.handed_over = true;
    switch (job->state->phase) {
    case SLURM_WAITING:
        take_waiting(task, last);
        break;
    case SLURM_RUNNING:
        task->begun_while_waiting = false;
        take_running(task, job);
        break;
    case SLURM_SUSPENDED:
        task->head.state = EXECUTOR_PENDING; /* no limit counts */
        break;
    case SLURM_OVER:
        slurm_task_job_over(task, job);
        break;
    case SLURM_UNKNOWN:
        break;
    }
    return task->over || task->head.state != before;
}

/* Whether the job is of a part of the place's batch. */
static bool is_of_batch(const struct slurm_job *job, const struct slurm_place *place)
{
    size_t length = strlen(place->name);

    return strncmp(job->name, place->name, length) == 0 && job->name[length] == '.';
}

const struct slurm_job *slurm_task_find(const struct slurm_task *task,
                                        const struct slurm_jobs *jobs)
{
    const struct slurm_place *place = &task->place;

    if (place->job[0] == '\0')
        return slurm_jobs_find_named(jobs, place->name, place->index / place->per_job);
    const struct slurm_job *job = slurm_jobs_find(jobs, place->job);
    return job != NULL && is_of_batch(job, place) ? job : NULL;
}

/* How long ago the task's job was surely among those that Slurm lists, in seconds. */
static double unseen_s(const struct slurm_task *task)
{
    return task->seen_at > 0.0 ? clock_monotonic_s() - task->seen_at
                               : slurm_mark_age_s(task->head.directory, SLURM_MARK_PLACE);
}

/*
 * A job that had a node which could not start it is missing as well, but only after it
 * was listed as over for MinJobAge: 300 s, if the site has not chosen less. And it had
 * its turn, which the jobs of an array have in their order: where an earlier one still
 * waits it cannot have come, and where the next one does it hardly has, since that
 * would have got the node.
 */
bool slurm_was_taken_off(const struct slurm_task *task, const struct slurm_jobs *jobs,
                         bool past)
{
    static const double LISTED_S = 240.0;
    const char *id = task->place.job, *bar = strchr(id, '_');
    size_t length = bar != NULL ? (size_t)(bar - id) + 1 : 0;
    bool others = false, before_turn = false;

    if (bar == NULL || !is_marked(task, SLURM_MARK_PLACE) ||
        slurm_script_has_begun(task->head.directory))
        return false;
    for (int i = 0; i < jobs->count; i++) {
        const struct slurm_job *job = &jobs->items[i];

        if (strncmp(job->id, id, length) != 0 || !is_of_batch(job, &task->place))
            continue;
        others = true;
        before_turn = before_turn || (job->state->phase == SLURM_WAITING &&
                                      atol(job->id + length) <= atol(bar + 1) + 1);
    }
    return before_turn || (others && (past || unseen_s(task) < LISTED_S));
}

/* No list has the job any more. */
static bool take_absence(struct slurm *slurm, struct slurm_task *task)
{
    /* Nobody will look again: the job was submitted for sure, or it does not count. */
    bool once = slurm->setup.loop == NULL &&
                (task->place.job[0] != '\0' || !is_marked(task, SLURM_MARK_PLACE));
    int enough = once ? 1 : 2;

    if (++task->missing < enough)
        return false;
    if (slurm_was_taken_off(task, &slurm->listed, false)) {
        slurm_task_over(task, OUTCOME_CANCELLED);
        return true;
    }
    if (task->step == SLURM_SUBMITTED && !once && slurm_has_accounting(slurm))
        return false; /* sacct is asked */
    slurm_task_over(task, task->step == SLURM_UNSURE ? OUTCOME_NEVER_STARTED : OUTCOME_NONE);
    return true;
}

static bool follow(struct slurm *slurm, struct slurm_task *task)
{
    const struct slurm_job *job = slurm_task_find(task, &slurm->listed);

    if (job == NULL)
        return take_absence(slurm, task);
    task->seen_at = slurm->listed_at;
    return take_state(task, job, slurm->setup.loop == NULL);
}

void slurm_follow_one(struct slurm *slurm, struct slurm_task *task)
{
    if (slurm_is_listed(task))
        (void)follow(slurm, task);
}

bool slurm_follow_all(struct slurm *slurm)
{
    bool changed = false;

    EACH_SLURM_TASK(task, slurm)
    if (slurm_is_listed(task))
        changed = follow(slurm, task) || changed;
    return changed;
}

/* ---- ends ---- */

/* Whether the job of a voided task will begin no attempt. A runner knows all of those
 * that have not ended; who has no loop, only those that it was asked about. */
static bool is_empty(const struct slurm *slurm, const struct slurm_task *task)
{
    int voided = 0, left = 0;

    EVERY_SLURM_TASK(other, slurm)
    if (strcmp(other->place.job, task->place.job) == 0) {
        voided += other->voided;
        left += !other->voided && other->head.state != EXECUTOR_GONE;
    }
    return slurm->setup.loop != NULL ? left == 0 : voided == task->place.per_job;
}

enum slurm_end slurm_end_of(const struct slurm *slurm, const struct slurm_task *task)
{
    if (task->wanted <= task->sent || task->wanted <= task->sending ||
        task->place.job[0] == '\0' || (task->over && !task->voided))
        return SLURM_GOES_ON;
    if (task->place.per_job == 1)
        return task->wanted == SLURM_END_NOW || task->head.state == EXECUTOR_PENDING
                   ? SLURM_END_NOW
                   : SLURM_END_SOON;
    if (!task->voided)
        return task->head.state == EXECUTOR_RUNNING ? SLURM_END_SOON : SLURM_GOES_ON;
    return is_empty(slurm, task) ? SLURM_END_NOW : SLURM_GOES_ON;
}

/* Whether the task's job has begun none of its attempts that are known here: those that
 * an earlier runner has seen end were begun. */
static bool has_begun_none(struct slurm *slurm, const struct slurm_task *task)
{
    EVERY_SLURM_TASK(other, slurm)
    if (strcmp(other->place.job, task->place.job) == 0 &&
        (is_marked(other, SLURM_MARK_BEGUN) || is_marked(other, SLURM_MARK_OVER)))
        return false;
    return true;
}

/*
 * A job that got a node which could not start it: Slurm puts it back into the queue, or
 * cancels it, since it is not to be put back, or both. Nobody has asked for that.
 * Whoever cancels a job finds it without a node, or with a script that has begun, but
 * for a moment in between.
 */
static bool is_unlaunched(const struct slurm_task *task)
{
    return task->node == SLURM_NODE_ONCE && task->wanted == SLURM_GOES_ON &&
           (task->cause == OUTCOME_CANCELLED || task->cause == OUTCOME_NONE) &&
           !slurm_script_has_begun(task->head.directory);
}

bool slurm_is_doubtful(const struct slurm_task *task)
{
    return task->over && task->cause == OUTCOME_CANCELLED && task->wanted == SLURM_GOES_ON &&
           task->node < SLURM_NODE_NEVER && task->place.job[0] != '\0' &&
           is_marked(task, SLURM_MARK_PLACE);
}

/* The cause of a task that nobody has begun, whose job is over: what happened to a job
 * happened to the attempt that it worked on. If it began none, it could not be started,
 * or the lines before its worker failed, and all of its attempts with them. */
static enum outcome cause_unbegun(struct slurm *slurm, const struct slurm_task *task)
{
    bool first = task->place.index % task->place.per_job == 0;

    if (is_unlaunched(task))
        return OUTCOME_LAUNCH_FAILURE;
    if (first || task->cause == OUTCOME_CANCELLED ||
        (task->cause == OUTCOME_NONE && has_begun_none(slurm, task)))
        return task->cause;
    return OUTCOME_NEVER_STARTED;
}

/* Whether nobody has begun the task, whose job is over; from now on nobody can. Who
 * only looks on leaves that open: a list of another cluster lacks the job, too. */
static bool is_unbegun(const struct slurm *slurm, const struct slurm_task *task)
{
    return slurm->setup.looks_on ? is_marked(task, SLURM_MARK_PLACE)
                                 : slurm_mark_void(task->head.directory);
}

/* *over: Slurm itself has ended the job that was at work on the task for its memory.
 * It calls such a job failed; all of its processes are killed (OverMemoryKill), so that
 * the worker's end is not told, or not that of the script. False: no memory to find
 * out. */
static bool find_over_memory(bool *over, const struct slurm_task *task)
{
    enum { LOG_LIMIT = 16 << 20 };
    char *path = NULL, *text = NULL;
    struct error ignored;
    size_t size;

    *over = false;
    if (has_ended(task) && !is_marked(task, SLURM_MARK_BEGUN))
        return true;
    int rc = slurm_batch_log(&path, task->head.directory, task->place.name, &ignored);

    if (rc == 0)
        rc = file_read(&text, &size, path, LOG_LIMIT, &ignored);
    *over = rc == 0 && slurm_ended_for_memory(text, slurm_begun_by(task->head.directory));
    free(text);
    free(path);
    return rc != ERROR_NOMEM;
}

/* Whether the end of a task that is over can be told; sets its cause. */
static bool is_concluded(struct slurm *slurm, struct slurm_task *task, double now)
{
    bool last_look =
        now - task->over_at >= SEEN_WITHIN_S * slurm->pace || slurm->setup.loop == NULL;

    /* what the script wrote may not be seen yet */
    if ((slurm_is_doubtful(task) || is_unlaunched(task)) && !last_look)
        return false;
    if (is_unbegun(slurm, task)) {
        task->cause = cause_unbegun(slurm, task);
        return true;
    }
    if (is_marked(task, SLURM_MARK_LEFT)) {
        task->cause = OUTCOME_NEVER_STARTED;
        return true;
    }
    if (task->cause == OUTCOME_NONE && !has_ended(task) && !last_look)
        return false;
    bool over = false;
    if (task->cause == OUTCOME_NONE && !find_over_memory(&over, task))
        return false; /* it is looked at again */
    if (over)
        task->cause = OUTCOME_OUT_OF_MEMORY;
    if (task->cause == OUTCOME_NONE && is_marked(task, SLURM_MARK_WARNED))
        task->cause = OUTCOME_JOB_TIME_OUT;
    return true;
}

void slurm_tasks_conclude(struct slurm *slurm)
{
    double now = clock_monotonic_s();

    EACH_SLURM_TASK(task, slurm)
    if (task->voided && task->sending == SLURM_GOES_ON &&
        slurm_end_of(slurm, task) == SLURM_GOES_ON)
        slurm_task_gone(task, OUTCOME_NEVER_STARTED);
    else if (!task->voided && task->over && is_concluded(slurm, task, now))
        slurm_task_gone(task, task->cause);
}
