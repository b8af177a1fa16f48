/* arc_load.c - finds and reads the files of ARC data, whatever their layout. */
#include "arc_load.h"

#include "error.h"
#include "file.h"
#include "gzip_file.h"
#include "json.h"
#include "text.h"
#include "work.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Copies as many whole characters of a text of that length as there is room for. */
static void copy_name(char out[ARC_NAME_SIZE], const char *text, size_t length)
{
    size_t most = ARC_NAME_SIZE - 1;

    if (length > most)
        length = text_whole_characters(text, most);
    memcpy(out, text, length);
    out[length] = '\0';
}

/* The last part of a path, without slashes at its end. */
static void name_source(char out[ARC_NAME_SIZE], const char *path)
{
    size_t end = strlen(path);

    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    copy_name(out, path + start, end - start);
}

int arc_tasks_add_set(struct arc_tasks *tasks, const char *name, const char *path,
                      struct error *err)
{
    struct arc_set *larger =
        realloc(tasks->sets, (size_t)(tasks->set_count + 1) * sizeof *larger);
    char *copy = strdup(path);

    if (larger != NULL)
        tasks->sets = larger;
    if (larger == NULL || copy == NULL) {
        free(copy);
        return error_no_memory(err, "the tasks");
    }
    struct arc_set *set = &tasks->sets[tasks->set_count];
    *set = (struct arc_set){ .path = copy };
    snprintf(set->name, sizeof set->name, "%s", name);
    name_source(set->source, path);
    return tasks->set_count++;
}

int arc_tasks_add(struct arc_tasks *tasks, int set, struct arc_task *task, struct error *err)
{
    if ((tasks->count & (tasks->count - 1)) == 0) { /* grows at powers of two */
        size_t room = tasks->count == 0 ? 1 : 2 * (size_t)tasks->count;
        struct arc_task *larger = realloc(tasks->tasks, room * sizeof *larger);
        if (larger == NULL)
            return error_no_memory(err, "the tasks");
        tasks->tasks = larger;
    }
    task->set = set;
    tasks->sets[set].tasks++;
    tasks->tasks[tasks->count++] = *task;
    *task = (struct arc_task){ 0 };
    return work_done(1, err);
}

void arc_tasks_release(struct arc_tasks *tasks)
{
    for (int i = 0; i < tasks->count; i++)
        arc_task_release(&tasks->tasks[i]);
    for (int i = 0; i < tasks->set_count; i++)
        free(tasks->sets[i].path);
    free(tasks->tasks);
    free(tasks->sets);
    data_files_release(&tasks->files);
    *tasks = (struct arc_tasks){ 0 };
}

const char *arc_task_place(const struct arc_tasks *tasks, const struct arc_task *task)
{
    return task->file != NULL ? task->file : tasks->sets[task->set].path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Length of the suffix ".json" or ".json.gz" of a name; 0 if it has neither. */
static size_t json_ending(const char *name)
{
    return ends_with(name, ".json")      ? strlen(".json")
           : ends_with(name, ".json.gz") ? strlen(".json.gz")
                                         : 0;
}

/* The sets of a folder of task files, which are added with their first task. */
struct folder_sets {
    const char *name, *path;
    int tasks, lists; /* indices; -1: not added yet */
};

static const char LISTS[] = "re-arc";

/* Adds the set for a file's content, unless it is there. */
static int set_of(struct folder_sets *sets, struct arc_tasks *tasks, bool list,
                  struct error *err)
{
    int *set = list ? &sets->lists : &sets->tasks;

    if (*set >= 0)
        return *set;
    *set = arc_tasks_add_set(tasks, list ? LISTS : sets->name, sets->path, err);
    if (*set >= 0)
        tasks->sets[*set].lists = list;
    return *set;
}

/* Returns what a file's task is called: NAME, FOLDER-NAME or re-arc-NAME. NULL: no
 * memory. */
static char *task_name(const char *path, const char *folder, bool list)
{
    const char *base = base_name(path), *before = list ? LISTS : folder;

    return format_string("%s%s%.*s", before != NULL ? before : "", before != NULL ? "-" : "",
                         (int)(strlen(base) - json_ending(base)), base);
}

/* Reads a file of one task. The task is called after the file, or FOLDER-NAME with a
 * folder. */
static int load_task(struct arc_tasks *tasks, struct folder_sets *sets, const char *path,
                     const char *folder, struct error *err)
{
    cJSON *json = NULL;
    struct arc_task task = { 0 };
    int rc = data_files_add(&tasks->files, path, err);

    if (rc == 0)
        rc = gzip_json_read(&json, path, err);
    bool list = cJSON_IsArray(json);
    char *name = task_name(path, folder, list);
    if (rc == 0 && name == NULL)
        rc = error_no_memory(err, "the tasks");
    if (rc == 0)
        rc = list ? arc_task_read_list(&task, name, json, path, err)
                  : arc_task_read(&task, name, json, NULL, path, err);
    if (rc == 0 && (task.file = strdup(path)) == NULL)
        rc = error_no_memory(err, "the tasks");
    int set = rc == 0 ? set_of(sets, tasks, list, err) : rc;
    rc = set < 0 ? set : arc_tasks_add(tasks, set, &task, err);
    arc_task_release(&task);
    cJSON_Delete(json);
    free(name);
    return rc;
}

/* Returns ERROR_FORMAT unless every name of one file is in the other file too. */
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
    int rc = gzip_json_read(out, path, err);

    if (rc == 0 && !cJSON_IsObject(*out))
        rc = error_set(err, ERROR_FORMAT, "%s: expected an object of %s, not %s", path, what,
                       json_type_name(*out));
    return rc;
}

/* Reads the solutions file of a file of challenges, if there is one. It must hold
 * the same tasks. Without it, all tests are hidden. */
static int load_solutions(cJSON **out, struct arc_tasks *tasks, const cJSON *challenges,
                          const char *path, const char *solutions_path, struct error *err)
{
    if (!file_exists(solutions_path))
        return 0;
    int rc = data_files_add(&tasks->files, solutions_path, err);
    if (rc == 0)
        rc = read_tasks_object(out, solutions_path, "solutions", err);
    if (rc == 0)
        rc = check_names(challenges, path, *out, solutions_path, err);
    if (rc == 0)
        rc = check_names(*out, solutions_path, challenges, path, err);
    return rc;
}

static bool is_challenges(const char *path)
{
    return ends_with(path, "_challenges.json") || ends_with(path, "-challenges.json") ||
           ends_with(path, "_challenges.json.gz") || ends_with(path, "-challenges.json.gz");
}

/* The set of a file of challenges: its name without "arc-agi_" and
 * "_challenges.json". */
static int set_name(char out[ARC_NAME_SIZE], const char *path, struct error *err)
{
    static const char prefix[] = "arc-agi";
    const char *base = base_name(path);
    size_t length = strlen(base) - strlen("_challenges") - json_ending(base),
           skip = sizeof prefix;

    if (strncmp(base, prefix, sizeof prefix - 1) != 0 || length <= skip ||
        (base[skip - 1] != '_' && base[skip - 1] != '-'))
        skip = 0;
    copy_name(out, base + skip, length - skip);
    return text_is_printable(out)
               ? 0
               : error_set(err, ERROR_FORMAT,
                           "%s: the file gives its set the name \"%s\"; expected UTF-8 without "
                           "control characters: rename the file",
                           path, out);
}

/* The path of X_solutions.json for X_challenges.json, or of X_solutions.json.gz if
 * that exists. Newly allocated; NULL: no memory. */
static char *solutions_of(const char *path)
{
    int before = (int)(strlen(path) - strlen("challenges") - json_ending(path));
    bool packed = gzip_file_is_named(path);
    char *plain = format_string("%.*ssolutions.json", before, path);
    char *gzip = format_string("%.*ssolutions.json.gz", before, path);
    bool take_gzip =
        plain != NULL && gzip != NULL && file_exists(gzip) && (packed || !file_exists(plain));

    free(take_gzip ? plain : gzip);
    return take_gzip ? gzip : plain;
}

/* Reads X_challenges.json, and X_solutions.json if that exists. */
static int load_combined(struct arc_tasks *tasks, const char *path, struct error *err)
{
    cJSON *challenges = NULL, *solutions = NULL;
    char name[ARC_NAME_SIZE];
    char *other = solutions_of(path);
    int rc = other == NULL ? error_no_memory(err, "the tasks")
                           : data_files_add(&tasks->files, path, err);

    if (rc == 0)
        rc = set_name(name, path, err);
    int set = rc == 0 ? arc_tasks_add_set(tasks, name, path, err) : rc;
    if (rc == 0)
        rc = set < 0 ? set : read_tasks_object(&challenges, path, "tasks", err);
    if (rc == 0)
        rc = load_solutions(&solutions, tasks, challenges, path, other, err);
    for (const cJSON *item = rc == 0 ? challenges->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        struct arc_task task = { 0 };
        rc = arc_task_read(&task, item->string, item, json_member(solutions, item->string),
                           path, err);
        if (rc == 0)
            rc = arc_tasks_add(tasks, set, &task, err);
        arc_task_release(&task);
    }
    cJSON_Delete(challenges);
    cJSON_Delete(solutions);
    free(other);
    return rc;
}

/* Paths of the entries of a folder that a filter accepts, in alphabetical order. */
struct paths {
    char **paths; /* owned, and each */
    int count;
};

static void paths_release(struct paths *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct paths){ 0 };
}

static int only_json(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && json_ending(entry->d_name) > 0;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int list_folder(struct paths *out, struct arc_tasks *tasks, const char *path,
                       int (*filter)(const struct dirent *), struct error *err)
{
    struct dirent **entries = NULL;
    int rc = data_files_add(&tasks->files, path, err);
    int count = rc == 0 ? scandir(path, &entries, filter, alphasort) : 0;

    *out = (struct paths){ 0 };
    if (count < 0)
        return error_set(err, error_code_from_errno(errno), "read directory %s: %s", path,
                         strerror(errno));
    out->paths = calloc((size_t)count + 1, sizeof *out->paths);
    if (rc == 0 && out->paths == NULL)
        rc = error_no_memory(err, "the tasks");
    for (int i = 0; i < count; i++) {
        if (rc == 0 && (out->paths[i] = file_join(path, entries[i]->d_name)) == NULL)
            rc = error_no_memory(err, "the tasks");
        out->count += rc == 0;
        free(entries[i]);
    }
    free(entries);
    if (rc < 0)
        paths_release(out);
    return rc;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Reads all files of a folder: the combined files if there are any, otherwise one
 * task per file into a set of the given name. */
static int load_directory(struct arc_tasks *tasks, const char *path, const char *name,
                          struct error *err)
{
    struct folder_sets sets = { .name = name, .path = path, .tasks = -1, .lists = -1 };
    struct paths list;
    bool combined = false;
    int rc = list_folder(&list, tasks, path, only_json, err);

    if (rc < 0)
        return rc;
    for (int i = 0; i < list.count; i++)
        combined = combined || is_challenges(list.paths[i]);
    for (int i = 0; i < list.count && rc == 0; i++) {
        if (!combined)
            rc = load_task(tasks, &sets, list.paths[i], NULL, err);
        else if (is_challenges(list.paths[i]))
            rc = load_combined(tasks, list.paths[i], err);
    }
    paths_release(&list);
    return rc;
}

/* Whether a file of the same name as file number index is in another folder of the
 * list. */
static bool name_clashes(const struct paths *files, int index)
{
    for (int i = 0; i < files->count; i++)
        if (i != index &&
            strcmp(base_name(files->paths[i]), base_name(files->paths[index])) == 0)
            return true;
    return false;
}

/* The task files of all folders of path, one level down. */
static int list_nested(struct paths *out, struct arc_tasks *tasks, const char *path,
                       struct error *err)
{
    struct paths folders;
    int rc = list_folder(&folders, tasks, path, not_hidden, err);

    *out = (struct paths){ 0 };
    for (int f = 0; rc == 0 && f < folders.count; f++) {
        struct paths files;
        if (!is_directory(folders.paths[f]))
            continue;
        rc = list_folder(&files, tasks, folders.paths[f], only_json, err);
        char **larger =
            rc == 0
                ? realloc(out->paths, (size_t)(out->count + files.count + 1) * sizeof *larger)
                : NULL;
        if (larger != NULL) {
            out->paths = larger;
            for (int i = 0; i < files.count; i++)
                out->paths[out->count++] = files.paths[i];
            files.count = 0;
        } else if (rc == 0) {
            rc = error_no_memory(err, "the tasks");
        }
        paths_release(&files);
    }
    paths_release(&folders);
    return rc;
}

/* Reads FOLDER/NAME.json, the layout of ConceptARC. */
static int load_nested(struct arc_tasks *tasks, const char *path, struct error *err)
{
    struct folder_sets sets = { .name = "concept", .path = path, .tasks = -1, .lists = -1 };
    struct paths files;
    int rc = list_nested(&files, tasks, path, err);

    for (int i = 0; i < files.count && rc == 0; i++) {
        char *folder = strdup(files.paths[i]);
        if (folder == NULL) {
            rc = error_no_memory(err, "the tasks");
            break;
        }
        *strrchr(folder, '/') = '\0';
        rc = is_challenges(files.paths[i])
                 ? error_set(err, ERROR_FORMAT,
                             "data.path = %s: %s in it is a source of its own, with combined "
                             "files; give that folder, or several sources as A,B",
                             path, folder)
                 : load_task(tasks, &sets, files.paths[i],
                             name_clashes(&files, i) ? base_name(folder) : NULL, err);
        free(folder);
    }
    paths_release(&files);
    return rc;
}

/* Reads the folder NAME of path, if it exists. */
static int load_folder(struct arc_tasks *tasks, const char *path, const char *name,
                       struct error *err)
{
    char *folder = file_join(path, name);
    int rc = folder == NULL ? error_no_memory(err, "the tasks") : 0;

    if (rc == 0 && is_directory(folder))
        rc = strcmp(name, "corpus") == 0 ? load_nested(tasks, folder, err)
                                         : load_directory(tasks, folder, name, err);
    free(folder);
    return rc;
}

/* Whether path has re-arc's layout: tasks/ beside metadata.json, which is no task. */
static bool is_rearc(const char *path)
{
    char *folder = file_join(path, "tasks"), *metadata = file_join(path, "metadata.json");
    bool found =
        folder != NULL && metadata != NULL && is_directory(folder) && file_exists(metadata);

    free(folder);
    free(metadata);
    return found;
}

/* Reads path/training, path/evaluation and path/corpus; otherwise path/data; otherwise
 * path/tasks of re-arc; otherwise the files of path itself. */
static int load_place(struct arc_tasks *tasks, const char *path, struct error *err)
{
    static const char *const FOLDERS[] = { "training", "evaluation", "corpus" };
    int files = tasks->files.count, count = tasks->count;
    char *data = file_join(path, "data");
    int rc = data == NULL ? error_no_memory(err, "the tasks") : 0;

    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS && rc == 0; i++)
        rc = load_folder(tasks, path, FOLDERS[i], err);
    if (rc == 0 && tasks->files.count > files)
        rc = data_files_add(&tasks->files, path, err);
    else if (rc == 0 && is_directory(data))
        rc = load_place(tasks, data, err);
    else if (rc == 0 && !is_rearc(path))
        rc = load_directory(tasks, path, "evaluation", err);
    if (rc == 0 && tasks->count == count)
        rc = load_nested(tasks, path, err);
    free(data);
    return rc;
}

static int load_path(struct arc_tasks *tasks, const char *path, struct error *err)
{
    struct stat status;

    if (strncmp(path, "builtin:", strlen("builtin:")) == 0)
        return error_set(err, ERROR_FORMAT,
                         "data.path: %s in a list of sources; a list is of ARC tasks, in files "
                         "or builtin:arc-style",
                         path);
    if (stat(path, &status) < 0)
        return error_set(err, ERROR_FORMAT,
                         "data.path = %s: %s; give a directory of ARC tasks (training/ and "
                         "evaluation/, or *_challenges.json) or a CSV file of boards",
                         path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return load_place(tasks, path, err);
    if (is_challenges(path))
        return load_combined(tasks, path, err);
    if (json_ending(path) == 0)
        return error_set(
            err, ERROR_FORMAT,
            "data.path = %s: neither a directory nor a .json, .json.gz or .csv file%s", path,
            ends_with(path, ".csv") ? "; a list of sources is for ARC tasks" : "");
    struct folder_sets sets = { .name = "evaluation", .path = path, .tasks = -1, .lists = -1 };
    return load_task(tasks, &sets, path, NULL, err);
}

int arc_load(struct arc_tasks *tasks, const char *path, struct error *err)
{
    int first = tasks->set_count, count = tasks->count;
    int rc = load_path(tasks, path, err);

    if (rc == 0 && tasks->count == count)
        rc = error_set(err, ERROR_FORMAT,
                       "data.path = %s: no task files (*.json) there, in training/ and "
                       "evaluation/, or in its folders, and no train.csv",
                       path);
    for (int i = first; i < tasks->set_count; i++)
        name_source(tasks->sets[i].source, path);
    if (rc < 0)
        arc_tasks_release(tasks);
    return rc;
}
