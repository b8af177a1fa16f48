/* test_runner.c - the real hrmlab: faults of workers, kill -9, take-over; nothing lost or doubled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "random.h"
#include "support/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void use_fake(const char *mode)
{
    setenv("FAKE_WORKER_REAL", place_worker(), 1);
    setenv("FAKE_WORKER_MODE", mode, 1);
    setenv("HRMLAB_WORKER", place_fake_worker(), 1);
}

/* Runs the spec with a worker that misbehaves; no retries unless asked for. */
static void run_fake(struct place *place, const char *mode, const char *retries, int exit_code)
{
    char *real = strdup(place_worker());

    place_make(place);
    use_fake(mode);
    int code = place_finish(place_start(place, "run", place->spec, "--set", retries, "--set",
                                        "arch.name=hrm", "--jobs", "2", NULL));
    setenv("HRMLAB_WORKER", real, 1);
    free(real);
    if (code != exit_code)
        fail_msg("%s: exit %d, see %s/out", mode, code, place->directory);
}

static void faults_of_workers_are_told_apart(void **state)
{
    static const struct {
        const char *mode, *state, *cause;
    } cases[] = {
        { "crash", "failed", "crash" },
        { "half", "failed", "crash" },
        { "flood", "failed", "endless output" },
        { "endless_line", "quarantined", "journal" },
        { "other_run", "quarantined", "journal" },
        { "other_file", "quarantined", "journal" },
        { "silent", "failed", "exit without a result" },
        { "garbage", "quarantined", "journal" },
        { "after_end", "quarantined", "journal" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        run_fake(&place, cases[i].mode, "retries.max=0", 1);
        place_expect(&place, "SELECT state FROM job", cases[i].state);
        place_expect(&place, "SELECT cause FROM job", cases[i].cause);
        place_remove(&place);
    }
}

/* A limit that was never near is not what ended it. */
static void a_killed_worker_with_a_memory_limit_was_killed(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "resources.memory_gb=8",
                            "--set", "retries.max=0", "--set", "arch.name=hrm", "--set",
                            "train.max_steps=100000", NULL);
    assert_true(place_wait_for(&place, "SELECT provenance IS NOT NULL FROM attempt", "1"));
    char *worker = place_ask(&place, "SELECT json_extract(provenance, '$.worker_pid') FROM"
                                     " attempt");
    assert_true(atoi(worker) > 1);
    kill(atoi(worker), SIGKILL);
    free(worker);
    assert_int_equal(place_finish(pid), 1);
    place_expect(&place, "SELECT cause FROM job", "killed");
    place_remove(&place);
}

static void a_failure_that_passes_is_tried_again(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "fail_once", "retries.max=2", 0);
    place_expect(&place, "SELECT state FROM job", "done");
    place_expect(&place, "SELECT count(*) FROM attempt", "2");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "2");
    place_remove(&place);
}

static void a_worker_that_dies_shows_the_end_of_its_log(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "last_words", "retries.max=0", 1);
    place_expect(&place,
                 "SELECT message LIKE 'its log ends with: libmissing.so.3: cannot open%'"
                 " AND instr(message, char(27)) = 0 FROM attempt",
                 "1");
    place_remove(&place);
}

static void a_worker_that_stands_still_is_found_and_tried_again(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "hang_once", "resources.hang_s=2", 0);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "hang,done");
    place_expect(&place, "SELECT state FROM job", "done");
    place_remove(&place);
}

static void a_worker_whose_step_takes_longer_than_a_hang_goes_on(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "long_step", "resources.hang_s=3", 0);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "done");
    place_remove(&place);
}

static void a_value_that_contradicts_an_earlier_attempt_is_quarantined(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "other_value", "retries.max=2", 1);
    place_expect(&place, "SELECT state FROM job", "quarantined");
    place_expect(&place, "SELECT value FROM metric", "1.0");
    place_remove(&place);
}

/* hashes of the two runs, "HRM's,transformer's", once everything is done. */
static char *final_hashes(const struct place *place)
{
    place_expect(place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(place, "SELECT count(*) FROM checkpoint", "2");
    place_expect(place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "4");
    place_expect(place,
                 "SELECT count(*) FROM (SELECT run_id FROM attempt WHERE outcome = 'done'"
                 " GROUP BY run_id HAVING count(*) > 1)",
                 "0");
    place_expect(place, "PRAGMA integrity_check", "ok");
    return place_ask(place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                            " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
}

static char *undisturbed;

static void a_spec_runs_once_and_its_results_stay(void **state)
{
    struct place place;
    char *file, path[400];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    undisturbed = final_hashes(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM attempt", "2");
    assert_true(place_output_has(&place, "nothing to do"));
    /* Without its final checkpoint, or with a part of it, exactly that run trains again, to the
     * same weights. */
    for (int cut = 0; cut < 2; cut++) {
        file = place_ask(&place, "SELECT file FROM checkpoint LIMIT 1");
        snprintf(path, sizeof path, "%s/%s", place.workspace, file);
        assert_int_equal(cut ? truncate(path, 1000) : unlink(path), 0);
        free(file);
        assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
        place_expect(&place, "SELECT count(*) FROM attempt", cut ? "4" : "3");
        char *again = place_ask(
            &place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                    " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
        assert_string_equal(again, undisturbed);
        free(again);
    }
    /* More evaluations of the same trainings: no training. */
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "eval.halt_max_steps=3", NULL)),
                     0);
    place_expect(&place, "SELECT count(*) FROM job WHERE kind = 'train'", "4");
    place_expect(&place, "SELECT count(*) FROM job WHERE kind = 'evaluate' AND state = 'done'",
                 "2");
    place_expect(&place, "SELECT count(DISTINCT run_id) FROM run", "2");
    place_remove(&place);
}

/* One byte of the weights: the sizes are right, the checksum is not. */
static void damaged_weights_are_seen_and_trained_again(void **state)
{
    struct place place;
    char path[400];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    assert_true(place_output_has(&place, "all 2 final checkpoints are there and sound"));
    char *file = place_ask(&place, "SELECT file FROM checkpoint LIMIT 1");
    char *weights = place_ask(&place, "SELECT weights_hash FROM checkpoint LIMIT 1");
    snprintf(path, sizeof path, "%s/%s", place.workspace, file);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, -100, SEEK_END), 0);
    int byte = fgetc(stream);
    assert_int_equal(fseek(stream, -100, SEEK_END), 0);
    fputc(byte ^ 1, stream);
    fclose(stream);
    assert_int_equal(place_finish(place_start(&place, "doctor", NULL)), 0);
    assert_true(place_output_has(&place, "0 are gone or cut, 1 fail their checksum"));
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--set", "eval.halt_max_steps=3",
                                 "--set", "retries.max=0", NULL)),
        0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'checkpoint damaged'",
                 "1");
    place_expect(&place, "SELECT count(*) FROM job WHERE kind = 'train'", "3");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "6");
    char *again = place_ask(&place, "SELECT weights_hash FROM checkpoint LIMIT 1");
    char *file_again = place_ask(&place, "SELECT file FROM checkpoint LIMIT 1");
    assert_string_equal(again, weights);
    assert_string_not_equal(file_again, file);
    free(file_again);
    free(again);
    free(weights);
    free(file);
    place_remove(&place);
}

static void killed_runners_and_workers_lose_and_double_nothing(void **state)
{
    struct random_stream stream = random_stream((uint64_t)getpid(), "kill test", 0);
    int rounds = getenv("HRMLAB_LONG") != NULL ? 20 : 3;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct place place;
        int killed = 0;
        place_make(&place);
        pid_t pid = place_start(&place, "run", place.spec, "--set", "retries.max=50", NULL);
        for (int kills = 0; kills < 4; kills++) {
            place_sleep_ms(500 + (int)random_below(&stream, 1200));
            bool runner = (kills + round) % 3 != 0, workers = (kills + round) % 3 != 1;
            if (runner) {
                kill(pid, SIGKILL);
                place_finish(pid);
            }
            if (workers)
                killed += place_signal_workers(&place, SIGKILL);
            if (runner)
                pid = place_start(&place, "work", NULL);
        }
        int code = place_finish(pid);
        if (code != 0) /* killed between queueing and locking: nothing was queued yet */
            print_message("last runner: exit %d\n", code);
        assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                                  "retries.max=50", NULL)),
                         0);
        char *hashes = final_hashes(&place);
        assert_string_equal(hashes, undisturbed);
        free(hashes);
        print_message("round %d: %d processes of workers killed\n", round, killed);
        place_remove(&place);
    }
}

static void an_interrupted_run_stops_safely_and_goes_on(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.max_steps=4000", NULL);
    for (int i = 0; i < 100; i++) { /* until both are at work */
        place_sleep_ms(100);
        if (!file_exists(place.workspace))
            continue;
        char path[80];
        snprintf(path, sizeof path, "%s/results.db", place.workspace);
        if (!file_exists(path))
            continue;
        char *running = place_ask(&place, "SELECT count(*) FROM job WHERE state = 'running'");
        bool both = strcmp(running, "2") == 0 || (i > 50 && strcmp(running, "1") == 0);
        free(running);
        if (both)
            break;
    }
    place_sleep_ms(500);
    kill(pid, SIGINT);
    assert_int_equal(place_finish(pid), 130);
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'queued'", "2");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE state IN ('starting', 'running')",
                 "0");
    place_remove(&place);
}

/* Cancelled beside the runner at work, and where a killed runner's workers go on. */
static void cancelled_jobs_end_and_can_be_taken_up_again(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct place place;

        place_make(&place);
        pid_t pid = place_start(&place, "run", place.spec, "--set", "train.max_steps=250",
                                "--jobs", "2", NULL);
        assert_true(place_wait_for(&place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
        if (killed) {
            kill(pid, SIGKILL);
            assert_int_equal(place_finish(pid), 128 + SIGKILL);
        }
        assert_int_equal(place_finish(place_start(&place, "cancel", "t", NULL)), 0);
        if (!killed)
            assert_int_equal(place_finish(pid), 1);
        assert_true(place_becomes_quiet(&place));
        assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
        place_expect(&place, "SELECT count(*) FROM job WHERE state = 'cancelled'", "2");
        place_expect(&place, "SELECT count(*) FROM attempt WHERE state <> 'ended'", "0");
        assert_int_equal(place_finish(place_start(&place, "retry", "t", NULL)), 0);
        assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
        place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
        place_expect(&place,
                     "SELECT count(*) FROM metric WHERE step = 250"
                     " AND name = 'train/lm_loss'",
                     "2");
        place_remove(&place);
    }
}

static void verify_trains_again_and_finds_every_difference(void **state)
{
    static const char *const changes[][2] = {
        { "UPDATE metric SET value = value + 1e-9 WHERE name = 'train/lm_loss' AND step = 30",
          "UPDATE metric SET value = value - 1e-9 WHERE name = 'train/lm_loss' AND step = 30" },
        { "UPDATE measure_value SET value = value / 2 WHERE name = 'per_token_accuracy'",
          "UPDATE measure_value SET value = value * 2 WHERE name = 'per_token_accuracy'" },
        { "CREATE TABLE v AS SELECT * FROM measure_value WHERE name = 'lm_loss';"
          " DELETE FROM measure_value WHERE name = 'lm_loss'",
          "INSERT INTO measure_value SELECT * FROM v" },
        { "UPDATE task_outcome SET votes = votes + 1",
          "UPDATE task_outcome SET votes = votes - 1" },
        { "UPDATE baseline SET pass_at_2 = pass_at_2 + 1",
          "UPDATE baseline SET pass_at_2 = pass_at_2 - 1" },
        { "UPDATE checkpoint SET weights_hash = 'a' || weights_hash",
          "UPDATE checkpoint SET weights_hash = substr(weights_hash, 2)" },
        /* What training again adds, and what it has not. */
        { "CREATE TABLE m AS SELECT * FROM metric WHERE step > 10;"
          " DELETE FROM metric WHERE step > 10",
          "INSERT INTO metric SELECT * FROM m" },
        { "CREATE TABLE o AS SELECT * FROM task_outcome; DELETE FROM task_outcome",
          "INSERT INTO task_outcome SELECT * FROM o" },
        { "CREATE TABLE e AS SELECT * FROM evaluation_result WHERE checkpoint = 'untrained';"
          " DELETE FROM evaluation_result WHERE checkpoint = 'untrained'",
          "INSERT INTO evaluation_result SELECT * FROM e" },
        { "INSERT INTO metric SELECT run_id, 'train/invented', 1, 0.5 FROM run",
          "DELETE FROM metric WHERE name = 'train/invented'" },
    };
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *run = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_true(place_output_has(&place, "is the same bit for bit"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        place_change(&place, changes[i][0]);
        int code = place_finish(place_start(&place, "verify", run, NULL));
        if (code != 1)
            fail_msg("verify after %s: exit %d", changes[i][0], code);
        place_change(&place, changes[i][1]);
    }
    assert_true(place_output_has(&place, "DIFFERS"));
    assert_true(place_output_has(&place, "is missing in the database"));
    assert_true(place_output_has(&place, "missing when trained again"));
    /* Results of a release that did not have a measure are as good without it. */
    place_change(&place, "CREATE TABLE w AS SELECT * FROM measure_value WHERE name = 'oracle';"
                         " DELETE FROM measure_value WHERE name = 'oracle'");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(&place, "INSERT INTO measure_value SELECT * FROM w");
    /* An evaluation that was asked for later has no results from before the end. */
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", "eval.halt_max_steps=3",
                                 "--set", "eval.trajectory=true", NULL)),
        0);
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT count(*) > 0 FROM measure_value WHERE position > 0", "1");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(
        &place,
        "UPDATE measure_value SET value = value + 1 WHERE"
        " name = 'pass_at_2' AND evaluation_id IN (SELECT evaluation_id FROM evaluation WHERE"
        " outer_steps = 3)");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 1);
    free(run);
    place_remove(&place);
}

static void a_diverged_training_is_a_result_with_its_step(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(
                         &place, "run", place.spec, "--set", "train.lr=10", "--set",
                         "train.weight_decay=10", "--set", "train.lr_warmup_steps=0", "--set",
                         "train.max_steps=200", "--set", "arch.name=transformer", NULL)),
                     0);
    place_expect(&place, "SELECT state || ' ' || cause FROM job", "done diverged");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'diverged'", "1");
    place_expect(&place, "SELECT message GLOB 'loss * at step [1-9]*' FROM attempt", "1");
    place_expect(&place, "SELECT message = (SELECT message FROM attempt) FROM job", "1");
    char *run = place_ask(&place, "SELECT hash FROM run");
    char *message = place_ask(&place, "SELECT message FROM attempt");
    assert_int_equal(place_finish(place_start(&place, "show", run, NULL)), 0);
    assert_true(place_output_has(&place, message));
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 0);
    place_change(&place, "UPDATE attempt SET message = 'loss nan at step 59'");
    assert_int_equal(place_finish(place_start(&place, "verify", run, NULL)), 1);
    assert_true(place_output_has(&place, "stored is loss nan at step 59"));
    free(message);
    free(run);
    place_remove(&place);
}

static void a_damaged_database_is_left_alone_and_rebuilt(void **state)
{
    static const char *const sql =
        "SELECT group_concat(line, ';') FROM (SELECT r.hash || m.name ||"
        " m.step || ' ' || m.value AS line FROM metric m JOIN run r"
        " USING (run_id) ORDER BY 1)";
    struct place place;
    char path[80];

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "eval.halt_max_steps=3", NULL)),
                     0);
    char *hashes =
        place_ask(&place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                          " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
    char *metrics = place_ask(&place, sql);
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 4096; fseek(file, at, SEEK_SET) == 0 && at < 90000; at += 4096)
        fputs("this is no page of a database", file);
    fclose(file);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 3);
    assert_true(place_output_has(&place, "hrmlab rebuild"));
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    place_expect(&place, "SELECT count(*) FROM attempt", "4");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "6");
    char *again =
        place_ask(&place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                          " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
    char *metrics_again = place_ask(&place, sql);
    assert_string_equal(again, hashes);
    assert_string_equal(metrics_again, metrics);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    assert_true(place_output_has(&place, "nothing to do"));
    free(hashes);
    free(again);
    free(metrics);
    free(metrics_again);
    place_remove(&place);
}

/* Bytes over the first page of a table that most commands never look at. */
static void damage_table(const struct place *place, const char *table)
{
    char path[80], sql[120];

    snprintf(sql, sizeof sql,
             "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size)"
             " FROM sqlite_schema WHERE name = '%s'",
             table);
    char *offset = place_ask(place, sql);
    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, atol(offset), SEEK_SET), 0);
    for (int i = 0; i < 20; i++)
        fputs("no page...", file);
    fclose(file);
    free(offset);
}

static void no_command_writes_to_a_damaged_database(void **state)
{
    static const char *const commands[] = {
        "run", "queue", "work", "cancel", "retry", "verify"
    };
    struct place place;
    struct error err = { 0 };
    char path[80], *before, *after;
    size_t size, size_after;

    (void)state;
    place_make(&place);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *run = place_ask(&place, "SELECT hash FROM run ORDER BY run_id LIMIT 1");
    damage_table(&place, "task_outcome");
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    assert_int_equal(file_read(&before, &size, path, 1 << 28, &err), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *target = i < 2 ? place.spec : i == 2 ? NULL : i < 5 ? "all" : run;
        int code = place_finish(place_start(&place, commands[i], target, NULL));
        if (code != 3)
            fail_msg("%s on a damaged database: exit %d", commands[i], code);
    }
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--set", "train.lr=0.03", NULL)),
        3);
    assert_int_equal(file_read(&after, &size_after, path, 1 << 28, &err), 0);
    assert_int_equal(size_after, size);
    assert_memory_equal(after, before, size);
    assert_true(place_output_has(&place, "results.db is damaged; hrmlab rebuild"));
    free(before);
    free(after);
    free(run);
    place_remove(&place);
}

static void write_beside(const struct place *place, const char *name, const char *content)
{
    struct error err = { 0 };
    char *path = file_join(place->directory, name);

    assert_int_equal(file_write_atomic(path, content, strlen(content), &err), 0);
    free(path);
}

/* As on Kaggle: test challenges whose solutions nobody has. */
static void hidden_tests_are_answered_and_not_scored(void **state)
{
    static const char challenges[] =
        "{\"a\":{\"train\":[{\"input\":[[1,2]],\"output\":[[2,1]]},"
        "{\"input\":[[3,4]],\"output\":[[4,3]]}],\"test\":[{\"input\":[[5,6]]}]}}";
    struct place place;
    char data[100];

    (void)state;
    place_make(&place);
    write_beside(&place, "x_test_challenges.json", challenges);
    snprintf(data, sizeof data, "data.path=%s/x_test_challenges.json", place.directory);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set", data, "--set",
                                              "arch.name=hrm", "--set", "data.num_aug=3",
                                              "--set", "train.max_steps=3", "--set",
                                              "train.global_batch_size=2", NULL)),
                     0);
    place_expect(&place, "SELECT count(*) FROM v_results WHERE checkpoint = 'last'", "2");
    place_expect(&place, "SELECT count(*) FROM v_results WHERE pass_at_2 IS NOT NULL", "0");
    place_expect(&place, "SELECT count(*) FROM baseline", "0");
    assert_int_equal(place_finish(place_start(&place, "results", NULL)), 0);
    assert_false(place_output_has(&place, "0.000"));
    char *attempt = place_ask(&place, "SELECT directory FROM attempt");
    char *submission = format_string("%s/%s/submission.json", place.workspace, attempt);
    assert_true(file_exists(submission));
    free(submission);
    free(attempt);
    place_remove(&place);
}

static bool has_open(const char *pid, const char *path)
{
    char *folder = format_string("/proc/%s/fd", pid), link[400];
    DIR *list = opendir(folder);
    bool found = false;

    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
        ssize_t length = readlinkat(dirfd(list), entry->d_name, link, sizeof link - 1);
        link[length > 0 ? length : 0] = '\0';
        found = found || strcmp(link, path) == 0;
    }
    closedir(list);
    free(folder);
    return found;
}

/* A lock of a wrapper script, the end of a pipeline: not for the workers. The null worker closes
 * nothing by itself. */
static void workers_get_no_descriptor_of_the_runners_caller(void **state)
{
    struct place place;
    char *real = strdup(place_worker());

    (void)state;
    place_make(&place);
    use_fake("slow");
    char *held = file_join(place.directory, "held");
    int fd = open(held, O_WRONLY | O_CREAT, 0600); /* without O_CLOEXEC */
    pid_t runner = place_start(&place, "run", place.spec, "--jobs", "1", NULL);
    setenv("HRMLAB_WORKER", real, 1);
    assert_true(place_wait_for(
        &place, "SELECT count(*) FROM attempt WHERE state = 'running' AND place LIKE 'pid %'",
        "1"));
    char *keeper = place_ask(
        &place,
        "SELECT CAST(substr(place, 5) AS INTEGER) FROM attempt WHERE state = 'running'");
    assert_true(has_open("self", held));
    assert_false(has_open(keeper, held));
    assert_int_equal(place_finish(runner), 0);
    close(fd);
    free(keeper);
    free(held);
    free(real);
    place_remove(&place);
}

/* U+009B begins a control sequence in many terminals, as ESC [ does. */
static void nothing_from_outside_steers_the_terminal(void **state)
{
    static const char line[] = "a \xc2\x9b"
                               "31m \x1b[31m caf\xc3\xa9\n";
    struct place place;

    (void)state;
    run_fake(&place, "ok", "retries.max=0", 0);
    char *run = place_ask(&place, "SELECT hash FROM run");
    char *attempt = place_ask(&place, "SELECT directory FROM attempt");
    char *log = format_string("%s/%s/log", place.workspace, attempt);
    FILE *file = fopen(log, "a");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) /* more than one read's worth: characters are cut */
        fputs(line, file);
    fclose(file);
    assert_int_equal(place_finish(place_start(&place, "logs", run, NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "results",
                                              "no\xc2\x9b"
                                              "31mX",
                                              NULL)),
                     2);
    assert_int_equal(place_finish(place_start(&place, "plan", place.spec, "--set",
                                              "data.path=/n\xc2\x9b"
                                              "31mX",
                                              NULL)),
                     2);
    assert_true(place_output_has(&place, "a ?31m ?[31m caf\xc3\xa9\n"));
    assert_true(place_output_has(&place, "no?31mX") && place_output_has(&place, "/n?31mX"));
    assert_false(place_output_has(&place, "\xc2\x9b") || place_output_has(&place, "\x1b"));
    assert_false(place_output_has(&place, "caf?"));
    free(log);
    free(attempt);
    free(run);
    place_remove(&place);
}

static int forget(void **state)
{
    (void)state;
    free(undisturbed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_from_outside_steers_the_terminal),
        cmocka_unit_test(faults_of_workers_are_told_apart),
        cmocka_unit_test(a_killed_worker_with_a_memory_limit_was_killed),
        cmocka_unit_test(a_failure_that_passes_is_tried_again),
        cmocka_unit_test(workers_get_no_descriptor_of_the_runners_caller),
        cmocka_unit_test(a_worker_that_dies_shows_the_end_of_its_log),
        cmocka_unit_test(a_worker_that_stands_still_is_found_and_tried_again),
        cmocka_unit_test(a_worker_whose_step_takes_longer_than_a_hang_goes_on),
        cmocka_unit_test(a_value_that_contradicts_an_earlier_attempt_is_quarantined),
        cmocka_unit_test(a_spec_runs_once_and_its_results_stay),
        cmocka_unit_test(hidden_tests_are_answered_and_not_scored),
        cmocka_unit_test(damaged_weights_are_seen_and_trained_again),
        cmocka_unit_test(an_interrupted_run_stops_safely_and_goes_on),
        cmocka_unit_test(cancelled_jobs_end_and_can_be_taken_up_again),
        cmocka_unit_test(verify_trains_again_and_finds_every_difference),
        cmocka_unit_test(a_diverged_training_is_a_result_with_its_step),
        cmocka_unit_test(no_command_writes_to_a_damaged_database),
        cmocka_unit_test(a_damaged_database_is_left_alone_and_rebuilt),
        cmocka_unit_test(killed_runners_and_workers_lose_and_double_nothing),
    };

    return cmocka_run_group_tests_name("runner", tests, NULL, forget);
}
