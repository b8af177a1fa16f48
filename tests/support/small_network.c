/* small_network.c - a network for tests: settings, data, comparison. */
#include "support/small_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "random.h"

#include <stdlib.h>
#include <string.h>

struct engine_config small_network(enum system_id system, struct small_network sizes)
{
    return (struct engine_config){
        .system = system,
        .batch_size = sizes.batch,
        .seq_len = sizes.tokens,
        .vocab_size = sizes.vocabulary,
        .num_puzzle_identifiers = sizes.identifiers,
        .puzzle_emb_ndim = sizes.width,
        .H_layers = 1,
        .L_layers = 1,
        .H_cycles = 2,
        .L_cycles = 2,
        .hidden_size = sizes.width,
        .num_heads = 2,
        .intermediate_size = 24,
        .pos_encodings = ENGINE_ROPE,
        .rope_theta = 10000.0,
        .rms_norm_eps = 1e-5,
        .loss_type = ENGINE_STABLEMAX,
        .halt_max_steps = 3,
        .act_enabled = true,
        .target_q_update_every = 1,
        .global_batch_size = sizes.batch,
        .lr = 1e-3,
        .lr_min_ratio = 1.0,
        .weight_decay = 0.1,
        .beta1 = 0.9,
        .beta2 = 0.95,
        .total_steps = 100,
        .puzzle_emb_lr = 1e-2,
        .puzzle_emb_weight_decay = 0.1,
    };
}

struct engine *small_network_create(const struct engine_config *config)
{
    struct engine *engine;
    struct error err;

    if (engine_create(&engine, config, &err) < 0)
        fail_msg("%s", err.message);
    engine_initialise(engine, 4);
    return engine;
}

struct engine_batch small_network_batch(struct small_rows *rows, struct small_network sizes,
                                        int step)
{
    struct random_stream stream = random_stream(2, "test", (uint64_t)step);
    size_t cells = (size_t)sizes.batch * (size_t)sizes.tokens;

    assert_in_range(cells, 1, sizeof rows->inputs / sizeof *rows->inputs);
    assert_in_range(sizes.batch, 1, sizeof rows->identifiers / sizeof *rows->identifiers);
    for (size_t i = 0; i < cells; i++) {
        rows->inputs[i] = (int32_t)random_below(&stream, (uint64_t)sizes.vocabulary);
        rows->labels[i] = random_below(&stream, 3) == 0
                              ? ENGINE_IGNORE_LABEL
                              : (int32_t)random_below(&stream, (uint64_t)sizes.vocabulary);
    }
    for (int b = 0; b < sizes.batch; b++)
        rows->identifiers[b] = (int32_t)random_below(&stream, (uint64_t)sizes.identifiers);
    return (struct engine_batch){ rows->inputs, rows->labels, rows->identifiers };
}

void expect_same_states(const struct engine *a, const struct engine *b)
{
    assert_int_equal(engine_state_count(a), engine_state_count(b));
    for (int i = 0; i < engine_state_count(a); i++) {
        struct engine_state state;

        engine_state_describe(a, i, &state);
        char *x = malloc(state.bytes), *y = malloc(state.bytes);
        assert_non_null(x);
        assert_non_null(y);
        engine_state_get(a, i, x);
        engine_state_get(b, i, y);
        if (memcmp(x, y, state.bytes) != 0)
            fail_msg("%s differs", state.name);
        free(x);
        free(y);
    }
}

void copy_states(struct engine *to, const struct engine *from)
{
    for (int i = 0; i < engine_state_count(from); i++) {
        struct engine_state state;

        engine_state_describe(from, i, &state);
        char *bytes = malloc(state.bytes);
        assert_non_null(bytes);
        engine_state_get(from, i, bytes);
        engine_state_set(to, i, bytes);
        free(bytes);
    }
}
