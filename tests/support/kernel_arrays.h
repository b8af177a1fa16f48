/* kernel_arrays.h - what the tests of kernels share: sets, widths and arrays. */
#ifndef SUPPORT_KERNEL_ARRAYS_H
#define SUPPORT_KERNEL_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

enum { MAX_WIDTH = 300 };

typedef void kernels_check_fn(const struct kernels *k, int width);

/* Runs check for every supported set and awkward width, MAX_WIDTH at most. */
void for_all_sets(kernels_check_fn *check);

/* count random values in [-1, 1), canaries behind them, and slack that kernels may read. Fresh. */
float *random_values(size_t count, uint64_t seed);
float *copy_values(const float *from, size_t count);
/* Nothing was written behind count elements. Frees values. */
void check_canary_and_free(float *values, size_t count);

/* Fails unless element i is within the tolerance. */
void check_close(const struct kernels *k, const char *what, int width, size_t i, double got,
                 double want, double tolerance);

#endif
