/*
 * test_rebuild.c - hrmlab rebuild: interrupted anywhere, with a full disk, on databases that are
 * not ours, and from a workspace that is no longer as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "random.h"
#include "support/place.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct random_stream stream;

static bool is_long(void)
{
    return getenv("HRMLAB_LONG") != NULL;
}

/* Everything that a rebuild must find again: results, and how jobs and attempts ended. */
static const char STATE[] =
    "SELECT (SELECT group_concat(line, ';') FROM (SELECT e.name || ' ' || a.label || ' ' || "
    "r.hash AS line FROM experiment e JOIN arm a USING (experiment_id) JOIN arm_run USING "
    "(arm_id) JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || m.name || m.step || ' ' ||"
    " m.value AS line FROM metric m JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || v.canonical || x.checkpoint ||"
    " x.step || ' ' || x.pass_at_2 || ' ' || x.per_token_accuracy AS line FROM"
    " evaluation_result x JOIN evaluation v USING (evaluation_id) JOIN run r USING (run_id)"
    " ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || c.file || c.weights_hash AS"
    " line FROM checkpoint c JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || j.kind || j.state ||"
    " coalesce(j.cause, '') AS line FROM job j JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT t.directory || t.state || t.outcome"
    " AS line FROM attempt t ORDER BY 1))";

static void expect_state(const struct place *place, const char *expected, const char *what,
                         int n)
{
    char *state = place_ask(place, STATE);
    size_t same = 0;

    if (strcmp(state, expected) != 0) {
        while (state[same] != '\0' && state[same] == expected[same])
            same++;
        fail_msg("%s %d: %.200s\nexpected: %.200s\nsee %s (HRMLAB_KEEP=1)", what, n,
                 state + same, expected + same, place->directory);
    }
    free(state);
}

static int run(const struct place *place)
{
    return place_finish(place_start(place, "run", place->spec, NULL));
}

static int rebuild(const struct place *place)
{
    return place_finish(place_start(place, "rebuild", NULL));
}

/* Both runs done by a worker of that mode (NULL: the real one); the state then, fresh. */
static char *make_done(struct place *place, const char *mode)
{
    place_use_release(mode);
    place_make(place);
    assert_int_equal(run(place), 0);
    return place_ask(place, STATE);
}

/* A shell's command in the workspace; the test ends where it fails. */
static void shell(const struct place *place, const char *words)
{
    char command[600];

    snprintf(command, sizeof command, "cd %s && %s", place->workspace, words);
    if (system(command) != 0)
        fail_msg("%s", command);
}

/* ---- faults ---- */

static void arm(const struct place *place, int n, const char *action, char mark[80])
{
    char at[60];

    snprintf(at, sizeof at, "hrmlab:%d:%s", n, action);
    snprintf(mark, 80, "%s/mark", place->directory);
    unlink(mark);
    setenv("LD_PRELOAD", place_shim(), 1);
    setenv("FAULT_ROOT", place->workspace, 1);
    setenv("FAULT_AT", at, 1);
    setenv("FAULT_MARK", mark, 1);
}

static void disarm(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("FAULT_ROOT");
    unsetenv("FAULT_AT");
    unsetenv("FAULT_MARK");
}

/* What was interrupted either has changed nothing yet, or says what to do. */
static void expect_safe(const struct place *place, const char *state, const char *what, int n)
{
    char ready[100], out[80];

    snprintf(ready, sizeof ready, "%s/results.db.ready", place->workspace);
    snprintf(out, sizeof out, "%s/out", place->directory);
    bool pending = file_exists(ready);
    unlink(out);
    int code = run(place);
    if (code != (pending ? 3 : 0))
        fail_msg("%s %d: run ends with %d, see %s", what, n, code, out);
    assert_true(
        place_output_has(place, pending ? "give hrmlab rebuild again" : "nothing to do"));
    if (!pending)
        expect_state(place, state, what, n);
}

static void a_rebuild_killed_at_any_call_loses_nothing(void **unused)
{
    struct place place;
    char mark[80];
    char *state = make_done(&place, "ok");
    int points = 0, pending = 0;

    (void)unused;
    for (int n = 1;; n += is_long() ? 1 : 1 + (int)random_below(&stream, 14)) {
        char ready[100];
        arm(&place, n, "kill", mark);
        rebuild(&place);
        disarm();
        if (!file_exists(mark))
            break;
        snprintf(ready, sizeof ready, "%s/results.db.ready", place.workspace);
        pending += file_exists(ready);
        expect_safe(&place, state, "killed at call", n);
        if (rebuild(&place) != 0)
            fail_msg("killed at call %d: rebuild fails, see %s/out", n, place.directory);
        expect_state(&place, state, "rebuilt after a kill at call", n);
        place_expect(&place, "PRAGMA integrity_check", "ok");
        shell(&place, "rm -f results.db.before-*");
        points++;
    }
    print_message("rebuild killed at %d calls, %d of them while names changed\n", points,
                  pending);
    assert_true(points >= 8);
    if (is_long())
        assert_true(pending >= 5);
    free(state);
    place_remove(&place);
}

static void a_full_disk_leaves_the_old_database(void **unused)
{
    struct place place;
    char mark[80];
    char *state = make_done(&place, "ok");
    int points = 0;

    (void)unused;
    for (int n = 1;; n += is_long() ? 2 : 1 + (int)random_below(&stream, 20)) {
        arm(&place, n, "full", mark);
        int code = rebuild(&place);
        disarm();
        if (!file_exists(mark))
            break;
        unlink(mark);
        if (code != 3 && code != 0) /* 0: nothing was to be written any more */
            fail_msg("full at call %d: exit %d, see %s/out", n, code, place.directory);
        expect_safe(&place, state, "full at call", n);
        points++;
    }
    print_message("rebuild with a full disk at %d points\n", points);
    assert_true(points >= 5);
    assert_int_equal(rebuild(&place), 0);
    expect_state(&place, state, "rebuilt at last", 0);
    free(state);
    place_remove(&place);
}

/* ---- databases that are not ours ---- */

static void foreign_and_newer_databases_are_left_alone(void **unused)
{
    static const struct {
        const char *sql, *words;
    } cases[] = {
        { "PRAGMA user_version = 7", "a newer hrmlab" },
        { "PRAGMA application_id = 7", "another program" },
        { "PRAGMA application_id = 0", "another program" },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        struct error err = { 0 };
        char path[100], *before, *after;
        size_t size, size_after;
        sqlite3 *db;
        free(make_done(&place, "ok"));
        snprintf(path, sizeof path, "%s/results.db", place.workspace);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        for (int damaged = 0; damaged < 2; damaged++) {
            if (damaged) /* all but the header */
                shell(&place, "dd if=/dev/zero of=results.db bs=1 seek=100 count=3996"
                              " conv=notrunc 2>/dev/null");
            assert_int_equal(file_read(&before, &size, path, 1 << 24, &err), 0);
            assert_int_equal(rebuild(&place), 3);
            assert_true(place_output_has(&place, cases[i].words));
            assert_int_equal(file_read(&after, &size_after, path, 1 << 24, &err), 0);
            assert_int_equal(size, size_after);
            assert_memory_equal(before, after, size);
            free(before);
            free(after);
        }
        place_remove(&place);
    }
}

/* Ours as far as anybody can tell: set aside, and made anew. */
static void a_database_without_a_header_is_rebuilt(void **unused)
{
    struct place place;
    char *state = make_done(&place, "ok");

    (void)unused;
    shell(&place, "dd if=/dev/urandom of=results.db bs=4096 count=2 conv=notrunc 2>/dev/null");
    assert_int_equal(run(&place), 3);
    assert_int_equal(rebuild(&place), 0);
    expect_state(&place, state, "without a header", 0);
    shell(&place, "ls results.db.before-* >/dev/null");
    shell(&place, "rm results.db*");
    assert_int_equal(rebuild(&place), 0);
    expect_state(&place, state, "without a database", 0);
    free(state);
    place_remove(&place);
}

static void nothing_is_rebuilt_from_nothing(void **unused)
{
    struct place place;

    (void)unused;
    free(make_done(&place, "ok"));
    shell(&place, "rm -r runs specs");
    assert_int_equal(rebuild(&place), 2);
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
    shell(&place, "test ! -e results.db.new");
    place_remove(&place);
}

/* ---- quarantine ---- */

static void what_was_quarantined_stays_so(void **unused)
{
    static const char *const modes[] = { "garbage", "other_value", "other_run", "after_end" };

    (void)unused;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct place place;
        place_use_release(modes[i]);
        place_make(&place);
        assert_int_equal(run(&place), 1);
        place_expect(&place, "SELECT DISTINCT state || cause FROM job", "quarantinedjournal");
        char *state = place_ask(&place, STATE);
        assert_int_equal(rebuild(&place), 0);
        expect_state(&place, state, modes[i], 0);
        free(state);
        place_remove(&place);
    }
}

static void flip_in(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

/* The path of a file of the first run's attempt 1. */
static void attempt_file(char out[300], const struct place *place, const char *name)
{
    char *directory = place_ask(place, "SELECT directory FROM attempt ORDER BY directory");

    snprintf(out, 300, "%s/%s/%s", place->workspace, directory, name);
    free(directory);
}

static const char RESULTS[] =
    "SELECT (SELECT group_concat(line, ';') FROM (SELECT r.hash || m.name || m.step || ' ' ||"
    " m.value AS line FROM metric m JOIN run r USING (run_id) ORDER BY 1)) || (SELECT"
    " group_concat(c.weights_hash) FROM (SELECT * FROM checkpoint ORDER BY weights_hash) c) ||"
    " (SELECT count(*) FROM evaluation_result) || ' ' || (SELECT count(*) FROM task_outcome)";

/* A finished attempt's journal is damaged later: that run is trained again, from its beginning. */
static void a_damaged_journal_costs_its_run_and_no_metric(void **unused)
{
    struct place place;
    char path[300];
    struct stat status;

    (void)unused;
    free(make_done(&place, NULL));
    char *results = place_ask(&place, RESULTS);
    attempt_file(path, &place, "journal.jsonl");
    assert_int_equal(stat(path, &status), 0);
    flip_in(path, (long)status.st_size / 2);
    assert_int_equal(rebuild(&place), 0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'quarantined'", "1");
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "1");
    assert_int_equal(run(&place), 0);
    char *again = place_ask(&place, RESULTS);
    assert_string_equal(again, results);
    place_expect(&place, "SELECT count(*) FROM attempt", "3");
    /* Where the machine had gone down, without exit.json, nobody is asked. */
    attempt_file(path, &place, "exit.json");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rebuild(&place), 0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'quarantined'", "0");
    assert_int_equal(run(&place), 0);
    free(again);
    again = place_ask(&place, RESULTS);
    assert_string_equal(again, results);
    free(again);
    free(results);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rebuild_killed_at_any_call_loses_nothing),
        cmocka_unit_test(a_full_disk_leaves_the_old_database),
        cmocka_unit_test(foreign_and_newer_databases_are_left_alone),
        cmocka_unit_test(a_database_without_a_header_is_rebuilt),
        cmocka_unit_test(nothing_is_rebuilt_from_nothing),
        cmocka_unit_test(what_was_quarantined_stays_so),
        cmocka_unit_test(a_damaged_journal_costs_its_run_and_no_metric),
    };

    stream = random_stream((uint64_t)getpid(), "rebuild", 0);
    return cmocka_run_group_tests_name("rebuild", tests, NULL, NULL);
}
