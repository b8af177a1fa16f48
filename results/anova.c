/* anova.c - sums of squares of a balanced grid, and their bootstrap. */
#include "anova.h"

#include "error.h"
#include "large_array.h"
#include "random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICATES = 1000, SEEDS_AT_ONCE = 8 };

/* Means that differ by less than this share of their size are equal: sums are
 * rounded. */
static const double ROUNDING = 1e-10;

/* What a replicate needs; all arrays are owned. */
struct work {
    const struct anova_grid *grid;
    double *by_task; /* (tasks, cells, seeds): the grid's values */
    double *means;   /* (seeds): of a cell, over tasks */
    double *drawn;   /* (seeds): those of the drawn seeds */
    double *cells;   /* (cells): over seeds */
    double *margins; /* (cells): sums of a margin's combinations */
    double *shares;  /* (terms, REPLICATES) */
    int *tasks;      /* (tasks): how often each is drawn */
    int *seeds;      /* (seeds): which are drawn */
};

static void work_release(struct work *work)
{
    free(work->by_task);
    free(work->means);
    free(work->drawn);
    free(work->cells);
    free(work->margins);
    free(work->shares);
    free(work->tasks);
    free(work->seeds);
}

static int work_init(struct work *work, const struct anova_grid *grid, int terms,
                     struct error *err)
{
    size_t cells = (size_t)grid->cells, seeds = (size_t)grid->seeds;
    size_t tasks = (size_t)grid->tasks;

    *work = (struct work){
        .grid = grid,
        .by_task = large_array_resize(NULL, cells * seeds * tasks * sizeof *work->by_task),
        .means = calloc(seeds, sizeof *work->means),
        .drawn = calloc(seeds, sizeof *work->drawn),
        .cells = calloc(cells, sizeof *work->cells),
        .margins = calloc(cells, sizeof *work->margins),
        .shares = calloc((size_t)terms * REPLICATES, sizeof *work->shares),
        .tasks = calloc((size_t)grid->tasks, sizeof *work->tasks),
        .seeds = calloc((size_t)grid->seeds, sizeof *work->seeds),
    };
    bool complete = work->by_task != NULL && work->means != NULL && work->drawn != NULL &&
                    work->cells != NULL && work->margins != NULL && work->shares != NULL &&
                    work->tasks != NULL && work->seeds != NULL;

    if (!complete)
        return error_no_memory(err, "an analysis of variance");
    for (size_t row = 0; row < cells * seeds; row++)
        for (size_t t = 0; t < tasks; t++)
            work->by_task[t * cells * seeds + row] = grid->values[row * tasks + t];
    return 0;
}

/* The level of a factor in a cell. */
static int level_of(const struct anova_grid *grid, int cell, int factor)
{
    for (int f = grid->factor_count - 1; f > factor; f--)
        cell /= grid->levels[f];
    return cell % grid->levels[factor];
}

/* Sum of squares, over cells, of the means over all but two factors (second -1: but
 * one). */
static double margin_squares(struct work *work, double grand, int first, int second)
{
    const struct anova_grid *grid = work->grid;
    int columns = second >= 0 ? grid->levels[second] : 1;
    int count = grid->levels[first] * columns;
    double each = (double)grid->cells / count, sum = 0;

    memset(work->margins, 0, (size_t)count * sizeof *work->margins);
    for (int c = 0; c < grid->cells; c++) {
        int column = second >= 0 ? level_of(grid, c, second) : 0;

        work->margins[level_of(grid, c, first) * columns + column] += work->cells[c];
    }
    for (int i = 0; i < count; i++) {
        double effect = work->margins[i] / each - grand;

        sum += each * effect * effect;
    }
    return sum;
}

/* Means of some of a cell's seeds over the drawn tasks; values: of the first task. */
static inline void average_seeds(double *means, int count, const struct work *work,
                                 const double *values)
{
    const struct anova_grid *grid = work->grid;
    size_t rows = (size_t)grid->cells * (size_t)grid->seeds;
    double sums[SEEDS_AT_ONCE] = { 0 };

    for (int t = 0; t < grid->tasks; t++, values += rows) {
        double weight = work->tasks[t];

        for (int s = 0; s < count && work->tasks[t] > 0; s++)
            sums[s] += weight * values[s];
    }
    for (int s = 0; s < count; s++)
        means[s] = sums[s] / grid->tasks;
}

/* Means of a cell's seeds over the drawn tasks. */
static void average_tasks(struct work *work, int cell)
{
    const double *values = work->by_task + (size_t)cell * (size_t)work->grid->seeds;
    int s = 0, seeds = work->grid->seeds;

    /* the compiler keeps the sums of a known number in registers */
    for (; s + SEEDS_AT_ONCE <= seeds; s += SEEDS_AT_ONCE)
        average_seeds(work->means + s, SEEDS_AT_ONCE, work, values + s);
    if (s < seeds)
        average_seeds(work->means + s, seeds - s, work, values + s);
}

/* Means over the drawn tasks and seeds; returns the sum of squares within cells. */
static double average(struct work *work, struct random_stream *stream)
{
    const struct anova_grid *grid = work->grid;
    double within = 0;

    for (int c = 0; c < grid->cells; c++) {
        double sum = 0;

        average_tasks(work, c);
        for (int s = 0; s < grid->seeds; s++) {
            int seed = grid->seeds_shared || stream == NULL
                           ? work->seeds[s]
                           : (int)random_below(stream, (uint64_t)grid->seeds);

            work->drawn[s] = work->means[seed];
            sum += work->drawn[s];
        }
        work->cells[c] = sum / grid->seeds;
        for (int s = 0; s < grid->seeds; s++) {
            double scatter = work->drawn[s] - work->cells[c];

            within += scatter * scatter;
        }
    }
    return within;
}

/* The terms' shares of the means' variance; false: all means are equal, there are
 * none. */
static bool find_shares(double *shares, struct work *work, const struct anova_term *terms,
                        int count, double within)
{
    const struct anova_grid *grid = work->grid;
    double grand = 0, between = 0, alone[ANOVA_FACTORS], explained = 0;

    for (int c = 0; c < grid->cells; c++)
        grand += work->cells[c] / grid->cells;
    for (int c = 0; c < grid->cells; c++)
        between += (work->cells[c] - grand) * (work->cells[c] - grand);
    for (int f = 0; f < grid->factor_count; f++)
        alone[f] = margin_squares(work, grand, f, -1);
    double total = grid->seeds * between + within, least = ROUNDING * grand;

    if (!(total > least * least * grid->cells * grid->seeds))
        return false;
    for (int i = 0; i < count; i++) {
        const struct anova_term *term = &terms[i];
        double squares = within / grid->seeds; /* as the others, per seed */

        if (term->kind == ANOVA_FACTOR)
            squares = alone[term->first];
        else if (term->kind == ANOVA_PAIR)
            squares = margin_squares(work, grand, term->first, term->second) -
                      alone[term->first] - alone[term->second];
        else if (term->kind == ANOVA_HIGHER)
            squares = between - explained;
        if (term->kind != ANOVA_SEED)
            explained += squares;
        shares[i] = fmax(0, grid->seeds * squares / total);
    }
    return true;
}

static int list_terms(struct anova_term *terms, const struct anova_grid *grid)
{
    int count = 0, left = grid->cells - 1, factors = grid->factor_count;

    for (int f = 0; f < factors; f++)
        terms[count++] =
            (struct anova_term){ ANOVA_FACTOR, f, -1, grid->levels[f] - 1, 0, 0, 0 };
    for (int f = 0; f < factors; f++)
        for (int g = f + 1; g < factors; g++)
            terms[count++] = (struct anova_term){
                ANOVA_PAIR, f, g, (grid->levels[f] - 1) * (grid->levels[g] - 1), 0, 0, 0
            };
    for (int i = 0; i < count; i++)
        left -= terms[i].freedom;
    if (factors > 2)
        terms[count++] = (struct anova_term){ ANOVA_HIGHER, -1, -1, left, 0, 0, 0 };
    if (grid->seeds > 1)
        terms[count++] =
            (struct anova_term){ ANOVA_SEED, -1, -1, grid->cells * (grid->seeds - 1), 0, 0, 0 };
    return count;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Fills low and high with the 2.5 % and 97.5 % quantiles over replicates. */
static void find_intervals(struct anova_term *terms, int count, struct work *work)
{
    const struct anova_grid *grid = work->grid;
    struct random_stream stream = random_stream(0, "importance", 0);
    double shares[ANOVA_TERMS];
    int made = 0;

    for (int r = 0; r < REPLICATES; r++) {
        memset(work->tasks, 0, (size_t)grid->tasks * sizeof *work->tasks);
        for (int t = 0; t < grid->tasks; t++)
            work->tasks[random_below(&stream, (uint64_t)grid->tasks)]++;
        for (int s = 0; s < grid->seeds; s++)
            work->seeds[s] = (int)random_below(&stream, (uint64_t)grid->seeds);
        if (!find_shares(shares, work, terms, count, average(work, &stream)))
            continue;
        for (int i = 0; i < count; i++)
            work->shares[i * REPLICATES + made] = shares[i];
        made++;
    }
    for (int i = 0; i < count; i++) {
        double *sorted = work->shares + i * REPLICATES;

        qsort(sorted, (size_t)made, sizeof *sorted, compare_doubles);
        terms[i].low = made > 0 ? sorted[(int)(0.025 * (made - 1) + 0.5)] : (double)NAN;
        terms[i].high = made > 0 ? sorted[(int)(0.975 * (made - 1) + 0.5)] : (double)NAN;
    }
}

int anova(struct anova_term terms[ANOVA_TERMS], int *count, const struct anova_grid *grid,
          struct error *err)
{
    double shares[ANOVA_TERMS];
    struct work work;

    *count = list_terms(terms, grid);
    int rc = work_init(&work, grid, *count, err);
    if (rc == 0) {
        for (int t = 0; t < grid->tasks; t++)
            work.tasks[t] = 1;
        for (int s = 0; s < grid->seeds; s++)
            work.seeds[s] = s;
        if (!find_shares(shares, &work, terms, *count, average(&work, NULL)))
            rc = error_set(err, ERROR_FORMAT,
                           "all %d cells have the same value: there is no variance to explain",
                           grid->cells);
    }
    for (int i = 0; i < *count && rc == 0; i++) {
        terms[i].share = shares[i];
        terms[i].low = terms[i].high = (double)NAN;
    }
    if (rc == 0 && (grid->tasks > 1 || grid->seeds > 1))
        find_intervals(terms, *count, &work);
    work_release(&work);
    return rc;
}
