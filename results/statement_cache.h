/*
 * statement_cache.h - prepared statements that wait to be used again.
 *
 * A statement is either here or with whoever took it, never both, so that a query
 * within a query of the same text simply prepares another.
 */
#ifndef RESULTS_STATEMENT_CACHE_H
#define RESULTS_STATEMENT_CACHE_H

#include <sqlite3.h>

enum { STATEMENT_CACHE_PLACES = 64 };

struct statement_cache {
    sqlite3_stmt *places[STATEMENT_CACHE_PLACES]; /* owned; by the text's hash */
};

/* The statement of this text, the caller's from now on; NULL: there is none. */
sqlite3_stmt *statement_cache_take(struct statement_cache *cache, const char *sql);
/* Resets the statement and keeps it, in place of another one where there is no room. */
void statement_cache_give(struct statement_cache *cache, sqlite3_stmt *statement);
/* Finalises all. */
void statement_cache_clear(struct statement_cache *cache);

#endif
