/*
 * anova.h - the analysis of variance of a full grid: how much of the variance of its
 * values each factor explains, each pair of factors together, and the seed.
 *
 * On a grid in which every combination of levels has the same number of seeds the sums
 * of squares of factors, interactions and seeds add up to the total exactly, in any
 * order. An effect's share is its sum of squares over the total.
 */
#ifndef RESULTS_ANOVA_H
#define RESULTS_ANOVA_H

#include <stdbool.h>

#include "error.h"

enum { ANOVA_FACTORS = 8, ANOVA_TERMS = ANOVA_FACTORS * (ANOVA_FACTORS + 1) / 2 + 2 };

struct anova_grid {
    int factor_count; /* 1 to ANOVA_FACTORS */
    int levels[ANOVA_FACTORS];
    /* the product of the levels; the last factor's level changes first */
    int cells;
    int seeds, tasks; /* of each cell, at least 1 */
    /* Row s of every cell is the same seed; otherwise the cells' seeds are
     * independent. */
    bool seeds_shared;
    const double *values; /* borrowed: (cells, seeds, tasks), all finite */
};

enum anova_kind { ANOVA_FACTOR, ANOVA_PAIR, ANOVA_HIGHER, ANOVA_SEED };

struct anova_term {
    enum anova_kind kind;
    int first, second; /* factors, of a factor and of a pair */
    int freedom;       /* degrees of freedom */
    double share;      /* of the variance, in [0, 1] */
    double low, high;  /* 95 % bootstrap interval; NaN: nothing to resample */
};

/*
 * Fills terms: factors, pairs, with three factors or more all interactions of three or
 * more together, with two seeds or more what seeds (and their interactions) explain.
 * Values are means over tasks. The bootstrap draws tasks, which all cells share, and
 * seeds, anew, always with the same random stream. ERROR_FORMAT: all values are equal.
 */
int anova(struct anova_term terms[ANOVA_TERMS], int *count, const struct anova_grid *grid,
          struct error *err) MUST_CHECK;

#endif
