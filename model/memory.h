/*
 * memory.h - computes an engine's sizes and allocates its memory blocks.
 */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include "error.h"

#include <stdbool.h>

struct engine;

/* Computes the sizes and row distances that follow from engine->config. */
void memory_set_sizes(struct engine *engine);
/* Allocates all blocks; parameters_build() and segment_build() come first. ERROR_NOMEM:
 * the message names the block and its MiB. memory_release() frees all blocks that there
 * are. */
int memory_allocate(struct engine *engine, struct error *err) MUST_CHECK;
/* The cached activations anew, for another segment. ERROR_NOMEM: there are none. */
int memory_replace_kept(struct engine *engine, struct error *err) MUST_CHECK;
void memory_release(struct engine *engine);
/* Allocates, or frees, the block of the forward residuals. ERROR_NOMEM. */
int memory_allocate_residuals(struct engine *engine, struct error *err) MUST_CHECK;
void memory_release_residuals(struct engine *engine);
/* The same of the block of changes over an outer step. */
int memory_allocate_change(struct engine *engine, struct error *err) MUST_CHECK;
void memory_release_change(struct engine *engine);

#endif
