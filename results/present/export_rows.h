/*
 * export_rows.h - the rows of each exported table, written as they are read.
 */
#ifndef RESULTS_EXPORT_ROWS_H
#define RESULTS_EXPORT_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "export.h"

/* Where rows go: a table that is printed and emptied whenever it has grown. */
struct export_sink {
    struct table *table; /* owned by the caller */
    FILE *out;
    enum output_format format;
    int64_t rows; /* printed so far */
};

typedef int export_rows_fn(struct export *export, struct export_sink *sink, struct error *err);

/* By enum export_table. Each leaves its last rows in sink->table. */
extern export_rows_fn *const EXPORT_ROWS[EXPORT_TABLE_COUNT];

/* Prints the rows of the sink's table and removes them. */
int export_sink_flush(struct export_sink *sink, struct error *err) MUST_CHECK;

#endif
