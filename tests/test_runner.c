/* test_runner.c - the real hrmlab: kill -9, take-over, cancelling; nothing lost or doubled. */
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void killed_runners_and_workers_lose_and_double_nothing(void **state)
{
    struct random_stream stream = random_stream((uint64_t)getpid(), "kill test", 0);
    int rounds = getenv("HRMLAB_LONG") != NULL ? 20 : 3;

    (void)state;
    if (undisturbed == NULL) /* the test before was not asked for */
        a_spec_runs_once_and_its_results_stay(NULL);
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

/* Cancelled beside the runner at work, and where a killed runner's workers go on, which stand
 * still meanwhile: none is done before it hears of that. */
static void cancelled_jobs_end_and_can_be_taken_up_again(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct place place;

        place_make(&place);
        pid_t pid = place_start(&place, "run", place.spec, "--set", "train.max_steps=400",
                                "--set", "train.checkpoint_interval=30", "--jobs", "2", NULL);
        assert_true(place_wait_for(&place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
        int stopped = place_signal_workers(&place, SIGSTOP); /* and their keepers */
        assert_true(stopped >= 2);
        if (killed) {
            kill(pid, SIGKILL);
            assert_int_equal(place_finish(pid), 128 + SIGKILL);
        }
        assert_int_equal(place_finish(place_start(&place, "cancel", "t", NULL)), 0);
        assert_int_equal(place_signal_workers(&place, SIGCONT), stopped);
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
                     "SELECT count(*) FROM metric WHERE step = 400"
                     " AND name = 'train/lm_loss'",
                     "2");
        place_remove(&place);
    }
}

/* Of trainings at work while none was done before: watch shows it by their own pace, and so does
 * status. */
static void status_tells_the_time_left_of_the_first_trainings(void **state)
{
    struct place place;
    char command[200];
    bool told = false;

    (void)state;
    place_make(&place);
    snprintf(command, sizeof command, "grep -q '^t,2,0,[12],[01],0,0,[0-9]' %s/out",
             place.directory);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.max_steps=4000", NULL);
    assert_true(place_wait_for(&place, "SELECT count(*) > 0 FROM metric", "1"));
    for (int i = 0; i < 50 && !told; i++) {
        place_sleep_ms(100);
        assert_int_equal(place_finish(place_start(&place, "status", "--format", "csv", NULL)),
                         0);
        told = system(command) == 0;
    }
    assert_true(told);
    kill(pid, SIGINT);
    assert_int_equal(place_finish(pid), 130);
    place_remove(&place);
}

/* The runner is killed after it has taken note, while its workers cannot answer it yet. */
static void a_cancelled_job_stays_so_where_its_runner_is_killed(void **state)
{
    struct place place;

    (void)state;
    place_make(&place);
    pid_t pid = place_start(&place, "run", place.spec, "--set", "train.max_steps=4000",
                            "--jobs", "2", NULL);
    assert_true(place_wait_for(&place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
    assert_true(place_signal_workers(&place, SIGSTOP) > 0);
    assert_int_equal(place_finish(place_start(&place, "cancel", "t", NULL)), 0);
    assert_true(place_wait_for(&place, "SELECT answer FROM request", "cancelled 2 jobs"));
    kill(pid, SIGKILL);
    assert_int_equal(place_finish(pid), 128 + SIGKILL);
    assert_true(place_signal_workers(&place, SIGCONT) > 0);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT group_concat(state || cause) FROM job",
                 "cancelledcancelled,cancelledcancelled");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE state <> 'ended'", "0");
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
    place_use_fake("slow");
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
    place_run_fake(&place, "ok", "retries.max=0", 0);
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
        cmocka_unit_test(workers_get_no_descriptor_of_the_runners_caller),
        cmocka_unit_test(a_spec_runs_once_and_its_results_stay),
        cmocka_unit_test(hidden_tests_are_answered_and_not_scored),
        cmocka_unit_test(an_interrupted_run_stops_safely_and_goes_on),
        cmocka_unit_test(status_tells_the_time_left_of_the_first_trainings),
        cmocka_unit_test(cancelled_jobs_end_and_can_be_taken_up_again),
        cmocka_unit_test(a_cancelled_job_stays_so_where_its_runner_is_killed),
        cmocka_unit_test(killed_runners_and_workers_lose_and_double_nothing),
    };

    return cmocka_run_group_tests_name("runner", tests, NULL, forget);
}
