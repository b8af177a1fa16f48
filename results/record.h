/*
 * record.h - stores what happens while jobs run: job states, attempts, and the events
 * of journals.
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

/* A job that has not ended, as far as the scheduler needs it. */
struct record_job {
    int64_t job_id, run_id;
    char run_hash[65];
    enum job_state state; /* open; of a busy job also what it was made meanwhile */
    char *label;          /* owned: "experiment: arm seed N" for people */
    bool evaluate;
    bool own; /* of the experiment that was asked for, or none was */
    int priority, threads, retries_max, failures;
    double cost, memory_gb, time_limit_min, retry_delay_s;
    double hang_s; /* longest time without a heartbeat */
};
/* Jobs that are starting or running, or that have an attempt that is. */
int record_busy_jobs(struct store *store, struct record_job **out, int *count,
                     struct error *err) MUST_CHECK;
/* Whose jobs are next. */
struct record_scope {
    const char *experiment; /* a name; NULL: all of them, and the rest says nothing */
    /* jobs of other experiments go, too, where their priority is higher than that */
    int above;
    bool others;
};
/* At most so many queued jobs that may start now (wall clock), in the order in which
 * they should; evaluations wait for a training of their run. */
int record_next_jobs(struct store *store, struct record_job **out, int *count,
                     const struct record_scope *scope, double now, int most,
                     struct error *err) MUST_CHECK;
/* The run's job of this kind that has not ended: a list of none or one. */
int record_find_job(struct store *store, struct record_job **out, int *count, const char *hash,
                    bool evaluate, struct error *err) MUST_CHECK;
/* Totals over all jobs that have not ended. */
struct record_totals {
    int jobs;
    int priority; /* the highest; 0 without jobs */
    double cost;  /* FLOPs */
};
int record_open_totals(struct store *store, struct record_totals *out, const char *experiment,
                       struct error *err) MUST_CHECK;
void record_free_jobs(struct record_job *jobs, int count);

/* The one function that changes a job's state. message may be NULL; finished_at is set
 * for states that are over. */
int record_job_state(struct store *store, int64_t job_id, enum job_state state,
                     enum outcome cause, const char *message, struct error *err) MUST_CHECK;
/* Queues the job again at a person's request: its count of failures starts again at
 * 0. */
int record_job_requeue(struct store *store, int64_t job_id, struct error *err) MUST_CHECK;
/* Queues the job again after a failure, which counts against retries if counts is
 * set. */
/* A not_before further ahead than this is ignored: the clock must have been set
 * back. */
enum { RECORD_LONGEST_WAIT_S = 400 };
int record_job_retry(struct store *store, int64_t job_id, bool counts, double not_before,
                     enum outcome cause, const char *message, struct error *err) MUST_CHECK;

/* A new attempt of the job, numbered upwards within the run from least on, in state
 * 'starting', with no place yet. executor: by name. directory is written:
 * runs/HASH/attempts/N. */
int record_attempt(struct store *store, int64_t *attempt_id, int *number, char directory[160],
                   const struct record_job *job, const char *executor, int least,
                   struct error *err) MUST_CHECK;

struct record_place {
    const char *place; /* by which the executor finds the attempt again */
    const char *host;  /* name of the machine; "" not known */
    const char *cpus;  /* cores, "0,1"; "" not known */
};
int record_attempt_place(struct store *store, int64_t attempt_id,
                         const struct record_place *place, struct error *err) MUST_CHECK;

/* The members of job.json, except cpus, as a fresh object. */
int record_job_json(struct store *store, cJSON **out, const struct record_job *job, int attempt,
                    struct error *err) MUST_CHECK;

/* Writes the job's execution settings, as last asked for, over those in config, the
 * settings of its run. A job without execution settings leaves config as it is. */
int record_job_settings(struct store *store, cJSON *config, int64_t job_id,
                        struct error *err) MUST_CHECK;

/* Its worker runs. */
int record_attempt_running(struct store *store, int64_t attempt_id, int64_t job_id,
                           struct error *err) MUST_CHECK;

struct record_attempt {
    int64_t attempt_id, job_id, run_id, offset, sequence;
    int number;
    enum attempt_state state;
    char directory[160], executor[32];
    char place[640]; /* of the executor; "" it cannot be found any more */
};
/* The attempts that have not ended, in the order of their starts. */
int record_open_attempts(struct store *store, struct record_attempt **out, int *count,
                         struct error *err) MUST_CHECK;
/* All attempts of the run, by number. */
int record_run_attempts(struct store *store, struct record_attempt **out, int *count,
                        int64_t run_id, struct error *err) MUST_CHECK;

/*
 * Applies one journal event. Values repeated after a resume must equal those stored:
 * ERROR_DAMAGED when they do not (on another kernel set or number of threads the run
 * becomes 'mixed' and the new value stays), and for members that are missing or that
 * the schema does not allow. Unknown types are ignored.
 */
int record_event(struct store *store, const struct record_attempt *attempt, const char *type,
                 const cJSON *body, struct error *err) MUST_CHECK;
int record_offset(struct store *store, int64_t attempt_id, int64_t offset, int64_t sequence,
                  struct error *err) MUST_CHECK;

/* How an attempt ended; from its exit.json if it has one. */
struct record_end {
    enum attempt_state state; /* ended, superseded, quarantined */
    enum outcome outcome;
    const char *message; /* NULL: none */
    const cJSON *exit;
};
int record_attempt_end(struct store *store, int64_t attempt_id, const struct record_end *end,
                       struct error *err) MUST_CHECK;

/* The directory that the database lies in: absolute path, st_dev and st_ino of it. */
struct record_workspace {
    const char *path;
    int64_t device, inode;
    bool any_device; /* st_dev means nothing: a network file system */
};
/* Records the directory of the database. If it was in another one before, it is a copy
 * (or was moved between file systems): *from, fresh and the caller's, is that path, and
 * attempts that have not ended lose their processes, which belong to the original.
 * *from NULL: the directory is the same. */
int record_workspace(struct store *store, char **from, const struct record_workspace *place,
                     struct error *err) MUST_CHECK;

/* The oldest request that was not answered yet; *id 0: none. */
int record_next_request(struct store *store, int64_t *id, enum request_kind *kind,
                        char target[160], struct error *err) MUST_CHECK;
int record_answer_request(struct store *store, int64_t id, const char *answer,
                          struct error *err) MUST_CHECK;
enum record_sharing {
    RECORD_ALL_JOBS,
    RECORD_UNSHARED_JOBS /* without those that another experiment wants, too */
};
/* Job ids a target (experiment name, run hash prefix, "all") means, in the given
 * states, a set of JOB_IN(). Fresh list. */
int record_find_jobs(struct store *store, int64_t **ids, int *count, const char *target,
                     unsigned states, enum record_sharing sharing,
                     struct error *err) MUST_CHECK;
/* Counts the jobs of the experiment in these states that another experiment, not
 * cancelled, wants too. */
int record_count_shared_jobs(struct store *store, int64_t *out, const char *target,
                             unsigned states, struct error *err) MUST_CHECK;
/* Records that the experiment (or all of them) is cancelled, or no longer is. A run
 * that several experiments share is cancelled when the last of them is. */
int record_cancel_experiment(struct store *store, const char *target, bool cancelled,
                             struct error *err) MUST_CHECK;

#endif
