/*
 * layers.h - the post-norm layers of a module, forwards and backwards, over a chunk of
 * rows.
 */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H

#include "activations.h"

#include <stdbool.h>

struct engine;

/* Rounds and packs the weights of source, the parameters or averages, where that is to
 * be done. */
void layers_prepare(struct engine *engine, float *source);
/*
 * A module over a chunk: h is (rows * S, D), in place. These functions return false
 * when the watch has asked to abandon the step.
 */
bool module_forward(struct engine *engine, enum system_module module, float *h, int rows);
/* The same, but only position 0 of the last layer's output is computed: first (rows,
 * D). */
bool module_forward_first(struct engine *engine, enum system_module module, float *first,
                          float *h, int rows);
/* Keeps activations in kept[0..layers]; kept[0].in is the input, kept[layers].in the
 * output. */
bool module_forward_kept(struct engine *engine, enum system_module module,
                         struct kept_layer *kept, int rows);
/* dh: gradient of the output in, of the input out. Adds to the weight gradients. */
bool module_backward(struct engine *engine, enum system_module module, struct kept_layer *kept,
                     float *dh, int rows);

#endif
