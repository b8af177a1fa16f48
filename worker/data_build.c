/* data_build.c - writes tasks as ARC JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arc_task.h"
#include "data_command.h"
#include "data_source.h"
#include "error.h"
#include "file.h"

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

static int write_arc(const struct data_source *source, const char *directory, struct error *err)
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

static const struct {
    const char *name;
    int (*write)(const struct data_source *source, const char *directory, struct error *err);
} LAYOUTS[] = {
    { "arc", write_arc },
};
enum { LAYOUT_COUNT = sizeof LAYOUTS / sizeof *LAYOUTS };

/* The index of the layout called name, the first where there is no name. */
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
    struct data_source source = { 0 };

    if (request->output == NULL)
        return error_set(err, ERROR_FORMAT,
                         "data build: expected --output DIR, where the files are written");
    int layout = find_layout(request->layout, err);
    int rc = layout < 0 ? layout : data_source_read(&source, &request->config, err);
    if (rc == 0)
        rc = LAYOUTS[layout].write(&source, request->output, err);
    data_source_release(&source);
    return rc;
}
