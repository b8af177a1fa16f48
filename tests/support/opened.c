/* opened.c - makes and opens a workspace of the first release. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "opened.h"

#include "export.h"
#include "file.h"
#include "release_1.h"
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

void must(int rc, const struct error *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

struct store *opened_store(const char *directory, enum store_mode mode)
{
    struct store *store;
    struct error err;

    must(store_open(&store, directory, mode, &err), &err);
    return store;
}

int64_t opened_int(struct store *store, const char *sql)
{
    struct error err;
    int64_t value = 0;

    must(sql_int(store, &value, NULL, &err, sql, ""), &err);
    return value;
}

struct store *opened_in(const char *directory, const char *change)
{
    release_1_write(directory);
    store_close(opened_store(directory, STORE_WRITE)); /* migrates */
    database_change(directory, change);
    return opened_store(directory, STORE_READ);
}

void opened_make(struct opened *opened)
{
    snprintf(opened->directory, sizeof opened->directory, "/tmp/hrmlab_opened.XXXXXX");
    assert_non_null(mkdtemp(opened->directory));
    release_1_write(opened->directory);
    opened->store = opened_store(opened->directory, STORE_WRITE);
}

void opened_remove(struct opened *opened)
{
    store_close(opened->store);
    assert_int_equal(file_remove_tree(opened->directory, NULL), 0);
}

void opened_export_make(struct opened_export *opened, const char *changes)
{
    struct error err;

    place_make(&opened->place);
    must(file_make_directories(opened->place.workspace, &err), &err);
    release_1_write(opened->place.workspace);
    opened->store = opened_store(opened->place.workspace, STORE_WRITE);
    database_change(opened->place.workspace, changes);
    must(export_open(&opened->export, opened->store, NULL, 0, NULL, 0, &err), &err);
}

void opened_export_remove(struct opened_export *opened)
{
    export_close(opened->export);
    store_close(opened->store);
    place_remove(&opened->place);
}
