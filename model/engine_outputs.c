/* engine_outputs.c - copies out the results of the last step. */
#include "engine_internal.h"
#include "engine_mirror.h"
#include "ranks.h"

#include <string.h>

int engine_measured_layers(const struct engine *engine)
{
    const struct segment *segment = &engine->segment;

    return segment->count == 1 ? engine->modules[segment->calls[0].module].layers : 0;
}

/* Address and bytes of an output; *size is 0 when the engine has none. */
static const void *output_find(const struct engine *e, enum engine_output output, size_t *size)
{
    size_t B = (size_t)e->B, grid = B * (size_t)e->T;
    size_t z = B * (size_t)e->S * (size_t)e->D, table = (size_t)e->S * (size_t)e->d;
    const struct {
        const void *data;
        size_t bytes;
    } where[] = {
        [ENGINE_LOGITS] = { e->logits, grid * (size_t)e->V * sizeof(float) },
        [ENGINE_PREDICTIONS] = { e->predictions, grid * sizeof(int32_t) },
        [ENGINE_Q_HALT] = { e->q_halt, B * sizeof(float) },
        [ENGINE_Q_CONTINUE] = { e->q_continue, B * sizeof(float) },
        [ENGINE_TARGET_Q_CONTINUE] = { e->target_q, B * sizeof(float) },
        [ENGINE_ROW_LOSS] = { e->row_loss, B * sizeof(double) },
        [ENGINE_HALT_TEST] = { e->halt_test, B * sizeof(uint8_t) },
        [ENGINE_HALTED] = { e->last->halted, B * sizeof(uint8_t) },
        [ENGINE_STEPS] = { e->last->steps, B * sizeof(int32_t) },
        [ENGINE_Z_H] = { e->last->z[STATE_Z_H], z * sizeof(float) },
        [ENGINE_Z_L] = { e->last->z[STATE_Z_L], z * sizeof(float) },
        [ENGINE_CURRENT_INPUTS] = { e->last->inputs, B * (size_t)e->U * sizeof(int32_t) },
        [ENGINE_CURRENT_LABELS] = { e->last->labels, grid * sizeof(int32_t) },
        [ENGINE_CURRENT_IDENTIFIERS] = { e->last->identifiers, B * sizeof(int32_t) },
        [ENGINE_PUZZLE_GRADIENT] = { e->puzzle_gradient, B * (size_t)e->E * sizeof(float) },
        [ENGINE_ROPE_COS] = { e->rope_cos, table * sizeof(float) },
        [ENGINE_ROPE_SIN] = { e->rope_sin, table * sizeof(float) },
        [ENGINE_CHANGE] = { e->changes, B * sizeof(float) },
        [ENGINE_RESIDUALS] = { e->residuals, B * (size_t)e->segment.count * sizeof(float) },
        [ENGINE_LAYER_RESIDUALS] = { e->layer_residuals,
                                     B * (size_t)engine_measured_layers(e) * sizeof(float) },
        [ENGINE_MEAN_Z_H] = { e->last->z[STATE_Z_H], B * (size_t)e->D * sizeof(float) },
        [ENGINE_MEAN_Z_L] = { e->last->z[STATE_Z_L], B * (size_t)e->D * sizeof(float) },
    };

    *size = where[output].data == NULL ? 0 : where[output].bytes;
    return where[output].data;
}

/* The mean over the positions of a row's state (S, D). */
static void mean_of_positions(float *out, const float *state, int S, int D)
{
    enum { CHANNELS = 64 };

    for (int first = 0; first < D; first += CHANNELS) {
        int count = D - first < CHANNELS ? D - first : CHANNELS;
        double sums[CHANNELS] = { 0 };

        for (int s = 0; s < S; s++)
            for (int i = 0; i < count; i++)
                sums[i] += (double)state[(size_t)s * (size_t)D + (size_t)(first + i)];
        for (int i = 0; i < count; i++)
            out[first + i] = (float)(sums[i] / S);
    }
}

size_t engine_output_size(const struct engine *engine, enum engine_output output)
{
    size_t size;

    output_find(engine, output, &size);
    return size;
}

/* Whether each rank has only its own rows of an output of the last step. */
static bool output_is_apart(const struct engine *engine, enum engine_output output)
{
    switch (output) {
    case ENGINE_LOGITS:
    case ENGINE_PREDICTIONS:
    case ENGINE_ROW_LOSS:
    case ENGINE_HALT_TEST:
    case ENGINE_Z_H:
    case ENGINE_Z_L:
    case ENGINE_MEAN_Z_H:
    case ENGINE_MEAN_Z_L:
    case ENGINE_RESIDUALS:
    case ENGINE_LAYER_RESIDUALS:
    case ENGINE_CHANGE:
        return true;
    case ENGINE_Q_CONTINUE:
        return engine->last == &engine->eval;
    case ENGINE_Q_HALT:
    case ENGINE_TARGET_Q_CONTINUE:
    case ENGINE_HALTED:
    case ENGINE_STEPS:
    case ENGINE_CURRENT_INPUTS:
    case ENGINE_CURRENT_LABELS:
    case ENGINE_CURRENT_IDENTIFIERS:
    case ENGINE_PUZZLE_GRADIENT:
    case ENGINE_ROPE_COS:
    case ENGINE_ROPE_SIN:
        return false;
    }
    return false;
}

void engine_gather_output(const struct engine *engine, enum engine_output output)
{
    size_t size;
    /* means are taken of the states, by rank 0 */
    if (output == ENGINE_MEAN_Z_H || output == ENGINE_MEAN_Z_L)
        output = output == ENGINE_MEAN_Z_H ? ENGINE_Z_H : ENGINE_Z_L;
    /* what an engine points to may change */
    void *data = (void *)(uintptr_t)output_find(engine, output, &size);

    if (size > 0)
        ranks_gather(engine, engine->last == &engine->train, data, size / (size_t)engine->B);
}

void engine_read(const struct engine *engine, enum engine_output output, void *out)
{
    size_t size;
    const void *data = output_find(engine, output, &size);

    if (engine->ranks != NULL && output_is_apart(engine, output)) {
        ranks_order(engine->config.exchange,
                    (struct order){ .kind = ORDER_GATHER_OUTPUT, .a = (int32_t)output });
        engine_gather_output(engine, output);
    }
    if (size > 0 && (output == ENGINE_MEAN_Z_H || output == ENGINE_MEAN_Z_L))
        for (int b = 0; b < engine->B; b++)
            mean_of_positions((float *)out + (size_t)b * (size_t)engine->D,
                              (const float *)data +
                                  (size_t)b * (size_t)engine->S * (size_t)engine->D,
                              engine->S, engine->D);
    else if (size > 0)
        memcpy(out, data, size);
}
