/* mark_file.c - marks.json, written whole. */
#include "mark_file.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char NAME[] = "marks.json";

int mark_file_write(const struct workspace *workspace, struct store *store, struct error *err)
{
    char *path = workspace_path(workspace, NAME), *text = NULL;
    cJSON *json = NULL;
    int rc = path == NULL ? error_no_memory(err, "a path") : mark_to_json(store, &json, err);

    if (rc == 0) {
        text = cJSON_Print(json);
        rc = text == NULL ? error_no_memory(err, "marks")
                          : file_write_atomic(path, text, strlen(text), err);
    }
    cJSON_Delete(json);
    free(text);
    free(path);
    return rc;
}

int mark_file_read(const struct workspace *workspace, struct store *store, struct error *err)
{
    struct error why = { 0 };
    char *path = workspace_path(workspace, NAME);
    cJSON *json = NULL;

    if (path == NULL)
        return error_no_memory(err, "a path");
    int rc = file_exists(path) ? json_read_file(&json, path, JSON_SPEC_LIMIT, err) : 0;
    if (rc == 0 && json != NULL) {
        rc = mark_from_json(store, json, &why);
        if (rc < 0)
            error_set(err, why.code, "%s: %s", path, why.message);
    }
    cJSON_Delete(json);
    free(path);
    return rc;
}
