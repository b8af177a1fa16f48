/*
 * engine_setup.h - builds an engine's configuration from settings and the data's
 * sizes.
 */
#ifndef WORKER_ENGINE_SETUP_H
#define WORKER_ENGINE_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "engine.h"

struct config;

/*
 * Chooses the kernels (HRMLAB_KERNELS) and checks that OpenBLAS uses the core that
 * HRMLAB_BLAS_CORE asks for. Call it before the first engine_create().
 * ERROR_ENVIRONMENT: one of them is unknown, or this processor lacks it.
 */
int engine_setup_environment(struct error *err) MUST_CHECK;

/* The sizes that depend on the data. */
struct engine_setup_data {
    int seq_len; /* grid tokens of a row */
    int vocab_size;
    int num_puzzle_identifiers; /* the blank included */
    int64_t total_steps;        /* of the training's schedule */
};

/* The number of steps at the beginning of a training of so many that leave the trunk as
 * it is (train.freeze): none, the first or all. */
int64_t engine_setup_trunk_rests(const struct config *config, int64_t total_steps);

/* config must be resolved. engine_create() checks bounds that depend on the data. */
void engine_setup(struct engine_config *out, const struct config *config,
                  const struct engine_setup_data *data, bool inference_only);

#endif
