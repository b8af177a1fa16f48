/* test_store_log.c - the first large transaction is written without a write-ahead log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "sql.h"
#include "status_query.h"
#include "store.h"
#include "support/opened.h"
#include "support/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char REQUESTS[] = "SELECT count(*) FROM request";
static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_store_log.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static void expect_mode(struct store *store, const char *expected)
{
    struct error err;
    char mode[16];

    must(status_journal_mode(store, mode, &err), &err);
    assert_string_equal(mode, expected);
}

static void add_requests(struct store *store, int count)
{
    struct error err;

    must(sql_run(store, &err,
                 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
                 " INSERT INTO request (kind, target, asked_at)"
                 " SELECT 'retry', printf('%0200d', i), 't' FROM n",
                 "i", (int64_t)count),
         &err);
}

/* Writes to the database in the middle of a transaction, as a cache of ten pages has it do, and
 * is killed. */
static void be_killed(void)
{
    struct store *store = opened_store(directory, STORE_WRITE);
    struct error err;

    store_leave_log(store);
    must(sql_run(store, &err, "PRAGMA cache_size = 10", ""), &err);
    must(store_begin(store, &err), &err);
    add_requests(store, 5000);
    raise(SIGKILL);
}

static off_t size_of(const char *name)
{
    char *path = file_join(directory, name);
    struct stat s = { .st_size = 0 };

    if (stat(path, &s) != 0)
        s.st_size = -1;
    free(path);
    return s.st_size;
}

static void a_reader_takes_back_what_a_killed_writer_began(void **state)
{
    int status;

    (void)state;
    struct store *store = opened_store(directory, STORE_WRITE);
    add_requests(store, 3);
    store_close(store);
    off_t before = size_of("results.db");
    pid_t child = fork();
    if (child == 0)
        be_killed();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(size_of("results.db-journal") > 0);
    assert_true(size_of("results.db") > before); /* of the transaction that has not ended */
    store = opened_store(directory, STORE_READ);
    assert_int_equal(opened_int(store, REQUESTS), 3);
    expect_mode(store, "wal");
    store_close(store);
    assert_int_equal(size_of("results.db-journal"), -1);
}

static void the_log_is_used_again_and_stays_where_somebody_reads(void **state)
{
    (void)state;
    struct store *store = opened_store(directory, STORE_WRITE);

    expect_mode(store, "wal");
    store_start_log(store); /* nothing was left */
    expect_mode(store, "wal");
    store_leave_log(store);
    expect_mode(store, "delete");
    add_requests(store, 3);
    store_start_log(store);
    expect_mode(store, "wal");
    assert_int_equal(opened_int(store, REQUESTS), 3);
    struct store *reader = opened_store(directory, STORE_READ);
    assert_int_equal(opened_int(reader, REQUESTS), 3);
    store_leave_log(store);
    expect_mode(store, "wal");
    add_requests(store, 1);
    store_start_log(store);
    assert_int_equal(opened_int(reader, REQUESTS), 4);
    store_close(reader);
    store_close(store);
}

static void many_runs_are_queued_first_and_more_later(void **state)
{
    static const char SPEC[] =
        "{\"name\": \"many\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2}, \"grid\": {\"train.max_steps\":"
        " [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}, \"seeds\": 1000}";
    struct place place;
    struct error err = { 0 };

    (void)state;
    place_make(&place);
    assert_int_equal(file_write_atomic(place.spec, SPEC, strlen(SPEC), &err), 0);
    const char *const words[] = { "queue", place.spec, NULL };
    const char *const more[] = { "queue", place.spec,     "--set", "name=more",
                                 "--set", "train.lr=0.5", NULL };
    for (int i = 1; i <= 2; i++) {
        char count[8];
        free(place_text(&place, 0, i == 1 ? words : more));
        snprintf(count, sizeof count, "%d", 10000 * i);
        place_expect(&place, "SELECT count(*) FROM job JOIN run USING (run_id)", count);
        place_expect(&place, "PRAGMA journal_mode", "wal");
    }
    place_expect(&place, "SELECT count(*) FROM training", "20");
    place_remove(&place);
}

int main(void)
{
#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(a_reader_takes_back_what_a_killed_writer_began),
        WITH_DIRECTORY(the_log_is_used_again_and_stays_where_somebody_reads),
        cmocka_unit_test(many_runs_are_queued_first_and_more_later),
    };

    return cmocka_run_group_tests_name("store_log", tests, NULL, NULL);
}
