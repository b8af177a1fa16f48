/*
 * baselines.h - scores that need no learning, per data set and split.
 */
#ifndef RESULTS_BASELINES_H
#define RESULTS_BASELINES_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "measure.h"

struct results;
struct result_row;
struct store;

/* Scores on one data set and split: means over the runs of the results; NaN: none. */
struct baseline {
    char data_hash[65];
    bool train_split;
    /* owned; distinguishes the data from those of the other baselines:
     * "data.tasks_per_family=4", followed by ", train split", or the beginning of
     * the hash; "" if there is only one */
    char *data;
    /* of copying the input; only of measures with of_copy */
    double copy[METRIC_COUNT];
    /* mean over the rows' evaluations at step 0 */
    double untrained[METRIC_COUNT];
    double untrained_deviation[METRIC_COUNT]; /* over runs */
    int copy_runs, untrained_runs;
    /* the smallest number of rows on which an untrained model was evaluated, and the
     * number for the trained model; 0: all rows */
    int64_t untrained_rows, all_rows;
    bool *arms; /* owned: (results' arms) whether the arm uses this data */
};

struct baselines {
    struct baseline *items; /* owned; in the order of the arms */
    int count;
};

/* Loads all measures; baselines_load_some(): the recorded ones of these, the others are
 * unknown. */
int baselines_load(struct baselines *out, struct store *store, const struct results *results,
                   struct error *err) MUST_CHECK;
int baselines_load_some(struct baselines *out, struct store *store,
                        const struct results *results, const enum metric *metrics, int count,
                        struct error *err) MUST_CHECK;
void baselines_release(struct baselines *baselines); /* zeroed: nothing */
/* The baseline of the row's data and split; NULL: none. */
const struct baseline *baselines_of(const struct baselines *baselines,
                                    const struct result_row *row);

#endif
