/* kernel_arrays.c - every set in turn; arrays that notice what is written behind them. */
#include "kernel_arrays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "error.h"

enum { CANARIES = 4 };
static const float CANARY = 12345.0f;

/* Widths that a vector loop gets wrong: below, at, and just past whole vectors. */
static const int AWKWARD_WIDTHS[] = { 1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 65, 130, MAX_WIDTH };
enum { WIDTH_COUNT = sizeof AWKWARD_WIDTHS / sizeof *AWKWARD_WIDTHS };

void for_all_sets(kernels_check_fn *check)
{
    const char *set;
    int ran = 0;

    for (int s = 0; (set = engine_kernel_set_name(s)) != NULL; s++) {
        const struct kernels *k;
        struct error err;

        if (engine_select_kernels(set, &err) < 0) {
            print_message("skipped: %s\n", err.message);
            continue;
        }
        assert_int_equal(kernels_current(&k, &err), 0);
        for (int w = 0; w < WIDTH_COUNT; w++)
            check(k, AWKWARD_WIDTHS[w]);
        ran++;
    }
    assert_int_equal(engine_select_kernels(NULL, NULL), 0);
    assert_true(ran >= 1);
}

float *random_values(size_t count, uint64_t seed)
{
    float *values = malloc((count + CANARIES + KERNEL_SLACK) * sizeof *values);

    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(seed >> 40) * 0x1p-23f - 1.0f;
    }
    for (size_t i = count; i < count + CANARIES + KERNEL_SLACK; i++)
        values[i] = CANARY;
    return values;
}

float *copy_values(const float *from, size_t count)
{
    float *values = random_values(count, 1);

    memcpy(values, from, count * sizeof *values);
    return values;
}

void check_canary_and_free(float *values, size_t count)
{
    for (size_t i = count; i < count + CANARIES; i++)
        if (values[i] != CANARY)
            fail_msg("written %zu elements behind %zu", i - count + 1, count);
    free(values);
}

void check_close(const struct kernels *k, const char *what, int width, size_t i, double got,
                 double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s %s, width %d, element %zu: got %.9g, want %.9g", k->name, what, width, i,
                 got, want);
}
