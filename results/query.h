/*
 * query.h - reads the results of an experiment's arms from the database.
 *
 * Everything is read through prepared statements with bound values, on whatever
 * connection the store has; callers open it with STORE_READ.
 */
#ifndef RESULTS_QUERY_H
#define RESULTS_QUERY_H

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "measure.h"
#include "text_set.h"

struct store;

enum run_state {
    RUN_DONE,
    RUN_QUEUED,
    RUN_RUNNING, /* a worker is running it, or is being started */
    RUN_FAILED,
    RUN_DIVERGED,
    RUN_CANCELLED,
    RUN_STATE_COUNT
};
/* "queued", "diverged" ... */
const char *run_state_name(enum run_state state);

struct result_arm {
    int64_t id;
    char *label; /* owned */
    cJSON *axes; /* owned; training axis key -> value */
    /* owned; those of axes that have an effect on the arm's runs, as L_cycles has none
     * on a transformer; NULL: all, or no run was loaded */
    cJSON *active;
    bool foreign; /* of another experiment, which its label names: arm_add_foreign() */
};

/* The result of one evaluation of one run at one step, but for its measures, which
 * result_value() has. */
struct result_row {
    int arm; /* index into results.arms */
    int64_t run_id, evaluation_id, seed;
    int64_t config_id; /* of the run's settings but the seed; 0: none */
    /* without and of the puzzle embedding; 0: unknown, or none */
    int64_t parameters, puzzle_parameters;
    int64_t total_steps; /* planned training steps; 0: unknown */
    char hash[65];
    const char *evaluation; /* canonical evaluation settings; one of
                             * results.evaluations */
    int evaluation_place;   /* among the evaluations of the results, from 0 */
    const char *data_hash;  /* of the run's data; one of results.data_hashes */
    int64_t outer_steps, augmentations /* 0: all */, eval_seed;
    bool act_inference, train_split;
    int64_t train_outer_steps, train_augmentations; /* 0: not a setting of this run */
    enum run_state state;                           /* of the training */
    /* of this evaluation: the training's state until that is done, then that of the
     * job that evaluates; RUN_DONE: it has a result */
    enum run_state outcome;
    char cause[24];      /* of outcome RUN_FAILED: "out of memory"; "": unknown */
    char checkpoint[16]; /* "untrained", "interim", "last"; "" without a result */
    int64_t step;
    int64_t tasks;      /* number scored; 0 also if values are unknown */
    int64_t rows_count; /* test rows predicted at the last checkpoint; 0: no result
                         * yet */
    bool hidden;        /* it has a result, but all its tests are hidden: none is
                         * scored */
    /* NaN: unknown */
    double train_flops;
    /* summed over cores, the training job's evaluations included */
    double train_cpu_seconds;
    double train_seconds, evaluation_seconds; /* wall time of the training job */
    double pass_seconds; /* wall time of the inference pass that the result is from */
};

struct run_counts {
    int total, of[RUN_STATE_COUNT]; /* distinct runs */
};

/* What tables say of an arm's axes: key -> value, without those that have no effect. */
static inline const cJSON *result_arm_shown(const struct result_arm *arm)
{
    return arm->active != NULL ? arm->active : arm->axes;
}

/* Whether key is an axis of the arm that has no effect on it. */
bool result_arm_lacks(const struct result_arm *arm, const char *key);

enum results_scope {
    RESULTS_LAST, /* a row per arm, seed and evaluation: the last checkpoint */
    RESULTS_ALL,  /* untrained and interim ones too */
    RESULTS_ROWS, /* as RESULTS_LAST, without measures: results_load_metric() loads
                   * them */
    RESULTS_BARE, /* as RESULTS_ROWS, and what trainings took in time is unknown */
    RESULTS_ARMS  /* no rows, and no count of runs */
};

/* Which arms of an experiment are loaded. */
struct arm_choice {
    int64_t ids[2];
    int count; /* 0: all arms */
};

/* Conditions that choose rows, as a user gave them. */
struct given_conditions {
    const char *given_as; /* opens the messages about them: "--where", "arm" */
    const char *const *texts;
    int count;
};

struct results {
    int64_t experiment_id;
    struct arm_choice only; /* the arms of which it has rows */
    char *experiment;       /* owned */
    enum results_scope scope;
    bool filtered;           /* conditions chose its rows */
    struct result_arm *arms; /* owned; in the experiment's order */
    int arm_count;
    struct result_row *rows; /* owned; by arm, evaluation, seed, step */
    int row_count;
    /* Owned, by enum metric: (row_count) the value of each row, NaN: unknown. NULL: no
     * row has one, or the measure was not loaded; read by result_value(). */
    double *values[METRIC_COUNT];
    struct text_set evaluations, data_hashes; /* owned; texts of the rows */
    struct run_counts runs;
    /* owned: of all runs of the experiment (run_facts.h); NULL: conditions or the scope
     * left some out */
    struct run_facts *facts;
};

/*
 * Loads an experiment by name ("last": the newest); NULL: the only one. wheres:
 * conditions "key=value" with =, !=, <, <=, >, >=, all of which must hold; keys are
 * experiment, arm, seed, hash, tag (of the run, its arm or experiment) and every
 * setting. ERROR_ABSENT lists the experiments; ERROR_FORMAT for a bad condition names
 * the most similar key.
 */
int results_load(struct results **out, struct store *store, const char *experiment,
                 const char *const *wheres, int where_count, enum results_scope scope,
                 struct error *err) MUST_CHECK;
/* The same with the rows of some of its arms alone. */
int results_load_arms(struct results **out, struct store *store, const char *experiment,
                      const struct arm_choice *only, const struct given_conditions *conditions,
                      enum results_scope scope, struct error *err) MUST_CHECK;
void results_destroy(struct results *results); /* NULL allowed */

/* For messages about what is not there, behind "no evaluation". */
static inline const char *results_conditions(const struct results *results)
{
    return results->filtered ? " that meets the conditions" : "";
}

/* A measure of one of the results' rows. NaN: there is no result yet, the run failed or
 * diverged, or the measure was not loaded: those after METRIC_RECORDED, and all of
 * RESULTS_ROWS and RESULTS_BARE, are by results_load_metric(). */
static inline double result_value(const struct results *results, const struct result_row *row,
                                  enum metric metric)
{
    const double *values = results->values[metric];

    return values != NULL ? values[row - results->rows] : (double)NAN;
}

/* Adds the rows of `from` at the end, with their measures; their arms and texts are
 * still those of `from`. ERROR_NOMEM. */
int results_append(struct results *results, const struct results *from,
                   struct error *err) MUST_CHECK;
/* Loads a measure that results_load() has not: one that is derived from task_outcome,
 * for the rows of last checkpoints, or any after RESULTS_ROWS and RESULTS_BARE.
 * ERROR_NOMEM, database errors. */
int results_load_metric(struct results *results, struct store *store, enum metric metric,
                        struct error *err) MUST_CHECK;
int results_load_metrics(struct results *results, struct store *store,
                         const enum metric *metrics, int count, struct error *err) MUST_CHECK;
/* Whether evaluations of these rows have results of interim checkpoints. */
int results_have_interim(bool *out, struct store *store, const struct results *results,
                         struct error *err) MUST_CHECK;
/* Loads every recorded measure. */
int results_load_recorded(struct results *results, struct store *store,
                          struct error *err) MUST_CHECK;

/* "3 of 12 runs not done (2 queued, 1 failed)" into out, "" when all are done. */
void run_counts_describe(char *out, size_t size, const struct run_counts *counts);

/* The value of a training setting of a run as text, newly allocated; *out NULL:
 * inactive. */
int results_setting(struct store *store, char **out, int64_t run_id, const char *key,
                    struct error *err) MUST_CHECK;

/* Resolves a name: "last" is the experiment that was queued last. ERROR_ABSENT:
 * there is none. */
enum { EXPERIMENT_NAME_SIZE = 128 };
int experiment_name(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *asked,
                    struct error *err) MUST_CHECK;

/* The same; ERROR_ABSENT also for an experiment that does not exist. */
int experiment_find(struct store *store, char out[EXPERIMENT_NAME_SIZE], const char *asked,
                    struct error *err) MUST_CHECK;

/* ERROR_ABSENT for an experiment that does not exist, with the names of those that
 * do. name NULL: none was named, and there are several. */
int error_unknown_experiment(struct store *store, const char *name,
                             struct error *err) MUST_CHECK;

#endif
