/* sql.c - takes a prepared statement from the cache (or prepares it), binds, steps and
 * returns it. */
#include "sql.h"

#include "error.h"
#include "statement_cache.h"
#include "store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* keep: SQLITE_TRANSIENT copies a text, SQLITE_STATIC does not. */
static int bind_one(sqlite3_stmt *statement, int index, const struct sql_value *value,
                    sqlite3_destructor_type keep)
{
    switch (value->type) {
    case 'i':
        return sqlite3_bind_int64(statement, index, value->as.integer);
    case 'r':
        return sqlite3_bind_double(statement, index, value->as.real);
    default:
        assert(value->type == 't');
        return sqlite3_bind_text(statement, index, value->as.text, -1, keep);
    }
}

/* values[0] is types; keep is of texts. */
static int prepare(struct store *store, sqlite3_stmt **out, const char *sql,
                   const struct sql_value *values, int count, sqlite3_destructor_type keep,
                   struct error *err)
{
    const char *types = values[0].as.text;
    int used = 1, code = SQLITE_OK;

    *out = statement_cache_take(store_statements(store), sql);
    if (*out == NULL && sqlite3_prepare_v3(store_connection(store), sql, -1,
                                           SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return store_error(store, sql, err);
    assert(sqlite3_bind_parameter_count(*out) == (int)strlen(types));
    for (int i = 0; types[i] != '\0' && code == SQLITE_OK; i++) {
        if (types[i] == 'n') {
            code = sqlite3_bind_null(*out, i + 1);
            continue;
        }
        assert(values[0].type == 't' && used < count && values[used].type == types[i]);
        code = bind_one(*out, i + 1, &values[used++], keep);
    }
    assert(code != SQLITE_OK || used == count);
    if (code == SQLITE_OK)
        return 0;
    int rc = store_error(store, sql, err);
    sql_end(out);
    return rc;
}

/* Returns a prepared statement to the cache. A statement that failed is finalised
 * instead. */
static void give_back(struct store *store, sqlite3_stmt **statement)
{
    statement_cache_give(store_statements(store), *statement);
    *statement = NULL;
}

int sql_query_values(struct store *store, sqlite3_stmt **out, struct error *err,
                     const char *sql, const struct sql_value *values, int count)
{
    return prepare(store, out, sql, values, count, SQLITE_TRANSIENT, err);
}

int sql_step(struct store *store, sqlite3_stmt **statement, struct error *err)
{
    assert(*statement != NULL); /* the caller does not step past the end */
    int code = sqlite3_step(*statement);

    if (code == SQLITE_ROW)
        return 1;
    if (code == SQLITE_DONE) {
        give_back(store, statement);
        return 0;
    }
    int rc = store_error(store, sqlite3_sql(*statement), err);
    sql_end(statement);
    return rc;
}

void sql_end(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
    *statement = NULL;
}

/* Runs a statement to its first row: 1, and the caller gives it back; 0: there is
 * none. */
static int first_row(struct store *store, sqlite3_stmt **out, const char *sql,
                     const struct sql_value *values, int count, struct error *err)
{
    int rc = prepare(store, out, sql, values, count, SQLITE_STATIC, err);

    return rc < 0 ? rc : sql_step(store, out, err);
}

int sql_run_values(struct store *store, struct error *err, const char *sql,
                   const struct sql_value *values, int count)
{
    sqlite3_stmt *statement;
    int rc = first_row(store, &statement, sql, values, count, err);

    if (rc > 0)
        give_back(store, &statement);
    return rc < 0 ? rc : 0;
}

int sql_int_values(struct store *store, int64_t *out, bool *found, struct error *err,
                   const char *sql, const struct sql_value *values, int count)
{
    sqlite3_stmt *statement;
    int rc = first_row(store, &statement, sql, values, count, err);

    *out = 0;
    if (rc > 0) {
        *out = sqlite3_column_int64(statement, 0);
        give_back(store, &statement);
    }
    if (found != NULL)
        *found = rc > 0;
    if (rc == 0 && found == NULL)
        return error_set(err, ERROR_ABSENT, "no row: %s", sql);
    return rc < 0 ? rc : 0;
}

int sql_find_text_values(struct store *store, char **out, struct error *err, const char *sql,
                         const struct sql_value *values, int count)
{
    sqlite3_stmt *statement;
    int rc = first_row(store, &statement, sql, values, count, err);

    *out = NULL;
    if (rc <= 0)
        return rc;
    bool known = sqlite3_column_type(statement, 0) != SQLITE_NULL;

    *out = sql_text_copy(statement, 0);
    give_back(store, &statement);
    return known && *out == NULL ? error_no_memory(err, "a text of the database") : 0;
}

const char *sql_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

void sql_copy_text(char *out, size_t size, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    size_t length = (size_t)sqlite3_column_bytes(statement, column);

    length = text == NULL ? 0 : length < size ? length : size - 1;
    if (length > 0)
        memcpy(out, text, length);
    out[length] = '\0';
}

char *sql_text_copy(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? strdup((const char *)text) : NULL;
}

int sql_hashes(struct store *store, sqlite3_stmt **statement, char (**out)[65], int *count,
               struct error *err)
{
    char(*list)[65] = NULL;
    int n = 0, room = 0, rc;

    *out = NULL;
    *count = 0;
    while ((rc = sql_step(store, statement, err)) > 0) {
        if (n == room) {
            room = 2 * room + 16;
            char(*larger)[65] = realloc(list, (size_t)room * sizeof *list);

            if (larger == NULL) {
                sql_end(statement);
                rc = error_no_memory(err, "a list of runs");
                break;
            }
            list = larger;
        }
        snprintf(list[n++], sizeof *list, "%s", sql_text(*statement, 0));
    }
    if (rc < 0) {
        free(list);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}
