/*
 * row_sample.h - which rows of a split are evaluated where not all of them can be.
 */
#ifndef WORKER_ROW_SAMPLE_H
#define WORKER_ROW_SAMPLE_H

#include <stdint.h>

#include "data_set.h"
#include "error.h"

/*
 * Draws at most most (>= 1) rows: whole test inputs with all their variants, in an
 * order that the seed decides; of the first one as many variants as there is room for,
 * the original first. *rows: row numbers, ascending, fresh; NULL: all rows of the split
 * fit.
 */
int row_sample_draw(int **rows, int *count, const struct data_set *set, enum data_split split,
                    int most, uint64_t seed, struct error *err) MUST_CHECK;

#endif
