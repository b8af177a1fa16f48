/*
 * slurm_calls.c - calls sbatch, squeue, sacct and scancel, one at a time.
 *
 * What is due goes first in this order: ends that were asked for, the list of jobs,
 * jobs that no list has any more or that were cancelled early, submissions. A call that
 * fails is followed by a pause that doubles.
 */
#include "client_call.h"
#include "clock.h"
#include "error.h"
#include "log.h"
#include "slurm_environment.h"
#include "slurm_tasks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids in one call of scancel or sacct. */
enum { MOST_IDS = 100 };

static const double CALL_LIMIT_S = 60.0;
/* A list that an adopted task need not wait for. */
static const double FRESH_S = 5.0;
static const double SHORTEST_INTERVAL_S = 1.0, LONGEST_INTERVAL_S = 15.0;
/* A call takes at most this share of the time, but for one each minute: a single slow
 * answer tells little about the next. */
static const double CALL_SHARE = 0.1, SLOWEST_INTERVAL_S = 60.0;

static void wake(const struct slurm *slurm)
{
    if (slurm->setup.wake != NULL)
        slurm->setup.wake(slurm->setup.user);
}

/* Calls a program in that environment (NULL: no memory for it), which is freed; the
 * answer goes to done. Without a loop, waits for it. */
static void call_in(struct slurm *slurm, const char *const *argv, char **environment,
                    client_done_fn *done)
{
    struct error err = { 0 };
    int rc;

    slurm->calling = true;
    if (environment == NULL)
        rc = error_no_memory(&err, "an environment");
    else if (slurm->setup.loop != NULL)
        rc = client_call(slurm->setup.loop, argv, environment, CALL_LIMIT_S, done, slurm, &err);
    else
        rc = client_call_wait(argv, environment, CALL_LIMIT_S, done, slurm, &err);
    free(environment);
    if (rc == 0)
        return;
    slurm->calling = false;
    slurm_submit_undo(slurm);
    (void)error_set(&slurm->fault, rc == ERROR_NOMEM ? ERROR_NOMEM : ERROR_ENVIRONMENT,
                    "%s; the executor slurm needs Slurm's client programs on PATH",
                    err.message);
}

static void call(struct slurm *slurm, const char *const *argv, client_done_fn *done)
{
    call_in(slurm, argv, slurm_environment(""), done);
}

/* After an answer: the next call, and a look at what has changed. */
static void go_on(struct slurm *slurm)
{
    slurm->calling = false;
    if (slurm->setup.loop == NULL)
        return;
    wake(slurm);
    slurm_calls_next(slurm);
}

/* ---- the list ---- */

/* All states: a job that is over stays listed for a while (MinJobAge). A line for each
 * job of an array. */
static const char *const LIST[] = { "squeue",  "--noheader",       "--me", "--states=all",
                                    "--array", SLURM_QUEUE_FORMAT, NULL };

/* When to ask for the next list: often while things change, seldom where the answers
 * take long. */
static void set_interval(struct slurm *slurm, bool changed, double duration_s)
{
    double shortest = SHORTEST_INTERVAL_S * slurm->pace;
    double longest = LONGEST_INTERVAL_S * slurm->pace;

    slurm->interval_s = changed ? shortest : 1.5 * slurm->interval_s;
    if (slurm->interval_s < shortest)
        slurm->interval_s = shortest;
    if (slurm->interval_s > longest)
        slurm->interval_s = longest;
    double spared = fmin(duration_s / CALL_SHARE, SLOWEST_INTERVAL_S * slurm->pace);
    slurm->interval_s = fmax(slurm->interval_s, spared);
    slurm->list_at = slurm->listed_at + slurm->interval_s;
}

static void take_list(struct slurm *slurm, const struct client_answer *answer)
{
    struct slurm_jobs jobs;
    struct error err = { 0 };

    if (answer->exit_status != 0) {
        slurm_note_failure(slurm, "squeue", slurm_why_failed(answer));
        return;
    }
    if (slurm_jobs_read(&jobs, answer->output, false, &err) < 0) {
        slurm_note_failure(slurm, "squeue", err.message);
        return;
    }
    slurm_note_success(slurm);
    slurm->ends_wait = false;
    slurm_jobs_release(&slurm->listed);
    slurm->listed = jobs;
    slurm->listed_at = clock_monotonic_s();
    set_interval(slurm, slurm_follow_all(slurm), answer->duration_s);
}

static void on_listed(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;

    take_list(slurm, answer);
    go_on(slurm);
}

static bool list_is_due(const struct slurm *slurm, double now)
{
    if (now < slurm->list_at)
        return false;
    if (slurm->failures > 0) /* whether it answers again: nothing is submitted before */
        return true;
    EACH_SLURM_TASK(task, slurm)
    if (slurm_is_listed(task))
        return true;
    return false;
}

/* ---- jobs that no list has any more ---- */

/* Told once; a Slurm that keeps no accounting says so, and is not asked again. */
static void note_no_past(struct slurm *slurm, const struct client_answer *answer)
{
    const char *why = slurm_why_failed(answer);

    slurm->no_accounting = strstr(answer->errors, "storage is disabled") != NULL;
    if (slurm->past_failures++ == 0 && !slurm->no_accounting)
        log_warning("sacct: %s; it is asked again, and how jobs ended that squeue does not "
                    "list any more is taken from their workers where it does not answer",
                    why[0] != '\0' ? why : "no answer");
    slurm->past_at = clock_monotonic_s() + slurm_pause_s(slurm, slurm->past_failures);
}

/* Sacct was asked for the task; jobs: what it knows, NULL: it has not answered. */
static void take_past(const struct slurm *slurm, struct slurm_task *task,
                      const struct slurm_jobs *jobs)
{
    const struct slurm_job *job = jobs != NULL ? slurm_task_find(task, jobs) : NULL;

    task->asking = false;
    if (job != NULL && job->state->phase == SLURM_OVER)
        slurm_task_job_over(task, job);
    else if (jobs != NULL && slurm_was_taken_off(task, jobs, true))
        slurm_task_over(task, OUTCOME_CANCELLED);
    else if (jobs != NULL || !slurm_has_accounting(slurm))
        slurm_task_over(task, OUTCOME_NONE);
}

static void on_past(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    struct slurm_jobs jobs = { 0 };
    struct error err;
    bool known =
        answer->exit_status == 0 && slurm_jobs_read(&jobs, answer->output, true, &err) == 0;

    if (known)
        slurm->past_failures = 0;
    else
        note_no_past(slurm, answer);
    EACH_SLURM_TASK(task, slurm)
    if (task->asking && !task->over)
        take_past(slurm, task, known ? &jobs : NULL);
    slurm_jobs_release(&jobs);
    go_on(slurm);
}

/* Asks sacct for them: for whole arrays, of whose elements it does not know those by
 * their numbers that were cancelled while they waited. */
static bool ask_for_past(struct slurm *slurm)
{
    char ids[MOST_IDS * (SLURM_ID_SIZE + 1) + 16] = "--jobs=", last[SLURM_ID_SIZE] = "";
    size_t used = strlen(ids);
    int count = 0;

    if (slurm->no_accounting || clock_monotonic_s() < slurm->past_at)
        return false;
    EACH_SLURM_TASK(task, slurm)
    if (slurm_is_listed(task) && task->missing >= 2 && count < MOST_IDS) {
        size_t length = strcspn(task->place.job, "_");

        task->asking = true;
        if (count > 0 && strlen(last) == length && strncmp(last, task->place.job, length) == 0)
            continue;
        snprintf(last, sizeof last, "%.*s", (int)length, task->place.job);
        used +=
            (size_t)snprintf(ids + used, sizeof ids - used, "%s%s", count > 0 ? "," : "", last);
        count++;
    }
    const char *const argv[] = {
        "sacct", "--noheader", "--parsable2", "--allocations", SLURM_PAST_FORMAT, ids, NULL
    };
    if (count > 0)
        call(slurm, argv, on_past);
    return count > 0;
}

/* ---- jobs that were cancelled before they began ---- */

/* How often Slurm has put back each cancelled job, in columns. */
static const char *const RESTARTS[] = { "squeue",  "--noheader",
                                        "--me",    "--states=CANCELLED",
                                        "--array", "--Format=JobArrayID:40,RestartCnt:12",
                                        NULL };

static void on_restarts(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    bool known = answer->exit_status == 0;

    if (known)
        slurm_note_success(slurm);
    else
        slurm_note_failure(slurm, "squeue", slurm_why_failed(answer));
    EACH_SLURM_TASK(task, slurm)
    {
        bool once = slurm_was_put_back(answer->output, task->place.job);

        if (task->node == SLURM_NODE_ASKED)
            task->node = !known ? SLURM_NODE_UNKNOWN
                         : once ? SLURM_NODE_ONCE
                                : SLURM_NODE_NEVER;
    }
    go_on(slurm);
}

/* Asks whether they had a node: then Slurm itself has cancelled them. */
static bool ask_for_restarts(struct slurm *slurm)
{
    bool wanted = false;

    EACH_SLURM_TASK(task, slurm)
    if (task->node == SLURM_NODE_UNKNOWN && slurm_is_doubtful(task)) {
        task->node = SLURM_NODE_ASKED;
        wanted = true;
    }
    if (wanted)
        call(slurm, RESTARTS, on_restarts);
    return wanted;
}

/* ---- tasks that are adopted ---- */

static void on_asked(void *user, const struct client_answer *answer)
{
    take_list(user, answer);
}

int slurm_calls_ask(struct slurm *slurm, struct slurm_task *task, struct error *err)
{
    double now = clock_monotonic_s();
    int rc = 0;

    bool fresh = slurm->listed_at > 0.0 && now - slurm->listed_at < FRESH_S * slurm->pace;
    if (!fresh && now >= slurm->again_at) {
        char **environment = slurm_environment("");
        rc = environment == NULL
                 ? error_no_memory(err, "an environment")
                 : client_call_wait(LIST, environment, CALL_LIMIT_S, on_asked, slurm, err);
        free(environment);
        if (rc == ERROR_SPAWN)
            rc = error_prefix(err, "%s was started by Slurm", task->head.directory);
    } else if (fresh) {
        slurm_follow_one(slurm, task);
    }
    if (rc == 0 && slurm->setup.loop == NULL)
        (void)ask_for_restarts(slurm);
    if (rc == 0)
        slurm_tasks_conclude(slurm);
    return rc;
}

/* ---- ends ---- */

static void on_ended(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    /* A job that has just ended is no failure: squeue tells. */
    bool failed = answer->exit_status != 0 && slurm_is_unanswered(answer);

    if (failed)
        slurm_note_failure(slurm, "scancel", slurm_why_failed(answer));
    slurm->ends_wait = failed; /* and are asked for again */
    EVERY_SLURM_TASK(task, slurm)
    {
        if (!failed && task->sending > task->sent)
            task->sent = task->sending;
        task->sending = SLURM_GOES_ON;
    }
    slurm->list_at = 0.0;
    go_on(slurm);
}

/* All tasks with this job are handled by the call that is about to be made. */
static void set_sending(struct slurm *slurm, const char *job)
{
    EVERY_SLURM_TASK(task, slurm)
    if (strcmp(task->place.job, job) == 0)
        task->sending = task->wanted;
}

/* Ends as many jobs as one call takes. Returns whether there was one. */
static bool end_jobs(struct slurm *slurm, enum slurm_end end)
{
    const char *argv[MOST_IDS + 4] = { "scancel" };
    int count = 1;

    if (end == SLURM_END_SOON) {
        argv[count++] = "--batch";
        argv[count++] = "--signal=TERM";
    }
    int first = count;
    EVERY_SLURM_TASK(task, slurm)
    if (count < MOST_IDS && slurm_end_of(slurm, task) == end) {
        argv[count++] = task->place.job;
        set_sending(slurm, task->place.job);
    }
    if (count > first)
        call(slurm, argv, on_ended);
    return count > first;
}

static bool end_next(struct slurm *slurm)
{
    return !slurm->ends_wait &&
           (end_jobs(slurm, SLURM_END_NOW) || end_jobs(slurm, SLURM_END_SOON));
}

void slurm_calls_end(struct slurm *slurm)
{
    while (slurm->fault.code == 0 && end_next(slurm))
        continue;
}

/* ---- submissions ---- */

static void on_submit_answer(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    double soon = clock_monotonic_s() + SHORTEST_INTERVAL_S * slurm->pace;

    slurm->submit_answer(slurm, answer);
    if (slurm->list_at > soon)
        slurm->list_at = soon;
    go_on(slurm);
}

static void submit(struct slurm *slurm)
{
    struct slurm_call next;

    if (!slurm_submit_next(&next, slurm))
        return;
    slurm->submit_answer = next.done;
    call_in(slurm, next.argv,
            slurm_environment(slurm->batches != NULL ? slurm->batches->script.options : ""),
            on_submit_answer);
    slurm_call_release(&next);
}

/* ---- what is due ---- */

void slurm_calls_next(struct slurm *slurm)
{
    double now = clock_monotonic_s();

    if (slurm->calling || now < slurm->again_at || slurm->fault.code != 0 || end_next(slurm))
        return;
    if (list_is_due(slurm, now))
        call(slurm, LIST, on_listed);
    else if (!ask_for_past(slurm) && !ask_for_restarts(slurm))
        submit(slurm);
}
