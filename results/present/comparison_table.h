/*
 * comparison_table.h - the tables of `hrmlab compare`.
 */
#ifndef RESULTS_COMPARISON_TABLE_H
#define RESULTS_COMPARISON_TABLE_H

#include "compare.h"
#include "error.h"
#include "table.h"

/* Makes a row per comparison of the list; notes tell what the intervals cover. */
int comparison_table(struct table **out, const struct comparison_list *list,
                     struct error *err) MUST_CHECK;

/* Makes a row per value of the axis key: its mean, and the number of cells. */
int axis_table(struct table **out, const struct axis_values *values, const char *key,
               enum metric metric, struct error *err) MUST_CHECK;

/*
 * In formats for people, each block becomes a grid; in others, all cells are one
 * table. The table of differences follows, with the finding as a note. tables: room
 * for matrix->block_count + 1; *count: number of tables made, which the caller
 * destroys, also after an error.
 */
int matrix_tables(struct table **tables, int *count, const struct matrix *matrix,
                  const struct compare *compare, const struct comparison_list *list,
                  const char *finding, bool for_people, struct error *err) MUST_CHECK;

#endif
