/*
 * memory.h - an engine's sizes, and its blocks of memory laid out from them.
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include "error.h"

#include <stdbool.h>

struct engine;

/* The sizes and row distances that follow from engine->config. */
void memory_set_sizes(struct engine *engine);
/* All blocks, after parameters_build() and segment_build(). ERROR_NOMEM names the block
 * and its MiB; memory_release() frees what there is. */
int memory_allocate(struct engine *engine, struct error *err) MUST_CHECK;
void memory_release(struct engine *engine);
/* The block of the forward residuals, or none. ERROR_NOMEM. */
int memory_allocate_residuals(struct engine *engine, struct error *err) MUST_CHECK;
void memory_release_residuals(struct engine *engine);

#endif
