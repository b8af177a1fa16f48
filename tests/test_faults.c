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
#include "journal.h"
#include "json.h"
#include "random.h"
#include "support/place.h"
#include "support/selection.h"

#include <dirent.h>
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

static const char *retries = "retries.max=50";
static char *undisturbed; /* what the database says when nothing happens */
static struct random_stream stream;

static bool is_long(void)
{
    return getenv("HRMLAB_LONG") != NULL;
}

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
    return place_start(&f->place, "run", f->place.spec, "--set", retries, "--set",
                       "retries.delay=0", "--jobs", "2", NULL);
}

/* The run once more, without faults: it must end as expected. */
static void expect_end(const struct fault *f, const char *what, int n, const char *expected)
{
    int code = place_finish(start_run(f));

    if (code != 0)
        fail_msg("%s at call %d: the next run ends with %d, see %s/out (HRMLAB_KEEP=1)", what,
                 n, code, f->place.directory);
    place_expect(&f->place, "PRAGMA integrity_check", "ok");
    char *state = place_ask(&f->place, PLACE_STATE);
    if (strcmp(state, expected) != 0) {
        size_t same = 0;
        while (state[same] != '\0' && state[same] == expected[same])
            same++;
        fail_msg("%s at call %d: another result: %.200s\nexpected: %.200s\nsee %s", what, n,
                 state + same, expected + same, f->place.directory);
    }
    free(state);
}

/* As if nothing had been. */
static void expect_recovery(const struct fault *f, const char *what, int n)
{
    expect_end(f, what, n, undisturbed);
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
    undisturbed = place_ask(&f.place, PLACE_STATE);
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
    const char *usual = retries;

    (void)state;
    retries = "retries.max=0"; /* no worker is to blame */
    assert_true(kill_at_every_call(&windows, "hrmlab", 30, runner_window) >= 5);
    retries = usual;
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
        place_sleep_ms(1 + (int)random_below(&stream, 60));
        send(f, runner, whom, next[way]);
    }
}

static void write_spec(const struct place *place, const char *text)
{
    struct error err = { 0 };

    assert_int_equal(file_write_atomic(place->spec, text, strlen(text), &err), 0);
}

/* Workers that stand still have no heartbeat; that takes a minute to be a hang. */
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
    pid_t pid = place_start(&f.place, "run", f.place.spec, "--set", "retries.delay=0", "--jobs",
                            "6", NULL);
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
    int rounds = is_long() ? 80 : 5, next = 0;

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
    return read_number(file);
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
    snprintf(runs, sizeof runs, "%d", is_long() ? 60 : 4);
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
        if (is_long() && hits < 5)
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
    uint64_t at = read + random_below(&stream, size - 1 - read);
    text[at] = (char)(text[at] ^ (1 << random_below(&stream, 8)));
    assert_int_equal(file_write_atomic(path, text, size, &err), 0);
    free(text);
    free(offset);
    free(directory);
}

/* The runner is killed amid two attempts, which end by themselves; what one of them has said
 * meanwhile is damaged before the next runner reads it. */
static void a_damaged_journal_is_quarantined_and_its_run_done_again(void **state)
{
    int rounds = is_long() ? 40 : 2;

    (void)state;
    place_use_release("slow");
    for (int round = 0; round < rounds; round++) {
        struct fault f;
        fault_begin(&f);
        pid_t pid = start_run(&f);
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

/* ---- power cuts ---- */

/* How many calls that count an undisturbed run of the spec makes in hrmlab. */
static int count_runner_calls(void)
{
    struct fault f;
    char file[60];

    fault_begin(&f);
    snprintf(file, sizeof file, "%s/count", f.place.directory);
    setenv("FAULT_COUNT", file, 1);
    arm(&f, "hrmlab", 0, "kill");
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
        int within = (int)random_below(&stream, (uint64_t)reach);
        int n = 1 + (round * reach + within) / rounds;

        fault_begin(&f);
        arm(&f, program, n, "kill");
        setenv("FAULT_LOG", f.log, 1);
        pid_t pid = start_run(&f);
        while (!struck(&f) && waitpid(pid, NULL, WNOHANG) == 0)
            place_sleep_ms(2);
        if (struck(&f)) {
            struct said said = { 0 };
            int changes = lose_power(&f, pid, windows);

            if (real) /* the null worker goes on from nothing */
                note_said(&said, &f.place);
            expect_recovery(&f, "power cut", n);
            kept += expect_kept(&said, n);
            cuts++;
            lost += changes;
            worst = changes > worst ? changes : worst;
        }
        disarm();
        fault_end(&f);
    }
    print_message(
        "%s: %d power cuts, %d changes lost, at most %d at once, %d checkpoints kept\n",
        program, cuts, lost, worst, kept);
    if (is_long() && real)
        assert_true(kept >= 2);
    assert_true(cuts >= rounds * 3 / 4 && lost > 0);
}

static void a_power_cut_loses_nothing_that_was_promised(void **state)
{
    struct windows windows = { 0 };

    (void)state;
    cut_power_everywhere(&windows, "hrmlab", is_long() ? 300 : 6, count_runner_calls());
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
    int points = 0, paused = 0;

    (void)state;
    for (int n = 1 + (int)random_below(&stream, 20);;
         n += is_long() ? 3 : 20 + (int)random_below(&stream, 20)) {
        struct fault f;
        fault_begin(&f);
        arm(&f, "hrmlab", n, points % 2 == 0 ? "full" : "quota");
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
        if (place_output_has(&f.place, "there is room again")) {
            assert_int_equal(status, 0);
            paused++;
        }
        if (status != 0)
            assert_true(place_output_has(&f.place, "No space left") ||
                        place_output_has(&f.place, "quota") ||
                        place_output_has(&f.place, "full"));
        expect_recovery(&f, "full disk", n);
        fault_end(&f);
        points++;
    }
    print_message("hrmlab: disk full or quota reached at %d points, paused at %d\n", points,
                  paused);
    assert_true(points >= 3);
    if (is_long())
        assert_true(paused >= 10);
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
                            "--set", "retries.max=0", NULL);
    place_sleep_ms(700);
    FILE *file = fopen(filler, "w");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, sizeof block, 1, file) == 1)
        ;
    fclose(file);
    place_sleep_ms(is_long() ? 70000 : 2500); /* longer than a hang takes */
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

/* Workspaces that commands start from: without anything, queued, with failed jobs, done by the null
 * worker, done by the real one. */
enum beginning { NOTHING, QUEUED, FAILED, DONE, TRAINED, BEGINNINGS };

/* A command that a person gives; SPEC and HASH stand for the spec's path and a run's hash. */
struct command {
    const char *words[5];
    enum beginning from;
    bool changes;     /* the workspace: each time a fresh one, which must recover */
    bool says_same;   /* its standard output depends on the workspace alone */
    const char *mark; /* of an error on standard output; NULL: "error: " on standard error */
};

static const struct command COMMANDS[] = {
    { { "plan", "SPEC" }, DONE, false, true, NULL },
    { { "status" }, QUEUED, false, false, NULL },
    { { "results", "t" }, TRAINED, false, true, NULL },
    { { "compare", "t", "--matrix" }, TRAINED, false, true, NULL },
    { { "compare", "t", "--axis", "arch.name" }, TRAINED, false, true, NULL },
    { { "axes" }, DONE, false, true, NULL },
    { { "axes", "schema" }, DONE, false, true, NULL },
    { { "show", "HASH" }, TRAINED, false, true, NULL },
    { { "logs", "HASH" }, TRAINED, false, true, NULL },
    { { "doctor" }, DONE, false, false, " fault " },
    { { "verify", "HASH" }, DONE, false, true, NULL },
    { { "run", "SPEC" }, NOTHING, true, true, NULL },
    { { "work" }, QUEUED, true, true, NULL },
    { { "rebuild" }, DONE, true, true, NULL },
    { { "queue", "SPEC" }, NOTHING, true, true, NULL },
    { { "cancel", "t" }, QUEUED, true, true, NULL },
    { { "retry", "t" }, FAILED, true, true, NULL },
};

/* A workspace of each beginning, DIR/0 and so on. */
static void make_beginnings(const struct fault *f)
{
    struct place place = f->place;

    for (int i = QUEUED; i < BEGINNINGS; i++) {
        snprintf(place.workspace, sizeof place.workspace, "%s/%d", f->place.directory, i);
        place_use_release(i == FAILED ? "crash" : i == TRAINED ? NULL : "ok");
        int code = place_finish(place_start(&place, i == QUEUED ? "queue" : "run", place.spec,
                                            "--set", "retries.max=0", NULL));
        assert_int_equal(code, i == FAILED ? 1 : 0);
    }
    place_use_release("ok");
}

static void begin_from(const struct fault *f, enum beginning beginning)
{
    char command[200];

    snprintf(command, sizeof command, "rm -rf %s", f->place.workspace);
    assert_int_equal(system(command), 0);
    if (beginning == NOTHING)
        return;
    snprintf(command, sizeof command, "cp -a %s/%d %s", f->place.directory, beginning,
             f->place.workspace);
    assert_int_equal(system(command), 0);
}

/* Runs the command; its output and messages as fresh texts. */
static int give(const struct fault *f, const struct command *command, char **out, char **errors)
{
    const char *words[6] = { 0 };
    char *hash = command->from == NOTHING
                     ? strdup("")
                     : place_ask(&f->place, "SELECT hash FROM run ORDER BY hash LIMIT 1");

    for (int i = 0; i < 5 && command->words[i] != NULL; i++)
        words[i] = strcmp(command->words[i], "SPEC") == 0   ? f->place.spec
                   : strcmp(command->words[i], "HASH") == 0 ? hash
                                                            : command->words[i];
    int code = place_run(&f->place, words, out, errors);
    free(hash);
    return code;
}

/* The same command once more, which may find nothing left to do. */
static void give_again(const struct fault *f, const struct command *command, int n)
{
    char *out, *errors;

    assert_true(place_becomes_quiet(&f->place));
    int code = give(f, command, &out, &errors);
    if (code != 0 && code != 2)
        fail_msg("hrmlab %s after a failed allocation %d: exit %d, it says: %.300s",
                 command->words[0], n, code, errors);
    free(out);
    free(errors);
}

/* What a command does when nothing happens. */
struct learned {
    int allocations;
    char *out;
    char *state; /* when it has been given again, and then the run */
};

static struct learned learn_command(const struct fault *f, const struct command *command)
{
    struct learned learned = { 0 };
    char file[60], *errors;

    snprintf(file, sizeof file, "%s/count", f->place.directory);
    setenv("FAULT_COUNT", file, 1);
    begin_from(f, command->from);
    arm(f, "hrmlab", 0, "nomem");
    int code = give(f, command, &learned.out, &errors);
    disarm();
    if (code != 0)
        fail_msg("hrmlab %s: exit %d, %s", command->words[0], code, errors);
    free(errors);
    learned.allocations = read_number(file);
    if (command->changes) {
        give_again(f, command, 0);
        assert_int_equal(place_finish(start_run(f)), 0);
        learned.state = place_ask(&f->place, PLACE_STATE);
    }
    return learned;
}

static int count_lines_with(const char *text, const char *words)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

/* Where a column stands may change: libsmartcols has no error for that. */
static bool same_words(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b)
            return false;
        a += *a != '\0';
        b += *b != '\0';
    }
    return true;
}

static bool names_memory(const char *text, const char *mark)
{
    return count_lines_with(text, mark) == 1 && strcasestr(text, "memory") != NULL;
}

/* Either it was done nevertheless, or there is one error, which says that memory ran out: in the
 * command's own list, or where errors go when it had no list to give. */
static void check_answer(const struct command *command, int n, int code, const char *out,
                         const char *errors, const char *expected)
{
    bool told = code == 3 && (names_memory(errors, "hrmlab: error: ") ||
                              (command->mark != NULL && names_memory(out, command->mark)));

    if (code == 0 && command->says_same && !same_words(out, expected))
        fail_msg("hrmlab %s, allocation %d fails: exit 0, but it says: %.300s",
                 command->words[0], n, out);
    if (code != 0 && !told)
        fail_msg("hrmlab %s, allocation %d fails: exit %d, it says: %.300s%.300s",
                 command->words[0], n, code, out, errors);
}

/* Fails so many of the command's allocations, each in a run of its own, evenly over all. */
static int fail_allocations(const struct fault *f, const struct command *command, int points)
{
    struct learned learned = learn_command(f, command);
    int count = learned.allocations, hits = 0;

    points = points < count ? points : count;
    for (int i = 0; i < points; i++) {
        char *out, *errors;
        int64_t within = (int64_t)random_below(&stream, (uint64_t)count);
        int n = 1 + (int)(((int64_t)i * count + within) / points);

        if (command->changes || i == 0)
            begin_from(f, command->from);
        arm(f, "hrmlab", n, "nomem");
        int code = give(f, command, &out, &errors);
        disarm();
        hits += struck(f);
        unlink(f->mark);
        check_answer(command, n, code, out, errors, learned.out);
        free(out);
        free(errors);
        if (command->changes) {
            give_again(f, command, n);
            expect_end(f, command->words[0], n, learned.state);
        }
    }
    free(learned.out);
    free(learned.state);
    assert_true(hits >= points * 9 / 10);
    print_message("hrmlab %s: %d of %d allocations failed\n", command->words[0], hits, count);
    return hits;
}

/* HRMLAB_EVERY: at each allocation of each command, which takes hours. */
static void failed_allocations_are_errors_and_harm_nothing(void **state)
{
    bool every = getenv("HRMLAB_EVERY") != NULL;
    struct fault f;
    int points = 0;

    (void)state;
    fault_begin(&f);
    make_beginnings(&f);
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        bool changes = COMMANDS[i].changes;
        int wanted = every ? INT32_MAX : is_long() ? (changes ? 100 : 400) : (changes ? 2 : 5);

        points += fail_allocations(&f, &COMMANDS[i], wanted);
    }
    print_message("%d allocations failed\n", points);
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
        cmocka_unit_test(workers_that_fail_in_any_way_lose_nothing),
        cmocka_unit_test(a_damaged_journal_is_quarantined_and_its_run_done_again),
        cmocka_unit_test_setup_teardown(a_worker_that_meets_a_limit_is_ended_with_its_cause,
                                        use_real_worker, use_null_worker_again),
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_promised),
        cmocka_unit_test_setup_teardown(a_power_cut_in_training_ends_with_the_same_weights,
                                        use_real_worker, use_null_worker_again),
        cmocka_unit_test(a_torn_journal_of_a_starting_attempt_is_no_fault_of_the_worker),
        cmocka_unit_test(a_full_disk_pauses_and_goes_on),
        cmocka_unit_test(a_small_file_system_fills_up_and_gets_room),
        cmocka_unit_test(failed_allocations_are_errors_and_harm_nothing),
    };

    select_tests();
    return cmocka_run_group_tests_name("faults", tests, set_up, tear_down);
}
