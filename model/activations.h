/*
 * activations.h - data of batch rows: the carry from step to step, and the cached
 * activations of a layer.
 */
#ifndef MODEL_ACTIVATIONS_H
#define MODEL_ACTIVATIONS_H

#include "systems.h"

#include <stdint.h>

/* Cached activations of a layer: what its forward pass saves for its backward pass. R =
 * chunk rows * S. */
struct kept_layer {
    float *in;       /* (R, D) input of the layer = output of the one before */
    float *qkv;      /* (R, ld_qkv) after RoPE; becomes its own gradient */
    float *keep;     /* (rows, N, 2, S), see attention_forward in kernels.h */
    float *att;      /* (R, A) */
    float *mid;      /* (R, D) output of the attention half */
    float *mid_rstd; /* (R) */
    float *gate_up;  /* (R, ld_gate_up); becomes its own gradient */
    float *out_rstd; /* (R) */

    /* With mlp_t these replace qkv, keep, att and mid_rstd. Their rows are the rows * D
     * channels. */
    float *t_in;      /* (rows * D, S) the input transposed */
    float *t_gate_up; /* (rows * D, ld_t); becomes its own gradient */
    float *t_out;     /* (rows * D, S) mid transposed */
    float *t_rstd;    /* (rows * D) */
};

/* Batch rows with their data, states and counters, from one step to the next. */
struct carry {
    float *z[CARRY_STATES]; /* (B, S, D) each; NULL: the system has no such state */
    int32_t *steps;         /* (B) */
    int32_t *inputs;        /* (B, T) */
    int32_t *labels;        /* (B, T) */
    int32_t *identifiers;   /* (B) */
    uint8_t *halted;        /* (B) */
    int rows;               /* rows in use: B in training */
    /* those whose z this rank has, from first to end - 1; all of one process */
    int own_first, own_end;
};

#endif
