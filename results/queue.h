/*
 * queue.h - the write side of planning: experiments, arms, runs, evaluations and jobs.
 *
 * All functions run in the caller's transaction.
 */
#ifndef RESULTS_QUEUE_H
#define RESULTS_QUEUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "job_state.h"

struct store;

struct queue_experiment {
    const char *name, *description, *spec_hash, *spec_file;
    int priority;
};

/* An experiment as it is in the store. */
struct queue_known {
    int64_t id;         /* 0: there is none of that name */
    char spec_hash[65]; /* as it was queued last */
    char *spec_file;    /* owned; "" of runs that a rebuild found without a spec */
};
int queue_find_experiment(struct store *store, struct queue_known *out, const char *name,
                          struct error *err) MUST_CHECK;

/* Adds the experiment (id 0), or puts what is asked now in the place of what was asked
 * before. */
int queue_experiment(struct store *store, int64_t *id,
                     const struct queue_experiment *experiment, struct error *err) MUST_CHECK;

/* The hashes of the experiment's runs, fresh, each of 64 digits and a NUL; one after
 * the other in the order of the digits. */
int queue_run_hashes(struct store *store, char (**out)[65], int *count, int64_t experiment_id,
                     struct error *err) MUST_CHECK;
/* How many evaluations the experiment asks for, over all its runs. */
int queue_count_evaluations(struct store *store, int64_t *out, int64_t experiment_id,
                            struct error *err) MUST_CHECK;
/* Forgets the experiment's arms and what its plan dropped; runs and results stay. */
int queue_forget_arms(struct store *store, int64_t experiment_id, struct error *err) MUST_CHECK;

int queue_arm(struct store *store, int64_t *id, int64_t experiment_id, int position,
              const char *label, const cJSON *axes, struct error *err) MUST_CHECK;

/* Finds or adds the settings that runs share, whatever their seed: every active one,
 * key -> value, defaults included. */
int queue_config(struct store *store, int64_t *id, const cJSON *settings,
                 struct error *err) MUST_CHECK;

struct queue_run {
    const char *hash, *canonical, *data_hash;
    const char *numeric_version; /* of the engine; NULL: of this one */
    /* JSON object: all settings but the job's, for job.json */
    const char *job_config;
    int64_t config_id; /* queue_config()'s */
    int64_t seed, parameters, puzzle_parameters, total_steps;
    double train_flops;
};

/* Adds a run, which must be new (see queue_state()). */
int queue_run(struct store *store, int64_t *id, const struct queue_run *run,
              struct error *err) MUST_CHECK;

struct queue_evaluation {
    const char *canonical;
    int64_t outer_steps, augmentations, eval_seed;
    bool act_inference, train_split;
};

/* Runs whose ids follow each other: count of them from first. */
struct queue_range {
    int64_t first, count;
};

/* The runs have the evaluation. Repeating it changes nothing. */
int queue_evaluation(struct store *store, struct queue_range runs,
                     const struct queue_evaluation *evaluation, struct error *err) MUST_CHECK;
/* The run's evaluation by its canonical text; *id 0: it has none. */
int queue_find_evaluation(struct store *store, int64_t *id, int64_t run_id,
                          const char *canonical, struct error *err) MUST_CHECK;
/* The arm consists of the runs, too. Repeating it changes nothing. */
int queue_link_runs(struct store *store, int64_t arm_id, struct queue_range runs,
                    struct error *err) MUST_CHECK;
/* The arm asks for the evaluation of its runs. Repeating it changes nothing. */
int queue_link_evaluation(struct store *store, int64_t arm_id, const char *canonical,
                          struct error *err) MUST_CHECK;
int queue_dropped(struct store *store, int64_t experiment_id, const char *arm,
                  const char *evaluation, const char *reason, struct error *err) MUST_CHECK;

/* Finds or adds how and where jobs are executed: config_job_settings(). */
int queue_execution(struct store *store, int64_t *id, const cJSON *settings,
                    struct error *err) MUST_CHECK;

struct queue_job {
    int64_t run_id, execution_id;
    bool evaluate; /* else train */
    int priority, threads, retries_max;
    double cost, memory_gb, time_limit_min, retry_delay_s;
};

/* Adds a queued job. */
int queue_job(struct store *store, int64_t *id, const struct queue_job *job,
              struct error *err) MUST_CHECK;
/* Adds one of that kind for each of the runs; job->run_id is ignored. */
int queue_jobs(struct store *store, struct queue_range runs, const struct queue_job *job,
               struct error *err) MUST_CHECK;
/* Every job of the arm's runs, whatever its state, is executed like that from its next
 * attempt on; which run, evaluations, priority and cost it has stays. */
int queue_execute_like(struct store *store, int64_t arm_id, const struct queue_job *job,
                       struct error *err) MUST_CHECK;
/* The same for one job. */
int queue_execute_job_like(struct store *store, int64_t job_id, const struct queue_job *job,
                           struct error *err) MUST_CHECK;
/* Adds one of the kind that is executed like the newest job of its run, with its
 * priority and cost. */
int queue_job_like(struct store *store, int64_t *id, int64_t run_id, bool evaluate,
                   struct error *err) MUST_CHECK;
int queue_job_evaluation(struct store *store, int64_t job_id, int64_t evaluation_id,
                         struct error *err) MUST_CHECK;
/* The same for the evaluation of the job's run by its canonical text, unless it has a
 * result. */
int queue_job_if_missing(struct store *store, int64_t job_id, const char *canonical,
                         struct error *err) MUST_CHECK;

/* Whether there is such a run, and whether it waits or runs: what is asked first, of
 * every run of a plan. *run_id 0: unknown; *open_job as in queue_state. */
int queue_find_run(struct store *store, int64_t *run_id, int64_t *open_job,
                   const char *run_hash, struct error *err) MUST_CHECK;

/* How a run stands, for the plan and for queueing. */
struct queue_state {
    int64_t run_id; /* 0: unknown run */
    /* a train or evaluate job that is queued, starting or running; 0 */
    int64_t open_job;
    int64_t last_train_job;     /* 0: never queued */
    enum job_state train_state; /* of that job */
    enum outcome train_cause;   /* of that job */
    /* file of the final checkpoint, relative to the workspace; "" */
    char checkpoint[256];
};
int queue_state(struct store *store, struct queue_state *out, const char *run_hash,
                struct error *err) MUST_CHECK;
/* Whether a 'last' result is stored for the evaluation of run by canonical text. */
int queue_has_result(struct store *store, bool *out, int64_t run_id, const char *canonical,
                     struct error *err) MUST_CHECK;
/* The run's final checkpoint is gone: forgets it, so that it is trained again. */
int queue_forget_checkpoint(struct store *store, int64_t run_id, struct error *err) MUST_CHECK;

/* An evaluation that some arm asks for and that has no result at the last
 * checkpoint. */
struct queue_missing {
    int64_t evaluation_id;
    char *canonical; /* owned */
};
int queue_missing_evaluations(struct store *store, struct queue_missing **out, int *count,
                              int64_t run_id, struct error *err) MUST_CHECK;
void queue_free_missing(struct queue_missing *missing, int count);

/* Jobs of the experiment's runs that are not over get the highest priority of those
 * experiments that want them. */
int queue_set_priority(struct store *store, int64_t experiment_id,
                       struct error *err) MUST_CHECK;

/* Requests of other commands to the runner. */
int queue_request(struct store *store, enum request_kind kind, const char *target,
                  struct error *err) MUST_CHECK;

#endif
