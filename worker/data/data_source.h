/*
 * data_source.h - the tasks that the data settings name, before any augmentation.
 */
#ifndef WORKER_DATA_SOURCE_H
#define WORKER_DATA_SOURCE_H

#include "error.h"
#include "arc_load.h"

struct config;

struct data_source {
    struct arc_tasks tasks; /* owned; sorted; a Sudoku is a task of one pair, cells 0..side */
    char *text;             /* owned; "builtin:arc-style, generator seed 0" */
    bool sudoku;
    int left_out; /* too large for the canvas, not in data.tasks, not in the subset */
    char hash[HASH_HEX_SIZE]; /* of the tasks kept */
};

int data_source_read(struct data_source *out, const struct config *config,
                     struct error *err) MUST_CHECK;
void data_source_release(struct data_source *source);

/* The built-in ARC-style tasks as ordinary tasks: even indices of a family are evaluation
 * tasks, odd ones training tasks. */
int data_source_arc_style(struct arc_tasks *out, uint64_t generator_seed, int tasks_per_family,
                          struct error *err) MUST_CHECK;

#endif
