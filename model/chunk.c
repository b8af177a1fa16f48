/* chunk.c - embedding and segment of a chunk of rows; the segment follows the table of
 * calls. */
#include "chunk.h"

#include "engine_internal.h"
#include "layers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Number of values of prefix position p that the puzzle's embedding fills; the others
 * are 0. */
static int prefix_values(const struct engine *engine, int p)
{
    int left = engine->E - p * engine->D;

    return left < 0 ? 0 : (left < engine->D ? left : engine->D);
}

/* The role of input token i of a row with context. */
static enum role role_of(const struct engine *engine, size_t i)
{
    size_t grid = i / (size_t)engine->T;

    if (grid == 2 * (size_t)engine->config.context_pairs)
        return ROLE_QUERY;
    return grid % 2 == 0 ? ROLE_CONTEXT_INPUT : ROLE_CONTEXT_OUTPUT;
}

/* Offset of the learned vector of that token's role. */
static size_t role_vector(const struct engine *engine, size_t i)
{
    return engine->embed_roles + (size_t)role_of(engine, i) * (size_t)engine->D;
}

/* x_s = scale * (e + position), or scale * e, for one position. */
static void embed_position(const struct engine *engine, float *x, const float *e, int s)
{
    size_t D = (size_t)engine->D;

    if (engine->config.pos_encodings == ENGINE_LEARNED)
        engine->kernels->add_position(x, e, engine->weights + engine->embed_pos + (size_t)s * D,
                                      engine->embedding_scale, D);
    else
        engine->kernels->scale(x, e, engine->embedding_scale, D);
}

/* Prefix position p of a puzzle. */
static void embed_prefix(struct engine *engine, float *x, size_t id, int p)
{
    size_t D = (size_t)engine->D, values = (size_t)prefix_values(engine, p);

    memset(engine->position, 0, D * sizeof *x);
    if (values > 0)
        memcpy(engine->position,
               engine->buffers + engine->puzzle_emb + id * (size_t)engine->E + (size_t)p * D,
               values * sizeof *x);
    engine_round(engine, engine->position, D);
    embed_position(engine, x, engine->position, p);
}

/* Input token i of a row: its embedding, and with a context that of its role. */
static void embed_token(struct engine *engine, float *x, size_t token, size_t i)
{
    size_t D = (size_t)engine->D;
    const float *e = engine->weights + engine->embed_tokens + token * D;

    if (engine->config.context_pairs > 0) {
        memcpy(engine->position, e, D * sizeof *e);
        engine->kernels->add(engine->position, engine->weights + role_vector(engine, i), D);
        engine_round(engine, engine->position, D);
        e = engine->position;
    }
    embed_position(engine, x, e, engine->P + (int)i);
}

void chunk_embed(struct engine *engine, const struct carry *carry, int first, int rows)
{
    size_t D = (size_t)engine->D, U = (size_t)engine->U;

    for (int r = 0; r < rows; r++) {
        size_t row = (size_t)(first + r);
        float *x = engine->x + (size_t)r * (size_t)engine->S * D;

        for (int p = 0; p < engine->P; p++, x += D)
            embed_prefix(engine, x, (size_t)carry->identifiers[row], p);
        for (size_t i = 0; i < U; i++, x += D)
            embed_token(engine, x, (size_t)carry->inputs[row * U + i], i);
    }
    engine_round(engine, engine->x, (size_t)rows * (size_t)engine->S * D);
}

void chunk_embed_backward(struct engine *engine, const struct carry *carry, int first, int rows)
{
    const struct kernels *k = engine->kernels;
    size_t D = (size_t)engine->D, U = (size_t)engine->U, E = (size_t)engine->E;
    bool roles = engine->config.context_pairs > 0;
    float scale = engine->embedding_scale;

    for (int r = 0; r < rows; r++) {
        size_t row = (size_t)(first + r);
        const float *dx = engine->dstate[STATE_X] + (size_t)r * (size_t)engine->S * D;

        if (engine->config.pos_encodings == ENGINE_LEARNED)
            k->add_scaled(engine->gradients + engine->embed_pos, dx, scale,
                          (size_t)engine->S * D);
        if (E > 0) /* the prefix is the puzzle's embedding (E), padded at its end */
            k->scale(engine->puzzle_gradient + row * E, dx, scale, E);
        dx += (size_t)engine->P * D;
        for (size_t i = 0; i < U; i++, dx += D) {
            size_t token = (size_t)carry->inputs[row * U + i];

            k->add_scaled(engine->gradients + engine->embed_tokens + token * D, dx, scale, D);
            if (roles)
                k->add_scaled(engine->gradients + role_vector(engine, i), dx, scale, D);
        }
    }
}

/* out = sum of a call's sources. */
static void call_inject(const struct engine *engine, float *out, const struct module_call *call,
                        float *const states[STATE_COUNT], size_t n)
{
    engine->kernels->inject(out, states[call->sources[0]], states[call->sources[1]],
                            call->source_count > 2 ? states[call->sources[2]] : NULL, n);
    engine_round(engine, out, n);
}

int64_t segment_work(const struct engine *engine)
{
    int64_t layers = 0;

    for (int i = 0; i < engine->segment.count; i++)
        layers += engine->modules[engine->segment.calls[i].module].layers;
    return WORK_FORWARD * layers;
}

int64_t segment_backward_work(const struct engine *engine)
{
    int64_t layers = 0;

    for (int i = 0; i < engine->segment.count; i++)
        if (engine->segment.calls[i].gradient)
            layers += engine->modules[engine->segment.calls[i].module].layers;
    return WORK_BACKWARD * layers;
}

bool chunk_segment(struct engine *engine, float *const states[STATE_COUNT], int rows, bool keep)
{
    size_t n = (size_t)rows * (size_t)engine->S * (size_t)engine->D;

    for (int i = 0; i < engine->segment.count; i++) {
        const struct module_call *call = &engine->segment.calls[i];
        float *destination = states[call->destination];

        if (!keep || !call->gradient) {
            call_inject(engine, destination, call, states, n);
            if (!module_forward(engine, call->module, destination, rows))
                return false;
            continue;
        }
        struct kept_layer *kept = engine->slots[call->slot];

        call_inject(engine, kept[0].in, call, states, n);
        if (!module_forward_kept(engine, call->module, kept, rows))
            return false;
        memcpy(destination, kept[engine->modules[call->module].layers].in, n * sizeof(float));
    }
    return true;
}

/* norm(now - old) / norm(old) over n values; 0 if they are equal. */
float relative_change(const float *old, const float *now, size_t n)
{
    double moved = 0.0, before = 0.0;

    for (size_t i = 0; i < n; i++) {
        double was = (double)old[i], by = (double)now[i] - was;

        moved += by * by;
        before += was * was;
    }
    return moved == 0.0 ? 0.0f : (float)(sqrt(moved) / sqrt(before));
}

/* Writes how far each row has moved to every `stride`-th place. */
static void measure_rows(const struct engine *engine, float *out, size_t stride,
                         const float *old, const float *now, int rows)
{
    size_t row = (size_t)engine->S * (size_t)engine->D;

    for (size_t r = 0; r < (size_t)rows; r++)
        out[r * stride] = relative_change(old + r * row, now + r * row, row);
}

/* A module call of which each layer is measured, too: residuals (rows, layers). */
static bool module_forward_measured(struct engine *engine, enum system_module module, float *h,
                                    int rows, float *residuals)
{
    size_t n = (size_t)rows * (size_t)engine->S * (size_t)engine->D;
    int layers = engine->modules[module].layers;

    for (int i = 0; i < layers; i++) {
        memcpy(engine->layer_old, h, n * sizeof(float));
        if (!module_forward_layer(engine, module, i, h, rows))
            return false;
        measure_rows(engine, residuals + i, (size_t)layers, engine->layer_old, h, rows);
    }
    return true;
}

bool chunk_segment_measured(struct engine *engine, float *const states[STATE_COUNT], int first,
                            int rows)
{
    size_t row = (size_t)engine->S * (size_t)engine->D, n = (size_t)rows * row;
    size_t calls = (size_t)engine->segment.count;
    float *layers = engine->layer_residuals;

    if (layers != NULL)
        layers += (size_t)first * (size_t)engine_measured_layers(engine);
    for (size_t i = 0; i < calls; i++) {
        const struct module_call *call = &engine->segment.calls[i];
        float *destination = states[call->destination];

        memcpy(engine->residual_old, destination, n * sizeof(float));
        call_inject(engine, destination, call, states, n);
        if (!(layers != NULL
                  ? module_forward_measured(engine, call->module, destination, rows, layers)
                  : module_forward(engine, call->module, destination, rows)))
            return false;
        measure_rows(engine, engine->residuals + (size_t)first * calls + i, calls,
                     engine->residual_old, destination, rows);
    }
    return true;
}

bool chunk_segment_first(struct engine *engine, float *const states[STATE_COUNT], int rows)
{
    size_t n = (size_t)rows * (size_t)engine->S * (size_t)engine->D;
    float *copies[STATE_COUNT] = { [STATE_X] = states[STATE_X] };

    for (int z = 0; z < CARRY_STATES; z++) {
        copies[z] = engine->target_z[z];
        if (copies[z] != NULL)
            memcpy(copies[z], states[z], n * sizeof(float));
    }
    for (int i = 0; i < engine->segment.count; i++) {
        const struct module_call *call = &engine->segment.calls[i];
        float *destination = copies[call->destination];

        call_inject(engine, destination, call, copies, n);
        if (i < engine->segment.count - 1) {
            if (!module_forward(engine, call->module, destination, rows))
                return false;
            continue;
        }
        assert(call->destination == engine->system->head);
        if (!module_forward_first(engine, call->module, engine->target_first, destination,
                                  rows))
            return false;
    }
    return true;
}

/* Adds the gradient of a call's input to those of its sources that carry gradient. */
static void call_distribute(struct engine *engine, const struct module_call *call,
                            bool live[STATE_COUNT], size_t n)
{
    const float *dh = engine->dstate[call->destination];

    live[call->destination] = false;
    for (int s = 0; s < call->source_count; s++) {
        enum system_state source = call->sources[s];

        if (!call->flows[s] || source == call->destination)
            continue;
        if (live[source])
            engine->kernels->add(engine->dstate[source], dh, n);
        else
            memcpy(engine->dstate[source], dh, n * sizeof(float));
        live[source] = true;
    }
    for (int s = 0; s < call->source_count; s++)
        if (call->flows[s] && call->sources[s] == call->destination)
            live[call->destination] = true; /* its gradient is already in place */
}

bool chunk_segment_backward(struct engine *engine, int rows)
{
    size_t n = (size_t)rows * (size_t)engine->S * (size_t)engine->D;
    /* Whether dstate holds the gradient of each state at this point of the backward
     * pass. */
    bool live[STATE_COUNT] = { false };

    live[engine->system->head] = true;

    for (int i = engine->segment.count - 1; i >= 0; i--) {
        const struct module_call *call = &engine->segment.calls[i];

        if (call->gradient && live[call->destination]) {
            if (!module_backward(engine, call, engine->slots[call->slot],
                                 engine->dstate[call->destination], rows))
                return false;
            call_distribute(engine, call, live, n);
        } else {
            /* before this call the state was computed without gradient */
            live[call->destination] = false;
        }
    }
    if (!live[STATE_X])
        memset(engine->dstate[STATE_X], 0, n * sizeof(float));
    return true;
}
