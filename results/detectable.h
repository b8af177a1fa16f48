/*
 * detectable.h - what a design can tell before it is trained: the smallest difference
 * between two arms that so many seeds and tasks can detect.
 */
#ifndef RESULTS_DETECTABLE_H
#define RESULTS_DETECTABLE_H

#include <stdint.h>

#include "error.h"

struct store;

/* The deviation over seeds where nothing has finished: reproductions of one published
 * configuration differ by 5 to 12 points. */
#define DETECTABLE_PRIOR_DEVIATION 0.05

/* How much an arm's score differs from seed to seed, pooled over what has finished. */
struct seed_spread {
    double deviation; /* of pass@2; NaN: nothing has finished with two seeds or more */
    int64_t cells;    /* arms under evaluations that it is pooled over */
};

/* Pools the finished runs on data of this hash, on the test split; cells in which no
 * seed solved anything, or every seed everything, say nothing of the spread and are
 * left out. */
int seed_spread_load(struct seed_spread *out, struct store *store, const char *data_hash,
                     struct error *err) MUST_CHECK;

#endif
