/*
 * sql.h - one SQL statement at a time, parameters bound in order: for the modules of
 * results/.
 *
 * types has a letter per parameter ?1, ?2, ...: i int64_t, r double, t const char *
 * (NULL is SQL's NULL), n SQL's NULL (takes no argument).
 *
 * Statements that came to their end are kept prepared, by their text
 * (statement_cache.h).
 */
#ifndef RESULTS_SQL_H
#define RESULTS_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct store;

/* Runs a statement that returns no rows (or whose rows do not matter). */
int sql_run(struct store *store, struct error *err, const char *sql, const char *types,
            ...) MUST_CHECK;

/* The first column of the first row as an integer. *found may be NULL: then no row is
 * ERROR_ABSENT. */
int sql_int(struct store *store, int64_t *out, bool *found, struct error *err, const char *sql,
            const char *types, ...) MUST_CHECK;

/* A query: sql_query(), then sql_step() until it returns 0 (1: a row; negative: an
 * error, and the statement is finalised), or sql_end() to stop earlier. Only a
 * statement that was stepped to its end returns to the cache. */
int sql_query(struct store *store, sqlite3_stmt **out, struct error *err, const char *sql,
              const char *types, ...) MUST_CHECK;
int sql_step(struct store *store, sqlite3_stmt **statement, struct error *err) MUST_CHECK;
void sql_end(sqlite3_stmt **statement);

/* Column text, "" for NULL; valid until the next step. */
const char *sql_text(sqlite3_stmt *statement, int column);
/* Fresh copy of a column's text, NULL for NULL or no memory. */
char *sql_text_copy(sqlite3_stmt *statement, int column);

#endif
