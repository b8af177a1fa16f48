/* test_runner.c - the real hrmlab: faults of workers, kill -9, take-over; nothing lost or doubled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "random.h"

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

static const char *program(const char *variable, const char *otherwise)
{
    const char *named = getenv(variable);

    return named != NULL ? named : otherwise;
}

static const char *hrmlab(void)
{
    return program("HRMLAB_PROGRAM", "build/asan/hrmlab");
}

static const char *worker(void)
{
    return program("HRMLAB_WORKER", "build/asan/hrmlab-worker");
}

static const char *fake_worker(void)
{
    return program("HRMLAB_FAKE_WORKER", "build/asan/fake_worker");
}

struct place {
    char directory[40];
    char workspace[60], spec[60];
};

static const char SPEC[] =
    "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
    " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1, "
    "\"arch.ffn_multiple\": 16,"
    " \"arch.puzzle_emb_ndim\": 16, \"arch.halt_max_steps\": 2, \"train.max_steps\": 60,"
    " \"train.global_batch_size\": 8, \"train.lr\": 0.01, \"train.lr_warmup_steps\": 5,"
    " \"train.checkpoint_interval\": 0.05}, \"grid\": {\"arch.name\": [\"hrm\","
    " \"transformer\"]}, \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}}";

static void make_place(struct place *place)
{
    struct error err = { 0 };

    snprintf(place->directory, sizeof place->directory, "/tmp/hrmlab-runner-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->workspace, sizeof place->workspace, "%s/ws", place->directory);
    snprintf(place->spec, sizeof place->spec, "%s/t.json", place->directory);
    assert_int_equal(file_write_atomic(place->spec, SPEC, strlen(SPEC), &err), 0);
}

static void remove_place(struct place *place)
{
    struct error err = { 0 };

    if (getenv("HRMLAB_KEEP") == NULL)
        assert_int_equal(file_remove_tree(place->directory, &err), 0);
}

/* Starts hrmlab with the words given (NULL-terminated), output to DIR/out. */
static pid_t start(const struct place *place, const char *first, ...)
{
    char *argv[16] = { strdup(hrmlab()), strdup("--workspace"), strdup(place->workspace) };
    int count = 3;
    char out[80];
    va_list words;

    va_start(words, first);
    for (const char *word = first; word != NULL && count < 15;
         word = va_arg(words, const char *))
        argv[count++] = strdup(word);
    va_end(words);
    snprintf(out, sizeof out, "%s/out", place->directory);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(out, O_WRONLY | O_CREAT | O_APPEND, 0666);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    for (int i = 0; i < count; i++)
        free(argv[i]);
    return pid;
}

static int finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void sleep_ms(int milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000L }, NULL);
}

/* The first column of the first row, fresh text; "" when there is none. */
static char *ask(const struct place *place, const char *sql)
{
    char path[80];
    sqlite3 *db;
    sqlite3_stmt *statement;
    char *answer = NULL;

    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        bool early =
            strstr(sqlite3_errmsg(db), "no such table") != NULL; /* being made just now */
        sqlite3_close(db);
        if (!early)
            fail_msg("%s", sql);
        return strdup("");
    }
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        answer = strdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer != NULL ? answer : strdup("");
}

static void expect(const struct place *place, const char *sql, const char *expected)
{
    char *answer = ask(place, sql);

    if (strcmp(answer, expected) != 0)
        fail_msg("%s: \"%s\", expected \"%s\" (HRMLAB_KEEP=1 keeps %s)", sql, answer, expected,
                 place->directory);
    free(answer);
}

static bool output_has(const struct place *place, const char *words)
{
    char path[80], *text;
    size_t size;
    struct error err = { 0 };

    snprintf(path, sizeof path, "%s/out", place->directory);
    assert_int_equal(file_read(&text, &size, path, 1 << 24, &err), 0);
    bool has = strstr(text, words) != NULL;
    free(text);
    return has;
}

static void use_fake(const char *mode)
{
    setenv("FAKE_WORKER_REAL", worker(), 1);
    setenv("FAKE_WORKER_MODE", mode, 1);
    setenv("HRMLAB_WORKER", fake_worker(), 1);
}

/* Runs the spec with a worker that misbehaves; no retries unless asked for. */
static void run_fake(struct place *place, const char *mode, const char *retries, int exit_code)
{
    char *real = strdup(worker());

    make_place(place);
    use_fake(mode);
    int code = finish(start(place, "run", place->spec, "--set", retries, "--set",
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
        { "silent", "failed", "exit without a result" },
        { "garbage", "quarantined", "journal" },
        { "after_end", "quarantined", "journal" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        run_fake(&place, cases[i].mode, "retries.max=0", 1);
        expect(&place, "SELECT state FROM job", cases[i].state);
        expect(&place, "SELECT cause FROM job", cases[i].cause);
        remove_place(&place);
    }
}

static void a_failure_that_passes_is_tried_again(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "fail_once", "retries.max=2", 0);
    expect(&place, "SELECT state FROM job", "done");
    expect(&place, "SELECT count(*) FROM attempt", "2");
    expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'", "2");
    remove_place(&place);
}

static void a_value_that_contradicts_an_earlier_attempt_is_quarantined(void **state)
{
    struct place place;

    (void)state;
    run_fake(&place, "other_value", "retries.max=2", 1);
    expect(&place, "SELECT state FROM job", "quarantined");
    expect(&place, "SELECT value FROM metric", "1.0");
    remove_place(&place);
}

/* hashes of the two runs, "HRM's,transformer's", once everything is done. */
static char *final_hashes(const struct place *place)
{
    expect(place, "SELECT count(*) FROM job WHERE state <> 'done'", "0");
    expect(place, "SELECT count(*) FROM checkpoint", "2");
    expect(place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'", "4");
    expect(place,
           "SELECT count(*) FROM (SELECT run_id FROM attempt WHERE outcome = 'done'"
           " GROUP BY run_id HAVING count(*) > 1)",
           "0");
    expect(place, "PRAGMA integrity_check", "ok");
    return ask(place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                      " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
}

static char *undisturbed;

static void a_spec_runs_once_and_its_results_stay(void **state)
{
    struct place place;
    char *file, path[400];

    (void)state;
    make_place(&place);
    assert_int_equal(finish(start(&place, "run", place.spec, NULL)), 0);
    undisturbed = final_hashes(&place);
    assert_int_equal(finish(start(&place, "run", place.spec, NULL)), 0);
    expect(&place, "SELECT count(*) FROM attempt", "2");
    assert_true(output_has(&place, "nothing to do"));
    /* Without its final checkpoint exactly that run trains again, to the same weights. */
    file = ask(&place, "SELECT file FROM checkpoint LIMIT 1");
    snprintf(path, sizeof path, "%s/%s", place.workspace, file);
    assert_int_equal(unlink(path), 0);
    free(file);
    assert_int_equal(finish(start(&place, "run", place.spec, NULL)), 0);
    expect(&place, "SELECT count(*) FROM attempt", "3");
    char *again =
        ask(&place, "SELECT group_concat(weights_hash, ',') FROM (SELECT c.weights_hash"
                    " FROM checkpoint c JOIN run r USING (run_id) ORDER BY r.hash)");
    assert_string_equal(again, undisturbed);
    free(again);
    /* More evaluations of the same trainings: no training. */
    assert_int_equal(
        finish(start(&place, "run", place.spec, "--set", "eval.halt_max_steps=3", NULL)), 0);
    expect(&place, "SELECT count(*) FROM job WHERE kind = 'train'", "3");
    expect(&place, "SELECT count(*) FROM job WHERE kind = 'evaluate' AND state = 'done'", "2");
    expect(&place, "SELECT count(DISTINCT run_id) FROM run", "2");
    remove_place(&place);
}

/* Kills every process whose command line names the workspace: which decides by its words. */
static int kill_processes(const struct place *place, bool keepers)
{
    DIR *proc = opendir("/proc");
    int killed = 0;

    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], text[1000] = "";
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        if (fd >= 0)
            close(fd);
        for (ssize_t i = 0; i + 1 < size; i++)
            if (text[i] == '\0')
                text[i] = ' ';
        bool is_keeper = strstr(text, " run ") != NULL && strstr(text, "/attempts/") != NULL;
        if (strstr(text, place->workspace) != NULL && is_keeper == keepers &&
            atoi(entry->d_name) != getpid()) {
            kill(atoi(entry->d_name), SIGKILL);
            killed++;
        }
    }
    closedir(proc);
    return killed;
}

static void killed_runners_and_workers_lose_and_double_nothing(void **state)
{
    struct random_stream stream = random_stream((uint64_t)getpid(), "kill test", 0);
    int rounds = getenv("HRMLAB_LONG") != NULL ? 20 : 3;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct place place;
        int killed = 0;
        make_place(&place);
        pid_t pid = start(&place, "run", place.spec, "--set", "retries.max=50", NULL);
        for (int kills = 0; kills < 4; kills++) {
            sleep_ms(500 + (int)random_below(&stream, 1200));
            bool runner = (kills + round) % 3 != 0, workers = (kills + round) % 3 != 1;
            if (runner) {
                kill(pid, SIGKILL);
                finish(pid);
            }
            if (workers)
                killed += kill_processes(&place, true);
            if (runner)
                pid = start(&place, "work", NULL);
        }
        int code = finish(pid);
        if (code != 0) /* killed between queueing and locking: nothing was queued yet */
            print_message("last runner: exit %d\n", code);
        assert_int_equal(
            finish(start(&place, "run", place.spec, "--set", "retries.max=50", NULL)), 0);
        char *hashes = final_hashes(&place);
        assert_string_equal(hashes, undisturbed);
        free(hashes);
        print_message("round %d: %d processes of workers killed\n", round, killed);
        remove_place(&place);
    }
}

static void an_interrupted_run_stops_safely_and_goes_on(void **state)
{
    struct place place;

    (void)state;
    make_place(&place);
    pid_t pid = start(&place, "run", place.spec, "--set", "train.max_steps=4000", NULL);
    for (int i = 0; i < 100; i++) { /* until both are at work */
        sleep_ms(100);
        if (!file_exists(place.workspace))
            continue;
        char path[80];
        snprintf(path, sizeof path, "%s/results.db", place.workspace);
        if (!file_exists(path))
            continue;
        char *running = ask(&place, "SELECT count(*) FROM job WHERE state = 'running'");
        bool both = strcmp(running, "2") == 0 || (i > 50 && strcmp(running, "1") == 0);
        free(running);
        if (both)
            break;
    }
    sleep_ms(500);
    kill(pid, SIGINT);
    assert_int_equal(finish(pid), 130);
    expect(&place, "SELECT count(*) FROM job WHERE state = 'queued'", "2");
    expect(&place, "SELECT count(*) FROM attempt WHERE state IN ('starting', 'running')", "0");
    remove_place(&place);
}

static void bad_input_stops_before_anything_starts(void **state)
{
    static const char *const cases[][2] = {
        { "{\"grid\": {\"arch.num_head\": [2]}}", "did you mean \"arch.num_heads\"" },
        { "{\"set\": {\"data.path\": \"/nowhere\"}}", "/nowhere" },
        { "{\"set\": {\"train.lr\": 1}", "line 1, column" },
    };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        make_place(&place);
        assert_int_equal(file_write_atomic(place.spec, cases[i][0], strlen(cases[i][0]), &err),
                         0);
        assert_int_equal(finish(start(&place, "run", place.spec, NULL)), 2);
        assert_true(output_has(&place, cases[i][1]));
        char path[80];
        snprintf(path, sizeof path, "%s/runs", place.workspace);
        DIR *runs = opendir(path);
        for (struct dirent *entry; runs != NULL && (entry = readdir(runs)) != NULL;)
            assert_int_equal(entry->d_name[0], '.');
        if (runs != NULL)
            closedir(runs);
        remove_place(&place);
    }
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
        cmocka_unit_test(bad_input_stops_before_anything_starts),
        cmocka_unit_test(faults_of_workers_are_told_apart),
        cmocka_unit_test(a_failure_that_passes_is_tried_again),
        cmocka_unit_test(a_value_that_contradicts_an_earlier_attempt_is_quarantined),
        cmocka_unit_test(a_spec_runs_once_and_its_results_stay),
        cmocka_unit_test(an_interrupted_run_stops_safely_and_goes_on),
        cmocka_unit_test(killed_runners_and_workers_lose_and_double_nothing),
    };

    return cmocka_run_group_tests_name("runner", tests, NULL, forget);
}
