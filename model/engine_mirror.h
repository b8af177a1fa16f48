/*
 * engine_mirror.h - what ranks other than 0 do beside the functions of engine.h, to
 * keep their engines equal to that of rank 0 (ranks.h).
 */
#ifndef MODEL_ENGINE_MIRROR_H
#define MODEL_ENGINE_MIRROR_H

#include "engine.h"

/* The data of ORDER_CREATE. */
struct engine_creation {
    struct engine_config config;
    /* what rank 0 multiplies with */
    char kernel_set[32], blas_core[32];
};

/* Receives state i from rank 0. */
void engine_state_receive(struct engine *engine, int i);
/* Sends this rank's rows of an output, or of a state, to rank 0, which receives
 * them. Does nothing where all ranks have them. */
void engine_gather_output(const struct engine *engine, enum engine_output output);
void engine_gather_state(const struct engine *engine, int i);

#endif
