/* arc_task.c - ARC JSON to grids, every fault named with its place. */
#include "arc_task.h"

#include "error.h"
#include "json.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int grid_read(struct grid *out, const cJSON *rows, const char *where, const char *name,
              const char *what, struct error *err)
{
    int r = 0, columns = -1;

    out->rows = out->columns = 0;
    if (rows == NULL || !cJSON_IsArray(rows) || rows->child == NULL)
        return error_set(err, ERROR_FORMAT, "%s: task %s, %s: expected a list of rows, not %s",
                         where, name, what,
                         cJSON_IsArray(rows) ? "an empty list" : json_type_name(rows));
    for (const cJSON *row = rows->child; row != NULL; row = row->next, r++) {
        int width = cJSON_IsArray(row) ? cJSON_GetArraySize(row) : 0, c = 0;
        if (r == GRID_MAX_SIDE)
            return error_set(err, ERROR_FORMAT,
                             "%s: task %s, %s: %d rows, but a grid has at most %d", where, name,
                             what, cJSON_GetArraySize(rows), GRID_MAX_SIDE);
        if (width == 0)
            return error_set(err, ERROR_FORMAT,
                             "%s: task %s, %s, row %d: expected a list of colours, not %s",
                             where, name, what, r + 1,
                             cJSON_IsArray(row) ? "an empty list" : json_type_name(row));
        if (width > GRID_MAX_SIDE)
            return error_set(err, ERROR_FORMAT,
                             "%s: task %s, %s, row %d: %d cells wide, but a grid is at most %d",
                             where, name, what, r + 1, width, GRID_MAX_SIDE);
        if (columns >= 0 && width != columns)
            return error_set(err, ERROR_FORMAT,
                             "%s: task %s, %s, row %d: %d cells, but the rows above have %d",
                             where, name, what, r + 1, width, columns);
        columns = width;
        for (const cJSON *cell = row->child; cell != NULL; cell = cell->next, c++) {
            double value = cJSON_IsNumber(cell) ? cell->valuedouble : -1.0;
            if (!(value >= 0 && value < GRID_COLOURS) || value > (double)(int)value) {
                char *text = json_canonical(cell);
                int rc = error_set(err, ERROR_FORMAT,
                                   "%s: task %s, %s, row %d, column %d: colour %.40s; colours "
                                   "are integers from 0 to 9",
                                   where, name, what, r + 1, c + 1, text != NULL ? text : "?");
                free(text);
                return rc;
            }
            out->cells[r * columns + c] = (uint8_t)value;
        }
    }
    out->rows = (uint8_t)r;
    out->columns = (uint8_t)columns;
    return 0;
}

static int read_pair(struct arc_pair *pair, const cJSON *json, const cJSON *solution,
                     bool needs_output, const char *where, const char *name, const char *kind,
                     int number, struct error *err)
{
    char what[64];

    snprintf(what, sizeof what, "%s pair %d", kind, number);
    if (!cJSON_IsObject(json))
        return error_set(
            err, ERROR_FORMAT,
            "%s: task %s, %s: expected an object with \"input\" and \"output\", not "
            "%s",
            where, name, what, json_type_name(json));
    snprintf(what, sizeof what, "%s pair %d, input", kind, number);
    int rc = grid_read(&pair->input, json_member(json, "input"), where, name, what, err);
    if (rc < 0)
        return rc;
    const cJSON *output = solution != NULL ? solution : json_member(json, "output");
    if (output == NULL && !needs_output)
        return 0;
    snprintf(what, sizeof what, "%s pair %d, output", kind, number);
    pair->has_output = true;
    return grid_read(&pair->output, output, where, name, what, err);
}

static int check_name(const char *name, const char *where, struct error *err)
{
    if (strlen(name) < ARC_NAME_SIZE && strstr(name, "|||") == NULL && name[0] != '\0' &&
        text_is_printable(name))
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "%s: task name \"%.80s\": expected 1 to %d bytes of UTF-8 without ||| "
                     "and control characters",
                     where, name, ARC_NAME_SIZE - 1);
}

static int check_lists(const cJSON *json, const char *name, const cJSON *train,
                       const cJSON *test, const cJSON *solutions, const char *where,
                       struct error *err)
{
    if (!cJSON_IsObject(json) || !cJSON_IsArray(train) || !cJSON_IsArray(test))
        return error_set(
            err, ERROR_FORMAT,
            "%s: task %s: expected an object with the lists \"train\" and \"test\"", where,
            name);
    int demonstrations = cJSON_GetArraySize(train), tests = cJSON_GetArraySize(test);
    if (demonstrations == 0 || tests == 0 || demonstrations + tests > ARC_MAX_PAIRS)
        return error_set(
            err, ERROR_FORMAT,
            "%s: task %s: %d train and %d test pairs; expected at least one of each "
            "and at most %d",
            where, name, demonstrations, tests, ARC_MAX_PAIRS);
    if (solutions != NULL &&
        (!cJSON_IsArray(solutions) || cJSON_GetArraySize(solutions) != tests))
        return error_set(err, ERROR_FORMAT,
                         "%s: task %s: the solutions are not a list of %d grids", where, name,
                         tests);
    return 0;
}

/* Gives the task its name and room for count pairs. */
static int make_room(struct arc_task *out, const char *name, int count, const char *where,
                     struct error *err)
{
    snprintf(out->name, sizeof out->name, "%s", name);
    out->pairs = calloc((size_t)count, sizeof *out->pairs);
    return out->pairs == NULL
               ? error_set(err, ERROR_NOMEM, "%s: no memory for task %s", where, name)
               : 0;
}

int arc_task_read(struct arc_task *out, const char *name, const cJSON *json,
                  const cJSON *solutions, const char *where, struct error *err)
{
    const cJSON *train = json_member(json, "train"), *test = json_member(json, "test");
    int rc = check_name(name, where, err);

    *out = (struct arc_task){ 0 };
    if (rc == 0)
        rc = check_lists(json, name, train, test, solutions, where, err);
    if (rc < 0)
        return rc;
    out->demonstrations = cJSON_GetArraySize(train);
    out->tests = cJSON_GetArraySize(test);
    rc = make_room(out, name, out->demonstrations + out->tests, where, err);
    struct arc_pair *at = out->pairs;
    int number = 1;
    for (const cJSON *pair = train->child; pair != NULL && rc == 0; pair = pair->next)
        rc = read_pair(at++, pair, NULL, true, where, name, "train", number++, err);
    const cJSON *solution = solutions != NULL ? solutions->child : NULL;
    number = 1;
    for (const cJSON *pair = test->child; pair != NULL && rc == 0; pair = pair->next) {
        rc = read_pair(at++, pair, solution, false, where, name, "test", number++, err);
        solution = solution != NULL ? solution->next : NULL;
    }
    if (rc < 0)
        arc_task_release(out);
    return rc;
}

int arc_task_read_list(struct arc_task *out, const char *name, const cJSON *json,
                       const char *where, struct error *err)
{
    int count = cJSON_GetArraySize(json), number = 1, rc = check_name(name, where, err);

    *out = (struct arc_task){ 0 };
    if (rc == 0 && (count == 0 || count > ARC_MAX_LIST_PAIRS))
        rc = error_set(err, ERROR_FORMAT,
                       "%s: task %s: a list of %d pairs; expected at least 1 and at most %d",
                       where, name, count, ARC_MAX_LIST_PAIRS);
    if (rc == 0)
        rc = make_room(out, name, count, where, err);
    for (const cJSON *pair = rc == 0 ? json->child : NULL; pair != NULL && rc == 0;
         pair = pair->next)
        rc = read_pair(&out->pairs[out->demonstrations++], pair, NULL, true, where, name,
                       "list,", number++, err);
    if (rc < 0)
        arc_task_release(out);
    return rc;
}

void arc_task_release(struct arc_task *task)
{
    free(task->pairs);
    free(task->file);
    *task = (struct arc_task){ 0 };
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

bool arc_task_has_hidden(const struct arc_task *task)
{
    for (int i = 0; i < task->tests; i++)
        if (!task->pairs[task->demonstrations + i].has_output)
            return true;
    return false;
}

int arc_task_side(const struct arc_task *task)
{
    int side = 0;

    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        const struct arc_pair *pair = &task->pairs[i];
        side = larger(side, larger(pair->input.rows, pair->input.columns));
        if (pair->has_output)
            side = larger(side, larger(pair->output.rows, pair->output.columns));
    }
    return side;
}

cJSON *grid_to_json(const struct grid *grid)
{
    cJSON *rows = cJSON_CreateArray();

    for (int r = 0; r < grid->rows && rows != NULL; r++) {
        int values[GRID_MAX_SIDE];
        for (int c = 0; c < grid->columns; c++)
            values[c] = grid->cells[r * grid->columns + c];
        cJSON *row = cJSON_CreateIntArray(values, grid->columns);
        if (row == NULL || !cJSON_AddItemToArray(rows, row)) {
            cJSON_Delete(row);
            cJSON_Delete(rows);
            return NULL;
        }
    }
    return rows;
}

static bool add_grid(cJSON *item, const char *name, const struct grid *grid)
{
    cJSON *rows = grid_to_json(grid);

    if (rows != NULL && cJSON_AddItemToObject(item, name, rows))
        return true;
    cJSON_Delete(rows);
    return false;
}

cJSON *arc_task_to_json(const struct arc_task *task)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *lists[2] = { cJSON_AddArrayToObject(json, "train"),
                        cJSON_AddArrayToObject(json, "test") };

    for (int i = 0; i < task->demonstrations + task->tests; i++) {
        const struct arc_pair *pair = &task->pairs[i];
        cJSON *item = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(lists[i >= task->demonstrations], item)) {
            cJSON_Delete(item);
            cJSON_Delete(json);
            return NULL;
        }
        if (!add_grid(item, "input", &pair->input) ||
            (pair->has_output && !add_grid(item, "output", &pair->output))) {
            cJSON_Delete(json);
            return NULL;
        }
    }
    return json;
}
