/*
 * pivot.h - a measure as a table of two settings: a row per value of one, a column per
 * value of the other.
 */
#ifndef RESULTS_PIVOT_H
#define RESULTS_PIVOT_H

#include "error.h"
#include "query.h"
#include "table.h"

struct store;

/*
 * Means over all finished evaluations of all seeds that have both values; columns NULL:
 * one column. Values are in ascending order where they are numbers, else as the arms
 * have them. A note tells what the means run over. ERROR_FORMAT: a key that is no
 * setting, or one setting twice.
 */
int pivot_table(struct table **out, struct store *store, const struct results *results,
                const char *rows, const char *columns, enum metric metric,
                struct error *err) MUST_CHECK;

#endif
