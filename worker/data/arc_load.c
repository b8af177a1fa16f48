/* arc_load.c - finding and reading the files of an ARC data directory. */
#include "arc_load.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int arc_tasks_add(struct arc_tasks *tasks, struct arc_task *task, struct error *err)
{
    if ((tasks->count & (tasks->count - 1)) == 0) { /* grows at powers of two */
        size_t room = tasks->count == 0 ? 1 : 2 * (size_t)tasks->count;
        struct arc_task *larger = realloc(tasks->tasks, room * sizeof *larger);
        if (larger == NULL)
            return error_no_memory(err, "the tasks");
        tasks->tasks = larger;
    }
    tasks->tasks[tasks->count++] = *task;
    *task = (struct arc_task){ 0 };
    return 0;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct arc_task *x = a, *y = b;

    if (x->evaluation != y->evaluation)
        return x->evaluation ? 1 : -1;
    return strcmp(x->name, y->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int arc_tasks_sort(struct arc_tasks *tasks, const char *where, struct error *err)
{
    if (tasks->count == 0)
        return 0;
    qsort(tasks->tasks, (size_t)tasks->count, sizeof *tasks->tasks, compare_tasks);
    const char **names = malloc((size_t)tasks->count * sizeof *names);
    int rc = names == NULL ? error_no_memory(err, "the tasks") : 0;
    for (int i = 0; i < tasks->count && rc == 0; i++)
        names[i] = tasks->tasks[i].name;
    if (rc == 0)
        qsort(names, (size_t)tasks->count, sizeof *names, compare_names);
    for (int i = 1; i < tasks->count && rc == 0; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            rc =
                error_set(err, ERROR_FORMAT, "%s: the task %s is there twice", where, names[i]);
    free(names);
    return rc;
}

void arc_tasks_release(struct arc_tasks *tasks)
{
    for (int i = 0; i < tasks->count; i++)
        arc_task_release(&tasks->tasks[i]);
    for (int i = 0; i < tasks->input_count; i++)
        free(tasks->inputs[i].path);
    free(tasks->tasks);
    free(tasks->inputs);
    *tasks = (struct arc_tasks){ 0 };
}

/* Remembers a file for the cache of describe. */
static int add_input(struct arc_tasks *tasks, const char *path, struct error *err)
{
    struct stat status = { 0 };
    struct data_input *larger =
        realloc(tasks->inputs, (size_t)(tasks->input_count + 1) * sizeof *larger);
    char *absolute = realpath(path, NULL);

    if (larger != NULL)
        tasks->inputs = larger;
    if (larger == NULL || absolute == NULL) {
        free(absolute);
        return error_no_memory(err, "the tasks");
    }
    stat(path, &status);
    tasks->inputs[tasks->input_count++] = (struct data_input){
        .path = absolute,
        .size = status.st_size,
        .mtime_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
    };
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A file of one task, named for it. */
static int load_task(struct arc_tasks *tasks, const char *path, bool evaluation,
                     struct error *err)
{
    cJSON *json = NULL;
    struct arc_task task = { 0 };
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    char *name = strndup(base, strlen(base) - strlen(".json"));
    int rc = name == NULL ? error_no_memory(err, "the tasks")
                          : json_read_file(&json, path, JSON_DATA_LIMIT, err);

    if (rc == 0)
        rc = arc_task_read(&task, name, json, NULL, path, err);
    if (rc == 0) {
        task.evaluation = evaluation;
        rc = arc_tasks_add(tasks, &task, err);
    }
    if (rc == 0)
        rc = add_input(tasks, path, err);
    arc_task_release(&task);
    cJSON_Delete(json);
    free(name);
    return rc;
}

/* Every name of one file is in the other one too. */
static int check_names(const cJSON *names, const char *path, const cJSON *others,
                       const char *other_path, struct error *err)
{
    for (const cJSON *item = names->child; item != NULL; item = item->next)
        if (json_member(others, item->string) == NULL)
            return error_set(err, ERROR_FORMAT,
                             "%s: no task \"%.80s\", which %s has; both files list the same "
                             "tasks (a set without solutions has no such file at all)",
                             other_path, item->string, path);
    return 0;
}

static int read_tasks_object(cJSON **out, const char *path, const char *what, struct error *err)
{
    int rc = json_read_file(out, path, JSON_DATA_LIMIT, err);

    if (rc == 0 && !cJSON_IsObject(*out))
        rc = error_set(err, ERROR_FORMAT, "%s: expected an object of %s, not %s", path, what,
                       json_type_name(*out));
    return rc;
}

/* The solutions beside challenges, if that file is there: of every challenge, and no others.
 * Without the file the tests are hidden ones. */
static int load_solutions(cJSON **out, struct arc_tasks *tasks, const cJSON *challenges,
                          const char *path, const char *solutions_path, struct error *err)
{
    if (!file_exists(solutions_path))
        return 0;
    int rc = read_tasks_object(out, solutions_path, "solutions", err);
    if (rc == 0)
        rc = check_names(challenges, path, *out, solutions_path, err);
    if (rc == 0)
        rc = check_names(*out, solutions_path, challenges, path, err);
    return rc == 0 ? add_input(tasks, solutions_path, err) : rc;
}

/* X_challenges.json with X_solutions.json beside it, if that is there. */
static int load_combined(struct arc_tasks *tasks, const char *path, struct error *err)
{
    static const char suffix[] = "_challenges.json";
    cJSON *challenges = NULL, *solutions = NULL;
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    char *other =
        format_string("%.*s_solutions.json", (int)(strlen(path) - (sizeof suffix - 1)), path);
    int rc = other == NULL ? error_no_memory(err, "the tasks")
                           : read_tasks_object(&challenges, path, "tasks", err);

    if (rc == 0)
        rc = load_solutions(&solutions, tasks, challenges, path, other, err);
    for (const cJSON *item = rc == 0 ? challenges->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        struct arc_task task = { 0 };
        const cJSON *solution = json_member(solutions, item->string);
        rc = arc_task_read(&task, item->string, item, solution, path, err);
        task.evaluation = strstr(base, "training") == NULL;
        if (rc == 0)
            rc = arc_tasks_add(tasks, &task, err);
        arc_task_release(&task);
    }
    if (rc == 0)
        rc = add_input(tasks, path, err);
    cJSON_Delete(challenges);
    cJSON_Delete(solutions);
    free(other);
    return rc;
}

static int only_json(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ends_with(entry->d_name, ".json");
}

/* All files of a directory: combined ones if there are any, else one task each. */
static int load_directory(struct arc_tasks *tasks, const char *path, bool evaluation,
                          struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, only_json, alphasort), rc = 0;
    bool combined = false;

    if (count < 0)
        return error_set(err, error_code_from_errno(errno), "read directory %s: %s", path,
                         strerror(errno));
    for (int i = 0; i < count; i++)
        combined = combined || ends_with(entries[i]->d_name, "_challenges.json");
    for (int i = 0; i < count; i++) {
        char *file = file_join(path, entries[i]->d_name);
        if (rc == 0 && file == NULL)
            rc = error_no_memory(err, "the tasks");
        if (rc == 0 && !combined)
            rc = load_task(tasks, file, evaluation, err);
        else if (rc == 0 && ends_with(file, "_challenges.json"))
            rc = load_combined(tasks, file, err);
        free(file);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* path/training and path/evaluation, or the files of path itself. */
static int load_place(struct arc_tasks *tasks, const char *path, struct error *err)
{
    char *training = file_join(path, "training"), *evaluation = file_join(path, "evaluation");
    char *data = file_join(path, "data");
    int rc = 0;

    if (training == NULL || evaluation == NULL || data == NULL) {
        rc = error_no_memory(err, "the tasks");
    } else if (is_directory(training) || is_directory(evaluation)) {
        if (is_directory(training))
            rc = load_directory(tasks, training, false, err);
        if (rc == 0 && is_directory(evaluation))
            rc = load_directory(tasks, evaluation, true, err);
    } else if (is_directory(data)) {
        rc = load_place(tasks, data, err);
    } else {
        rc = load_directory(tasks, path, true, err);
    }
    free(training);
    free(evaluation);
    free(data);
    return rc;
}

int arc_load(struct arc_tasks *out, const char *path, struct error *err)
{
    struct stat status;
    int rc;

    *out = (struct arc_tasks){ 0 };
    if (stat(path, &status) < 0)
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: %s; give a directory of ARC tasks (training/ and "
                       "evaluation/, or *_challenges.json)",
                       path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        rc = load_place(out, path, err);
    else if (ends_with(path, "_challenges.json"))
        rc = load_combined(out, path, err);
    else if (ends_with(path, ".json"))
        rc = load_task(out, path, true, err);
    else
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: neither a directory nor a .json file", path);
    if (rc == 0 && out->count == 0)
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: no task files (*.json) there or in training/ and "
                       "evaluation/",
                       path);
    if (rc == 0)
        rc = arc_tasks_sort(out, path, err);
    if (rc < 0)
        arc_tasks_release(out);
    return rc;
}
