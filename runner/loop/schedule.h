/*
 * schedule.h - policy: what an attempt's end means, when to try again, what is next.
 *
 * Plain functions over plain structs; time is passed in.
 */
#ifndef RUNNER_SCHEDULE_H
#define RUNNER_SCHEDULE_H

#include "job_state.h"

#include <stdbool.h>
#include <stdint.h>

/* The facts about an attempt that has ended. */
struct schedule_facts {
    bool has_exit;   /* exit.json is there */
    bool has_status; /* it exited (else: a signal) */
    int exit_status, signal;
    enum outcome outcome;          /* of the journal's end or error event */
    bool cancelled;                /* we stopped it because its job was cancelled */
    bool stopping;                 /* we stopped it because the runner is stopping */
    bool timed_out, hung, flooded; /* we ended it for that */
    enum outcome outside;          /* what its executor knows of its end */
    bool out_of_memory;            /* schedule_ran_out_of_memory() */
};

/* What becomes of the job. */
enum schedule_action {
    ACTION_DONE,    /* the job is done (diverged is a result) */
    ACTION_REQUEUE, /* stopped, not its fault: again, not counted as a failure */
    ACTION_PAUSE,   /* the same, but only after a while */
    ACTION_RETRY,   /* a failure that may pass */
    /* the same, once the run has been trained again: its final weights are damaged */
    ACTION_RETRAIN,
    ACTION_FAIL, /* a failure that trying again cannot mend */
    ACTION_CANCEL
};

struct schedule_end {
    enum schedule_action action;
    enum outcome cause; /* OUTCOME_NONE when done as planned */
};

struct schedule_end schedule_classify(const struct schedule_facts *facts);
/* The end with that cause, and what usually becomes of a job for it. */
struct schedule_end schedule_end_of(enum outcome cause);

/* The machine of the attempt went down: it may have taken the end of the journal
 * along. */
bool schedule_machine_failed(enum outcome outside);

/* Whether a worker that a signal ended was out of memory: the kernel's count of
 * processes killed by the out-of-memory killer rose at about that time, or the worker's
 * peak came near its limit (0: none), where allocations fail in libraries that then
 * abort. */
bool schedule_ran_out_of_memory(double oom_kills, double peak_mib, double limit_mib);

/* A job that has failed so often (this time included) is failed for good. An evaluation
 * whose weights were damaged gets one more try in any case: training again is what
 * mends it. */
bool schedule_gives_up(enum schedule_action action, int failures, int retries_max);

/* Seconds to wait before the next attempt: first_s, twice that, ... at most 300, times
 * a jitter in [0.75, 1.25) that depends on the job alone. failures >= 1. Below
 * RECORD_LONGEST_WAIT_S. */
double schedule_backoff_s(double first_s, int failures, uint64_t job_id);

/* How much of the time since the last tick the runner, or the whole machine, must have
 * been suspended. That time does not count as a worker's silence. */
double schedule_unwatched_s(double since_last_look_s);

struct schedule_candidate {
    int threads;
    bool blocked; /* its run has an attempt going on */
};
/* The first candidate, in order of preference, that fits the free cores; -1: none. A
 * job with more threads than cores_total runs on all of them. */
int schedule_next(const struct schedule_candidate *candidates, int count, int cores_free,
                  int cores_total);

#endif
