/*
 * engine_setup.h - from a configuration and the data's sizes to an engine's
 * configuration.
 */
#ifndef WORKER_ENGINE_SETUP_H
#define WORKER_ENGINE_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "engine.h"

struct config;

/*
 * Chooses the kernels (HRMLAB_KERNELS) and checks that OpenBLAS runs the core that
 * HRMLAB_BLAS_CORE asks for. Before the first engine. ERROR_ENVIRONMENT: one of them
 * names something unknown, or something this processor lacks.
 */
int engine_setup_environment(struct error *err) MUST_CHECK;

/* What the data decides. */
struct engine_setup_data {
    int seq_len; /* grid tokens of a row */
    int vocab_size;
    int num_puzzle_identifiers; /* the blank included */
    int64_t total_steps;        /* of the training's schedule */
};

/* config must be resolved. Bounds that depend on the data are engine_create()'s to
 * check. */
void engine_setup(struct engine_config *out, const struct config *config,
                  const struct engine_setup_data *data, bool inference_only);

#endif
