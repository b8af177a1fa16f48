/* test_no_memory.c - what must succeed where SQLite finds no memory at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "sql.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

static sqlite3_mem_methods usual;
static bool no_memory;

static void *allocate(int size)
{
    return no_memory ? NULL : usual.xMalloc(size);
}

static void *reallocate(void *old, int size)
{
    return no_memory ? NULL : usual.xRealloc(old, size);
}

/* SQLite's allocations fail from now on while no_memory is set. Before its first use. */
static int take_allocator(void **state)
{
    (void)state;
    sqlite3_mem_methods mine;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
        return -1;
    mine = usual;
    mine.xMalloc = allocate;
    mine.xRealloc = reallocate;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) == SQLITE_OK ? 0 : -1;
}

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        fail_msg("%s", err->message);
}

/* Otherwise the next transaction of a process that goes on would meet the one before. */
static void a_transaction_is_rolled_back_without_memory(void **state)
{
    static const enum store_mode MODES[] = { STORE_WRITE, STORE_READ };
    char directory[] = "/tmp/test_no_memory.XXXXXX";
    struct error err;

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        struct store *store;
        int64_t count;

        must(store_open(&store, directory, MODES[i], &err), &err);
        /* its own reserve of memory would be enough for some statements */
        assert_int_equal(
            sqlite3_db_config(store_connection(store), SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0),
            SQLITE_OK);
        must(store_begin(store, &err), &err);
        if (MODES[i] == STORE_WRITE)
            must(sql_run(store, &err,
                         "INSERT INTO experiment (name, description, spec_hash, spec_file,"
                         " queued_at) VALUES ('a', '', '', '', '')",
                         ""),
                 &err);
        no_memory = true;
        store_rollback(store);
        no_memory = false;
        must(store_begin(store, &err), &err);
        must(sql_int(store, &count, NULL, &err, "SELECT count(*) FROM experiment", ""), &err);
        assert_int_equal(count, 0);
        store_rollback(store);
        store_close(store);
    }
    must(file_remove_tree(directory, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_rolled_back_without_memory),
    };

    return cmocka_run_group_tests_name("no memory", tests, take_allocator, NULL);
}
