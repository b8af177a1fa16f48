/*
 * grid_list.h - distinct grids by number, packed: in memory and as two tensors of a
 * file.
 */
#ifndef WORKER_GRID_LIST_H
#define WORKER_GRID_LIST_H

#include <stdint.h>

#include "error.h"

struct grid;
struct safetensors_file;
struct safetensors_tensor;

struct grid_list {
    /* owned; of each grid: rows, columns, then its cells; from starts[i] to
     * starts[i + 1] */
    uint8_t *cells;
    int64_t *starts; /* owned; (count + 1) */
    int count;
};

void grid_list_release(struct grid_list *list); /* a zeroed one too */
/* The grid of that number, which must be there. */
void grid_list_get(struct grid *out, const struct grid_list *list, int number);

/* The tensors "starts" (I64) and "cells" (U8), to be written; they borrow the list. */
struct safetensors_tensor grid_list_starts(const struct grid_list *list);
struct safetensors_tensor grid_list_cells(const struct grid_list *list);
/* Copies these tensors out of the file of that path. ERROR_DAMAGED (they are not there
 * or contradict each other), ERROR_NOMEM. Release *out in any case. */
int grid_list_take(struct grid_list *out, const struct safetensors_file *file, const char *path,
                   struct error *err) MUST_CHECK;

#endif
