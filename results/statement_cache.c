/* statement_cache.c - a hash table of prepared statements, by the hash of their
 * text. */
#include "statement_cache.h"

#include "hash.h"

#include <assert.h>
#include <string.h>

enum { NEAR = 8 }; /* places searched, beginning at the hash's own */

static uint64_t first_place(const char *sql)
{
    return hash_xxh3(sql, strlen(sql));
}

static sqlite3_stmt **place_at(struct statement_cache *cache, uint64_t place)
{
    return &cache->places[place % STATEMENT_CACHE_PLACES];
}

sqlite3_stmt *statement_cache_take(struct statement_cache *cache, const char *sql)
{
    uint64_t first = first_place(sql);

    for (uint64_t i = 0; i < NEAR; i++) {
        sqlite3_stmt **place = place_at(cache, first + i), *statement = *place;

        if (statement == NULL || strcmp(sqlite3_sql(statement), sql) != 0)
            continue;
        *place = NULL;
        return statement;
    }
    return NULL;
}

void statement_cache_give(struct statement_cache *cache, sqlite3_stmt *statement)
{
    assert(statement != NULL);
    uint64_t first = first_place(sqlite3_sql(statement));
    sqlite3_stmt **place = place_at(cache, first);

    for (uint64_t i = 1; i < NEAR && *place != NULL; i++)
        place = place_at(cache, first + i);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    sqlite3_finalize(*place);
    *place = statement;
}

void statement_cache_clear(struct statement_cache *cache)
{
    for (int i = 0; i < STATEMENT_CACHE_PLACES; i++) {
        sqlite3_finalize(cache->places[i]);
        cache->places[i] = NULL;
    }
}
