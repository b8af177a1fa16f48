/*
 * trajectory.h - measures how answers and states change between outer steps, over the
 * labelled rows of one inference pass.
 *
 * A row's contribution depends on its own outputs alone, and sums run over the rows in
 * stored order, so results do not depend on the batch size. A row that has left the
 * batch (ACT at inference) counts with its last answer and q_halt.
 */
#ifndef WORKER_TRAJECTORY_H
#define WORKER_TRAJECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "error.h"
#include "measure.h"

struct trajectory; /* opaque */

/* Records steps outer steps of an engine of this configuration, of which so many layers
 * are measured (engine_measured_layers()). ERROR_NOMEM. */
int trajectory_create(struct trajectory **out, const struct engine_config *config, int layers,
                      int steps, struct error *err) MUST_CHECK;
void trajectory_destroy(struct trajectory *trajectory); /* NULL allowed */

/* Begins a batch: its rows and their labels (rows, T), borrowed until the next call. */
void trajectory_begin(struct trajectory *trajectory, const int32_t *labels, int rows);

/* Outputs of an outer step for the slots still in the engine. */
struct trajectory_outputs {
    const int32_t *predictions;   /* (slots, T) */
    const float *q_halt;          /* (slots), logits */
    const double *loss;           /* (slots), token loss */
    const uint8_t *halt_test;     /* (slots), the system's halting test */
    const float *residuals;       /* (slots, module calls of an outer step) */
    const float *layer_residuals; /* (slots, measured layers); NULL: there are none */
    const int *origin;            /* (slots) the row of the batch, ascending */
    int slots;
    /* (slots, D), zH and zL averaged over the positions; NULL: the system has none */
    const float *means[2];
};
/* Adds an outer step. step: from 1, each once per batch; slots may be 0. */
void trajectory_take(struct trajectory *trajectory, int step,
                     const struct trajectory_outputs *outputs);

/* Number of values that a list measure has over the first outer steps. */
int trajectory_count(const struct trajectory *trajectory, enum metric measure, int steps);
/* Reads these values, beginning at position 1; NaN: no value at that position. */
void trajectory_read(const struct trajectory *trajectory, enum metric measure, int steps,
                     double *out);

#endif
