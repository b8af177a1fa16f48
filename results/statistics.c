/*
 * statistics.c - means, deviations, and differences with intervals over seeds and
 * tasks.
 */
#include "statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { FRACTION_ITERATIONS = 300, NEWTON_STEPS = 200, P_BISECTIONS = 50 };

static const double PI = 3.14159265358979323846;

static const double LEVEL = 0.05; /* two-sided: 95 % intervals */
/* An interval over seeds and tasks is at least this fraction of the one over tasks
 * alone. */
static const double LEAST_SHARE = 0.5;
static const double ROUNDING = 1e-12;

double statistics_mean(const double *values, int count)
{
    double sum = 0;

    for (int i = 0; i < count; i++)
        sum += values[i];
    return count > 0 ? sum / count : (double)NAN;
}

/* Sum of squared deviations from the mean. */
static double scatter(const double *values, int count)
{
    double mean = statistics_mean(values, count), sum = 0;

    for (int i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sum;
}

double statistics_deviation(const double *values, int count)
{
    return count > 1 ? sqrt(scatter(values, count) / (count - 1)) : (double)NAN;
}

/* Continued fraction of the incomplete beta function (Lentz's method). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    h = d;
    for (int m = 1; m <= FRACTION_ITERATIONS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

        for (int i = 0; i < 2; i++) {
            double term = i == 0 ? even : odd;

            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            h *= d * c;
        }
        if (fabs(d * c - 1) < 1e-15)
            break;
    }
    return h;
}

/* Regularised incomplete beta function I_x(a, b). */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0)
        return 0;
    if (x >= 1)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double statistics_t_tail(double t, double degrees)
{
    assert(degrees > 0.0);
    if (isinf(t))
        return 0;
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

static double t_density(double t, double degrees)
{
    double constant = lgamma((degrees + 1) / 2) - lgamma(degrees / 2);

    return exp(constant - (degrees + 1) / 2 * log1p(t * t / degrees)) / sqrt(degrees * PI);
}

/* Newton's method. The tail is a convex function of t, so iterating from the left never
 * overshoots. */
double statistics_t_quantile(double p, double degrees)
{
    double t = 0;

    for (double next = 1; statistics_t_tail(next, degrees) > p && next < 1e150; next *= 2)
        t = next;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double step = (statistics_t_tail(t, degrees) - p) / (2 * t_density(t, degrees));

        if (!(step > 1e-14 * t))
            break;
        t += step;
    }
    return t;
}

/* Variances of a block's mean over (seeds, tasks): from the seeds' means, and from the
 * residuals after the means of seeds and of tasks are subtracted. */
struct block_variance {
    /* variance of the block's mean, estimated from the seeds' means */
    double by_seed;
    double residual; /* the part of it that the seed x task residuals explain */
    int seeds;
};

/* Computes both variances. task_means (tasks) gets the block's means over seeds.
 * scratch: (seeds). */
static struct block_variance analyse_block(const struct statistics_block *block, int tasks,
                                           double *task_means, double *seed_means)
{
    struct block_variance out = { .seeds = block->seeds };
    double mean, sum = 0;

    for (int s = 0; s < block->seeds; s++)
        seed_means[s] = statistics_mean(block->values + (size_t)s * (size_t)tasks, tasks);
    for (int t = 0; t < tasks; t++) {
        task_means[t] = 0;
        for (int s = 0; s < block->seeds; s++)
            task_means[t] +=
                block->values[(size_t)s * (size_t)tasks + (size_t)t] / block->seeds;
    }
    if (block->seeds < 2 || tasks < 2)
        return out;
    mean = statistics_mean(seed_means, block->seeds);
    for (int s = 0; s < block->seeds; s++)
        for (int t = 0; t < tasks; t++) {
            double rest = block->values[(size_t)s * (size_t)tasks + (size_t)t] - seed_means[s] -
                          task_means[t] + mean;

            sum += rest * rest;
        }
    out.by_seed = scatter(seed_means, block->seeds) / (block->seeds - 1) / block->seeds;
    out.residual =
        sum / ((double)(block->seeds - 1) * (tasks - 1)) / ((double)block->seeds * tasks);
    return out;
}

/* The variances that the half-width of an interval is computed from. */
struct spread {
    /* variance from the seeds' means, summed over the blocks */
    double seeds_part;
    double seeds_degrees; /* its degrees of freedom (Welch) */
    /* variance over tasks that the seed x task residuals do not explain */
    double tasks_part;
    double tasks_degrees;
};

static struct spread make_spread(double by_task, const struct block_variance *blocks, int count,
                                 int tasks)
{
    struct spread spread = { .tasks_part = by_task, .tasks_degrees = tasks - 1 };
    double squares = 0;

    for (int i = 0; i < count; i++) {
        spread.tasks_part -= blocks[i].residual;
        spread.seeds_part += blocks[i].by_seed;
        squares += blocks[i].by_seed * blocks[i].by_seed / (blocks[i].seeds - 1);
    }
    spread.seeds_degrees = squares > 0 ? spread.seeds_part * spread.seeds_part / squares : 1;
    return spread;
}

/*
 * Square of the half-width at the level 1 - p. Seeds and tasks each use the quantile of
 * their own degrees of freedom: that keeps the level when a small number of seeds makes
 * their variance uncertain, where a common quantile (Satterthwaite's) falls short. A
 * tasks_part below 0 is multiplied with the smaller of both quantiles: by that of a
 * small number of tasks it would take more than all of seeds_part, and the interval
 * would get shorter as the level rises.
 */
static double squared_half_width(const struct spread *spread, double p)
{
    double task_t = statistics_t_quantile(p, spread->tasks_degrees);
    double seed_t = statistics_t_quantile(p, spread->seeds_degrees);

    if (spread->tasks_part < 0)
        task_t = fmin(task_t, seed_t);
    return task_t * task_t * spread->tasks_part + seed_t * seed_t * spread->seeds_part;
}

/* The p for which the interval around value ends at 0. */
static double p_of_spread(const struct spread *spread, double value)
{
    double low = log(1e-12), high = 0;

    for (int i = 0; i < P_BISECTIONS; i++) {
        double middle = (low + high) / 2;

        if (squared_half_width(spread, exp(middle)) > value * value)
            low = middle;
        else
            high = middle;
    }
    return exp(high);
}

/*
 * Computes interval and p from the variance over tasks of the mean and from the
 * variances of the blocks. The means of two or three seeds can be close by chance,
 * hence LEAST_SHARE. Where all tasks differ by the same, as where one arm has solved
 * each and the other none, their scatter is taken to be what it is if one of them shows
 * no difference: a few tasks would otherwise leave no doubt.
 */
static void conclude(struct estimate *out, double by_task, const struct block_variance *blocks,
                     int count)
{
    if (!(by_task > ROUNDING * ROUNDING))
        by_task = out->value / out->tasks * (out->value / out->tasks);
    double variance = by_task;
    double deviation = sqrt(by_task) * (out->tasks_only ? 1 : LEAST_SHARE);
    double half = statistics_t_quantile(LEVEL, out->tasks - 1) * deviation;

    out->p = out->value == 0.0 ? 1 : statistics_t_tail(out->value / deviation, out->tasks - 1);
    if (!out->tasks_only) {
        struct spread spread = make_spread(by_task, blocks, count, out->tasks);

        variance = spread.seeds_part + spread.tasks_part;
        half = sqrt(fmax(half * half, squared_half_width(&spread, LEVEL)));
        if (out->value != 0.0)
            out->p = fmax(out->p, p_of_spread(&spread, out->value));
    }
    out->standard_error = sqrt(fmax(by_task, variance));
    out->low = out->value - half;
    out->high = out->value + half;
}

double statistics_detectable(double deviation, double task_share, int seeds, int tasks,
                             int comparisons)
{
    static const double MISSED = 0.4; /* two-sided: one in five true differences */
    double level = LEVEL / (comparisons > 1 ? comparisons : 1);
    bool tasks_only = seeds < STATISTICS_LEAST_SEEDS;

    if (tasks < 2)
        return (double)NAN;
    struct spread spread = { .seeds_part = tasks_only ? 0 : 2 * deviation * deviation / seeds,
                             .seeds_degrees = tasks_only ? 1 : seeds - 1,
                             .tasks_part = task_share / tasks,
                             .tasks_degrees = tasks - 1 };

    return sqrt(squared_half_width(&spread, level)) + sqrt(squared_half_width(&spread, MISSED));
}

int statistics_estimate(struct estimate *out, const struct statistics_block *blocks, int count,
                        int tasks)
{
    int most_seeds = 1;

    *out = (struct estimate){ .tasks = tasks, .seeds = blocks[0].seeds };
    for (int i = 0; i < count; i++) {
        most_seeds = blocks[i].seeds > most_seeds ? blocks[i].seeds : most_seeds;
        out->seeds = blocks[i].seeds < out->seeds ? blocks[i].seeds : out->seeds;
    }
    out->tasks_only = out->seeds < STATISTICS_LEAST_SEEDS;
    double *sums = calloc((size_t)tasks * 2 + (size_t)most_seeds, sizeof *sums);
    struct block_variance *variances = calloc((size_t)count, sizeof *variances);

    if (sums == NULL || variances == NULL) {
        free(sums);
        free(variances);
        return -1;
    }
    double *means = sums + tasks, *scratch = means + tasks;

    for (int i = 0; i < count; i++) {
        variances[i] = analyse_block(&blocks[i], tasks, means, scratch);
        for (int t = 0; t < tasks; t++)
            sums[t] += means[t];
    }
    out->value = statistics_mean(sums, tasks);
    if (fabs(out->value) < ROUNDING)
        out->value = 0; /* fractions such as 1/3 do not cancel to the last bit */
    if (tasks > 1)
        conclude(out, scatter(sums, tasks) / (tasks - 1) / tasks, variances, count);
    else
        out->standard_error = out->low = out->high = out->p = (double)NAN;
    free(sums);
    free(variances);
    return 0;
}

struct ranked_p {
    double p;
    int index;
};

static int compare_p(const void *a, const void *b)
{
    const struct ranked_p *x = a, *y = b;

    return x->p < y->p ? -1 : x->p > y->p;
}

int statistics_holm(double *corrected, const double *p, int count)
{
    struct ranked_p *order = calloc((size_t)count + 1, sizeof *order);
    int valid = 0;
    double largest = 0;

    if (order == NULL)
        return -1;
    for (int i = 0; i < count; i++) {
        if (isnan(p[i]))
            corrected[i] = p[i];
        else
            order[valid++] = (struct ranked_p){ p[i], i };
    }
    qsort(order, (size_t)valid, sizeof *order, compare_p);
    for (int i = 0; i < valid; i++) {
        largest = fmax(largest, fmin(1, (valid - i) * order[i].p));
        corrected[order[i].index] = largest;
    }
    free(order);
    return 0;
}
