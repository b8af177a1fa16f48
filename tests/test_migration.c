/* test_migration.c - databases of older releases are brought up to date wholly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "migrations.h"
#include "random.h"
#include "record_base.h"
#include "sql.h"
#include "store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Releases that are still to come: the next has a column and the one after it a table more. None
 * of this can be done twice. */
static const char *const COMING[SCHEMA_VERSION + 2] = {
    [SCHEMA_VERSION] =
        "ALTER TABLE run ADD COLUMN note TEXT; UPDATE run SET note = 'of ' || hash",
    [SCHEMA_VERSION + 1] =
        "CREATE TABLE numbers (n INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
        "WITH RECURSIVE list (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM list WHERE n < 20000)"
        " INSERT INTO numbers SELECT n, 'number ' || n FROM list;"
        "UPDATE run SET note = note || '!'",
};
static const struct store_schema NEXT = { SCHEMA_VERSION + 1, COMING };
static const struct store_schema SECOND = { SCHEMA_VERSION + 2, COMING };

/* Its second step fails after its first statements have been carried out. */
static const char *const FAILING_STEPS[SCHEMA_VERSION + 2] = {
    [SCHEMA_VERSION] =
        "ALTER TABLE run ADD COLUMN note TEXT; UPDATE run SET note = 'of ' || hash",
    [SCHEMA_VERSION + 1] =
        "CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1)",
};
static const struct store_schema FAILING = { SCHEMA_VERSION + 2, FAILING_STEPS };

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
        sqlite3_exec(
            store_connection(store),
            "INSERT INTO training (training_id, canonical, job_config, data_hash,"
            " numeric_version) VALUES (1, '{}', '{}', 'd', '1');"
            "INSERT INTO run (hash, training_id, seed) VALUES (printf('%064d', 7), 1, 0)",
            NULL, NULL, NULL),
        SQLITE_OK);
    store_close(store);
}

/* As the release of today left it: its version, its run, nothing of the versions to come. */
static void expect_today(void)
{
    struct store *store = open_as(NULL, STORE_WRITE);

    assert_int_equal(read_int(store, "PRAGMA user_version"), SCHEMA_VERSION);
    assert_int_equal(read_int(store, "SELECT count(*) FROM run"), 1);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM pragma_table_info('run') WHERE name = 'note'"),
        0);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'numbers'"), 0);
    store_close(store);
}

static void expect_second(void)
{
    struct store *store = open_as(&SECOND, STORE_READ);

    assert_int_equal(read_int(store, "PRAGMA user_version"), SCHEMA_VERSION + 2);
    assert_int_equal(
        read_int(store, "SELECT count(*) FROM run WHERE note = 'of ' || hash || '!'"), 1);
    assert_int_equal(read_int(store, "SELECT count(*) FROM numbers"), 20000);
    store_close(store);
    store = open_as(&SECOND, STORE_WRITE);
    assert_int_equal(read_int(store, "SELECT integrity_check = 'ok' FROM"
                                     " pragma_integrity_check LIMIT 1"),
                     1);
    store_close(store);
}

static void each_version_is_brought_to_the_next(void **state)
{
    (void)state;
    make_workspace();
    store_close(open_as(&NEXT, STORE_WRITE));
    expect_refused(NULL, STORE_WRITE, "newer hrmlab");
    expect_refused(NULL, STORE_READ, "newer hrmlab");
    store_close(open_as(&SECOND, STORE_WRITE));
    expect_second();
    store_close(open_as(&SECOND, STORE_WRITE)); /* nothing is done twice */
    expect_second();
}

static void a_reader_is_enough(void **state)
{
    (void)state;
    make_workspace();
    store_close(open_as(&SECOND, STORE_READ));
    expect_second();
}

static void two_versions_are_caught_up_with_at_once(void **state)
{
    (void)state;
    make_workspace();
    store_close(open_as(&SECOND, STORE_WRITE));
    expect_second();
}

static void a_step_that_fails_leaves_the_old_version(void **state)
{
    (void)state;
    make_workspace();
    expect_refused(&FAILING, STORE_WRITE, "upgrade");
    expect_today();
    store_close(open_as(&SECOND, STORE_WRITE));
    expect_second();
}

/* Opens the database in a process of its own; schema NULL: of this release. */
static pid_t start_upgrade(const struct store_schema *schema)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct error err = { 0 };
        struct store *store;
        int rc = schema == NULL
                     ? store_open(&store, directory, STORE_WRITE, &err)
                     : store_open_schema(&store, directory, STORE_WRITE, schema, &err);

        if (rc != 0)
            fprintf(stderr, "# %s\n", err.message);
        _exit(rc == 0 ? 0 : 1);
    }
    return pid;
}

static void upgrade_in_processes_at_once(const struct store_schema *schema)
{
    enum { PROCESSES = 4 };
    pid_t pids[PROCESSES];

    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start_upgrade(schema);
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void processes_that_come_at_once_upgrade_once(void **state)
{
    (void)state;
    make_workspace();
    upgrade_in_processes_at_once(&SECOND);
    expect_second();
}

static void sleep_us(long microseconds)
{
    nanosleep(&(struct timespec){ 0, microseconds * 1000 }, NULL);
}

/* How long an undisturbed upgrade takes. */
static long measure_upgrade_us(const struct store_schema *schema)
{
    struct timespec from, to;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t pid = start_upgrade(schema);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(status, 0);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static int64_t ask_disk(const char *sql)
{
    char *path = file_join(directory, "results.db");
    sqlite3 *db;
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    free(path);
    return value;
}

static int version_on_disk(void)
{
    return (int)ask_disk("PRAGMA user_version");
}

/* What an upgrade is tried on, and what must hold of it before and afterwards. */
struct upgrade {
    const struct store_schema *schema; /* NULL: this release's */
    void (*make)(void);
    void (*expect_before)(void);
    void (*expect_after)(void);
    int version_after;
};

static void kill_upgrades(const struct upgrade *upgrade)
{
    struct random_stream stream = random_stream(5, "upgrade", 0);
    int kills = getenv("HRMLAB_LONG") != NULL ? 100 : 8, before = 0;

    upgrade->make();
    long longest = measure_upgrade_us(upgrade->schema);
    for (int i = 0; i < kills; i++) {
        assert_int_equal(file_remove_tree(directory, NULL), 0);
        assert_int_equal(mkdir(directory, 0777), 0);
        upgrade->make();
        pid_t pid = start_upgrade(upgrade->schema);
        sleep_us((long)random_below(&stream, (uint64_t)longest));
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (version_on_disk() == upgrade->version_after) {
            longest -= longest / 4; /* this machine has become faster */
        } else {
            upgrade->expect_before();
            before++;
            longest += longest / 8;
        }
        store_close(open_as(upgrade->schema, STORE_WRITE));
        upgrade->expect_after();
    }
    print_message("%d upgrades killed, %d of them before their commit\n", kills, before);
    assert_true(before >= kills / 4);
}

static void an_upgrade_that_is_killed_is_done_or_was_never_begun(void **state)
{
    (void)state;
    kill_upgrades(&(struct upgrade){ &SECOND, make_workspace, expect_today, expect_second,
                                     SCHEMA_VERSION + 2 });
}

/* ---- the releases that there were ---- */

/* tests/data/release_1.sql is the database of a workspace of the first release; before_closing
 * follows it. */
static void make_release_1(const char *before_closing)
{
    struct error err;
    char *path = file_join(directory, "results.db"), *sql;
    size_t size;
    sqlite3 *db;

    if (file_read(&sql, &size, "tests/data/release_1.sql", 1 << 20, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, before_closing, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    free(sql);
    free(path);
}

/* A third run: another seed of the first; a fourth, whose learning rate is the next number to the
 * first's. And what the settings were, to compare with. */
static const char ANOTHER_SEED[] =
    "INSERT INTO run SELECT 3, printf('%064d', 3), canonical, job_config, data_hash,"
    " numeric_version, 3, parameters, puzzle_parameters, total_steps, train_flops, mixed"
    " FROM run WHERE run_id = 1;"
    "INSERT INTO setting SELECT 3, key, iif(key = 'train.seed', 3, value) FROM setting"
    " WHERE run_id = 1;"
    "INSERT INTO run SELECT 4, printf('%064d', 4), canonical, job_config, data_hash,"
    " numeric_version, 0, parameters, puzzle_parameters, total_steps, train_flops, mixed"
    " FROM run WHERE run_id = 1;"
    "INSERT INTO setting SELECT 4, key, iif(key = 'train.lr', 0.010000000000000002, value)"
    " FROM setting WHERE run_id = 1;"
    "CREATE TABLE before AS SELECT * FROM setting;"
    "CREATE VIEW mine AS SELECT run_id, value FROM setting WHERE key = 'train.lr'";

static void settings_of_the_first_release_are_shared(void **state)
{
    (void)state;
    make_release_1(ANOTHER_SEED);
    struct store *store = open_as(NULL, STORE_READ);

    assert_int_equal(read_int(store, "SELECT count(*) FROM before"), 3 * 39 + 37);
    assert_int_equal(read_int(store, "SELECT count(*) FROM (SELECT run_id, key, value,"
                                     " typeof(value) FROM setting EXCEPT SELECT run_id, key,"
                                     " value, typeof(value) FROM before)"),
                     0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM setting"), 3 * 39 + 37);
    assert_int_equal(read_int(store, "SELECT count(*) FROM config"), 3);
    assert_int_equal(read_int(store, "SELECT count(*) FROM mine"),
                     4); /* the user's own stays */
    store_close(store);
}

/* A thousand seeds of one of its runs. */
static void make_large_release_1(void)
{
    make_release_1(
        "PRAGMA journal_mode = WAL;"
        "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
        " INSERT INTO run SELECT i, printf('%064d', i), canonical, job_config, data_hash,"
        " numeric_version, i, parameters, puzzle_parameters, total_steps, train_flops, mixed"
        " FROM run, n WHERE run_id = 1;"
        "INSERT INTO setting SELECT r.run_id, key, iif(key = 'train.seed', r.seed, value)"
        " FROM setting s, run r WHERE s.run_id = 1 AND r.run_id > 2;");
}

enum { LARGE_SETTINGS = 999 * 39 + 37 };

static void expect_large_release_1(void)
{
    assert_int_equal(ask_disk("SELECT count(*) FROM sqlite_schema WHERE name = 'config'"), 0);
    assert_int_equal(ask_disk("SELECT count(*) FROM setting"), LARGE_SETTINGS);
}

static void expect_large_upgraded(void)
{
    assert_int_equal(ask_disk("SELECT count(*) FROM config"), 2);
    assert_int_equal(ask_disk("SELECT count(*) FROM training"), 2);
    assert_int_equal(ask_disk("SELECT count(*) FROM setting"), LARGE_SETTINGS);
    assert_int_equal(ask_disk("SELECT count(*) FROM setting s JOIN run USING (run_id)"
                              " WHERE key = 'train.seed' AND value <> seed"),
                     0);
    assert_int_equal(
        ask_disk("SELECT integrity_check = 'ok' FROM pragma_integrity_check LIMIT 1"), 1);
}

static void the_first_releases_upgrade_may_be_shared_and_killed(void **state)
{
    (void)state;
    make_large_release_1();
    upgrade_in_processes_at_once(NULL);
    expect_large_upgraded();
    assert_int_equal(file_remove_tree(directory, NULL), 0);
    assert_int_equal(mkdir(directory, 0777), 0);
    kill_upgrades(&(struct upgrade){ NULL, make_large_release_1, expect_large_release_1,
                                     expect_large_upgraded, SCHEMA_VERSION });
}

/* Attempts that were going on when the release was exchanged are found again. */
static void where_attempts_run_becomes_one_text(void **state)
{
    (void)state;
    make_release_1(
        "UPDATE attempt SET keeper_pid = 12, keeper_start = 345, boot_id = 'b-1', cpus = '0,1'"
        " WHERE attempt_id = 1;"
        "UPDATE attempt SET state = 'starting', keeper_pid = NULL, keeper_start = NULL,"
        " boot_id = 'b-1', cpus = '2' WHERE attempt_id = 2;"
        "CREATE TABLE before AS SELECT * FROM attempt;"
        "CREATE TABLE checkpoints AS SELECT * FROM checkpoint;"
        "CREATE VIEW mine AS SELECT keeper_pid FROM attempt");
    struct store *store = open_as(NULL, STORE_WRITE);

    assert_int_equal(read_int(store, "SELECT count(*) FROM attempt WHERE attempt_id = 1"
                                     " AND place = 'pid 12 start 345 boot b-1 cpus 0,1'"),
                     1);
    assert_int_equal(read_int(store, "SELECT count(*) FROM attempt WHERE attempt_id = 2"
                                     " AND place = 'boot b-1 cpus 2'"),
                     1);
    assert_int_equal(read_int(store, "SELECT count(*) FROM before b JOIN attempt a USING"
                                     " (attempt_id, job_id, run_id, number, directory, state,"
                                     " journal_offset, outcome, weights_hash, provenance,"
                                     " started_at, ended_at)"),
                     read_int(store, "SELECT count(*) FROM before"));
    assert_int_equal(read_int(store, "SELECT count(*) FROM (SELECT * FROM checkpoints EXCEPT"
                                     " SELECT * FROM checkpoint)"),
                     0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM checkpoint"),
                     read_int(store, "SELECT count(*) FROM checkpoints"));
    assert_int_equal(read_int(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    store_close(store);
}

/* What the evaluations were, and who asked for them, to compare with; an arm that does not ask for
 * all that its run has. */
static const char EVALUATIONS[] =
    "DELETE FROM arm_evaluation WHERE arm_id = 2 AND evaluation_id = 4;"
    "CREATE TABLE before AS SELECT * FROM evaluation;"
    "CREATE TABLE asked AS SELECT * FROM arm_evaluation;"
    "CREATE TABLE outcomes AS SELECT * FROM task_outcome;"
    "CREATE VIEW mine AS SELECT e.canonical, o.votes FROM evaluation e JOIN task_outcome o"
    " USING (evaluation_id)";

static void settings_of_evaluations_are_shared(void **state)
{
    static const struct {
        const char *before, *after;
    } SAME[] = { { "before", "evaluation" },
                 { "asked", "arm_evaluation" },
                 { "outcomes", "task_outcome" } };

    (void)state;
    make_release_1(EVALUATIONS);
    struct store *store = open_as(NULL, STORE_READ);

    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        char sql[200];

        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM (SELECT * FROM %s EXCEPT SELECT * FROM %s)",
                 SAME[i].before, SAME[i].after);
        assert_int_equal(read_int(store, sql), 0);
        snprintf(sql, sizeof sql,
                 "SELECT (SELECT count(*) FROM %s) - (SELECT count(*) FROM %s)", SAME[i].before,
                 SAME[i].after);
        assert_int_equal(read_int(store, sql), 0);
    }
    assert_int_equal(read_int(store, "SELECT count(*) FROM inference"), 2);
    assert_int_equal(read_int(store, "SELECT count(*) FROM run_inference"), 4);
    assert_int_equal(read_int(store, "SELECT count(*) FROM arm_inference"), 3);
    assert_int_equal(read_int(store, "SELECT count(*) FROM mine"),
                     read_int(store, "SELECT count(*) FROM outcomes")); /* the user's own */
    assert_true(read_int(store, "SELECT count(*) FROM mine") > 0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    store_close(store);
}

/* The database of release 1 as version 7 had it; change follows. */
static void make_version_7(const char *change)
{
    sqlite3 *db;

    make_release_1("");
    char *path = file_join(directory, "results.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (int version = 1; version < 7; version++)
        if (sqlite3_exec(db, MIGRATIONS[version], NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%d: %s", version, sqlite3_errmsg(db));
    if (sqlite3_exec(db, "PRAGMA user_version = 7", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(db, change, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    free(path);
}

/* Runs of the first one's settings: */
#define LIKE_RUN_1(id, canonical, job_config, flops, seed, mixed, base)                        \
    "INSERT INTO run SELECT " id ", printf('%064d', " id "), " canonical ", " job_config       \
    ", data_hash, numeric_version, " seed                                                      \
    ", parameters, puzzle_parameters, total_steps, " flops ", " mixed ", config_id, " base     \
    " FROM run WHERE run_id = 1;"
#define BETWEEN(seed) "(SELECT before || " seed " || after FROM text)"
#define OTHER_BASE "(SELECT replace(before, '00001\"', '00003\"') || -5 || after FROM text)"
#define PLAIN(end) "(SELECT t || '" end "}' FROM plain)"
#define SEED(n) ",\"train.seed\":" n
static const char SHARING_RUNS[] =
    /* keys and numbers on both sides of the seed, also such as SQLite would write otherwise */
    "CREATE TEMP TABLE text AS SELECT"
    " '{\"a\":1e-05,\"b\":0.30000000000000004,\"c\":1.0,\"train.init_from\":\"run:'"
    " || printf('%064d', 1) || '\",\"train.seed\":' AS before,"
    " ',\"train.warmup\":[1.50,true],\"z\":\"\\u0001\\\"\"}' AS after;"
    "CREATE TEMP TABLE plain AS SELECT '{\"a\":0.001' AS t;"                             //
    LIKE_RUN_1("3", "canonical", "job_config", "train_flops", "seed", "1", "NULL")       //
    LIKE_RUN_1("4", BETWEEN("4"), BETWEEN("4"), "train_flops", "4", "0",                 //
               "printf('%064d', 1)")                                                     //
    LIKE_RUN_1("5", OTHER_BASE, OTHER_BASE, "train_flops", "-5", "0",                    //
               "printf('%064d', 3)")                                                     //
    LIKE_RUN_1("6", PLAIN(""), PLAIN(""), "train_flops", "0", "0", "NULL")               //
    LIKE_RUN_1("7", PLAIN(SEED("7")), PLAIN(SEED("7")), "train_flops", "7", "0", "NULL") //
    LIKE_RUN_1("8", PLAIN(SEED("8")), PLAIN(SEED("8")), "NULL", "8", "0", "NULL")        //
    LIKE_RUN_1("9", "'no object'", "'{}'", "train_flops + 1", "0", "0", "NULL")          //
    "UPDATE run SET config_id = NULL WHERE run_id = 9;"
    "CREATE TABLE before AS SELECT * FROM run;"
    "CREATE TABLE arms_before AS SELECT * FROM arm_run;"
    "CREATE VIEW mine AS SELECT canonical FROM run;";

/* The texts that were the run's own follow from what it shares, to the last digit. */
static void expect_same_texts(struct store *store)
{
    sqlite3_stmt *s;
    struct error err;
    int rows = 0;

    assert_int_equal(sql_query(store, &s, &err,
                               "SELECT b.job_config, t.job_config, b.canonical, t.canonical,"
                               " r.seed, r.base_hash FROM before b JOIN run r USING (run_id)"
                               " JOIN training t USING (training_id)",
                               ""),
                     0);
    for (; sql_step(store, &s, &err) > 0; rows++)
        for (int i = 0; i < 4; i += 2) {
            cJSON *was, *is;

            if (strcmp(sql_text(s, i), "no object") == 0) {
                assert_string_equal(sql_text(s, i + 1), "no object");
                continue;
            }
            assert_int_equal(json_parse(&was, sql_text(s, i), strlen(sql_text(s, i)), "", &err),
                             0);
            assert_int_equal(record_run_config(&is, sql_text(s, i + 1),
                                               sqlite3_column_int64(s, 4), sql_text(s, 5),
                                               &err),
                             0);
            char *before = json_canonical(was), *now = json_canonical(is);
            assert_string_equal(now, before);
            free(before);
            free(now);
            cJSON_Delete(was);
            cJSON_Delete(is);
        }
    assert_int_equal(rows, 9);
}

static void seeds_and_bases_share_a_training(void **state)
{
    static const char FACTS[] =
        "SELECT count(*) FROM before b JOIN run r USING (run_id) JOIN training t USING"
        " (training_id) WHERE (b.hash, b.seed, b.mixed, b.data_hash, b.numeric_version) ="
        " (r.hash, r.seed, r.mixed, t.data_hash, t.numeric_version)"
        " AND b.base_hash IS r.base_hash AND b.parameters IS t.parameters"
        " AND b.puzzle_parameters IS t.puzzle_parameters AND b.total_steps IS t.total_steps"
        " AND b.train_flops IS t.train_flops AND b.config_id IS t.config_id";

    (void)state;
    make_version_7(SHARING_RUNS);
    struct store *store = open_as(NULL, STORE_WRITE);

    assert_int_equal(read_int(store, FACTS), 9);
    expect_same_texts(store);
    /* the same settings; another base; another seed; but not where counts differ */
    assert_int_equal(read_int(store, "SELECT count(DISTINCT training_id) FROM run"), 6);
    assert_int_equal(read_int(store, "SELECT count(*) FROM training"), 6);
    for (int i = 0; i < 3; i++) {
        static const char *const SAME[] = { "1, 3", "4, 5", "6, 7" };
        char sql[120];

        snprintf(sql, sizeof sql,
                 "SELECT count(DISTINCT training_id) FROM run WHERE run_id IN (%s)", SAME[i]);
        assert_int_equal(read_int(store, sql), 1);
    }
    assert_int_equal(read_int(store, "SELECT instr(canonical, 'c\":1.0,') > 0 AND"
                                     " instr(canonical, '[1.50,true]') > 0 AND"
                                     " instr(canonical, 'run:' || printf('%064d', 0)) > 0"
                                     " FROM run JOIN training USING (training_id)"
                                     " WHERE run_id = 4"),
                     1);
    /* nothing that refers to a run is lost, and references are enforced again */
    assert_int_equal(read_int(store, "SELECT count(*) FROM (SELECT * FROM arms_before EXCEPT"
                                     " SELECT * FROM arm_run)"),
                     0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM arm_run"), 2);
    assert_true(read_int(store, "SELECT count(*) FROM v_evaluations WHERE train_flops > 0") >
                0);
    assert_int_equal(read_int(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_int_equal(read_int(store, "PRAGMA foreign_keys"), 1);
    store_close(store);
}

/* SQL without comments, space, and the quotes that a renaming puts around a name. */
static void print_bare(FILE *out, const char *sql)
{
    for (; *sql != '\0'; sql++) {
        if (strncmp(sql, "--", 2) == 0)
            sql += strcspn(sql, "\n");
        if (strchr(" \n\"", *sql) == NULL)
            fputc(*sql, out);
    }
    fputc('\n', out);
}

/* Afterwards everything is declared as in a new workspace: tables, indices, views. */
static void the_first_release_gets_every_table_of_todays(void **state)
{
    struct {
        char *text;
        size_t size;
    } shapes[2] = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct error err;
        sqlite3_stmt *s;

        if (i > 0)
            make_release_1("");
        struct store *store = open_as(NULL, STORE_WRITE);
        FILE *out = open_memstream(&shapes[i].text, &shapes[i].size);
        assert_int_equal(sql_query(store, &s, &err,
                                   "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                                   " ORDER BY type, name",
                                   ""),
                         0);
        while (sql_step(store, &s, &err) > 0)
            print_bare(out, sql_text(s, 0));
        fclose(out);
        store_close(store);
        assert_int_equal(file_remove_tree(directory, NULL), 0);
        assert_int_equal(mkdir(directory, 0777), 0);
    }
    assert_true(shapes[0].size > 5000);
    assert_string_equal(shapes[1].text, shapes[0].text);
    free(shapes[0].text);
    free(shapes[1].text);
}

/* Its pages are looked at before anything is written to it, also those that no step of the upgrade
 * comes to: here that of a table of the user's own. */
static void a_damaged_database_is_not_upgraded(void **state)
{
    enum { PAGE = 4096 };
    struct error err;
    char *path = file_join(directory, "results.db"), *before, *after;
    size_t size, size_after;

    (void)state;
    make_release_1("PRAGMA journal_mode = WAL;" /* as everywhere but on network file systems */
                   "CREATE TABLE own AS SELECT 1 AS a");
    FILE *file = fopen(path, "r+");
    assert_int_equal(fseek(file, -(long)PAGE, SEEK_END), 0);
    for (int i = 0; i < PAGE; i++)
        fputc(0x55, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(file_read(&before, &size, path, 1 << 24, &err), 0);
    expect_refused(NULL, STORE_WRITE, "hrmlab rebuild");
    expect_refused(NULL, STORE_READ, "hrmlab rebuild");
    assert_int_equal(version_on_disk(), 1);
    assert_int_equal(file_read(&after, &size_after, path, 1 << 24, &err), 0);
    assert_int_equal(size_after, size);
    assert_memory_equal(after, before, size);
    free(before);
    free(after);
    free(path);
}

int main(void)
{
#define WITH_DIRECTORY(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(each_version_is_brought_to_the_next),
        WITH_DIRECTORY(a_reader_is_enough),
        WITH_DIRECTORY(two_versions_are_caught_up_with_at_once),
        WITH_DIRECTORY(a_step_that_fails_leaves_the_old_version),
        WITH_DIRECTORY(processes_that_come_at_once_upgrade_once),
        WITH_DIRECTORY(an_upgrade_that_is_killed_is_done_or_was_never_begun),
        WITH_DIRECTORY(settings_of_the_first_release_are_shared),
        WITH_DIRECTORY(settings_of_evaluations_are_shared),
        WITH_DIRECTORY(the_first_releases_upgrade_may_be_shared_and_killed),
        WITH_DIRECTORY(where_attempts_run_becomes_one_text),
        WITH_DIRECTORY(seeds_and_bases_share_a_training),
        WITH_DIRECTORY(the_first_release_gets_every_table_of_todays),
        WITH_DIRECTORY(a_damaged_database_is_not_upgraded),
    };

    return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
