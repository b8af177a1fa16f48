/* test_importance.c - shares of variance against numbers worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "anova.h"
#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_share(const struct anova_term *term, enum anova_kind kind, double share,
                         int freedom)
{
    assert_int_equal(term->kind, kind);
    if (fabs(term->share - share) > 1e-12)
        fail_msg("a share is %.15g, expected %.15g", term->share, share);
    assert_int_equal(term->freedom, freedom);
    assert_true(isnan(term->low) || (term->low >= 0 && term->low <= term->high));
}

/*
 * 2 x 2 cells, 2 seeds, one task. With a, b, s = -1 or 1 for the levels and the seed:
 * y = 10 + 1 a + 2 b + 1 a b + 1 s. Sums of squares over the 8 values: a 8, b 32, a x b 8,
 * seed 8, of 56.
 */
static void shares_of_two_factors_are_those_worked_out_by_hand(void **state)
{
    /* (a, b): (-1, -1), (-1, 1), (1, -1), (1, 1), for s = -1 and 1 */
    static const double VALUES[] = { 7, 9, 9, 11, 7, 9, 13, 15 };
    const struct anova_grid grid = { .factor_count = 2,
                                     .levels = { 2, 2 },
                                     .cells = 4,
                                     .seeds = 2,
                                     .tasks = 1,
                                     .seeds_shared = true,
                                     .values = VALUES };
    struct anova_term terms[ANOVA_TERMS];
    struct error err;
    int count;

    (void)state;
    assert_int_equal(anova(terms, &count, &grid, &err), 0);
    assert_int_equal(count, 4);
    expect_share(&terms[0], ANOVA_FACTOR, 8.0 / 56, 1);
    expect_share(&terms[1], ANOVA_FACTOR, 32.0 / 56, 1);
    expect_share(&terms[2], ANOVA_PAIR, 8.0 / 56, 1);
    expect_share(&terms[3], ANOVA_SEED, 8.0 / 56, 4);
    /* A sample that draws one seed twice has none of its variance: 1/6, 2/3, 1/6, 0. */
    assert_true(fabs(terms[3].low) < 1e-12 && fabs(terms[3].high - 8.0 / 56) < 1e-12);
    assert_true(fabs(terms[1].low - 32.0 / 56) < 1e-12 &&
                fabs(terms[1].high - 2.0 / 3) < 1e-12);
}

/*
 * 3 x 2 x 2 cells, one seed, two tasks whose means are: 6 for the first factor's levels 0, 0, 3,
 * 1 for all three at level 1 of the others (c = 1, b = 1) as a three-way term t = a' b c with
 * a' = 1, -1, 0 and b, c = -1, 1. y = A + t. SS(A): 4 x ((0 - 1)^2 + (0 - 1)^2 + (3 - 1)^2) = 24;
 * SS(t): 8 x 1 = 8.
 */
static void three_axes_together_are_a_term_of_their_own(void **state)
{
    static const double FIRST[] = { 0, 0, 3 }, ALONE[] = { 1, -1, 0 };
    double values[3 * 2 * 2 * 2];
    struct anova_grid grid = { .factor_count = 3,
                               .levels = { 3, 2, 2 },
                               .cells = 12,
                               .seeds = 1,
                               .tasks = 2,
                               .values = values };
    struct anova_term terms[ANOVA_TERMS];
    struct error err;
    int count, at = 0;

    (void)state;
    for (int a = 0; a < 3; a++)
        for (int b = -1; b <= 1; b += 2)
            for (int c = -1; c <= 1; c += 2) {
                double mean = FIRST[a] + ALONE[a] * b * c;
                values[at++] = mean - 0.5;
                values[at++] = mean + 0.5;
            }
    assert_int_equal(anova(terms, &count, &grid, &err), 0);
    assert_int_equal(count, 7); /* without a seed's term */
    expect_share(&terms[0], ANOVA_FACTOR, 24.0 / 32, 2);
    for (int i = 1; i < 6; i++)
        expect_share(&terms[i], i < 3 ? ANOVA_FACTOR : ANOVA_PAIR, 0,
                     i < 3   ? 1
                     : i < 5 ? 2
                             : 1);
    expect_share(&terms[6], ANOVA_HIGHER, 8.0 / 32, 2);
}

/*
 * 2 cells, 19 seeds, 3 tasks: y = 10 a + (s - 9) (t + 1) / 2, whose mean over tasks is 10 a + s - 9.
 * Sums of squares: of the factor 2 x 19 x 5^2 = 950, of the seeds 2 x 570 = 1140.
 */
static void every_one_of_many_seeds_counts(void **state)
{
    enum { SEEDS = 19, TASKS = 3 };
    double values[2 * SEEDS * TASKS];
    const struct anova_grid grid = { .factor_count = 1,
                                     .levels = { 2 },
                                     .cells = 2,
                                     .seeds = SEEDS,
                                     .tasks = TASKS,
                                     .seeds_shared = true,
                                     .values = values };
    struct anova_term terms[ANOVA_TERMS];
    struct error err;
    int count;

    (void)state;
    for (int a = 0; a < 2; a++)
        for (int s = 0; s < SEEDS; s++)
            for (int t = 0; t < TASKS; t++)
                values[(a * SEEDS + s) * TASKS + t] = 10 * a + (s - 9) * (t + 1) / 2.0;
    assert_int_equal(anova(terms, &count, &grid, &err), 0);
    assert_int_equal(count, 2);
    expect_share(&terms[0], ANOVA_FACTOR, 950.0 / 2090, 1);
    expect_share(&terms[1], ANOVA_SEED, 1140.0 / 2090, 36);
    assert_true(terms[1].low < terms[1].share && terms[1].share < terms[1].high);
}

static void a_grid_of_equal_values_is_refused(void **state)
{
    static const double VALUES[] = { 1, 1, 1, 1 };
    const struct anova_grid grid = {
        .factor_count = 1, .levels = { 2 }, .cells = 2, .seeds = 1, .tasks = 2, .values = VALUES
    };
    struct anova_term terms[ANOVA_TERMS];
    struct error err;
    int count;

    (void)state;
    assert_int_equal(anova(terms, &count, &grid, &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "no variance to explain"));
}

/* 1 / 6 six times is not 1 to the last bit, and neither are sums of thirds. */
static void equal_values_that_rounding_tells_apart_are_refused(void **state)
{
    double values[6 * 3 * 3];
    const struct anova_grid grid = { .factor_count = 2,
                                     .levels = { 2, 3 },
                                     .cells = 6,
                                     .seeds = 3,
                                     .tasks = 3,
                                     .seeds_shared = true,
                                     .values = values };
    struct anova_term terms[ANOVA_TERMS];
    struct error err;
    int count;

    (void)state;
    for (int solved = 1; solved <= 3; solved++) {
        for (int i = 0; i < 6 * 3 * 3; i++)
            values[i] = i % 3 < solved;
        assert_int_equal(anova(terms, &count, &grid, &err), ERROR_FORMAT);
        assert_non_null(strstr(err.message, "no variance to explain"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_of_two_factors_are_those_worked_out_by_hand),
        cmocka_unit_test(three_axes_together_are_a_term_of_their_own),
        cmocka_unit_test(every_one_of_many_seeds_counts),
        cmocka_unit_test(a_grid_of_equal_values_is_refused),
        cmocka_unit_test(equal_values_that_rounding_tells_apart_are_refused),
    };

    return cmocka_run_group_tests_name("importance", tests, NULL, NULL);
}
