/* schedule.c - classifies the ends of attempts, and orders jobs. */
#include "schedule.h"

#include "random.h"

#include <assert.h>
#include <signal.h>

/* What happens to a job for each outcome of its attempt. */
static const enum schedule_action ACTIONS[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = ACTION_DONE,
    [OUTCOME_DONE] = ACTION_DONE,
    [OUTCOME_DIVERGED] = ACTION_DONE,
    [OUTCOME_FAILED] = ACTION_RETRY,
    [OUTCOME_STOPPED] = ACTION_REQUEUE,
    [OUTCOME_CANCELLED] = ACTION_CANCEL,
    [OUTCOME_SUPERSEDED] = ACTION_REQUEUE,
    [OUTCOME_QUARANTINED] = ACTION_FAIL,
    [OUTCOME_JOURNAL] = ACTION_FAIL,
    [OUTCOME_BAD_JOB] = ACTION_FAIL,
    [OUTCOME_ENVIRONMENT] = ACTION_FAIL,
    [OUTCOME_DATA_CHANGED] = ACTION_FAIL,
    [OUTCOME_OUT_OF_MEMORY] = ACTION_RETRY,
    [OUTCOME_DISK_FULL] = ACTION_PAUSE,
    [OUTCOME_CHECKPOINT_DAMAGED] = ACTION_RETRAIN,
    [OUTCOME_CRASH] = ACTION_RETRY,
    [OUTCOME_KILLED] = ACTION_RETRY,
    [OUTCOME_NO_RESULT] = ACTION_RETRY,
    [OUTCOME_NO_BEGINNING] = ACTION_RETRY,
    [OUTCOME_HANG] = ACTION_RETRY,
    [OUTCOME_TIME_LIMIT] = ACTION_FAIL,
    [OUTCOME_ENDLESS_OUTPUT] = ACTION_FAIL,
    [OUTCOME_LOST] = ACTION_RETRY,
    [OUTCOME_NEVER_STARTED] = ACTION_REQUEUE,
    [OUTCOME_RESTARTED] = ACTION_REQUEUE,
    [OUTCOME_NODE_FAILURE] = ACTION_REQUEUE,
    [OUTCOME_LAUNCH_FAILURE] = ACTION_RETRY,
    [OUTCOME_PREEMPTED] = ACTION_REQUEUE,
    [OUTCOME_JOB_TIME_OUT] = ACTION_REQUEUE,
    [OUTCOME_BASE_FAILED] = ACTION_FAIL,
};

struct schedule_end schedule_end_of(enum outcome cause)
{
    assert((unsigned)cause < OUTCOME_COUNT);
    return (struct schedule_end){ ACTIONS[cause], cause };
}

/* Classifies by the worker's own exit code. */
static struct schedule_end classify_exit(const struct schedule_facts *facts)
{
    enum outcome cause = outcome_of_exit(facts->exit_status);

    if (cause == OUTCOME_DONE)
        cause = OUTCOME_NO_RESULT;
    if (cause == OUTCOME_DIVERGED) /* the journal has no diverged event */
        cause = OUTCOME_CRASH;
    /* The worker reported a failed allocation: another attempt would fail too. */
    if (cause == OUTCOME_OUT_OF_MEMORY)
        return (struct schedule_end){ ACTION_FAIL, cause };
    return schedule_end_of(cause);
}

/*
 * Whether the attempt has completed. The end event is the last one a worker writes,
 * after syncing everything else. It counts unless exit.json contradicts it: a crash or
 * another exit code after "done" is a fault, but a worker or keeper that was killed
 * between the end event and its exit has completed.
 */
static bool finished(const struct schedule_facts *facts)
{
    if (facts->outcome != OUTCOME_DONE && facts->outcome != OUTCOME_DIVERGED)
        return false;
    if (!facts->has_exit)
        return true;
    if (!facts->has_status)
        return facts->signal == SIGKILL || facts->signal == SIGTERM;
    return facts->exit_status == outcome_exit_code(facts->outcome);
}

/* Whether the executor's cause counts: the worker has no exit status, or that of a
 * worker that was asked to stop. If exit.json states how the worker ended, the cause
 * that its process is gone is ignored. */
static bool outside_counts(const struct schedule_facts *facts)
{
    if (facts->outside == OUTCOME_NONE || !facts->has_exit)
        return facts->outside != OUTCOME_NONE;
    if (facts->outside == OUTCOME_RESTARTED || facts->outside == OUTCOME_NEVER_STARTED)
        return false;
    return !facts->has_status || facts->exit_status == outcome_exit_code(OUTCOME_STOPPED);
}

bool schedule_machine_failed(enum outcome outside)
{
    return outside == OUTCOME_RESTARTED || outside == OUTCOME_NODE_FAILURE;
}

struct schedule_end schedule_classify(const struct schedule_facts *facts)
{
    if (finished(facts)) /* even if it was asked to stop or to be killed */
        return schedule_end_of(facts->outcome == OUTCOME_DIVERGED ? OUTCOME_DIVERGED
                                                                  : OUTCOME_NONE);
    if (facts->cancelled)
        return schedule_end_of(OUTCOME_CANCELLED);
    if (facts->timed_out)
        return schedule_end_of(OUTCOME_TIME_LIMIT);
    if (facts->flooded)
        return schedule_end_of(OUTCOME_ENDLESS_OUTPUT);
    if (facts->hung)
        return schedule_end_of(OUTCOME_HANG);
    if (facts->stopping)
        return schedule_end_of(OUTCOME_STOPPED);
    /* without a later checkpoint the next job would end in the same way */
    if (outside_counts(facts) && facts->outside == OUTCOME_JOB_TIME_OUT && !facts->advanced)
        return (struct schedule_end){ ACTION_RETRY, OUTCOME_JOB_TIME_OUT };
    if (outside_counts(facts))
        return schedule_end_of(facts->outside);
    if (!facts->has_exit && facts->outcome == OUTCOME_DISK_FULL)
        /* the keeper could not write exit.json */
        return schedule_end_of(OUTCOME_DISK_FULL);
    if (!facts->has_exit)
        return schedule_end_of(OUTCOME_LOST);
    if (facts->has_status)
        return classify_exit(facts);
    if (facts->out_of_memory)
        return schedule_end_of(OUTCOME_OUT_OF_MEMORY);
    return schedule_end_of(facts->signal == SIGKILL ? OUTCOME_KILLED : OUTCOME_CRASH);
}

bool schedule_ran_out_of_memory(double oom_kills, double peak_mib, double limit_mib)
{
    return oom_kills > 0.0 || (limit_mib > 0.0 && peak_mib >= 0.9 * limit_mib);
}

bool schedule_gives_up(enum schedule_action action, int failures, int retries_max)
{
    int most = action == ACTION_RETRAIN && retries_max < 1 ? 1 : retries_max;

    return action == ACTION_FAIL ||
           ((action == ACTION_RETRY || action == ACTION_RETRAIN) && failures > most);
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
    /* longest usual time between two ticks, on a busy machine */
    static const double USUAL_S = 5.0;

    return since_last_look_s > USUAL_S ? since_last_look_s - USUAL_S : 0.0;
}

bool schedule_has_room(int cores, int cores_free, int cores_total)
{
    return cores_free > 0 && (cores <= cores_free || cores_free == cores_total);
}
