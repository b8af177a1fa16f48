/*
 * measure_table.h - the table of measures for people: docs/measures.md holds it.
 */
#ifndef RESULTS_MEASURE_TABLE_H
#define RESULTS_MEASURE_TABLE_H

#include "error.h"
#include "table.h"

/* A row per measure of common/measure.c. */
int measure_table(struct table **out, struct error *err) MUST_CHECK;

#endif
