/*
 * layers.h - forward and backward pass of a module's post-norm layers over a chunk of
 * rows.
 */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H

#include "activations.h"

#include <stdbool.h>

struct engine;
struct module_call;

/* Rounds and packs the weights of source (the parameters or the averages), unless they
 * are prepared already. */
void layers_prepare(struct engine *engine, float *source);
/*
 * Forward pass of a module over a chunk, in place on h (rows * S, D). These functions
 * return false when the watch has asked to abandon the step.
 */
bool module_forward(struct engine *engine, enum system_module module, float *h, int rows);
/* One of its layers. */
bool module_forward_layer(struct engine *engine, enum system_module module, int layer, float *h,
                          int rows);
/* The same, but of the last layer only the output at position 0 is computed, into first
 * (rows, D). */
bool module_forward_first(struct engine *engine, enum system_module module, float *first,
                          float *h, int rows);
/* The same with cached activations in kept[0..layers]: kept[0].in is the input,
 * kept[layers].in the output. */
bool module_forward_kept(struct engine *engine, enum system_module module,
                         struct kept_layer *kept, int rows);
/* Backward pass of a call: dh, the gradient of the output, becomes that of the input.
 * Adds to the weight gradients; where none of the module's calls is left, gives those
 * of each layer to the sum over ranks. */
bool module_backward(struct engine *engine, const struct module_call *call,
                     struct kept_layer *kept, float *dh, int rows);

#endif
