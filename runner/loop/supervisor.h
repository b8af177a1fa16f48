/*
 * supervisor.h - the runner's state while it works, shared by the files that make up
 * its loop.
 *
 *   supervise.c       the loop: signals, limits, requests, what is next
 *   slot.c            the jobs that are going on, and their cores
 *   attempt_start.c   a queued job becomes a running attempt
 *   attempt_end.c     what the end of an attempt means for its job
 *   adopt.c           what an earlier runner left behind
 *
 * Nothing here is for other modules: they call supervise().
 */
#ifndef RUNNER_SUPERVISOR_H
#define RUNNER_SUPERVISOR_H

#include "executor_local.h"
#include "progress.h"
#include "record.h"
#include "recorder.h"
#include "supervise.h"

#include "error.h"

enum { SUPERVISOR_MAX_CORES = 1024 };

/* A job with an attempt of its own that is going on. */
struct slot {
    struct supervisor *supervisor; /* borrowed: its owner */
    struct executor_local executor;
    struct recorder recorder;
    struct record_job job;           /* label owned */
    int cores[SUPERVISOR_MAX_CORES]; /* pinned to */
    int core_count;
    /* monotonic; of an adopted attempt: when its own runner started it */
    double started_at;
    double beat_at; /* monotonic time of the last change of the heartbeat */
    int64_t beat;
    double asked_at; /* monotonic time of the SIGTERM; 0: none sent */
    bool cancelled, timed_out, hung, flooded;
    bool rebooted;  /* adopted, and the machine has restarted since it began */
    bool unstarted; /* adopted as "starting", and no process of it was found */
    struct slot *next;
};

struct supervisor {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct store *store;               /* borrowed */
    const struct workspace *workspace; /* borrowed */
    const struct options *options;     /* borrowed */
    /* wakes the loop; NULL: there is none, as in a rebuild */
    executor_exit_fn *on_keeper_exit;
    const char *experiment;  /* borrowed; NULL: all */
    struct slot *slots;      /* owned list */
    struct record_job *jobs; /* owned; as of the last look */
    int job_count;
    int cores[SUPERVISOR_MAX_CORES]; /* places for threads: a core each, or in turn */
    bool core_used[SUPERVISOR_MAX_CORES];
    int core_count;
    int interrupts;
    bool finished;
    double next_look_at, next_count_at; /* monotonic */
    /* monotonic time of the last tick; 0: none yet */
    double ticked_at;
    double unwatched_s; /* before this tick: schedule_unwatched_s() */
    int jobs_left;      /* not over, as of the last count */
    struct progress progress;
    struct supervise_result result;
    int rc;
    struct error *err; /* borrowed */
};

/* A slot of the job, in the list; NULL: no memory. */
struct slot *slot_create(struct supervisor *s, const struct record_job *job);
/* Takes the slot out of the list and frees it, at once or when its handle is closed. */
void slot_destroy(struct supervisor *s, struct slot *slot);
/* The core joins the slot's; one of ours is no longer free. */
void slot_take_core(struct supervisor *s, struct slot *slot, int core);

/* Records the job and a new attempt as starting, writes its directory, starts its
 * keeper, records that it runs. */
int attempt_start(struct supervisor *s, const struct record_job *job) MUST_CHECK;
/* Writes down the process that the slot's attempt runs in. */
int attempt_record_running(struct supervisor *s, const struct slot *slot) MUST_CHECK;
/* The keeper is gone: reads the journal to its end and concludes, in one transaction,
 * and ends the slot. */
int attempt_conclude(struct supervisor *s, struct slot *slot) MUST_CHECK;

/* Takes over the attempts that an earlier runner left; jobs that it left without one go
 * back to the queue. */
int adopt_all(struct supervisor *s) MUST_CHECK;

#endif
