/* test_participation.c - the participation ratio of vectors whose eigenvalues are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "error.h"
#include "participation.h"

/* The ratio of count vectors of that width. */
static double ratio_of(int width, int count, const float *vectors)
{
    struct participation *p;
    struct error err = { 0 };

    assert_int_equal(participation_create(&p, 2, width, &err), 0);
    for (int i = 0; i < count; i++)
        participation_add(p, 1, vectors + i * width);
    double ratio = participation_ratio(p, 1);
    assert_true(isnan(participation_ratio(p, 0))); /* a set of its own, without vectors */
    participation_destroy(p);
    return ratio;
}

/* By hand: the vectors (2, 0), (-2, 0), (0, 1), (0, -1) have the covariance diag(2, 1/2), so
 * that the ratio is (2 + 1/2)^2 / (4 + 1/4) = 25/17, wherever they are. */
static void the_ratio_is_that_of_eigenvalues_worked_out_by_hand(void **state)
{
    static const float CROSS[] = { 2, 0, -2, 0, 0, 1, 0, -1 };
    static const float FAR[] = { 1026, -4096, 1022, -4096, 1024, -4095, 1024, -4097 };
    /* the same, turned by 45 degrees and doubled */
    static const float TURNED[] = { 2, 2, -2, -2, -1, 1, 1, -1 };

    (void)state;
    assert_true(fabs(ratio_of(2, 4, CROSS) - 25.0 / 17.0) < 1e-14);
    assert_true(fabs(ratio_of(2, 4, FAR) - 25.0 / 17.0) < 1e-14);
    assert_true(fabs(ratio_of(2, 4, TURNED) - 25.0 / 17.0) < 1e-14);
}

static void it_counts_the_dimensions_over_which_vectors_spread_evenly(void **state)
{
    enum { WIDTH = 7 };
    float vectors[2 * WIDTH * WIDTH] = { 0 };

    (void)state;
    for (int i = 0; i < 2 * WIDTH; i++)
        vectors[i * WIDTH + i / 2] = i % 2 == 0 ? 3.0f : -3.0f;
    for (int used = 1; used <= WIDTH; used++)
        assert_true(fabs(ratio_of(WIDTH, 2 * used, vectors) - used) < 1e-12);
}

static void vectors_that_do_not_differ_or_are_not_finite_have_no_ratio(void **state)
{
    static const float SAME[] = { 0.1f, 0.2f, 0.1f, 0.2f, 0.1f, 0.2f };
    static const float BAD[] = { 1, 2, INFINITY, 3 };

    (void)state;
    assert_true(isnan(ratio_of(2, 0, SAME)));
    assert_true(isnan(ratio_of(2, 1, SAME)));
    assert_true(isnan(ratio_of(2, 3, SAME)));
    assert_true(isnan(ratio_of(2, 2, BAD)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ratio_is_that_of_eigenvalues_worked_out_by_hand),
        cmocka_unit_test(it_counts_the_dimensions_over_which_vectors_spread_evenly),
        cmocka_unit_test(vectors_that_do_not_differ_or_are_not_finite_have_no_ratio),
    };

    return cmocka_run_group_tests_name("participation", tests, NULL, NULL);
}
