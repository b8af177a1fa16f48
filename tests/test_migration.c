/* test_migration.c - databases of older releases are brought up to date wholly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "random.h"
#include "sql.h"
#include "store.h"
#include "support/selection.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Releases that are still to come: version 2 has a column and version 3 a table more. None of
 * this can be done twice. */
static const char *const COMING[] = {
    NULL,
    "ALTER TABLE run ADD COLUMN note TEXT; UPDATE run SET note = 'of ' || hash",
    "CREATE TABLE numbers (n INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
    "WITH RECURSIVE list (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM list WHERE n < 20000)"
    " INSERT INTO numbers SELECT n, 'number ' || n FROM list;"
    "UPDATE run SET note = note || '!'",
};
static const struct store_schema VERSION_2 = { 2, COMING };
static const struct store_schema VERSION_3 = { 3, COMING };

/* Its second step fails after its first statements have been carried out. */
static const char *const FAILING[] = {
    NULL,
    "ALTER TABLE run ADD COLUMN note TEXT; UPDATE run SET note = 'of ' || hash",
    "CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1)",
};
static const struct store_schema FAILING_3 = { 3, FAILING };

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_migration.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static struct store *open_as(const struct store_schema *schema, enum store_mode mode)
{
    struct error err = { 0 };
    struct store *store;
    int rc = schema == NULL ? store_open(&store, directory, mode, &err)
                            : store_open_schema(&store, directory, mode, schema, &err);

    if (rc != 0)
        fail_msg("%s", err.message);
    return store;
}

static void expect_refused(const struct store_schema *schema, enum store_mode mode,
                           const char *words)
{
    struct error err = { 0 };
    struct store *store;
    int rc = schema == NULL ? store_open(&store, directory, mode, &err)
                            : store_open_schema(&store, directory, mode, schema, &err);

    assert_int_equal(rc, ERROR_DATABASE);
    assert_null(store);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static int64_t read_int(struct store *store, const char *sql)
{
    struct error err = { 0 };
    int64_t value = 0;

    if (sql_int(store, &value, NULL, &err, sql, "") != 0)
        fail_msg("%s", err.message);
    return value;
}

/* A workspace of today's release, with a run in it. */
static void make_workspace(void)
{
    struct store *store = open_as(NULL, STORE_WRITE);

    assert_int_equal(
        sqlite3_exec(store_connection(store),
                     "INSERT INTO run (hash, canonical, job_config, data_hash, numeric_version,"
                     " seed) VALUES (printf('%064d', 7), '{}', '{}', 'd', '1', 0)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    store_close(store);
}

/* As the release of today left it: version 1, its run, nothing of the versions to come. */
static void expect_version_1(void)
{
    struct store *store = open_as(NULL, STORE_WRITE);

    assert_int_equal(read_int(store, "PRAGMA user_version"), 1);
    assert_int_equal(read_int(store, "SELECT count(*) FROM run"), 1);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'note'"),
        0);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'"), 0);
    store_close(store);
}

static void expect_version_3(void)
{
    struct store *store = open_as(&VERSION_3, STORE_READ);

    assert_int_equal(read_int(store, "PRAGMA user_version"), 3);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM run WHERE note = 'of ' || hash || '!'"), 1);
    assert_int_equal(read_int(store, "SELECT count(*) FROM numbers"), 20000);
    store_close(store);
    store = open_as(&VERSION_3, STORE_WRITE);
    assert_int_equal(read_int(store, "SELECT integrity_check = 'ok' FROM"
                                     " pragma_integrity_check LIMIT 1"),
                     1);
    store_close(store);
}

static void each_version_is_brought_to_the_next(void **state)
{
    (void)state;
    make_workspace();
    expect_refused(&VERSION_2, STORE_READ, "of an older release");
    store_close(open_as(&VERSION_2, STORE_WRITE));
    expect_refused(NULL, STORE_WRITE, "newer hrmlab");
    expect_refused(NULL, STORE_READ, "newer hrmlab");
    store_close(open_as(&VERSION_3, STORE_WRITE));
    expect_version_3();
    store_close(open_as(&VERSION_3, STORE_WRITE)); /* nothing is done twice */
    expect_version_3();
}

static void two_versions_are_caught_up_with_at_once(void **state)
{
    (void)state;
    make_workspace();
    store_close(open_as(&VERSION_3, STORE_WRITE));
    expect_version_3();
}

static void a_step_that_fails_leaves_the_old_version(void **state)
{
    (void)state;
    make_workspace();
    expect_refused(&FAILING_3, STORE_WRITE, "upgrade");
    expect_version_1();
    store_close(open_as(&VERSION_3, STORE_WRITE));
    expect_version_3();
}

/* Opens as version 3 in a process of its own. */
static pid_t start_upgrade(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct error err = { 0 };
        struct store *store;
        int rc = store_open_schema(&store, directory, STORE_WRITE, &VERSION_3, &err);

        if (rc != 0)
            fprintf(stderr, "# %s\n", err.message);
        _exit(rc == 0 ? 0 : 1);
    }
    return pid;
}

static void processes_that_come_at_once_upgrade_once(void **state)
{
    enum { PROCESSES = 4 };
    pid_t pids[PROCESSES];

    (void)state;
    make_workspace();
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start_upgrade();
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    expect_version_3();
}

static void sleep_us(long microseconds)
{
    nanosleep(&(struct timespec){ 0, microseconds * 1000 }, NULL);
}

/* How long an undisturbed upgrade takes. */
static long measure_upgrade_us(void)
{
    struct timespec from, to;
    int status;

    make_workspace();
    clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t pid = start_upgrade();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(status, 0);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static void an_upgrade_that_is_killed_is_done_or_was_never_begun(void **state)
{
    struct random_stream stream = random_stream(5, "upgrade", 0);
    int kills = getenv("HRMLAB_LONG") != NULL ? 100 : 8, before = 0, after = 0;
    long longest = measure_upgrade_us();

    (void)state;
    for (int i = 0; i < kills; i++) {
        assert_int_equal(file_remove_tree(directory, NULL), 0);
        make_workspace();
        pid_t pid = start_upgrade();
        sleep_us((long)random_below(&stream, (uint64_t)longest));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        struct error err = { 0 };
        struct store *store;
        if (store_open_schema(&store, directory, STORE_READ, &VERSION_3, &err) == 0) {
            store_close(store);
            after++;
            longest -= longest / 4; /* this machine has become faster */
        } else {
            expect_version_1();
            before++;
            longest += longest / 8;
        }
        store_close(open_as(&VERSION_3, STORE_WRITE));
        expect_version_3();
    }
    print_message("%d upgrades killed, %d of them before their commit\n", kills, before);
    assert_true(before >= kills / 4);
    assert_int_equal(before + after, kills);
}

int main(void)
{
#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(each_version_is_brought_to_the_next),
        WITH_DIRECTORY(two_versions_are_caught_up_with_at_once),
        WITH_DIRECTORY(a_step_that_fails_leaves_the_old_version),
        WITH_DIRECTORY(processes_that_come_at_once_upgrade_once),
        WITH_DIRECTORY(an_upgrade_that_is_killed_is_done_or_was_never_begun),
    };

    select_tests();
    return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
