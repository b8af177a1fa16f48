/*
 * parameters.h - the table of an engine's tensors, and their initial values.
 */
#ifndef MODEL_PARAMETERS_H
#define MODEL_PARAMETERS_H

#include "error.h"

#include <stdint.h>

struct engine;

/* Builds the table of tensors, their offsets and the modules from engine->config.
 * ERROR_NOMEM. */
int parameters_build(struct engine *engine, struct error *err) MUST_CHECK;
/* Draws every parameter and buffer from the seed, as in model.md section 1. */
void parameters_initialise(struct engine *engine, uint64_t seed);

#endif
