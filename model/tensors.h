/*
 * tensors.h - the table of an engine's tensors, and the offsets of each module's
 * weights.
 */
#ifndef MODEL_TENSORS_H
#define MODEL_TENSORS_H

#include "engine.h"

#include <stddef.h>
#include <stdint.h>

/* One tensor. Layout, initialisation and state access follow from the table of
 * these. */
struct parameter {
    char name[96];
    enum engine_state_kind kind; /* ENGINE_PARAMETER or ENGINE_BUFFER */
    int rank;
    int64_t dims[3];
    size_t elements;
    /* in floats, in the parameter block or the buffer block */
    size_t offset;
    double init_std;   /* truncated normal of this deviation; 0: ... */
    double init_value; /* ... this constant */
};

/* Offsets of a layer's weights in the parameter block; also in gradients, m and v. */
struct layer_weights {
    size_t qkv, o_proj, gate_up, down;
    size_t t_gate_up, t_down; /* of mlp_t, in place of qkv and o_proj */
    size_t first, end;        /* all of them, and nothing else, from first to end - 1 */
    int piece;                /* of the gradients (pieces.h), with several ranks */
};

struct module {
    int layers;
    struct layer_weights *weights; /* (layers), owned */
};

#endif
