/* test_store.c - the results database: schema, foreign and newer files, readers, query plans. */
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

#include "baselines.h"
#include "compare.h"
#include "error.h"
#include "file.h"
#include "query.h"
#include "queue.h"
#include "record.h"
#include "schema.h"
#include "migrations.h"
#include "run_tables.h"
#include "sql.h"
#include "status_query.h"
#include "table.h"
#include "store.h"
#include "support/opened.h"

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
    return opened_store(directory, mode);
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
    char stated[60]; /* for those who give the file to sqlite3 */

    (void)state;
    snprintf(stated, sizeof stated, "PRAGMA user_version = %d;", SCHEMA_VERSION);
    assert_non_null(strstr(SCHEMA_SQL, stated));
    assert_int_equal(opened_int(store, "PRAGMA application_id"), 0x68726d6c);
    assert_int_equal(opened_int(store, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(opened_int(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(opened_int(store, "PRAGMA synchronous"), 2);
    assert_true(opened_int(store, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") >
                15);
    assert_int_equal(opened_int(store, "SELECT count(*) FROM v_results"), 0);
    store_close(store);
    /* again: nothing to do, nothing lost */
    store = open_store(STORE_WRITE);
    assert_int_equal(opened_int(store, "PRAGMA user_version"), SCHEMA_VERSION);
    store_close(store);
}

/* Programs that read SQLite files take types from the declarations. */
static void every_column_of_the_views_for_people_has_a_type(void **state)
{
    struct store *store = open_store(STORE_WRITE);

    (void)state;
    for (int i = 0; i < 4; i++) {
        static const char *const VIEWS[] = { "v_results", "v_untrained", "v_interim",
                                             "v_evaluations" };
        char *sql = format_string("SELECT count(*) FROM pragma_table_info('%s')"
                                  " WHERE type NOT IN ('TEXT', 'INTEGER', 'REAL')",
                                  VIEWS[i]);

        assert_int_equal(opened_int(store, sql), 0);
        free(sql);
    }
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
           strstr(line, " IN (") != NULL || strstr(line, "CHECK (state = '") != NULL ||
           strstr(line, "CHECK (checkpoint = '") != NULL;
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
    make_database("PRAGMA user_version = 99");
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

static void sqlite_does_not_count_its_memory(void **state)
{
    (void)state;
    store_close(open_store(STORE_WRITE));
    struct store *store = open_store(STORE_READ);
    assert_int_equal(sqlite3_memory_used(), 0);
    store_close(store);
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
    assert_int_equal(opened_int(store, "SELECT count(*) FROM run"), 0);
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
    assert_int_equal(opened_int(store, "SELECT count(*) FROM experiment"), 0);
    assert_int_equal(store_begin(store, &err), 0);
    assert_int_equal(sql_run(store, &err, INSERT, ""), 0);
    assert_int_equal(store_commit(store, &err), 0);
    struct store *reader = open_store(STORE_READ);

    assert_int_equal(opened_int(reader, "SELECT count(*) FROM experiment"), 1);
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
    assert_int_equal(opened_int(reader, "SELECT count(*) FROM request"), 0);
    assert_int_equal(sql_run(writer, &err,
                             "INSERT INTO request (kind, target, asked_at)"
                             " VALUES ('cancel', ?1, '')",
                             "t", "all"),
                     0);
    assert_int_equal(opened_int(reader, "SELECT count(*) FROM request"), 0);
    assert_int_equal(store_commit(reader, &err), 0);
    assert_int_equal(opened_int(reader, "SELECT count(*) FROM request"), 1);
    store_close(reader);
    store_close(writer);
}

static void the_schema_refuses_what_must_not_be(void **state)
{
    static const char *const REFUSED[] = {
        "INSERT INTO job (run_id, kind, state, queued_at) VALUES (77, 'train', 'queued', '')",
        "INSERT INTO job (run_id, kind, state, queued_at) VALUES (1, 'train', 'lost', '')",
        "INSERT INTO baseline VALUES (77, 'copy', 'test', 0, 0, 0, 0)",
    };
    struct store *store = open_store(STORE_WRITE);
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
        assert_int_equal(sql_run(store, &err, REFUSED[i], ""), ERROR_DATABASE);
    /* Ours is JSON; a check of it that fails was short of memory. */
    assert_int_equal(sql_run(store, &err,
                             "INSERT INTO arm (experiment_id, position, label, axes)"
                             " VALUES (9, 0, 'a', '{')",
                             ""),
                     ERROR_NOMEM);
    assert_non_null(strstr(err.message, "no memory to check JSON"));
    store_close(store);
}

/* ---- what the commands ask ---- */

enum { MOST_QUERIES = 100 };

/* The distinct statements that a connection ran. */
struct traced {
    char *sql[MOST_QUERIES]; /* owned */
    int count;
};

static int note_statement(unsigned type, void *context, void *statement, void *text)
{
    struct traced *traced = context;
    const char *sql = sqlite3_sql(statement);

    (void)type, (void)text;
    for (int i = 0; i < traced->count; i++)
        if (strcmp(traced->sql[i], sql) == 0)
            return 0;
    assert_true(traced->count < MOST_QUERIES);
    traced->sql[traced->count++] = strdup(sql);
    return 0;
}

/* The workspace of tests/data/release_1.sql: two trained runs of an experiment "t". */
static void make_release_1(void)
{
    struct error err;
    char *sql;
    size_t size;

    if (file_read(&sql, &size, "tests/data/release_1.sql", 1 << 20, &err) != 0)
        fail_msg("%s", err.message);
    make_database(sql);
    free(sql);
}

/* results, plan and compare, with every kind of condition. */
static void ask_for_results(struct store *store)
{
    static const char *const WHERES[] = { "arch.name=hrm", "seed<3", "eval.augmentations=all" };
    struct error err;
    struct results *results;
    struct compare *compare;
    struct comparison_list list = { 0 };
    struct axis_values values = { 0 };
    struct matrix *matrix;
    struct baselines baselines;
    char *text;

    must(results_load(&results, store, "t", WHERES, 3, RESULTS_ALL, &err), &err);
    assert_true(results->row_count > 0);
    results_destroy(results);
    must(results_load(&results, store, NULL, NULL, 0, RESULTS_LAST, &err), &err);
    assert_int_equal(results->runs.of[RUN_DONE], 2);
    must(baselines_load(&baselines, store, results, &err), &err);
    assert_int_equal(baselines.count, 1);
    assert_int_equal(baselines.items[0].copy_runs, 2);
    assert_int_equal(baselines.items[0].untrained_runs, 2);
    assert_string_equal(baselines.items[0].data, "");
    baselines_release(&baselines);
    must(results_setting(store, &text, results->rows[0].run_id, "arch.name", &err), &err);
    free(text);
    must(compare_create(&compare, store, results, METRIC_PASS_AT_2, &err), &err);
    must(compare_axis(&values, &list, compare, "arch.name", &err), &err);
    axis_values_release(&values);
    comparison_list_release(&list);
    must(matrix_create(&matrix, compare, &err), &err);
    matrix_destroy(matrix);
    compare_destroy(compare);
    results_destroy(results);
}

/* status, show, logs, verify and doctor. */
static void ask_for_status(struct store *store)
{
    struct error err;
    struct status_counts counts;
    struct status_checkpoint *checkpoints;
    struct status_final final;
    struct table *table, *tables[RUN_TABLES] = { NULL };
    char hash[65], last[160];
    int count;
    bool open;

    must(status_table(store, &table, NULL, 0, &err), &err);
    table_destroy(table);
    must(status_count(store, &counts, NULL, &err), &err);
    assert_int_equal(counts.done, 2);
    must(status_count(store, &counts, "t", &err), &err);
    assert_int_equal(counts.done, 2);
    must(status_find_run(store, "c4d382", hash, last, &err), &err);
    assert_memory_equal(hash, "c4d382", 6);
    must(run_tables(store, tables, hash, true, &err), &err);
    for (int i = 0; i < RUN_TABLES; i++) {
        assert_true(table_row_count(tables[i]) > 0);
        table_destroy(tables[i]);
    }
    must(status_run_is_open(store, &open, hash, &err), &err);
    must(status_find_final(store, &final, hash, &err), &err);
    must(status_checkpoints(store, &checkpoints, &count, &err), &err);
    free(checkpoints);
}

/* plan and queue, as far as they read. */
static void ask_for_a_plan(struct store *store, const char *hash)
{
    struct error err;
    struct queue_state state;
    struct queue_missing *missing;
    struct queue_found *runs;
    int64_t run, job, evaluation;
    int count;
    bool there;

    must(queue_find_run(store, &run, &job, hash, &err), &err);
    assert_true(run > 0 && job == 0);
    must(queue_runs(store, &runs, &count, 1, &err), &err);
    assert_int_equal(count, 2);
    free(runs);
    must(queue_state(store, &state, hash, &err), &err);
    assert_int_equal(state.train_state, JOB_DONE);
    must(queue_find_evaluation(store, &evaluation, run, "{}", &err), &err);
    assert_int_equal(evaluation, 0);
    must(queue_has_result(store, &there, run, "{}", &err), &err);
    must(queue_missing_evaluations(store, &missing, &count, run, &err), &err);
    queue_free_missing(missing, count);
}

/* The loop of the runner. */
static void ask_for_work(struct store *store, const char *hash)
{
    struct error err;
    struct record_job *jobs;
    struct record_attempt *attempts;
    struct record_totals totals;
    cJSON *json;
    int64_t request, *ids;
    enum request_kind kind;
    char target[160];
    int count;

    must(record_next_jobs(store, &jobs, &count, &(struct record_scope){ "t", 0, true }, 0.0, 3,
                          &err),
         &err);
    record_free_jobs(jobs, count);
    must(record_busy_jobs(store, &jobs, &count, NULL, &err), &err);
    record_free_jobs(jobs, count);
    must(record_find_job(store, &jobs, &count, hash, false, &err), &err);
    record_free_jobs(jobs, count);
    must(record_open_attempts(store, &attempts, &count, &err), &err);
    free(attempts);
    must(record_open_totals(store, &totals, NULL, &err), &err);
    must(record_job_json(store, &json, &(struct record_job){ .run_id = 1 }, 1, &err), &err);
    cJSON_Delete(json);
    must(record_next_request(store, &request, &kind, target, &err), &err);
    must(record_find_jobs(store, &ids, &count, "t", JOB_IN(JOB_QUEUED), RECORD_ALL_JOBS, &err),
         &err);
    free(ids);
}

/* The steps of queries that do not come from an index, and why they may. */
struct allowed {
    const char *query, *step, *why;
    bool met;
};

static bool is_allowed(struct allowed *list, int count, const char *sql, const char *step)
{
    for (int i = 0; i < count; i++)
        if (strstr(sql, list[i].query) != NULL && strstr(step, list[i].step) != NULL) {
            list[i].met = true;
            return true;
        }
    return false;
}

/* Fails for every step of the query's plan that reads a whole table, sorts or makes an index, and
 * is not allowed. Rows of a subquery are no table: its own steps are looked at. */
static int check_query_plan(struct store *store, const char *sql, struct allowed *list,
                            int count)
{
    char *explain = format_string("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *plan;
    int bad = 0;

    assert_non_null(explain);
    assert_int_equal(sqlite3_prepare_v2(store_connection(store), explain, -1, &plan, NULL),
                     SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        bool scan = strncmp(step, "SCAN ", 5) == 0 && step[5] != '(' &&
                    strcmp(step, "SCAN CONSTANT ROW") != 0;
        bool made = strstr(step, "TEMP B-TREE") != NULL || strstr(step, "AUTOMATIC") != NULL;
        if ((scan || made) && !is_allowed(list, count, sql, step)) {
            print_error("%s\n    %s\n", step, sql);
            bad++;
        }
    }
    sqlite3_finalize(plan);
    free(explain);
    return bad;
}

/* Integers of every width, text and NULL arrive as what they are. */
static void arguments_are_bound_by_their_own_types(void **state)
{
    struct error err;
    int small = 7;
    int64_t value;

    (void)state;
    struct store *store = open_store(STORE_WRITE);
    must(sql_int(store, &value, NULL, &err,
                 "SELECT ?1 + ?2 + (?3 = 0.5) + length(?4) + (?5 IS NULL) + (?6 IS NULL)",
                 "iirttn", small, (uint8_t)1, 0.5, directory, (const char *)NULL),
         &err);
    assert_int_equal(value, 7 + 1 + 1 + (int64_t)strlen(directory) + 1 + 1);
    store_close(store);
}

/* Another experiment wants one more evaluation of a run of both: its job is not t's. */
static void an_experiment_counts_its_own_evaluations(void **state)
{
    static const char OTHER[] =
        "INSERT INTO experiment (experiment_id, name, description, spec_hash, spec_file,"
        " queued_at) VALUES (70, 'other', '', '', '', 't');"
        "INSERT INTO arm (arm_id, experiment_id, position, label, axes)"
        " VALUES (70, 70, 0, 'base', '{}');"
        "INSERT INTO arm_run VALUES (70, 1);"
        "INSERT INTO inference (inference_id, canonical, outer_steps, augmentations,"
        " act_inference, eval_seed, split) VALUES (70, '{}', 9, 0, 0, 0, 'test');"
        "INSERT INTO run_inference VALUES (70, 1, 70);"
        "INSERT INTO arm_inference VALUES (70, 70);"
        "INSERT INTO job (job_id, run_id, kind, state, queued_at, cost)"
        " VALUES (70, 1, 'evaluate', 'queued', 't', 5e9);"
        "INSERT INTO job_evaluation VALUES (70, 70);";
    struct status_counts before, after, other;
    struct table *table;
    struct error err;
    char *text = NULL;
    size_t size = 0;

    (void)state;
    make_release_1();
    struct store *store = open_store(STORE_WRITE);
    must(status_count(store, &before, "t", &err), &err);
    assert_int_equal(sqlite3_exec(store_connection(store), OTHER, NULL, NULL, NULL), SQLITE_OK);
    must(status_count(store, &after, "t", &err), &err);
    assert_memory_equal(&before, &after, sizeof before);
    must(status_count(store, &other, "other", &err), &err);
    assert_int_equal(other.queued, 1);
    assert_int_equal(other.total, 2);                         /* the training is of both */
    must(status_table(store, &table, NULL, 2e9, &err), &err); /* not the measured rate */
    FILE *out = open_memstream(&text, &size);
    must(table_print(table, out, FORMAT_CSV, false, &err), &err);
    assert_int_equal(fclose(out), 0);
    if (strstr(text, "t,2,2,0,0,0,0") == NULL || strstr(text, "other,2,1,0,1,0,0,2.5,") == NULL)
        fail_msg("%s", text);
    free(text);
    table_destroy(table);
    store_close(store);
}

/* Whatever the commands ask while tables grow, the answer comes from indices: all queries are
 * watched that their own functions run. */
static void no_query_of_a_command_scans_a_table(void **state)
{
    static const char HASH[] =
        "c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c";
    struct allowed allowed[] = {
        /* tables of which a whole answer is asked */
        { "FROM experiment", "SCAN experiment", "experiments are listed", false },
        { "SELECT 0, j.run_id", "SCAN j USING COVERING INDEX", "all jobs are counted", false },
        { "FROM checkpoint", "SCAN checkpoint", "doctor looks at every checkpoint", false },
        { "FROM request", "SCAN request", "what people asked for", false },
        /* a few rows that are sorted */
        { "FROM arm WHERE experiment_id", "ORDER BY", "the arms of an experiment", false },
        { "ORDER BY attempt_id DESC LIMIT ?1", "DISTINCT", "the last 200 attempts", false },
        { "SELECT f, v, coalesce(sf, f)", "ORDER BY", "what is known of a run", false },
        { "SELECT step, checkpoint, outer_steps", "ORDER BY", "results of a run", false },
        { "SELECT step, checkpoint, outer_steps", "SCAN json_each", "an object's members",
          false },
        { "USING (inference_id) WHERE v.run_id = ?1", "ORDER BY", "evaluations of a run",
          false },
        { "FROM evaluation WHERE run_id = ?1", "ORDER BY", "the same", false },
        { "FROM evaluation WHERE run_id BETWEEN", "RIGHT PART OF ORDER BY", "of each run",
          false },
        { "WHERE x.run_id = j.run_id ORDER BY e.name", "ORDER BY", "arms of a run", false },
        { "FROM attempt WHERE state IN", "ORDER BY", "attempts at work", false },
        { "m.experiment = name", "ORDER BY", "marks of an experiment", false },
    };
    enum { ALLOWED = sizeof allowed / sizeof *allowed };
    struct traced traced = { .count = 0 };
    int bad = 0;

    (void)state;
    make_release_1();
    struct store *store = open_store(STORE_WRITE);

    sqlite3_trace_v2(store_connection(store), SQLITE_TRACE_STMT, note_statement, &traced);
    ask_for_results(store);
    ask_for_status(store);
    ask_for_a_plan(store, HASH);
    ask_for_work(store, HASH);
    sqlite3_trace_v2(store_connection(store), 0, NULL, NULL);
    assert_in_range(traced.count, 30, MOST_QUERIES);
    for (int i = 0; i < traced.count; i++) {
        bad += check_query_plan(store, traced.sql[i], allowed, ALLOWED);
        free(traced.sql[i]);
    }
    /* And what people ask at the sqlite3 prompt. */
    bad += check_query_plan(store, "SELECT * FROM v_results WHERE experiment = 'x'", NULL, 0);
    bad += check_query_plan(store, "SELECT * FROM v_results WHERE run_hash = 'x'", NULL, 0);
    bad += check_query_plan(
        store, "SELECT value FROM metric WHERE run_id = 1 AND name = 'train/lr' ORDER BY step",
        NULL, 0);
    store_close(store);
    assert_int_equal(bad, 0);
    for (int i = 0; i < ALLOWED; i++)
        if (!allowed[i].met)
            fail_msg("no query needs this any more: %s", allowed[i].why);
}

static void a_run_is_found_by_the_beginning_of_its_hash(void **state)
{
    static const char HASH[] =
        "c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c";
    static const struct {
        const char *prefix;
        int rc;
    } CASES[] = { { "c4d3", 0 },
                  { "c4d382aecf75", 0 },
                  { HASH, 0 },
                  { "c4d382aecf75da6530bef1e1be826f274da09d4cc6751c2cbffb522541abed6c0",
                    ERROR_ABSENT },
                  { "C4D382", ERROR_FORMAT },
                  { "c4d3%", ERROR_FORMAT },
                  { "b4d3", ERROR_ABSENT },
                  { "c4d", ERROR_FORMAT }, /* too short */
                  { "zzzz", ERROR_FORMAT },
                  { "", ERROR_FORMAT } };
    struct error err;
    char hash[65], last[160];

    (void)state;
    make_release_1();
    struct store *store = open_store(STORE_READ);

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int rc = status_find_run(store, CASES[i].prefix, hash, last, &err);
        if (rc != CASES[i].rc)
            fail_msg("\"%s\": %d", CASES[i].prefix, rc);
        if (rc == 0)
            assert_string_equal(hash, HASH);
    }
    store_close(store);
}

/* Of several jobs of a run the newest of each kind counts, once. */
static void status_counts_the_newest_jobs(void **state)
{
    static const char JOBS[] =
        "INSERT INTO job (run_id, kind, state, queued_at) VALUES (1, 'train', 'cancelled', ''),"
        " (1, 'train', 'failed', ''), (1, 'evaluate', 'done', ''),"
        " (1, 'evaluate', 'queued', ''), (2, 'evaluate', 'running', '')";
    struct error err;
    struct status_counts all, one, none;

    (void)state;
    make_release_1();
    make_database(JOBS);
    struct store *store = open_store(STORE_READ);

    must(status_count(store, &all, NULL, &err), &err);
    must(status_count(store, &one, "t", &err), &err);
    must(status_count(store, &none, "another", &err), &err);
    assert_memory_equal(&all, &one, sizeof all);
    assert_int_equal(none.total, 0);
    assert_int_equal(all.total, 4);
    assert_int_equal(all.failed, 1);
    assert_int_equal(all.queued, 1);
    assert_int_equal(all.running, 1);
    assert_int_equal(all.done, 1);
    assert_int_equal(all.cancelled, 0);
    store_close(store);
}

/* A command that asks again does not prepare again. */
static void statements_are_prepared_once(void **state)
{
    struct store *store = open_store(STORE_WRITE);
    struct error err;
    sqlite3_stmt *first, *second, *nested;
    static const char sql[] = "SELECT name FROM experiment WHERE name = ?1";

    (void)state;
    must(sql_query(store, &first, &err, sql, "t", "x"), &err);
    const sqlite3_stmt *prepared = first;
    must(sql_query(store, &nested, &err, sql, "t", "y"), &err);
    assert_ptr_not_equal(nested, first); /* it is taken */
    sql_end(&nested);
    assert_int_equal(sql_step(store, &first, &err), 0);
    assert_null(first);
    must(sql_query(store, &second, &err, sql, "t", "z"), &err);
    assert_ptr_equal(second, prepared);
    sql_end(&second);
    for (int i = 0; i < 200; i++) { /* more than are kept */
        char *text = format_string("SELECT %d", i);
        int64_t value;
        must(sql_int(store, &value, NULL, &err, text, ""), &err);
        assert_int_equal(value, i);
        free(text);
    }
    /* One that failed is gone, and its text can be asked again. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(sql_run(store, &err,
                                 "INSERT INTO config_setting (config_id, key, value)"
                                 " VALUES (77, 'a', 1)",
                                 ""),
                         ERROR_DATABASE);
    store_close(store);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_workspace_gets_every_table),
        STORE_TEST(arguments_are_bound_by_their_own_types),
        STORE_TEST(an_experiment_counts_its_own_evaluations),
        STORE_TEST(no_query_of_a_command_scans_a_table),
        STORE_TEST(a_run_is_found_by_the_beginning_of_its_hash),
        STORE_TEST(status_counts_the_newest_jobs),
        STORE_TEST(statements_are_prepared_once),
        STORE_TEST(every_column_of_the_views_for_people_has_a_type),
        STORE_TEST(every_table_and_column_of_the_schema_is_explained),
        STORE_TEST(a_reader_of_an_empty_workspace_is_told_so),
        STORE_TEST(a_database_of_another_program_is_left_alone),
        STORE_TEST(a_foreign_database_without_an_id_is_left_alone),
        STORE_TEST(a_newer_database_is_refused),
        STORE_TEST(a_file_that_is_no_database_is_refused),
        STORE_TEST(sqlite_does_not_count_its_memory),
        STORE_TEST(a_reader_can_read_and_nothing_else),
        STORE_TEST(a_rolled_back_transaction_leaves_nothing),
        STORE_TEST(a_reader_sees_one_state_while_a_writer_goes_on),
        STORE_TEST(the_schema_refuses_what_must_not_be),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
