/*
 * trajectory.h - how answers and states change from one outer step to the next, over
 * the labelled rows of one inference pass.
 *
 * A row's contribution follows from its own outputs alone, and sums run over the rows
 * in stored order, so results do not depend on the batch size. A row that has left the
 * batch (ACT at inference) has the answer and q_halt that it left with, and changes no
 * more.
 */
#ifndef WORKER_TRAJECTORY_H
#define WORKER_TRAJECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "error.h"
#include "measure.h"

struct trajectory; /* opaque */

/* Of as many outer steps, on an engine of this configuration. ERROR_NOMEM. */
int trajectory_create(struct trajectory **out, const struct engine_config *config, int steps,
                      struct error *err) MUST_CHECK;
void trajectory_destroy(struct trajectory *trajectory); /* NULL allowed */

/* A new batch: rows, and their labels (rows, T), borrowed until the next one. */
void trajectory_begin(struct trajectory *trajectory, const int32_t *labels, int rows);

/* What an outer step left in the slots of the batch that are still computed. */
struct trajectory_outputs {
    const int32_t *predictions; /* (slots, T) */
    const float *q_halt;        /* (slots), logits */
    const double *loss;         /* (slots), token loss */
    const uint8_t *halt_test;   /* (slots), the system's halting test */
    const float *residuals;     /* (slots, module calls of an outer step) */
    const int *origin;          /* (slots) the row of the batch, ascending */
    int slots;
};
/* step: from 1, each once for every batch; slots may be 0. */
void trajectory_take(struct trajectory *trajectory, int step,
                     const struct trajectory_outputs *outputs);

/* How many values the measure, one that is a list, has over the first outer steps. */
int trajectory_count(const struct trajectory *trajectory, enum metric measure, int steps);
/* Those values, from position 1 on; NaN: none at that position. */
void trajectory_read(const struct trajectory *trajectory, enum metric measure, int steps,
                     double *out);

#endif
