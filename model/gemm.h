/*
 * gemm.h - GEMM of linear layers; the only file that calls the BLAS library is gemm.c.
 *
 * A struct gemm_weight refers to a float32 weight and to the packed copies that a
 * kernel set's own GEMM kernels read. Matrices are row-major, rows ld apart.
 */
#ifndef MODEL_GEMM_H
#define MODEL_GEMM_H

#include <stdbool.h>
#include <stddef.h>

struct gemm_kernels;

struct gemm_weight {
    const float *data; /* (outputs, inputs), borrowed from the parameter block */
    int outputs, inputs;
    /* packed for W^T and for W; borrowed. NULL: OpenBLAS */
    const void *panels, *panels_back;
    const struct gemm_kernels *kernels; /* the kernels that they are packed for */
    float *scratch;                     /* gemm_scratch(kernels) floats; borrowed */
};

/* Number of threads of OpenBLAS; a kernel set's own GEMM uses one. */
int gemm_blas_threads(void);
/* Whether these kernels (NULL: none) can multiply with a weight of this size. */
bool gemm_packs(const struct gemm_kernels *kernels, int outputs, int inputs);
/* Floats of scratch that the kernels need; 0 for NULL. */
size_t gemm_scratch(const struct gemm_kernels *kernels);
/* Packs the weight into panels and panels_back (outputs x inputs numbers each; NULL:
 * not wanted). halves: for gemm_forward_swiglu(). */
void gemm_pack(const struct gemm_kernels *kernels, void *panels, void *panels_back,
               const float *weight, int outputs, int inputs, bool halves);

/* y (rows, outputs) = x (rows, inputs) W^T, or y += when accumulate is not 0. */
void gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w, int rows,
                  int accumulate);
/* act (rows, outputs / 2) = silu(gate) * up, where (gate, up) = x W^T; keep (rows,
 * outputs), unless NULL, gets gate and up. Requires w.panels. */
void gemm_forward_swiglu(float *act, int ld_act, float *keep, int ld_keep, const float *x,
                         int ldx, struct gemm_weight w, int rows);
/* dx (rows, inputs) = dy (rows, outputs) W, or dx +=. */
void gemm_backward_input(float *dx, int ldx, const float *dy, int ldy, struct gemm_weight w,
                         int rows, int accumulate);
/* dw (outputs, inputs) += dy^T x. kernels NULL: OpenBLAS is used, and scratch may be
 * NULL. */
void gemm_backward_weight(const struct gemm_kernels *kernels, float *scratch, float *dw,
                          const float *dy, int ldy, const float *x, int ldx, int outputs,
                          int inputs, int rows);

#endif
