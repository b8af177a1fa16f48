/*
 * test_failures.c - runners and workers that get signals, workers that misbehave in any way, damaged
 * journals, limits: in the end every run is done once, or its failure has its cause. Release
 * programs, a few rounds in `make test`, many in `make test-faults` (HRMLAB_LONG).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- other signals ---- */

enum { WAYS = 5 };
static const char *const WAY_NAMES[WAYS] = { "stopped and continued", "asked to end",
                                             "interrupted", "interrupted twice",
                                             "asked to end twice" };

static void send(const struct fault *f, pid_t runner, int whom, int number)
{
    if (whom != 1)
        kill(runner, number);
    if (whom != 0)
        place_signal_workers(&f->place, number);
}

static void disturb(const struct fault *f, pid_t runner, int whom, int way)
{
    static const int numbers[WAYS] = { SIGSTOP, SIGTERM, SIGINT, SIGINT, SIGTERM };
    static const int next[WAYS] = { SIGCONT, 0, 0, SIGINT, SIGTERM };

    send(f, runner, whom, numbers[way]);
    if (next[way] != 0) {
        place_sleep_ms(1 + (int)random_below(&fault_stream, 60));
        send(f, runner, whom, next[way]);
    }
}

static void write_spec(const struct place *place, const char *text)
{
    struct error err = { 0 };

    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
}

/* Workers that stand still have no heartbeat. */
static void let_workers_hang(void)
{
    static const char spec[] =
        "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
        " \"arch.puzzle_emb_ndim\": 16, \"train.max_steps\": 1000,"
        " \"train.global_batch_size\": 8}, \"seeds\": 6}";
    struct fault f;

    fault_begin(&f);
    write_spec(&f.place, spec);
    pid_t pid = place_start(&f.place, "run", f.place.spec, "--set", "retries.delay=0", "--set",
                            "resources.hang_s=20", "--jobs", "6", NULL);
    assert_true(place_wait_for(
        &f.place, "SELECT count(DISTINCT run_id) FROM metric WHERE step > 3", "6"));
    assert_true(place_signal_workers(&f.place, SIGSTOP) > 0);
    assert_int_equal(place_finish(pid), 0);
    place_expect(&f.place, "SELECT count(*) FROM attempt WHERE outcome = 'hang'", "6");
    place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'done'", "6");
    place_expect(&f.place,
                 "SELECT count(*) FROM metric WHERE step = 1000"
                 " AND name = 'train/lm_loss'",
                 "6");
    fault_end(&f);
}

/* Real trainings; the runner, the workers, or all of them get signals at random. */
static void signals_of_every_kind_lose_nothing(void **state)
{
    static const char *const names[3] = { "runner", "workers", "both" };
    int hits[3][WAYS] = { { 0 } };
    int rounds = fault_is_long() ? 80 : 5, next = 0;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct fault f;
        int code;
        fault_begin(&f);
        pid_t pid = fault_start_run(&f);
        int status = 0;
        bool over = false;
        for (int i = 0; i < 3 && !over; i++) {
            int whom = next % 3, way = next / 3 % WAYS;
            place_sleep_ms(20 + (int)random_below(&fault_stream, 120));
            over = waitpid(pid, &status, WNOHANG) == pid;
            if (over)
                break;
            disturb(&f, pid, whom, way);
            hits[whom][way]++;
            next++;
        }
        code = over ? WEXITSTATUS(status) : place_finish(pid);
        if (code != 0 && code != 130 && code != 128 + SIGTERM && code != 128 + SIGINT)
            fail_msg("round %d: the runner ends with %d, see %s/out", round, code,
                     f.place.directory);
        fault_expect_recovery(&f, "signals, round", round);
        fault_end(&f);
    }
    for (int whom = 0; whom < 3; whom++)
        for (int way = 0; way < WAYS; way++) {
            print_message("%s %s: %d\n", names[whom], WAY_NAMES[way], hits[whom][way]);
            if (fault_is_long())
                assert_true(hits[whom][way] >= 5);
        }
    if (fault_is_long())
        let_workers_hang();
}

/* ---- workers that misbehave ---- */

static int count_attempts_in_mode(const struct fault *f, const char *mode)
{
    char command[300], file[60];

    snprintf(file, sizeof file, "%s/count", f->place.directory);
    snprintf(command, sizeof command,
             "head -qn 1 %s/runs/*/attempts/*/log | grep -ac 'mode %s[.]' >%s",
             f->place.workspace, mode, file);
    if (system(command) < 0)
        return 0;
    return fault_read_number(file);
}

/* Works and asks for what failed again, until everything is done. Returns how often. */
static int work_until_done(const struct fault *f)
{
    for (int rounds = 1; rounds <= 200; rounds++) {
        int code = place_finish(place_start(&f->place, "work", NULL));

        if (code == 0)
            return rounds;
        assert_int_equal(code, 1);
        assert_int_equal(place_finish(place_start(&f->place, "retry", "t", NULL)), 0);
    }
    fail_msg("it does not end, see %s", f->place.directory);
    return 0;
}

/* Each attempt breaks the protocol in a way of its own, or follows it. */
static void workers_that_fail_in_any_way_lose_nothing(void **state)
{
    static const char *const modes[] = { "crash",     "silent",    "garbage",      "half",
                                         "after_end", "other_run", "endless_line", "flood" };
    char spec[400], runs[20];

    (void)state;
    struct fault f;
    fault_begin(&f);
    snprintf(runs, sizeof runs, "%d", fault_is_long() ? 60 : 4);
    snprintf(spec, sizeof spec,
             "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
             " \"arch.num_heads\": 2, \"train.max_steps\": 2}, \"seeds\": %s,"
             " \"retries\": {\"max\": 1000, \"delay\": 0}}",
             runs);
    write_spec(&f.place, spec);
    place_use_release("any");
    assert_int_equal(place_finish(place_start(&f.place, "queue", f.place.spec, NULL)), 0);
    print_message("%s runs done after %d rounds\n", runs, work_until_done(&f));
    place_use_release("ok");
    place_expect(&f.place, "PRAGMA integrity_check", "ok");
    place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'done'", runs);
    place_expect(&f.place, "SELECT count(*) FROM attempt WHERE outcome = 'done'", runs);
    place_expect(&f.place, "SELECT count(*) FROM metric WHERE value = 1.0 AND step = 1", runs);
    place_expect(&f.place, "SELECT count(*) FROM evaluation_result", runs);
    place_expect(&f.place, "SELECT count(*) FROM checkpoint", runs);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        int hits = count_attempts_in_mode(&f, modes[i]);

        print_message("%s: %d attempts\n", modes[i], hits);
        if (fault_is_long() && hits < 5)
            fail_msg("%s: %d attempts, expected 5 at least", modes[i], hits);
    }
    assert_true(place_becomes_quiet(&f.place));
    fault_end(&f);
}

/* Flips a bit of what the runner has not read yet of an attempt's journal; not its last newline,
 * without which it is merely torn. */
static void damage_unread_journal(const struct fault *f, const char *attempt)
{
    char sql[200], path[400], *text;
    size_t size;
    struct error err = { 0 };

    snprintf(sql, sizeof sql, "SELECT directory FROM attempt WHERE attempt_id = %s", attempt);
    char *directory = place_ask(&f->place, sql);
    snprintf(sql, sizeof sql, "SELECT journal_offset FROM attempt WHERE attempt_id = %s",
             attempt);
    char *offset = place_ask(&f->place, sql);
    snprintf(path, sizeof path, "%s/%s/journal.jsonl", f->place.workspace, directory);
    assert_int_equal(file_read(&text, &size, path, 1 << 20, &err), 0);
    uint64_t read = strtoull(offset, NULL, 10);
    assert_true(read > 0 && read + 1 < size);
    uint64_t at = read + random_below(&fault_stream, size - 1 - read);
    text[at] = (char)(text[at] ^ (1 << random_below(&fault_stream, 8)));
    assert_int_equal(file_write_atomic(path, text, size, &err), 0);
    free(text);
    free(offset);
    free(directory);
}

/* The runner is killed amid two attempts, which end by themselves; what one of them has said
 * meanwhile is damaged before the next runner reads it. */
static void a_damaged_journal_is_quarantined_and_its_run_done_again(void **state)
{
    int rounds = fault_is_long() ? 40 : 2;

    (void)state;
    place_use_release("slow");
    for (int round = 0; round < rounds; round++) {
        struct fault f;
        fault_begin(&f);
        pid_t pid = fault_start_run(&f);
        assert_true(place_wait_for(
            &f.place, "SELECT count(*) FROM attempt WHERE journal_offset > 0", "2"));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_true(place_becomes_quiet(&f.place));
        damage_unread_journal(&f, round % 2 == 0 ? "1" : "2");
        assert_int_equal(place_finish(place_start(&f.place, "work", NULL)), 1);
        place_expect(&f.place,
                     "SELECT group_concat(state || ' ' || ifnull(cause, '')) FROM"
                     " (SELECT state, cause FROM job ORDER BY state)",
                     "done ,quarantined journal");
        assert_int_equal(place_finish(place_start(&f.place, "retry", "t", NULL)), 0);
        assert_int_equal(place_finish(place_start(&f.place, "work", NULL)), 0);
        place_expect(&f.place, "PRAGMA integrity_check", "ok");
        place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
        place_expect(&f.place, "SELECT count(*) FROM attempt", "3");
        place_expect(&f.place, "SELECT count(*) FROM metric WHERE value = 1.0", "100");
        fault_end(&f);
    }
    place_use_release("ok");
    print_message("%d journals damaged\n", rounds);
}

/* Limits that a spec sets, and real workers that meet them. */
static void a_worker_that_meets_a_limit_is_ended_with_its_cause(void **state)
{
    static const struct {
        const char *limit, *cause;
    } cases[] = {
        { "resources.time_limit_min=0.02", "time limit" },
        { "resources.memory_gb=0.05", "out of memory" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f;
        fault_begin(&f);
        int code = place_finish(place_start(&f.place, "run", f.place.spec, "--set",
                                            cases[i].limit, "--set", "train.max_steps=1000000",
                                            "--set", "retries.max=0", "--jobs", "2", NULL));
        assert_int_equal(code, 1);
        place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'failed'", "2");
        place_expect(&f.place, "SELECT group_concat(DISTINCT cause) FROM job", cases[i].cause);
        assert_true(place_becomes_quiet(&f.place));
        fault_end(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signals_of_every_kind_lose_nothing,
                                        fault_use_real_worker, fault_use_null_worker_again),
        cmocka_unit_test(workers_that_fail_in_any_way_lose_nothing),
        cmocka_unit_test(a_damaged_journal_is_quarantined_and_its_run_done_again),
        cmocka_unit_test_setup_teardown(a_worker_that_meets_a_limit_is_ended_with_its_cause,
                                        fault_use_real_worker, fault_use_null_worker_again),
    };

    return cmocka_run_group_tests_name("failures", tests, fault_set_up, fault_tear_down);
}
