/*
 * measure.h - the table of measures: what an evaluation finds, each under one name.
 *
 * The worker's events, what may stand in the table measure_value, the checks of verify,
 * --metric, and the columns of results and compare are derived from it. A new measure
 * is a line here and the place where it is computed (worker/scores.c, or
 * results/task_values.c for one that follows from task_outcome).
 */
#ifndef COMMON_MEASURE_H
#define COMMON_MEASURE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* pass@2 and per-token accuracy, which hrmlab is asked to record, stand first. */
enum metric {
    METRIC_PASS_AT_2,
    METRIC_PER_TOKEN_ACCURACY,
    METRIC_PASS_AT_1,
    METRIC_PASS_AT_5,
    METRIC_PASS_AT_10,
    METRIC_PASS_AT_100,
    METRIC_PASS_AT_1000,
    METRIC_PASS_AT_1_STRICT,
    METRIC_PASS_AT_2_STRICT,
    METRIC_PER_TOKEN_ACCURACY_ORIGINAL,
    METRIC_EXACT_ROWS,
    METRIC_LM_LOSS,
    METRIC_MEAN_OUTER_STEPS,
    METRIC_ORACLE,
    METRIC_DISTINCT_ANSWERS,
    METRIC_VOTE_MARGIN,
    METRIC_VOTE_ENTROPY,
    METRIC_EXACT_ANY_ROLLOUT, /* of several rollouts alone */
    METRIC_SHORTEST_PATHS,    /* of data with paths alone */
    /* of data with ratings alone, each where a rating is so high */
    METRIC_EXACT_RATING_0,
    METRIC_EXACT_RATING_1,
    METRIC_EXACT_RATING_10,
    METRIC_EXACT_RATING_100,
    /* of data whose solutions differ in size, each where a solution has so many
     * cells */
    METRIC_PASS_AT_2_CELLS_1,
    METRIC_PASS_AT_2_CELLS_37,
    METRIC_PASS_AT_2_CELLS_101,
    METRIC_PASS_AT_2_CELLS_226,
    /* the measures before this one are in the worker's events and in measure_value */
    METRIC_RECORDED,
    METRIC_TASK_TOKEN_ACCURACY = METRIC_RECORDED,
    METRIC_TASK_EXACT_VOTES,
    METRIC_COUNT, /* the measures before it are one number; those from it on, lists */
    VECTOR_TOKEN_ACCURACY = METRIC_COUNT,
    VECTOR_EXACT_ROWS,
    VECTOR_LM_LOSS,
    VECTOR_Q_HALT,
    VECTOR_Q_ERROR,
    VECTOR_Q_ACCURACY,
    VECTOR_Q_HALT_LOSS,
    VECTOR_CHANGED,
    VECTOR_FIRST_EXACT,
    VECTOR_LOST,
    VECTOR_STUCK,
    VECTOR_WANDERING,
    VECTOR_HALTED,
    VECTOR_PARTICIPATION_H,
    VECTOR_PARTICIPATION_L,
    VECTOR_RESIDUAL_H,
    VECTOR_RESIDUAL_L,
    VECTOR_RESIDUAL_H_EXACT,
    VECTOR_RESIDUAL_L_EXACT,
    VECTOR_RESIDUAL_H_WRONG,
    VECTOR_RESIDUAL_L_WRONG,
    VECTOR_RESIDUAL_LAYER, /* of systems with one module call alone */
    VECTOR_RESIDUAL_LAYER_EXACT,
    VECTOR_RESIDUAL_LAYER_WRONG,
    VECTOR_Q_BIN_ROWS,
    VECTOR_Q_BIN_MEAN,
    VECTOR_Q_BIN_EXACT,
    MEASURE_COUNT
};

/* What the positions of a measure's values are, from 1 on. */
enum measure_shape {
    MEASURE_NUMBER,   /* one value, at position 0 */
    MEASURE_PER_STEP, /* outer steps */
    /* module calls that write the state, in order of time: as many for each outer
     * step */
    MEASURE_PER_CALL,
    MEASURE_PER_LAYER, /* layers of the only module call, likewise */
    MEASURE_PER_BIN    /* MEASURE_BINS equal parts of [0, 1], ascending */
};
enum { MEASURE_BINS = 10 };

/* What one value of the measure is a mean over. */
enum measure_over {
    /* test rows: every variant of every test input, before any vote */
    MEASURE_OVER_ROWS,
    /* tasks, each counting once: after the vote, on cropped answers */
    MEASURE_OVER_TASKS
};

enum measure_better { MEASURE_HIGHER, MEASURE_LOWER, MEASURE_NEITHER };

/* How a task's value follows from its test inputs. */
enum measure_per_task {
    MEASURE_NOT_PER_TASK,
    MEASURE_SOLVED_SHARE, /* share of its test inputs solved within rank answers */
    /* 1 when every test input is solved within rank answers, else 0 */
    MEASURE_ALL_SOLVED,
    MEASURE_TOKENS, /* mean over its test inputs of their per-token accuracy */
    /* mean over its test inputs of votes for the solution / predictions */
    MEASURE_VOTES
};

struct measure {
    const char *name;     /* of the member in events, the column, --metric */
    const char *old_name; /* accepted too, by --metric and in events; NULL: none */
    const char *title;    /* in tables for people */
    const char *unit;     /* "share", "nats", "outer steps" */
    const char *meaning;  /* one line */
    enum measure_over over;
    enum measure_better better;
    enum measure_per_task per_task;
    bool of_copy; /* also computed for the baseline that copies the input */
    int rank;     /* k of pass@k, else 0 */
    /* least and greatest value that it can have */
    double least, most;
    enum measure_shape shape;
    bool always; /* the events of every release have it: one without it is damaged */
    /* the measure that comparisons pair task by task in place of this one; the measure
     * itself where it has a value per task; METRIC_COUNT: none */
    enum metric paired;
};

extern const struct measure METRICS[MEASURE_COUNT];

/* One that is a number, by name, old name, title or short name ("exact", "token"). NULL
 * is METRIC_PASS_AT_2. Unknown: ERROR_FORMAT with the nearest name and all of them. */
int metric_find(enum metric *out, const char *name, struct error *err) MUST_CHECK;
/* Decimals of a measure in tables for people. */
int metric_decimals(enum metric metric);

/* The measure of exactly this name, a list or not; MEASURE_COUNT: none. */
enum metric measure_of_name(const char *name);

/* The same for names that come in an order again and again, as from rows of a table:
 * what followed a measure before is tried first. Zeroed at the beginning. */
struct measure_memo {
    enum metric after[MEASURE_COUNT + 1];
    enum metric before;
};
enum metric measure_memo_find(struct measure_memo *memo, const char *name);

/* The member of an event that holds the measure, under its name or its old name; NULL:
 * none. */
const cJSON *measure_member(const cJSON *event, enum metric metric);

/* ERROR_DAMAGED, with the bounds, where it cannot be a value of the measure. where
 * opens the message. */
int measure_check(enum metric metric, double value, const char *where,
                  struct error *err) MUST_CHECK;

/* The same where a list has no such position in an evaluation of so many outer
 * steps. */
int measure_check_position(enum metric measure, int64_t position, int64_t outer_steps,
                           const char *where, struct error *err) MUST_CHECK;

#endif
