/*
 * live_query.h - what a person who watches a workspace sees of it: how much is done,
 * the curves of what runs, what has failed and why.
 */
#ifndef RESULTS_LIVE_QUERY_H
#define RESULTS_LIVE_QUERY_H

#include "curve_query.h"
#include "error.h"
#include "query.h"

#include <stdint.h>

struct store;

/* Experiments with jobs that have not ended, in the order in which they were queued; at
 * most so many. */
int live_experiments(struct store *store, char (*out)[EXPERIMENT_NAME_SIZE], int most,
                     int *count, struct error *err) MUST_CHECK;

/* Expected FLOPs of the experiment's jobs (NULL: of all). */
struct live_work {
    double done, open; /* open: of jobs that have not ended, whole */
};
int live_work(struct store *store, struct live_work *out, const char *experiment,
              struct error *err) MUST_CHECK;

/* The mean token loss of a training so far; at most so many points, the last ones. */
enum { LIVE_POINTS = 64 };
int live_curve(struct store *store, struct curve_point out[LIVE_POINTS], int *count,
               int64_t run_id, struct error *err) MUST_CHECK;

/* A job that failed or is quarantined. */
struct live_failure {
    char label[200]; /* "experiment: arm seed N" */
    char hash[65];
    char cause[40];    /* "" not known */
    char message[300]; /* one line; "" none */
};
/* Those of the experiment (NULL: of all) that failed last, the newest first; at most so
 * many. */
int live_failures(struct store *store, struct live_failure *out, int most, int *count,
                  const char *experiment, struct error *err) MUST_CHECK;

#endif
