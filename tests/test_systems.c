/*
 * test_systems.c - the table of systems: what each computes per outer step, its halting test,
 * its averages, and that settings, shapes and the engine agree on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "engine_setup.h"
#include "error.h"
#include "random.h"
#include "settings.h"
#include "shape.h"
#include "shape_widths.h"
#include "support/small_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = 4, T = 9, V = 6, D = 16, IDS = 3 };

static const struct small_network SIZES = {
    .batch = B, .tokens = T, .vocabulary = V, .identifiers = IDS, .width = D
};

static struct engine_config small_config(enum system_id system)
{
    struct engine_config c = small_network(system, SIZES);

    c.L_layers = 2;
    c.L_cycles = 3;
    c.halt_max_steps = 4;
    c.lr = 1e-2;
    return c;
}

static struct engine_batch make_batch(struct small_rows *rows, int step)
{
    struct engine_batch batch = small_network_batch(rows, SIZES, step);

    for (int i = 2 * T; i < 3 * T; i++) /* a row without labels */
        rows->labels[i] = ENGINE_IGNORE_LABEL;
    return batch;
}

static int find_state(const struct engine *engine, const char *name)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        if (strcmp(state.name, name) == 0)
            return i;
    }
    return -1;
}

/* A q head that says the same for every row. */
static void set_q(struct engine *engine, float q_halt, float q_continue)
{
    const float bias[2] = { q_halt, q_continue };

    engine_state_set(engine, find_state(engine, "inner.q_head.bias"), bias);
}

static void the_halting_test_is_the_systems_own(void **state)
{
    (void)state;
    static const struct {
        float q_halt, q_continue;
        bool compared, signed_; /* what hrm and the transformer say; what trm says */
    } CASES[] = {
        { 2.0f, 1.0f, true, true },    { 1.0f, 2.0f, false, true },
        { -1.0f, -2.0f, true, false }, { -2.0f, 3.0f, false, false },
        { 0.0f, 0.0f, false, false },
    };

    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
            struct engine_config c = small_config((enum system_id)s);
            struct engine *engine = small_network_create(&c);
            bool want = s == SYSTEM_TRM ? CASES[i].signed_ : CASES[i].compared;
            struct engine_result result;
            struct small_rows data;
            struct engine_batch batch = make_batch(&data, 0);
            uint8_t halted[B], test[B];

            set_q(engine, CASES[i].q_halt, CASES[i].q_continue);
            engine_evaluate_begin(engine, &batch, B);
            assert_int_equal(engine_evaluate_step(engine, &result), 0);
            engine_read(engine, ENGINE_HALT_TEST, test);
            engine_read(engine, ENGINE_HALTED, halted);
            for (int b = 0; b < B; b++) {
                assert_int_equal(test[b], want);
                assert_int_equal(halted[b], 0); /* evaluation runs to the maximum */
            }
            assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
            engine_read(engine, ENGINE_HALTED, halted);
            for (int b = 0; b < B; b++)
                assert_int_equal(halted[b], want);
            assert_int_equal(result.has_target_q, s != SYSTEM_TRM);
            engine_destroy(engine);
        }
}

/* With exploration minima a row that would halt goes on, in every system. */
static void exploration_delays_every_systems_halting(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine_config c = small_config((enum system_id)s);
        struct engine *engine = small_network_create(&c);
        const int32_t minima[B] = { 0, 2, 3, 4 };
        struct engine_result result;
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 0);
        uint8_t halted[B];

        set_q(engine, 50.0f, -50.0f);
        for (int step = 1; step <= 4; step++) {
            assert_int_equal(engine_train_step(engine, &batch, minima, &result), 0);
            engine_read(engine, ENGINE_HALTED, halted);
            for (int b = 1; b < B; b++)
                assert_int_equal(halted[b], step % minima[b] == 0);
            assert_int_equal(halted[0], 1);
        }
        engine_destroy(engine);
    }
}

static void row_losses_add_up_to_the_token_loss(void **state)
{
    (void)state;
    for (int loss = ENGINE_STABLEMAX; loss <= ENGINE_SOFTMAX; loss++) {
        struct engine_config c = small_config(SYSTEM_TRM);
        c.loss_type = (enum engine_loss)loss;
        struct engine *engine = small_network_create(&c);
        struct engine_result result;
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 0);
        double rows[B], sum = 0.0;

        engine_evaluate_begin(engine, &batch, B);
        assert_int_equal(engine_evaluate_step(engine, &result), 0);
        engine_read(engine, ENGINE_ROW_LOSS, rows);
        for (int b = 0; b < B; b++) {
            assert_true(b == 2 ? rows[b] == 0.0 : rows[b] > 0.1); /* row 2 has no labels */
            sum += rows[b];
        }
        assert_true(fabs(sum - result.lm_loss) < 1e-12);
        engine_destroy(engine);
    }
}

/* After every step the averages are what model.md says, of trained tensors only; evaluations
 * run on them and training does not. */
static void averages_follow_the_weights_and_evaluations_use_them(void **state)
{
    (void)state;
    struct engine_config c = small_config(SYSTEM_TRM), without = c;
    struct small_rows data;
    struct engine_result ours, theirs;

    c.ema_rate = 0.75;
    struct engine *engine = small_network_create(&c), *plain = small_network_create(&without);
    int weight = find_state(engine, "inner.lm_head.weight");
    int average = find_state(engine, "ema.inner.lm_head.weight");
    float now[V * D], mean[V * D], want[V * D];

    assert_true(weight >= 0 && average >= 0);
    assert_int_equal(find_state(engine, "ema.inner.puzzle_emb.weights"), -1);
    assert_int_equal(find_state(engine, "ema.inner.H_init"), -1);
    assert_int_equal(find_state(plain, "ema.inner.lm_head.weight"), -1);
    engine_state_get(engine, weight, want); /* starts at the initial weights */
    for (int step = 0; step < 4; step++) {
        struct engine_batch batch = make_batch(&data, step);

        assert_int_equal(engine_train_step(engine, &batch, NULL, &ours), 0);
        assert_int_equal(engine_train_step(plain, &batch, NULL, &theirs), 0);
        assert_true(ours.loss == theirs.loss);
        engine_state_get(engine, weight, now);
        engine_state_get(engine, average, mean);
        for (int i = 0; i < V * D; i++) {
            want[i] = 0.75f * want[i] + 0.25f * now[i];
            assert_true(mean[i] == want[i]);
        }
    }
    /* An engine without averages whose weights are the averages evaluates alike. */
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state described;

        engine_state_describe(engine, i, &described);
        float *values = malloc(described.bytes);
        assert_non_null(values);
        engine_state_get(engine, i, values);
        if (described.kind == ENGINE_AVERAGE)
            engine_state_set(plain, find_state(plain, described.name + strlen("ema.")), values);
        free(values);
    }
    struct engine_batch batch = make_batch(&data, 9);
    engine_evaluate_begin(engine, &batch, B);
    engine_evaluate_begin(plain, &batch, B);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(engine_evaluate_step(engine, &ours), 0);
        assert_int_equal(engine_evaluate_step(plain, &theirs), 0);
        assert_true(ours.loss == theirs.loss);
    }
    engine_destroy(plain);
    engine_destroy(engine);
}

static void a_system_has_only_the_tensors_of_its_modules(void **state)
{
    (void)state;
    static const char *const QKV[] = { "inner.H_level.layers.0.self_attn.qkv_proj.weight",
                                       "inner.L_level.layers.1.self_attn.qkv_proj.weight",
                                       "inner.L_init",
                                       "inner.L_level.layers.0.mlp_t.gate_up_proj.weight" };
    static const bool HAS[SYSTEM_COUNT][2][4] = {
        [SYSTEM_HRM] = { { true, true, true, false }, { false, false, true, true } },
        [SYSTEM_TRANSFORMER] = { { true, false, false, false },
                                 { false, false, false, false } },
        [SYSTEM_TRM] = { { false, true, true, false }, { false, false, true, true } },
        [SYSTEM_HRM_SHARED] = { { false, true, true, false }, { false, false, true, true } },
    };

    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (int mlp_t = 0; mlp_t < 2; mlp_t++) {
            struct engine_config c = small_config((enum system_id)s);
            c.mlp_t_size = mlp_t ? 10 : 0;
            struct engine *engine = small_network_create(&c);

            for (int i = 0; i < 4; i++)
                assert_int_equal(find_state(engine, QKV[i]) >= 0, HAS[s][mlp_t][i]);
            engine_destroy(engine);
        }
}

static void set(struct config *config, const char *key, const char *value)
{
    struct error err;

    if (config_set_text(config, key, value, "test", &err) < 0)
        fail_msg("%s", err.message);
}

/* A resolved configuration of the system, small, for data of T tokens. */
static void make_settings(struct config *config, int system, bool mlp_t, const char *positions,
                          const char *len)
{
    struct error err;
    bool shared = system == SYSTEM_HRM_SHARED;

    assert_int_equal(config_init(config, &err), 0);

    set(config, "arch.name", system_names[shared ? SYSTEM_HRM : system]);
    set(config, "arch.share_levels", shared ? "true" : "false");
    set(config, "arch.hidden_size", "24");
    set(config, "arch.num_heads", "2");
    set(config, "arch.L_layers", "3");
    if (system != SYSTEM_TRANSFORMER)
        set(config, "arch.H_cycles", "3");
    set(config, "arch.L_cycles", "4");
    set(config, "arch.ffn_multiple", "8");
    set(config, "arch.puzzle_emb_ndim", "30");
    set(config, "arch.puzzle_emb_len", len);
    set(config, "arch.mlp_t", mlp_t ? "true" : "false");
    set(config, "arch.pos_encodings", positions);
    if (config_resolve(config, "test", &err) < 0)
        fail_msg("%s", err.message);
}

static void shapes_count_the_parameters_that_engines_have(void **state)
{
    (void)state;
    static const char *const POSITIONS[] = { "learned", "none", "rope" };
    static const char *const LENGTHS[] = { "0", "5" };

    for (int i = 0; i < SYSTEM_COUNT * 2 * 3 * 2; i++) {
        int system = i % SYSTEM_COUNT, positions = i / SYSTEM_COUNT % 3;
        bool mlp_t = i / SYSTEM_COUNT / 3 % 2 == 1;
        const struct engine_setup_data sizes = { T, V, IDS, 10 };
        struct engine_config c;
        struct config config;
        struct shape shape;
        int64_t trained, puzzle;

        if (mlp_t && positions == 2)
            continue;
        make_settings(&config, system, mlp_t, POSITIONS[positions],
                      LENGTHS[i / SYSTEM_COUNT / 6]);
        shape_compute(&shape, &config, T, V, IDS);
        engine_setup(&c, &config, &sizes, true);
        assert_int_equal(c.system, system);
        assert_int_equal(c.mlp_t_size > 0, mlp_t);
        struct engine *engine = small_network_create(&c);
        engine_count_parameters(engine, &trained, &puzzle);
        assert_int_equal(shape.parameters, trained);
        assert_int_equal(shape.puzzle_parameters, puzzle);
        engine_destroy(engine);
        config_release(&config);
    }
}

/* A width of mlp_t that is rounded to 0 would be none, and attention in its place. */
static void a_small_expansion_leaves_mlp_t(void **state)
{
    (void)state;
    const struct engine_setup_data sizes = { T, V, IDS, 10 };
    struct engine_config c;
    struct config config;

    make_settings(&config, SYSTEM_HRM, true, "none", "0");
    set(&config, "arch.expansion", "0.01");
    engine_setup(&c, &config, &sizes, true);
    assert_int_equal(c.mlp_t_size, 8);
    assert_int_equal(c.intermediate_size, 8);
    config_release(&config);
    assert_int_equal(shape_intermediate_size(0.01, 16, 1), 1);
    assert_int_equal(shape_intermediate_size(4.0, 512, 256), 1536);
}

/* FLOPs per layer pass times the passes that model.md counts for each system. */
static void shapes_count_the_flops_of_each_system(void **state)
{
    (void)state;
    static const double PASSES[SYSTEM_COUNT] = { [SYSTEM_HRM] = 3 * (4 * 3 + 2),
                                                 [SYSTEM_TRANSFORMER] = 2 + 3,
                                                 [SYSTEM_TRM] = 3 * (4 + 1) * 3,
                                                 [SYSTEM_HRM_SHARED] = 3 * (4 + 1) * 3 };
    static const double GRADIENT[SYSTEM_COUNT] = { [SYSTEM_HRM] = 3 + 2,
                                                   [SYSTEM_TRANSFORMER] = 2 + 3,
                                                   [SYSTEM_TRM] = (4 + 1) * 3,
                                                   [SYSTEM_HRM_SHARED] = 2 * 3 };
    const double S = 2 + T, width = 24, F = 64, F_S = 32, head = 2 * width * V;

    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (int mlp_t = 0; mlp_t < 2; mlp_t++) {
            struct config config;
            struct shape shape;

            make_settings(&config, s, mlp_t == 1, "none", "0");
            shape_compute(&shape, &config, T, V, IDS);
            assert_int_equal(shape.positions, S);
            assert_int_equal(shape.intermediate_size, F);
            assert_int_equal(shape.mlp_t_size, mlp_t ? F_S : 0);
            double mixing = mlp_t ? 6 * width * F_S : 8 * width * width + 4 * S * width;
            double layer = mixing + 6 * width * F;
            double forward = PASSES[s] * layer + head;
            double segments = s == SYSTEM_TRM ? 1 : 2; /* with the target segment */
            double rows = (double)config_int(&config, TRAIN_GLOBAL_BATCH_SIZE);
            assert_true(fabs(shape.eval_row_step_flops - S * forward) < 1e-6 * S * forward);
            double train = rows * S * (segments * forward + 2 * (GRADIENT[s] * layer + head));
            assert_true(fabs(shape.train_step_flops - train) < 1e-9 * train);
            config_release(&config);
        }
}

/* One setting that contradicts another is refused with a message that names both. */
static void contradictions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *key2, *value2, *message;
    } CASES[] = {
        { "arch.mlp_t", "true", "arch.pos_encodings", "rope", "learned or none" },
        { "arch.H_layers", "500", "arch.L_layers", "60", "= 560 layers, expected at most 512" },
        { "arch.gradient_horizon", "3", "arch.H_cycles", "2", "the 2 module calls" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct config config;
        struct error err = { 0 };

        assert_int_equal(config_init(&config, &err), 0);
        set(&config, "arch.name", i == 0 ? "trm" : "transformer");
        set(&config, CASES[i].key, CASES[i].value);
        set(&config, CASES[i].key2, CASES[i].value2);
        assert_int_equal(config_resolve(&config, "test", &err), ERROR_FORMAT);
        assert_non_null(strstr(err.message, CASES[i].key));
        assert_non_null(strstr(err.message, CASES[i].message));
        config_release(&config);
    }
}

/* The deepest matched transformer is read back from its own canonical form. */
static void a_matched_transformer_is_within_the_bounds(void **state)
{
    (void)state;
    struct config config, again;
    struct error err;

    assert_int_equal(config_init(&config, &err), 0);
    set(&config, "arch.name", "transformer");
    set(&config, "arch.H_layers", "64");
    set(&config, "arch.L_layers", "64");
    assert_int_equal(config_resolve(&config, "test", &err), 0);
    assert_int_equal(config_int(&config, ARCH_H_LAYERS), 128);
    cJSON *json = config_to_json(&config);
    if (config_from_json(&again, json, "test", &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(config_int(&again, ARCH_H_LAYERS), 128);
    cJSON_Delete(json);
    config_release(&again);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_halting_test_is_the_systems_own),
        cmocka_unit_test(exploration_delays_every_systems_halting),
        cmocka_unit_test(row_losses_add_up_to_the_token_loss),
        cmocka_unit_test(averages_follow_the_weights_and_evaluations_use_them),
        cmocka_unit_test(a_system_has_only_the_tensors_of_its_modules),
        cmocka_unit_test(shapes_count_the_parameters_that_engines_have),
        cmocka_unit_test(a_small_expansion_leaves_mlp_t),
        cmocka_unit_test(shapes_count_the_flops_of_each_system),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(a_matched_transformer_is_within_the_bounds),
    };

    return cmocka_run_group_tests_name("systems", tests, NULL, NULL);
}
