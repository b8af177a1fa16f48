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
#include "hash.h"
#include "journal.h"
#include "json.h"
#include "random.h"
#include "settings.h"
#include "support/place.h"
#include "support/worker_runs.h"

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
#define LINES(what, from)                                                                      \
    "coalesce((SELECT group_concat(line, ';') FROM (SELECT " what " AS line FROM " from        \
    " ORDER BY 1)), 'none')"
#define ARMS                                                                                   \
    LINES("e.name || ' ' || a.label || ' ' || r.hash",                                         \
          "experiment e JOIN arm a USING (experiment_id) JOIN arm_run USING (arm_id)"          \
          " JOIN run r USING (run_id)")
#define METRICS                                                                                \
    LINES("r.hash || m.name || m.step || ' ' || m.value", "metric m JOIN run r USING "         \
                                                          "(run_id)")
#define EVALUATIONS                                                                            \
    LINES("r.hash || v.canonical || x.checkpoint || x.step || ' ' || x.pass_at_2 || ' ' ||"    \
          " x.per_token_accuracy",                                                             \
          "score x JOIN evaluation v USING (evaluation_id)"                                    \
          " JOIN run r USING (run_id)")
#define CHECKPOINTS                                                                            \
    LINES("r.hash || c.file || c.weights_hash", "checkpoint c JOIN run r USING (run_id)")
#define JOBS                                                                                   \
    LINES("r.hash || j.kind || j.state || coalesce(j.cause, '')",                              \
          "job j JOIN run r USING (run_id)")
#define ATTEMPTS LINES("t.directory || t.state || t.outcome", "attempt t")
static const char STATE[] =
    "SELECT " ARMS "||" METRICS "||" EVALUATIONS "||" CHECKPOINTS "||" JOBS "||" ATTEMPTS;

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
    char *state = place_ask(place, STATE);
    assert_true(strlen(state) > 500);
    return state;
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
        { "PRAGMA user_version = 99", "a newer hrmlab" },
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

/* How much of such a journal was stored before its fault was met depends on when it was read. */
static void what_was_quarantined_stays_so(void **unused)
{
    static const char *const modes[] = { "garbage", "other_value", "other_run", "after_end" };
    static const char ends[] = "SELECT " JOBS "||" ATTEMPTS;

    (void)unused;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct place place;
        place_use_release(modes[i]);
        place_make(&place);
        assert_int_equal(run(&place), 1);
        place_expect(&place, "SELECT DISTINCT state || cause FROM job", "quarantinedjournal");
        char *before = place_ask(&place, ends);
        assert_int_equal(rebuild(&place), 0);
        char *after = place_ask(&place, ends);
        if (strcmp(before, after) != 0)
            fail_msg("%s: %s, before: %s", modes[i], after, before);
        free(before);
        free(after);
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

/* What was measured, however it is arranged. */
static const char RESULTS[] = "SELECT " METRICS "||" LINES(
    "weights_hash",
    "checkpoint") " || (SELECT count(*) FROM evaluation_result) || ' ' || (SELECT count(*) FROM"
                  " task_outcome)";

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

/* ---- what no longer leads to the same runs ---- */

/* Nothing is missing and nothing is to be done. */
static void expect_results(const struct place *place, const char *results)
{
    char *now = place_ask(place, RESULTS);

    assert_string_equal(now, results);
    free(now);
    place_expect(place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(place, "SELECT count(*) FROM attempt WHERE outcome <> 'done'", "0");
}

static void an_edited_spec_is_named_and_its_runs_are_kept(void **unused)
{
    struct place place;

    (void)unused;
    free(make_done(&place, NULL));
    char *results = place_ask(&place, RESULTS);
    shell(&place, "sed -i 's/\"train.lr\":0.01/\"train.lr\":0.02/' specs/t-*.json");
    assert_int_equal(rebuild(&place), 1);
    assert_true(place_output_has(&place, "its content is not what was queued"));
    expect_results(&place, results);
    place_expect(&place,
                 "SELECT group_concat(label, ';') FROM (SELECT * FROM arm JOIN"
                 " experiment USING (experiment_id) WHERE name = 'rebuilt' ORDER BY"
                 " label)",
                 "arch.name=hrm arch.H_layers=1 arch.L_layers=1 arch.H_cycles=2;"
                 "arch.name=transformer arch.H_layers=2 arch.L_layers=2 arch.H_cycles=1");
    assert_int_equal(place_finish(place_start(&place, "results", "rebuilt", NULL)), 0);
    free(results);
    place_remove(&place);
}

/* A user's experiment may have the name of what no spec leads to. */
static void runs_of_no_spec_get_a_name_that_is_free(void **unused)
{
    static const char *const names =
        "SELECT group_concat(name || ':' || runs, ' ') FROM (SELECT name, (SELECT count(*)"
        " FROM arm JOIN arm_run USING (arm_id) WHERE experiment_id = e.experiment_id) AS runs"
        " FROM experiment e ORDER BY name)";
    struct place place;

    (void)unused;
    free(make_done(&place, NULL));
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", "name=rebuilt", "--set",
                                 "train.max_steps=7", NULL)),
        0);
    shell(&place, "rm specs/t-*.json");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rebuild(&place), 0);
        place_expect(&place, names, "rebuilt:2 rebuilt-2:2");
    }
    place_remove(&place);
}

static int run_tasks(const struct place *place, const char *data)
{
    return place_finish(place_start(place, "run", place->spec, "--set", data, NULL));
}

/* Data that were changed, and data that were moved away, after the runs were done. */
static void runs_of_data_that_have_changed_are_kept(void **unused)
{
    struct place place;
    char tasks[64], data[90], moved[80];

    (void)unused;
    place_use_release("ok");
    place_make(&place);
    run_make_tasks(tasks);
    snprintf(data, sizeof data, "data.path=%s", tasks);
    assert_int_equal(run_tasks(&place, data), 0);
    char *state = place_ask(&place, STATE), *results = place_ask(&place, RESULTS);
    run_change_tasks(tasks);
    assert_int_equal(rebuild(&place), 0);
    assert_true(place_output_has(&place, "2 of 2 runs used other data"));
    expect_state(&place, state, "changed data", 0);
    /* Beside the runs of the changed data, under another name: that must be asked for. */
    assert_int_equal(run_tasks(&place, data), 2);
    assert_true(place_output_has(&place, "--new for the name t-2"));
    place_expect(&place, "SELECT count(*) FROM run", "2");
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--new", "--set", data, NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM run", "4");
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "t,t-2");
    assert_int_equal(rebuild(&place), 0);
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'done'", "4");
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "4");
    free(results);
    results = place_ask(&place, RESULTS);
    snprintf(moved, sizeof moved, "%s.moved", tasks);
    assert_int_equal(rename(tasks, moved), 0);
    assert_int_equal(rebuild(&place), 1);
    assert_true(place_output_has(&place, tasks));
    expect_results(&place, results);
    place_expect(&place, "SELECT count(*) FROM arm WHERE label LIKE '%data=%'", "4");
    struct error err = { 0 };
    assert_int_equal(file_remove_tree(moved, &err), 0);
    free(state);
    free(results);
    place_remove(&place);
}

/* The journal again, its events as they are but for the run that they are of. */
static void rename_run_in_journal(const char *path, const char *hash)
{
    static const char *const HEAD[] = { "h", "n", "t", "type" };
    struct journal_writer writer;
    struct journal_event event;
    struct error err = { 0 };
    char *text;
    size_t size, used;

    assert_int_equal(file_read(&text, &size, path, 1 << 24, &err), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(journal_open(&writer, path, &err), 0);
    for (size_t at = 0;
         journal_next(&event, &used, text + at, size - at, -1, &err) == JOURNAL_EVENT;
         at += used) {
        char *type = strdup(event.type);

        if (json_member(event.body, "run_hash") != NULL)
            cJSON_ReplaceItemInObjectCaseSensitive(event.body, "run_hash",
                                                   cJSON_CreateString(hash));
        for (size_t i = 0; i < sizeof HEAD / sizeof *HEAD; i++)
            cJSON_DeleteItemFromObjectCaseSensitive(event.body, HEAD[i]);
        assert_int_equal(journal_append(&writer, type, event.body, false, &err), 0);
        free(type);
    }
    journal_close(&writer);
    free(text);
}

/* The run's directory, job.json and journal as the engine of numeric version 1 had named it. */
static void give_older_engine(const struct place *place, const char *hash)
{
    char from[200], to[200], path[250], older[HASH_HEX_SIZE];
    struct config config = { 0 };
    struct error err = { 0 };
    cJSON *job;

    snprintf(from, sizeof from, "%s/runs/%s", place->workspace, hash);
    snprintf(path, sizeof path, "%s/attempts/1/job.json", from);
    assert_int_equal(json_read_file(&job, path, 1 << 20, &err), 0);
    assert_int_equal(config_from_json(&config, json_member(job, "config"), path, &err), 0);
    assert_int_equal(config_resolve(&config, path, &err), 0);
    assert_int_equal(config_run_hash_of(older, &config,
                                        json_member(job, "data_hash")->valuestring, "1", &err),
                     0);
    cJSON_ReplaceItemInObjectCaseSensitive(job, "run_hash", cJSON_CreateString(older));
    char *text = cJSON_Print(job);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    snprintf(path, sizeof path, "%s/attempts/1/journal.jsonl", from);
    rename_run_in_journal(path, older);
    snprintf(to, sizeof to, "%s/runs/%s", place->workspace, older);
    assert_int_equal(rename(from, to), 0);
    cJSON_free(text);
    cJSON_Delete(job);
    config_release(&config);
}

static void runs_of_an_older_engine_are_kept(void **unused)
{
    struct place place;

    (void)unused;
    free(make_done(&place, "ok"));
    for (int i = 0; i < 2; i++) {
        char *hash = place_ask(&place, i == 0 ? "SELECT min(hash) FROM run"
                                              : "SELECT max(hash) FROM run");
        give_older_engine(&place, hash);
        free(hash);
    }
    assert_int_equal(rebuild(&place), 0);
    place_expect(&place,
                 "SELECT count(*) FROM run JOIN training USING (training_id)"
                 " WHERE numeric_version = '1'",
                 "2");
    place_expect(&place, "SELECT count(*) FROM run", "2");
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
    place_expect(&place, "SELECT group_concat(name) FROM experiment", "t");
    /* Those of today's engine are others. */
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--new", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM run", "4");
    place_remove(&place);
}

static void a_damaged_job_file_loses_nothing(void **unused)
{
    struct place place;
    char path[300];

    (void)unused;
    char *state = make_done(&place, NULL);
    char *results = place_ask(&place, RESULTS);
    attempt_file(path, &place, "job.json");
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(rebuild(&place), 0);
    expect_state(&place, state, "damaged job.json", 0);
    expect_results(&place, results);
    /* Nothing tells of the run any more. */
    shell(&place, "rm specs/*");
    assert_int_equal(rebuild(&place), 1);
    path[strlen(path) - strlen("/job.json")] = '\0';
    char words[340];
    snprintf(words, sizeof words, "left out: %s", path);
    assert_true(place_output_has(&place, words));
    place_expect(&place, "SELECT count(*) FROM attempt", "1");
    free(state);
    free(results);
    place_remove(&place);
}

/* The spec that asked for more of the same runs is gone; what it asked for was answered. */
static void evaluations_of_a_spec_that_is_gone_are_kept(void **unused)
{
    struct place place;

    (void)unused;
    free(make_done(&place, NULL));
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "eval.halt_max_steps=3", NULL)),
                     0);
    char *results = place_ask(&place, RESULTS);
    shell(&place, "rm $(grep -l 'eval.halt_max_steps.:.*3' specs/*)");
    assert_int_equal(rebuild(&place), 0);
    expect_results(&place, results);
    place_expect(&place, "SELECT count(DISTINCT eval_outer_steps) FROM v_results", "3");
    free(results);
    place_remove(&place);
}

/* The place's spec under another name. */
static void rename_spec(const struct place *place, const char *name)
{
    struct error err = { 0 };
    cJSON *spec;

    assert_int_equal(json_read_file(&spec, place->spec, 1 << 20, &err), 0);
    cJSON_ReplaceItemInObjectCaseSensitive(spec, "name", cJSON_CreateString(name));
    char *text = cJSON_Print(spec);
    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
    cJSON_free(text);
    cJSON_Delete(spec);
}

/* A spec given while a rebuild is at work is in the new database, or its command says that it is
 * not and is to be given again. */
static void what_is_queued_meanwhile_is_queued_or_said_not_to_be(void **unused)
{
    static const char EXPERIMENTS[] = "SELECT count(*) FROM experiment WHERE name = 's%d'";
    struct place place;
    int refused = 0, rounds = is_long() ? 60 : 6;

    (void)unused;
    free(make_done(&place, "ok"));
    for (int i = 0; i < rounds; i++) {
        char name[20], question[100];

        snprintf(name, sizeof name, "s%d", i);
        rename_spec(&place, name);
        snprintf(question, sizeof question, EXPERIMENTS, i);
        pid_t rebuilding = place_start(&place, "rebuild", NULL);
        place_sleep_ms((int)random_below(&stream, 60));
        int code = place_finish(place_start(&place, "queue", place.spec, NULL));
        assert_int_equal(place_finish(rebuilding), 0);
        if (code != 0) {
            refused++;
            code = place_finish(place_start(&place, "queue", place.spec, NULL));
        }
        assert_int_equal(code, 0);
        place_expect(&place, question, "1");
    }
    print_message("%d of %d commands had to be given again\n", refused, rounds);
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
        cmocka_unit_test(an_edited_spec_is_named_and_its_runs_are_kept),
        cmocka_unit_test(runs_of_no_spec_get_a_name_that_is_free),
        cmocka_unit_test(runs_of_data_that_have_changed_are_kept),
        cmocka_unit_test(runs_of_an_older_engine_are_kept),
        cmocka_unit_test(a_damaged_job_file_loses_nothing),
        cmocka_unit_test(evaluations_of_a_spec_that_is_gone_are_kept),
        cmocka_unit_test(what_is_queued_meanwhile_is_queued_or_said_not_to_be),
    };

    stream = random_stream((uint64_t)getpid(), "rebuild", 0);
    return cmocka_run_group_tests_name("rebuild", tests, NULL, NULL);
}
