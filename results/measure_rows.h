/*
 * measure_rows.h - the rows of measure_value: one number of a measure of an evaluation
 * at a training step.
 *
 * Names, bounds and positions are checked by the table of common/measure.c before a
 * row is written.
 */
#ifndef RESULTS_MEASURE_ROWS_H
#define RESULTS_MEASURE_ROWS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "measure.h"

struct store;

/* A number of a measure; position 0: the measure is a single number. */
struct measure_item {
    enum metric metric;
    int64_t position;
    double value;
};

struct measure_list {
    const struct measure_item *items; /* borrowed */
    int count;
};

/* Reads the single-number measures of an evaluation event. ERROR_DAMAGED: a measure
 * that every release has is missing, or a value is out of bounds. */
int measure_list_read(struct measure_item out[METRIC_RECORDED], int *count, const cJSON *event,
                      struct error *err) MUST_CHECK;

/* Reads the stored value at the item's evaluation, step, measure and position into
 * value. */
int measure_rows_find(struct store *store, double *value, bool *found, int64_t evaluation_id,
                      int64_t step, const struct measure_item *item,
                      struct error *err) MUST_CHECK;
/* Writes all items; they replace earlier ones. */
int measure_rows_write(struct store *store, int64_t evaluation_id, int64_t step,
                       const struct measure_list *list, struct error *err) MUST_CHECK;

/* The last columns of a query of evaluation_result x: its measures of the names ?3 to
 * ?6; NULL: no measure, and no value. Those that x has as columns take a quarter of the
 * time. */
#define NAMED_MEASURES                                                                         \
    NAMED_MEASURE("?3") NAMED_MEASURE("?4") NAMED_MEASURE("?5") NAMED_MEASURE("?6")
#define NAMED_MEASURE(name)                                                                    \
    ", CASE " name " WHEN 'pass_at_2' THEN x.pass_at_2"                                        \
    "  WHEN 'per_token_accuracy' THEN x.per_token_accuracy"                                    \
    "  WHEN 'exact_rows' THEN x.exact_rows WHEN 'mean_outer_steps' THEN x.mean_outer_steps"    \
    "  WHEN 'pass_at_1' THEN x.pass_at_1"                                                      \
    "  ELSE (SELECT m.value FROM measure_value m WHERE m.evaluation_id = x.evaluation_id"      \
    "   AND m.step = x.step AND m.name = " name " AND m.position = 0) END"

#endif
