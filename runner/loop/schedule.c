/* schedule.c - the causes of an end, and the order of beginnings. */
#include "schedule.h"

#include "exit_code.h"
#include "random.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static struct schedule_end verdict(enum schedule_verdict what, const char *cause)
{
    return (struct schedule_end){ what, cause };
}

/* By the worker's own exit code. */
static struct schedule_end classify_exit(const struct schedule_facts *facts)
{
    switch (facts->exit_status) {
    case EXIT_DONE:
        return verdict(VERDICT_RETRY, "exit without a result");
    case EXIT_BAD_INPUT:
        return verdict(VERDICT_FAILED, "bad job");
    case EXIT_ENVIRONMENT:
        return verdict(VERDICT_FAILED, "environment");
    case EXIT_DATA_CHANGED:
        return verdict(VERDICT_FAILED, "data changed");
    case EXIT_OUT_OF_MEMORY:
        return verdict(VERDICT_FAILED, "out of memory");
    case EXIT_DISK_FULL:
        return verdict(VERDICT_PAUSE, "disk full");
    case EXIT_CHECKPOINT_DAMAGED:
        return verdict(VERDICT_RETRAIN, "checkpoint damaged");
    case EXIT_STOPPED:
        return verdict(VERDICT_REQUEUE, "stopped");
    default:
        return verdict(VERDICT_RETRY, "crash");
    }
}

/*
 * The journal's end event is the last thing that a worker says, synced after everything
 * else. It stands unless exit.json contradicts it: a crash or another exit code after
 * "done" is a fault, while a worker or keeper killed between its last word and its exit
 * has finished all the same.
 */
static bool finished(const struct schedule_facts *facts, const char *outcome)
{
    bool done = strcmp(outcome, "done") == 0, diverged = strcmp(outcome, "diverged") == 0;

    if (!done && !diverged)
        return false;
    if (!facts->has_exit)
        return true;
    if (!facts->has_status)
        return facts->signal == SIGKILL || facts->signal == SIGTERM;
    return facts->exit_status == (done ? EXIT_DONE : EXIT_DIVERGED);
}

struct schedule_end schedule_classify(const struct schedule_facts *facts)
{
    const char *outcome = facts->outcome != NULL ? facts->outcome : "";

    if (finished(facts, outcome)) /* whatever we had in mind */
        return verdict(VERDICT_DONE, strcmp(outcome, "diverged") == 0 ? "diverged" : NULL);
    if (facts->cancelled)
        return verdict(VERDICT_CANCELLED, "cancelled");
    if (facts->timed_out)
        return verdict(VERDICT_FAILED, "time limit");
    if (facts->flooded)
        return verdict(VERDICT_FAILED, "endless output");
    if (facts->hung)
        return verdict(VERDICT_RETRY, "hang");
    if (facts->stopping)
        return verdict(VERDICT_REQUEUE, "stopped");
    if (!facts->has_exit && facts->rebooted)
        return verdict(VERDICT_REQUEUE, "machine restarted");
    if (!facts->has_exit &&
        strcmp(outcome, "disk full") == 0) /* there was none for exit.json */
        return verdict(VERDICT_PAUSE, "disk full");
    if (!facts->has_exit && facts->unborn)
        return verdict(VERDICT_REQUEUE, "never started");
    if (!facts->has_exit)
        return verdict(VERDICT_RETRY, "lost worker");
    if (facts->has_status)
        return classify_exit(facts);
    if (facts->out_of_memory)
        return verdict(VERDICT_RETRY, "out of memory");
    return verdict(VERDICT_RETRY, facts->signal == SIGKILL ? "killed" : "crash");
}

bool schedule_ran_out_of_memory(double oom_kills, double peak_mib, double limit_mib)
{
    return oom_kills > 0.0 || (limit_mib > 0.0 && peak_mib >= 0.9 * limit_mib);
}

bool schedule_gives_up(enum schedule_verdict verdict, int failures, int retries_max)
{
    int most = verdict == VERDICT_RETRAIN && retries_max < 1 ? 1 : retries_max;

    return verdict == VERDICT_FAILED ||
           ((verdict == VERDICT_RETRY || verdict == VERDICT_RETRAIN) && failures > most);
}

double schedule_backoff_s(double first_s, int failures, uint64_t job_id)
{
    struct random_stream stream = random_stream(job_id, "retry back-off", (uint64_t)failures);
    double seconds = first_s;

    assert(failures >= 1 && first_s >= 0.0);
    for (int i = 1; i < failures && seconds < 300.0; i++)
        seconds *= 2.0;
    if (seconds > 300.0)
        seconds = 300.0;
    return seconds * (0.75 + 0.5 * random_uniform(&stream));
}

double schedule_unwatched_s(double since_last_look_s)
{
    static const double USUAL_S = 5.0; /* between two looks, on a busy machine */

    return since_last_look_s > USUAL_S ? since_last_look_s - USUAL_S : 0.0;
}

int schedule_next(const struct schedule_candidate *candidates, int count, int cores_free,
                  int cores_total)
{
    for (int i = 0; i < count; i++) {
        const struct schedule_candidate *c = &candidates[i];
        int threads = c->threads < cores_total ? c->threads : cores_total;
        /* A wide job keeps its turn: narrower ones behind it must not starve it. */
        if (!c->blocked)
            return threads <= cores_free ? i : -1;
    }
    return -1;
}
