/* sql.c - prepare (or take a prepared one), bind, step, give back in one place. */
#include "sql.h"

#include "error.h"
#include "statement_cache.h"
#include "store.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static int bind_one(sqlite3_stmt *statement, int index, char type, va_list *arguments)
{
    switch (type) {
    case 'i':
        return sqlite3_bind_int64(statement, index, va_arg(*arguments, int64_t));
    case 'r':
        return sqlite3_bind_double(statement, index, va_arg(*arguments, double));
    case 't':
        return sqlite3_bind_text(statement, index, va_arg(*arguments, const char *), -1,
                                 SQLITE_TRANSIENT);
    default:
        assert(type == 'n');
        return sqlite3_bind_null(statement, index);
    }
}

static int prepare(struct store *store, sqlite3_stmt **out, const char *sql, const char *types,
                   va_list *arguments, struct error *err)
{
    *out = statement_cache_take(store_statements(store), sql);
    if (*out == NULL && sqlite3_prepare_v3(store_connection(store), sql, -1,
                                           SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return store_error(store, sql, err);
    assert(sqlite3_bind_parameter_count(*out) == (int)strlen(types));
    for (int i = 0; types[i] != '\0'; i++)
        if (bind_one(*out, i + 1, types[i], arguments) != SQLITE_OK) {
            int rc = store_error(store, sql, err);
            sql_end(out);
            return rc;
        }
    return 0;
}

/* Returns a prepared statement to the cache. One that failed is finalised and not
 * returned. */
static void give_back(struct store *store, sqlite3_stmt **statement)
{
    statement_cache_give(store_statements(store), *statement);
    *statement = NULL;
}

int sql_query(struct store *store, sqlite3_stmt **out, struct error *err, const char *sql,
              const char *types, ...)
{
    va_list arguments;

    va_start(arguments, types);
    int rc = prepare(store, out, sql, types, &arguments, err);
    va_end(arguments);
    return rc;
}

int sql_step(struct store *store, sqlite3_stmt **statement, struct error *err)
{
    assert(*statement != NULL); /* it has not ended yet */
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

int sql_run(struct store *store, struct error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list arguments;

    va_start(arguments, types);
    int rc = prepare(store, &statement, sql, types, &arguments, err);
    va_end(arguments);
    if (rc < 0)
        return rc;
    rc = sql_step(store, &statement, err);
    if (rc > 0)
        give_back(store, &statement);
    return rc < 0 ? rc : 0;
}

int sql_int(struct store *store, int64_t *out, bool *found, struct error *err, const char *sql,
            const char *types, ...)
{
    sqlite3_stmt *statement;
    va_list arguments;

    *out = 0;
    assert(types != NULL);
    va_start(arguments, types);
    int rc = prepare(store, &statement, sql, types, &arguments, err);
    va_end(arguments);
    if (rc < 0)
        return rc;
    rc = sql_step(store, &statement, err);
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

const char *sql_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? (const char *)text : "";
}

char *sql_text_copy(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text != NULL ? strdup((const char *)text) : NULL;
}
