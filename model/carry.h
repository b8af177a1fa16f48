/*
 * carry.h - the batch rows of an engine, from one step to the next.
 */
#ifndef MODEL_CARRY_H
#define MODEL_CARRY_H

#include "activations.h"

struct engine;
struct engine_batch;

/* Resets one row of a carry to the initial vectors and 0 steps. */
void carry_reset_row(const struct engine *engine, struct carry *carry, int row);
/* The same, and copies that row's data from a batch. */
void carry_load_row(const struct engine *engine, struct carry *carry, int row,
                    const struct engine_batch *batch);
/* Points states at the states of row `first` of a carry, and STATE_X at the chunk's
 * embedded input. */
void carry_states(const struct engine *engine, float *states[STATE_COUNT],
                  const struct carry *carry, int first);
/* Keeps only the `count` rows listed, in ascending order: row rows[i] becomes row i. */
void carry_keep_rows(const struct engine *engine, struct carry *carry, const int *rows,
                     int count);

#endif
