/*
 * tensors.h - the table of an engine's tensors, and where each module finds its
 * weights.
 */
#ifndef MODEL_TENSORS_H
#define MODEL_TENSORS_H

#include "engine.h"

#include <stddef.h>
#include <stdint.h>

/* One row of the table from which layout, initialisation and state access all
 * follow. */
struct parameter {
    char name[96];
    enum engine_state_kind kind; /* ENGINE_PARAMETER or ENGINE_BUFFER */
    int rank;
    int64_t dims[3];
    size_t elements;
    /* in floats, in the parameter block or, for a buffer, that block */
    size_t offset;
    double init_std;   /* truncated normal of this deviation; 0: zeros ... */
    double init_value; /* ... or this constant */
};

/* Offsets of a layer's weights in the parameter block (the same in gradients, m, v). */
struct layer_weights {
    size_t qkv, o_proj, gate_up, down;
    size_t t_gate_up, t_down; /* of mlp_t, in place of qkv and o_proj */
};

struct module {
    int layers;
    struct layer_weights *weights; /* (layers), owned */
};

#endif
