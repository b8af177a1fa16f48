/*
 * table_arrange.h - the rows and columns of a finished table as a person wants them:
 * ordered, chosen, those that meet a condition.
 *
 * Columns are meant by name or title. ERROR_FORMAT for another word lists the names.
 */
#ifndef RESULTS_TABLE_ARRANGE_H
#define RESULTS_TABLE_ARRANGE_H

#include "error.h"
#include "filter.h"
#include "table.h"

/* Orders the rows by columns, "arch.name,-pass_at_2": a minus for the largest first.
 * Rows that are equal stay in their order; empty cells come last. */
int table_sort(struct table *table, const char *keys, struct error *err) MUST_CHECK;

/* Leaves these columns, "arch.name,pass_at_1", in this order, for people and programs
 * alike. */
int table_choose(struct table *table, const char *names, struct error *err) MUST_CHECK;

/* Leaves the rows whose number in the column, which is one of numbers, is so; empty
 * cells are not. */
void table_keep(struct table *table, const char *column, enum filter_relation relation,
                double number);

#endif
