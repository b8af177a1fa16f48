/*
 * parameters.c - the table of parameters and buffers, and their initial values.
 *
 * Layout, initialisation, checkpoints and tests follow from the table. Names are those
 * of the published state_dict.
 */
#include "parameters.h"

#include "block.h"
#include "engine_internal.h"
#include "error.h"
#include "random.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED_PARAMETERS = 9, LAYER_PARAMETERS = 4, OFFSET_FLOATS = 16 };
static const double Q_BIAS = -5.0;

/* Appends a tensor of one dimension (columns 0) or two; returns its offset in its
 * block. */
__attribute__((format(printf, 6, 7))) static size_t
parameter_add(struct engine *engine, enum engine_state_kind kind, int64_t rows, int64_t columns,
              double init_std, const char *format, ...)
{
    struct parameter *p = &engine->table[engine->table_count++];
    size_t *floats =
        kind == ENGINE_PARAMETER ? &engine->parameter_floats : &engine->buffer_floats;
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(p->name, sizeof p->name, format, arguments);
    va_end(arguments);
    assert(length > 0 && (size_t)length < sizeof p->name);

    p->kind = kind;
    p->rank = columns > 0 ? 2 : 1;
    p->dims[0] = rows;
    p->dims[1] = columns > 0 ? columns : 0;
    p->elements = size_product((size_t)rows, columns > 0 ? (size_t)columns : 1);
    p->init_std = init_std;
    p->offset = *floats;
    /* engine_check_config() bounds the sizes, so that neither sum nor product
     * overflows. */
    *floats += (p->elements + OFFSET_FLOATS - 1) / OFFSET_FLOATS * OFFSET_FLOATS;
    return p->offset;
}

static size_t linear_add(struct engine *engine, int outputs, int inputs, const char *level,
                         int layer, const char *name)
{
    return parameter_add(engine, ENGINE_PARAMETER, outputs, inputs, 1.0 / sqrt((double)inputs),
                         "inner.%s_level.layers.%d.%s.weight", level, layer, name);
}

static int module_build(struct engine *engine, enum system_module module, int layers,
                        struct error *err)
{
    struct module *m = &engine->modules[module];
    const char *level = system_module_name(module);

    m->layers = layers;
    m->weights = calloc((size_t)layers, sizeof *m->weights);
    if (m->weights == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of %d layers", layers);
    for (int i = 0; i < layers; i++) {
        struct layer_weights *w = &m->weights[i];

        w->first = engine->parameter_floats;
        if (engine->F_t == 0) {
            w->qkv =
                linear_add(engine, 3 * engine->A, engine->D, level, i, "self_attn.qkv_proj");
            w->o_proj = linear_add(engine, engine->D, engine->A, level, i, "self_attn.o_proj");
        } else {
            w->t_gate_up =
                linear_add(engine, 2 * engine->F_t, engine->S, level, i, "mlp_t.gate_up_proj");
            w->t_down = linear_add(engine, engine->S, engine->F_t, level, i, "mlp_t.down_proj");
        }
        w->gate_up = linear_add(engine, 2 * engine->F, engine->D, level, i, "mlp.gate_up_proj");
        w->down = linear_add(engine, engine->D, engine->F, level, i, "mlp.down_proj");
        w->end = engine->parameter_floats;
    }
    return 0;
}

int parameters_build(struct engine *engine, struct error *err)
{
    const struct engine_config *c = &engine->config;
    const int depths[MODULE_COUNT] = { [MODULE_H] = c->H_layers, [MODULE_L] = c->L_layers };
    int layers = 0;
    double embedding_std = 1.0 / sqrt((double)engine->D);

    for (int m = 0; m < MODULE_COUNT; m++)
        if (system_has_module(engine->facts, (enum system_module)m))
            layers += depths[m];
    engine->table =
        calloc((size_t)(FIXED_PARAMETERS + LAYER_PARAMETERS * layers), sizeof *engine->table);
    if (engine->table == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of parameters");
    engine->embed_tokens = parameter_add(engine, ENGINE_PARAMETER, engine->V, engine->D,
                                         embedding_std, "inner.embed_tokens.embedding_weight");
    if (c->pos_encodings == ENGINE_LEARNED)
        engine->embed_pos = parameter_add(engine, ENGINE_PARAMETER, engine->S, engine->D,
                                          embedding_std, "inner.embed_pos.embedding_weight");
    engine->lm_head = parameter_add(engine, ENGINE_PARAMETER, engine->V, engine->D,
                                    embedding_std, "inner.lm_head.weight");
    engine->q_weight =
        parameter_add(engine, ENGINE_PARAMETER, 2, engine->D, 0.0, "inner.q_head.weight");
    engine->q_bias = parameter_add(engine, ENGINE_PARAMETER, 2, 0, 0.0, "inner.q_head.bias");
    engine->table[engine->table_count - 1].init_value = Q_BIAS;
    for (int m = 0; m < MODULE_COUNT; m++) {
        if (!system_has_module(engine->facts, (enum system_module)m))
            continue;
        int rc = module_build(engine, (enum system_module)m, depths[m], err);
        if (rc < 0)
            return rc;
    }
    if (c->context_pairs > 0)
        engine->embed_roles =
            parameter_add(engine, ENGINE_PARAMETER, ROLE_COUNT, engine->D, embedding_std,
                          "inner.embed_roles.embedding_weight");
    if (engine->E > 0)
        engine->puzzle_emb = parameter_add(engine, ENGINE_BUFFER, c->num_puzzle_identifiers,
                                           engine->E, 0.0, "inner.puzzle_emb.weights");
    for (int z = 0; z < CARRY_STATES; z++)
        if (engine->system->init[z] != NULL)
            engine->init[z] = parameter_add(engine, ENGINE_BUFFER, engine->D, 0, 1.0, "%s",
                                            engine->system->init[z]);
    return 0;
}

/*
 * The inverse of erf on (-1, 1): Giles' single-precision approximation ("Approximating
 * the erfinv function", 2012), then one Halley step with the library's erf, to about
 * 1e-15.
 */
static double inverse_erf(double u)
{
    static const double NEAR[] = { 2.81022636e-08,  3.43273939e-07, -3.5233877e-06,
                                   -4.39150654e-06, 0.00021858087,  -0.00125372503,
                                   -0.00417768164,  0.246640727,    1.50140941 };
    static const double FAR[] = { -0.000200214257, 0.000100950558, 0.00134934322,
                                  -0.00367342844,  0.00573950773,  -0.0076224613,
                                  0.00943887047,   1.00167406,     2.83297682 };
    double w = -log((1.0 - u) * (1.0 + u));
    const double *coefficients = w < 5.0 ? NEAR : FAR;
    double x = w < 5.0 ? w - 2.5 : sqrt(w) - 3.0, p = coefficients[0];

    for (size_t i = 1; i < sizeof NEAR / sizeof *NEAR; i++)
        p = coefficients[i] + p * x;
    p *= u;
    double f = (erf(p) - u) / (2.0 / sqrt(M_PI) * exp(-p * p));
    return p - f / (1.0 + p * f);
}

/* Truncated normal of model.md section 1: cut at +-2 sigma, and scaled so that the
 * standard deviation of the result is std. */
static void fill_truncated_normal(float *out, size_t count, double std,
                                  struct random_stream stream)
{
    double b = erf(2.0 / sqrt(2.0)), a = -b, z = (b - a) / 2.0;
    double c = exp(-2.0) / sqrt(2.0 * M_PI);
    double comp = std / sqrt(1.0 - 4.0 * c / z);

    for (size_t i = 0; i < count; i++) {
        double u = a + (b - a) * random_uniform(&stream);
        double x = sqrt(2.0) * comp * inverse_erf(u);

        out[i] = (float)fmin(fmax(x, -2.0 * comp), 2.0 * comp);
    }
}

void parameters_initialise(struct engine *engine, uint64_t seed)
{
    for (int i = 0; i < engine->table_count; i++) {
        const struct parameter *p = &engine->table[i];
        float *data =
            (p->kind == ENGINE_PARAMETER ? engine->parameters : engine->buffers) + p->offset;

        if (p->init_std > 0.0) {
            fill_truncated_normal(data, p->elements, p->init_std,
                                  random_stream(seed, "init", (uint64_t)i));
            continue;
        }
        for (size_t k = 0; k < p->elements; k++)
            data[k] = (float)p->init_value;
    }
}
