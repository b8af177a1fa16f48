/* bench_pair.c - two cores: two workers, one of two threads, one of two ranks. */
#include "bench.h"

#include "mpi_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A child measures three windows of each kind. */
enum { RANK_COUNTS = 3, WINDOWS = 3, MOST_ROUNDS = 20 };
static const int RANKS[RANK_COUNTS] = { 2, 4, 8 };

/* What is compared, in this order within a round. */
enum contestant { ONE, THREADS, WORKERS, RANKS_OF_TWO, CONTESTANTS };

/* Samples of a rate. */
struct samples {
    double values[MOST_ROUNDS * WINDOWS];
    int count;
};

/* What a configuration's rounds have measured. */
struct pair {
    struct samples steps[CONTESTANTS], evaluations[CONTESTANTS]; /* per second */
    /* the same per TFLOP/s that sgemm has on one core at that time: clocks of shared machines
     * change by 10 % within minutes */
    struct samples steps_by_clock[CONTESTANTS], evaluations_by_clock[CONTESTANTS];
    double swap_ms, wait_ms, gradient_mib; /* wait_ms: of swap_ms, after the backward pass */
    double early_share;                    /* of the bytes, what was swapped before */
    double pause_ms; /* in which rank 0 had ended its rows, not the other */
};

static void sample_add(struct samples *samples, double value)
{
    samples->values[samples->count++] = value;
}

static double median(const struct samples *samples)
{
    struct samples sorted = *samples;

    return sorted.count > 0 ? bench_median(sorted.values, sorted.count) : (double)NAN;
}

static double item(const cJSON *object, const char *key, int window)
{
    return cJSON_GetNumberValue(cJSON_GetArrayItem(cJSON_GetObjectItem(object, key), window));
}

static double median_of(const cJSON *object, const char *key)
{
    struct samples samples = { 0 };

    for (int i = 0; i < WINDOWS; i++)
        sample_add(&samples, item(object, key, i));
    return median(&samples);
}

int bench_phase_seconds(double train_ms, bool quick)
{
    int least = quick ? 2 : 3, long_enough = (int)ceil(2.5e-3 * train_ms);

    return long_enough > least ? long_enough : least;
}

/* Adds the windows of `count` processes that ran at the same time. */
static void take_windows(struct pair *pair, enum contestant who, cJSON *const *processes,
                         int count)
{
    for (int w = 0; w < WINDOWS; w++) {
        double sgemm = 0.0, steps = 0.0, evaluations = 0.0;

        for (int i = 0; i < count; i++) {
            sgemm += 1e-3 * item(processes[i], "sgemm_gflops", w) / count;
            steps += item(processes[i], "steps_per_s", w);
            evaluations += item(processes[i], "evaluations_per_s", w);
        }
        sample_add(&pair->steps[who], steps);
        sample_add(&pair->evaluations[who], evaluations);
        sample_add(&pair->steps_by_clock[who], steps / sgemm);
        sample_add(&pair->evaluations_by_clock[who], evaluations / sgemm);
    }
}

cJSON *bench_start_threads(const char *name, int threads, int seconds)
{
    char words[100], number[12];

    snprintf(words, sizeof words, "threads %s %d", name, seconds);
    snprintf(number, sizeof number, "%d", threads);
    setenv("BENCH_THREADS", number, 1);
    cJSON *out = bench_start(words);
    unsetenv("BENCH_THREADS");
    if (out == NULL)
        bench_fail("%s: the measurement of %d threads failed", name, threads);
    return out;
}

static cJSON *start_ranks(const char *name, int ranks, int seconds)
{
    char words[100];

    snprintf(words, sizeof words, "ranks %s %d", name, seconds);
    cJSON *out = bench_start_ranks(ranks, words);
    if (out == NULL)
        bench_fail("%s: the measurement of %d ranks failed", name, ranks);
    return out;
}

/* sgemm_gflops: on one core, just before. */
static void take_ranks(struct pair *pair, const char *name, int seconds, double sgemm_gflops)
{
    cJSON *ranks = start_ranks(name, 2, seconds);

    for (int w = 0; w < WINDOWS; w++) {
        sample_add(&pair->steps[RANKS_OF_TWO], item(ranks, "steps_per_s", w));
        sample_add(&pair->steps_by_clock[RANKS_OF_TWO],
                   item(ranks, "steps_per_s", w) / (1e-3 * sgemm_gflops));
    }
    pair->swap_ms = median_of(ranks, "swap_ms");
    pair->early_share = median_of(ranks, "early_share");
    pair->wait_ms = median_of(ranks, "wait_ms");
    pair->pause_ms = median_of(ranks, "pause_ms");
    pair->gradient_mib = cJSON_GetNumberValue(cJSON_GetObjectItem(ranks, "gradient_mib"));
    cJSON_Delete(ranks);
}

static void take_round(struct pair *pair, const char *name, int seconds)
{
    cJSON *one = bench_start_threads(name, 1, seconds),
          *threads = bench_start_threads(name, 2, seconds);
    cJSON *workers[2];

    take_windows(pair, ONE, &one, 1);
    take_windows(pair, THREADS, &threads, 1);
    if (mpi_exchange_is_built())
        take_ranks(pair, name, seconds, median_of(threads, "sgemm_gflops"));
    bench_start_two(workers, name, seconds);
    take_windows(pair, WORKERS, workers, 2);
    cJSON_Delete(one);
    cJSON_Delete(threads);
    for (int i = 0; i < 2; i++)
        cJSON_Delete(workers[i]);
}

static void print_row(const char *name, const char *what, const struct samples *rates,
                      const struct samples *by_clock)
{
    double threads = median(&by_clock[THREADS]);

    printf("%-6s %-10s %8.2f %12.2f %12.2f %12.2f %12.2f\n", name, what, median(&rates[ONE]),
           median(&rates[THREADS]), median(&rates[WORKERS]), threads / median(&by_clock[ONE]),
           threads / median(&by_clock[WORKERS]));
    fflush(stdout);
}

/* Two ranks, and sums of gradients over 2, 4 and 8 ranks by themselves: these share two cores,
 * so that a step of theirs tells nothing. The share is that of a step whose rows are shared out
 * over ranks with a core each. */
static void print_ranks(const char *name, const struct pair *pair)
{
    double steps = median(&pair->steps[RANKS_OF_TWO]);

    printf("       two ranks: %.2f, %.2f of two threads; swaps %.1f ms of a step of %.0f ms, "
           "%.1f of them after the backward pass, before which %.0f %% were swapped; rank 0 "
           "waited "
           "%.0f ms for the other's rows; gradients %.1f MiB; their sum over ranks:",
           steps,
           median(&pair->steps_by_clock[RANKS_OF_TWO]) / median(&pair->steps_by_clock[THREADS]),
           pair->swap_ms, 1e3 / steps, pair->wait_ms, 100 * pair->early_share, pair->pause_ms,
           pair->gradient_mib);
    for (int i = 0; i < RANK_COUNTS; i++) {
        cJSON *ranks = start_ranks(name, RANKS[i], 0);
        double sum_ms = cJSON_GetNumberValue(cJSON_GetObjectItem(ranks, "reduction_ms"));

        printf("%s %d ranks %.1f ms (%.1f %%)", i > 0 ? "," : "", RANKS[i], sum_ms,
               100 * sum_ms / (sum_ms + 1e3 / median(&pair->steps[ONE]) / RANKS[i]));
        fflush(stdout);
        cJSON_Delete(ranks);
    }
    putchar('\n');
}

int bench_pair(const char *const *names, int count, bool quick)
{
    const char *text = getenv("ROUNDS");
    int rounds = text != NULL ? atoi(text) : quick ? 1 : 3;

    if (rounds < 1 || rounds > MOST_ROUNDS)
        bench_fail("ROUNDS is 1 to %d", MOST_ROUNDS);
    printf("rates per second, medians of %d windows, all in turn; ratios are of rates relative "
           "to sgemm on a core at that time\n%-6s %-10s %8s %12s %12s %12s %12s\n",
           rounds * WINDOWS, "", "", "one", "two threads", "two workers", "threads/one",
           "thr./workers");
    for (int i = 0; i < count; i++) {
        struct pair pair = { 0 };
        char words[100];

        snprintf(words, sizeof words, "times %s q", names[i]);
        cJSON *times = bench_start(words);
        int seconds = bench_phase_seconds(
            cJSON_GetNumberValue(cJSON_GetObjectItem(times, "train_ms")), quick);
        cJSON_Delete(times);
        for (int r = 0; r < rounds; r++)
            take_round(&pair, names[i], seconds);
        print_row(names[i], "training", pair.steps, pair.steps_by_clock);
        print_row("", "evaluation", pair.evaluations, pair.evaluations_by_clock);
        if (mpi_exchange_is_built())
            print_ranks(names[i], &pair);
    }
    if (!mpi_exchange_is_built())
        printf(
            "ranks: not measured; make MPI=1 bench-pair (libopenmpi-dev, openmpi-bin) does\n");
    return 0;
}
