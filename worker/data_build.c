/* data_build.c - writes data in public layouts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arc_task_copy.h"
#include "built_write.h"
#include "data_command.h"
#include "data_progress.h"
#include "data_set.h"
#include "error.h"
#include "file.h"
#include "text_stream.h"

/* Writes one task as DIR/training/NAME.json or DIR/evaluation/NAME.json. */
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

/* Every task of this layout has demonstrations and tests: lists of pairs and
 * directories of the published code have tasks that lack one or the other. And its name
 * is that of a file, which is not hidden. */
static int check_tasks(const struct data_source *source, struct error *err)
{
    for (int i = 0; i < source->task_count; i++) {
        struct data_task task;
        char name[DATA_NAME_SIZE];
        source->kind->task(source->content, i, &task);
        source->kind->task_name(source->content, i, name);
        if (name[0] == '.' || strchr(name, '/') != NULL)
            return error_set(err, ERROR_FORMAT,
                             "--layout arc: the task %s cannot be the file %s.json; expected a "
                             "name without / that does not begin with a point; nothing written",
                             name, name);
        if (task.demonstrations > 0 && task.tests > 0)
            continue;
        return error_set(err, ERROR_FORMAT,
                         "--layout arc: the task %s has %d demonstrations and %d tests here; "
                         "expected at least one of each, as in the files that the data come "
                         "from; nothing written",
                         name, task.demonstrations, task.tests);
    }
    return 0;
}

static int write_arc(const struct data_set *set, const char *directory,
                     const struct build_watch *watch, struct error *err)
{
    const struct data_source *source = data_set_source(set);
    int rc = 0;

    if (!source->kind->submits)
        return error_set(err, ERROR_FORMAT, "%s are no ARC tasks; nothing written",
                         source->kind->title);
    rc = check_tasks(source, err);
    for (int i = 0; i < source->task_count && rc == 0; i++) {
        struct arc_task task;
        watch->tell(watch->user, "tasks", i, source->task_count);
        rc = arc_task_copy(&task, source, i, err);
        if (rc == 0)
            rc = write_task(&task, directory, err);
        arc_task_release(&task);
    }
    return rc;
}

/* Prints a field of the public CSV form: the characters of the cells. */
static void print_cells(FILE *out, const struct data_kind *kind, const struct grid *grid)
{
    for (int i = 0; i < grid->rows * grid->columns; i++)
        fputc(kind->look(grid->cells[i]).text, out);
}

/* Writes the boards of a split as NAME.csv: source,question,answer,rating. */
static int write_boards(const struct data_source *source, bool tested, const char *directory,
                        const struct build_watch *watch, struct error *err)
{
    const char *file = tested ? "test.csv" : "train.csv";
    char *path = file_join(directory, file), *text = NULL;
    size_t size = 0;
    FILE *out = text_stream_open(&text, &size);

    if (out == NULL || path == NULL) {
        if (out != NULL)
            fclose(out);
        free(text);
        free(path);
        return error_no_memory(err, "the boards");
    }
    fputs("source,question,answer,rating\n", out);
    for (int i = 0; i < source->task_count; i++) {
        struct data_task task;
        struct grid question, answer;
        char name[DATA_NAME_SIZE];
        watch->tell(watch->user, file, i, source->task_count);
        source->kind->task(source->content, i, &task);
        if (task.evaluation != tested)
            continue;
        source->kind->task_name(source->content, i, name);
        source->kind->pair(source->content, i, 0, &question, &answer);
        fprintf(out, "%s,", name);
        print_cells(out, source->kind, &question);
        fputc(',', out);
        print_cells(out, source->kind, &answer);
        fprintf(out, ",%d\n", source->kind->rating(source->content, i));
    }
    int rc = fclose(out) != 0 ? error_no_memory(err, "the boards")
                              : file_write_atomic(path, text, size, err);
    free(text);
    free(path);
    return rc;
}

static int write_csv(const struct data_set *set, const char *directory,
                     const struct build_watch *watch, struct error *err)
{
    const struct data_source *source = data_set_source(set);

    if (source->kind->rating == NULL)
        return error_set(err, ERROR_FORMAT, "--layout csv: %s are no boards with a rating",
                         source->kind->title);
    int rc = write_boards(source, false, directory, watch, err);
    return rc == 0 ? write_boards(source, true, directory, watch, err) : rc;
}

static const struct {
    const char *name;
    bool variants; /* whether variants are written too */
    int (*write)(const struct data_set *set, const char *directory,
                 const struct build_watch *watch, struct error *err);
} LAYOUTS[] = {
    { "published", true, built_write },
    { "csv", false, write_csv },
    { "arc", false, write_arc },
};
enum { LAYOUT_COUNT = sizeof LAYOUTS / sizeof *LAYOUTS };

/* The index of the layout of this name; the first layout if name is NULL. */
static int find_layout(const char *name, struct error *err)
{
    int rc = error_set(err, ERROR_FORMAT, "--layout %.60s: expected one of",
                       name != NULL ? name : "");

    for (int i = 0; i < LAYOUT_COUNT; i++) {
        size_t used = strlen(err->message);
        if (name == NULL || strcmp(LAYOUTS[i].name, name) == 0)
            return i;
        snprintf(err->message + used, sizeof err->message - used, "%s %s", i > 0 ? "," : "",
                 LAYOUTS[i].name);
    }
    return rc;
}

int data_build(const struct data_request *request, struct error *err)
{
    struct data_progress progress;
    struct build_watch watch = { .tell = data_progress_tell, .user = &progress };
    struct data_set *set = NULL;

    if (request->output == NULL)
        return error_set(err, ERROR_FORMAT,
                         "data build: expected --output DIR, where the files are written");
    int layout = find_layout(request->layout, err);
    if (layout < 0)
        return layout;
    data_progress_begin(&progress, request->progress);
    data_progress_tell(&progress, "reading the data", 0, 0);
    int rc = data_set_open(&set, &request->config, LAYOUTS[layout].variants, err);
    if (rc == 0)
        rc = LAYOUTS[layout].write(set, request->output, &watch, err);
    data_progress_end(&progress);
    if (rc == 0 && LAYOUTS[layout].variants)
        printf("%s: %d groups of %d puzzles, %d examples; %d test rows; %d puzzle ids\n",
               request->output, data_set_info(set)->groups, data_set_info(set)->puzzles,
               data_set_info(set)->examples, data_set_info(set)->test_rows,
               data_set_info(set)->num_puzzle_identifiers);
    else if (rc == 0)
        printf("%s: %s\n", request->output, data_set_info(set)->counts);
    data_set_close(set);
    return rc;
}
