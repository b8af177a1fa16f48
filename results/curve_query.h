/*
 * curve_query.h - learning curves: values over training steps, one curve per arm and
 * seed.
 */
#ifndef RESULTS_CURVE_QUERY_H
#define RESULTS_CURVE_QUERY_H

#include "error.h"
#include "query.h"

#include <stdint.h>

struct store;

struct curve_point {
    int64_t step; /* number of training steps completed */
    double value; /* finite */
};

struct curve {
    char *label; /* owned; the arm's, with the evaluation if the arm has several */
    int arm;     /* index of results->arms */
    int64_t seed;
    struct curve_point *points; /* owned; steps ascend */
    int count;                  /* >= 1 */
};

struct curves {
    const char *name;    /* of the series; borrowed from the caller or static */
    struct curve *items; /* owned; by arm, evaluation, seed */
    int count;
};

/* The series shown if none is named. */
extern const char CURVES_DEFAULT[];

/* What results must be loaded with for curves of this name. */
enum results_scope curves_scope(const char *name);
/*
 * Loads a series: a metric of training ("train/lm_loss"), or a measure of the interim
 * evaluations. results: as loaded with curves_scope(name); must outlive *out.
 * ERROR_ABSENT: no run has a value; the message lists the series that exist.
 */
int curves_load(struct curves *out, struct store *store, const struct results *results,
                const char *name, struct error *err) MUST_CHECK;
void curves_release(struct curves *curves);

#endif
