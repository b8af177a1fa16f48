/* engine_kinds.c - small engines that differ in what the engine's code branches on. */
#include "support/engine_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "support/small_network.h"

struct engine_config engine_kinds_plain(enum system_id system)
{
    const struct small_network sizes = { .batch = KINDS_ROWS,
                                         .tokens = KINDS_TOKENS,
                                         .vocabulary = KINDS_VOCABULARY,
                                         .identifiers = KINDS_IDENTIFIERS,
                                         .width = KINDS_WIDTH };
    struct engine_config c = small_network(system, sizes);

    c.puzzle_emb_ndim = KINDS_PUZZLE_WIDTH;
    c.H_layers = 2;
    c.target_q_update_every = 2;
    c.lr_warmup_steps = 2;
    return c;
}

static const struct {
    enum system_id system;
    bool wide, bfloat16;
    double ema_rate;
    int mlp_t_size, gradient_horizon, context_pairs;
} KINDS[KINDS_COUNT] = {
    { .system = SYSTEM_HRM },
    { .system = SYSTEM_TRANSFORMER },
    { .system = SYSTEM_HRM, .wide = true },
    { .system = SYSTEM_TRANSFORMER, .wide = true },
    { .system = SYSTEM_HRM, .wide = true, .bfloat16 = true },
    { .system = SYSTEM_TRANSFORMER, .wide = true, .bfloat16 = true, .ema_rate = 0.5 },
    { .system = SYSTEM_TRM, .ema_rate = 0.9 },
    { .system = SYSTEM_TRM, .wide = true, .ema_rate = 0.9, .mlp_t_size = 20 },
    { .system = SYSTEM_HRM, .wide = true, .bfloat16 = true, .mlp_t_size = 20 },
    { .system = SYSTEM_HRM, .wide = true, .gradient_horizon = 6 },
    { .system = SYSTEM_HRM_SHARED, .gradient_horizon = 3 },
    { .system = SYSTEM_HRM, .wide = true, .context_pairs = KINDS_PAIRS },
    { .system = SYSTEM_TRANSFORMER,
      .wide = true,
      .bfloat16 = true,
      .context_pairs = KINDS_PAIRS },
};

struct engine_config engine_kinds_config(int kind)
{
    struct engine_config c = engine_kinds_plain(KINDS[kind].system);

    if (KINDS[kind].wide) {
        c.hidden_size = 32;
        c.intermediate_size = 96;
    }
    if (KINDS[kind].bfloat16)
        c.forward_dtype = ENGINE_BFLOAT16;
    c.ema_rate = KINDS[kind].ema_rate;
    c.mlp_t_size = KINDS[kind].mlp_t_size;
    c.gradient_horizon = KINDS[kind].gradient_horizon;
    c.context_pairs = KINDS[kind].context_pairs;
    return c;
}

struct engine *engine_kinds_create(const struct engine_config *config, uint64_t seed)
{
    struct engine *engine;
    struct error err;

    if (engine_create(&engine, config, &err) < 0)
        fail_msg("%s", err.message);
    engine_initialise(engine, seed);
    return engine;
}
