/*
 * chunk.h - embedding and segment of a chunk of rows, forwards and backwards.
 */
#ifndef MODEL_CHUNK_H
#define MODEL_CHUNK_H

#include "activations.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

/* The embedded input of rows first .. first + rows of a carry, into STATE_X; and the
 * gradients of the embeddings from dstate[STATE_X]. */
void chunk_embed(struct engine *engine, const struct carry *carry, int first, int rows);
void chunk_embed_backward(struct engine *engine, const struct carry *carry, int first,
                          int rows);
/* Work of a segment, and of its backward pass, of one chunk, in the units of
 * engine_watch. */
int64_t segment_work(const struct engine *engine);
int64_t segment_backward_work(const struct engine *engine);
/* One segment in place on the states, which point at the chunk's first row. keep: calls
 * with gradient keep their activations. false, also below: the watch has asked to
 * abandon the step. */
bool chunk_segment(struct engine *engine, float *const states[STATE_COUNT], int rows,
                   bool keep);
/* The same without keeping anything, and the residuals (rows, segment.count) of its
 * calls. */
bool chunk_segment_measured(struct engine *engine, float *const states[STATE_COUNT], int rows,
                            float *residuals);
/* The target segment: from a copy of the states, only z_H at position 0 is left, in
 * engine->target_first. */
bool chunk_segment_first(struct engine *engine, float *const states[STATE_COUNT], int rows);
/* dstate[STATE_Z_H] holds the gradient of z_H; leaves dstate[STATE_X] that of x. */
bool chunk_segment_backward(struct engine *engine, int rows);

#endif
