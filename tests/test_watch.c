/* test_watch.c - what a step calls back while it computes, and how it is abandoned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "error.h"
#include "support/small_network.h"

#include <string.h>

enum { B = 7, T = 150, V = 6, D = 16 };

static const struct small_network SIZES = {
    .batch = B, .tokens = T, .vocabulary = V, .identifiers = 3, .width = D
};

/* Three chunks of up to three rows. */
static struct engine_config small_config(enum system_id system)
{
    struct engine_config c = small_network(system, SIZES);

    c.H_layers = 2;
    c.target_q_update_every = 2;
    return c;
}

struct log {
    int64_t calls, last_done, total;
    int64_t stop_at; /* the call that asks to stop; 0: none */
    bool ascends;
};

static bool note(void *context, int64_t done, int64_t total)
{
    struct log *log = context;

    log->calls++;
    log->ascends = log->ascends && done > log->last_done && done <= total &&
                   (log->total == 0 || log->total == total);
    log->last_done = done;
    log->total = total;
    return log->calls == log->stop_at;
}

static struct engine *create(enum system_id system)
{
    struct engine_config config = small_config(system);

    return small_network_create(&config);
}

static struct engine_batch make_batch(struct small_rows *rows, int step)
{
    return small_network_batch(rows, SIZES, step);
}

/* Per layer a call forwards, a call backwards, and one of the target segment where it runs. */
static void every_layer_of_every_call_is_counted(void **state)
{
    (void)state;
    static const int64_t SEGMENT_LAYERS[SYSTEM_COUNT] = { [SYSTEM_HRM] = 4 * 1 + 2 * 2,
                                                          [SYSTEM_TRANSFORMER] = 2 * 2,
                                                          [SYSTEM_TRM] = 6 * 1,
                                                          [SYSTEM_HRM_SHARED] = 6 * 1 };
    static const int64_t GRADIENT_LAYERS[SYSTEM_COUNT] = { [SYSTEM_HRM] = 1 + 2,
                                                           [SYSTEM_TRANSFORMER] = 2,
                                                           [SYSTEM_TRM] = 3 * 1,
                                                           [SYSTEM_HRM_SHARED] = 2 * 1 };
    enum { CHUNKS = 3 };

    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine *watched = create((enum system_id)s), *alone = create((enum system_id)s);
        struct engine_result result;
        struct small_rows data;

        for (int step = 1; step <= 2; step++) {
            struct engine_batch batch = make_batch(&data, step);
            struct log log = { .ascends = true };
            bool target = step == 2 && s != SYSTEM_TRM;
            int64_t forward = SEGMENT_LAYERS[s] * (target ? 2 : 1);

            engine_set_watch(watched, note, &log);
            assert_int_equal(engine_train_step(watched, &batch, NULL, &result), 0);
            assert_int_equal(result.has_target_q, target);
            assert_true(log.ascends);
            assert_int_equal(log.calls, CHUNKS * (forward + GRADIENT_LAYERS[s]));
            assert_int_equal(log.total, CHUNKS * (forward + 2 * GRADIENT_LAYERS[s]));
            assert_int_equal(log.last_done, log.total);
            assert_int_equal(engine_train_step(alone, &batch, NULL, &result), 0);
        }
        expect_same_states(watched, alone);
        struct engine_batch batch = make_batch(&data, 3);
        struct log log = { .ascends = true };
        engine_set_watch(watched, note, &log);
        engine_evaluate_begin(watched, &batch, B - 3); /* two chunks */
        assert_int_equal(engine_evaluate_step(watched, &result), 0);
        assert_true(log.ascends);
        assert_int_equal(log.calls, 2 * SEGMENT_LAYERS[s]);
        assert_int_equal(log.last_done, log.total);
        engine_destroy(alone);
        engine_destroy(watched);
    }
}

/* Abandoned at each call in turn, a step returns at once; a new start is as if nothing was. */
static void a_training_step_is_abandoned_at_any_call(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++) {
        struct engine *engine = create((enum system_id)s), *fresh = create((enum system_id)s);
        struct engine_result result;
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 1);
        struct log log = { .ascends = true };

        engine_set_watch(engine, note, &log);
        assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
        int64_t calls = log.calls;
        for (int64_t stop = 1; stop <= calls; stop++) {
            log = (struct log){ .stop_at = stop, .ascends = true };
            engine_initialise(engine, 4);
            assert_int_equal(engine_train_step(engine, &batch, NULL, &result), ERROR_STOPPED);
            assert_int_equal(log.calls, stop);
        }
        engine_initialise(engine, 4);
        engine_set_watch(engine, NULL, NULL);
        assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
        assert_int_equal(engine_train_step(fresh, &batch, NULL, &result), 0);
        expect_same_states(engine, fresh);
        engine_destroy(fresh);
        engine_destroy(engine);
    }
}

static void an_abandoned_evaluation_leaves_the_training_alone(void **state)
{
    (void)state;
    struct engine *engine = create(SYSTEM_HRM), *alone = create(SYSTEM_HRM);
    struct engine_result result, again;
    struct small_rows data;
    struct log log = { .stop_at = 5, .ascends = true };
    struct engine_batch batch = make_batch(&data, 1);

    assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
    assert_int_equal(engine_train_step(alone, &batch, NULL, &result), 0);
    engine_set_watch(engine, note, &log);
    engine_evaluate_begin(engine, &batch, B);
    assert_int_equal(engine_evaluate_step(engine, &result), ERROR_STOPPED);
    assert_int_equal(log.calls, 5);
    expect_same_states(engine, alone);
    engine_evaluate_begin(engine, &batch, B);
    engine_evaluate_begin(alone, &batch, B);
    assert_int_equal(engine_evaluate_step(engine, &result), 0);
    assert_int_equal(engine_evaluate_step(alone, &again), 0);
    assert_true(result.loss == again.loss);
    engine_destroy(alone);
    engine_destroy(engine);
}

/* engine_train_step() is accumulate and apply; nothing of the model moves before apply. */
static void accumulate_leaves_the_weights_and_apply_moves_them(void **state)
{
    (void)state;
    struct engine *halves = create(SYSTEM_HRM), *whole = create(SYSTEM_HRM);
    struct engine_result a, b;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 1);
    float before[V * D], after[V * D];

    engine_state_get(halves, 0, before);
    assert_int_equal(engine_train_accumulate(halves, &batch, NULL, &a), 0);
    engine_state_get(halves, 0, after);
    assert_memory_equal(before, after, sizeof before);
    engine_train_apply(halves, &a);
    engine_state_get(halves, 0, after);
    assert_true(memcmp(before, after, sizeof before) != 0);
    assert_int_equal(engine_train_step(whole, &batch, NULL, &b), 0);
    assert_true(a.loss == b.loss && a.lr == b.lr);
    expect_same_states(halves, whole);
    engine_destroy(whole);
    engine_destroy(halves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_of_every_call_is_counted),
        cmocka_unit_test(a_training_step_is_abandoned_at_any_call),
        cmocka_unit_test(an_abandoned_evaluation_leaves_the_training_alone),
        cmocka_unit_test(accumulate_leaves_the_weights_and_apply_moves_them),
    };

    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
