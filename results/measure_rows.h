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

/* Of more measures than this, to read all takes less time. */
enum { MEASURE_COLUMNS_MOST = 4 };
/* The last columns of a query of evaluation_result x: ", x.pass_at_2, (SELECT ...)",
 * the values of these measures. NULL: no value. One that x has as a column takes a
 * small part of the time of one that is searched for. Fresh; NULL: no memory. */
char *measure_columns(const enum metric *metrics, int count);

#endif
