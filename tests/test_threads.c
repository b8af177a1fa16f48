/* test_threads.c - gradient lanes and threads: the same bits for every number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "block.h"
#include "engine.h"
#include "error.h"
#include "kernels.h"
#include "lanes.h"
#include "ranks.h"
#include "support/small_network.h"
#include "team.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Chunks of up to five rows; no number of lanes below divides the rows. */
enum { B = 13, T = 100, V = 6, D = 16, IDENTIFIERS = 5, STEPS = 3 };

static const int THREADS[] = { 1, 2, 3, 4, 8 };
enum { THREAD_CASES = sizeof THREADS / sizeof *THREADS };

static const struct small_network SIZES = { B, T, V, IDENTIFIERS, D };

static struct engine_config config_of(enum system_id system, int lanes, int threads)
{
    struct engine_config config = small_network(system, SIZES);

    config.gradient_lanes = lanes;
    config.threads = threads;
    config.ema_rate = 0.9;
    config.clip_norm = 1.0;
    return config;
}

static struct engine_batch make_batch(struct small_rows *rows, int step)
{
    return small_network_batch(rows, SIZES, step);
}

static void train(struct engine *engine, int first, int end, struct engine_result *result)
{
    struct small_rows data;

    for (int step = first; step < end; step++) {
        struct engine_batch batch = make_batch(&data, step);

        assert_int_equal(engine_train_step(engine, &batch, NULL, result), 0);
    }
}

static void assert_same_output(const struct engine *a, const struct engine *b,
                               enum engine_output output)
{
    size_t bytes = engine_output_size(a, output);

    assert_int_equal(engine_output_size(b, output), bytes);
    if (bytes == 0)
        return;
    char *x = malloc(bytes), *y = malloc(bytes);
    assert_non_null(x);
    assert_non_null(y);
    engine_read(a, output, x);
    engine_read(b, output, y);
    assert_memory_equal(x, y, bytes);
    free(x);
    free(y);
}

/* Whatever system and number of threads: weights, averages, moments, carry and losses. */
static void training_has_the_same_bits_for_every_number_of_threads(void **state)
{
    (void)state;
    for (int s = 0; s < SYSTEM_COUNT; s++)
        for (int lanes = 1; lanes <= 8; lanes = lanes == 1 ? 2 : 4 * lanes) {
            struct engine_config config = config_of((enum system_id)s, lanes, 1);
            struct engine_result alone, together;
            struct engine *one = small_network_create(&config);

            train(one, 0, STEPS, &alone);
            for (int i = 1; i < THREAD_CASES; i++) {
                config.threads = THREADS[i];
                struct engine *many = small_network_create(&config);
                train(many, 0, STEPS, &together);
                expect_same_states(one, many);
                assert_memory_equal(&alone, &together, sizeof alone);
                engine_destroy(many);
            }
            engine_destroy(one);
        }
}

static void a_run_goes_on_with_another_number_of_threads(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 8, 1);
    struct engine_result result;
    struct engine *whole = small_network_create(&config);

    train(whole, 0, STEPS, &result);
    config.threads = 3;
    struct engine *first = small_network_create(&config);
    train(first, 0, 1, &result);
    config.threads = 8;
    struct engine *second = small_network_create(&config);
    copy_states(second, first);
    train(second, 1, STEPS, &result);
    expect_same_states(whole, second);
    engine_destroy(whole);
    engine_destroy(first);
    engine_destroy(second);
}

static void gradients_of(double *out, const struct engine *engine, int *count)
{
    *count = 0;
    for (int i = 0; i < engine_state_count(engine); i++) {
        struct engine_state state;

        engine_state_describe(engine, i, &state);
        if (state.kind != ENGINE_PARAMETER)
            continue;
        float *gradient = malloc(state.bytes);
        assert_non_null(gradient);
        engine_gradient_get(engine, i, gradient);
        for (int64_t k = 0; k < state.elements; k++)
            out[(*count)++] = (double)gradient[k];
        free(gradient);
    }
}

/* Lanes change the order of additions, nothing else. */
static void lanes_give_the_gradient_of_the_whole_batch(void **state)
{
    (void)state;
    enum { MOST = 200000 };
    double *whole = calloc(MOST, sizeof *whole), *parts = calloc(MOST, sizeof *parts);

    assert_non_null(whole);
    assert_non_null(parts);
    for (int lanes = 1; lanes <= 8; lanes *= 2) {
        struct engine_config config = config_of(SYSTEM_TRM, lanes, 2);
        struct engine *engine = small_network_create(&config);
        struct engine_result result;
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 0);
        int count = 0;
        double apart = 0.0, size = 0.0;

        assert_int_equal(engine_train_accumulate(engine, &batch, NULL, &result), 0);
        gradients_of(lanes == 1 ? whole : parts, engine, &count);
        assert_in_range(count, 1, MOST);
        for (int i = 0; lanes > 1 && i < count; i++) {
            apart += fabs(parts[i] - whole[i]);
            size += fabs(whole[i]);
        }
        if (apart > 1e-5 * size)
            fail_msg("%d lanes: apart by %g of %g", lanes, apart, size);
        engine_destroy(engine);
    }
    free(whole);
    free(parts);
}

/* So that neither of two threads has more to do, in rows of up to five at once. */
static void an_evaluation_is_dealt_in_equal_parts_for_pairs_of_threads(void **state)
{
    enum { CHUNK_ROWS = 5 };
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 1, 2);
    struct engine *engine = small_network_create(&config);

    for (int rows = 1; rows <= B; rows++) {
        struct row_parts deal = ranks_evaluate_parts(engine, rows);

        assert_int_equal(deal.first, 0);
        assert_int_equal(deal.end, deal.parts);
        assert_int_equal(lanes_first_row(deal.parts, deal.parts, deal.rows), rows);
        assert_true(deal.parts % 2 == 0 || rows <= CHUNK_ROWS);
        for (int part = 0; part < deal.parts; part++) {
            int size = lanes_first_row(deal.parts, part + 1, rows) -
                       lanes_first_row(deal.parts, part, rows);

            assert_in_range(size, rows / deal.parts, CHUNK_ROWS);
            assert_in_range(size, 1, (rows + deal.parts - 1) / deal.parts);
        }
    }
    engine_destroy(engine);
}

static void evaluation_has_the_same_bits_for_every_number_of_threads(void **state)
{
    static const enum engine_output OUTPUTS[] = {
        ENGINE_LOGITS,     ENGINE_PREDICTIONS, ENGINE_ROW_LOSS,  ENGINE_Q_HALT,
        ENGINE_Q_CONTINUE, ENGINE_HALT_TEST,   ENGINE_HALTED,    ENGINE_STEPS,
        ENGINE_Z_H,        ENGINE_Z_L,         ENGINE_RESIDUALS, ENGINE_CHANGE,
    };
    (void)state;
    for (int i = 1; i < THREAD_CASES; i++) {
        struct engine_config config = config_of(SYSTEM_HRM, 1, 1);
        struct engine_result alone, together;
        struct engine *one = small_network_create(&config);
        config.threads = THREADS[i];
        struct engine *many = small_network_create(&config);
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 0);
        struct error err;

        for (int e = 0; e < 2; e++) {
            struct engine *engine = e == 0 ? one : many;
            assert_int_equal(engine_record_residuals(engine, true, &err), 0);
            assert_int_equal(engine_record_change(engine, true, &err), 0);
            engine_evaluate_begin(engine, &batch, B - 1);
        }
        for (int step = 0; step < 2; step++) {
            assert_int_equal(engine_evaluate_step(one, &alone), 0);
            assert_int_equal(engine_evaluate_step(many, &together), 0);
            assert_memory_equal(&alone, &together, sizeof alone);
            for (size_t k = 0; k < sizeof OUTPUTS / sizeof *OUTPUTS; k++)
                assert_same_output(one, many, OUTPUTS[k]);
        }
        engine_destroy(one);
        engine_destroy(many);
    }
}

/* The cycles, and with them the cached activations of every thread, may change. */
static void cycles_change_for_all_threads(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 8, 1);
    struct engine_result result;
    struct engine *engines[2];
    struct error err;

    config.gradient_horizon = ENGINE_ALL_CALLS;
    for (int e = 0; e < 2; e++) {
        config.threads = e == 0 ? 1 : 4;
        engines[e] = small_network_create(&config);
        train(engines[e], 0, 1, &result);
        assert_int_equal(engine_set_cycles(engines[e], 3, 3, &err), 0);
        train(engines[e], 1, 2, &result);
    }
    expect_same_states(engines[0], engines[1]);
    engine_destroy(engines[0]);
    engine_destroy(engines[1]);
}

struct log {
    pthread_t thread;
    int64_t calls, last_done, total, stop_after;
    bool ascends, same_thread;
};

static bool note(void *context, int64_t done, int64_t total)
{
    struct log *log = context;

    log->calls++;
    log->ascends = log->ascends && done > log->last_done && done <= total;
    log->same_thread = log->same_thread && pthread_equal(log->thread, pthread_self());
    log->last_done = done;
    log->total = total;
    return log->stop_after > 0 && done >= log->stop_after;
}

static void the_watch_sees_the_work_of_all_threads(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 8, 4);
    struct engine *engine = small_network_create(&config);
    struct engine_result result;
    struct small_rows data;
    struct engine_batch batch = make_batch(&data, 0);

    for (int kind = 0; kind < 2; kind++) {
        struct log log = { .thread = pthread_self(), .ascends = true, .same_thread = true };

        engine_set_watch(engine, note, &log);
        if (kind == 0) {
            assert_int_equal(engine_train_step(engine, &batch, NULL, &result), 0);
        } else {
            engine_evaluate_begin(engine, &batch, B);
            assert_int_equal(engine_evaluate_step(engine, &result), 0);
        }
        assert_true(log.calls > 0 && log.ascends && log.same_thread);
        assert_int_equal(log.last_done, log.total);
    }
    engine_destroy(engine);
}

static void an_abandoned_step_stops_all_threads(void **state)
{
    (void)state;
    for (int lanes = 1; lanes <= 8; lanes *= 8) {
        struct engine_config config = config_of(SYSTEM_HRM, lanes, 4);
        struct engine *engine = small_network_create(&config),
                      *other = small_network_create(&config);
        struct engine_result result;
        struct small_rows data;
        struct engine_batch batch = make_batch(&data, 0);
        struct log log = { .thread = pthread_self(), .stop_after = 1 };

        engine_set_watch(engine, note, &log);
        assert_int_equal(engine_train_step(engine, &batch, NULL, &result), ERROR_STOPPED);
        /* Not asked again. How far the other threads were then is their affair: this one,
         * which alone asks, may be the last. */
        assert_int_equal(log.calls, 1);
        engine_set_watch(engine, NULL, NULL);
        engine_initialise(engine, 4);
        train(engine, 0, 2, &result);
        train(other, 0, 2, &result);
        expect_same_states(engine, other);
        engine_destroy(engine);
        engine_destroy(other);
    }
}

static bool refuse(void *context)
{
    (*(int *)context)++;
    return false;
}

static void assert_chunk(const struct lane_chunk *chunk, int lane, int first, int end)
{
    assert_int_equal(chunk->lane, lane);
    assert_int_equal(chunk->first, first);
    assert_int_equal(chunk->end, end);
}

/* Two lanes of five and six rows in chunks of two, three threads. */
static void a_thread_takes_chunks_of_another_lane_and_awaits_its_turn(void **state)
{
    (void)state;
    const struct lane_deal deal = { .lanes = 2, .rows = 11, .micro_rows = 11, .chunk_rows = 2 };
    struct float_range all = { 0, 8 };
    const struct pieces pieces = { .ranges = &all, .count = 1, .floats = 8 };
    struct lane_chunk a = { .lane = -1 }, b = a, c = a;
    struct block_sum sum = { 0 };
    const struct kernels *kernels;
    struct lanes *lanes;
    struct error err;
    int asked = 0;

    assert_int_equal(kernels_current(&kernels, &err), 0);
    assert_int_equal(lanes_chunks(deal, (struct lane_range){ 0, 2 }), 6);
    assert_int_equal(lanes_create(&lanes, (struct lane_range){ 0, 2 }, deal, 3, &pieces,
                                  kernels, &sum, &err),
                     0);
    lanes_begin(lanes);
    assert_true(lanes_take(lanes, &a) && lanes_take(lanes, &b) && lanes_take(lanes, &c));
    assert_chunk(&a, 0, 0, 2);
    assert_chunk(&b, 1, 5, 7);
    assert_chunk(&c, 1, 7, 9); /* of the lane with most rows left */
    assert_ptr_equal(c.gradient, b.gradient);
    assert_true(lanes_await(lanes, &b, refuse, &asked));
    assert_false(lanes_await(lanes, &c, refuse, &asked));
    assert_int_equal(asked, 1);
    lanes_give(lanes, &b);
    assert_true(lanes_await(lanes, &c, refuse, &asked));
    assert_true(lanes_take(lanes, &b)); /* its lane goes before others */
    assert_chunk(&b, 1, 9, 11);
    lanes_abandon(lanes);
    assert_false(lanes_await(lanes, &a, refuse, &asked) || lanes_take(lanes, &a));
    lanes_destroy(lanes);
}

static void fill(const struct lane_chunk *chunk, float value, size_t floats)
{
    for (size_t i = 0; i < floats; i++)
        chunk->gradient[i] = value;
}

/* Four lanes of one row; two early pieces, and the rest on both sides of them. */
static void pieces_are_added_along_the_tree_one_by_one(void **state)
{
    (void)state;
    const struct lane_deal deal = { .lanes = 4, .rows = 4, .micro_rows = 4, .chunk_rows = 1 };
    struct float_range ranges[] = { { 16, 32 }, { 8, 16 }, { 0, 8 }, { 32, 40 } };
    const struct pieces pieces = { .ranges = ranges, .early = 2, .count = 4, .floats = 40 };
    struct lane_chunk chunks[4];
    struct block_sum sum = { 0 };
    const struct kernels *kernels;
    struct lanes *lanes;
    struct error err;
    float *whole = NULL;

    assert_int_equal(kernels_current(&kernels, &err), 0);
    assert_int_equal(lanes_create(&lanes, (struct lane_range){ 0, 4 }, deal, 4, &pieces,
                                  kernels, &sum, &err),
                     0);
    lanes_begin(lanes);
    for (int i = 0; i < 4; i++) {
        chunks[i].lane = -1;
        assert_true(lanes_take(lanes, &chunks[i]));
        fill(&chunks[i], (float)(1 << i), pieces.floats);
    }
    lanes_give_piece(lanes, &chunks[3], 1); /* not its turn: waits for the end */
    for (int i = 3; i > 0; i--)
        lanes_give_piece(lanes, &chunks[i], 0);
    lanes_give(lanes, &chunks[3]);
    assert_int_equal(lanes_early_pieces(lanes, &whole), 0);
    lanes_give_piece(lanes, &chunks[0], 0);
    assert_int_equal(lanes_early_pieces(lanes, &whole), 1);
    assert_ptr_equal(whole, chunks[0].gradient);
    for (size_t i = 0; i < pieces.floats; i++)
        assert_true(whole[i] == (i >= 16 && i < 32 ? 15.0f : 1.0f));
    for (int i = 0; i < 3; i++)
        lanes_give(lanes, &chunks[i]);
    assert_int_equal(lanes_early_pieces(lanes, &whole), 2);
    lanes_add_last(lanes, 0, 4);
    lanes_add_last(lanes, 4, pieces.floats);
    assert_ptr_equal(lanes_sum(lanes), whole);
    for (size_t i = 0; i < pieces.floats; i++)
        assert_true(whole[i] == 15.0f);
    lanes_destroy(lanes);
}

static void more_lanes_than_rows_are_refused(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 16, 1);
    struct engine *engine;
    struct error err;

    assert_int_equal(engine_create(&engine, &config, &err), ERROR_FORMAT);
    assert_non_null(
        strstr(err.message, "gradient_lanes is 16, expected at most batch_size, 13"));
}

static void lanes_that_are_no_power_of_two_are_refused(void **state)
{
    (void)state;
    struct engine_config config = config_of(SYSTEM_HRM, 6, 1);
    struct engine *engine;
    struct error err;

    assert_int_equal(engine_create(&engine, &config, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "gradient_lanes is 6, expected a power of two"));
}

static void add_one(void *context, int member)
{
    atomic_int *counts = context;

    atomic_fetch_add(&counts[member], 1);
}

static void count_item(void *context, int item)
{
    atomic_int *counts = context;

    atomic_fetch_add(&counts[item], 1);
}

static void an_engine_shares_out_each_item_once(void **state)
{
    (void)state;
    for (int i = 0; i < THREAD_CASES; i++) {
        const struct engine_config config = config_of(SYSTEM_HRM, 1, THREADS[i]);
        struct engine *engine = small_network_create(&config);

        for (int count = 0; count <= B; count++) {
            atomic_int counts[B + 1] = { 0 };

            engine_share(engine, count, count_item, counts);
            for (int item = 0; item <= B; item++)
                assert_int_equal(atomic_load(&counts[item]), item < count);
        }
        engine_destroy(engine);
    }
}

static void a_team_runs_each_member_once(void **state)
{
    (void)state;
    enum { SIZE = 5, ROUNDS = 200 };
    struct team *team;
    struct error err;
    atomic_int counts[SIZE] = { 0 };

    assert_int_equal(team_create(&team, SIZE, &err), 0);
    for (int i = 0; i < ROUNDS; i++)
        team_run(team, 1 + i % SIZE, add_one, NULL, counts);
    for (int member = 0; member < SIZE; member++)
        assert_int_equal(counts[member], ROUNDS / SIZE * (SIZE - member));
    team_destroy(team);
    for (size_t total = 0; total < 300; total += 37) {
        assert_int_equal(team_part(total, 3, 0), 0);
        assert_int_equal(team_part(total, 3, 3), total);
        for (int member = 0; member < 3; member++)
            assert_true(team_part(total, 3, member) <= team_part(total, 3, member + 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_has_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(a_run_goes_on_with_another_number_of_threads),
        cmocka_unit_test(lanes_give_the_gradient_of_the_whole_batch),
        cmocka_unit_test(an_evaluation_is_dealt_in_equal_parts_for_pairs_of_threads),
        cmocka_unit_test(evaluation_has_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(cycles_change_for_all_threads),
        cmocka_unit_test(the_watch_sees_the_work_of_all_threads),
        cmocka_unit_test(an_abandoned_step_stops_all_threads),
        cmocka_unit_test(a_thread_takes_chunks_of_another_lane_and_awaits_its_turn),
        cmocka_unit_test(pieces_are_added_along_the_tree_one_by_one),
        cmocka_unit_test(more_lanes_than_rows_are_refused),
        cmocka_unit_test(lanes_that_are_no_power_of_two_are_refused),
        cmocka_unit_test(an_engine_shares_out_each_item_once),
        cmocka_unit_test(a_team_runs_each_member_once),
    };

    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
