/* place.c - a workspace of a test's own, with programs started in it and questions asked of it. */
#include "support/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "evaluation_changes.h"
#include "file.h"

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

const char *place_hrmlab(void)
{
    return program("HRMLAB_PROGRAM", "build/asan/hrmlab");
}

const char *place_worker(void)
{
    return program("HRMLAB_WORKER", "build/asan/hrmlab-worker");
}

const char *place_fake_worker(void)
{
    return program("HRMLAB_FAKE_WORKER", "build/asan/fake_worker");
}

void place_use_release(const char *mode)
{
    setenv("HRMLAB_PROGRAM", "build/hrmlab", 1);
    setenv("FAKE_WORKER_REAL", "build/hrmlab-worker", 1);
    setenv("FAKE_WORKER_MODE", mode != NULL ? mode : "", 1);
    setenv("HRMLAB_WORKER", mode != NULL ? "build/fake_worker" : "build/hrmlab-worker", 1);
}

const char *place_shim(void)
{
    static char path[1100];
    char directory[1000];

    assert_non_null(getcwd(directory, sizeof directory));
    snprintf(path, sizeof path, "%s/build/fault_shim.so", directory);
    return path;
}

static const char SPEC[] =
    "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
    " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1, "
    "\"arch.ffn_multiple\": 16,"
    " \"arch.puzzle_emb_ndim\": 16, \"arch.halt_max_steps\": 2, \"train.max_steps\": 60,"
    " \"train.global_batch_size\": 8, \"train.lr\": 0.01, \"train.lr_warmup_steps\": 5,"
    " \"train.checkpoint_interval\": 0.05}, \"grid\": {\"arch.name\": [\"hrm\","
    " \"transformer\"]}, \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}}";

void place_make(struct place *place)
{
    struct error err = { 0 };

    snprintf(place->directory, sizeof place->directory, "/tmp/hrmlab-runner-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->workspace, sizeof place->workspace, "%s/ws", place->directory);
    snprintf(place->spec, sizeof place->spec, "%s/t.json", place->directory);
    assert_int_equal(file_write_atomic(place->spec, SPEC, strlen(SPEC), &err), 0);
}

void place_remove(struct place *place)
{
    struct error err = { 0 };

    if (getenv("HRMLAB_KEEP") == NULL)
        assert_int_equal(file_remove_tree(place->directory, &err), 0);
}

/* Starts hrmlab with the words given (NULL-terminated), output to DIR/out. */
pid_t place_start(const struct place *place, const char *first, ...)
{
    char *argv[24] = { strdup(place_hrmlab()), strdup("--workspace"),
                       strdup(place->workspace) };
    int count = 3;
    char out[80];
    va_list words;

    va_start(words, first);
    for (const char *word = first; word != NULL && count < 23;
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

int place_finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The text of a file of the test's directory; fresh. */
static char *read_file_of(const struct place *place, const char *name)
{
    char path[80], *text;
    size_t size;
    struct error err = { 0 };

    snprintf(path, sizeof path, "%s/%s", place->directory, name);
    if (file_read(&text, &size, path, 1 << 24, &err) < 0)
        fail_msg("%s", err.message);
    return text;
}

int place_run(const struct place *place, const char *const *words, char **out, char **errors)
{
    const char *argv[16] = { place_hrmlab(), "--workspace", place->workspace };
    char paths[2][80];

    for (int i = 0; i < 12 && words[i] != NULL; i++)
        argv[3 + i] = words[i];
    snprintf(paths[0], sizeof paths[0], "%s/stdout", place->directory);
    snprintf(paths[1], sizeof paths[1], "%s/stderr", place->directory);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 2; i++)
            dup2(open(paths[i], O_WRONLY | O_CREAT | O_TRUNC, 0666), 1 + i);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int code = place_finish(pid);
    *out = read_file_of(place, "stdout");
    *errors = read_file_of(place, "stderr");
    return code;
}

char *place_text(const struct place *place, int code, const char *const *words)
{
    char *out, *errors;
    int got = place_run(place, words, &out, &errors);

    if (got != code)
        fail_msg("%s: exit %d: %s", words[0], got, errors);
    free(code == 0 ? errors : out);
    return code == 0 ? out : errors;
}

void place_expect_words(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

void place_use_fake(const char *mode)
{
    setenv("FAKE_WORKER_REAL", place_worker(), 1);
    setenv("FAKE_WORKER_MODE", mode, 1);
    setenv("HRMLAB_WORKER", place_fake_worker(), 1);
}

void place_run_fake(struct place *place, const char *mode, const char *setting, int exit_code)
{
    char *real = strdup(place_worker());

    place_make(place);
    place_use_fake(mode);
    int code = place_finish(place_start(place, "run", place->spec, "--set", setting, "--set",
                                        "arch.name=hrm", "--jobs", "2", NULL));
    setenv("HRMLAB_WORKER", real, 1);
    free(real);
    if (code != exit_code)
        fail_msg("%s: exit %d, see %s/out", mode, code, place->directory);
}

void place_sleep_ms(int milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000L }, NULL);
}

/* The first column of the first row, fresh text; "" when there is none. */
char *place_ask(const struct place *place, const char *sql)
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

const char PLACE_STATE[] =
    "SELECT (SELECT group_concat(line, ';') FROM (SELECT r.hash || ' ' || m.name || ' ' || "
    "m.step"
    " || ' ' || m.value AS line FROM metric m JOIN run r USING (run_id) ORDER BY 1))"
    " || (SELECT group_concat(line, ';') FROM (SELECT r.hash || ' ' || v.outer_steps || ' ' ||"
    " x.checkpoint || ' ' || x.step || ' ' || x.pass_at_2 || ' ' || x.per_token_accuracy AS "
    "line"
    " FROM score x JOIN evaluation v USING (evaluation_id) JOIN run r USING "
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

void place_expect(const struct place *place, const char *sql, const char *expected)
{
    char *answer = place_ask(place, sql);

    if (strcmp(answer, expected) != 0)
        fail_msg("%s: \"%s\", expected \"%s\" (HRMLAB_KEEP=1 keeps %s)", sql, answer, expected,
                 place->directory);
    free(answer);
}

void place_change(const struct place *place, const char *sql)
{
    char path[80];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    evaluation_changes_allow(db);
    int before = sqlite3_total_changes(db);
    bool done = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    /* of a statement that changes a view, its triggers' changes are counted alone */
    bool of_view = strstr(sql, "evaluation") != NULL && sqlite3_total_changes(db) > before;
    if (!done || (sqlite3_changes(db) == 0 && !of_view))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

bool place_wait_for(const struct place *place, const char *sql, const char *expected)
{
    char path[80];

    snprintf(path, sizeof path, "%s/results.db", place->workspace);
    for (int i = 0; i < 6000; i++) {
        char *answer = file_exists(path) ? place_ask(place, sql) : NULL;
        bool there = answer != NULL && strcmp(answer, expected) == 0;
        free(answer);
        if (there)
            return true;
        place_sleep_ms(10);
    }
    return false;
}

bool place_output_has(const struct place *place, const char *words)
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

/* Sends the signal (0: none) to every process whose command line names the place's directory, or
 * to keepers and workers only. Returns how many there were. */
static int signal_processes(const struct place *place, int signal, bool workers_only)
{
    DIR *proc = opendir("/proc");
    int count = 0;

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
        bool is_worker = strstr(text, " run ") != NULL && strstr(text, "/attempts/") != NULL;
        if (strstr(text, place->directory) != NULL && (is_worker || !workers_only) &&
            atoi(entry->d_name) != getpid()) {
            kill(atoi(entry->d_name), signal);
            count++;
        }
    }
    closedir(proc);
    return count;
}

int place_signal_workers(const struct place *place, int signal)
{
    return signal_processes(place, signal, true);
}

void place_kill_all(const struct place *place)
{
    while (signal_processes(place, SIGKILL, false) > 0)
        place_sleep_ms(2); /* a child forked meanwhile is met in the next round */
}

bool place_becomes_quiet(const struct place *place)
{
    for (int i = 0; i < 1000; i++) {
        if (signal_processes(place, 0, false) == 0)
            return true;
        place_sleep_ms(10);
    }
    return false;
}
