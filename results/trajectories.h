/*
 * trajectories.h - what evaluations recorded per outer step: the measures that are
 * lists, as means over an arm's finished runs.
 */
#ifndef RESULTS_TRAJECTORIES_H
#define RESULTS_TRAJECTORIES_H

#include "error.h"
#include "measure.h"

struct results;
struct result_row;
struct store;

/* Means over runs by position, from 1 on; NaN: none. */
struct trajectory_list {
    double *values; /* owned */
    int *runs;      /* owned; of each mean */
    int count, room;
};

/* One evaluation of one arm at the last checkpoint. */
struct trajectory_mean {
    const struct result_row *row; /* the first of its runs; of the results */
    int runs;                     /* that have trajectories */
    struct trajectory_list lists[MEASURE_COUNT - METRIC_COUNT];
};

struct trajectories {
    struct trajectory_mean *items; /* owned; in the order of the results' rows */
    int count;
};

/* Those of every evaluation of the results that has any. Borrows the results. */
int trajectories_load(struct trajectories *out, struct store *store,
                      const struct results *results, struct error *err) MUST_CHECK;
void trajectories_release(struct trajectories *trajectories); /* zeroed: nothing */

/* Of one that is a list, the mean at a position; NaN where there is none. */
double trajectory_value(const struct trajectory_mean *mean, enum metric measure, int position);
/* Module calls of an outer step that write the measure's state, in an evaluation of so
 * many; 0: the system has no such state. */
int trajectory_calls(const struct trajectory_mean *mean, enum metric measure);
/* Mean over those calls of the outer step, from 1 on. */
double trajectory_call_mean(const struct trajectory_mean *mean, enum metric measure, int step);

#endif
