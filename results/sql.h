/*
 * sql.h - runs SQL statements with bound parameters, for the modules of results/.
 *
 * types has a letter per parameter ?1, ?2, ...: i an integer of any width, r double, t
 * const char * (NULL is SQL's NULL), n SQL's NULL (has no argument). The arguments
 * carry their own types: a type other than the letter's fails an assert, and a pointer
 * to anything else does not compile.
 *
 * A statement that was stepped to its end stays prepared for the next call with the
 * same text (statement_cache.h).
 */
#ifndef RESULTS_SQL_H
#define RESULTS_SQL_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct store;

/* An argument, or types. */
struct sql_value {
    char type; /* i, r or t */
    union {
        int64_t integer;
        double real;
        const char *text;
    } as;
};

static inline struct sql_value sql_integer_value(int64_t integer)
{
    return (struct sql_value){ 'i', { .integer = integer } };
}

static inline struct sql_value sql_real_value(double real)
{
    return (struct sql_value){ 'r', { .real = real } };
}

static inline struct sql_value sql_text_value(const char *text)
{
    return (struct sql_value){ 't', { .text = text } };
}

#define SQL_VALUE(x)                                                                           \
    _Generic((x), double: sql_real_value, char *: sql_text_value, const char *: sql_text_value, \
             default: sql_integer_value)(x)

/* SQL_ARGUMENTS(types, a, b): the values as an array, types first, and their number,
 * 3. */
#define SQL_ARGUMENTS(...)                                                                     \
    (const struct sql_value[]){ SQL_JOIN(SQL_LIST_, SQL_COUNT(__VA_ARGS__))(__VA_ARGS__) },    \
        SQL_COUNT(__VA_ARGS__)
#define SQL_JOIN(a, b) SQL_JOIN_(a, b)
#define SQL_JOIN_(a, b) a##b
#define SQL_COUNT(...)                                                                         \
    SQL_COUNT_(__VA_ARGS__, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define SQL_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, count, ...) count
#define SQL_LIST_1(x) SQL_VALUE(x)
#define SQL_LIST_2(x, ...) SQL_VALUE(x), SQL_LIST_1(__VA_ARGS__)
#define SQL_LIST_3(x, ...) SQL_VALUE(x), SQL_LIST_2(__VA_ARGS__)
#define SQL_LIST_4(x, ...) SQL_VALUE(x), SQL_LIST_3(__VA_ARGS__)
#define SQL_LIST_5(x, ...) SQL_VALUE(x), SQL_LIST_4(__VA_ARGS__)
#define SQL_LIST_6(x, ...) SQL_VALUE(x), SQL_LIST_5(__VA_ARGS__)
#define SQL_LIST_7(x, ...) SQL_VALUE(x), SQL_LIST_6(__VA_ARGS__)
#define SQL_LIST_8(x, ...) SQL_VALUE(x), SQL_LIST_7(__VA_ARGS__)
#define SQL_LIST_9(x, ...) SQL_VALUE(x), SQL_LIST_8(__VA_ARGS__)
#define SQL_LIST_10(x, ...) SQL_VALUE(x), SQL_LIST_9(__VA_ARGS__)
#define SQL_LIST_11(x, ...) SQL_VALUE(x), SQL_LIST_10(__VA_ARGS__)
#define SQL_LIST_12(x, ...) SQL_VALUE(x), SQL_LIST_11(__VA_ARGS__)
#define SQL_LIST_13(x, ...) SQL_VALUE(x), SQL_LIST_12(__VA_ARGS__)
#define SQL_LIST_14(x, ...) SQL_VALUE(x), SQL_LIST_13(__VA_ARGS__)
#define SQL_LIST_15(x, ...) SQL_VALUE(x), SQL_LIST_14(__VA_ARGS__)

/* sql_run(store, err, sql, types, ...): runs a statement that returns no rows (or whose
 * rows do not matter). */
#define sql_run(store, err, sql, ...)                                                          \
    sql_run_values(store, err, sql, SQL_ARGUMENTS(__VA_ARGS__))
int sql_run_values(struct store *store, struct error *err, const char *sql,
                   const struct sql_value *values, int count) MUST_CHECK;

/* sql_int(store, out, found, err, sql, types, ...): the first column of the first row
 * as an integer. *found may be NULL: then no row is ERROR_ABSENT. */
#define sql_int(store, out, found, err, sql, ...)                                              \
    sql_int_values(store, out, found, err, sql, SQL_ARGUMENTS(__VA_ARGS__))
int sql_int_values(struct store *store, int64_t *out, bool *found, struct error *err,
                   const char *sql, const struct sql_value *values, int count) MUST_CHECK;

/* sql_find_text(store, out, err, sql, types, ...): the first column of the first row as
 * a fresh text; *out NULL: no row, or NULL. */
#define sql_find_text(store, out, err, sql, ...)                                               \
    sql_find_text_values(store, out, err, sql, SQL_ARGUMENTS(__VA_ARGS__))
int sql_find_text_values(struct store *store, char **out, struct error *err, const char *sql,
                         const struct sql_value *values, int count) MUST_CHECK;

/* A query: sql_query(store, out, err, sql, types, ...), then sql_step() until it
 * returns 0 (1: a row; negative: an error, and the statement is finalised), or
 * sql_end() to stop earlier. Only a statement that was stepped to its end returns to
 * the cache. */
#define sql_query(store, out, err, sql, ...)                                                   \
    sql_query_values(store, out, err, sql, SQL_ARGUMENTS(__VA_ARGS__))
int sql_query_values(struct store *store, sqlite3_stmt **out, struct error *err,
                     const char *sql, const struct sql_value *values, int count) MUST_CHECK;
int sql_step(struct store *store, sqlite3_stmt **statement, struct error *err) MUST_CHECK;
void sql_end(sqlite3_stmt **statement);

/* Column text, "" for NULL; valid until the next step. */
const char *sql_text(sqlite3_stmt *statement, int column);
/* Copies column text, "" for NULL, as far as it fits. */
void sql_copy_text(char *out, size_t size, sqlite3_stmt *statement, int column);
/* A newly allocated copy of a column's text; NULL for NULL or no memory. */
char *sql_text_copy(sqlite3_stmt *statement, int column);

/* Reads hashes of runs, the first column of all remaining rows, into a new list (the
 * caller frees it; NULL after an error) and ends the statement. */
int sql_hashes(struct store *store, sqlite3_stmt **statement, char (**out)[65], int *count,
               struct error *err) MUST_CHECK;

#endif
