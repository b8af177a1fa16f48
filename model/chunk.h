/*
 * chunk.h - embedding and segment of a chunk of rows, forwards and backwards.
 */
#ifndef MODEL_CHUNK_H
#define MODEL_CHUNK_H

#include "activations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* Embeds the input of rows first .. first + rows - 1 of a carry into STATE_X; adds to
 * the gradients of the embeddings from dstate[STATE_X]. */
void chunk_embed(struct engine *engine, const struct carry *carry, int first, int rows);
void chunk_embed_backward(struct engine *engine, const struct carry *carry, int first,
                          int rows);
/* Work of one chunk's segment, and of its backward pass, in the units of
 * engine_watch. */
int64_t segment_work(const struct engine *engine);
int64_t segment_backward_work(const struct engine *engine);
/* Runs one segment in place on the states, which point at the chunk's first row. keep:
 * calls with gradient cache their activations for the backward pass. These functions
 * return false when the watch has asked to abandon the step. */
bool chunk_segment(struct engine *engine, float *const states[STATE_COUNT], int rows,
                   bool keep);
/* The same without cached activations; also writes what engine_record_residuals()
 * records of these rows, the first of which is that row of the batch. */
bool chunk_segment_measured(struct engine *engine, float *const states[STATE_COUNT], int first,
                            int rows);
/* The target segment, on a copy of the states. Its result is z_H at position 0, in
 * engine->target_first (rows, D). */
bool chunk_segment_first(struct engine *engine, float *const states[STATE_COUNT], int rows);
/* Backward pass of the segment: from the gradient of the head's state in dstate to that
 * of x in dstate[STATE_X]. */
bool chunk_segment_backward(struct engine *engine, int rows);

/* norm(now - old) / norm(old) over n values, summed in double; 0 where nothing
 * moved. */
float relative_change(const float *old, const float *now, size_t n);

#endif
