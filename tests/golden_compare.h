/*
 * golden_compare.h - our numbers against a recorded tensor, within a limit; the running score.
 */
#ifndef TESTS_GOLDEN_COMPARE_H
#define TESTS_GOLDEN_COMPARE_H

#include "engine.h"
#include "safetensors.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How far ours may be from the recorded value b, at most:
 *   absolute + relative * |b| + of_largest * (largest element of the tensor). */
struct golden_limit {
    double absolute, relative, of_largest;
    double l2; /* > 0: also |difference|_2 <= l2 * |recorded|_2 */
    /* AdamATan2 and sign-SGD do not see a gradient's size: an element whose gradient was
     * nothing but rounding noise (noisy[i] != 0) may differ by up to stray, GOLDEN_STRAYS of
     * them per tensor. noisy NULL: none may. */
    const uint8_t *noisy;
    double stray;
};
enum { GOLDEN_STRAYS = 3 };

/* Ours: count elements; with stride > 1 the recorded ones are our 0, stride, 2 stride, ... */
struct golden_values {
    const void *data;
    enum safetensors_dtype dtype;
    size_t count, stride;
    double largest; /* of all our elements, for of_largest; 0: take the recorded ones' */
};

struct golden_report {
    FILE *out;    /* failures go here; NULL: nowhere */
    bool verbose; /* a line per tensor */
    bool strict;  /* no search for stray elements */
    int tensors;
    int64_t values;
    int failures;
    int strays;      /* accepted so far */
    char worst[160]; /* name of the tensor with the largest ratio of difference to limit */
    double worst_ratio, worst_difference, worst_limit;
    char first_failure[160];
};

/* One line "FAIL NAME: ..." and the count. */
__attribute__((format(printf, 3, 4))) void
golden_fail(struct golden_report *report, const char *name, const char *format, ...);

/* Compares; shape and dtype must be ours: dims (rank) or, sampled, one dimension. */
void golden_compare(struct golden_report *report, const struct safetensors_tensor *recorded,
                    const struct golden_values *ours, const struct golden_limit *limit);

/* Sum, sum of absolute values, L2 norm of ours (float) against the three recorded. */
void golden_compare_stats(struct golden_report *report,
                          const struct safetensors_tensor *recorded, const float *ours,
                          size_t count, double tolerance);

/* The i-th element of an array of dtype. */
double golden_value(const void *data, enum safetensors_dtype dtype, size_t i);

#endif
