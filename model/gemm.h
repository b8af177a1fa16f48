/*
 * gemm.h - the matrix products of linear layers; the only door to the BLAS library.
 *
 * A weight is a handle: its float32 master today; a converted copy can be added here without
 * a change to the callers. Matrices are row-major, rows ld apart.
 */
#ifndef MODEL_GEMM_H
#define MODEL_GEMM_H

struct gemm_weight {
    const float *data; /* (outputs, inputs), borrowed from the parameter block */
    int outputs, inputs;
};

/* y (rows, outputs) = x (rows, inputs) W^T, or y += when accumulate is not 0. */
void gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w, int rows,
                  int accumulate);
/* dx (rows, inputs) = dy (rows, outputs) W, or dx +=. */
void gemm_backward_input(float *dx, int ldx, const float *dy, int ldy, struct gemm_weight w,
                         int rows, int accumulate);
/* dw (outputs, inputs) += dy^T x. */
void gemm_backward_weight(float *dw, const float *dy, int ldy, const float *x, int ldx,
                          int outputs, int inputs, int rows);

#endif
