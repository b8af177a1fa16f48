/* test_store_replace.c - a database that is held or replaced while others have it open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "sql.h"
#include "store.h"
#include "support/opened.h"
#include "store_replace.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_store_replace.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static struct store *open_store(enum store_mode mode)
{
    return opened_store(directory, mode);
}

/* Whoever had the database open must not write to what is no longer the workspace's. */
static void what_was_replaced_is_not_written_to(void **state)
{
    struct error err;
    struct store *store = open_store(STORE_WRITE), *next;
    char *kept = NULL;

    (void)state;
    must(store_begin(store, &err), &err); /* as long as it is there */
    must(store_commit(store, &err), &err);
    must(store_create(&next, directory, &err), &err);
    must(store_replace(next, directory, &kept, &err), &err);
    assert_int_equal(store_begin(store, &err), ERROR_BUSY);
    assert_non_null(strstr(err.message, "give the command again"));
    store_close(store);
    store = open_store(STORE_WRITE);
    must(store_begin(store, &err), &err);
    must(store_commit(store, &err), &err);
    store_close(store);
    free(kept);
}

static void a_held_database_is_read_and_not_written_to(void **state)
{
    struct error err;
    struct store *store = open_store(STORE_WRITE);
    struct store_hold *held;

    (void)state;
    sqlite3_busy_timeout(store_connection(store), 10);
    must(store_hold(&held, directory, &err), &err);
    assert_non_null(held);
    assert_int_equal(opened_int(store, "SELECT count(*) FROM run"), 0);
    assert_int_equal(store_begin(store, &err), ERROR_BUSY);
    assert_non_null(strstr(err.message, "try again"));
    store_let_go(held);
    must(store_begin(store, &err), &err);
    store_rollback(store);
    store_close(store);
}

/* Nobody writes to it, so nobody need be kept from it; nor is it changed. */
static void nothing_and_a_foreign_file_need_not_be_held(void **state)
{
    static const char TEXT[] =
        "this is no database, and longer than the header of one would be: "
        "a hundred bytes and more, to be read as one and refused";
    struct error err;
    char *path = file_join(directory, "results.db"), *now;
    size_t size;
    struct store_hold *held;

    (void)state;
    must(store_hold(&held, directory, &err), &err);
    assert_null(held);
    assert_false(file_exists(path));
    must(file_write_atomic(path, TEXT, strlen(TEXT), &err), &err);
    must(store_hold(&held, directory, &err), &err);
    assert_null(held);
    must(file_read(&now, &size, path, 1 << 20, &err), &err);
    assert_string_equal(now, TEXT);
    free(now);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_replaced_is_not_written_to, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_held_database_is_read_and_not_written_to,
                                        make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(nothing_and_a_foreign_file_need_not_be_held,
                                        make_directory, remove_directory),
    };

    return cmocka_run_group_tests_name("store_replace", tests, NULL, NULL);
}
