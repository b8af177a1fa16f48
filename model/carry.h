/*
 * carry.h - the rows that an engine works on, from step to step.
 */
#ifndef MODEL_CARRY_H
#define MODEL_CARRY_H

#include "activations.h"

struct engine;
struct engine_batch;

/* Row `row` of a carry back to the initial vectors and 0 steps. */
void carry_reset_row(const struct engine *engine, struct carry *carry, int row);
/* The same, with the data of that row of a batch. */
void carry_load_row(const struct engine *engine, struct carry *carry, int row,
                    const struct engine_batch *batch);
/* The states of rows first.. of a carry; STATE_X is the chunk's embedded input. */
void carry_states(const struct engine *engine, float *states[STATE_COUNT],
                  const struct carry *carry, int first);
/* Moves the rows named, ascending, to the front: rows[0] becomes row 0, and so on. */
void carry_keep_rows(const struct engine *engine, struct carry *carry, const int *rows,
                     int count);

#endif
