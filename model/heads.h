/*
 * heads.h - logits, q values, token losses, and their gradients.
 */
#ifndef MODEL_HEADS_H
#define MODEL_HEADS_H

#include "activations.h"

#include <stdbool.h>
#include <stddef.h>

struct engine;

struct row_score {
    double loss; /* mean cross-entropy over labelled positions */
    int labelled, right;
};
/* q values of rows whose z at position 0 stand ld apart. */
void head_q(const struct engine *engine, float *q_halt, float *q_continue, const float *z,
            size_t ld, int rows);
/* Logits of the chunk into chunk_logits, and the grid positions into engine->logits. */
void head_logits(struct engine *engine, const float *z, int first, int rows);
/* Scores row (first + r) from chunk_logits, writes its predictions; with gradient also
 * its dlogits, scaled by scale. */
struct row_score head_score_row(struct engine *engine, const struct carry *carry, int first,
                                int r, double scale, bool gradient);
/* dstate[STATE_Z_H] = gradient of logits and q (dq: two floats per row) with respect to
 * z. */
void head_backward(struct engine *engine, const float *z, const float *dq, int rows);
/* Binary cross-entropy with a logit. */
double binary_cross_entropy(double logit, double target);
double sigmoid(double x);

#endif
