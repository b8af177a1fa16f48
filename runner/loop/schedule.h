/*
 * schedule.h - policy: what an attempt's end means, when to retry, which job is next.
 *
 * Plain functions over plain structs; time is an argument.
 */
#ifndef RUNNER_SCHEDULE_H
#define RUNNER_SCHEDULE_H

#include "job_state.h"

#include <stdbool.h>
#include <stdint.h>

/* The facts about an attempt that has ended. */
struct schedule_facts {
    bool has_exit;   /* exit.json exists */
    bool has_status; /* it exited by itself; false: a signal ended it */
    int exit_status, signal;
    enum outcome outcome;          /* of the journal's end or error event */
    bool cancelled;                /* we stopped it because its job was cancelled */
    bool stopping;                 /* we stopped it because the runner is stopping */
    bool timed_out, hung, flooded; /* the runner killed it for this */
    enum outcome outside;          /* cause of its end according to its executor */
    bool out_of_memory;            /* schedule_ran_out_of_memory() */
    bool advanced; /* it wrote a later checkpoint than the one it resumed from */
};

/* What happens to the job. */
enum schedule_action {
    ACTION_DONE, /* the job is done (divergence is a result) */
    /* stopped through no fault of its own: queued again, not a failure */
    ACTION_REQUEUE,
    ACTION_PAUSE, /* likewise, after a pause */
    ACTION_RETRY, /* a failure that may be temporary */
    /* likewise, once the run was trained again: its final weights are damaged */
    ACTION_RETRAIN,
    ACTION_FAIL, /* a failure that would occur again */
    ACTION_CANCEL
};

struct schedule_end {
    enum schedule_action action;
    enum outcome cause; /* OUTCOME_NONE: completed as planned */
};

struct schedule_end schedule_classify(const struct schedule_facts *facts);
/* The end with this cause, and its usual action. */
struct schedule_end schedule_end_of(enum outcome cause);

/* Whether the machine of the attempt went down, in which case the end of the journal
 * may be lost. */
bool schedule_machine_failed(enum outcome outside);

/* Whether a worker that was ended by a signal ran out of memory: the kernel's count
 * of out-of-memory kills rose at about that time; or the worker's peak memory came
 * close to its limit (0: none), where allocations fail in libraries that then abort. */
bool schedule_ran_out_of_memory(double oom_kills, double peak_mib, double limit_mib);

/* Whether a job that has failed so often (this time included) is failed for good. An
 * evaluation whose weights were damaged always gets another try, after a new
 * training. */
bool schedule_gives_up(enum schedule_action action, int failures, int retries_max);

/* Seconds to wait before the next attempt: first_s, doubled with each failure, at
 * most 300, times a jitter in [0.75, 1.25) that depends on the job alone. failures
 * >= 1. Below RECORD_LONGEST_WAIT_S. */
double schedule_backoff_s(double first_s, int failures, uint64_t job_id);

/* The part of the time since the last tick for which the runner, or the whole
 * machine, must have been suspended. It does not count as a worker's silence. */
double schedule_unwatched_s(double since_last_look_s);

/* Whether a job that asks for so many cores may start. One that asks for more than
 * there are runs on all of them. */
bool schedule_has_room(int cores, int cores_free, int cores_total);

#endif
