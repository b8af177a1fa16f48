/*
 * record.h - stores what happens while jobs are running: states of jobs, attempts, and
 * the events of journals.
 *
 * All functions run in the caller's transaction.
 */
#ifndef RESULTS_RECORD_H
#define RESULTS_RECORD_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "job_state.h"

struct store;

/* An open job, as far as the scheduler needs it. */
struct record_job {
    int64_t job_id, run_id;
    char run_hash[65];
    enum job_state state; /* open; for a busy job it may have changed meanwhile */
    char *label;          /* owned: "experiment: arm seed N" for messages */
    bool evaluate;
    bool own; /* it belongs to the experiment that was asked for, or none was */
    int priority, threads, retries_max, failures;
    double cost, memory_gb, time_limit_min, retry_delay_s;
    double hang_s;     /* longest time without a heartbeat, in seconds */
    double not_before; /* wall clock; before it a retry waits */
};
/* Jobs of all experiments that are starting or running, or have such an attempt.
 * experiment: the one that own refers to, and that labels name; NULL: none. */
int record_busy_jobs(struct store *store, struct record_job **out, int *count,
                     const char *experiment, struct error *err) MUST_CHECK;
/* Which jobs may be next. */
struct record_scope {
    /* a name; NULL: all experiments, and the other members are not used */
    const char *experiment;
    /* jobs of other experiments are included if their priority is higher */
    int above;
    bool others;
};
/* Queued jobs that may start now (wall clock), in the order in which they should
 * start; at most as many as asked for. Evaluations wait for a training of their run. */
int record_next_jobs(struct store *store, struct record_job **out, int *count,
                     const struct record_scope *scope, double now, int most,
                     struct error *err) MUST_CHECK;
/* The run's open job of this kind: a list of at most one. */
int record_find_job(struct store *store, struct record_job **out, int *count, const char *hash,
                    bool evaluate, struct error *err) MUST_CHECK;
/* Totals over all open jobs. */
struct record_totals {
    int jobs;
    int priority; /* the highest; 0: no jobs */
    double cost;  /* FLOPs */
};
int record_open_totals(struct store *store, struct record_totals *out, const char *experiment,
                       struct error *err) MUST_CHECK;
void record_free_jobs(struct record_job *jobs, int count);

/* Changes a job's state; no other function does. message may be NULL; finished_at is
 * set for final states. */
int record_job_state(struct store *store, int64_t job_id, enum job_state state,
                     enum outcome cause, const char *message, struct error *err) MUST_CHECK;
/* Queues the job again on a user's request: its count of failures restarts at 0. */
int record_job_requeue(struct store *store, int64_t job_id, struct error *err) MUST_CHECK;
/* A not_before further ahead than this is ignored: the clock was set back. */
enum { RECORD_LONGEST_WAIT_S = 400 };
/* Queues the job again after a failure; counts: the failure counts against retries. */
int record_job_retry(struct store *store, int64_t job_id, bool counts, double not_before,
                     enum outcome cause, const char *message, struct error *err) MUST_CHECK;

/* Adds an attempt of the job, numbered upwards within the run and at least least, in
 * state 'starting', without a place. executor: its name. Writes directory:
 * runs/HASH/attempts/N. */
int record_attempt(struct store *store, int64_t *attempt_id, int *number, char directory[160],
                   const struct record_job *job, const char *executor, int least,
                   struct error *err) MUST_CHECK;

struct record_place {
    const char *place; /* by which the executor finds the attempt again */
    const char *host;  /* name of the machine; "": unknown */
    const char *cpus;  /* cores, "0,2,4-7"; "": unknown */
};
int record_attempt_place(struct store *store, int64_t attempt_id,
                         const struct record_place *place, struct error *err) MUST_CHECK;

/* The members of job.json, except cpus, as a newly allocated object. */
int record_job_json(struct store *store, cJSON **out, const struct record_job *job, int attempt,
                    struct error *err) MUST_CHECK;

/* Writes the job's execution settings, as last asked for, into config, which has the
 * settings of its run. A job without execution settings leaves config unchanged. */
int record_job_settings(struct store *store, cJSON *config, int64_t job_id,
                        struct error *err) MUST_CHECK;

/* Records that the attempt's worker is running, and its job unless that is over
 * already: cancelled. */
int record_attempt_running(struct store *store, int64_t attempt_id, int64_t job_id,
                           struct error *err) MUST_CHECK;

struct record_attempt {
    int64_t attempt_id, job_id, run_id, offset, sequence;
    int number;
    enum attempt_state state;
    char directory[160], executor[32];
    char place[640]; /* for the executor; "": it cannot be found any more */
};
/* The attempts that have not ended, in the order of their starts. */
int record_open_attempts(struct store *store, struct record_attempt **out, int *count,
                         struct error *err) MUST_CHECK;
/* All attempts of the run, by number. */
int record_run_attempts(struct store *store, struct record_attempt **out, int *count,
                        int64_t run_id, struct error *err) MUST_CHECK;

/*
 * Applies one journal event. Values repeated after a resume must equal the stored
 * ones, otherwise ERROR_DAMAGED; with another kernel set or number of threads the run
 * becomes 'mixed' instead and the new value replaces the old one. ERROR_DAMAGED also
 * for members that are missing or that the schema does not allow. Unknown types are
 * ignored.
 */
int record_event(struct store *store, const struct record_attempt *attempt, const char *type,
                 const cJSON *body, struct error *err) MUST_CHECK;
int record_offset(struct store *store, int64_t attempt_id, int64_t offset, int64_t sequence,
                  struct error *err) MUST_CHECK;

/* How an attempt ended, from its exit.json if it has one. */
struct record_end {
    enum attempt_state state; /* ended, superseded, quarantined */
    enum outcome outcome;
    const char *message; /* NULL: none */
    const cJSON *exit;
};
int record_attempt_end(struct store *store, int64_t attempt_id, const struct record_end *end,
                       struct error *err) MUST_CHECK;

/* The directory of the database: absolute path, st_dev and st_ino. */
struct record_workspace {
    const char *path;
    int64_t device, inode;
    bool any_device; /* st_dev is not stable: a network file system */
};
/* Records the directory of the database. If it was in another one before, it is a
 * copy (or was moved between file systems): *from, newly allocated, is that path,
 * and attempts that have not ended lose their places, because the processes belong
 * to the original. *from NULL: the directory is the same. */
int record_workspace(struct store *store, char **from, const struct record_workspace *place,
                     struct error *err) MUST_CHECK;

/* The oldest unanswered request; *id 0: none. */
int record_next_request(struct store *store, int64_t *id, enum request_kind *kind,
                        char target[160], struct error *err) MUST_CHECK;
int record_answer_request(struct store *store, int64_t id, const char *answer,
                          struct error *err) MUST_CHECK;
enum record_sharing {
    RECORD_ALL_JOBS,
    RECORD_UNSHARED_JOBS /* without jobs that another experiment needs too */
};
/* The ids of the jobs of a target (experiment name, run hash prefix, "all") in the
 * given states, a set of JOB_IN(). A newly allocated list. */
int record_find_jobs(struct store *store, int64_t **ids, int *count, const char *target,
                     unsigned states, enum record_sharing sharing,
                     struct error *err) MUST_CHECK;
/* Counts the jobs of the experiment in these states that another experiment, not
 * cancelled, needs too. */
int record_count_shared_jobs(struct store *store, int64_t *out, const char *target,
                             unsigned states, struct error *err) MUST_CHECK;
/* Records whether the experiment (or all of them) is cancelled. A run that several
 * experiments share is cancelled when the last of them is. */
int record_cancel_experiment(struct store *store, const char *target, bool cancelled,
                             struct error *err) MUST_CHECK;

#endif
