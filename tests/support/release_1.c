/* release_1.c - makes the database of a workspace of the first release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "release_1.h"

#include "error.h"
#include "evaluation_changes.h"
#include "file.h"

#include <sqlite3.h>
#include <stdlib.h>

void database_change(const char *directory, const char *sql)
{
    char *path = file_join(directory, "results.db"), *message = NULL;
    sqlite3 *db;

    assert_non_null(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    evaluation_changes_allow(db);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
    free(path);
}

void release_1_write(const char *directory)
{
    struct error err;
    char *sql;
    size_t size;

    if (file_read(&sql, &size, "tests/data/release_1.sql", 1 << 20, &err) != 0)
        fail_msg("%s", err.message);
    database_change(directory, sql);
    free(sql);
}
