/*
 * table_rows.h - the rows of a query as rows of a table.
 */
#ifndef RESULTS_TABLE_ROWS_H
#define RESULTS_TABLE_ROWS_H

#include "error.h"
#include "sql.h"
#include "table.h"

struct store;

/* Adds all rows of the statement, which has a column for each of the table's, by their
 * types (text, integers, reals), and ends it. */
int table_add_rows(struct table *table, struct store *store, sqlite3_stmt **statement,
                   const struct table_column *columns, int count, struct error *err) MUST_CHECK;

#endif
