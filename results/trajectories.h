/*
 * trajectories.h - measures that evaluations record per outer step, as means over an
 * arm's finished runs.
 */
#ifndef RESULTS_TRAJECTORIES_H
#define RESULTS_TRAJECTORIES_H

#include "error.h"
#include "measure.h"

struct results;
struct result_row;
struct store;

/* Means over runs by position, from 1 on; NaN: no value. */
struct trajectory_list {
    double *values;  /* owned */
    double *weights; /* owned; sum of the runs' weights in each mean */
    int count, room;
};

/* One evaluation of one arm at the last checkpoint. */
struct trajectory_mean {
    const struct result_row *row; /* the first of its runs; borrowed from the results */
    int runs;                     /* number of runs with trajectories */
    struct trajectory_list lists[MEASURE_COUNT - METRIC_COUNT];
};

struct trajectories {
    struct trajectory_mean *items; /* owned; in the order of the results' rows */
    int count;
};

/* Loads those of every evaluation of the results. Borrows the results. */
int trajectories_load(struct trajectories *out, struct store *store,
                      const struct results *results, struct error *err) MUST_CHECK;
void trajectories_release(struct trajectories *trajectories); /* zeroed: nothing */

/* The mean of a list measure at a position; NaN: no value. */
double trajectory_value(const struct trajectory_mean *mean, enum metric measure, int position);
/* Number of module calls per outer step that write the measure's state, for an
 * evaluation of this many outer steps; 0: the system has no such state. */
int trajectory_calls(const struct trajectory_mean *mean, enum metric measure);
/* Mean over these calls in one outer step, from 1 on. */
double trajectory_call_mean(const struct trajectory_mean *mean, enum metric measure, int step);

#endif
