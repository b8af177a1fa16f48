/*
 * statistics.h - means, deviations, and differences with intervals, where both seeds
 * and tasks are samples. docs/statistics.md documents what is estimated and how it was
 * checked.
 */
#ifndef RESULTS_STATISTICS_H
#define RESULTS_STATISTICS_H

#include <stdbool.h>

#include "error.h"

/* With fewer seeds than this the variance over seeds is not estimated. */
enum { STATISTICS_LEAST_SEEDS = 3 };

/* Outcomes of independent trainings, one row per seed and one column per task. In a
 * comparison paired by seed, values are differences and there is one block. */
struct statistics_block {
    const double *values; /* (seeds, tasks); borrowed */
    int seeds;            /* >= 1 */
};

struct estimate {
    double value;          /* sum over the blocks of the mean over seeds and tasks */
    double standard_error; /* of value */
    double low, high;      /* 95 % interval; NaN with fewer than two tasks */
    /* two-sided p for a true value of 0; NaN with fewer than two tasks */
    double p;
    int seeds; /* of the smallest block */
    int tasks;
    bool tasks_only; /* interval and p cover other tasks, but not other seeds */
};

/*
 * Estimates the sum of the blocks' means. Tasks (columns, >= 1) are the same in every
 * block. With at least STATISTICS_LEAST_SEEDS seeds in every block the interval covers
 * new seeds and new tasks, otherwise new tasks only. Returns 0, or -1 when out of
 * memory.
 */
int statistics_estimate(struct estimate *out, const struct statistics_block *blocks, int count,
                        int tasks);

/*
 * The smallest true difference between two arms that a design detects with 80 %
 * probability at the level of its strictest test among `comparisons` (Holm). deviation:
 * of an arm's score over seeds; task_share: of tasks on which the arms truly differ.
 * With fewer than STATISTICS_LEAST_SEEDS seeds over tasks only, otherwise over seeds
 * and tasks. NaN: fewer than two tasks.
 */
double statistics_detectable(double deviation, double task_share, int seeds, int tasks,
                             int comparisons);

/* Holm's step-down correction of count p values; NaN stays NaN and is not counted.
 * corrected may be p. Returns 0, or -1 when out of memory. */
int statistics_holm(double *corrected, const double *p, int count) MUST_CHECK;

double statistics_mean(const double *values, int count); /* NaN when count is 0 */
/* Sample standard deviation (n - 1); NaN below two values. */
double statistics_deviation(const double *values, int count);

/* Student's t: P(|T| > t), and the t > 0 with P(|T| > t) = p, for 0 < p < 1, degrees >
 * 0. */
double statistics_t_tail(double t, double degrees);
double statistics_t_quantile(double p, double degrees);

#endif
