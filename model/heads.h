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
/* q values of `rows` rows from their z at position 0; z of row r is at z + r * ld. */
void head_q(const struct engine *engine, float *q_halt, float *q_continue, const float *z,
            size_t ld, int rows);
/* Computes the logits of a chunk into chunk_logits and copies those of grid positions
 * into engine->logits. */
void head_logits(struct engine *engine, const float *z, int first, int rows);
/* Scores row first + r from chunk_logits and writes its predictions; with gradient also
 * the gradient of the loss times scale, into its dlogits. */
struct row_score head_score_row(struct engine *engine, const struct carry *carry, int first,
                                int r, double scale, bool gradient);
/* Backward pass of the heads: from dlogits and dq (the gradients of q_halt and
 * q_continue of each row) to the gradient of z, in dstate of the head's state. */
void head_backward(struct engine *engine, const float *z, const float *dq, int rows);
/* Binary cross-entropy with a logit. */
double binary_cross_entropy(double logit, double target);
double sigmoid(double x);

#endif
