/*
 * init_weights.h - puts the weights of another training, or of a file, into an engine.
 *
 * A tensor is taken where its name and shape are those of the engine's; every other one
 * is named in what is found. Names are the published ones, with anything before
 * "inner." ("_orig_mod.", "model.") left out; averages of the weights stand under
 * "ema.". Moments are never taken. The rows of the puzzle embedding go by the names of
 * their ids, where both sides have names (a run has those that it was trained on), else
 * by number.
 */
#ifndef WORKER_INIT_WEIGHTS_H
#define WORKER_INIT_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct data_set;
struct engine;
struct job;
struct report;
struct safetensors_file;

/* In the order of train.puzzle_rows' choices. */
enum puzzle_rows { PUZZLE_ROWS_MEAN, PUZZLE_ROWS_ZERO, PUZZLE_ROWS_NORMAL };

/* What was taken. */
struct init_found {
    int tensors, taken; /* of the engine, the puzzle embedding apart */
    char *left;         /* owned; names of the engine's that were not, "a, b"; "" */
    char *unused;       /* owned; names of the file's that the engine does not have */
    bool averages;      /* the file has averages, and the engine takes them */
    int rows_kept, rows_new, rows_unused; /* of the puzzle embedding */
};
void init_found_release(struct init_found *found);

/* All tensors but the puzzle embedding. ERROR_FORMAT: not one fits; path is for
 * messages. */
int init_weights_tensors(struct init_found *found, struct engine *engine,
                         const struct safetensors_file *file, const char *path,
                         struct error *err) MUST_CHECK;

/* How the rows of the puzzle embedding are found. */
struct init_rows {
    /* borrowed; the data of the file's ids and of the engine's; either NULL: by
     * number */
    const struct data_set *from, *to;
    enum puzzle_rows fresh;
    uint64_t seed; /* of PUZZLE_ROWS_NORMAL */
};
/* The rows of the puzzle embedding, of an engine and a file that have one of the same
 * length; else nothing, and no row is kept. */
int init_weights_rows(struct init_found *found, struct engine *engine,
                      const struct safetensors_file *file, const struct init_rows *rows,
                      struct error *err) MUST_CHECK;

/* Does both for a job, whose data are open in set, with an event `init_from` and a line
 * in the log. The engine holds the seed's weights. ERROR_DAMAGED or ERROR_ABSENT: the
 * weights are gone or damaged. */
int init_weights_job(const struct job *job, struct engine *engine, const struct data_set *set,
                     struct report *report, struct error *err) MUST_CHECK;

#endif
