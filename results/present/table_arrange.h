/*
 * table_arrange.h - sorts and selects the rows and columns of a finished table.
 *
 * Columns are given by name or title. ERROR_FORMAT for another word lists the names.
 */
#ifndef RESULTS_TABLE_ARRANGE_H
#define RESULTS_TABLE_ARRANGE_H

#include "error.h"
#include "filter.h"
#include "table.h"

/* Sorts the rows by columns, such as "arch.name,-pass_at_2": a minus means
 * descending. The sort is stable; empty cells come last. */
int table_sort(struct table *table, const char *keys, struct error *err) MUST_CHECK;

/* Selects columns, such as "arch.name,pass_at_1", in this order, in all formats. */
int table_choose(struct table *table, const char *names, struct error *err) MUST_CHECK;

/* Keeps the rows whose number in the column satisfies the relation; empty cells do
 * not. */
void table_keep(struct table *table, const char *column, enum filter_relation relation,
                double number);

#endif
