/*
 * parameters.h - the table of an engine's tensors, and their initial values.
 */
#ifndef MODEL_PARAMETERS_H
#define MODEL_PARAMETERS_H

#include "error.h"

#include <stdint.h>

struct engine;

/* Builds the table, the modules and the offsets of all tensors of engine->config.
 * ERROR_NOMEM. */
int parameters_build(struct engine *engine, struct error *err) MUST_CHECK;
/* Every parameter and buffer as model.md section 1 has it, drawn from the seed. */
void parameters_initialise(struct engine *engine, uint64_t seed);

#endif
