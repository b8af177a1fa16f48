/*
 * baselines.h - scores without learning, each beside the data that it belongs to.
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

/* On one data set and split: means over the runs of the results; NaN where there are
 * none. */
struct baseline {
    char data_hash[65];
    bool train_split;
    /* owned; what tells the data from those of the other baselines:
     * "data.tasks_per_family=4", ", train split" behind it, else the hash's beginning;
     * "" for the only one */
    char *data;
    /* only of measures with of_copy */
    double copy[METRIC_COUNT];
    /* mean over the rows' evaluations at step 0 */
    double untrained[METRIC_COUNT];
    double untrained_deviation[METRIC_COUNT]; /* over runs */
    int copy_runs, untrained_runs;
    /* the fewest rows that an untrained model was evaluated on, and how many the
     * trained one was; 0: always all */
    int64_t untrained_rows, all_rows;
    bool *arms; /* owned: (results' arms) which of them are trained and tested on it */
};

struct baselines {
    struct baseline *items; /* owned; in the order of the arms */
    int count;
};

int baselines_load(struct baselines *out, struct store *store, const struct results *results,
                   struct error *err) MUST_CHECK;
void baselines_release(struct baselines *baselines); /* zeroed: nothing */
/* That of the row's data and split; NULL: none. */
const struct baseline *baselines_of(const struct baselines *baselines,
                                    const struct result_row *row);

#endif
