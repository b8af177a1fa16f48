/*
 * queue.h - stores what a plan needs: experiments, arms, runs, evaluations and jobs.
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

/* An experiment that the store may have already. */
struct queue_known {
    int64_t id;         /* 0: there is none of that name */
    char spec_hash[65]; /* of the spec that was queued last */
    char *spec_file;    /* owned; "": a rebuild found the runs without a spec */
};
int queue_find_experiment(struct store *store, struct queue_known *out, const char *name,
                          struct error *err) MUST_CHECK;

/* Adds the experiment if *id is 0; otherwise replaces what was stored of it. */
int queue_experiment(struct store *store, int64_t *id,
                     const struct queue_experiment *experiment, struct error *err) MUST_CHECK;

/* Counts the evaluations that the experiment asks for, over all its runs. */
int queue_count_evaluations(struct store *store, int64_t *out, int64_t experiment_id,
                            struct error *err) MUST_CHECK;
/* Deletes the experiment's arms, the comparisons it planned and the list of what its
 * plan left out; runs and results stay. */
int queue_forget_arms(struct store *store, int64_t experiment_id, struct error *err) MUST_CHECK;

/* Adds a comparison that the spec plans; from and to: JSON objects of settings. */
int queue_contrast(struct store *store, int64_t experiment_id, int position, const char *name,
                   const char *from, const char *to, struct error *err) MUST_CHECK;

int queue_arm(struct store *store, int64_t *id, int64_t experiment_id, int position,
              const char *label, const cJSON *axes, struct error *err) MUST_CHECK;

/* Finds or adds a set of settings that runs with different seeds share: every active
 * setting with its value, defaults included. */
int queue_config(struct store *store, int64_t *id, const cJSON *settings,
                 struct error *err) MUST_CHECK;

/* What runs share that differ only in the seed and in their base, of which the texts
 * have neither: no train.seed, and INIT_RUN_UNKNOWN for a base of the plan. */
struct queue_training {
    const char *canonical, *data_hash;
    /* ENGINE_NUMERIC_VERSION of the runs; NULL: that of this program */
    const char *numeric_version;
    /* JSON object for job.json: all settings but those of the job */
    const char *job_config;
    int64_t config_id; /* queue_config()'s */
    int64_t parameters, puzzle_parameters, total_steps;
    double train_flops;
};

/* Finds the training that equals this one in everything, or adds it. */
int queue_training(struct store *store, int64_t *id, const struct queue_training *training,
                   struct error *err) MUST_CHECK;

struct queue_run {
    const char *hash;
    int64_t training_id; /* queue_training()'s */
    int64_t seed;
    const char *base_hash; /* of the run whose weights it begins with; NULL: none */
};

/* Adds a run; *id 0: it is there already. */
int queue_run(struct store *store, int64_t *id, const struct queue_run *run,
              struct error *err) MUST_CHECK;

struct queue_evaluation {
    const char *canonical;
    int64_t outer_steps, augmentations, eval_seed;
    bool act_inference, train_split;
};

/* `count` runs with consecutive ids, from first on. */
struct queue_range {
    int64_t first, count;
};

/* Adds the evaluation to each run that does not have it. */
int queue_evaluation(struct store *store, struct queue_range runs,
                     const struct queue_evaluation *evaluation, struct error *err) MUST_CHECK;
/* Finds the run's evaluation by its canonical text; *id 0: there is none. */
int queue_find_evaluation(struct store *store, int64_t *id, int64_t run_id,
                          const char *canonical, struct error *err) MUST_CHECK;
/* Adds the runs to the arm. Repeating it changes nothing. */
int queue_link_runs(struct store *store, int64_t arm_id, struct queue_range runs,
                    struct error *err) MUST_CHECK;
/* Records that the arm asks for the evaluation of its runs. Repeating it changes
 * nothing. */
int queue_link_evaluation(struct store *store, int64_t arm_id, const char *canonical,
                          struct error *err) MUST_CHECK;
int queue_dropped(struct store *store, int64_t experiment_id, const char *arm,
                  const char *evaluation, const char *reason, struct error *err) MUST_CHECK;

/* Whether the database has no run. */
int queue_is_empty(struct store *store, bool *out, struct error *err) MUST_CHECK;

/* Finds or adds a set of execution settings, as config_job_settings() returns them. */
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
/* Adds a queued job for each of the runs; job->run_id is ignored. */
int queue_jobs(struct store *store, struct queue_range runs, const struct queue_job *job,
               struct error *err) MUST_CHECK;
/* Gives every job of the arm's runs, whatever its state, the execution settings of *job
 * from its next attempt on. Run, evaluations, priority and cost stay. */
int queue_execute_like(struct store *store, int64_t arm_id, const struct queue_job *job,
                       struct error *err) MUST_CHECK;
/* Likewise, for one job. */
int queue_execute_job_like(struct store *store, int64_t job_id, const struct queue_job *job,
                           struct error *err) MUST_CHECK;
/* Adds a job of this kind with the execution settings, priority and cost of the
 * run's newest job. */
int queue_job_like(struct store *store, int64_t *id, int64_t run_id, bool evaluate,
                   struct error *err) MUST_CHECK;
int queue_job_evaluation(struct store *store, int64_t job_id, int64_t evaluation_id,
                         struct error *err) MUST_CHECK;
/* Likewise, for one evaluation of that job's run, found by its canonical text,
 * unless it has a result. */
int queue_job_if_missing(struct store *store, int64_t job_id, const char *canonical,
                         struct error *err) MUST_CHECK;

/* A run of an experiment. */
struct queue_found {
    char hash[65];
    int64_t run_id, open_job; /* as in struct queue_state */
};
/* The runs of an experiment, as a fresh list. */
int queue_runs(struct store *store, struct queue_found **out, int *count, int64_t experiment_id,
               struct error *err) MUST_CHECK;
/* Finds the run, and its job that has not ended. *run_id 0: no such run; *open_job as
 * in struct queue_state. */
int queue_find_run(struct store *store, int64_t *run_id, int64_t *open_job,
                   const char *run_hash, struct error *err) MUST_CHECK;

/* The state of a run, for planning and queueing. */
struct queue_state {
    int64_t run_id; /* 0: no such run */
    /* a train or evaluate job that is queued, starting or running; 0 */
    int64_t open_job;
    int64_t last_train_job;     /* 0: never queued */
    enum job_state train_state; /* of that job */
    enum outcome train_cause;   /* of that job */
    /* file of the final checkpoint, relative to the workspace; "": none */
    char checkpoint[256];
};
int queue_state(struct store *store, struct queue_state *out, const char *run_hash,
                struct error *err) MUST_CHECK;
/* Whether the run's evaluation, found by its canonical text, has a result at the last
 * checkpoint. */
int queue_has_result(struct store *store, bool *out, int64_t run_id, const char *canonical,
                     struct error *err) MUST_CHECK;
/* Deletes the record of the run's final checkpoint, whose file is gone, so that the run
 * is trained again. */
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

/* Gives each job of the experiment's runs that has not ended the highest priority of
 * the experiments that contain its run. */
int queue_set_priority(struct store *store, int64_t experiment_id,
                       struct error *err) MUST_CHECK;

/* Stores a request of another command to the runner. */
int queue_request(struct store *store, enum request_kind kind, const char *target,
                  struct error *err) MUST_CHECK;

#endif
