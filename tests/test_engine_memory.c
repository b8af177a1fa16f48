/* test_engine_memory.c - what an engine takes of memory, and what it says of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "error.h"
#include "support/engine_kinds.h"

#include <string.h>

static struct engine_config full_config(int batch)
{
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);

    c.batch_size = c.global_batch_size = batch;
    c.seq_len = 900;
    c.vocab_size = 12;
    c.hidden_size = c.puzzle_emb_ndim = 512;
    c.puzzle_emb_len = 0;
    c.num_heads = 8;
    c.intermediate_size = 1536;
    c.H_layers = c.L_layers = 4;
    c.num_puzzle_identifiers = 1000;
    return c;
}

static size_t bytes_of(struct engine_config c)
{
    struct error err;
    size_t bytes = 0;

    if (engine_measure(&bytes, &c, &err) < 0)
        fail_msg("%s", err.message);
    return bytes;
}

/* What engine.h says of the cost of a row; arrays are rounded up to 64 bytes. */
static void a_row_costs_what_is_stated(void **state)
{
    (void)state;
    for (int system = 0; system < SYSTEM_COUNT; system++) {
        struct engine_config few = full_config(2), many = full_config(6);
        size_t states = system == SYSTEM_TRANSFORMER ? 1 : 2, rounding = 64 * 40;

        few.system = many.system = (enum system_id)system;
        size_t stated = 4 * (4 * (2 * states * 901 * 512 + 5 * 900 + 900 * 12 + 13 + 512) + 3);
        size_t measured = bytes_of(many) - bytes_of(few);
        if (measured > stated + rounding || measured + rounding < stated)
            fail_msg("4 rows cost %zu bytes, stated are %zu", measured, stated);
    }
}

/* What an engine would take is known without it, also where no machine has so much. */
static void memory_is_measured_without_being_taken(void **state)
{
    (void)state;
    struct error err;
    size_t bytes = 0, more = 0;

    for (int kind = 0; kind < KINDS_COUNT; kind++) {
        struct engine_config c = engine_kinds_config(kind);

        c.threads = 2;
        c.gradient_lanes = 2;
        struct engine *engine = engine_kinds_create(&c, 1);
        assert_int_equal(engine_measure(&bytes, &c, &err), 0);
        assert_int_equal(bytes, engine_bytes(engine));
        engine_destroy(engine);
    }
    struct engine_config large = full_config(768);
    assert_int_equal(engine_measure(&bytes, &large, &err), 0);
    large.context_pairs = 3; /* 6300 positions */
    assert_int_equal(engine_measure(&more, &large, &err), 0);
    assert_true(more > 6 * bytes && more > (size_t)20 << 30);
    large.hidden_size = 0;
    assert_int_equal(engine_measure(&more, &large, &err), ERROR_FORMAT);
}

static void the_full_model_fits(void **state)
{
    (void)state;
    struct engine_config trains = full_config(32), evaluates = full_config(64);

    evaluates.inference_only = true;
    struct engine *engine;
    assert_int_equal(engine_create(&engine, &evaluates, NULL), 0);
    assert_int_equal(engine_bytes(engine), bytes_of(evaluates));
    engine_destroy(engine);
    assert_true(bytes_of(trains) < (size_t)2 << 30);
    assert_true(bytes_of(evaluates) < (size_t)1 << 30);
}

/* Lets the sanitizer's allocator fail as the library's does, for the test below. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void too_much_memory_is_an_error_with_its_size(void **state)
{
    (void)state;
    struct engine_config c = engine_kinds_plain(SYSTEM_HRM);
    struct engine *engine;
    struct error err;

    c.num_puzzle_identifiers = INT32_MAX;
    c.puzzle_emb_ndim = 1 << 20;
    assert_int_equal(engine_create(&engine, &c, &err), ERROR_NOMEM);
    assert_non_null(strstr(err.message, "MiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_costs_what_is_stated),
        cmocka_unit_test(memory_is_measured_without_being_taken),
        cmocka_unit_test(the_full_model_fits),
        cmocka_unit_test(too_much_memory_is_an_error_with_its_size),
    };

    return cmocka_run_group_tests_name("engine_memory", tests, NULL, NULL);
}
