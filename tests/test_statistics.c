/* test_statistics.c - known values of the distributions, and simulated coverage of intervals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"
#include "statistics.h"

enum { QUICK_REPEATS = 1000, LONG_REPEATS = 20000, MOST_TASKS = 400, MOST_SEEDS = 5 };

static const double PI = 3.14159265358979323846;

static int repeats(void)
{
    const char *text = getenv("HRMLAB_LONG");

    return text != NULL && text[0] == '1' ? LONG_REPEATS : QUICK_REPEATS;
}

static void expect_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.12g, expected %.12g within %g", value, expected, tolerance);
}

static void student_t_agrees_with_printed_tables(void **state)
{
    (void)state;
    expect_near(statistics_t_quantile(0.05, 1), 12.7062047364, 1e-8);
    expect_near(statistics_t_quantile(0.05, 2), 4.30265272991, 1e-9);
    expect_near(statistics_t_quantile(0.05, 4), 2.77644510520, 1e-9);
    expect_near(statistics_t_quantile(0.01, 10), 3.16927267261, 1e-9);
    expect_near(statistics_t_quantile(0.05, 1e6), 1.95996635682, 1e-8);
    expect_near(statistics_t_tail(1, 1), 0.5, 1e-12);
    expect_near(statistics_t_tail(2.0, 5), 0.101939478, 1e-8);
    expect_near(statistics_t_tail(-2.0, 5), 0.101939478, 1e-8);
    expect_near(statistics_t_tail(0, 7), 1, 1e-12);
    expect_near(statistics_t_tail((double)INFINITY, 7), 0, 0);
}

static void quantile_and_tail_undo_each_other(void **state)
{
    static const double DEGREES[] = { 1, 1.5, 2, 3.7, 10, 99, 5000 };

    (void)state;
    for (size_t i = 0; i < sizeof DEGREES / sizeof *DEGREES; i++)
        for (double p = 0.001; p < 1; p += 0.111)
            expect_near(statistics_t_tail(statistics_t_quantile(p, DEGREES[i]), DEGREES[i]), p,
                        1e-9);
}

static void mean_and_deviation_of_few_values(void **state)
{
    const double values[] = { 1, 2, 4 };

    (void)state;
    expect_near(statistics_mean(values, 3), 7.0 / 3, 1e-12);
    expect_near(statistics_deviation(values, 3), sqrt(7.0 / 3), 1e-12);
    assert_true(isnan(statistics_mean(values, 0)));
    assert_true(isnan(statistics_deviation(values, 1)));
}

static void holm_steps_down_and_skips_what_has_no_p(void **state)
{
    double p[] = { 0.01, 0.04, (double)NAN, 0.03, 0.005 };
    const double expected[] = { 0.03, 0.06, (double)NAN, 0.06, 0.02 };

    (void)state;
    assert_int_equal(statistics_holm(p, p, 5), 0);
    for (int i = 0; i < 5; i++) {
        if (isnan(expected[i]))
            assert_true(isnan(p[i]));
        else
            expect_near(p[i], expected[i], 1e-12);
    }
    double large[] = { 0.9, 0.8 };

    assert_int_equal(statistics_holm(large, large, 2), 0);
    expect_near(large[0], 1, 0);
    assert_int_equal(statistics_holm(large, large, 0), 0);
}

static void two_seeds_speak_of_tasks_only(void **state)
{
    /* two seeds, four tasks; task means 0, 1, 0, 1 */
    const double values[] = { 0, 1, 0, 1, 0, 1, 0, 1 };
    struct statistics_block block = { values, 2 };
    struct estimate out;

    (void)state;
    assert_int_equal(statistics_estimate(&out, &block, 1, 4), 0);
    assert_true(out.tasks_only);
    assert_int_equal(out.seeds, 2);
    expect_near(out.value, 0.5, 1e-12);
    /* the paired t interval over four tasks */
    double half = statistics_t_quantile(0.05, 3) * sqrt(1.0 / 3 / 4);

    expect_near(out.high - out.value, half, 1e-9);
    expect_near(out.value - out.low, half, 1e-9);
    expect_near(out.p, statistics_t_tail(0.5 / sqrt(1.0 / 12), 3), 1e-9);
}

static void no_difference_anywhere_is_no_difference(void **state)
{
    double values[12] = { 0 };
    struct statistics_block block = { values, 3 };
    struct estimate out;

    (void)state;
    assert_int_equal(statistics_estimate(&out, &block, 1, 4), 0);
    assert_false(out.tasks_only);
    expect_near(out.value, 0, 0);
    expect_near(out.low, 0, 0);
    expect_near(out.high, 0, 0);
    expect_near(out.p, 1, 1e-9);
}

/* As if one of the tasks had shown no difference: of n, k that differ by 1 have a
 * deviation of the mean of 1 / n where k = n - 1. */
static void tasks_that_all_differ_alike_leave_doubt(void **state)
{
    double values[3 * 20];
    struct estimate out;

    (void)state;
    for (int i = 0; i < 3 * 20; i++)
        values[i] = 1;
    for (int seeds = 1; seeds <= 3; seeds++)
        for (int tasks = 2; tasks <= 20; tasks++) {
            struct statistics_block block = { values, seeds };

            assert_int_equal(statistics_estimate(&out, &block, 1, tasks), 0);
            double half = statistics_t_quantile(0.05, tasks - 1) / tasks;

            expect_near(out.value, 1, 1e-12);
            expect_near(out.low, 1 - half, 1e-9);
            expect_near(out.high, 1 + half, 1e-9);
            expect_near(out.p, statistics_t_tail(tasks, tasks - 1), 1e-9);
            assert_int_equal(out.p<0.05, tasks> 3);
        }
}

/* FOUND and, of the samples of 3 to 11 seeds and 2 to 7 tasks, many have more seeds than tasks, and
 * tasks whose means scatter less than the seeds explain. */
static void p_is_small_where_the_interval_leaves_out_zero(void **state)
{
    static const double FOUND[] = { 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, -1, -1, -1, 1, 1, 0 };
    struct statistics_block block = { FOUND, 6 };
    struct random_stream stream = random_stream(7, "shapes", 0);
    struct estimate out;
    double values[11 * 7];

    (void)state;
    assert_int_equal(statistics_estimate(&out, &block, 1, 3), 0);
    assert_true(out.low < 0 && out.high > 0 && out.p > 0.05);
    for (int sample = 0; sample < 6000; sample++) {
        int tasks = 2 + sample % 6, seeds = 3 + sample % 9;

        block = (struct statistics_block){ values, seeds };
        for (int s = 0; s < seeds; s++) {
            double shift = random_uniform(&stream) < 0.3 ? -1 : 1;

            for (int t = 0; t < tasks; t++)
                values[s * tasks + t] = random_uniform(&stream) < 0.4 ? 0 : shift;
        }
        assert_int_equal(statistics_estimate(&out, &block, 1, tasks), 0);
        if (fabs(out.p - 0.05) > 1e-9 && (out.p < 0.05) != (out.low > 0 || out.high < 0))
            fail_msg("%d seeds, %d tasks: p %g, [%g, %g]", seeds, tasks, out.p, out.low,
                     out.high);
    }
}

static void one_task_has_no_interval(void **state)
{
    const double values[] = { 1, 0, 1 };
    struct statistics_block block = { values, 3 };
    struct estimate out;

    (void)state;
    assert_int_equal(statistics_estimate(&out, &block, 1, 1), 0);
    expect_near(out.value, 2.0 / 3, 1e-12);
    assert_true(isnan(out.low) && isnan(out.high) && isnan(out.p));
}

static double normal(struct random_stream *stream)
{
    double u = random_uniform(stream), v = random_uniform(stream);

    return sqrt(-2 * log1p(-u)) * cos(2 * PI * v);
}

/* A way in which two arms could be alike, or differ by effect. */
struct scenario {
    int seeds, tasks;
    bool shares;      /* outcomes in [0, 1] around a share, else solved or not */
    double hardness;  /* mean of the tasks' logits */
    double task_sd;   /* of the tasks' logits */
    double own_sd;    /* of what each arm alone finds easy or hard in a task */
    double seed_sd;   /* of a training's luck over all tasks */
    double effect;    /* of the second arm, on the scale of shares; only with shares */
    bool independent; /* arms without common seeds: two blocks */
};

/* One training's outcome on a task whose logit is given. */
static double draw_outcome(const struct scenario *s, struct random_stream *stream, double logit,
                           double luck)
{
    if (s->shares)
        return 0.5 + 0.1 * logit + 0.1 * luck + 0.05 * normal(stream);
    return random_uniform(stream) < 1 / (1 + exp(-logit - luck)) ? 1 : 0;
}

/* Fills values (2, seeds, tasks). */
static void simulate(const struct scenario *s, struct random_stream *stream, double *values)
{
    double luck[2][MOST_SEEDS];

    for (int a = 0; a < 2; a++)
        for (int i = 0; i < s->seeds; i++)
            luck[a][i] = s->seed_sd * normal(stream);
    for (int t = 0; t < s->tasks; t++) {
        double logit = s->hardness + s->task_sd * normal(stream);

        for (int a = 0; a < 2; a++) {
            double own = logit + s->own_sd * normal(stream);

            for (int i = 0; i < s->seeds; i++)
                values[(a * s->seeds + i) * s->tasks + t] =
                    draw_outcome(s, stream, own, luck[a][i]) + (a == 1 ? s->effect : 0);
        }
    }
}

/* The estimate of second arm minus first. */
static struct estimate compare_arms(const struct scenario *s, double *values)
{
    struct statistics_block blocks[2];
    struct estimate out;
    int size = s->seeds * s->tasks;

    if (s->independent) {
        for (int i = 0; i < size; i++)
            values[i] = -values[i];
        blocks[0] = (struct statistics_block){ values, s->seeds };
        blocks[1] = (struct statistics_block){ values + size, s->seeds };
        assert_int_equal(statistics_estimate(&out, blocks, 2, s->tasks), 0);
    } else {
        for (int i = 0; i < size; i++)
            values[i] = values[size + i] - values[i];
        blocks[0] = (struct statistics_block){ values, s->seeds };
        assert_int_equal(statistics_estimate(&out, blocks, 1, s->tasks), 0);
    }
    return out;
}

struct tally {
    int total, covered, false_differences;
};

static struct tally run_scenario(const struct scenario *s, int index, int count)
{
    double *values = malloc(2 * MOST_SEEDS * MOST_TASKS * sizeof *values);
    struct random_stream stream = random_stream(7, "statistics test", (uint64_t)index);
    struct tally tally = { .total = count };

    assert_non_null(values);
    for (int r = 0; r < count; r++) {
        simulate(s, &stream, values);
        struct estimate e = compare_arms(s, values);

        /* p and interval tell the same */
        if ((e.p < 0.05) != (e.low > 0 || e.high < 0))
            fail_msg("scenario %d, %d: value %g, %g to %g, but p %g", index, r, e.value, e.low,
                     e.high, e.p);
        tally.covered += e.low <= s->effect && s->effect <= e.high;
        tally.false_differences += s->effect == 0.0 && e.p < 0.05;
    }
    free(values);
    return tally;
}

/* Fails outside 92 to 98 %, or above 7 % false differences: the bounds themselves, with nothing
 * for luck. The streams are fixed and the repeats many, so a share that passes is no accident. */
static void check_tally(const char *name, const struct tally *tally, bool identical)
{
    double covered = (double)tally->covered / tally->total;
    double differences = (double)tally->false_differences / tally->total;

    if (getenv("HRMLAB_SHOW") != NULL)
        printf("%s: covered %.2f %%, false differences %.2f %% of %d\n", name, 100 * covered,
               100 * differences, tally->total);
    if (covered < 0.92 || covered > 0.98)
        fail_msg("%s: intervals cover the truth in %.2f %%", name, 100 * covered);
    if (identical && differences > 0.07)
        fail_msg("%s: %.2f %% false differences", name, 100 * differences);
}

static const struct scenario IDENTICAL[] = {
    { .seeds = 3, .tasks = 24, .task_sd = 2 },
    { .seeds = 3, .tasks = 24, .task_sd = 2, .seed_sd = 0.5 },
    { .seeds = 3, .tasks = 100, .task_sd = 2, .own_sd = 0.7, .seed_sd = 0.5 },
    { .seeds = 3, .tasks = 100, .task_sd = 2, .seed_sd = 1 },
    { .seeds = 3, .tasks = 100, .hardness = -3, .task_sd = 2, .seed_sd = 0.3 },
    { .seeds = 3, .tasks = 60, .shares = true, .task_sd = 1, .own_sd = 0.3, .seed_sd = 0.2 },
    { .seeds = 5, .tasks = 24, .task_sd = 2 },
    { .seeds = 5, .tasks = 24, .task_sd = 2, .seed_sd = 0.5 },
    { .seeds = 5, .tasks = 100, .task_sd = 2, .own_sd = 0.7, .seed_sd = 0.5 },
    { .seeds = 5, .tasks = 100, .task_sd = 2, .seed_sd = 1 },
    { .seeds = 5, .tasks = 100, .hardness = -3, .task_sd = 2, .seed_sd = 0.3 },
    { .seeds = 5, .tasks = 60, .shares = true, .task_sd = 1, .own_sd = 0.3, .seed_sd = 0.2 },
    { .seeds = 3, .tasks = 60, .task_sd = 2, .seed_sd = 0.5, .independent = true },
    { .seeds = 5, .tasks = 60, .task_sd = 2, .seed_sd = 0.5, .independent = true },
    /* Seeds and tasks contribute alike: here the intervals are most cautious. */
    { .seeds = 3, .tasks = 24, .shares = true, .task_sd = 1, .own_sd = 1, .seed_sd = 0.35 },
    { .seeds = 5, .tasks = 24, .shares = true, .task_sd = 1, .own_sd = 1, .seed_sd = 0.35 },
};

static void identical_arms_are_rarely_called_different(void **state)
{
    struct tally all = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof IDENTICAL / sizeof *IDENTICAL; i++) {
        struct tally tally = run_scenario(&IDENTICAL[i], (int)i, repeats());
        char name[64];

        snprintf(name, sizeof name, "identical arms, scenario %zu", i);
        check_tally(name, &tally, true);
        all.total += tally.total;
        all.covered += tally.covered;
        all.false_differences += tally.false_differences;
    }
    check_tally("identical arms, all scenarios", &all, true);
}

static void intervals_cover_a_true_difference(void **state)
{
    static const struct scenario DIFFERENT[] = {
        { .seeds = 3,
          .tasks = 40,
          .shares = true,
          .task_sd = 1,
          .own_sd = 0.3,
          .seed_sd = 0.3,
          .effect = 0.05 },
        { .seeds = 5,
          .tasks = 40,
          .shares = true,
          .task_sd = 1,
          .own_sd = 0.3,
          .seed_sd = 0.3,
          .effect = 0.05 },
        { .seeds = 5,
          .tasks = 400,
          .shares = true,
          .task_sd = 1,
          .own_sd = 1,
          .seed_sd = 0.1,
          .effect = -0.2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof DIFFERENT / sizeof *DIFFERENT; i++) {
        struct tally tally = run_scenario(&DIFFERENT[i], 100 + (int)i, repeats());
        char name[64];

        snprintf(name, sizeof name, "different arms, scenario %zu", i);
        check_tally(name, &tally, false);
    }
}

static void a_clear_difference_is_found(void **state)
{
    const struct scenario clear = { .seeds = 3,
                                    .tasks = 40,
                                    .shares = true,
                                    .task_sd = 1,
                                    .own_sd = 0.1,
                                    .seed_sd = 0.05,
                                    .effect = 0.2 };
    double values[2 * 3 * 40];
    struct random_stream stream = random_stream(1, "statistics test", 1000);

    (void)state;
    for (int i = 0; i < 20; i++) {
        simulate(&clear, &stream, values);
        struct estimate e = compare_arms(&clear, values);

        assert_true(e.p < 0.05 && e.low > 0);
    }
}

/* The share of designs that find a true difference of the size said to be detectable. */
static double found_share(double deviation, double task_share, int seeds, int tasks)
{
    double true_difference = statistics_detectable(deviation, task_share, seeds, tasks, 1);
    double values[MOST_SEEDS * MOST_TASKS], by_task[MOST_TASKS];
    struct random_stream stream = random_stream(7, "detectable", 0);
    int found = 0, designs = 400;

    for (int d = 0; d < designs; d++) {
        struct statistics_block block = { values, seeds };
        struct estimate estimate;

        for (int t = 0; t < tasks; t++)
            by_task[t] = sqrt(task_share) * normal(&stream);
        for (int s = 0; s < seeds; s++) {
            double seed = sqrt(2) * deviation * normal(&stream);

            for (int t = 0; t < tasks; t++)
                values[s * tasks + t] = true_difference + seed + by_task[t];
        }
        assert_int_equal(statistics_estimate(&estimate, &block, 1, tasks), 0);
        found += estimate.p < 0.05;
    }
    return (double)found / designs;
}

static void a_detectable_difference_is_found_four_times_in_five(void **state)
{
    (void)state;
    expect_near(found_share(0.1, 0.1, 3, 100), 0.8, 0.12);
    expect_near(found_share(0.05, 0.1, 5, 50), 0.8, 0.12);
    expect_near(found_share(0.1, 0.1, 2, 100) > 0 ? 1 : 0, 1, 0);
    assert_true(statistics_detectable(0.1, 0.1, 5, 100, 1) <
                statistics_detectable(0.1, 0.1, 3, 100, 1));
    assert_true(statistics_detectable(0.1, 0.1, 3, 100, 1) <
                statistics_detectable(0.1, 0.1, 3, 100, 7));
    assert_true(isnan(statistics_detectable(0.1, 0.1, 3, 1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(student_t_agrees_with_printed_tables),
        cmocka_unit_test(quantile_and_tail_undo_each_other),
        cmocka_unit_test(a_detectable_difference_is_found_four_times_in_five),
        cmocka_unit_test(mean_and_deviation_of_few_values),
        cmocka_unit_test(holm_steps_down_and_skips_what_has_no_p),
        cmocka_unit_test(two_seeds_speak_of_tasks_only),
        cmocka_unit_test(no_difference_anywhere_is_no_difference),
        cmocka_unit_test(tasks_that_all_differ_alike_leave_doubt),
        cmocka_unit_test(p_is_small_where_the_interval_leaves_out_zero),
        cmocka_unit_test(one_task_has_no_interval),
        cmocka_unit_test(identical_arms_are_rarely_called_different),
        cmocka_unit_test(intervals_cover_a_true_difference),
        cmocka_unit_test(a_clear_difference_is_found),
    };

    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
