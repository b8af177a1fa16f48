/* engine_create.c - creates, initialises and destroys an engine. */
#include "carry.h"
#include "engine_config.h"
#include "engine_internal.h"
#include "engine_mirror.h"
#include "memory.h"
#include "parameters.h"
#include "ranks.h"
#include "walkers.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Angles are computed in double and stored in float; both halves of a head are
 * alike. */
static void fill_rope_tables(struct engine *engine)
{
    int half = engine->d / 2;

    for (int s = 0; engine->rope_cos != NULL && s < engine->S; s++)
        for (int i = 0; i < engine->d; i++) {
            double frequency =
                pow(engine->config.rope_theta, -2.0 * (i % half) / (double)engine->d);
            size_t at = (size_t)s * (size_t)engine->d + (size_t)i;

            engine->rope_cos[at] = (float)cos(s * frequency);
            engine->rope_sin[at] = (float)sin(s * frequency);
        }
}

/* Builds the table of tensors, the segment and the memory blocks for the
 * configuration. */
static int engine_build(struct engine *engine, struct error *err)
{
    const struct system_sizes sizes = engine_system_sizes(&engine->config);
    int rc = parameters_build(engine, err);

    if (rc == 0)
        rc = segment_build(&engine->segment, engine->config.system, &sizes, err);
    if (rc == 0)
        rc = pieces_build(engine, err);
    if (rc == 0)
        rc = walkers_create(engine, err);
    return rc == 0 ? memory_allocate(engine, err) : rc;
}

/* Frees an engine of this process alone. */
static void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    walkers_destroy(engine);
    memory_release(engine);
    segment_release(&engine->segment);
    pieces_release(&engine->pieces);
    for (int i = 0; i < MODULE_COUNT; i++)
        free(engine->modules[i].weights);
    free(engine->table);
    free(engine);
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    ranks_order(engine->config.exchange, (struct order){ .kind = ORDER_DESTROY });
    engine_close(engine);
}

/* Checks a configuration and builds the engine for it; only_counted: without its memory
 * and threads. */
static int engine_open(struct engine **out, const struct engine_config *config,
                       bool only_counted, struct error *err)
{
    struct engine *engine = NULL;
    int rc;

    *out = NULL;
    rc = engine_check_config(config, err);
    if (rc < 0)
        return rc;
    engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for an engine");
    engine->config = *config;
    if (config->gradient_lanes == 0)
        engine->config.gradient_lanes = 1;
    if (config->threads == 0)
        engine->config.threads = 1;
    if (config->ranks == 0)
        engine->config.ranks = 1;
    engine->sum.only_counted = engine->kept_sum.only_counted = only_counted;
    engine->system = system_find(config->system);
    engine->facts = system_facts(config->system);
    rc = kernels_current(&engine->kernels, err);
    if (rc < 0)
        goto out;
    memory_set_sizes(engine);
    rc = ranks_create(&engine->ranks, &engine->config, err);
    if (rc == 0)
        rc = engine_build(engine, err);
    if (rc < 0)
        goto out;
    *out = engine;
    engine = NULL;
out:
    engine_close(engine);
    return rc;
}

/* Lets the other ranks create the same engine. */
static void order_create(const struct engine_config *config)
{
    struct engine_creation creation = { .config = *config };

    if (!ranks_orders(config->exchange))
        return;
    snprintf(creation.kernel_set, sizeof creation.kernel_set, "%s", engine_kernel_set());
    snprintf(creation.blas_core, sizeof creation.blas_core, "%s", engine_blas_core());
    ranks_order(config->exchange, (struct order){ .kind = ORDER_CREATE });
    ranks_hand_out(config->exchange, &creation, sizeof creation);
}

int engine_create(struct engine **out, const struct engine_config *config, struct error *err)
{
    *out = NULL;
    if (config->ranks > 1 && config->exchange == NULL)
        return error_set(err, ERROR_FORMAT, "ranks is %d, but this is one process",
                         config->ranks);
    order_create(config);
    int rc = ranks_agree(config->exchange, engine_open(out, config, false, err), err);
    struct engine *engine = *out;

    if (rc < 0) {
        engine_close(engine);
        *out = NULL;
        return rc;
    }
    assert(engine != NULL);
    fill_rope_tables(engine);
    engine->train.rows = engine->B;
    engine->train.own_first = ranks_train_rows(engine).first;
    engine->train.own_end = ranks_train_rows(engine).end;
    engine->last = config->inference_only ? &engine->eval : &engine->train;
    for (int b = 0; b < engine->B && !config->inference_only; b++)
        engine->train.halted[b] = 1;
    return 0;
}

int engine_measure(size_t *bytes, const struct engine_config *config, struct error *err)
{
    struct engine *engine;
    int rc = engine_open(&engine, config, true, err);

    if (rc < 0)
        return rc;
    *bytes = engine_bytes(engine);
    engine_close(engine);
    return 0;
}

static int set_cycles(struct engine *engine, int H_cycles, int L_cycles, struct error *err)
{
    struct engine_config config = engine->config;
    struct segment segment;

    assert(engine->residuals == NULL);
    config.H_cycles = H_cycles;
    config.L_cycles = L_cycles;
    int rc = engine_check_config(&config, err);
    if (rc < 0)
        return rc;
    const struct system_sizes sizes = engine_system_sizes(&config);
    rc = segment_build(&segment, config.system, &sizes, err);
    if (rc < 0)
        return rc;
    segment_release(&engine->segment);
    engine->segment = segment;
    engine->config = config;
    return config.inference_only ? 0 : memory_replace_kept(engine, err);
}

int engine_set_cycles(struct engine *engine, int H_cycles, int L_cycles, struct error *err)
{
    const struct engine_config *c = &engine->config;

    if (c->H_cycles == H_cycles && c->L_cycles == L_cycles)
        return 0;
    ranks_order(c->exchange,
                (struct order){ .kind = ORDER_SET_CYCLES, .a = H_cycles, .b = L_cycles });
    return ranks_agree(c->exchange, set_cycles(engine, H_cycles, L_cycles, err), err);
}

int engine_segment_calls(const struct engine *engine)
{
    return engine->segment.count;
}

int engine_record_residuals(struct engine *engine, bool on, struct error *err)
{
    const struct exchange *exchange = engine->config.exchange;

    if (on == (engine->residuals != NULL))
        return 0;
    ranks_order(exchange, (struct order){ .kind = ORDER_RECORD_RESIDUALS, .a = on });
    if (on)
        return ranks_agree(exchange, memory_allocate_residuals(engine, err), err);
    memory_release_residuals(engine);
    return 0;
}

int engine_record_change(struct engine *engine, bool on, struct error *err)
{
    const struct exchange *exchange = engine->config.exchange;

    if (on == (engine->changes != NULL))
        return 0;
    ranks_order(exchange, (struct order){ .kind = ORDER_RECORD_CHANGE, .a = on });
    if (on)
        return ranks_agree(exchange, memory_allocate_change(engine, err), err);
    memory_release_change(engine);
    return 0;
}

size_t engine_bytes(const struct engine *engine)
{
    return engine->sum.bytes + engine->kept_sum.bytes + engine->residual_sum.bytes +
           engine->change_sum.bytes;
}

void engine_initialise(struct engine *engine, uint64_t seed)
{
    size_t moment_bytes = engine->parameter_floats * sizeof(float);

    ranks_order(engine->config.exchange,
                (struct order){ .kind = ORDER_INITIALISE, .seed = seed });
    parameters_initialise(engine, seed);
    engine->optimizer_step = 0;
    engine->prepared = NULL;
    if (engine->averages != NULL)
        memcpy(engine->averages, engine->parameters, moment_bytes);
    if (engine->config.inference_only)
        return;
    memset(engine->m, 0, moment_bytes);
    memset(engine->v, 0, moment_bytes);
    memset(engine->gradients, 0, moment_bytes);
    for (int b = 0; b < engine->B; b++) {
        engine->train.halted[b] = 1;
        engine->train.steps[b] = 0;
        engine->train.identifiers[b] = 0;
        carry_reset_row(engine, &engine->train, b);
    }
    memset(engine->train.inputs, 0,
           (size_t)engine->B * (size_t)engine->U * sizeof *engine->train.inputs);
    memset(engine->train.labels, 0,
           (size_t)engine->B * (size_t)engine->T * sizeof *engine->train.labels);
}
