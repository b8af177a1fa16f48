/*
 * train.h - the training of one attempt: resume, steps, metrics, checkpoints,
 * evaluations.
 *
 * The clock decides when progress is reported and a checkpoint is written, never what
 * is computed: a resumed training gives the same bits as an undisturbed one.
 */
#ifndef WORKER_TRAIN_H
#define WORKER_TRAIN_H

#include <stdint.h>

#include "error.h"
#include "engine.h"
#include "hash.h"

struct batches;
struct data_set;
struct job;
struct report;

struct train_context {
    const struct job *job;              /* borrowed */
    struct engine *engine;              /* borrowed */
    const struct engine_config *config; /* borrowed; the engine's */
    const struct data_set *set;         /* borrowed; with variants */
    struct batches *batches;            /* borrowed */
    struct report *report;              /* borrowed */
};

struct train_end {
    bool diverged;
    int64_t step;
    double train_seconds, evaluation_seconds; /* as in struct train_position */
    /* of the last checkpoint written; empty: none */
    char weights_hash[HASH_HEX_SIZE];
};

/*
 * Trains from the newest valid checkpoint that the job allows to go on from, or from
 * the seed's weights, to the end, and evaluates. *out is filled whatever is returned.
 * ERROR_STOPPED: a stop was asked for, and the message tells where and which checkpoint
 * counts. A step that would have gone on for more than half a second was abandoned;
 * otherwise a checkpoint of the last step has been written. All events but `error` and
 * `end` are written.
 */
int train_run(const struct train_context *context, struct train_end *out,
              struct error *err) MUST_CHECK;

#endif
