/*
 * row_sample.h - chooses the rows of a split to evaluate if there are too many.
 */
#ifndef WORKER_ROW_SAMPLE_H
#define WORKER_ROW_SAMPLE_H

#include <stdint.h>

#include "data_set.h"
#include "error.h"

/*
 * Draws at most most (>= 1) rows: whole test inputs with all their variants, in an
 * order drawn by the seed. If not even the first test fits, it gets as many variants
 * as fit, the original first. *rows: row numbers, ascending, newly allocated; NULL:
 * all rows of the split fit.
 */
int row_sample_draw(int **rows, int *count, const struct data_set *set, enum data_split split,
                    int most, uint64_t seed, struct error *err) MUST_CHECK;

#endif
