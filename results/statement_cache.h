/*
 * statement_cache.h - a cache of prepared statements.
 *
 * A statement is either in the cache or with the caller that took it, never both. A
 * query nested in a query with the same text finds none and prepares another.
 */
#ifndef RESULTS_STATEMENT_CACHE_H
#define RESULTS_STATEMENT_CACHE_H

#include <sqlite3.h>

enum { STATEMENT_CACHE_PLACES = 64 };

struct statement_cache {
    sqlite3_stmt *places[STATEMENT_CACHE_PLACES]; /* owned; by the text's hash */
};

/* Takes the statement of this text out of the cache; it is then the caller's. NULL:
 * there is none. */
sqlite3_stmt *statement_cache_take(struct statement_cache *cache, const char *sql);
/* Resets the statement and puts it into the cache. If there is no room, it replaces
 * another one. */
void statement_cache_give(struct statement_cache *cache, sqlite3_stmt *statement);
/* Finalises all statements in the cache. */
void statement_cache_clear(struct statement_cache *cache);

#endif
