/*
 * test_faults.c - faults injected between the programs and the kernel (faults/shim.c): kill -9
 * before and after every call that changes a file, power cuts that lose what was not synced, full
 * disks, failed allocations. After each the same command must end as if nothing had happened.
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
#include "random.h"
#include "support/place.h"
#include "support/selection.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *undisturbed; /* what the database says when nothing happens */
static struct random_stream stream;

static bool is_long(void)
{
    return getenv("HRMLAB_LONG") != NULL;
}

/* All results, and that every run is done exactly once: everything that must not depend on
 * faults. Real weights, where the real worker made them. */
static const char STATE[] =
    "SELECT (SELECT group_concat(line, ';') FROM (SELECT r.hash || ' ' || m.name || ' ' || "
    "m.step"
    " || ' ' || m.value AS line FROM metric m JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || ' ' || v.outer_steps || ' ' ||"
    " x.checkpoint || ' ' || x.step || ' ' || x.pass_at_2 || ' ' || x.per_token_accuracy AS "
    "line"
    " FROM evaluation_result x JOIN evaluation v USING (evaluation_id) JOIN run r USING "
    "(run_id)"
    " ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || ' ' || c.step || ' ' ||"
    " c.weights_hash AS line FROM checkpoint c JOIN run r USING (run_id) ORDER BY 1))"
    " || ' jobs ' || (SELECT count(*) FROM job WHERE state = 'done') || ' of '"
    " || (SELECT count(*) FROM job) || ' once '"
    " || (SELECT count(*) FROM (SELECT 1 FROM attempt WHERE outcome = 'done' GROUP BY run_id"
    " HAVING count(*) = 1)) || ' open '"
    " || (SELECT count(*) FROM attempt WHERE state IN ('starting', 'running')) || ' without '"
    " || (SELECT count(*) FROM attempt WHERE outcome = 'exit without a result')";

struct fault {
    struct place place;
    char mark[60], log[60], boot[60];
};

static void fault_begin(struct fault *f)
{
    struct error err = { 0 };

    place_make(&f->place);
    snprintf(f->mark, sizeof f->mark, "%s/mark", f->place.directory);
    snprintf(f->log, sizeof f->log, "%s/log", f->place.directory);
    snprintf(f->boot, sizeof f->boot, "%s/boot", f->place.directory);
    assert_int_equal(mkdir(f->log, 0777), 0);
    assert_int_equal(file_write_atomic(f->boot, "boot-1\n", 7, &err), 0);
}

static void fault_end(struct fault *f)
{
    place_remove(&f->place);
}

/* The programs started from here on meet the fault; at NULL: none. */
static void arm(const struct fault *f, const char *program, int n, const char *action)
{
    char at[100];

    snprintf(at, sizeof at, "%s:%d:%s", program, n, action);
    setenv("LD_PRELOAD", place_shim(), 1);
    setenv("FAULT_ROOT", f->place.workspace, 1);
    setenv("FAULT_AT", at, 1);
    setenv("FAULT_MARK", f->mark, 1);
    setenv("FAULT_BOOT", f->boot, 1);
}

static void disarm(void)
{
    unsetenv("LD_PRELOAD");
    unsetenv("FAULT_ROOT");
    unsetenv("FAULT_AT");
    unsetenv("FAULT_MARK");
    unsetenv("FAULT_LOG");
    unsetenv("FAULT_BOOT");
    unsetenv("FAULT_COUNT");
}

static pid_t start_run(const struct fault *f)
{
    return place_start(&f->place, "run", f->place.spec, "--set", "retries.max=50", "--set",
                       "retries.delay=0", "--jobs", "2", NULL);
}

/* The same command once more, without faults: it must end as if nothing had been. */
static void expect_recovery(const struct fault *f, const char *what, int n)
{
    int code = place_finish(start_run(f));

    if (code != 0)
        fail_msg("%s at call %d: the next run ends with %d, see %s/out (HRMLAB_KEEP=1)", what,
                 n, code, f->place.directory);
    place_expect(&f->place, "PRAGMA integrity_check", "ok");
    char *state = place_ask(&f->place, STATE);
    if (strcmp(state, undisturbed) != 0) {
        size_t same = 0;
        while (state[same] != '\0' && state[same] == undisturbed[same])
            same++;
        fail_msg("%s at call %d: another result: %.200s\nexpected: %.200s\nsee %s", what, n,
                 state + same, undisturbed + same, f->place.directory);
    }
    free(state);
}

/* True when the fault happened: the program made that many calls. */
static bool struck(const struct fault *f)
{
    return file_exists(f->mark);
}

static void learn_undisturbed(void)
{
    struct fault f;

    fault_begin(&f);
    int code = place_finish(start_run(&f));
    if (code != 0)
        fail_msg("undisturbed: exit %d, see %s/out", code, f.place.directory);
    free(undisturbed);
    undisturbed = place_ask(&f.place, STATE);
    assert_non_null(strstr(undisturbed, "once 2 open 0 without 0"));
    fault_end(&f);
}

static int read_number(const char *path)
{
    struct error err = { 0 };
    char *text;
    size_t size;

    if (file_read(&text, &size, path, 100, &err) < 0)
        fail_msg("%s", err.message);
    int number = atoi(text);
    free(text);
    return number;
}

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
    for (; is_long() && *expected != NULL; expected++) {
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

    for (int n = 1;; n += is_long() ? 1 : 1 + (int)random_below(&stream, (uint64_t)stride)) {
        struct fault f;
        fault_begin(&f);
        arm(&f, program, n, "kill");
        place_finish(start_run(&f));
        disarm();
        bool happened = struck(&f);
        if (happened) {
            count_window(windows, window(&f));
            expect_recovery(&f, program, n);
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

    (void)state;
    assert_true(kill_at_every_call(&windows, "hrmlab", 30, runner_window) >= 5);
    expect_windows(&windows, "hrmlab", RUNNER_WINDOWS);
}

static void a_worker_killed_at_any_call_loses_nothing(void **state)
{
    struct windows windows = { 0 };
    int points = 0;

    (void)state;
    for (int round = 0; round < (is_long() ? 6 : 1); round++)
        points += kill_at_every_call(&windows, "fake_worker", 6, worker_window);
    assert_true(points >= 3);
    expect_windows(&windows, "fake_worker", WORKER_WINDOWS);
}

/* ---- other signals ---- */

enum { WAYS = 4 };
static const char *const WAY_NAMES[WAYS] = { "stopped and continued", "asked to end",
                                             "interrupted", "interrupted twice" };

static void send(const struct fault *f, pid_t runner, int whom, int number)
{
    if (whom != 1)
        kill(runner, number);
    if (whom != 0)
        place_signal_workers(&f->place, number);
}

static void disturb(const struct fault *f, pid_t runner, int whom, int way)
{
    static const int numbers[WAYS] = { SIGSTOP, SIGTERM, SIGINT, SIGINT };

    send(f, runner, whom, numbers[way]);
    if (way == 0 || way == 3) {
        place_sleep_ms(1 + (int)random_below(&stream, 60));
        send(f, runner, whom, way == 0 ? SIGCONT : SIGINT);
    }
}

/* A worker that stands still has no heartbeat; that takes a minute to be a hang. */
static void let_a_worker_hang(void)
{
    struct fault f;

    fault_begin(&f);
    pid_t pid = place_start(&f.place, "run", f.place.spec, "--set", "train.max_steps=4000",
                            "--set", "retries.delay=0", "--jobs", "2", NULL);
    assert_true(
        place_wait_for(&f.place, "SELECT count(*) > 0 FROM metric WHERE step > 3", "1"));
    assert_true(place_signal_workers(&f.place, SIGSTOP) > 0);
    assert_int_equal(place_finish(pid), 0);
    place_expect(&f.place, "SELECT count(*) > 0 FROM attempt WHERE outcome = 'hang'", "1");
    place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
    place_expect(&f.place, "SELECT max(step) FROM metric", "4000");
    fault_end(&f);
}

/* Real trainings; the runner, the workers, or all of them get signals at random. */
static void signals_of_every_kind_lose_nothing(void **state)
{
    static const char *const names[3] = { "runner", "workers", "both" };
    int hits[3][WAYS] = { { 0 } };
    int rounds = is_long() ? 60 : 4, next = 0;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct fault f;
        int code;
        fault_begin(&f);
        pid_t pid = start_run(&f);
        int status = 0;
        bool over = false;
        for (int i = 0; i < 3 && !over; i++) {
            int whom = next % 3, way = next / 3 % WAYS;
            place_sleep_ms(20 + (int)random_below(&stream, 120));
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
        expect_recovery(&f, "signals, round", round);
        fault_end(&f);
    }
    for (int whom = 0; whom < 3; whom++)
        for (int way = 0; way < WAYS; way++) {
            print_message("%s %s: %d\n", names[whom], WAY_NAMES[way], hits[whom][way]);
            if (is_long())
                assert_true(hits[whom][way] >= 5);
        }
    if (is_long())
        let_a_worker_hang();
}

/* ---- power cuts ---- */

/* How many calls or allocations (nomem) an undisturbed run of the spec makes in hrmlab. */
static int count_in_runner(const char *action)
{
    struct fault f;
    char file[60];

    fault_begin(&f);
    snprintf(file, sizeof file, "%s/count", f.place.directory);
    setenv("FAULT_COUNT", file, 1);
    arm(&f, "hrmlab", 0, action);
    int code = place_finish(start_run(&f));
    disarm();
    int count = read_number(file);
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
    int changes = power_cut(f->log, &stream);
    snprintf(shared_memory, sizeof shared_memory, "%s/results.db-shm", f->place.workspace);
    unlink(shared_memory);
    assert_int_equal(file_write_atomic(f->boot, "boot-2\n", 7, &err), 0);
    return changes;
}

/* Power cuts at so many of a program's first calls, evenly over all of them. */
static void cut_power_everywhere(struct windows *windows, const char *program, int rounds,
                                 int reach)
{
    int cuts = 0, lost = 0, worst = 0;

    for (int round = 0; round < rounds; round++) {
        struct fault f;
        int within = (int)random_below(&stream, (uint64_t)reach);
        int n = 1 + (round * reach + within) / rounds;

        fault_begin(&f);
        arm(&f, program, n, "kill");
        setenv("FAULT_LOG", f.log, 1);
        pid_t pid = start_run(&f);
        while (!struck(&f) && waitpid(pid, NULL, WNOHANG) == 0)
            place_sleep_ms(2);
        if (struck(&f)) {
            int changes = lose_power(&f, pid, windows);

            expect_recovery(&f, "power cut", n);
            cuts++;
            lost += changes;
            worst = changes > worst ? changes : worst;
        }
        disarm();
        fault_end(&f);
    }
    print_message("%s: %d power cuts, %d changes lost, at most %d at once\n", program, cuts,
                  lost, worst);
    assert_true(cuts >= rounds * 3 / 4 && lost > 0);
}

static void a_power_cut_loses_nothing_that_was_promised(void **state)
{
    struct windows windows = { 0 };

    (void)state;
    cut_power_everywhere(&windows, "hrmlab", is_long() ? 300 : 6, count_in_runner("kill"));
    expect_windows(&windows, "power cut, hrmlab", RUNNER_WINDOWS);
    cut_power_everywhere(NULL, "fake_worker", is_long() ? 60 : 4, 16);
}

/* The real worker: checkpoints, resume, the same weights. */
static void a_power_cut_in_training_ends_with_the_same_weights(void **state)
{
    (void)state;
    cut_power_everywhere(NULL, "hrmlab-worker", is_long() ? 50 : 3, 120);
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
        arm(&f, "hrmlab", n, "kill");
        place_finish(start_run(&f));
        bool happened = struck(&f);
        disarm(); /* the real boot id: another one */
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
            expect_recovery(&f, "torn journal", n);
        }
        free(directory);
        fault_end(&f);
    }
}

/* ---- full disks ---- */

static void a_full_disk_pauses_and_goes_on(void **state)
{
    int points = 0;

    (void)state;
    for (int n = 1 + (int)random_below(&stream, 20);;
         n += is_long() ? 3 : 20 + (int)random_below(&stream, 20)) {
        struct fault f;
        fault_begin(&f);
        arm(&f, "hrmlab", n, "full");
        pid_t pid = start_run(&f);
        int status = 0;
        bool over = false;
        while (!struck(&f) && !over) {
            place_sleep_ms(2);
            over = waitpid(pid, &status, WNOHANG) == pid;
        }
        disarm();
        if (!struck(&f)) {
            fault_end(&f);
            break;
        }
        place_sleep_ms(100);
        unlink(f.mark); /* room again */
        if (!over)
            assert_int_equal(waitpid(pid, &status, 0), pid);
        /* Full before anything was queued: told and ended. Later: paused, and then done. */
        if (status != 0)
            assert_true(place_output_has(&f.place, "No space left") ||
                        place_output_has(&f.place, "full"));
        expect_recovery(&f, "full disk", n);
        fault_end(&f);
        points++;
    }
    print_message("hrmlab: the disk was full at %d points\n", points);
    assert_true(points >= 3);
}

/* A real one: a tmpfs of 2 MB, filled by somebody else. */
static void a_small_file_system_fills_up_and_gets_room(void **state)
{
    struct fault f;
    char filler[120], block[4096] = { 0 };

    (void)state;
    fault_begin(&f);
    assert_int_equal(mkdir(f.place.workspace, 0777), 0);
    if (mount("tmpfs", f.place.workspace, "tmpfs", 0, "size=2m") != 0) {
        print_message("# skip: no tmpfs can be mounted here: %s\n", strerror(errno));
        fault_end(&f);
        skip();
    }
    snprintf(filler, sizeof filler, "%s/filler", f.place.workspace);
    pid_t pid = place_start(&f.place, "run", f.place.spec, "--set", "train.max_steps=300",
                            "--set", "retries.delay=0", NULL);
    place_sleep_ms(700);
    FILE *file = fopen(filler, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, sizeof block, 1, file) == 1)
        ;
    fclose(file);
    place_sleep_ms(is_long() ? 8000 : 2500);
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

/* ---- failed allocations ---- */

/* Every command that a person gives, on a workspace with results. */
static void failed_allocations_are_errors_and_harm_nothing(void **state)
{
    static const char *const commands[][3] = {
        { "plan", "SPEC", NULL }, { "queue", "SPEC", NULL },      { "status", NULL, NULL },
        { "results", "t", NULL }, { "compare", "t", "--matrix" }, { "axes", NULL, NULL },
    };
    struct fault f;
    int points = 0;

    (void)state;
    fault_begin(&f);
    assert_int_equal(place_finish(start_run(&f)), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *second = commands[i][1];
        if (second != NULL && strcmp(second, "SPEC") == 0)
            second = f.place.spec;
        for (int n = 1;; n += is_long() ? 1 + n / 400 : 1 + n / 12) {
            arm(&f, "hrmlab", n, "nomem");
            int code = place_finish(
                place_start(&f.place, commands[i][0], second, commands[i][2], NULL));
            disarm();
            if (!struck(&f))
                break;
            unlink(f.mark);
            if (code > 3)
                fail_msg("hrmlab %s, allocation %d fails: exit %d", commands[i][0], n, code);
            points++;
        }
    }
    print_message("%d allocations failed\n", points);
    expect_recovery(&f, "failed allocations", 0);
    fault_end(&f);
}

/* ---- soak ---- */

/* Reads all the time while everything is killed; ends when the mark is gone. Exit 0: every read
 * was answered or found no database yet. */
static pid_t start_reader(const struct fault *f)
{
    char command[600];
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    snprintf(
        command, sizeof command,
        "while [ -e %s ]; do for c in status 'results soak' 'results soak --format csv'; do"
        " build/hrmlab --workspace %s $c 2>&1 >/dev/null; done; done | grep -c locked "
        ">%s/locked",
        f->mark, f->place.workspace, f->place.directory);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void many_runs_survive_many_kills(void **state)
{
    static const char spec[] =
        "{\"name\": \"soak\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"train.max_steps\": 2, \"train.global_batch_size\": 8},"
        " \"seeds\": %d, \"retries\": {\"max\": 1000, \"delay\": 0}}";
    struct fault f;
    struct error err = { 0 };
    int runs = is_long() ? 1000 : 600, batches = is_long() ? 10 : 1, runners = 0, workers = 0;
    char text[400], number[20];

    (void)state;
    fault_begin(&f);
    assert_int_equal(file_write_atomic(f.mark, "", 0, &err), 0);
    for (int batch = 0; batch < batches; batch++) { /* seeds are at most 1000 in a spec */
        char rate[60];
        snprintf(text, sizeof text, spec, runs);
        snprintf(rate, sizeof rate, "train.lr=0.0%02d", batch + 1);
        assert_int_equal(file_write_atomic(f.place.spec, text, strlen(text), &err), 0);
        assert_int_equal(
            place_finish(place_start(&f.place, "queue", f.place.spec, "--set", rate, NULL)), 0);
    }
    pid_t reader = start_reader(&f);
    for (;;) {
        pid_t pid = place_start(&f.place, "work", NULL);
        int status = 0;
        bool over = false;
        for (int moment = 0; moment < 1 + (int)random_below(&stream, 4) && !over; moment++) {
            place_sleep_ms(100 + (int)random_below(&stream, 500));
            over = waitpid(pid, &status, WNOHANG) == pid;
            if (!over)
                workers += place_signal_workers(&f.place, SIGKILL);
        }
        if (!over) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            runners++;
            continue;
        }
        assert_int_equal(status, 0);
        break;
    }
    unlink(f.mark);
    assert_int_equal(waitpid(reader, NULL, 0), reader);
    snprintf(number, sizeof number, "%d", runs * batches);
    place_expect(&f.place, "PRAGMA integrity_check", "ok");
    place_expect(&f.place, "SELECT count(*) FROM job WHERE state = 'done'", number);
    place_expect(&f.place, "SELECT count(*) FROM attempt WHERE outcome = 'done'", number);
    place_expect(&f.place, "SELECT count(DISTINCT run_id) FROM attempt WHERE outcome = 'done'",
                 number);
    place_expect(&f.place, "SELECT count(*) FROM metric WHERE value = 1.0", number);
    place_expect(&f.place,
                 "SELECT count(*) FROM evaluation_result WHERE pass_at_2 = 0.5 AND tasks = 1",
                 number);
    place_expect(&f.place, "SELECT count(*) FROM checkpoint", number);
    place_expect(&f.place,
                 "SELECT count(*) FROM attempt WHERE state IN ('starting', 'running')", "0");
    assert_true(place_becomes_quiet(&f.place)); /* no process is left */
    char path[100], *locked;
    size_t size;
    snprintf(path, sizeof path, "%s/locked", f.place.directory);
    assert_int_equal(file_read(&locked, &size, path, 100, &err), 0);
    assert_string_equal(locked, "0\n");
    free(locked);
    print_message("%s runs, %d kills of the runner, %d of workers\n", number, runners, workers);
    assert_true(runners > 0 || workers > 0);
    fault_end(&f);
}

static int use_real_worker(void **state)
{
    (void)state;
    place_use_release(NULL);
    setenv("HRMLAB_SANDBOX", "off", 1); /* the shim writes its mark and log elsewhere */
    learn_undisturbed();
    return 0;
}

static int use_null_worker_again(void **state)
{
    (void)state;
    unsetenv("HRMLAB_SANDBOX");
    disarm();
    place_use_release("ok");
    learn_undisturbed();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    place_use_release("ok");
    stream = random_stream((uint64_t)getpid(), "faults", 0);
    learn_undisturbed();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(undisturbed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_runner_killed_at_any_call_loses_nothing),
        cmocka_unit_test(a_worker_killed_at_any_call_loses_nothing),
        cmocka_unit_test_setup_teardown(signals_of_every_kind_lose_nothing, use_real_worker,
                                        use_null_worker_again),
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_promised),
        cmocka_unit_test_setup_teardown(a_power_cut_in_training_ends_with_the_same_weights,
                                        use_real_worker, use_null_worker_again),
        cmocka_unit_test(a_torn_journal_of_a_starting_attempt_is_no_fault_of_the_worker),
        cmocka_unit_test(a_full_disk_pauses_and_goes_on),
        cmocka_unit_test(a_small_file_system_fills_up_and_gets_room),
        cmocka_unit_test(failed_allocations_are_errors_and_harm_nothing),
        cmocka_unit_test(many_runs_survive_many_kills),
    };

    select_tests();
    return cmocka_run_group_tests_name("faults", tests, set_up, tear_down);
}
