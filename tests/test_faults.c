/*
 * test_faults.c - faults injected between the programs and the kernel (faults/shim.c): kill -9
 * before and after every call that changes a file, power cuts that lose what was not synced, full
 * disks. After each the same command must end as if nothing had happened.
 *
 * A few points in `make test`, all of them in `make test-faults` (HRMLAB_LONG). The programs are
 * the release build's, since the sanitizers' and the shim's interceptors would meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "faults/power_cut.h"
#include "file.h"
#include "journal.h"
#include "json.h"
#include "support/fault.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- kill -9 ---- */

/* How often a fault came upon each state of things. */
struct windows {
    const char *names[12];
    int hits[12];
};

static void count_window(struct windows *windows, const char *name)
{
    size_t i = 0;

    while (windows->names[i] != NULL && strcmp(windows->names[i], name) != 0)
        i++;
    assert_true(i < sizeof windows->names / sizeof *windows->names - 1);
    windows->names[i] = name;
    windows->hits[i]++;
}

/* A window of those expected (NULL-terminated) that was met fewer than five times is a failure,
 * where every call was tried. */
static void expect_windows(const struct windows *windows, const char *program,
                           const char *const *expected)
{
    for (size_t i = 0; windows->names[i] != NULL; i++)
        print_message("%s: %3d times %s\n", program, windows->hits[i], windows->names[i]);
    for (; fault_is_long() && *expected != NULL; expected++) {
        int hits = 0;
        for (size_t i = 0; windows->names[i] != NULL; i++)
            hits += strcmp(windows->names[i], *expected) == 0 ? windows->hits[i] : 0;
        if (hits < 5)
            fail_msg("%s: %d times %s, expected 5 at least", program, hits, *expected);
    }
}

static bool holds(const struct place *place, const char *condition)
{
    char sql[300];

    snprintf(sql, sizeof sql, "SELECT %s", condition);
    char *answer = place_ask(place, sql);
    bool yes = strcmp(answer, "1") == 0;
    free(answer);
    return yes;
}

static const char *const RUNNER_WINDOWS[] = {
    "before the database",         "before the spec is queued",
    "when jobs are queued",        "when an attempt has no directory",
    "when an attempt is starting", "when attempts run",
    "when results are stored",     "between two jobs",
    "after the last job",          NULL
};

/* What the runner left. Nobody else writes to the database, and this looks at a copy: opening it
 * can be what rolls a journal back. */
static const char *runner_window(const struct fault *f)
{
    char path[200], command[700];
    struct place copy = f->place, *seen = &copy;

    snprintf(copy.workspace, sizeof copy.workspace, "%s/seen", f->place.directory);
    snprintf(command, sizeof command,
             "mkdir %s && cp %s/results.db* %s/ 2>/dev/null && rm -f %s/results.db-shm &&"
             " sqlite3 %s/results.db 'PRAGMA user_version' >/dev/null",
             copy.workspace, f->place.workspace, copy.workspace, copy.workspace,
             copy.workspace);
    if (system(command) != 0 || holds(seen, "count(*) = 0 FROM sqlite_schema"))
        return RUNNER_WINDOWS[0];
    if (holds(seen, "count(*) = 0 FROM job"))
        return RUNNER_WINDOWS[1];
    if (holds(seen, "min(state = 'done') FROM job"))
        return RUNNER_WINDOWS[8];
    if (holds(seen, "count(*) > 0 FROM attempt WHERE state = 'starting'")) {
        char *directory =
            place_ask(seen, "SELECT directory FROM attempt WHERE state = 'starting'");
        snprintf(path, sizeof path, "%s/%s/job.json", f->place.workspace, directory);
        free(directory);
        return RUNNER_WINDOWS[file_exists(path) ? 4 : 3];
    }
    if (holds(seen, "max(state = 'done') FROM job"))
        return RUNNER_WINDOWS[7];
    if (holds(seen, "count(*) = 0 FROM attempt"))
        return RUNNER_WINDOWS[2];
    return RUNNER_WINDOWS[holds(seen, "max(journal_offset) > 0 FROM attempt") ? 6 : 5];
}

static const char *const WORKER_WINDOWS[] = {
    "before the journal",   "before a result",     "before the final checkpoint",
    "before the last word", "after the last word", NULL
};

/* What the killed attempt left; one that had said its last word counts as done. */
static const char *worker_window(const struct fault *f)
{
    char path[400], *journal;
    size_t size;
    struct error err = { 0 };
    char *directory =
        place_ask(&f->place, "SELECT directory FROM attempt WHERE outcome <> 'done'");
    int window = 4;

    snprintf(path, sizeof path, "%s/%s/journal.jsonl", f->place.workspace, directory);
    if (directory[0] != '\0' && !file_exists(path)) {
        window = 0;
    } else if (directory[0] != '\0') {
        assert_int_equal(file_read(&journal, &size, path, 1 << 20, &err), 0);
        window = strchr(journal, '\n') == NULL                        ? 0
                 : strstr(journal, "\"type\":\"end\"") != NULL        ? 4
                 : strstr(journal, "\"type\":\"checkpoint\"") != NULL ? 3
                 : strstr(journal, "\"type\":\"evaluation\"") != NULL ? 2
                                                                      : 1;
        free(journal);
    }
    free(directory);
    return WORKER_WINDOWS[window];
}

static int kill_at_every_call(struct windows *windows, const char *program, int stride,
                              const char *(*window)(const struct fault *))
{
    int points = 0;

    for (int n = 1;;
         n += fault_is_long() ? 1 : 1 + (int)random_below(&fault_stream, (uint64_t)stride)) {
        struct fault f;
        fault_begin(&f);
        fault_arm(&f, program, n, "kill");
        place_finish(fault_start_run(&f));
        fault_disarm();
        bool happened = fault_struck(&f);
        if (happened) {
            count_window(windows, window(&f));
            fault_expect_recovery(&f, program, n);
        }
        fault_end(&f);
        if (!happened)
            break;
        points++;
    }
    return points;
}

static void a_runner_killed_at_any_call_loses_nothing(void **state)
{
    struct windows windows = { 0 };
    const char *usual = fault_retries;

    (void)state;
    fault_retries = "retries.max=0"; /* no worker is to blame */
    assert_true(kill_at_every_call(&windows, "hrmlab", 70, runner_window) >= 5);
    fault_retries = usual;
    expect_windows(&windows, "hrmlab", RUNNER_WINDOWS);
}

static void a_worker_killed_at_any_call_loses_nothing(void **state)
{
    struct windows windows = { 0 };
    int points = 0;

    (void)state;
    for (int round = 0; round < (fault_is_long() ? 6 : 1); round++)
        points += kill_at_every_call(&windows, "fake_worker", 6, worker_window);
    assert_true(points >= 3);
    expect_windows(&windows, "fake_worker", WORKER_WINDOWS);
}

/* ---- power cuts ---- */

/* How many calls that count an undisturbed run of the spec makes in hrmlab. */
static int count_runner_calls(void)
{
    struct fault f;
    char file[60];

    fault_begin(&f);
    snprintf(file, sizeof file, "%s/count", f.place.directory);
    setenv("FAULT_COUNT", file, 1);
    fault_arm(&f, "hrmlab", 0, "kill");
    int code = place_finish(fault_start_run(&f));
    fault_disarm();
    int count = fault_read_number(file);
    fault_end(&f);
    assert_int_equal(code, 0);
    return count;
}

/* The fault took one process; the power takes all others, and what was not synced. Returns how many
 * changes were lost. */
static int lose_power(struct fault *f, pid_t runner, struct windows *windows)
{
    struct error err = { 0 };
    char shared_memory[100];

    kill(runner, SIGKILL);
    waitpid(runner, NULL, 0);
    place_kill_all(&f->place);
    unsetenv("FAULT_LOG");
    unsetenv("FAULT_AT");
    if (windows != NULL)
        count_window(windows, runner_window(f));
    int changes = power_cut(f->log, &fault_stream);
    snprintf(shared_memory, sizeof shared_memory, "%s/results.db-shm", f->place.workspace);
    unlink(shared_memory);
    assert_int_equal(file_write_atomic(f->boot, "boot-2\n", 7, &err), 0);
    return changes;
}

/* The step of the last event of that type in a journal, as far as that is whole; -1: none. */
static int64_t last_step(const char *path, const char *type)
{
    struct error err = { 0 };
    struct journal_event event;
    char *data = NULL;
    size_t size = 0, used;
    int64_t step = -1;

    if (!file_exists(path))
        return -1;
    assert_int_equal(file_read(&data, &size, path, 1 << 24, &err), 0);
    for (size_t at = 0;
         journal_next(&event, &used, data + at, size - at, -1, &err) == JOURNAL_EVENT;
         at += used) {
        if (strcmp(event.type, type) == 0)
            step = (int64_t)json_member(event.body, "step")->valuedouble;
        cJSON_Delete(event.body);
    }
    free(data);
    return step;
}

/* Checkpoints that first attempts had said, and so must have synced, when the power went. */
struct said {
    glob_t journals;
    int64_t steps[2];
};

static void note_said(struct said *said, const struct place *place)
{
    char pattern[100];

    snprintf(pattern, sizeof pattern, "%s/runs/*/attempts/1/journal.jsonl", place->workspace);
    if (glob(pattern, 0, NULL, &said->journals) != 0)
        said->journals.gl_pathc = 0;
    for (size_t i = 0; i < said->journals.gl_pathc && i < 2; i++)
        said->steps[i] = last_step(said->journals.gl_pathv[i], "checkpoint");
}

/* The second attempts have gone on from there, or from later. Returns how many have. */
static int expect_kept(struct said *said, int n)
{
    int kept = 0;

    for (size_t i = 0; i < said->journals.gl_pathc && i < 2; i++) {
        char *second = strdup(said->journals.gl_pathv[i]);
        strstr(second, "attempts/1/")[strlen("attempts/")] = '2';
        if (said->steps[i] >= 0 && file_exists(second)) {
            if (last_step(second, "resume") < said->steps[i])
                fail_msg("power cut at call %d: the checkpoint of step %lld is lost, %s", n,
                         (long long)said->steps[i], second);
            kept++;
        }
        free(second);
    }
    if (said->journals.gl_pathc > 0)
        globfree(&said->journals);
    return kept;
}

/* Power cuts at so many of a program's first calls, evenly over all of them. */
static void cut_power_everywhere(struct windows *windows, const char *program, int rounds,
                                 int reach)
{
    int cuts = 0, lost = 0, worst = 0, kept = 0;
    bool real = strcmp(program, "hrmlab-worker") == 0;

    for (int round = 0; round < rounds; round++) {
        struct fault f;
        int within = (int)random_below(&fault_stream, (uint64_t)reach);
        int n = 1 + (round * reach + within) / rounds;

        fault_begin(&f);
        fault_arm(&f, program, n, "kill");
        setenv("FAULT_LOG", f.log, 1);
        pid_t pid = fault_start_run(&f);
        while (!fault_struck(&f) && waitpid(pid, NULL, WNOHANG) == 0)
            place_sleep_ms(2);
        if (fault_struck(&f)) {
            struct said said = { 0 };
            int changes = lose_power(&f, pid, windows);

            if (real) /* the null worker goes on from nothing */
                note_said(&said, &f.place);
            fault_expect_recovery(&f, "power cut", n);
            kept += expect_kept(&said, n);
            cuts++;
            lost += changes;
            worst = changes > worst ? changes : worst;
        }
        fault_disarm();
        fault_end(&f);
    }
    print_message("%s: %d power cuts, %d changes lost, at most %d at once\n", program, cuts,
                  lost, worst);
    if (real)
        print_message("%d trainings went on from the checkpoint that they had said\n", kept);
    if (fault_is_long() && real)
        assert_true(kept >= 2);
    assert_true(cuts >= rounds * 3 / 4 && lost > 0);
}

static void a_power_cut_loses_nothing_that_was_promised(void **state)
{
    struct windows windows = { 0 };

    (void)state;
    cut_power_everywhere(&windows, "hrmlab", fault_is_long() ? 300 : 6, count_runner_calls());
    expect_windows(&windows, "power cut, hrmlab", RUNNER_WINDOWS);
    cut_power_everywhere(NULL, "fake_worker", fault_is_long() ? 60 : 4, 16);
}

/* The real worker: checkpoints, resume, the same weights. */
static void a_power_cut_in_training_ends_with_the_same_weights(void **state)
{
    (void)state;
    cut_power_everywhere(NULL, "hrmlab-worker", fault_is_long() ? 50 : 3, 120);
}

/* Overwrites the journal's third line with zeros, as a lost sector would. */
static void tear_journal(const char *path)
{
    char *text, *line;
    size_t size;
    struct error err = { 0 };

    assert_int_equal(file_read(&text, &size, path, 1 << 20, &err), 0);
    line = strchr(text, '\n');
    line = line != NULL ? strchr(line + 1, '\n') : NULL;
    assert_non_null(line);
    char *end = strchr(line + 1, '\n');
    assert_non_null(end);
    memset(line + 1, 0, (size_t)(end - line));
    assert_int_equal(file_write_atomic(path, text, size, &err), 0);
    free(text);
}

/* The runner goes down between the keeper's start and its record, the machine a little later. */
static void a_torn_journal_of_a_starting_attempt_is_no_fault_of_the_worker(void **state)
{
    bool found = false;

    (void)state;
    for (int n = 60; !found; n++) {
        struct fault f;
        fault_begin(&f);
        fault_arm(&f, "hrmlab", n, "kill");
        place_finish(fault_start_run(&f));
        bool happened = fault_struck(&f);
        fault_disarm(); /* the real boot id: another one */
        assert_true(happened);
        assert_true(place_becomes_quiet(&f.place));
        char *directory =
            place_ask(&f.place, "SELECT directory FROM attempt WHERE state = 'starting'");
        char journal[400], exit_json[400];
        snprintf(journal, sizeof journal, "%s/%s/journal.jsonl", f.place.workspace, directory);
        snprintf(exit_json, sizeof exit_json, "%s/%s/exit.json", f.place.workspace, directory);
        found = directory[0] != '\0' && file_exists(journal);
        if (found) {
            tear_journal(journal);
            unlink(exit_json);
            fault_expect_recovery(&f, "torn journal", n);
        }
        free(directory);
        fault_end(&f);
    }
}

/* ---- full disks ---- */

static void a_full_disk_pauses_and_goes_on(void **state)
{
    int points = 0, paused = 0;

    (void)state;
    for (int n = 1 + (int)random_below(&fault_stream, 20);;
         n += fault_is_long() ? 3 : 40 + (int)random_below(&fault_stream, 40)) {
        struct fault f;
        fault_begin(&f);
        fault_arm(&f, "hrmlab", n, points % 2 == 0 ? "full" : "quota");
        pid_t pid = fault_start_run(&f);
        int status = 0;
        bool over = false;
        while (!fault_struck(&f) && !over) {
            place_sleep_ms(2);
            over = waitpid(pid, &status, WNOHANG) == pid;
        }
        fault_disarm();
        if (!fault_struck(&f)) {
            fault_end(&f);
            break;
        }
        place_sleep_ms(100);
        unlink(f.mark); /* room again */
        if (!over)
            assert_int_equal(waitpid(pid, &status, 0), pid);
        /* Full before anything was queued: told and ended. Later: paused, and then done. */
        if (place_output_has(&f.place, "there is room again")) {
            assert_int_equal(status, 0);
            paused++;
        }
        if (status != 0)
            assert_true(place_output_has(&f.place, "No space left") ||
                        place_output_has(&f.place, "quota") ||
                        place_output_has(&f.place, "full"));
        fault_expect_recovery(&f, "full disk", n);
        fault_end(&f);
        points++;
    }
    print_message("hrmlab: disk full or quota reached at %d points, paused at %d\n", points,
                  paused);
    assert_true(points >= 3);
    if (fault_is_long())
        assert_true(paused >= 10);
}

/* A real one: a tmpfs of 32 MB, filled by somebody else at any moment. */
static void a_small_file_system_fills_up_and_gets_room(void **state)
{
    struct fault f;
    char filler[120], block[4096] = { 0 };

    (void)state;
    fault_begin(&f);
    assert_int_equal(mkdir(f.place.workspace, 0777), 0);
    if (mount("tmpfs", f.place.workspace, "tmpfs", 0, "size=32m") != 0) {
        print_message("# skip: no tmpfs can be mounted here: %s\n", strerror(errno));
        fault_end(&f);
        skip();
    }
    snprintf(filler, sizeof filler, "%s/filler", f.place.workspace);
    pid_t pid = place_start(&f.place, "run", f.place.spec, "--set", "train.max_steps=300",
                            "--set", "retries.max=0", "--set", "resources.hang_s=60", NULL);
    place_sleep_ms(50 + (int)random_below(&fault_stream, 1000));
    FILE *file = fopen(filler, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, sizeof block, 1, file) == 1)
        ;
    fclose(file);
    place_sleep_ms(fault_is_long() ? 70000 : 2500); /* longer than a hang takes */
    int status;
    bool early = waitpid(pid, &status, WNOHANG) == pid;
    unlink(filler);
    int code = early ? (WIFEXITED(status) ? WEXITSTATUS(status) : 1) : place_finish(pid);
    if (code != 0) /* full before it was queued */
        code = place_finish(
            place_start(&f.place, "run", f.place.spec, "--set", "train.max_steps=300", NULL));
    char *failed = place_ask(&f.place, "SELECT count(*) FROM job WHERE state <> 'done'");
    char *failures = place_ask(&f.place, "SELECT sum(failures) FROM job");
    char *sound = place_ask(&f.place, "PRAGMA integrity_check");
    assert_int_equal(umount(f.place.workspace), 0);
    assert_int_equal(code, 0);
    assert_string_equal(failed, "0");
    assert_string_equal(failures, "0");
    assert_string_equal(sound, "ok");
    free(failed);
    free(failures);
    free(sound);
    fault_end(&f);
}

/* One of two runs is quarantined, and the disk full only then. */
static void what_failed_before_a_full_disk_is_told_at_the_end(void **state)
{
    struct fault f;
    char filler[200], block[4096] = { 0 };

    (void)state;
    fault_begin(&f);
    assert_int_equal(mkdir(f.place.workspace, 0777), 0);
    if (mount("tmpfs", f.place.workspace, "tmpfs", 0, "size=8m") != 0) {
        print_message("# skip: no tmpfs can be mounted here: %s\n", strerror(errno));
        fault_end(&f);
        skip();
    }
    assert_int_equal(
        place_finish(place_start(&f.place, "queue", f.place.spec, "--set",
                                 "train.max_steps=2500", "--set", "resources.hang_s=10", NULL)),
        0);
    pid_t pid = place_start(&f.place, "work", "--jobs", "2", NULL);
    assert_true(place_wait_for(&f.place, "SELECT count(DISTINCT run_id) FROM metric", "2"));
    char *directory = place_ask(&f.place, "SELECT directory FROM attempt ORDER BY attempt_id");
    snprintf(filler, sizeof filler, "%s/%s/journal.jsonl", f.place.workspace, directory);
    free(directory);
    FILE *file = fopen(filler, "a");
    assert_non_null(file);
    fputs("this is no event\n", file);
    fclose(file);
    assert_true(
        place_wait_for(&f.place, "SELECT count(*) FROM job WHERE state = 'quarantined'", "1"));
    place_signal_workers(&f.place, SIGSTOP); /* the other one is not to be done before */
    snprintf(filler, sizeof filler, "%s/filler", f.place.workspace);
    file = fopen(filler, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, sizeof block, 1, file) == 1)
        ;
    fclose(file);
    place_signal_workers(&f.place, SIGCONT);
    /* The runner meets the full disk when it records an event; where the worker's next one does not
     * fit into its journal's last page there is none, and it looks after hang_s. */
    for (int i = 0; i < 300 && !place_output_has(&f.place, "paused; nothing is lost"); i++)
        place_sleep_ms(100);
    unlink(filler);
    int code = place_finish(pid);
    bool paused = place_output_has(&f.place, "there is room again");
    char *states = place_ask(&f.place, "SELECT group_concat(DISTINCT state) FROM"
                                       " (SELECT state FROM job ORDER BY state)");
    assert_int_equal(umount(f.place.workspace), 0);
    assert_true(paused);
    assert_string_equal(states, "done,quarantined");
    assert_int_equal(code, 1);
    free(states);
    fault_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runner_killed_at_any_call_loses_nothing),
        cmocka_unit_test(a_worker_killed_at_any_call_loses_nothing),
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_promised),
        cmocka_unit_test_setup_teardown(a_power_cut_in_training_ends_with_the_same_weights,
                                        fault_use_real_worker, fault_use_null_worker_again),
        cmocka_unit_test(a_torn_journal_of_a_starting_attempt_is_no_fault_of_the_worker),
        cmocka_unit_test(a_full_disk_pauses_and_goes_on),
        cmocka_unit_test_setup_teardown(a_small_file_system_fills_up_and_gets_room,
                                        fault_use_real_worker, fault_use_null_worker_again),
        cmocka_unit_test_setup_teardown(what_failed_before_a_full_disk_is_told_at_the_end,
                                        fault_use_real_worker, fault_use_null_worker_again),
    };

    return cmocka_run_group_tests_name("faults", tests, fault_set_up, fault_tear_down);
}
