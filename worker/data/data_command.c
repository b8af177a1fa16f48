/* data_command.c - writes tasks as files, shows them, checks and counts them. */
#include "data_command.h"

#include "arc_task.h"
#include "data_source.h"
#include "error.h"
#include "file.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: hrmlab-worker data build DIR [KEY=VALUE]...   write the built-in puzzles as ARC "
    "JSON, "
    "data show TASK [KEY=VALUE]..., data check [KEY=VALUE]... (such as data.path=DIR)";

static int read_settings(struct config *config, char **words, int count, struct error *err)
{
    int rc = config_init(config, err);

    for (int i = 0; i < count && rc == 0; i++) {
        char key[128];
        const char *equals = strchr(words[i], '=');
        if (equals == NULL || (size_t)(equals - words[i]) >= sizeof key) {
            rc = error_set(err, ERROR_FORMAT, "%.100s: expected KEY=VALUE", words[i]);
            break;
        }
        snprintf(key, sizeof key, "%.*s", (int)(equals - words[i]), words[i]);
        rc = config_set_text(config, key, equals + 1, "data", err);
    }
    if (rc == 0)
        rc = config_resolve(config, "data", err);
    return rc;
}

/* A task of any kind as an ARC task. */
static int copy_task(struct arc_task *out, const struct data_source *source, int index,
                     struct error *err)
{
    struct data_task task;

    source->kind->task(source->content, index, &task);
    *out = (struct arc_task){ .evaluation = task.evaluation,
                              .demonstrations = task.demonstrations,
                              .tests = task.tests };
    source->kind->task_name(source->content, index, out->name);
    out->pairs = calloc((size_t)(task.demonstrations + task.tests), sizeof *out->pairs);
    if (out->pairs == NULL)
        return error_no_memory(err, "a task");
    for (int p = 0; p < task.demonstrations + task.tests; p++)
        out->pairs[p].has_output = source->kind->pair(
            source->content, index, p, &out->pairs[p].input, &out->pairs[p].output);
    return 0;
}

/* One task as DIR/training/NAME.json or DIR/evaluation/NAME.json. */
static int write_task(const struct arc_task *task, const char *directory, struct error *err)
{
    char *folder =
        format_string("%s/%s", directory, task->evaluation ? "evaluation" : "training");
    char *path = folder != NULL ? format_string("%s/%s.json", folder, task->name) : NULL;
    cJSON *json = arc_task_to_json(task);
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    int rc = path == NULL || text == NULL ? error_no_memory(err, "a task")
                                          : file_make_directories(folder, err);

    if (rc == 0)
        rc = file_write_atomic(path, text, strlen(text), err);
    cJSON_free(text);
    cJSON_Delete(json);
    free(path);
    free(folder);
    return rc;
}

static int write_all(const struct data_source *source, const char *directory, struct error *err)
{
    int rc = 0;

    if (!source->kind->submits)
        return error_set(err, ERROR_FORMAT, "%s are no ARC tasks; nothing written",
                         source->kind->title);
    for (int i = 0; i < source->task_count && rc == 0; i++) {
        struct arc_task task;
        rc = copy_task(&task, source, i, err);
        if (rc == 0)
            rc = write_task(&task, directory, err);
        arc_task_release(&task);
    }
    return rc;
}

static void print_grid(const struct grid *grid)
{
    for (int r = 0; r < grid->rows; r++) {
        printf("   ");
        for (int c = 0; c < grid->columns; c++)
            printf(" %c", grid->cells[r * grid->columns + c] == 0
                              ? '.'
                              : '0' + grid->cells[r * grid->columns + c]);
        printf("\n");
    }
}

static void show_task(const struct arc_task *task)
{
    printf("%s (%s)\n", task->name, task->evaluation ? "evaluation" : "training");
    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        printf("  %s pair %d, input\n", i < task->demonstrations ? "train" : "test",
               i < task->demonstrations ? i + 1 : i - task->demonstrations + 1);
        print_grid(&task->pairs[i].input);
        printf("  output%s\n", task->pairs[i].has_output ? "" : ": hidden");
        if (task->pairs[i].has_output)
            print_grid(&task->pairs[i].output);
    }
}

static int find_and_show(const struct data_source *source, const char *name, struct error *err)
{
    for (int i = 0; i < source->task_count; i++) {
        char other[DATA_NAME_SIZE];
        struct arc_task task;
        source->kind->task_name(source->content, i, other);
        if (strcmp(other, name) != 0)
            continue;
        int rc = copy_task(&task, source, i, err);
        if (rc == 0)
            show_task(&task);
        arc_task_release(&task);
        return rc;
    }
    return error_set(err, ERROR_ABSENT, "no task \"%.80s\" in %s", name, source->text);
}

static void print_counts(const struct data_source *source)
{
    int evaluation = 0, pairs = 0;

    for (int i = 0; i < source->task_count; i++) {
        struct data_task task;
        source->kind->task(source->content, i, &task);
        evaluation += task.evaluation;
        pairs += task.demonstrations + task.tests;
    }
    printf("%s: %d training and %d evaluation tasks, %d pairs, %d left out\n%s\ncontent %s\n",
           source->text, source->task_count - evaluation, evaluation, pairs, source->left_out,
           source->counts, source->hash);
}

int data_command(int argc, char **argv, struct error *err)
{
    bool build = argc >= 1 && strcmp(argv[0], "build") == 0;
    bool show = argc >= 1 && strcmp(argv[0], "show") == 0;
    bool check = argc >= 1 && strcmp(argv[0], "check") == 0;
    int settings = check ? 1 : 2;
    struct config config = { 0 };
    struct data_source source = { 0 };

    if (!(build || show || check) || argc < settings)
        return error_set(err, ERROR_FORMAT, "%s", USAGE);
    int rc = read_settings(&config, argv + settings, argc - settings, err);
    if (rc == 0)
        rc = data_source_read(&source, &config, err);
    if (rc == 0 && build)
        rc = write_all(&source, argv[1], err);
    if (rc == 0 && show)
        rc = find_and_show(&source, argv[1], err);
    else if (rc == 0)
        print_counts(&source);
    data_source_release(&source);
    config_release(&config);
    return rc;
}
