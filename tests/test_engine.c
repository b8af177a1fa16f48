/* test_engine.c - the engine's contract: determinism, state, carry, evaluation, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "random.h"
#include "support/engine_kinds.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    B = KINDS_ROWS,
    T = KINDS_TOKENS,
    V = KINDS_VOCABULARY,
    IDS = KINDS_IDENTIFIERS,
    E = KINDS_PUZZLE_WIDTH,
    D = KINDS_WIDTH,
    K = KINDS_PAIRS,
    INPUTS = B * T * (2 * K + 1),
};

struct data {
    int32_t inputs[INPUTS], labels[B * T], identifiers[B], minima[B];
};

/* The batch of one step, with inputs for K pairs of context: tokens 1.., so that token 0 never occurs; ids below 5. */
static struct engine_batch make_batch(struct data *data, int step)
{
    struct random_stream stream = random_stream(3, "test", (uint64_t)step);

    for (int i = 0; i < B * T; i++) {
        data->inputs[i] = 1 + (int32_t)random_below(&stream, V - 1);
        data->labels[i] = random_below(&stream, 4) == 0 ? ENGINE_IGNORE_LABEL
                                                        : (int32_t)random_below(&stream, V);
    }
    for (int b = 0; b < B; b++) {
        data->identifiers[b] = (int32_t)random_below(&stream, 5);
        data->minima[b] = (int32_t)random_below(&stream, 3) == 0 ? 3 : 0;
    }
    for (int i = B * T; i < INPUTS; i++)
        data->inputs[i] = 1 + (int32_t)random_below(&stream, V - 1);
    return (struct engine_batch){ data->inputs, data->labels, data->identifiers };
}

static struct engine_result train(struct engine *engine, int first_step, int steps)
{
    struct engine_result result = { 0 };
    struct data data;

    for (int t = first_step; t < first_step + steps; t++) {
        struct engine_batch batch = make_batch(&data, t);

        assert_int_equal(engine_train_step(engine, &batch, data.minima, &result), 0);
        assert_true(result.finite);
    }
    return result;
}

static void *state_copy(const struct engine *engine, int i, struct engine_state *state)
{
    engine_state_describe(engine, i, state);
    void *bytes = malloc(state->bytes);
    assert_non_null(bytes);
    engine_state_get(engine, i, bytes);
    return bytes;
}

static void assert_same_bits(const struct engine *a, const struct engine *b)
{
    assert_int_equal(engine_state_count(a), engine_state_count(b));
    for (int i = 0; i < engine_state_count(a); i++) {
        struct engine_state sa, sb;
        void *x = state_copy(a, i, &sa), *y = state_copy(b, i, &sb);

        assert_string_equal(sa.name, sb.name);
        assert_int_equal(sa.bytes, sb.bytes);
        if (memcmp(x, y, sa.bytes) != 0)
            fail_msg("state %s differs", sa.name);
        free(x);
        free(y);
    }
}

static int find_state(const struct engine *engine, const char *name)
{
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        if (strcmp(state.name, name) == 0)
            return i;
    }
    fail_msg("no state %s", name);
    return -1;
}

static float *state_floats(const struct engine *engine, const char *name)
{
    struct engine_state state;
    float *values = state_copy(engine, find_state(engine, name), &state);

    assert_int_equal(state.dtype, ENGINE_F32);
    return values;
}

/* Runs check once per kernel set that this processor has. */
static void with_each_set(void (*check)(void))
{
    const char *set;

    for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
        struct error err;

        if (engine_select_kernels(set, &err) < 0)
            print_message("kernel set %s is not of this processor\n", set);
        else
            check();
    }
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
}

static void check_same_seed(void)
{
    for (int kind = 0; kind < KINDS_COUNT; kind++) {
        struct engine_config c = engine_kinds_config(kind);
        struct engine *a = engine_kinds_create(&c, 1), *b = engine_kinds_create(&c, 1);

        train(a, 0, 6);
        train(b, 0, 6);
        assert_same_bits(a, b);
        engine_initialise(b, 1); /* and again in the same engine */
        train(b, 0, 6);
        assert_same_bits(a, b);
        engine_destroy(a);
        engine_destroy(b);
    }
}

static void same_seed_gives_the_same_bits_twice(void **state)
{
    (void)state;
    with_each_set(check_same_seed);
}

static void another_seed_gives_other_weights(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *a = engine_kinds_create(&c, 1), *b = engine_kinds_create(&c, 2);
    const char *const name = "inner.L_level.layers.0.mlp.down_proj.weight";
    float *x = state_floats(a, name), *y = state_floats(b, name);

    assert_true(x[0] != y[0] && x[1] != y[1]);
    free(x);
    free(y);
    engine_destroy(a);
    engine_destroy(b);
}

/* All states into a fresh engine: it goes on with the same bits. */
static void check_restored_state(void)
{
    for (int kind = 0; kind < KINDS_COUNT; kind++) {
        struct engine_config c = engine_kinds_config(kind);
        struct engine *a = engine_kinds_create(&c, 1), *b = engine_kinds_create(&c, 99);

        train(a, 0, 5);
        for (int i = 0; i < engine_state_count(a); i++) {
            struct engine_state described;
            void *bytes = state_copy(a, i, &described);

            engine_state_set(b, i, bytes);
            free(bytes);
        }
        assert_same_bits(a, b);
        struct engine_result x = train(a, 5, 4), y = train(b, 5, 4);
        assert_true(x.loss == y.loss && x.count == y.count);
        assert_same_bits(a, b);
        engine_destroy(a);
        engine_destroy(b);
    }
}

static void restored_state_continues_with_the_same_bits(void **state)
{
    (void)state;
    with_each_set(check_restored_state);
}

static void evaluation_does_not_disturb_training(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *a = engine_kinds_create(&c, 1), *b = engine_kinds_create(&c, 1);
    struct engine_result result;
    struct data data;

    train(a, 0, 3);
    train(b, 0, 3);
    struct engine_batch batch = make_batch(&data, 77);
    engine_evaluate_begin(b, &batch, B - 1);
    for (int k = 0; k < 4; k++)
        assert_int_equal(engine_evaluate_step(b, &result), 0);
    assert_same_bits(a, b);
    train(a, 3, 3);
    train(b, 3, 3);
    assert_same_bits(a, b);
    engine_destroy(a);
    engine_destroy(b);
}

static void untouched_puzzle_rows_do_not_change(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    int i = find_state(engine, "inner.puzzle_emb.weights");
    float before[IDS * E], after[IDS * E];

    for (int k = 0; k < IDS * E; k++)
        before[k] = 0.01f * (float)k;
    engine_state_set(engine, i, before);
    train(engine, 0, 4);
    engine_state_get(engine, i, after);
    for (int id = 0; id < IDS; id++) {
        bool changed = memcmp(before + id * E, after + id * E, E * sizeof(float)) != 0;

        assert_int_equal(changed, id < 5); /* the batches have ids 0 to 4 */
    }
    engine_destroy(engine);
}

static void tokens_that_do_not_occur_still_decay(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    float *before = state_floats(engine, "inner.embed_tokens.embedding_weight");

    struct engine_result result = train(engine, 0, 1);
    float *after = state_floats(engine, "inner.embed_tokens.embedding_weight");
    float decay = (float)(1.0 - result.lr * c.weight_decay);
    for (int k = 0; k < D; k++) /* token 0 */
        assert_true(after[k] == before[k] * decay);
    free(before);
    free(after);
    engine_destroy(engine);
}

static void rows_without_labels_have_no_token_loss_and_no_metrics(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    struct engine_result result;
    struct data data;
    struct engine_batch batch = make_batch(&data, 0);

    for (int i = 0; i < B * T; i++)
        data.labels[i] = ENGINE_IGNORE_LABEL;
    engine_evaluate_begin(engine, &batch, B);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    assert_true(result.lm_loss == 0.0 && result.count == 0.0 && result.steps == 0.0);
    /* Such a row counts as right: softplus(5) of a bias of -5. */
    assert_true(fabs(result.q_halt_loss - B * log1p(exp(5.0))) < 1e-5);
    assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
    assert_true(result.lm_loss == 0.0 && result.finite);
    engine_destroy(engine);
}

static void rows_halt_at_the_maximum_and_by_exploration_no_sooner(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    const float bias[2] = { 50.0f, -50.0f }; /* halt at once, but for exploration */
    struct engine_result result;
    struct data data;
    uint8_t halted[B];
    int32_t steps[B];

    engine_state_set(engine, find_state(engine, "inner.q_head.bias"), bias);
    struct engine_batch batch = make_batch(&data, 0);
    memset(data.minima, 0, sizeof data.minima);
    data.minima[1] = 2;
    data.minima[2] = 3;
    for (int t = 1; t <= 3; t++) {
        assert_int_equal(engine_train_step(engine, &batch, data.minima, &result), 0);
        engine_read(engine, ENGINE_HALTED, halted);
        engine_read(engine, ENGINE_STEPS, steps);
        assert_true(halted[0] == 1 && steps[0] == 1);
        assert_true(halted[1] == (t == 2) && steps[1] == (t == 3 ? 1 : t));
        assert_true(halted[2] == (t == 3) && steps[2] == t);
    }
    engine_destroy(engine);
}

static void only_halted_rows_take_new_data(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    c.act_enabled = false; /* so that rows run for 3 steps */
    struct engine *engine = engine_kinds_create(&c, 1);
    struct data first, other;
    int32_t current[B * T];

    make_batch(&first, 0);
    train(engine, 0, 3);
    engine_read(engine, ENGINE_CURRENT_INPUTS, current);
    assert_memory_equal(current, first.inputs, sizeof current);
    train(engine, 3, 1);
    make_batch(&other, 3);
    engine_read(engine, ENGINE_CURRENT_INPUTS, current);
    assert_memory_equal(current, other.inputs, sizeof current);
    engine_destroy(engine);
}

static void kernel_sets_agree(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS_COUNT; kind++) {
        struct engine_config c = engine_kinds_config(kind);
        double tolerance = c.forward_dtype == ENGINE_BFLOAT16 ? 1e-2 : 1e-3, first = 0.0;
        const char *set;

        for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
            if (engine_select_kernels(set, NULL) < 0)
                continue;
            struct engine *engine = engine_kinds_create(&c, 1);
            double loss = train(engine, 0, 4).loss;
            engine_destroy(engine);
            first = s == 0 ? loss : first;
            if (!(fabs(loss - first) < tolerance * fabs(first)))
                fail_msg("%s, kind %d: loss %g, base has %g", set, kind, loss, first);
        }
    }
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
}

/* A kernel set's own products are of one thread: with two, weights are not packed for them, and
 * OpenBLAS computes the same model. */
static void with_two_threads_the_library_multiplies(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_config(2);
    struct engine *one = engine_kinds_create(&c, 1);
    double loss = train(one, 0, 4).loss;
    size_t packed = engine_bytes(one);

    openblas_set_num_threads(2);
    struct engine *two = engine_kinds_create(&c, 1);
    double also = train(two, 0, 4).loss;
    openblas_set_num_threads(1);
    assert_true(fabs(also - loss) < 1e-3 * loss);
    if (strcmp(engine_kernel_set(), "base") != 0)
        assert_true(engine_bytes(two) < packed);
    engine_destroy(one);
    engine_destroy(two);
}

static void inference_only_engine_evaluates_alike(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *trained = engine_kinds_create(&c, 1);
    struct engine_result x, y;
    struct data data;

    train(trained, 0, 4);
    c.inference_only = true;
    struct engine *engine = engine_kinds_create(&c, 2);
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state described;
        void *bytes = state_copy(trained, i, &described);

        engine_state_set(engine, i, bytes);
        free(bytes);
    }
    struct engine_batch batch = make_batch(&data, 50);
    engine_evaluate_begin(trained, &batch, B);
    engine_evaluate_begin(engine, &batch, B);
    for (int k = 1; k <= 3; k++) {
        assert_int_equal(engine_evaluate_step(trained, &x), 0);
        assert_int_equal(engine_evaluate_step(engine, &y), 0);
        assert_true(x.loss == y.loss && x.accuracy == y.accuracy && x.steps == y.steps);
        assert_true(x.loss == x.lm_loss + 0.5 * x.q_halt_loss && !x.has_target_q);
    }
    assert_int_equal(engine_output_size(engine, ENGINE_PUZZLE_GRADIENT), 0);
    engine_destroy(trained);
    engine_destroy(engine);
}

/* Rows 1 and 4 alone give what they give among all rows. */
static void check_kept_rows(int context_pairs)
{
    const int kept[2] = { 1, 4 };
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    c.context_pairs = context_pairs;
    struct engine *a = engine_kinds_create(&c, 1), *b = engine_kinds_create(&c, 1);
    struct engine_result result;
    struct data data;
    float x[B * T * V], y[B * T * V];
    int32_t predictions[B * T];

    struct engine_batch batch = make_batch(&data, 9);
    engine_evaluate_begin(a, &batch, B);
    engine_evaluate_begin(b, &batch, B);
    assert_int_equal(engine_evaluate_step(a, &result), 0);
    assert_int_equal(engine_evaluate_step(b, &result), 0);
    engine_evaluate_keep(b, kept, 2);
    assert_int_equal(engine_evaluate_step(a, &result), 0);
    assert_int_equal(engine_evaluate_step(b, &result), 0);
    assert_true(result.count <= 2.0 && result.steps == 2.0 * result.count);
    engine_read(a, ENGINE_LOGITS, x);
    engine_read(b, ENGINE_LOGITS, y);
    engine_read(b, ENGINE_PREDICTIONS, predictions);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < T * V; i++)
            assert_true(fabsf(x[kept[k] * T * V + i] - y[k * T * V + i]) < 1e-4f);
    for (int t = 0; t < T; t++)
        for (int v = 0; v < V; v++)
            assert_true(y[t * V + v] <= y[t * V + predictions[t]]);
    engine_destroy(a);
    engine_destroy(b);
}

static void kept_rows_continue_as_they_would_among_all(void **state)
{
    (void)state;
    check_kept_rows(0);
    check_kept_rows(K);
}

/* Each row of a batch with contexts gets the bits that it gets in a batch of its own, where
 * a chunk has one row in both. */
static void rows_with_a_context_are_what_they_are_alone(void **state)
{
    (void)state;
    enum { CANVAS = 100, U = CANVAS * (2 * K + 1), ROWS = 3 };
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    static int32_t inputs[ROWS * U], labels[ROWS * CANVAS];
    static float all[ROWS * CANVAS * V], alone[ROWS * CANVAS * V];
    struct random_stream stream = random_stream(5, "test", 0);
    const int32_t ids[ROWS] = { 3, 3, 7 };
    struct engine_result result;

    c.context_pairs = K;
    c.seq_len = CANVAS;
    c.batch_size = c.global_batch_size = ROWS;
    assert_int_equal(engine_input_tokens(&c), U);
    for (int i = 0; i < ROWS * U; i++)
        inputs[i] = (int32_t)random_below(&stream, V);
    memcpy(inputs + U, inputs, (U - 1) * sizeof *inputs); /* differs in its last token */
    struct engine *engine = engine_kinds_create(&c, 1);
    engine_evaluate_begin(engine, &(struct engine_batch){ inputs, labels, ids }, ROWS);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    engine_read(engine, ENGINE_LOGITS, all);
    for (int b = 0; b < ROWS; b++) {
        const struct engine_batch batch = { inputs + b * U, labels, ids + b };

        engine_evaluate_begin(engine, &batch, 1);
        assert_int_equal(engine_evaluate_step(engine, &result), 0);
        engine_read(engine, ENGINE_LOGITS, alone);
        assert_memory_equal(alone, all + b * CANVAS * V, CANVAS * V * sizeof *all);
    }
    engine_destroy(engine);
}

/* What stands in the context, and in which role, reaches the grid. */
static void a_context_is_read_by_its_roles(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_TRANSFORMER);
    static struct data data, swapped;
    float x[B * T * V], y[B * T * V];
    struct engine_result result;

    c.context_pairs = 1;
    c.pos_encodings = ENGINE_NO_POSITIONS; /* so that only the roles tell the grids apart */
    struct engine_batch batch = make_batch(&data, 2), other = make_batch(&swapped, 2);
    for (int b = 0; b < B; b++) {
        memcpy(swapped.inputs + b * 3 * T, data.inputs + (b * 3 + 1) * T, T * sizeof(int32_t));
        memcpy(swapped.inputs + (b * 3 + 1) * T, data.inputs + b * 3 * T, T * sizeof(int32_t));
    }
    struct engine *engine = engine_kinds_create(&c, 1);
    engine_evaluate_begin(engine, &batch, B);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    engine_read(engine, ENGINE_LOGITS, x);
    engine_evaluate_begin(engine, &other, B);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    engine_read(engine, ENGINE_LOGITS, y);
    for (int b = 0; b < B; b++)
        assert_memory_not_equal(x + b * T * V, y + b * T * V, T * V * sizeof *x);
    engine_destroy(engine);
}

static void initial_values_are_as_published(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    c.hidden_size = 96;
    c.intermediate_size = 256;
    struct engine *engine = engine_kinds_create(&c, 1);
    float *bias = state_floats(engine, "inner.q_head.bias");
    float *puzzles = state_floats(engine, "inner.puzzle_emb.weights");
    float *weights = state_floats(engine, "inner.H_level.layers.1.mlp.down_proj.weight");
    int count = 96 * 256;
    double sum = 0.0, squares = 0.0, std = 1.0 / sqrt(256.0), largest = 0.0;

    assert_true(bias[0] == -5.0f && bias[1] == -5.0f);
    assert_true(puzzles[0] == 0.0f && puzzles[IDS * E - 1] == 0.0f);
    for (int i = 0; i < count; i++) {
        sum += (double)weights[i];
        squares += (double)weights[i] * (double)weights[i];
        largest = fmax(largest, fabs((double)weights[i]));
    }
    assert_true(fabs(sum / count) < 4.0 * std / sqrt(count));
    assert_true(fabs(sqrt(squares / count) / std - 1.0) < 0.02);
    /* The cut lies at 2 sigma of the uncut normal: 2 / 0.87962566 of the result's. */
    assert_true(largest <= 2.0 * std / 0.87962566 + 1e-6 && largest > 2.2 * std);
    free(bias);
    free(puzzles);
    free(weights);
    engine_destroy(engine);
}

static void a_broken_weight_is_reported_as_not_finite(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    const float bias[2] = { NAN, 0.0f };
    struct engine_result result;
    struct data data;

    struct engine_batch batch = make_batch(&data, 0);
    engine_state_set(engine, find_state(engine, "inner.q_head.bias"), bias);
    assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
    assert_false(result.finite);
    engine_destroy(engine);
}

static void parameters_are_counted(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    int64_t trained, puzzle, sum = 0;

    engine_count_parameters(engine, &trained, &puzzle);
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state described;

        engine_state_describe(engine, i, &described);
        sum += described.kind == ENGINE_PARAMETER ? described.elements : 0;
    }
    assert_int_equal(trained, sum);
    assert_int_equal(trained, 2 * V * D + 2 * D + 2 + 3 * (4 * D * D + 3 * 24 * D));
    assert_int_equal(puzzle, IDS * E);
    engine_destroy(engine);
}

static void contradictory_configurations_are_refused(void **state)
{
    (void)state;
    enum { BAD = 9 };
    const struct engine_config good = engine_kinds_plain(SYSTEM_HRM);
    struct engine_config bad[BAD];
    static const char *const NAMED[BAD] = { "hidden_size", "head size",      "puzzle_emb_len",
                                            "vocab_size",  "H_layers",       "lr ",
                                            "beta",        "halt_max_steps", "positions" };

    for (int i = 0; i < BAD; i++)
        bad[i] = good;
    bad[0].hidden_size = 0;
    bad[1].num_heads = 3;
    bad[2].puzzle_emb_len = 1;
    bad[3].vocab_size = -7;
    bad[4].H_layers = 0;
    bad[5].lr = (double)NAN;
    bad[6].beta2 = 1.0;
    bad[7].halt_max_steps = 0;
    bad[8].seq_len = 1 << 20;
    bad[8].hidden_size = 1 << 12;
    for (int i = 0; i < BAD; i++) {
        struct engine *engine = NULL;
        struct error err;

        assert_int_equal(engine_create(&engine, &bad[i], &err), ERROR_FORMAT);
        assert_null(engine);
        if (strstr(err.message, NAMED[i]) == NULL)
            fail_msg("\"%s\" does not name %s", err.message, NAMED[i]);
    }
}

static void bad_batches_are_named(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine = engine_kinds_create(&c, 1);
    struct data data;
    struct error err;
    struct engine_batch batch = make_batch(&data, 0);

    assert_int_equal(engine_check_batch(engine, &batch, B, &err), 0);
    data.inputs[2 * T + 5] = V;
    assert_int_equal(engine_check_batch(engine, &batch, B, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "row 2, position 5"));
    assert_int_equal(engine_check_batch(engine, &batch, 2, &err),
                     0); /* row 2 is not looked at */
    data.inputs[2 * T + 5] = 1;
    data.labels[T] = -1;
    assert_int_equal(engine_check_batch(engine, &batch, B, &err), ERROR_FORMAT);
    data.labels[T] = ENGINE_IGNORE_LABEL;
    data.identifiers[3] = IDS;
    assert_int_equal(engine_check_batch(engine, &batch, B, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "row 3"));
    assert_int_equal(engine_check_batch(engine, &batch, B + 1, &err), ERROR_FORMAT);
    engine_destroy(engine);
}

static void the_blas_library_says_what_it_is(void **state)
{
    (void)state;
    assert_non_null(strstr(engine_blas_config(), "OpenBLAS"));
    assert_true(strlen(engine_blas_core()) > 0);
    assert_true(engine_measure_sgemm(64, 2, clock_monotonic_s) > 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_bits_twice),
        cmocka_unit_test(another_seed_gives_other_weights),
        cmocka_unit_test(restored_state_continues_with_the_same_bits),
        cmocka_unit_test(evaluation_does_not_disturb_training),
        cmocka_unit_test(untouched_puzzle_rows_do_not_change),
        cmocka_unit_test(tokens_that_do_not_occur_still_decay),
        cmocka_unit_test(rows_without_labels_have_no_token_loss_and_no_metrics),
        cmocka_unit_test(rows_halt_at_the_maximum_and_by_exploration_no_sooner),
        cmocka_unit_test(only_halted_rows_take_new_data),
        cmocka_unit_test(kernel_sets_agree),
        cmocka_unit_test(with_two_threads_the_library_multiplies),
        cmocka_unit_test(inference_only_engine_evaluates_alike),
        cmocka_unit_test(kept_rows_continue_as_they_would_among_all),
        cmocka_unit_test(rows_with_a_context_are_what_they_are_alone),
        cmocka_unit_test(a_context_is_read_by_its_roles),
        cmocka_unit_test(initial_values_are_as_published),
        cmocka_unit_test(a_broken_weight_is_reported_as_not_finite),
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(contradictory_configurations_are_refused),
        cmocka_unit_test(bad_batches_are_named),
        cmocka_unit_test(the_blas_library_says_what_it_is),
    };

    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
