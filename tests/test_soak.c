/*
 * test_soak.c - many null runs while workers and runners are killed all the time and readers look
 * on. At the end everything must be as where nobody was killed: results, files, and of processes
 * and descriptors nothing left over. 100 runs in `make test`, 10 000 in `make test-faults`.
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

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SEEDS = 1000 }; /* in a spec */

static struct random_stream stream;

static int batches(void)
{
    return getenv("HRMLAB_LONG") != NULL ? 10 : 1;
}

static int runs_of_a_batch(void)
{
    return getenv("HRMLAB_LONG") != NULL ? MOST_SEEDS : 100;
}

static void queue_all(const struct place *place)
{
    static const char spec[] =
        "{\"name\": \"soak\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"train.max_steps\": 2, \"train.global_batch_size\": 8},"
        " \"seeds\": %d, \"retries\": {\"max\": 1000, \"delay\": 0}}";
    struct error err = { 0 };
    char text[400], rate[60];

    snprintf(text, sizeof text, spec, runs_of_a_batch());
    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
    for (int batch = 0; batch < batches(); batch++) {
        snprintf(rate, sizeof rate, "train.lr=0.0%02d", batch + 1);
        assert_int_equal(place_finish(place_start(place, "queue", place->spec, "--new", "--set",
                                                  rate, NULL)),
                         0);
    }
}

/* Reads as long as there are a file "reading" and this process, and counts in a file "locked" what
 * says so. */
static pid_t start_reader(const struct place *place)
{
    char command[600], path[60];
    struct error err = { 0 };

    snprintf(path, sizeof path, "%s/reading", place->directory);
    assert_int_equal(file_write_atomic(path, "", 0, &err), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    snprintf(command, sizeof command,
             "while [ -e %s ] && kill -0 %ld; do"
             " for c in status 'results soak' 'results soak --format csv'; do"
             " build/hrmlab --workspace %s $c 2>&1 >/dev/null; done; done | grep -c locked "
             ">%s/locked",
             path, (long)getppid(), place->workspace, place->directory);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void expect_nobody_was_locked_out(const struct place *place, pid_t reader)
{
    char path[60], *locked;
    struct error err = { 0 };
    size_t size;

    snprintf(path, sizeof path, "%s/reading", place->directory);
    unlink(path);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    snprintf(path, sizeof path, "%s/locked", place->directory);
    assert_int_equal(file_read(&locked, &size, path, 100, &err), 0);
    assert_string_equal(locked, "0\n");
    free(locked);
}

/* Begins to work on the queue, until a worker and then the runner is killed. Returns the number of
 * workers. */
static int begin_and_kill(const struct place *place)
{
    pid_t pid = place_start(place, "work", NULL);
    int workers = 0;

    while ((workers = place_signal_workers(place, SIGKILL)) == 0) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        place_sleep_ms(1);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return workers;
}

/* Works on the queue to its end while runner and workers are killed every half a second or so. */
static void work_while_killed(const struct place *place)
{
    int runners = 1, workers = begin_and_kill(place);

    for (;;) {
        pid_t pid = place_start(place, "work", NULL);
        int status = 0;
        bool over = false;
        for (int moment = 0; moment < 1 + (int)random_below(&stream, 4) && !over; moment++) {
            place_sleep_ms(100 + (int)random_below(&stream, 500));
            over = waitpid(pid, &status, WNOHANG) == pid;
            if (!over)
                workers += place_signal_workers(place, SIGKILL);
        }
        if (over) {
            assert_int_equal(status, 0);
            break;
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        runners++;
    }
    print_message("%d runs, %d kills of the runner, %d of workers\n",
                  batches() * runs_of_a_batch(), runners, workers);
}

static int count_descriptors(pid_t pid)
{
    char path[40];
    int count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    if (directory != NULL)
        closedir(directory);
    return count;
}

/* Works on the queue to its end undisturbed: one runner, whose descriptors do not become more. */
static void work_undisturbed(const struct place *place)
{
    enum { SAMPLES = 10, SLOTS = 6 }; /* SLOTS: what jobs that come and go have open */
    pid_t pid = place_start(place, "work", NULL);
    int status = 0, first = 0, now = 0, most = 0;

    assert_true(
        place_wait_for(place, "SELECT count(*) > 9 FROM job WHERE state = 'done'", "1"));
    for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
        now = count_descriptors(pid);
        if (i < SAMPLES && now > first)
            first = now;
        if (now > most)
            most = now;
        place_sleep_ms(50);
    }
    assert_int_equal(status, 0);
    print_message("undisturbed: %d descriptors of the runner at first, %d at most\n", first,
                  most);
    assert_true(first > 5);
    assert_in_range(most, first, first + SLOTS);
}

/* What kinds of files there are, whatever run and attempt they are of. Fresh text. */
static char *kinds_of_files(const struct place *place)
{
    char command[400], *text = NULL;
    size_t size = 0;

    snprintf(command, sizeof command,
             "cd %s && find . -mindepth 1 | sed -E 's,runs/[0-9a-f]{64},runs/HASH,;"
             " s,attempts/[0-9]+,attempts/N,; s,soak-[0-9a-f]+,soak-HASH,' | LC_ALL=C sort -u",
             place->workspace);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    ssize_t length = getdelim(&text, &size, '\0', pipe);
    assert_int_equal(pclose(pipe), 0);
    assert_true(length > 0);
    return text;
}

static void many_runs_survive_many_kills(void **state)
{
    struct place disturbed, undisturbed;
    char number[20], once[60];

    (void)state;
    place_use_release("ok");
    stream = random_stream((uint64_t)getpid(), "soak", 0);
    place_make(&disturbed);
    queue_all(&disturbed);
    pid_t reader = start_reader(&disturbed);
    work_while_killed(&disturbed);
    expect_nobody_was_locked_out(&disturbed, reader);
    assert_true(place_becomes_quiet(&disturbed)); /* no process is left */
    place_make(&undisturbed);
    queue_all(&undisturbed);
    work_undisturbed(&undisturbed);
    assert_true(place_becomes_quiet(&undisturbed));

    snprintf(number, sizeof number, "%d", batches() * runs_of_a_batch());
    snprintf(once, sizeof once, "once %s open 0 without 0", number);
    char *all = place_ask(&undisturbed, PLACE_STATE);
    assert_non_null(strstr(all, once));
    free(all);
    place_expect(&disturbed, "SELECT count(*) FROM attempt WHERE outcome = 'done'", number);
    place_expect(&disturbed, "PRAGMA integrity_check", "ok");
    place_expect(&disturbed, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    const char *const QUESTIONS[] = {
        PLACE_STATE,
        "SELECT count(*) FROM config",
        "SELECT count(*) FROM arm_run",
        "SELECT count(*) FROM arm_evaluation",
        "SELECT count(*) FROM evaluation",
    };
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++) {
        char *expected = place_ask(&undisturbed, QUESTIONS[i]);
        place_expect(&disturbed, QUESTIONS[i], expected);
        free(expected);
    }
    char *kinds = kinds_of_files(&disturbed), *expected = kinds_of_files(&undisturbed);
    assert_string_equal(kinds, expected);
    free(kinds);
    free(expected);
    place_remove(&disturbed);
    place_remove(&undisturbed);
}

/* What it wrote for good stays. */
static void what_a_killed_worker_wrote_aside_goes(void **state)
{
    struct place place;

    (void)state;
    place_use_release("slow");
    place_make(&place);
    pid_t pid =
        place_start(&place, "run", place.spec, "--jobs", "2", "--set", "retries.delay=0", NULL);
    assert_true(place_wait_for(&place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
    char command[200];
    snprintf(command, sizeof command,
             "for d in %s/runs/*/attempts/1; do touch $d/a.new $d/b.tmp $d/c.new.txt; done",
             place.workspace);
    assert_int_equal(system(command), 0);
    assert_true(place_signal_workers(&place, SIGKILL) > 0);
    assert_int_equal(place_finish(pid), 0);
    char *kinds = kinds_of_files(&place);
    assert_null(strstr(kinds, "/a.new\n"));
    assert_null(strstr(kinds, "/b.tmp\n"));
    assert_non_null(strstr(kinds, "/c.new.txt\n"));
    free(kinds);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_killed_worker_wrote_aside_goes),
        cmocka_unit_test(many_runs_survive_many_kills),
    };

    return cmocka_run_group_tests_name("soak", tests, NULL, NULL);
}
