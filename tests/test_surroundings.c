/*
 * test_surroundings.c - what happens around the programs: read-only and network file systems,
 * pids that are used again, attempts that come back, programs that are gone, a workspace of the
 * first release, many workers at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "process.h"
#include "support/place.h"
#include "support/worker_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char ALL_DONE[] = "SELECT count(*) FROM job WHERE state = 'done'";
static const char WEIGHTS[] =
    "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
    " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)";

/* How the program ends; a minute without an end is a failure. */
static int finish_soon(const struct place *place, pid_t pid)
{
    int status;

    for (int i = 0; i < 6000; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        place_sleep_ms(10);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("it does not end, see %s/out", place->directory);
    return -1;
}

static int run(const struct place *place, const char *command, const char *more,
               const char *value)
{
    return finish_soon(place, place_start(place, command, place->spec, more, value, NULL));
}

/* The programs started from here on meet the fault of faults/shim.c: "hrmlab:N:ACTION". */
static void arm(const struct place *place, const char *program, int n, const char *action)
{
    char text[100];

    snprintf(text, sizeof text, "%s:%d:%s", program, n, action);
    setenv("FAULT_AT", text, 1);
    setenv("FAULT_ROOT", place->workspace, 1);
    snprintf(text, sizeof text, "%s/mark", place->directory);
    setenv("FAULT_MARK", text, 1);
    setenv("LD_PRELOAD", place_shim(), 1);
}

/* No more faults. True when there was one. */
static bool disarm(const struct place *place)
{
    char mark[80];

    unsetenv("LD_PRELOAD");
    unsetenv("FAULT_AT");
    unsetenv("FAULT_ROOT");
    unsetenv("FAULT_MARK");
    snprintf(mark, sizeof mark, "%s/mark", place->directory);
    return unlink(mark) == 0;
}

/* ---- file systems ---- */

/* Where it may not be upgraded: a file system that becomes read-only again. */
static int read_old_release(const struct place *place)
{
    char path[80], command[250];

    mount(NULL, place->workspace, NULL, MS_REMOUNT, "size=8m");
    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    snprintf(command, sizeof command, "rm %s* && sqlite3 %s <tests/data/release_1.sql", path,
             path);
    assert_int_equal(system(command), 0);
    mount(NULL, place->workspace, NULL, MS_REMOUNT | MS_RDONLY, "size=8m");
    return finish_soon(place, place_start(place, "status", NULL));
}

static void a_read_only_workspace_is_read_and_not_written_to(void **state)
{
    static const char *const writers[] = { "run", "queue", "work", "cancel", "retry" };
    static const char *const readers[] = { "status", "results", "plan", "doctor" };
    struct place place;

    (void)state;
    place_use_release("ok");
    place_make(&place);
    assert_int_equal(mkdir(place.workspace, 0777), 0);
    if (mount("tmpfs", place.workspace, "tmpfs", 0, "size=8m") != 0) {
        print_message("# skip: no tmpfs can be mounted here: %s\n", strerror(errno));
        place_remove(&place);
        skip();
    }
    int code = run(&place, "run", NULL, NULL);
    int remounted = mount(NULL, place.workspace, NULL, MS_REMOUNT | MS_RDONLY, "size=8m");
    for (size_t i = 0; i < sizeof readers / sizeof *readers && code == 0 && remounted == 0; i++)
        code = finish_soon(&place, place_start(&place, readers[i],
                                               i == 1   ? "t"
                                               : i == 2 ? place.spec
                                                        : NULL,
                                               NULL));
    int others = 0;
    for (size_t i = 0; i < sizeof writers / sizeof *writers && remounted == 0; i++)
        others += finish_soon(&place, place_start(&place, writers[i],
                                                  strcmp(writers[i], "work") == 0 ? NULL
                                                  : i < 2                         ? place.spec
                                                                                  : "t",
                                                  NULL)) == 3;
    int old = remounted == 0 ? read_old_release(&place) : 0;
    umount(place.workspace);
    assert_int_equal(remounted, 0);
    assert_int_equal(code, 0);
    assert_int_equal(old, 3);
    assert_true(place_output_has(&place, "of an older release (version 1"));
    assert_int_equal(others, sizeof writers / sizeof *writers);
    assert_true(place_output_has(&place, "cannot be written to: Read-only file system"));
    place_remove(&place);
}

/* FUSE has the same restrictions as a file system of the network, and can be had here. */
static void a_network_file_system_gets_a_safer_journal_mode(void **state)
{
    struct place place;
    char inner[80], command[300];

    (void)state;
    place_use_release("ok");
    place_make(&place);
    snprintf(inner, sizeof inner, "%s/inner", place.directory);
    assert_int_equal(mkdir(inner, 0777), 0);
    assert_int_equal(mkdir(place.workspace, 0777), 0);
    snprintf(command, sizeof command, "bindfs %s %s 2>/dev/null", inner, place.workspace);
    if (system(command) != 0) {
        print_message("# skip: no FUSE file system can be mounted here (package bindfs)\n");
        place_remove(&place);
        skip();
    }
    int code = run(&place, "run", NULL, NULL);
    char *mode = place_ask(&place, "PRAGMA journal_mode");
    char *done = place_ask(&place, ALL_DONE);
    int doctor = finish_soon(&place, place_start(&place, "doctor", NULL));
    umount(place.workspace);
    assert_int_equal(code, 0);
    assert_int_equal(doctor, 0);
    assert_string_equal(done, "2");
    assert_string_not_equal(mode, "wal");
    assert_true(place_output_has(&place, "network file system"));
    free(mode);
    free(done);
    place_remove(&place);
}

/* ---- attempts ---- */

/* Starts both trainings and kills the runner alone. */
static void leave_workers_alone(struct place *place, const char *mode)
{
    place_use_release(mode);
    place_make(place);
    pid_t pid = place_start(place, "run", place->spec, "--jobs", "2", NULL);
    assert_true(
        place_wait_for(place, "SELECT count(*) FROM attempt WHERE state = 'running'", "2"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_pid_that_is_used_again_is_not_the_keeper(void **state)
{
    struct place place;
    char sql[200];

    (void)state;
    leave_workers_alone(&place, "slow");
    place_kill_all(&place);
    pid_t stranger = fork();
    if (stranger == 0) {
        pause();
        _exit(0);
    }
    snprintf(sql, sizeof sql,
             "UPDATE attempt SET place = 'pid %d start %lld ' || substr(place, instr(place,"
             " 'boot'))",
             (int)stranger, (long long)process_start_time(stranger) - 1);
    place_change(&place, sql);
    int code = finish_soon(&place, place_start(&place, "work", NULL));
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0); /* nobody harmed it */
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    assert_int_equal(code, 0);
    place_expect(&place, ALL_DONE, "2");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'lost worker'", "2");
    place_remove(&place);
}

/* An attempt that was given up (its machine did not answer) goes on when its run is done. */
static void a_stale_attempt_that_comes_back_changes_nothing(void **state)
{
    struct place place;

    (void)state;
    place_use_release(NULL);
    place_make(&place);
    assert_int_equal(run(&place, "run", NULL, NULL), 0);
    char *undisturbed = place_ask(&place, WEIGHTS);
    place_remove(&place);

    leave_workers_alone(&place, NULL);
    assert_true(place_signal_workers(&place, SIGSTOP) > 0);
    place_change(&place, "UPDATE attempt SET state = 'ended', outcome = 'lost worker'");
    place_change(&place, "UPDATE job SET state = 'queued'");
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    static const char sum[] = "SELECT (SELECT count(*) || ' ' || sum(value) FROM metric) || ' "
                              "' || (SELECT count(*) ||"
                              " ' ' || sum(journal_offset) FROM attempt)";
    char *before = place_ask(&place, sum);
    place_signal_workers(&place, SIGCONT);
    assert_true(place_becomes_quiet(&place));
    assert_int_equal(run(&place, "run", NULL, NULL), 0);
    char *after = place_ask(&place, sum), *weights = place_ask(&place, WEIGHTS);
    assert_string_equal(after, before);
    assert_string_equal(weights, undisturbed);
    place_expect(&place, "SELECT count(*) FROM attempt", "4");
    free(after);
    free(before);
    free(weights);
    free(undisturbed);
    place_remove(&place);
}

/* The runner is killed at every few calls; no worker does anything wrong, so no job may fail though
 * nothing is tried again. */
static void a_killed_runner_uses_up_no_retry(void **state)
{
    int step = getenv("HRMLAB_LONG") != NULL ? 1 : 13, struck = 0;

    (void)state;
    place_use_release("ok");
    for (int n = 135; n < 300; n += step) { /* before, there is no attempt yet */
        struct place place;
        place_make(&place);
        arm(&place, "hrmlab", n, "kill");
        run(&place, "run", "--set", "retries.max=0");
        struck += disarm(&place);
        if (run(&place, "run", "--set", "retries.max=0") != 0)
            fail_msg("the runner was killed at call %d: see %s/out", n, place.directory);
        place_expect(&place, ALL_DONE, "2");
        place_expect(&place, "SELECT sum(failures) FROM job", "0");
        place_remove(&place);
    }
    assert_true(struck * step > 60);
}

/* Allocations of the runner that fail while it works end it with a message; the workers go on, and
 * nothing is held against them. */
static void a_runner_without_memory_blames_no_worker(void **state)
{
    bool is_long = getenv("HRMLAB_LONG") != NULL;
    int points = 0;

    (void)state;
    place_use_release("ok");
    for (int n = 3450; n < 6000; n += is_long ? 7 : 173) { /* before, nothing has begun */
        struct place place;
        place_make(&place);
        assert_int_equal(run(&place, "queue", "--set", "retries.max=0"), 0);
        arm(&place, "hrmlab", n, "nomem");
        int code = finish_soon(&place, place_start(&place, "work", "--jobs", "2", NULL));
        points += disarm(&place);
        if (code != 0 && code != 3)
            fail_msg("allocation %d fails: exit %d, see %s/out", n, code, place.directory);
        if (run(&place, "run", "--set", "retries.max=0") != 0)
            fail_msg("allocation %d failed, and then: see %s/out", n, place.directory);
        place_expect(&place, ALL_DONE, "2");
        place_expect(&place, "SELECT count(*) FROM attempt WHERE state = 'quarantined'", "0");
        place_remove(&place);
    }
    assert_true(points >= 5);
}

/* Of two attempts of a run that both look alive the older one is killed. */
static void the_older_of_two_open_attempts_is_superseded(void **state)
{
    struct place place;

    (void)state;
    leave_workers_alone(&place, "slow");
    place_change(&place,
                 "INSERT INTO attempt (job_id, run_id, number, directory, executor, state,"
                 " place, started_at) SELECT job_id, run_id, 2,"
                 " replace(directory, 'attempts/1', 'attempts/2'), 'local', 'running',"
                 " 'pid 1 start 1 ' || substr(place, instr(place, 'boot')), started_at"
                 " FROM attempt");
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    place_expect(&place, ALL_DONE, "2");
    place_expect(&place,
                 "SELECT count(*) FROM attempt WHERE number = 1 AND state ="
                 " 'superseded'",
                 "2");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE number = 3 AND outcome = 'done'",
                 "2");
    assert_true(place_becomes_quiet(&place));
    place_remove(&place);
}

static void a_second_runner_is_refused_with_the_first_ones_pid(void **state)
{
    struct place place;
    char words[60];

    (void)state;
    place_use_release("slow");
    place_make(&place);
    pid_t first = place_start(&place, "run", place.spec, NULL);
    assert_true(place_wait_for(
        &place, "SELECT count(*) > 0 FROM attempt WHERE state = 'running'", "1"));
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 3);
    snprintf(words, sizeof words, "the runner pid %d on ", (int)first);
    assert_true(place_output_has(&place, words));
    assert_int_equal(run(&place, "run", NULL, NULL), 0); /* this one follows */
    assert_int_equal(finish_soon(&place, first), 0);
    place_expect(&place, "SELECT count(*) FROM attempt", "2");
    place_remove(&place);
}

/* The workspace's lock file with these words in it, open. */
static int make_lock(const struct place *place, const char *words)
{
    char path[80];

    snprintf(path, sizeof path, "%s/lock", place->workspace);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, words, strlen(words)), (ssize_t)strlen(words));
    return fd;
}

/* "pid N on this host", of a process that is gone. */
static void name_of_the_dead(char out[200])
{
    char host[100] = "";
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    gethostname(host, sizeof host - 1);
    snprintf(out, 200, "pid %d on %s", (int)pid, host);
}

static void a_lock_is_held_left_or_does_not_work(void **state)
{
    struct place place;
    char dead[200], text[300], boot[64], number[12];

    (void)state;
    place_use_release("ok");
    place_make(&place);
    name_of_the_dead(dead);
    process_boot_id(boot);
    snprintf(text, sizeof text, "%s\nboot %s\n", dead, boot);
    assert_int_equal(run(&place, "queue", NULL, NULL), 0);

    /* flock() fails for a reason of its own: nobody is at work. */
    close(make_lock(&place, text));
    snprintf(number, sizeof number, "%d", ENOLCK);
    setenv("FAULT_FLOCK", number, 1);
    setenv("LD_PRELOAD", place_shim(), 1);
    int code = finish_soon(&place, place_start(&place, "work", NULL));
    int doctor = finish_soon(&place, place_start(&place, "doctor", NULL));
    unsetenv("LD_PRELOAD");
    unsetenv("FAULT_FLOCK");
    assert_int_equal(code, 3);
    assert_int_equal(doctor, 3);
    assert_true(place_output_has(&place, "lock cannot be locked: No locks available"));
    assert_false(place_output_has(&place, "running already"));

    /* Somebody holds it, but not the process that it names. */
    int fd = make_lock(&place, text);
    assert_int_equal(flock(fd, LOCK_SH), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 3);
    snprintf(text, sizeof text, "an unknown process (the lock names %s, which is gone)", dead);
    assert_true(place_output_has(&place, text));

    /* Who only looks at it for a moment is waited for. */
    pid_t pid = place_start(&place, "work", NULL);
    place_sleep_ms(150);
    close(fd);
    assert_int_equal(finish_soon(&place, pid), 0);
    place_expect(&place, ALL_DONE, "2");

    /* Left by a host that went down; then given back, which nobody needs to be told of. */
    close(make_lock(&place, "pid 7 on elsewhere\nboot 1\n"));
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    assert_true(place_output_has(&place, "pid 7 on elsewhere left its lock behind"));
    snprintf(text, sizeof text, "%s/lock", place.workspace);
    struct stat status;
    assert_int_equal(stat(text, &status), 0);
    assert_int_equal(status.st_size, 0);
    snprintf(text, sizeof text, "%s\nboot before\n", dead);
    close(make_lock(&place, text));
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    assert_true(place_output_has(&place, "left its lock behind when this machine went down"));
    place_remove(&place);
}

/* ---- programs ---- */

static void a_worker_that_is_gone_is_named_and_nothing_is_lost(void **state)
{
    struct place place;
    char worker[80], command[200];

    (void)state;
    place_use_release("ok");
    place_make(&place);
    snprintf(worker, sizeof worker, "%s/worker", place.directory);
    setenv("HRMLAB_WORKER", worker, 1);
    assert_int_equal(run(&place, "run", NULL, NULL), 3);
    assert_true(place_output_has(&place, worker));
    snprintf(command, sizeof command, "cp build/fake_worker %s", worker);
    assert_int_equal(system(command), 0);
    assert_int_equal(run(&place, "queue", NULL, NULL), 0);
    assert_int_equal(unlink(worker), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 3);
    place_expect(&place, "SELECT count(*) FROM job WHERE state IN ('done', 'failed')", "0");
    assert_int_equal(system(command), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    place_expect(&place, ALL_DONE, "2");
    place_remove(&place);
}

/* The worker is built anew while an experiment is half done: each attempt names its own. */
static void a_worker_that_is_replaced_is_told_by_every_attempt(void **state)
{
    struct place place;

    (void)state;
    place_use_release("crash");
    place_make(&place);
    setenv("FAKE_WORKER_COMMIT", "c0ffee1", 1);
    assert_int_equal(run(&place, "run", "--set", "retries.max=0"), 1);
    place_use_release("ok");
    setenv("FAKE_WORKER_COMMIT", "5eaf00d", 1);
    assert_int_equal(finish_soon(&place, place_start(&place, "retry", "t", NULL)), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    unsetenv("FAKE_WORKER_COMMIT");
    place_expect(&place, ALL_DONE, "2");
    place_expect(&place,
                 "SELECT group_concat(number || ' ' || git_commit, ', ') FROM (SELECT * FROM"
                 " attempt WHERE run_id = 1 ORDER BY number)",
                 "1 c0ffee1, 2 5eaf00d");
    char *hash = place_ask(&place, "SELECT hash FROM run WHERE run_id = 1");
    assert_int_equal(finish_soon(&place, place_start(&place, "show", hash, NULL)), 0);
    assert_true(place_output_has(&place, "c0ffee1") && place_output_has(&place, "5eaf00d"));
    free(hash);
    place_remove(&place);
}

/* Between plan and start; the real worker looks at what it is about to train on. */
static void data_that_change_after_the_plan_end_the_attempt(void **state)
{
    struct place place;
    char tasks[64], data[90];
    struct error err = { 0 };

    (void)state;
    place_use_release(NULL);
    place_make(&place);
    run_make_tasks(tasks);
    snprintf(data, sizeof data, "data.path=%s", tasks);
    assert_int_equal(run(&place, "queue", "--set", data), 0);
    run_change_tasks(tasks);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 1);
    place_expect(&place,
                 "SELECT group_concat(state || ' ' || cause || ' ' || failures) FROM job",
                 "failed data changed 0,failed data changed 0");
    place_expect(&place, "SELECT count(*) FROM attempt", "2"); /* not tried again */
    place_expect(&place, "SELECT count(*) FROM evaluation_result", "0");
    /* Those are other runs. */
    assert_int_equal(finish_soon(&place, place_start(&place, "run", place.spec, "--new",
                                                     "--set", data, NULL)),
                     0);
    place_expect(&place, "SELECT count(*) FROM run", "4");
    place_expect(&place, ALL_DONE, "2");
    assert_int_equal(file_remove_tree(tasks, &err), 0);
    place_remove(&place);
}

/* ---- many at once ---- */

enum { LONGEST_START_S = 120 };

static void sixty_four_workers_and_readers_do_not_meet_a_lock(void **state)
{
    static const char spec[] =
        "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
        " \"arch.num_heads\": 2, \"train.max_steps\": 2, \"train.global_batch_size\": 8},"
        " \"seeds\": 96}";
    struct place place;
    struct error err = { 0 };
    char mark[80], hold[80], command[600], locked[80];
    double deadline;
    int most = 0, status;

    (void)state;
    place_use_release("slow");
    place_make(&place);
    snprintf(mark, sizeof mark, "%s/mark", place.directory);
    snprintf(locked, sizeof locked, "%s/locked", place.directory);
    assert_int_equal(file_write_atomic(place.spec, spec, strlen(spec), &err), 0);
    snprintf(hold, sizeof hold, "%s/hold", place.directory);
    assert_int_equal(file_write_atomic(mark, "", 0, &err), 0);
    assert_int_equal(file_write_atomic(hold, "", 0, &err), 0);
    assert_int_equal(run(&place, "queue", NULL, NULL), 0);
    snprintf(command, sizeof command,
             "while [ -e %s ]; do build/hrmlab --workspace %s results t 2>&1 >/dev/null;"
             " build/hrmlab --workspace %s status 2>&1 >/dev/null; done | grep -c locked >%s",
             mark, place.workspace, place.workspace, locked);
    pid_t reader = fork();
    if (reader == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    setenv("FAKE_WORKER_HOLD", hold, 1);
    pid_t pid = place_start(&place, "work", "--jobs", "64", NULL);
    unsetenv("FAKE_WORKER_HOLD");
    deadline = clock_monotonic_s() + LONGEST_START_S;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        char *running =
            place_ask(&place, "SELECT count(*) FROM attempt WHERE state = 'running'");
        most = atoi(running) > most ? atoi(running) : most;
        free(running);
        if (most == 64 || clock_monotonic_s() > deadline)
            unlink(hold); /* all are there: they may end */
        place_sleep_ms(20);
    }
    unlink(mark);
    waitpid(reader, NULL, 0);
    print_message("at most %d workers at once\n", most);
    assert_int_equal(status, 0);
    place_expect(&place, ALL_DONE, "96");
    place_expect(&place,
                 "SELECT min(n) >= 50 AND min(last = n) FROM (SELECT count(*) AS n,"
                 " max(step) AS last FROM metric GROUP BY run_id)",
                 "1");
    assert_int_equal(most, 64);
    char *text;
    size_t size;
    assert_int_equal(file_read(&text, &size, locked, 100, &err), 0);
    assert_string_equal(text, "0\n");
    free(text);
    assert_false(place_output_has(&place, "locked"));
    place_remove(&place);
}

/* ---- releases ---- */

/* tests/data/release_1.sql is the database of a workspace of the first release. */
static void a_workspace_of_the_first_release_opens(void **state)
{
    struct place place;
    struct error err = { 0 };
    char path[80], *sql;
    size_t size;
    sqlite3 *db;

    (void)state;
    place_use_release(NULL);
    place_make(&place);
    assert_int_equal(mkdir(place.workspace, 0777), 0);
    snprintf(path, sizeof path, "%s/results.db", place.workspace);
    assert_int_equal(file_read(&sql, &size, "tests/data/release_1.sql", 1 << 20, &err), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    free(sql);
    assert_int_equal(finish_soon(&place, place_start(&place, "work", NULL)), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "results", "t", NULL)), 0);
    assert_int_equal(
        finish_soon(&place, place_start(&place, "compare", "t", "--axis", "arch.name", NULL)),
        0);
    assert_int_equal(finish_soon(&place, place_start(&place, "status", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM evaluation_result",
                 "8"); /* untrained ones too */
    /* Its engine's numeric version was 1: those runs stay, but are not taken for today's. */
    place_expect(&place, "SELECT DISTINCT numeric_version FROM training", "1");
    assert_int_equal(finish_soon(&place, place_start(&place, "run", place.spec, "--new",
                                                     "--set", "train.max_steps=3", NULL)),
                     0);
    place_expect(&place, "SELECT count(*) FROM run", "4");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'done'", "4");
    place_remove(&place);
}

/* GEMMs of a hidden size that is no multiple of 32 are OpenBLAS's, which waits for ever for a
 * buffer that a limit refuses it. */
static void threads_get_their_buffers_before_memory_is_limited(void **state)
{
    static const char spec[] =
        "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 144,"
        " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
        " \"arch.ffn_multiple\": 16, \"train.gradient_lanes\": 8, \"train.max_steps\": 2,"
        " \"train.global_batch_size\": 32}, \"resources\": {\"threads\": 8,"
        " \"memory_gb\": 0.3}, \"retries\": {\"max\": 0}}";
    struct place place;
    struct error err = { 0 };

    (void)state;
    place_use_release(NULL);
    place_make(&place);
    assert_int_equal(file_write_atomic(place.spec, spec, strlen(spec), &err), 0);
    assert_int_equal(finish_soon(&place, place_start(&place, "run", place.spec, NULL)), 0);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_only_workspace_is_read_and_not_written_to),
        cmocka_unit_test(a_network_file_system_gets_a_safer_journal_mode),
        cmocka_unit_test(a_pid_that_is_used_again_is_not_the_keeper),
        cmocka_unit_test(a_stale_attempt_that_comes_back_changes_nothing),
        cmocka_unit_test(a_killed_runner_uses_up_no_retry),
        cmocka_unit_test(a_runner_without_memory_blames_no_worker),
        cmocka_unit_test(the_older_of_two_open_attempts_is_superseded),
        cmocka_unit_test(a_second_runner_is_refused_with_the_first_ones_pid),
        cmocka_unit_test(a_lock_is_held_left_or_does_not_work),
        cmocka_unit_test(a_worker_that_is_gone_is_named_and_nothing_is_lost),
        cmocka_unit_test(a_worker_that_is_replaced_is_told_by_every_attempt),
        cmocka_unit_test(data_that_change_after_the_plan_end_the_attempt),
        cmocka_unit_test(sixty_four_workers_and_readers_do_not_meet_a_lock),
        cmocka_unit_test(a_workspace_of_the_first_release_opens),
        cmocka_unit_test(threads_get_their_buffers_before_memory_is_limited),
    };

    return cmocka_run_group_tests_name("surroundings", tests, NULL, NULL);
}
