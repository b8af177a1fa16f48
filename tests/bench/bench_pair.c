/* bench_pair.c - two cores: two workers, one of two threads, one of two ranks. */
#include "bench.h"

#include "mpi_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANK_COUNTS = 3 };
static const int RANKS[RANK_COUNTS] = { 2, 4, 8 };

static double median_of(const cJSON *object, const char *key)
{
    double values[64];
    int count = 0;

    for (const cJSON *i = cJSON_GetObjectItem(object, key)->child; i != NULL; i = i->next)
        values[count++] = i->valuedouble;
    return bench_median(values, count);
}

int bench_phase_seconds(double train_ms, bool quick)
{
    int least = quick ? 2 : 3, long_enough = (int)ceil(2.5e-3 * train_ms);

    return long_enough > least ? long_enough : least;
}

/* Training steps per second of one configuration. */
struct pair {
    double one, workers, threads;
    double sgemm_one, sgemm_two; /* GFLOP/s meanwhile, of one and of two workers */
};

static struct pair measure(const char *name, int seconds)
{
    struct pair out = { 0 };
    char words[100];
    cJSON *two[2];

    snprintf(words, sizeof words, "threads %s %d", name, seconds);
    setenv("BENCH_THREADS", "1", 1);
    cJSON *one = bench_start(words);
    setenv("BENCH_THREADS", "2", 1);
    cJSON *threads = bench_start(words);
    unsetenv("BENCH_THREADS");
    bench_start_two(two, name, seconds);
    for (int k = 0; k < 2; k++) {
        out.workers += median_of(two[k], "steps_per_s");
        out.sgemm_two += median_of(two[k], "sgemm_gflops");
        cJSON_Delete(two[k]);
    }
    out.one = median_of(one, "steps_per_s");
    out.sgemm_one = median_of(one, "sgemm_gflops");
    out.threads = median_of(threads, "steps_per_s");
    cJSON_Delete(one);
    cJSON_Delete(threads);
    return out;
}

/* Steps of two ranks, and sums of gradients over 2, 4 and 8 ranks by themselves: these share two
 * cores, so that a step of theirs tells nothing. The share is that of a step whose rows are shared
 * out over ranks with a core each. */
static void print_ranks(const char *name, const struct pair *pair, int seconds)
{
    for (int i = 0; i < RANK_COUNTS; i++) {
        char words[100];

        snprintf(words, sizeof words, "ranks %s %d", name, i == 0 ? seconds : 0);
        cJSON *ranks = bench_start_ranks(RANKS[i], words);
        if (ranks == NULL)
            bench_fail("%s: the measurement of %d ranks failed", name, RANKS[i]);
        double sum_ms = cJSON_GetNumberValue(cJSON_GetObjectItem(ranks, "reduction_ms"));
        if (i == 0) {
            double steps = median_of(ranks, "steps_per_s");
            printf("       two ranks: %.2f, %.2f of two threads; swaps %.1f ms of a step of "
                   "%.0f ms; gradients %.1f MiB; their sum over ranks:",
                   steps, steps / pair->threads, median_of(ranks, "swap_ms"), 1e3 / steps,
                   cJSON_GetNumberValue(cJSON_GetObjectItem(ranks, "gradient_mib")));
        }
        printf("%s %d ranks %.1f ms (%.1f %%)", i > 0 ? "," : "", RANKS[i], sum_ms,
               100 * sum_ms / (sum_ms + 1e3 / pair->one / RANKS[i]));
        fflush(stdout);
        cJSON_Delete(ranks);
    }
    putchar('\n');
}

static void print_pair(const char *name, const struct pair *pair)
{
    double train_flops, evaluate_flops;
    struct bench_model model;

    bench_model_create(&model, bench_case_find(name));
    bench_flops(&model.config, &train_flops, &evaluate_flops);
    bench_model_destroy(&model);
    printf("%-6s %8.2f %12.2f %12.2f %8.2f %8.0f %% %10.0f %%\n", name, pair->one,
           pair->workers, pair->threads, pair->workers / pair->threads,
           100 * (pair->workers / pair->one) / (pair->sgemm_two / pair->sgemm_one),
           100 * 1e-9 * train_flops * pair->workers / pair->sgemm_two);
    fflush(stdout);
}

int bench_pair(const char *const *names, int count, bool quick)
{
    printf("training steps per second; scaling: two workers against one, relative to two sgemm "
           "against one\n%-2s %8s %12s %12s %8s %10s %12s\n",
           "", "one", "two workers", "two threads", "x", "scaling", "share of 2");
    for (int i = 0; i < count; i++) {
        char words[100];

        snprintf(words, sizeof words, "times %s q", names[i]);
        cJSON *times = bench_start(words);
        int seconds = bench_phase_seconds(
            cJSON_GetNumberValue(cJSON_GetObjectItem(times, "train_ms")), quick);
        cJSON_Delete(times);
        const struct pair pair = measure(names[i], seconds);
        print_pair(names[i], &pair);
        if (mpi_exchange_is_built())
            print_ranks(names[i], &pair, seconds);
    }
    if (!mpi_exchange_is_built())
        printf(
            "ranks: not measured; make MPI=1 bench-pair (libopenmpi-dev, openmpi-bin) does\n");
    return 0;
}
