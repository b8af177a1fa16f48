/*
 * data_source.h - the tasks that the data settings name, before any augmentation.
 */
#ifndef WORKER_DATA_SOURCE_H
#define WORKER_DATA_SOURCE_H

#include "data_files.h"
#include "kind.h"

struct data_source {
    const struct data_kind *kind; /* an entry of the table */
    void *content;                /* owned; only the kind knows what it is */
    int task_count;
    int side;   /* of the canvas or board */
    char *text; /* owned; "builtin:arc-style, generator seed 0" */
    /* owned; in words, how many are trained on, tested on, left out and why */
    char *counts;
    int left_out;             /* tasks that were read but not chosen */
    struct data_files files;  /* what was read */
    char hash[HASH_HEX_SIZE]; /* of the content of the tasks kept, never of a path */
};

int data_source_read(struct data_source *out, const struct config *config,
                     struct error *err) MUST_CHECK;
void data_source_release(struct data_source *source);

#endif
