/*
 * measure_table.h - the table of measures in docs/measures.md.
 */
#ifndef RESULTS_MEASURE_TABLE_H
#define RESULTS_MEASURE_TABLE_H

#include "error.h"
#include "table.h"

/* A row per measure of common/measure.c. */
int measure_table(struct table **out, struct error *err) MUST_CHECK;

#endif
