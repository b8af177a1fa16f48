/* grid_list.c - grids in one block of bytes. */
#include "grid_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "safetensors.h"
#include "sealed_file.h"

void grid_list_release(struct grid_list *list)
{
    free(list->cells);
    free(list->starts);
    *list = (struct grid_list){ 0 };
}

void grid_list_get(struct grid *out, const struct grid_list *list, int number)
{
    assert(number >= 0 && number < list->count);
    const uint8_t *at = list->cells + list->starts[number];

    out->rows = at[0];
    out->columns = at[1];
    memcpy(out->cells, at + 2, (size_t)at[0] * at[1]);
}

struct safetensors_tensor grid_list_starts(const struct grid_list *list)
{
    return (struct safetensors_tensor){ .name = "starts",
                                        .dtype = SAFETENSORS_I64,
                                        .rank = 1,
                                        .dims = { list->count + 1 },
                                        .bytes = ((size_t)list->count + 1) * sizeof(int64_t),
                                        .data = list->starts };
}

struct safetensors_tensor grid_list_cells(const struct grid_list *list)
{
    return (struct safetensors_tensor){ .name = "cells",
                                        .dtype = SAFETENSORS_U8,
                                        .rank = 1,
                                        .dims = { list->starts[list->count] },
                                        .bytes = (size_t)list->starts[list->count],
                                        .data = list->cells };
}

int grid_list_take(struct grid_list *out, const struct safetensors_file *file, const char *path,
                   struct error *err)
{
    const struct safetensors_tensor *starts = safetensors_find(file, "starts");
    const struct safetensors_tensor *cells = safetensors_find(file, "cells");

    *out = (struct grid_list){ 0 };
    if (starts == NULL || cells == NULL || starts->dtype != SAFETENSORS_I64 ||
        cells->dtype != SAFETENSORS_U8 || starts->elements < 1 || starts->elements > INT32_MAX)
        return sealed_file_contradicts(path, err);
    out->count = (int)starts->elements - 1;
    out->starts = malloc(starts->bytes);
    out->cells = malloc(cells->bytes + 1);
    if (out->starts == NULL || out->cells == NULL)
        return error_no_memory(err, "the predictions");
    memcpy(out->starts, starts->data, starts->bytes);
    memcpy(out->cells, cells->data, cells->bytes);
    int64_t at = 0;
    for (int i = 0; i < out->count; i++) {
        int64_t next = out->starts[i + 1], left = (int64_t)cells->bytes - at;
        const uint8_t *grid = out->cells + at;

        if (out->starts[i] != at || left < 2 || grid[0] > GRID_MAX_SIDE ||
            grid[1] > GRID_MAX_SIDE || next != at + 2 + (int64_t)grid[0] * grid[1] ||
            next > (int64_t)cells->bytes)
            return sealed_file_contradicts(path, err);
        at = next;
    }
    return at == (int64_t)cells->bytes ? 0 : sealed_file_contradicts(path, err);
}
