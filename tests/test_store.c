/* test_store.c - opening the results database: schema, foreign and newer files, readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "schema.h"
#include "sql.h"
#include "store.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_store.XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    (void)state;
    return file_remove_tree(directory, NULL);
}

static struct store *open_store(enum store_mode mode)
{
    struct error err;
    struct store *store;

    if (store_open(&store, directory, mode, &err) != 0)
        fail_msg("%s", err.message);
    return store;
}

static int64_t read_int(struct store *store, const char *sql)
{
    struct error err;
    int64_t value = 0;

    if (sql_int(store, &value, NULL, &err, sql, "") != 0)
        fail_msg("%s", err.message);
    return value;
}

/* Makes results.db by hand. */
static void make_database(const char *sql)
{
    char *path = file_join(directory, "results.db");
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    free(path);
}

static void expect_refused(enum store_mode mode, enum error_code code, const char *part)
{
    struct error err;
    struct store *store;

    assert_int_equal(store_open(&store, directory, mode, &err), code);
    assert_null(store);
    assert_int_equal(err.code, code);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void a_new_workspace_gets_every_table(void **state)
{
    struct store *store = open_store(STORE_WRITE);

    (void)state;
    assert_int_equal(read_int(store, "PRAGMA application_id"), 0x68726d6c);
    assert_int_equal(read_int(store, "PRAGMA user_version"), 1);
    assert_int_equal(read_int(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(read_int(store, "PRAGMA synchronous"), 2);
    assert_true(read_int(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") >
                15);
    assert_int_equal(read_int(store, "SELECT count(*) FROM v_results"), 0);
    store_close(store);
    /* again: nothing to do, nothing lost */
    store = open_store(STORE_WRITE);
    assert_int_equal(read_int(store, "PRAGMA user_version"), 1);
    store_close(store);
}

/* The comment on a line of the schema, or NULL. */
static const char *comment_of(const char *line)
{
    const char *comment = strstr(line, "--");

    return comment != NULL && strlen(comment) > 4 ? comment : NULL;
}

/* Whether a line declares a column: four blanks, a name in lower case, a type. */
static bool declares_column(const char *line)
{
    static const char *const TYPES[] = { " INTEGER", " TEXT", " REAL", " ANY" };

    if (strncmp(line, "    ", 4) != 0 || line[4] < 'a' || line[4] > 'z')
        return false;
    const char *end = line + 4 + strspn(line + 4, "abcdefghijklmnopqrstuvwxyz_0123456789");

    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strncmp(end, TYPES[i], strlen(TYPES[i])) == 0)
            return true;
    return false;
}

/* What a column is may also be plain from its declaration: a key that names another table, a
 * column CHECKed to hold named words. */
static bool explains_itself(const char *line)
{
    return strstr(line, "REFERENCES") != NULL || strstr(line, "PRIMARY KEY") != NULL ||
           strstr(line, " IN (") != NULL;
}

static void every_table_and_column_of_the_schema_is_explained(void **state)
{
    char *text = strdup(SCHEMA_SQL), *rest = NULL, line_before[512] = "";
    int columns = 0;

    (void)state;
    assert_non_null(text);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if ((strncmp(line, "CREATE TABLE", 12) == 0 || strncmp(line, "CREATE VIEW", 11) == 0) &&
            strncmp(line_before, "-- ", 3) != 0)
            fail_msg("no comment above: %s", line);
        if (declares_column(line)) {
            columns++;
            if (comment_of(line) == NULL && !explains_itself(line))
                fail_msg("no comment in: %s", line);
        }
        snprintf(line_before, sizeof line_before, "%s", line);
    }
    assert_true(columns > 100);
    free(text);
}

static void a_reader_of_an_empty_workspace_is_told_so(void **state)
{
    (void)state;
    expect_refused(STORE_READ, ERROR_ABSENT, "nothing was queued");
    assert_int_equal(access(directory, F_OK), 0);
    char *path = file_join(directory, "results.db");

    assert_false(file_exists(path));
    free(path);
}

static void a_database_of_another_program_is_left_alone(void **state)
{
    (void)state;
    make_database("CREATE TABLE photo (name); PRAGMA application_id = 5;");
    expect_refused(STORE_WRITE, ERROR_DATABASE, "another program");
    expect_refused(STORE_READ, ERROR_DATABASE, "another program");
    make_database("DROP TABLE photo"); /* it is as it was */
}

static void a_foreign_database_without_an_id_is_left_alone(void **state)
{
    (void)state;
    make_database("CREATE TABLE photo (name)");
    expect_refused(STORE_WRITE, ERROR_DATABASE, "another program");
    expect_refused(STORE_READ, ERROR_DATABASE, "another program");
}

static void a_newer_database_is_refused(void **state)
{
    struct store *store = open_store(STORE_WRITE);

    (void)state;
    store_close(store);
    make_database("PRAGMA user_version = 2");
    expect_refused(STORE_WRITE, ERROR_DATABASE, "newer hrmlab");
    expect_refused(STORE_READ, ERROR_DATABASE, "newer hrmlab");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    char *path = file_join(directory, "results.db");
    FILE *file = fopen(path, "w");

    (void)state;
    for (int i = 0; i < 200; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    expect_refused(STORE_WRITE, ERROR_DATABASE, "not an SQLite database");
    expect_refused(STORE_READ, ERROR_DATABASE, "not an SQLite database");
    free(path);
}

static void a_reader_can_read_and_nothing_else(void **state)
{
    static const char *const REFUSED[] = {
        "DELETE FROM run",
        "INSERT INTO request (kind, target, asked_at) VALUES ('cancel', 'all', '')",
        "CREATE TABLE x (y)",
        "CREATE TEMP TABLE x (y)",
        "ATTACH '/tmp/other.db' AS other",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode = DELETE",
        "SELECT load_extension('x')",
    };
    struct store *store = open_store(STORE_WRITE);
    struct error err;

    (void)state;
    store_close(store);
    store = open_store(STORE_READ);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM run"), 0);
    assert_int_equal(store_commit(store, &err), 0);
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        if (sql_run(store, &err, REFUSED[i], "") == 0)
            fail_msg("a reader may %s", REFUSED[i]);
    sqlite3_stmt *s;

    assert_int_equal(sql_query(store, &s, &err, "PRAGMA quick_check(1)", ""), 0);
    assert_int_equal(sql_step(store, &s, &err), 1);
    assert_string_equal(sql_text(s, 0), "ok");
    sql_end(&s);
    store_close(store);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    static const char INSERT[] =
        "INSERT INTO experiment (name, description, spec_hash, spec_file,"
        " queued_at) VALUES ('a', '', '', '', '')";
    struct store *store = open_store(STORE_WRITE);
    struct error err;

    (void)state;
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(sql_run(store, &err, INSERT, ""), 0);
    store_rollback(store);
    store_rollback(store); /* without one: nothing happens */
    assert_int_equal(read_int(store, "SELECT count(*) FROM experiment"), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(sql_run(store, &err, INSERT, ""), 0);
    assert_int_equal(store_commit(store, &err), 0);
    struct store *reader = open_store(STORE_READ);

    assert_int_equal(read_int(reader, "SELECT count(*) FROM experiment"), 1);
    store_close(reader);
    store_close(store);
}

static void a_reader_sees_one_state_while_a_writer_goes_on(void **state)
{
    struct store *writer = open_store(STORE_WRITE);
    struct store *reader = open_store(STORE_READ);
    struct error err;

    (void)state;
    assert_int_equal(store_begin(reader, &err), 0);
    assert_int_equal(read_int(reader, "SELECT count(*) FROM request"), 0);
    assert_int_equal(sql_run(writer, &err,
                             "INSERT INTO request (kind, target, asked_at)"
                             " VALUES ('cancel', ?1, '')",
                             "t", "all"),
                     0);
    assert_int_equal(read_int(reader, "SELECT count(*) FROM request"), 0);
    assert_int_equal(store_commit(reader, &err), 0);
    assert_int_equal(read_int(reader, "SELECT count(*) FROM request"), 1);
    store_close(reader);
    store_close(writer);
}

static void the_schema_refuses_what_must_not_be(void **state)
{
    static const char *const REFUSED[] = {
        "INSERT INTO job (run_id, kind, state, queued_at) VALUES (77, 'train', 'queued', '')",
        "INSERT INTO job (run_id, kind, state, queued_at) VALUES (1, 'train', 'lost', '')",
        "INSERT INTO baseline VALUES (77, 'copy', 'test', 0, 0, 0, 0)",
        "INSERT INTO arm (experiment_id, position, label, axes) VALUES (9, 0, 'a', '{')",
    };
    struct store *store = open_store(STORE_WRITE);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        assert_int_equal(sql_run(store, &err, REFUSED[i], ""), ERROR_DATABASE);
    store_close(store);
}

/* The common questions are answered by indices, however large the tables are. */
static void no_common_query_scans_a_table(void **state)
{
    static const char *const queries[] = {
        "SELECT * FROM v_results WHERE experiment = 'x'",
        "SELECT * FROM v_results WHERE run_hash = 'x'",
        "SELECT value FROM metric WHERE run_id = 1 AND name = 'train/lm_loss' ORDER BY step",
        "SELECT * FROM task_outcome WHERE evaluation_id = 1",
        "SELECT * FROM attempt WHERE run_id = 1 ORDER BY number",
        "SELECT * FROM job WHERE state = 'queued' ORDER BY priority DESC, cost DESC LIMIT 9",
        "SELECT max(job_id) FROM job WHERE run_id = 1 AND kind = 'train'",
    };
    struct error err;
    struct store *store;

    (void)state;
    assert_int_equal(store_open(&store, directory, STORE_WRITE, &err), 0);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        sqlite3_stmt *plan;
        char *sql = format_string("EXPLAIN QUERY PLAN %s", queries[i]);
        assert_non_null(sql);
        assert_int_equal(sqlite3_prepare_v2(store_connection(store), sql, -1, &plan, NULL),
                         SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            if (strncmp(step, "SCAN", 4) == 0 || strstr(step, "TEMP B-TREE") != NULL)
                fail_msg("%s: %s", queries[i], step);
        }
        sqlite3_finalize(plan);
        free(sql);
    }
    store_close(store);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_workspace_gets_every_table),
        STORE_TEST(no_common_query_scans_a_table),
        STORE_TEST(every_table_and_column_of_the_schema_is_explained),
        STORE_TEST(a_reader_of_an_empty_workspace_is_told_so),
        STORE_TEST(a_database_of_another_program_is_left_alone),
        STORE_TEST(a_foreign_database_without_an_id_is_left_alone),
        STORE_TEST(a_newer_database_is_refused),
        STORE_TEST(a_file_that_is_no_database_is_refused),
        STORE_TEST(a_reader_can_read_and_nothing_else),
        STORE_TEST(a_rolled_back_transaction_leaves_nothing),
        STORE_TEST(a_reader_sees_one_state_while_a_writer_goes_on),
        STORE_TEST(the_schema_refuses_what_must_not_be),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
