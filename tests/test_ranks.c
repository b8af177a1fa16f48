/* test_ranks.c - one engine on several ranks: the same bits as on one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "error.h"
#include "support/rank_group.h"
#include "support/small_network.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Chunks of up to five rows; no number of lanes below divides the rows. */
enum { B = 13, T = 100, V = 6, D = 16, IDENTIFIERS = 5, LANES = 8, STEPS = 3 };

static const struct small_network SIZES = { B, T, V, IDENTIFIERS, D };

static struct engine_config config_of(enum system_id system)
{
    struct engine_config config = small_network(system, SIZES);

    config.gradient_lanes = LANES;
    config.threads = 1;
    config.ema_rate = 0.9;
    config.clip_norm = 1.0;
    return config;
}

/* The same configuration on the ranks of a group. */
static struct engine *create_on(const struct engine_config *config, struct rank_group *group,
                                int threads)
{
    struct engine_config shared = *config;

    shared.exchange = rank_group_exchange(group);
    shared.ranks = shared.exchange->count;
    shared.threads = threads;
    return small_network_create(&shared);
}

static struct engine_batch make_batch(struct small_rows *rows, int step)
{
    return small_network_batch(rows, SIZES, step);
}

static void train(struct engine *engine, int first, int end, struct engine_result *result)
{
    int32_t minimum[B];
    struct small_rows data;

    for (int step = first; step < end; step++) {
        struct engine_batch batch = make_batch(&data, step);

        for (int b = 0; b < B; b++)
            minimum[b] = b % 3 == 0 ? 2 : 0;
        assert_int_equal(engine_train_step(engine, &batch, minimum, result), 0);
    }
}

/* The first `rows` rows of every output, and what has no rows. */
static void assert_same_outputs(const struct engine *a, const struct engine *b, size_t rows)
{
    for (int o = ENGINE_LOGITS; o <= ENGINE_MEAN_Z_L; o++) {
        enum engine_output output = (enum engine_output)o;
        size_t bytes = engine_output_size(a, output);

        assert_int_equal(engine_output_size(b, output), bytes);
        if (bytes == 0)
            continue;
        char *x = malloc(bytes), *y = malloc(bytes);
        assert_non_null(x);
        assert_non_null(y);
        engine_read(a, output, x);
        engine_read(b, output, y);
        bool table = output == ENGINE_ROPE_COS || output == ENGINE_ROPE_SIN;
        if (memcmp(x, y, table ? bytes : bytes / B * rows) != 0)
            fail_msg("output %d differs", o);
        free(x);
        free(y);
    }
}

/* Whatever system, ranks and threads: weights, averages, moments, carry, outputs,
 * losses. */
static void training_has_the_same_bits_for_every_number_of_ranks(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine_config config = config_of((enum system_id)s);
        struct engine_result alone, together;
        struct engine *one = small_network_create(&config);

        train(one, 0, STEPS, &alone);
        for (int ranks = 2; ranks <= LANES; ranks *= 2)
            for (int threads = 1; threads <= 2; threads++) {
                struct rank_group *group = rank_group_start(ranks);
                struct engine *many = create_on(&config, group, threads);

                train(many, 0, STEPS, &together);
                assert_memory_equal(&alone, &together, sizeof alone);
                expect_same_states(one, many);
                assert_same_outputs(one, many, B);
                engine_destroy(many);
                rank_group_end(group);
            }
        engine_destroy(one);
    }
}

/* What decides in which order gradients become final, and when. */
static const struct shape {
    const char *what;
    int H_layers, L_layers, horizon, context_pairs;
    enum engine_supervision supervision;
    bool learned;
} SHAPES[] = {
    { .what = "layers of both modules", .H_layers = 3, .L_layers = 2, .learned = true },
    { .what = "H's last call before L's", .H_layers = 2, .L_layers = 2, .horizon = 4 },
    { .what = "no call of L", .H_layers = 2, .L_layers = 2, .horizon = 1 },
    { .what = "all calls", .H_layers = 1, .L_layers = 2, .horizon = ENGINE_ALL_CALLS },
    { .what = "chunks without a gradient",
      .H_layers = 2,
      .L_layers = 1,
      .supervision = ENGINE_LAST_STEP },
    { .what = "roles behind the layers", .H_layers = 1, .L_layers = 2, .context_pairs = 1 },
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

/* One lane for each rank, and several; one to three threads. */
static void training_of_every_shape_has_the_same_bits_on_several_ranks(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT * 2; i++) {
        const struct shape *shape = &SHAPES[i / 2];
        struct engine_config config = config_of(SYSTEM_HRM);
        struct engine_result alone, together;

        config.gradient_lanes = i % 2 == 0 ? 2 : LANES; /* on 2, on 4 ranks */
        config.H_layers = shape->H_layers;
        config.L_layers = shape->L_layers;
        config.gradient_horizon = shape->horizon;
        config.supervision = shape->supervision;
        if (shape->learned)
            config.pos_encodings = ENGINE_LEARNED;
        if (shape->context_pairs > 0) {
            config.context_pairs = shape->context_pairs;
            config.seq_len = T / (2 * shape->context_pairs + 1);
        }
        struct engine *one = small_network_create(&config);
        train(one, 0, STEPS, &alone);
        for (int threads = 1; threads <= 3; threads++) {
            struct rank_group *group = rank_group_start(i % 2 == 0 ? 2 : 4);
            struct engine *many = create_on(&config, group, threads);

            train(many, 0, STEPS, &together);
            if (memcmp(&alone, &together, sizeof alone) != 0)
                fail_msg("%s: %d lanes, %d threads", shape->what, config.gradient_lanes,
                         threads);
            expect_same_states(one, many);
            engine_destroy(many);
            rank_group_end(group);
        }
        engine_destroy(one);
    }
}

/* Rank 0's sum of H's gradients sets out before it has gone through L. */
static void gradients_are_exchanged_before_the_backward_pass_has_ended(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (int lanes = 2; lanes <= LANES; lanes *= 2) {
            struct engine_config config = config_of((enum system_id)s);
            struct rank_group *group = rank_group_start(2);
            struct engine_result result;
            int all, early;

            config.gradient_lanes = lanes;
            config.H_layers = config.L_layers = 2;
            struct engine *many = create_on(&config, group, 1);
            train(many, 0, 1, &result);
            rank_group_count_swaps(group, &all, &early);
            assert_in_range(early, 1, all - 1);
            engine_destroy(many);
            rank_group_end(group);
        }
}

static void a_run_goes_on_with_another_number_of_ranks(void **state)
{
    (void)state;
    static const int RANKS[] = { 2, 1, 4 };
    struct engine_config config = config_of(SYSTEM_HRM);
    struct engine_result result;
    struct engine *whole = small_network_create(&config), *last = small_network_create(&config);

    train(whole, 0, STEPS, &result);
    for (int step = 0; step < STEPS; step++) {
        struct rank_group *group = rank_group_start(RANKS[step]);
        struct engine *many = create_on(&config, group, 1);

        copy_states(many, last);
        train(many, step, step + 1, &result);
        copy_states(last, many);
        engine_destroy(many);
        rank_group_end(group);
    }
    expect_same_states(whole, last);
    engine_destroy(whole);
    engine_destroy(last);
}

enum { LEFT = 7 }; /* rows of an evaluation after its first step */

/* An evaluation with everything that changes it on the way: another puzzle embedding,
 * noise, and rows that leave. */
static void evaluate(struct engine *engine, int steps, struct engine_result *result)
{
    static const int KEPT[LEFT] = { 0, 5, 6, 7, 8, 9, 11 };
    float puzzle[D], noise[(T + 1) * D];
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 7);
    struct error err;

    for (int i = 0; i < D; i++)
        puzzle[i] = 0.1f * (float)i;
    for (int i = 0; i < (T + 1) * D; i++)
        noise[i] = (float)(i % 7) - 3.0f;
    engine_puzzle_set(engine, 1, puzzle);
    engine_evaluate_raw(engine, steps > 1);
    assert_int_equal(engine_record_residuals(engine, true, &err), 0);
    assert_int_equal(engine_record_change(engine, true, &err), 0);
    engine_evaluate_begin(engine, &batch, B - 1);
    engine_evaluate_perturb(engine, B - 3, 0, 0.5, noise);
    for (int step = 0; step < steps; step++) {
        assert_int_equal(engine_evaluate_step(engine, result), 0);
        if (step == 0)
            engine_evaluate_keep(engine, KEPT, LEFT);
    }
}

static void evaluation_has_the_same_bits_for_every_number_of_ranks(void **state)
{
    (void)state;
    for (int inference_only = 0; inference_only < 2; inference_only++)
        for (int ranks = 2; ranks <= LANES; ranks *= 2)
            for (int steps = 1; steps <= 2; steps++) {
                struct engine_config config = config_of(SYSTEM_HRM);
                struct engine_result alone, together;
                struct rank_group *group = rank_group_start(ranks);

                config.inference_only = inference_only;
                struct engine *one = small_network_create(&config);
                struct engine *many = create_on(&config, group, 2);
                if (!inference_only) { /* whose averages differ then */
                    train(one, 0, 1, &alone);
                    train(many, 0, 1, &together);
                }
                evaluate(one, steps, &alone);
                evaluate(many, steps, &together);
                assert_memory_equal(&alone, &together, sizeof alone);
                if (steps > 1) /* after rows have left there are no outputs */
                    assert_same_outputs(one, many, LEFT);
                engine_destroy(one);
                engine_destroy(many);
                rank_group_end(group);
            }
}

static void cycles_and_freezing_change_on_all_ranks(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM);
    struct rank_group *group = rank_group_start(2);
    struct engine_result result;
    struct engine *engines[2];
    struct error err;

    config.gradient_horizon = ENGINE_ALL_CALLS;
    engines[0] = small_network_create(&config);
    engines[1] = create_on(&config, group, 1);
    for (int e = 0; e < 2; e++) {
        train(engines[e], 0, 1, &result);
        assert_int_equal(engine_set_cycles(engines[e], 3, 3, &err), 0);
        engine_freeze(engines[e], false, true);
        train(engines[e], 1, 2, &result);
        engine_freeze(engines[e], true, false);
        train(engines[e], 2, 3, &result);
    }
    expect_same_states(engines[0], engines[1]);
    engine_destroy(engines[0]);
    engine_destroy(engines[1]);
    rank_group_end(group);
}

struct log {
    int64_t calls, last_done, total, stop_after;
    bool ascends;
};

static bool note(void *context, int64_t done, int64_t total)
{
    struct log *log = context;

    log->calls++;
    log->ascends = log->ascends && done > log->last_done && done <= total;
    log->last_done = done;
    log->total = total;
    return log->stop_after > 0 && done >= log->stop_after;
}

static void the_watch_sees_the_work_of_all_ranks(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM);
    struct rank_group *group = rank_group_start(4);
    struct engine *one = small_network_create(&config), *many = create_on(&config, group, 2);
    struct engine_result result;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 0);

    for (int kind = 0; kind < 2; kind++) {
        struct log logs[2] = { { .ascends = true }, { .ascends = true } };

        for (int e = 0; e < 2; e++) {
            struct engine *engine = e == 0 ? one : many;

            engine_set_watch(engine, note, &logs[e]);
            if (kind == 0) {
                assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
            } else {
                engine_evaluate_begin(engine, &batch, B);
                assert_int_equal(engine_evaluate_step(engine, &result), 0);
            }
            assert_true(logs[e].calls > 0 && logs[e].ascends);
            assert_int_equal(logs[e].last_done, logs[e].total);
        }
        assert_int_equal(logs[0].total, logs[1].total);
    }
    engine_destroy(one);
    engine_destroy(many);
    rank_group_end(group);
}

static void an_abandoned_step_stops_all_ranks_which_can_begin_anew(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM);
    struct rank_group *group = rank_group_start(4);
    struct engine *one = small_network_create(&config), *many = create_on(&config, group, 1);
    struct engine_result result;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 0);

    for (int after = 1; after < 15; after += 3) {
        struct log log = { .stop_after = after };

        engine_set_watch(many, note, &log);
        assert_int_equal(engine_train_accumulate(many, &batch, NULL, &result), ERROR_STOPPED);
        engine_evaluate_begin(many, &batch, B);
        log.last_done = 0;
        assert_int_equal(engine_evaluate_step(many, &result), ERROR_STOPPED);
    }
    engine_set_watch(many, NULL, NULL);
    engine_initialise(many, 4);
    train(one, 0, 1, &result);
    train(many, 0, 1, &result);
    expect_same_states(one, many);
    engine_destroy(one);
    engine_destroy(many);
    rank_group_end(group);
}

/* Some ranks have then begun to exchange gradients and others have not. */
static void a_step_can_be_abandoned_at_every_moment(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM);
    struct engine_result result;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 0);

    config.H_layers = config.L_layers = 2;
    config.gradient_lanes = config.batch_size = 4;
    struct engine *one = small_network_create(&config);
    train(one, 0, 1, &result);
    for (int ranks = 2; ranks <= 4; ranks *= 2) {
        struct rank_group *group = rank_group_start(ranks);
        struct engine *many = create_on(&config, group, ranks == 2 ? 2 : 1);
        struct log log = { .total = 1 };

        for (int64_t after = 1; after <= log.total; after++) {
            log = (struct log){ .stop_after = after, .total = log.total };
            engine_set_watch(many, note, &log);
            assert_int_equal(engine_train_accumulate(many, &batch, NULL, &result),
                             ERROR_STOPPED);
        }
        assert_true(log.total > 50);
        engine_set_watch(many, NULL, NULL);
        engine_initialise(many, 4);
        train(many, 0, 1, &result);
        expect_same_states(one, many);
        engine_destroy(many);
        rank_group_end(group);
    }
    engine_destroy(one);
}

static void ranks_that_cannot_share_the_lanes_are_refused(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM);
    struct engine *engine;
    struct error err;
    size_t one, two;

    config.ranks = 2;
    assert_int_equal(engine_create(&engine, &config, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "one process"));
    config.ranks = 3;
    assert_int_equal(engine_measure(&one, &config, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "power of two"));
    config.ranks = 2 * LANES;
    assert_int_equal(engine_measure(&one, &config, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "gradient_lanes"));
    config.ranks = 1;
    assert_int_equal(engine_measure(&one, &config, &err), 0);
    config.ranks = LANES;
    assert_int_equal(engine_measure(&two, &config, &err), 0);
    assert_true(two < one); /* fewer sums wait for their neighbours */
}

/* What rank 0 learns is the same on all ranks; a later engine works. */
static void a_failure_to_create_is_known_to_all_ranks(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM), wrong = config;
    struct rank_group *group = rank_group_start(4);
    struct engine_result result;
    struct engine *engine;
    struct error err;

    wrong.exchange = rank_group_exchange(group);
    wrong.ranks = 2;
    assert_int_equal(engine_create(&engine, &wrong, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "4 processes"));
    assert_null(engine);
    engine = create_on(&config, group, 1);
    train(engine, 0, 1, &result);
    engine_destroy(engine);
    rank_group_end(group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_has_the_same_bits_for_every_number_of_ranks),
        cmocka_unit_test(training_of_every_shape_has_the_same_bits_on_several_ranks),
        cmocka_unit_test(gradients_are_exchanged_before_the_backward_pass_has_ended),
        cmocka_unit_test(a_run_goes_on_with_another_number_of_ranks),
        cmocka_unit_test(evaluation_has_the_same_bits_for_every_number_of_ranks),
        cmocka_unit_test(cycles_and_freezing_change_on_all_ranks),
        cmocka_unit_test(the_watch_sees_the_work_of_all_ranks),
        cmocka_unit_test(an_abandoned_step_stops_all_ranks_which_can_begin_anew),
        cmocka_unit_test(a_step_can_be_abandoned_at_every_moment),
        cmocka_unit_test(ranks_that_cannot_share_the_lanes_are_refused),
        cmocka_unit_test(a_failure_to_create_is_known_to_all_ranks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
