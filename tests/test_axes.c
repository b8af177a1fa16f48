/*
 * test_axes.c - the axes of the study: what each reduces to, which settings name one and the same
 * run, what is refused, and that FLOPs and memory follow.
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
#include "support/small_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { B = 6, T = 9, V = 6, D = 32, IDS = 4, STEPS = 5 };

static const struct small_network SIZES = {
    .batch = B, .tokens = T, .vocabulary = V, .identifiers = IDS, .width = D
};

static struct engine_config small_config(enum system_id system)
{
    struct engine_config c = small_network(system, SIZES);

    c.L_cycles = 3;
    c.intermediate_size = 64;
    c.halt_max_steps = 4;
    c.lr = 1e-2;
    return c;
}

static struct engine_batch make_batch(struct small_rows *rows, int step)
{
    return small_network_batch(rows, SIZES, step);
}

/* Every state of both, bit for bit. */
static bool same_states(const struct engine *a, const struct engine *b)
{
    bool same = engine_state_count(a) == engine_state_count(b);

    for (int i = 0; same && i < engine_state_count(a); i++) {
        struct engine_state of_a, of_b;

        engine_state_describe(a, i, &of_a);
        engine_state_describe(b, i, &of_b);
        assert_string_equal(of_a.name, of_b.name);
        assert_int_equal(of_a.bytes, of_b.bytes);
        void *x = malloc(of_a.bytes), *y = malloc(of_b.bytes);
        assert_true(x != NULL && y != NULL);
        engine_state_get(a, i, x);
        engine_state_get(b, i, y);
        same = memcmp(x, y, of_a.bytes) == 0;
        free(x);
        free(y);
    }
    return same;
}

/* Whether engines of both configurations are the same after some steps of training. */
static bool train_alike(const struct engine_config *a, const struct engine_config *b)
{
    struct engine *one = small_network_create(a), *other = small_network_create(b);
    bool same = true;

    for (int step = 1; step <= STEPS; step++) {
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, step);
        struct engine_result of_one, of_other;

        assert_int_equal(engine_train_step(one, &batch, NULL, &of_one), 0);
        assert_int_equal(engine_train_step(other, &batch, NULL, &of_other), 0);
        same = same && of_one.loss == of_other.loss;
    }
    same = same && same_states(one, other);
    engine_destroy(one);
    engine_destroy(other);
    return same;
}

static void the_published_horizon_by_its_number_is_the_published_model(void **state)
{
    (void)state;
    static const int PUBLISHED[SYSTEM_COUNT] = { [SYSTEM_HRM] = 2,
                                                 [SYSTEM_TRANSFORMER] = 1,
                                                 [SYSTEM_TRM] = 3 + 1,
                                                 [SYSTEM_HRM_SHARED] = 2 };

    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine_config plain = small_config((enum system_id)s), named = plain;

        named.gradient_horizon = PUBLISHED[s];
        assert_true(train_alike(&plain, &named));
        named.gradient_horizon = PUBLISHED[s] == 1 ? 2 : 1;
        assert_false(train_alike(&plain, &named));
    }
}

/* Without ACT neither the halting test nor the continue head is left as a difference. */
static void hrm_with_shared_levels_and_trms_horizon_is_trm(void **state)
{
    (void)state;
    struct engine_config trm = small_config(SYSTEM_TRM);

    trm.L_layers = 2;
    trm.act_enabled = false;
    struct engine_config shared = trm;
    shared.system = SYSTEM_HRM_SHARED;
    assert_false(train_alike(&trm, &shared));
    shared.gradient_horizon = trm.L_cycles + 1;
    assert_true(train_alike(&trm, &shared));
}

/* Every state of both, the longer ones as far as the shorter reach: rows of the embedding. */
static void expect_same_beginnings(const struct engine *many, const struct engine *one)
{
    for (int i = 0; i < engine_state_count(one); i++) {
        struct engine_state of_many, of_one;

        engine_state_describe(many, i, &of_many);
        engine_state_describe(one, i, &of_one);
        assert_string_equal(of_many.name, of_one.name);
        assert_true(of_many.bytes >= of_one.bytes);
        char *x = malloc(of_many.bytes), *y = malloc(of_one.bytes);
        assert_true(x != NULL && y != NULL);
        engine_state_get(many, i, x);
        engine_state_get(one, i, y);
        assert_memory_equal(x, y, of_one.bytes);
        free(x);
        free(y);
    }
}

/* arch.conditioning = blank gives every row the id 0. */
static void rows_of_the_blank_id_are_those_of_an_embedding_of_one_row(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine_config of_many = small_config((enum system_id)s), of_one = of_many;

        of_one.num_puzzle_identifiers = 1;
        struct engine *many = small_network_create(&of_many),
                      *one = small_network_create(&of_one);
        for (int step = 1; step <= STEPS; step++) {
            struct small_rows data;
            struct engine_batch batch = make_batch(&data, step);
            struct engine_result result, other;

            memset(data.identifiers, 0, sizeof data.identifiers);
            assert_int_equal(engine_train_step(many, &batch, NULL, &result), 0);
            assert_int_equal(engine_train_step(one, &batch, NULL, &other), 0);
            assert_true(result.loss == other.loss);
        }
        expect_same_beginnings(many, one);
        engine_destroy(many);
        engine_destroy(one);
    }
}

/* With one call a step, k outer steps of one call see what one outer step of k calls sees. */
static void a_recurrent_transformers_calls_are_those_of_as_many_outer_steps(void **state)
{
    (void)state;
    struct engine_config recurrent = small_config(SYSTEM_TRANSFORMER), plain = recurrent;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 1);
    struct engine_result once, often;

    recurrent.H_cycles = 3;
    plain.H_cycles = 1;
    struct engine *one = small_network_create(&recurrent),
                  *other = small_network_create(&plain);
    assert_int_equal(engine_segment_calls(one), 3);
    engine_evaluate_begin(one, &batch, B);
    engine_evaluate_begin(other, &batch, B);
    assert_int_equal(engine_evaluate_step(one, &once), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(engine_evaluate_step(other, &often), 0);
    assert_true(once.loss == often.loss);
    engine_destroy(one);
    engine_destroy(other);
}

static void deeper_horizons_take_more_memory_for_activations(void **state)
{
    (void)state;
    size_t before = 0;

    for (int horizon = 1; horizon <= 8; horizon++) {
        struct engine_config c = small_config(SYSTEM_HRM);

        c.gradient_horizon = horizon;
        struct engine *engine = small_network_create(&c);
        assert_true(engine_bytes(engine) > before);
        before = engine_bytes(engine);
        engine_destroy(engine);
    }
}

static void an_engine_refuses_a_horizon_beyond_the_segment(void **state)
{
    (void)state;
    struct engine_config c = small_config(SYSTEM_HRM);
    struct engine *engine;
    struct error err;

    c.gradient_horizon = 9;
    assert_int_equal(engine_create(&engine, &c, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "gradient_horizon is 9, expected at most the 8"));
}

static void every_step_by_a_decay_of_one_is_every_step(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine_config plain = small_config((enum system_id)s), other = plain;

        other.supervision = ENGINE_DECAYED_STEPS;
        other.supervision_decay = 1.0;
        assert_true(train_alike(&plain, &other));
        other.supervision_decay = 0.5;
        assert_false(train_alike(&plain, &other));
        /* a row that halts at its first step has no other */
        plain.halt_max_steps = 1;
        other = plain;
        other.supervision = ENGINE_LAST_STEP;
        assert_true(train_alike(&plain, &other));
    }
}

/* The gradient of parameter tensor i of the last step, fresh. */
static float *gradient_of(const struct engine *engine, int i, int64_t *count)
{
    struct engine_state state;

    engine_state_describe(engine, i, &state);
    if (state.kind != ENGINE_PARAMETER)
        return NULL;
    float *gradient = malloc((size_t)state.elements * sizeof *gradient);
    assert_non_null(gradient);
    engine_gradient_get(engine, i, gradient);
    *count = state.elements;
    return gradient;
}

/* Without ACT all rows are at the same step: at step k of four the gradient, and every loss, is
 * that of `every` times the weight, as long as the weights are the same (rate 0). */
static void supervision_weighs_losses_and_gradients_by_the_step(void **state)
{
    (void)state;
    static const double WEIGHTS[][4] = { { 0.0, 0.0, 0.0, 1.0 }, { 1.0, 0.5, 0.25, 0.125 } };
    static const enum engine_supervision KINDS[] = { ENGINE_LAST_STEP, ENGINE_DECAYED_STEPS };

    for (int kind = 0; kind < 2; kind++) {
        struct engine_config plain = small_config(SYSTEM_HRM);

        plain.lr = plain.puzzle_emb_lr = 0.0;
        plain.act_enabled = false;
        struct engine_config weighed = plain;
        weighed.supervision = KINDS[kind];
        weighed.supervision_decay = 0.5;
        struct engine *a = small_network_create(&plain), *b = small_network_create(&weighed);
        for (int step = 0; step < 8; step++) {
            double weight = WEIGHTS[kind][step % 4];
            float rows_a[B * D], rows_b[B * D];
            struct small_rows data;
            struct engine_batch batch = make_batch(&data, step / 4);
            struct engine_result of_a, of_b;

            assert_int_equal(engine_train_step(a, &batch, NULL, &of_a), 0);
            assert_int_equal(engine_train_step(b, &batch, NULL, &of_b), 0);
            assert_true(fabs(of_b.loss - weight * of_a.loss) <= 1e-12 * of_a.loss);
            assert_true(of_a.count == of_b.count && of_a.accuracy == of_b.accuracy);
            for (int i = 0; i < engine_state_count(a); i++) {
                int64_t count = 0;
                float *x = gradient_of(a, i, &count), *y = gradient_of(b, i, &count);

                for (int64_t k = 0; k < count; k++) /* powers of two are exact */
                    assert_true(y[k] == (float)weight * x[k]);
                free(x);
                free(y);
            }
            engine_read(a, ENGINE_PUZZLE_GRADIENT, rows_a);
            engine_read(b, ENGINE_PUZZLE_GRADIENT, rows_b);
            for (int k = 0; k < B * D; k++)
                assert_true(rows_b[k] == (float)weight * rows_a[k]);
        }
        engine_destroy(a);
        engine_destroy(b);
    }
}

/* Micro-batches of whole chunks of rows sum in the order of the whole batch. */
static void accumulated_micro_batches_equal_the_whole_batch(void **state)
{
    (void)state;
    struct engine_config whole = small_config(SYSTEM_HRM);

    whole.batch_size = whole.global_batch_size = B;
    whole.seq_len = 220; /* two rows a chunk */
    struct engine_config parts = whole;
    for (parts.micro_batch = 2; parts.micro_batch <= B; parts.micro_batch *= 3) {
        struct engine *one = small_network_create(&whole),
                      *other = small_network_create(&parts);
        int32_t *tokens = calloc((size_t)B * 220, sizeof *tokens),
                ids[B] = { 1, 2, 1, 0, 3, 2 };
        struct engine_result of_one, of_other;

        assert_non_null(tokens);
        for (int i = 0; i < B * 220; i++)
            tokens[i] = i * 7 % V;
        const struct engine_batch batch = { tokens, tokens, ids };
        for (int step = 0; step < 3; step++) {
            assert_int_equal(engine_train_step(one, &batch, NULL, &of_one), 0);
            assert_int_equal(engine_train_step(other, &batch, NULL, &of_other), 0);
            assert_true(of_one.loss == of_other.loss);
        }
        assert_true(same_states(one, other));
        free(tokens);
        engine_destroy(one);
        engine_destroy(other);
    }
    /* Other chunks add in another order: the same but for rounding. */
    parts.micro_batch = 1;
    struct engine *one = small_network_create(&whole), *other = small_network_create(&parts);
    assert_true(engine_bytes(one) > engine_bytes(other));
    engine_destroy(one);
    engine_destroy(other);
}

static void micro_batches_that_do_not_divide_the_batch_are_refused(void **state)
{
    (void)state;
    struct engine_config c = small_config(SYSTEM_HRM);
    struct engine *engine;
    struct error err;

    c.micro_batch = 4;
    assert_int_equal(engine_create(&engine, &c, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "micro_batch 4 does not divide batch_size 6"));
}

/* The norm of all parameters' gradients together. */
static double gradient_norm(const struct engine *engine)
{
    double squares = 0.0;

    for (int i = 0; i < engine_state_count(engine); i++) {
        int64_t count = 0;
        float *g = gradient_of(engine, i, &count);

        for (int64_t k = 0; k < count; k++)
            squares += (double)g[k] * (double)g[k];
        free(g);
    }
    return sqrt(squares);
}

static void gradients_are_clipped_to_the_norm_and_not_below_it(void **state)
{
    (void)state;
    struct engine_config plain = small_config(SYSTEM_TRM), clipped = plain;
    struct engine *a = small_network_create(&plain);
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 1);
    struct engine_result result;

    assert_int_equal(engine_train_step(a, &batch, NULL, &result), 0);
    double norm = gradient_norm(a);
    for (int i = 0; i < 2; i++) {
        clipped.clip_norm = i == 0 ? 0.25 * norm : 1.01 * norm;
        struct engine *b = small_network_create(&clipped);
        assert_int_equal(engine_train_step(b, &batch, NULL, &result), 0);
        double want = i == 0 ? clipped.clip_norm : norm;
        assert_true(fabs(gradient_norm(b) - want) < 1e-5 * norm);
        engine_destroy(b);
    }
    engine_destroy(a);
}

/* Three steps of every element from the definition, on the gradients that the engine found, after
 * some over which the trunk has rested. */
static void expect_adamw(int rested)
{
    struct engine_config c = small_config(SYSTEM_HRM);

    c.optimizer = ENGINE_ADAMW;
    c.rested_steps = rested;
    struct engine *engine = small_network_create(&c);
    enum { TENSOR = 0, COUNT = V * D };
    double p[COUNT], m[COUNT] = { 0 }, v[COUNT] = { 0 };
    float values[COUNT];

    engine_state_get(engine, TENSOR, values);
    for (int i = 0; i < COUNT; i++)
        p[i] = (double)values[i];
    for (int t = 1 - rested; t <= 3; t++) {
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, t + rested);
        struct engine_result result;
        int64_t count = 0;

        engine_freeze(engine, t < 1, false);
        assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
        if (t < 1)
            continue;
        float *g = gradient_of(engine, TENSOR, &count);
        assert_int_equal(count, COUNT);
        engine_state_get(engine, TENSOR, values);
        for (int i = 0; i < COUNT; i++) {
            double gradient = (double)g[i];

            m[i] = 0.9 * m[i] + 0.1 * gradient;
            v[i] = 0.95 * v[i] + 0.05 * gradient * gradient;
            p[i] -= c.lr * c.weight_decay * p[i];
            p[i] -= c.lr * (m[i] / (1.0 - pow(0.9, t))) /
                    (sqrt(v[i] / (1.0 - pow(0.95, t))) + 1e-8);
            if (!(fabs((double)values[i] - p[i]) < 2e-6))
                fail_msg("step %d, element %d: got %.9g, want %.9g", t, i, (double)values[i],
                         p[i]);
        }
        free(g);
    }
    engine_destroy(engine);
}

static void adamw_is_what_its_definition_says(void **state)
{
    (void)state;
    expect_adamw(0);
}

static void bias_correction_does_not_count_steps_of_a_frozen_trunk(void **state)
{
    (void)state;
    expect_adamw(2);
}

/* Cycles changed between two steps: as an engine of those cycles goes on from the same state. */
static void cycles_change_between_steps(void **state)
{
    (void)state;
    static const int HORIZONS[] = { 0, ENGINE_ALL_CALLS };

    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (int h = 0; h < 2; h++) {
            struct engine_config few = small_config((enum system_id)s), many = few;

            few.H_cycles = few.L_cycles = 1;
            few.gradient_horizon = many.gradient_horizon = HORIZONS[h];
            struct engine *changed = small_network_create(&few),
                          *other = small_network_create(&many);
            struct error err;
            for (int step = 1; step <= 4; step++) {
                struct small_rows data;
                struct engine_batch batch = make_batch(&data, step);
                struct engine_result ours, theirs;

                if (step == 3) {
                    for (int i = 0; i < engine_state_count(other); i++) {
                        struct engine_state described;

                        engine_state_describe(changed, i, &described);
                        void *values = malloc(described.bytes);
                        assert_non_null(values);
                        engine_state_get(changed, i, values);
                        engine_state_set(other, i, values);
                        free(values);
                    }
                    assert_int_equal(
                        engine_set_cycles(changed, many.H_cycles, many.L_cycles, &err), 0);
                    assert_int_equal(engine_segment_calls(changed),
                                     engine_segment_calls(other));
                    assert_int_equal(engine_bytes(changed), engine_bytes(other));
                }
                assert_int_equal(engine_train_step(changed, &batch, NULL, &ours), 0);
                if (step >= 3) {
                    assert_int_equal(engine_train_step(other, &batch, NULL, &theirs), 0);
                    assert_true(ours.loss == theirs.loss);
                }
            }
            assert_true(same_states(changed, other));
            engine_destroy(changed);
            engine_destroy(other);
        }
}

/* A resolved configuration with these settings, key and value in turn, then NULL. */
static void make_settings(struct config *config, const char *const *settings)
{
    struct error err;

    if (config_init(config, &err) < 0)
        fail_msg("%s", err.message);
    for (; settings[0] != NULL; settings += 2)
        if (config_set_text(config, settings[0], settings[1], "test", &err) < 0)
            fail_msg("%s", err.message);
    if (config_resolve(config, "test", &err) < 0)
        fail_msg("%s", err.message);
}

/* The canonical training form of these settings, fresh. */
static char *canonical(const char *const *settings)
{
    struct config config, again;
    struct error err;

    make_settings(&config, settings);
    char *text = config_canonical(&config, PHASE_TRAINING, &err);
    assert_non_null(text);
    /* What a job says reads back to the same. */
    cJSON *json = config_to_json(&config);
    assert_int_equal(config_from_json(&again, json, "test", &err), 0);
    char *back = config_canonical(&again, PHASE_TRAINING, &err);
    assert_string_equal(text, back);
    assert_int_equal(config_resolve(&again, "test", &err), 0);
    free(back);
    back = config_canonical(&again, PHASE_TRAINING, &err);
    assert_string_equal(text, back);
    free(back);
    cJSON_Delete(json);
    config_release(&again);
    config_release(&config);
    return text;
}

#define SETTINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Checks canonical forms of pairs of settings: the same run, or another. */
static void check_same(const char *const *a, const char *const *b, bool same)
{
    char *x = canonical(a), *y = canonical(b);

    if ((strcmp(x, y) == 0) != same)
        fail_msg("expected %s: %s and %s", same ? "the same" : "different runs", x, y);
    free(x);
    free(y);
}

static void seeds_are_the_runs_unless_they_are_set(void **state)
{
    (void)state;
    struct config config;

    make_settings(&config, SETTINGS("train.seed", "7"));
    assert_int_equal(config_model_seed(&config), 7);
    assert_int_equal(config_data_seed(&config), 7);
    config_release(&config);
    make_settings(&config, SETTINGS("train.seed", "7", "train.model_seed", "0"));
    assert_int_equal(config_model_seed(&config), 0);
    assert_int_equal(config_data_seed(&config), 7);
    config_release(&config);
}

static void one_run_has_one_name(void **state)
{
    (void)state;
    /* hrm, 2 x 2: six calls, two of them with gradient */
    check_same(SETTINGS("arch.name", "hrm"), SETTINGS("arch.gradient_horizon", "2"), true);
    check_same(SETTINGS("arch.name", "hrm"), SETTINGS("arch.gradient_horizon", "3"), false);
    check_same(SETTINGS("arch.gradient_horizon", "0"), SETTINGS("arch.gradient_horizon", "6"),
               true);
    check_same(SETTINGS("arch.name", "trm"),
               SETTINGS("arch.name", "trm", "arch.gradient_horizon", "3"), true);
    check_same(SETTINGS("arch.name", "trm", "arch.H_cycles", "1"),
               SETTINGS("arch.name", "trm", "arch.H_cycles", "1", "arch.gradient_horizon", "0"),
               true);
    /* a transformer has one call unless it is told otherwise */
    check_same(SETTINGS("arch.name", "transformer"),
               SETTINGS("arch.name", "transformer", "arch.H_cycles", "1"), true);
    check_same(SETTINGS("arch.name", "transformer"),
               SETTINGS("arch.name", "transformer", "arch.H_cycles", "2"), false);
    check_same(SETTINGS("arch.name", "hrm"), SETTINGS("arch.H_cycles", "2"), true);
    check_same(SETTINGS("arch.name", "transformer"),
               SETTINGS("arch.name", "transformer", "arch.gradient_horizon", "0"), true);
    /* six layer passes of HRM in a stack of two layers are three calls */
    check_same(SETTINGS("arch.name", "transformer", "arch.match", "flops", "arch.H_layers", "1",
                        "arch.L_layers", "1"),
               SETTINGS("arch.name", "transformer", "arch.match", "none", "arch.H_layers", "2",
                        "arch.H_cycles", "3"),
               true);
    check_same(SETTINGS("train.supervision", "every"),
               SETTINGS("train.supervision", "decay", "train.supervision_decay", "1"), true);
    check_same(SETTINGS("train.supervision", "last"), SETTINGS("arch.name", "hrm"), false);
#define STAGE(until, H, L) "{\"until\":" until ",\"H_cycles\":" H ",\"L_cycles\":" L "}"
    check_same(SETTINGS("train.cycle_schedule", "[" STAGE("1", "2", "2") "]"),
               SETTINGS("arch.H_cycles", "2"), true);
    check_same(SETTINGS("train.cycle_schedule", "[" STAGE("1", "1", "2") "]"),
               SETTINGS("arch.H_cycles", "2"), false);
    check_same(SETTINGS("train.cycle_schedule", "[]"), SETTINGS("arch.H_cycles", "2"), true);
    check_same(SETTINGS("train.cycle_schedule",
                        "[" STAGE("0.5", "1", "1") ", " STAGE("1", "2", "2") "]"),
               SETTINGS("train.cycle_schedule",
                        "[" STAGE("0.50", "1", "1") "," STAGE("1.0", "2", "2") "]"),
               true);
    check_same(SETTINGS("train.micro_batch", "64"), SETTINGS("train.global_batch_size", "64"),
               true);
    check_same(SETTINGS("train.micro_batch", "32"), SETTINGS("train.global_batch_size", "64"),
               false);
    check_same(SETTINGS("train.model_seed", "seed"), SETTINGS("train.seed", "0"), true);
    check_same(SETTINGS("train.data_seed", "3"), SETTINGS("train.model_seed", "3"), false);
    /* what a release without these axes called the transformer */
    char *text = canonical(SETTINGS("arch.name", "transformer", "train.lr", "0.002"));
    assert_string_equal(text, "{\"arch.H_layers\":4,\"arch.name\":\"transformer\","
                              "\"train.lr\":0.002}");
    free(text);
}

/* Layer passes per outer step within half a call of HRM's, whatever the sizes. */
static void a_transformer_of_hrms_flops_makes_its_passes(void **state)
{
    (void)state;
    static const char *const LAYERS_AND_CYCLES[][4] = {
        { "2", "2", "2", "2" }, { "4", "4", "2", "2" }, { "1", "3", "3", "4" },
        { "3", "1", "1", "1" }, { "4", "4", "8", "8" },
    };

    for (size_t i = 0; i < sizeof LAYERS_AND_CYCLES / sizeof *LAYERS_AND_CYCLES; i++) {
        const char *const settings[] = { "arch.name",
                                         "hrm",
                                         "arch.match",
                                         "flops",
                                         "arch.H_layers",
                                         LAYERS_AND_CYCLES[i][0],
                                         "arch.L_layers",
                                         LAYERS_AND_CYCLES[i][1],
                                         "arch.H_cycles",
                                         LAYERS_AND_CYCLES[i][2],
                                         "arch.L_cycles",
                                         LAYERS_AND_CYCLES[i][3],
                                         NULL };
        const char *transformer[sizeof settings / sizeof *settings];
        struct config hrm, matched;

        memcpy(transformer, settings, sizeof settings);
        transformer[1] = "transformer";
        make_settings(&hrm, settings);
        make_settings(&matched, transformer);
        struct system_sizes a = config_system_sizes(&hrm), b = config_system_sizes(&matched);
        int64_t wanted = system_layer_passes(config_system(&hrm), &a);
        int64_t got = system_layer_passes(config_system(&matched), &b);
        assert_int_equal(system_layers(config_system(&hrm), &a),
                         system_layers(config_system(&matched), &b));
        assert_true(2 * llabs(wanted - got) <= b.layers[MODULE_H]);
        config_release(&hrm);
        config_release(&matched);
    }
}

static void schedules_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "[{\"until\": 0.5, \"H_cycles\": 1, \"L_cycles\": 1}]",
        "[{\"until\": 1, \"H_cycles\": 1}]",
        "[{\"until\": 1, \"H_cycles\": 0, \"L_cycles\": 1}]",
        "[{\"until\": 1, \"H_cycles\": 1.5, \"L_cycles\": 1}]",
        "[" STAGE("1", "1", "1") "," STAGE("1", "1", "1") "]",
        "{\"until\": 1, \"H_cycles\": 1, \"L_cycles\": 1}",
        "soon",
        "\"soon\"",
        "7",
    };
    struct config config;
    struct error err = { 0 };

    assert_int_equal(config_init(&config, &err), 0);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        if (config_set_text(&config, "train.cycle_schedule", BAD[i], "test", &err) == 0)
            fail_msg("taken: %s", BAD[i]);
    /* a horizon deeper than one of the stages */
    assert_int_equal(config_set_text(&config, "train.cycle_schedule",
                                     "[" STAGE("0.5", "1", "1") "," STAGE("1", "2", "2") "]",
                                     "test", &err),
                     0);
    assert_int_equal(config_set_text(&config, "arch.gradient_horizon", "3", "test", &err), 0);
    assert_int_equal(config_resolve(&config, "test", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "the 2 module calls of stage 1"));
    config_release(&config);
}

/* A step that lasts a quarter of the training at one call each has a quarter of its share. */
static void flops_follow_the_schedule(void **state)
{
    (void)state;
    double flops[3];
    static const char *const SCHEDULES[] = {
        "[" STAGE("1", "1", "1") "]", "[" STAGE("1", "3", "2") "]",
        "[" STAGE("0.25", "1", "1") "," STAGE("1", "3", "2") "]"
    };

    for (int i = 0; i < 3; i++) {
        struct config config;
        struct shape shape;

        make_settings(&config, SETTINGS("train.cycle_schedule", SCHEDULES[i],
                                        "arch.gradient_horizon", "0"));
        shape_compute(&shape, &config, T, V, IDS);
        flops[i] = shape.train_step_flops;
        config_release(&config);
    }
    assert_true(fabs(flops[2] - (0.25 * flops[0] + 0.75 * flops[1])) < 1e-9 * flops[2]);
}

/* FLOPs of a training step grow by two forward passes for each call with gradient more. */
static void flops_follow_the_horizon(void **state)
{
    (void)state;
    double before[3];

    for (int horizon = 0; horizon < 3; horizon++) {
        static const char *const HORIZONS[] = { "1", "published", "3" };
        struct config config;
        struct shape shape;

        make_settings(&config, SETTINGS("arch.gradient_horizon", HORIZONS[horizon]));
        shape_compute(&shape, &config, T, V, IDS);
        before[horizon] = shape.train_step_flops;
        config_release(&config);
    }
    assert_true(before[1] > before[0]);
    assert_true(fabs((before[2] - before[1]) - (before[1] - before[0])) < 1e-9 * before[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_horizon_by_its_number_is_the_published_model),
        cmocka_unit_test(hrm_with_shared_levels_and_trms_horizon_is_trm),
        cmocka_unit_test(rows_of_the_blank_id_are_those_of_an_embedding_of_one_row),
        cmocka_unit_test(a_recurrent_transformers_calls_are_those_of_as_many_outer_steps),
        cmocka_unit_test(deeper_horizons_take_more_memory_for_activations),
        cmocka_unit_test(an_engine_refuses_a_horizon_beyond_the_segment),
        cmocka_unit_test(every_step_by_a_decay_of_one_is_every_step),
        cmocka_unit_test(supervision_weighs_losses_and_gradients_by_the_step),
        cmocka_unit_test(accumulated_micro_batches_equal_the_whole_batch),
        cmocka_unit_test(micro_batches_that_do_not_divide_the_batch_are_refused),
        cmocka_unit_test(gradients_are_clipped_to_the_norm_and_not_below_it),
        cmocka_unit_test(adamw_is_what_its_definition_says),
        cmocka_unit_test(bias_correction_does_not_count_steps_of_a_frozen_trunk),
        cmocka_unit_test(cycles_change_between_steps),
        cmocka_unit_test(schedules_that_are_none_are_refused),
        cmocka_unit_test(flops_follow_the_schedule),
        cmocka_unit_test(seeds_are_the_runs_unless_they_are_set),
        cmocka_unit_test(one_run_has_one_name),
        cmocka_unit_test(a_transformer_of_hrms_flops_makes_its_passes),
        cmocka_unit_test(flops_follow_the_horizon),
    };

    return cmocka_run_group_tests_name("axes", tests, NULL, NULL);
}
