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
 * Makes a table of means over all finished evaluations of all seeds that have both
 * values; columns NULL: one column. Numbers are in ascending order, other values in
 * the order of the arms. A note tells what the means are taken over. ERROR_FORMAT: a
 * key is not a setting, or one setting is given twice.
 */
int pivot_table(struct table **out, struct store *store, const struct results *results,
                const char *rows, const char *columns, enum metric metric,
                struct error *err) MUST_CHECK;

#endif
