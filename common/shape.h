/*
 * shape.h - arithmetic of shapes: widths, parameter counts and FLOPs, from sizes alone.
 */
#ifndef COMMON_SHAPE_H
#define COMMON_SHAPE_H

#include "shape_widths.h"

#include <stdint.h>

struct config;

struct shape {
    int positions;             /* S = P + (2K + 1) T */
    int prefix;                /* P */
    int intermediate_size;     /* F */
    int mlp_t_size;            /* F_S, width of arch.mlp_t; 0: attention */
    int head_size;             /* d */
    int64_t parameters;        /* trained by AdamATan2 */
    int64_t puzzle_parameters; /* num_puzzle_identifiers * E */
    /* one training step of the whole batch, target Q every n counted; with a
     * schedule of cycles the mean over the training */
    double train_step_flops;
    double eval_row_step_flops; /* one evaluation outer step of one row */
};

/* seq_len: T, of one grid. FLOPs are counted from the sizes: per layer and position
 * 8D^2 + 6DF + 4SD (where N does not divide D, 8D(Nd) and 4S(Nd); with mlp_t, 6DF_S
 * in place of attention's 8D^2 + 4SD), and 2DV for the heads. A training step counts
 * every layer pass of the segment and of the target segment, if the system has one,
 * and twice more those that carry gradient. */
void shape_compute(struct shape *out, const struct config *config, int seq_len, int vocab_size,
                   int num_puzzle_identifiers);

#endif
