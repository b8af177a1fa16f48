/*
 * activations.h - what a step holds of the rows it works on: the carry from step to
 * step, and what each layer leaves for its backward pass.
 */
#ifndef MODEL_ACTIVATIONS_H
#define MODEL_ACTIVATIONS_H

#include "systems.h"

#include <stdint.h>

/* What a layer that keeps gradient leaves for its backward pass; chunk rows R = rows *
 * S. */
struct kept_layer {
    float *in;       /* (R, D) input of the layer = output of the one before */
    float *qkv;      /* (R, ld_qkv) after RoPE; becomes its own gradient */
    float *keep;     /* (rows, N, 2, S) see attention_forward */
    float *att;      /* (R, A) */
    float *mid;      /* (R, D) after the attention half */
    float *mid_rstd; /* (R) */
    float *gate_up;  /* (R, ld_gate_up); becomes its own gradient */
    float *out_rstd; /* (R) */

    /* With mlp_t in place of qkv to att and mid_rstd: its rows are the rows * D
     * channels. */
    float *t_in;      /* (rows * D, S) the input transposed */
    float *t_gate_up; /* (rows * D, ld_t); becomes its own gradient */
    float *t_out;     /* (rows * D, S) mid transposed */
    float *t_rstd;    /* (rows * D) */
};

/* Rows in flight, their data and counters. */
struct carry {
    float *z[CARRY_STATES]; /* (B, S, D) each; NULL: the system has no such state */
    int32_t *steps;         /* (B) */
    int32_t *inputs;        /* (B, T) */
    int32_t *labels;        /* (B, T) */
    int32_t *identifiers;   /* (B) */
    uint8_t *halted;        /* (B) */
    int rows;               /* rows in use: B in training */
};

#endif
