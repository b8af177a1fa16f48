/* pieces.c - follows the layout of the parameters. */
#include "pieces.h"

#include <stdlib.h>

#include "engine_internal.h"

static int count_layers(const struct engine *engine)
{
    int layers = 0;

    for (int m = 0; m < MODULE_COUNT; m++)
        layers += engine->modules[m].layers;
    return layers;
}

/* A piece for each layer; returns the floats from the first of the layers to the
 * last. */
static struct float_range cut_layers(struct engine *engine)
{
    struct pieces *pieces = &engine->pieces;
    struct float_range layers = { engine->parameter_floats, 0 };

    for (int m = 0; m < MODULE_COUNT; m++)
        for (int i = engine->modules[m].layers - 1; i >= 0; i--) {
            struct layer_weights *w = &engine->modules[m].weights[i];

            w->piece = pieces->early;
            pieces->ranges[pieces->early++] = (struct float_range){ w->first, w->end };
            layers.first = w->first < layers.first ? w->first : layers.first;
            layers.end = w->end > layers.end ? w->end : layers.end;
        }
    return layers;
}

int pieces_build(struct engine *engine, struct error *err)
{
    struct pieces *pieces = &engine->pieces;
    struct float_range layers = { 0, 0 };

    pieces->floats = engine->parameter_floats;
    pieces->ranges = calloc((size_t)count_layers(engine) + 2, sizeof *pieces->ranges);
    if (pieces->ranges == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of gradients");
    if (engine->ranks != NULL)
        layers = cut_layers(engine);
    pieces->count = pieces->early;
    if (layers.first > 0)
        pieces->ranges[pieces->count++] = (struct float_range){ 0, layers.first };
    if (layers.end < pieces->floats)
        pieces->ranges[pieces->count++] = (struct float_range){ layers.end, pieces->floats };
    return 0;
}

void pieces_release(struct pieces *pieces)
{
    free(pieces->ranges);
    *pieces = (struct pieces){ 0 };
}
