/* worker_runs.c - jobs for the real worker, and what it leaves. */
#include "worker_runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "journal.h"
#include "json.h"

enum { WAIT_MS = 120000, TEXT_LIMIT = 16 << 20 };

static const char *program(void)
{
    const char *given = getenv("HRMLAB_WORKER");

    return given != NULL ? given : "build/asan/hrmlab-worker";
}

void run_pause_ms(int ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static void must(int rc, const struct error *err)
{
    if (rc < 0)
        fail_msg("%s", err->message);
}

static char *read_text(int fd)
{
    char *text = calloc(1, TEXT_LIMIT + 1);
    off_t size = lseek(fd, 0, SEEK_END);

    assert_non_null(text);
    assert_in_range(size, 0, TEXT_LIMIT);
    assert_int_equal(pread(fd, text, (size_t)size, 0), size);
    close(fd);
    return text;
}

int run_program(const char *const *arguments, const char *input, char **out, char **errors)
{
    int files[3];
    int status = 0;

    for (int i = 0; i < 3; i++) {
        char name[] = "/tmp/worker_runs.XXXXXX";

        files[i] = mkstemp(name);
        assert_true(files[i] >= 0);
        unlink(name);
    }
    assert_int_equal(write(files[0], input, strlen(input)), strlen(input));
    lseek(files[0], 0, SEEK_SET);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char *argv[16] = { strdup(program()) };

        for (int i = 0; i < 14 && arguments[i] != NULL; i++)
            argv[i + 1] = strdup(arguments[i]);
        for (int i = 0; i < 3; i++)
            dup2(files[i], i);
        execv(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(files[0]);
    char *texts[2] = { read_text(files[1]), read_text(files[2]) };
    if (out != NULL)
        *out = texts[0];
    else
        free(texts[0]);
    if (errors != NULL)
        *errors = texts[1];
    else
        free(texts[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* One pair: cells from its number, the output with colours 1 and 2 exchanged. */
static void print_pair(FILE *file, int number, const char *comma)
{
    int cells[9];

    for (int i = 0; i < 9; i++)
        cells[i] = (number * 7 + i * i * (number + 1)) % 4;
    for (int side = 0; side < 2; side++) {
        fprintf(file, "%s", side == 0 ? "{\"input\":[" : "],\"output\":[");
        for (int i = 0; i < 9; i++) {
            int cell = side == 1 && (cells[i] == 1 || cells[i] == 2) ? 3 - cells[i] : cells[i];

            fprintf(file, "%s%d%s", i % 3 == 0 ? "[" : "", cell,
                    i == 8       ? "]"
                    : i % 3 == 2 ? "],"
                                 : ",");
        }
    }
    fprintf(file, "]}%s", comma);
}

static void write_task(const char *directory, const char *folder, int task)
{
    char *path = format_string("%s/%s/task%04d.json", directory, folder, task);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file, "{\"train\":[");
    for (int i = 0; i < 3; i++)
        print_pair(file, task * 5 + i, i < 2 ? "," : "");
    fprintf(file, "],\"test\":[");
    print_pair(file, task * 5 + 3, task % 2 == 0 ? "," : "");
    if (task % 2 == 0)
        print_pair(file, task * 5 + 4, "");
    fprintf(file, "]}\n");
    assert_int_equal(fclose(file), 0);
    free(path);
}

void run_make_tasks(char out[64])
{
    static const char *const FOLDERS[] = { "training", "evaluation" };

    snprintf(out, 64, "/tmp/worker_tasks.XXXXXX");
    assert_non_null(mkdtemp(out));
    for (int f = 0; f < 2; f++) {
        char *folder = file_join(out, FOLDERS[f]);

        assert_int_equal(file_make_directories(folder, NULL), 0);
        free(folder);
        for (int task = 0; task < 3; task++)
            write_task(out, FOLDERS[f], f * 3 + task);
    }
}

char run_task_folder[64];

int run_task_folder_make(void **state)
{
    (void)state;
    run_make_tasks(run_task_folder);
    return 0;
}

int run_task_folder_remove(void **state)
{
    (void)state;
    return file_remove_tree(run_task_folder, NULL);
}

void run_change_tasks(const char *directory)
{
    write_task(directory, "training", 7);
}

void run_settings_init(struct run_settings *out, const char *tasks, const char *const *more)
{
    static const char *const BASE[] = {
        "data.canvas=5",
        "data.num_aug=3",
        "arch.hidden_size=16",
        "arch.num_heads=2",
        "arch.H_layers=1",
        "arch.L_layers=1",
        "arch.H_cycles=1",
        "arch.L_cycles=1",
        "arch.ffn_multiple=16",
        "arch.expansion=2",
        "arch.puzzle_emb_ndim=16",
        "arch.halt_max_steps=3",
        "train.lr=0.003",
        "train.lr_warmup_steps=10",
        "train.global_batch_size=4",
        "train.max_steps=60",
        "train.seed=5",
    };
    int count = 0;

    snprintf(out->path, sizeof out->path, "data.path=%s", tasks);
    out->list[count++] = out->path;
    for (size_t i = 0; i < sizeof BASE / sizeof *BASE; i++)
        out->list[count++] = BASE[i];
    for (int i = 0; more != NULL && more[i] != NULL && i < 16; i++)
        out->list[count++] = more[i];
    out->list[count] = NULL;
}

/* Asks the worker about the data. */
static void describe(struct run_setup *setup)
{
    const char *const arguments[] = { "describe", NULL };
    cJSON *list = cJSON_CreateArray(), *answer;
    char *text, *out = NULL, *errors = NULL;

    cJSON_AddItemToArray(list, config_to_json(&setup->config));
    text = cJSON_PrintUnformatted(list);
    cJSON_Delete(list);
    if (run_program(arguments, text, &out, &errors) != 0)
        fail_msg("describe: %s", errors);
    answer = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(answer), 1);
    setup->described = cJSON_DetachItemFromArray(answer, 0);
    cJSON_Delete(answer);
    cJSON_free(text);
    free(out);
    free(errors);
    const cJSON *fault = json_member(setup->described, "error");
    if (fault != NULL)
        fail_msg("describe: %s", fault->valuestring);
}

void run_setup_init(struct run_setup *setup, const char *const *settings,
                    const char *evaluations)
{
    struct error err = { 0 };

    *setup = (struct run_setup){ .evaluations = evaluations };
    snprintf(setup->workspace, sizeof setup->workspace, "/tmp/worker_runs.XXXXXX");
    assert_non_null(mkdtemp(setup->workspace));
    must(config_init(&setup->config, &err), &err);
    for (int i = 0; settings[i] != NULL; i++) {
        char *text = strdup(settings[i]), *equals = strchr(text, '=');

        assert_non_null(equals);
        *equals = '\0';
        must(config_set_text(&setup->config, text, equals + 1, "test", &err), &err);
        free(text);
    }
    must(config_resolve(&setup->config, "test", &err), &err);
    describe(setup);
    snprintf(setup->data_hash, sizeof setup->data_hash, "%s",
             json_member(setup->described, "data_hash")->valuestring);
    must(config_run_hash(setup->run_hash, &setup->config, setup->data_hash, &err), &err);
    snprintf(setup->directory, sizeof setup->directory, "%s/runs/%.12s", setup->workspace,
             setup->run_hash);
}

void run_setup_release(struct run_setup *setup)
{
    config_release(&setup->config);
    cJSON_Delete(setup->described);
    error_ignore(file_remove_tree(setup->workspace, NULL));
}

char *run_path(const struct run_setup *setup, int attempt, const char *name)
{
    char *path = format_string("%s/attempts/%d/%s", setup->directory, attempt, name);

    assert_non_null(path);
    return path;
}

void run_write_job(const struct run_setup *setup, int attempt, const char *checkpoint)
{
    struct error err = { 0 };
    cJSON *job = cJSON_CreateObject();
    char *folder = run_path(setup, attempt, ""), *path = run_path(setup, attempt, "job.json");

    cJSON_AddStringToObject(job, "format", "hrmlab-job-1");
    cJSON_AddStringToObject(job, "kind", checkpoint != NULL ? "evaluate" : "train");
    cJSON_AddStringToObject(job, "run_hash", setup->run_hash);
    cJSON_AddNumberToObject(job, "attempt", attempt);
    cJSON_AddStringToObject(job, "data_hash", setup->data_hash);
    cJSON_AddItemToObject(job, "config", config_to_json(&setup->config));
    cJSON_AddItemToObject(job, "evaluations", cJSON_Parse(setup->evaluations));
    if (checkpoint != NULL)
        cJSON_AddStringToObject(job, "checkpoint", checkpoint);
    else
        cJSON_AddNullToObject(job, "checkpoint");
    cJSON_AddItemToObject(job, "cpus", cJSON_CreateArray());
    char *text = cJSON_Print(job);
    must(file_make_directories(folder, &err), &err);
    must(file_write_atomic(path, text, strlen(text), &err), &err);
    cJSON_free(text);
    cJSON_Delete(job);
    free(folder);
    free(path);
}

pid_t run_start(const struct run_setup *setup, int attempt)
{
    char *folder = run_path(setup, attempt, ""), *log = run_path(setup, attempt, "log");
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[] = { strdup(program()), strdup("run"), folder, NULL };
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);

        dup2(fd, 1);
        dup2(fd, 2);
        execv(argv[0], argv);
        _exit(127);
    }
    free(folder);
    free(log);
    return pid;
}

int run_wait(pid_t pid)
{
    int status = 0;

    for (int i = 0; i < WAIT_MS / 5; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        run_pause_ms(5);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fail_msg("the worker did not end in %d s", WAIT_MS / 1000);
    return -1;
}

int run_attempt(const struct run_setup *setup, int attempt)
{
    return run_wait(run_start(setup, attempt));
}

cJSON *run_journal(const struct run_setup *setup, int attempt)
{
    char *path = run_path(setup, attempt, "journal.jsonl"), *text = NULL;
    cJSON *list = cJSON_CreateArray();
    struct error err = { 0 };
    size_t size = 0, used = 0;
    int64_t expected = 0;

    if (file_read(&text, &size, path, TEXT_LIMIT, &err) == 0)
        for (size_t at = 0; at < size; at += used) {
            struct journal_event event = { 0 };
            enum journal_status status =
                journal_next(&event, &used, text + at, size - at, expected++, &err);

            if (status == JOURNAL_BAD)
                fail_msg("%s: %s", path, err.message);
            if (status == JOURNAL_PARTIAL)
                break;
            cJSON_AddItemToArray(list, event.body);
        }
    free(text);
    free(path);
    return list;
}

static bool is_type(const cJSON *event, const char *type)
{
    const cJSON *item = json_member(event, "type");

    return item != NULL && strcmp(item->valuestring, type) == 0;
}

const cJSON *run_last_event(const cJSON *journal, const char *type)
{
    const cJSON *event, *last = NULL;

    cJSON_ArrayForEach(event, journal) if (is_type(event, type)) last = event;
    return last;
}

/* Whether pid is among the children of parent. */
static bool is_child(long pid, pid_t parent)
{
    char path[64];
    long child = 0;
    bool found = false;

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    FILE *file = fopen(path, "r");
    while (file != NULL && !found && fscanf(file, "%ld", &child) == 1)
        found = child == pid;
    if (file != NULL)
        fclose(file);
    return found;
}

pid_t run_worker_pid(const struct run_setup *setup, int attempt, pid_t keeper)
{
    cJSON *journal = run_journal(setup, attempt);
    const cJSON *begin = run_last_event(journal, "begin");
    long pid = begin != NULL ? (long)json_member(begin, "worker_pid")->valuedouble : 0;

    cJSON_Delete(journal);
    return pid > 0 && is_child(pid, keeper) ? (pid_t)pid : 0;
}

int run_count_events(const cJSON *journal, const char *type)
{
    const cJSON *event;
    int count = 0;

    cJSON_ArrayForEach(event, journal) count += is_type(event, type);
    return count;
}

bool run_reaches(const struct run_setup *setup, int attempt, const char *type, double step)
{
    for (int i = 0; i < WAIT_MS / 10; i++) {
        cJSON *journal = run_journal(setup, attempt);
        const cJSON *event = run_last_event(journal, type);
        const cJSON *item = event != NULL ? json_member(event, "step") : NULL;
        bool there = event != NULL && (item == NULL || item->valuedouble >= step);
        bool over = run_last_event(journal, "end") != NULL;

        cJSON_Delete(journal);
        if (there || over)
            return there;
        run_pause_ms(10);
    }
    fail_msg("no %s at step %g", type, step);
    return false;
}

void run_wait_event(const struct run_setup *setup, int attempt, const char *type, double step)
{
    if (!run_reaches(setup, attempt, type, step))
        fail_msg("the attempt ended without a %s at step %g", type, step);
}

char *run_event_text(const struct run_setup *setup, int attempt, const char *type,
                     const char *member)
{
    cJSON *journal = run_journal(setup, attempt);
    const cJSON *event = run_last_event(journal, type);
    const cJSON *item = event != NULL ? json_member(event, member) : NULL;

    if (!cJSON_IsString(item))
        fail_msg("attempt %d has no event %s with a text %s", attempt, type, member);
    char *text = strdup(item->valuestring);
    cJSON_Delete(journal);
    return text;
}
