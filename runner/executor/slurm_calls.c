/*
 * slurm_calls.c - calls sbatch, squeue, sacct and scancel, one at a time.
 *
 * What is due goes first in this order: ends that were asked for, the list of jobs,
 * jobs that no list has any more, submissions. A call that fails is followed by a
 * pause that doubles.
 */
#include "client_call.h"
#include "clock.h"
#include "error.h"
#include "file.h"
#include "log.h"
#include "slurm_script.h"
#include "slurm_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ids in one call of scancel or sacct. */
enum { MOST_IDS = 100 };

static const double CALL_LIMIT_S = 60.0;
/* A list that an adopted task need not wait for. */
static const double FRESH_S = 5.0;
static const double SHORTEST_INTERVAL_S = 1.0, LONGEST_INTERVAL_S = 15.0;
/* A call takes at most this share of the time. */
static const double CALL_SHARE = 0.1;
static const double FIRST_PAUSE_S = 2.0, LONGEST_PAUSE_S = 300.0;
/* How long after the end of a job its exit.json may take to be seen: directories of
 * network file systems are cached. */
static const double SEEN_WITHIN_S = 20.0;

static struct slurm_task *next_task(struct executor_task *from)
{
    while (from != NULL && from->state == EXECUTOR_GONE)
        from = from->next;
    return (struct slurm_task *)from;
}

/* All tasks that are not gone. */
#define EACH_TASK(task, slurm)                                                                 \
    for (struct slurm_task *task = next_task((slurm)->head.tasks); task != NULL;               \
         task = next_task(task->head.next))

static void wake(const struct slurm *slurm)
{
    if (slurm->setup.wake != NULL)
        slurm->setup.wake(slurm->setup.user);
}

/* ---- answers ---- */

static void note_failure(struct slurm *slurm, const char *program, const char *why)
{
    double pause = FIRST_PAUSE_S;

    for (int i = 0; i < slurm->failures && pause < LONGEST_PAUSE_S; i++)
        pause *= 2.0;
    if (pause > LONGEST_PAUSE_S)
        pause = LONGEST_PAUSE_S;
    if (slurm->failures++ == 0)
        log_warning("%s: %s; jobs go on, and Slurm is asked again until it answers", program,
                    why[0] != '\0' ? why : "no answer");
    slurm->again_at = clock_monotonic_s() + pause;
}

static void note_success(struct slurm *slurm)
{
    if (slurm->failures > 0)
        log_info("Slurm answers again");
    slurm->failures = 0;
    slurm->again_at = 0.0;
}

static const char *why_failed(const struct client_answer *answer)
{
    if (answer->late)
        return "no answer within a minute";
    return answer->errors;
}

static void set_over(struct slurm_task *task, enum outcome cause)
{
    task->over = true;
    task->head.handed_over = false;
    task->over_at = clock_monotonic_s();
    task->cause = cause;
}

/* Takes over what a list says of the task's job. Returns whether anything changed. */
static bool take_state(struct slurm_task *task, const struct slurm_job *job)
{
    enum executor_state before = task->head.state;

    if (task->over)
        return false;
    slurm_task_set_job(task, job->id);
    task->head.age_s = job->age_s;
    task->head.handed_over = true;
    switch (job->state->phase) {
    case SLURM_WAITING:
        task->head.state = EXECUTOR_PENDING;
        break;
    case SLURM_RUNNING:
        task->head.state = EXECUTOR_RUNNING;
        snprintf(task->head.host, sizeof task->head.host, "%s", job->nodes);
        break;
    case SLURM_OVER:
        set_over(task, job->state->cause);
        return true;
    case SLURM_UNKNOWN:
        break;
    }
    return task->head.state != before;
}

/* No list has the job any more. */
static bool take_absence(struct slurm *slurm, struct slurm_task *task)
{
    enum { ENOUGH = 2 };

    if (task->over || ++task->missing < ENOUGH)
        return false;
    if (task->step == SLURM_SUBMITTED && !slurm->no_accounting && !task->asked)
        return false; /* sacct may know it */
    set_over(task, task->step == SLURM_UNSURE ? OUTCOME_NEVER_STARTED : OUTCOME_NONE);
    return true;
}

static bool is_listed(const struct slurm_task *task)
{
    return !task->over && (task->step == SLURM_SUBMITTED || task->step == SLURM_UNSURE);
}

/* Applies a complete list to all tasks. */
static void apply_list(struct slurm *slurm, double duration_s)
{
    bool changed = false;

    EACH_TASK(task, slurm)
    {
        const struct slurm_job *job =
            is_listed(task) ? slurm_jobs_find(&slurm->listed, task->job, task->job_name) : NULL;
        if (job != NULL)
            changed = take_state(task, job) || changed;
        else if (is_listed(task))
            changed = take_absence(slurm, task) || changed;
    }
    slurm->interval_s = changed ? SHORTEST_INTERVAL_S : 1.5 * slurm->interval_s;
    if (slurm->interval_s < SHORTEST_INTERVAL_S)
        slurm->interval_s = SHORTEST_INTERVAL_S;
    if (slurm->interval_s > LONGEST_INTERVAL_S)
        slurm->interval_s = LONGEST_INTERVAL_S;
    if (slurm->interval_s < duration_s / CALL_SHARE)
        slurm->interval_s = duration_s / CALL_SHARE;
    slurm->list_at = slurm->listed_at + slurm->interval_s;
}

static void take_list(struct slurm *slurm, const struct client_answer *answer)
{
    struct slurm_jobs jobs;
    struct error err = { 0 };

    if (answer->exit_status != 0) {
        note_failure(slurm, "squeue", why_failed(answer));
        return;
    }
    if (slurm_jobs_read(&jobs, answer->output, false, &err) < 0) {
        note_failure(slurm, "squeue", err.message);
        return;
    }
    note_success(slurm);
    slurm_jobs_release(&slurm->listed);
    slurm->listed = jobs;
    slurm->listed_at = clock_monotonic_s();
    apply_list(slurm, answer->duration_s);
}

/* ---- calls ---- */

/* Calls a program; the answer goes to done. Without a loop, waits for it. */
static void call(struct slurm *slurm, const char *const *argv, client_done_fn *done)
{
    struct error err = { 0 };
    int rc;

    slurm->calling = true;
    if (slurm->setup.loop != NULL)
        rc = client_call(slurm->setup.loop, argv, CALL_LIMIT_S, done, slurm, &err);
    else
        rc = client_call_wait(argv, CALL_LIMIT_S, done, slurm, &err);
    if (rc == 0)
        return;
    slurm->calling = false;
    if (slurm->submitting != NULL)
        slurm->submitting->step = SLURM_TO_SUBMIT;
    slurm->submitting = NULL;
    (void)error_set(&slurm->fault, rc == ERROR_NOMEM ? ERROR_NOMEM : ERROR_ENVIRONMENT,
                    "%s; the executor slurm needs Slurm's client programs on PATH",
                    err.message);
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

static void on_listed(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;

    take_list(slurm, answer);
    go_on(slurm);
}

/* All states: a job that is over stays listed for a while (MinJobAge). */
static const char *const LIST[] = { "squeue",       "--noheader",       "--me",
                                    "--states=all", SLURM_QUEUE_FORMAT, NULL };

static void on_past(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    struct slurm_jobs jobs = { 0 };
    struct error err;
    bool known =
        answer->exit_status == 0 && slurm_jobs_read(&jobs, answer->output, true, &err) == 0;

    slurm->no_accounting = slurm->no_accounting || (!known && !answer->late);
    EACH_TASK(task, slurm)
    {
        const struct slurm_job *job =
            task->asked && !task->over ? slurm_jobs_find(&jobs, task->job, "") : NULL;
        if (job != NULL && job->state->phase == SLURM_OVER)
            set_over(task, job->state->cause);
        else if (task->asked && !task->over)
            set_over(task, OUTCOME_NONE);
    }
    slurm_jobs_release(&jobs);
    go_on(slurm);
}

static void on_ended(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;

    /* A job that has just ended is no failure: squeue tells. */
    if (answer->exit_status != 0 && (answer->late || strstr(answer->errors, "contact") != NULL))
        note_failure(slurm, "scancel", why_failed(answer));
    slurm->list_at = 0.0;
    go_on(slurm);
}

/* Whether a submission that failed may work later: the controller did not answer, or a
 * limit of submitted jobs is reached. */
static bool is_temporary(const struct slurm *slurm, const struct client_answer *answer)
{
    static const char *const words[] = { "timed out", "contact",     "onnection",
                                         "temporar",  "transmitted", "Zero Bytes",
                                         "again",     "ommunication" };
    bool others = false;

    if (answer->exit_status < 0)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(answer->errors, words[i]) != NULL)
            return true;
    for (const struct executor_task *task = slurm->head.tasks; task != NULL; task = task->next)
        others = others || ((const struct slurm_task *)task)->step == SLURM_SUBMITTED;
    return others && strstr(answer->errors, "imit") != NULL;
}

static void on_submitted(void *user, const struct client_answer *answer)
{
    struct slurm *slurm = user;
    struct slurm_task *task = slurm->submitting;
    char id[32];
    bool told = answer->exit_status == 0 && slurm_read_job_id(id, answer->output);

    slurm->submitting = NULL;
    if (told) {
        note_success(slurm);
    } else if (answer->exit_status == 0 || is_temporary(slurm, answer)) {
        note_failure(slurm, "sbatch", why_failed(answer));
    } else if (task != NULL) {
        (void)error_set(&slurm->fault, ERROR_ENVIRONMENT,
                        "Slurm refuses the job of %s: %s; see its slurm.sh, and the settings "
                        "slurm.*",
                        task->head.directory, answer->errors);
    }
    if (task != NULL && told)
        slurm_task_set_job(task, id);
    else if (task != NULL)
        task->step = SLURM_UNSURE;
    if (task != NULL)
        task->head.handed_over = told;
    if (slurm->list_at > clock_monotonic_s() + SHORTEST_INTERVAL_S)
        slurm->list_at = clock_monotonic_s() + SHORTEST_INTERVAL_S;
    go_on(slurm);
}

/* ---- what is due ---- */

static bool is_wanted(const struct slurm_task *task, enum slurm_end end, bool waiting)
{
    /* what waits has nothing to write: it is cancelled */
    bool now = task->wanted == SLURM_END_NOW || waiting;

    return task->job[0] != '\0' && !task->over && task->wanted > task->sent &&
           now == (end == SLURM_END_NOW);
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
    EACH_TASK(task, slurm)
    {
        bool waiting = task->head.state == EXECUTOR_PENDING;
        if (count < MOST_IDS && is_wanted(task, end, waiting)) {
            task->sent = task->wanted;
            argv[count++] = task->job;
        }
    }
    if (count > first)
        call(slurm, argv, on_ended);
    return count > first;
}

/* Asks sacct for the jobs that no list has any more. */
static bool ask_for_past(struct slurm *slurm)
{
    char ids[MOST_IDS * 33 + 16] = "--jobs=";
    size_t used = strlen(ids);
    int count = 0;

    if (slurm->no_accounting)
        return false;
    EACH_TASK(task, slurm)
    if (is_listed(task) && task->missing >= 2 && !task->asked && count < MOST_IDS) {
        used += (size_t)snprintf(ids + used, sizeof ids - used, "%s%s", count > 0 ? "," : "",
                                 task->job);
        task->asked = true;
        count++;
    }
    const char *const argv[] = {
        "sacct", "--noheader", "--parsable2", "--allocations", SLURM_PAST_FORMAT, ids, NULL
    };
    if (count > 0)
        call(slurm, argv, on_past);
    return count > 0;
}

/* Submits the task that has waited longest: new ones come to the front of the list. */
static bool submit_one(struct slurm *slurm)
{
    struct slurm_task *first = NULL;

    EACH_TASK(task, slurm)
    if (task->step == SLURM_TO_SUBMIT)
        first = task;
    if (first == NULL)
        return false;
    const char *const argv[] = { "sbatch", "--parsable", first->script, NULL };
    first->step = SLURM_SUBMITTING;
    slurm->submitting = first;
    call(slurm, argv, on_submitted);
    return true;
}

static bool list_is_due(const struct slurm *slurm, double now)
{
    if (now < slurm->list_at)
        return false;
    EACH_TASK(task, slurm)
    if (is_listed(task))
        return true;
    return false;
}

void slurm_calls_next(struct slurm *slurm)
{
    double now = clock_monotonic_s();

    if (slurm->calling || now < slurm->again_at || slurm->fault.code != 0)
        return;
    if (end_jobs(slurm, SLURM_END_NOW) || end_jobs(slurm, SLURM_END_SOON))
        return;
    if (list_is_due(slurm, now))
        call(slurm, LIST, on_listed);
    else if (!ask_for_past(slurm))
        (void)submit_one(slurm);
}

static void on_asked(void *user, const struct client_answer *answer)
{
    take_list(user, answer);
}

int slurm_calls_ask(struct slurm *slurm, struct slurm_task *task, struct error *err)
{
    double now = clock_monotonic_s();
    const struct slurm_job *job;
    int rc = 0;

    bool fresh = slurm->listed_at > 0.0 && now - slurm->listed_at < FRESH_S;
    if (!fresh && now >= slurm->again_at) {
        rc = client_call_wait(LIST, CALL_LIMIT_S, on_asked, slurm, err);
        if (rc == ERROR_SPAWN)
            rc = error_prefix(err, "%s was started by Slurm", task->head.directory);
    } else if (fresh) {
        job = slurm_jobs_find(&slurm->listed, task->job, task->job_name);
        if (job != NULL)
            (void)take_state(task, job);
    }
    if (rc == 0)
        slurm_tasks_conclude(slurm);
    return rc;
}

/* ---- ends ---- */

static bool has_file(const struct slurm_task *task, const char *name)
{
    char *path = file_join(task->head.directory, name);
    bool exists = path != NULL && file_exists(path);

    free(path);
    return exists;
}

void slurm_tasks_conclude(struct slurm *slurm)
{
    double now = clock_monotonic_s();

    EACH_TASK(task, slurm)
    {
        if (!task->over)
            continue;
        bool ended = has_file(task, "exit.json");
        if (task->cause == OUTCOME_NONE && !ended && now - task->over_at < SEEN_WITHIN_S)
            continue;
        if (task->cause == OUTCOME_NONE && has_file(task, SLURM_WARNED_FILE))
            task->cause = OUTCOME_JOB_TIME_OUT;
        task->head.cause = task->cause;
        task->head.state = EXECUTOR_GONE;
    }
}
