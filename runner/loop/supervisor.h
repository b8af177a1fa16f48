/*
 * supervisor.h - the runner's state while it is running, shared by the files of its
 * loop.
 *
 *   supervise.c       the loop: signals, limits, requests, the next jobs
 *   slot.c            the list of running jobs
 *   attempt_start.c   a queued job becomes a running attempt
 *   attempt_end.c     what the end of an attempt means for its job
 *   adopt.c           attempts of an earlier runner
 *   replay.c          attempts found on disk, for a rebuild
 *
 * Other modules do not use this header: they call supervise().
 */
#ifndef RUNNER_SUPERVISOR_H
#define RUNNER_SUPERVISOR_H

#include "executors.h"
#include "progress.h"
#include "record.h"
#include "recorder.h"
#include "supervise.h"

#include "error.h"

/* A job whose attempt is running. */
struct slot {
    /* owned: released with the slot; NULL: the attempt is over and nothing is
     * watched */
    struct executor_task *task;
    struct recorder recorder;
    struct record_job job; /* label owned */
    /* monotonic time; of an adopted attempt: when its own runner started it */
    double started_at;
    double beat_at; /* monotonic time of the last change of the heartbeat */
    int64_t beat;
    double asked_at; /* monotonic time of the SIGTERM; 0: none sent */
    bool cancelled, timed_out, hung, flooded;
    bool running;         /* whether it is recorded as running */
    enum outcome outside; /* cause of its end according to its executor */
    struct slot *next;
};

struct supervisor {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct store *store;               /* borrowed */
    const struct workspace *workspace; /* borrowed */
    const struct options *options;     /* borrowed */
    struct executor_set executors;
    struct executor *executor; /* borrowed; starts the next jobs */
    const char *experiment;    /* borrowed; NULL: all */
    struct slot *slots;        /* owned list */
    struct record_job *jobs;   /* owned; as of the last query */
    int job_count;
    int interrupts;
    int let_go; /* attempts that go on without this runner */
    bool finished;
    double next_look_at, next_count_at; /* monotonic */
    /* monotonic time of the last tick; 0: there was none */
    double ticked_at;
    double unwatched_s; /* before this tick, in seconds: schedule_unwatched_s() */
    int jobs_left;      /* open jobs at the last count */
    int priority;       /* highest priority of these */
    struct progress progress;
    struct supervise_result result;
    int rc;
    struct error *err; /* borrowed */
};

/* Adds a slot for the job to the list; NULL: no memory. */
struct slot *slot_create(struct supervisor *s, const struct record_job *job);
/* Removes the slot from the list and frees it; its task is released. */
void slot_destroy(struct supervisor *s, struct slot *slot);

/* Sets the job's threads to the slots that its attempt would take. */
int attempt_count_cores(const struct supervisor *s, struct record_job *job) MUST_CHECK;
/* Records the job and a new attempt as starting, writes its directory, makes the
 * executor start it, and records its place. */
int attempt_start(struct supervisor *s, const struct record_job *job) MUST_CHECK;
/* Records the place of the slot's attempt and, once it runs, that it is running. */
int attempt_record_place(struct supervisor *s, struct slot *slot) MUST_CHECK;
/* After the worker is gone: reads the journal to its end and concludes the attempt,
 * in one transaction, then destroys the slot. */
int attempt_conclude(struct supervisor *s, struct slot *slot) MUST_CHECK;

/* Takes over the attempts of an earlier runner; its jobs without an attempt are
 * queued again. */
int adopt_all(struct supervisor *s) MUST_CHECK;

#endif
