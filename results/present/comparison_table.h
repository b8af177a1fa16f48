/*
 * comparison_table.h - the tables of `hrmlab compare`.
 */
#ifndef RESULTS_COMPARISON_TABLE_H
#define RESULTS_COMPARISON_TABLE_H

#include "compare.h"
#include "error.h"
#include "table.h"

/* A row per comparison of the list, with what the intervals cover as notes. */
int comparison_table(struct table **out, const struct comparison_list *list,
                     struct error *err) MUST_CHECK;

/* A row per value of the axis key: its mean and over how many cells. */
int axis_table(struct table **out, const struct axis_values *values, const char *key,
               enum metric metric, struct error *err) MUST_CHECK;

/*
 * The blocks of a matrix as grids, a table each, where people are to read them;
 * otherwise one table of all cells. Then the differences, with the finding as a note.
 * tables: room for matrix->block_count + 1; *count: how many were made, those to be
 * destroyed also after an error.
 */
int matrix_tables(struct table **tables, int *count, const struct matrix *matrix,
                  const struct compare *compare, const struct comparison_list *list,
                  const char *finding, bool for_people, struct error *err) MUST_CHECK;

#endif
