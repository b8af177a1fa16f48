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
    /* the weights of the run that it begins with, or they are gone */
    bool base_damaged;
    int64_t step;
    double train_seconds, evaluation_seconds; /* as in struct train_position */
    /* of the last checkpoint written; empty: there is none */
    char weights_hash[HASH_HEX_SIZE];
};

/*
 * Trains to the end, beginning with the newest valid checkpoint from which the job may
 * resume or with the seed's weights, and evaluates. *out is always filled.
 * ERROR_STOPPED: a stop was requested; the message tells at which step, and which
 * checkpoint counts. A step with more than half a second left was abandoned; otherwise
 * a checkpoint of the last step was written. Writes all events but `error` and `end`.
 */
int train_run(const struct train_context *context, struct train_end *out,
              struct error *err) MUST_CHECK;

#endif
