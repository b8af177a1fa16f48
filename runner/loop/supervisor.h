/*
 * supervisor.h - the runner's state while it works, shared by the files that make up
 * its loop.
 *
 *   supervise.c       the loop: signals, limits, requests, what is next
 *   slot.c            the jobs that are going on
 *   attempt_start.c   a queued job becomes a running attempt
 *   attempt_end.c     what the end of an attempt means for its job
 *   adopt.c           what an earlier runner left behind
 *   replay.c          attempts found on disk, for a rebuild
 *
 * Nothing here is for other modules: they call supervise().
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
    /* owned: released with the slot; NULL: there is nothing to watch, it is over */
    struct executor_task *task;
    struct recorder recorder;
    struct record_job job; /* label owned */
    /* monotonic; of an adopted attempt: when its own runner started it */
    double started_at;
    double beat_at; /* monotonic time of the last change of the heartbeat */
    int64_t beat;
    double asked_at; /* monotonic time of the SIGTERM; 0: none sent */
    bool cancelled, timed_out, hung, flooded;
    bool running;         /* recorded as such */
    enum outcome outside; /* of one that is gone: what its executor knows of its end */
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
    struct executor *executor; /* of them, borrowed; starts what is next */
    const char *experiment;    /* borrowed; NULL: all */
    struct slot *slots;        /* owned list */
    struct record_job *jobs;   /* owned; as of the last look */
    int job_count;
    int interrupts;
    bool finished;
    double next_look_at, next_count_at; /* monotonic */
    /* monotonic time of the last tick; 0: none yet */
    double ticked_at;
    double unwatched_s; /* before this tick: schedule_unwatched_s() */
    int jobs_left;      /* jobs that have not ended, at the last count */
    int priority;       /* the highest of them */
    struct progress progress;
    struct supervise_result result;
    int rc;
    struct error *err; /* borrowed */
};

/* A slot of the job, in the list; NULL: no memory. */
struct slot *slot_create(struct supervisor *s, const struct record_job *job);
/* Takes the slot out of the list and frees it; its task is released. */
void slot_destroy(struct supervisor *s, struct slot *slot);

/* Records the job and a new attempt as starting, writes its directory, has the executor
 * start it, records its place. */
int attempt_start(struct supervisor *s, const struct record_job *job) MUST_CHECK;
/* Writes down the place of the slot's attempt, and that it runs if it does. */
int attempt_record_place(struct supervisor *s, struct slot *slot) MUST_CHECK;
/* The worker is gone: reads the journal to its end and concludes, in one transaction,
 * and ends the slot. */
int attempt_conclude(struct supervisor *s, struct slot *slot) MUST_CHECK;

/* Takes over the attempts that an earlier runner left; jobs that it left without one go
 * back to the queue. */
int adopt_all(struct supervisor *s) MUST_CHECK;

#endif
