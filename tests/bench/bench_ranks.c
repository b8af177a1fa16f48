/* bench_ranks.c - the children that are ranks of MPI: one engine shared by several processes. */
#include "bench.h"

#include "clock.h"
#include "error.h"
#include "gradient_sum.h"
#include "kernels.h"
#include "mpi_exchange.h"
#include "ranks.h"

#include <stdlib.h>

enum { REDUCTIONS = 9 };

/* Counts what the ranks swap: gradients and values by row. */
struct meter {
    const struct exchange *real; /* borrowed */
    double seconds, bytes;       /* in swaps, waiting included; sent by them */
    double waited;               /* of the seconds those after the backward pass */
    double early;                /* of the bytes those that had arrived by then */
    double paused;               /* seconds in which this rank had ended its part */
    size_t swapping;             /* bytes of the swap that goes on */
};

static void meter_send(void *context, int to, enum exchange_channel channel, const void *data,
                       size_t bytes)
{
    const struct exchange *real = ((const struct meter *)context)->real;

    real->send(real->context, to, channel, data, bytes);
}

static void meter_receive(void *context, int from, enum exchange_channel channel, void *data,
                          size_t bytes)
{
    const struct exchange *real = ((const struct meter *)context)->real;

    real->receive(real->context, from, channel, data, bytes);
}

static void meter_swap(void *context, int with, const void *out, size_t out_bytes, void *in,
                       size_t in_bytes)
{
    struct meter *meter = context;
    double began_at = clock_monotonic_s();

    meter->real->swap(meter->real->context, with, out, out_bytes, in, in_bytes);
    double took = clock_monotonic_s() - began_at;
    meter->seconds += took;
    meter->waited += took;
    meter->bytes += (double)out_bytes;
}

static void meter_start_swap(void *context, int with, const void *out, size_t out_bytes,
                             void *in, size_t in_bytes)
{
    struct meter *meter = context;
    double began_at = clock_monotonic_s();

    meter->real->start_swap(meter->real->context, with, out, out_bytes, in, in_bytes);
    meter->seconds += clock_monotonic_s() - began_at;
    meter->bytes += (double)out_bytes;
    meter->swapping = out_bytes;
}

static bool meter_has_swapped(void *context, bool waits)
{
    struct meter *meter = context;
    double began_at = clock_monotonic_s();

    bool swapped = meter->real->has_swapped(meter->real->context, waits);
    double took = clock_monotonic_s() - began_at;
    meter->seconds += took;
    if (waits)
        meter->waited += took;
    else if (swapped)
        meter->early += (double)meter->swapping;
    return swapped;
}

static bool meter_is_waiting(void *context, int from, enum exchange_channel channel)
{
    const struct exchange *real = ((const struct meter *)context)->real;

    return real->is_waiting(real->context, from, channel);
}

static void meter_pause(void *context)
{
    struct meter *meter = context;
    double began_at = clock_monotonic_s();

    meter->real->pause(meter->real->context);
    meter->paused += clock_monotonic_s() - began_at;
}

static int64_t count_parameters(const struct bench_model *model)
{
    int64_t trained, puzzle;

    engine_count_parameters(model->engine, &trained, &puzzle);
    return trained;
}

/* Rank 0: its turns. Returns the number of trained parameters. */
static int64_t take_turns(cJSON *out, const struct bench_case *c,
                          const struct exchange *exchange, struct meter *meter,
                          const struct bench_schedule *schedule)
{
    cJSON *rates = cJSON_AddArrayToObject(out, "steps_per_s");
    cJSON *evaluations = cJSON_AddArrayToObject(out, "evaluations_per_s");
    struct bench_model model;
    struct meter sum = { 0 };
    int steps = 0, others = 0;

    bench_model_create_shared(&model, c, exchange);
    int64_t trained = count_parameters(&model);
    bench_train_step(&model, NULL);
    bench_evaluate_step(&model);
    for (int i = 0; i < schedule->cycles; i++) {
        const struct meter before = *meter;
        double rate = bench_take_turn(&model, schedule, i, BENCH_TRAINING, &steps);

        sum.seconds += meter->seconds - before.seconds;
        sum.bytes += meter->bytes - before.bytes;
        sum.waited += meter->waited - before.waited;
        sum.early += meter->early - before.early;
        sum.paused += meter->paused - before.paused;
        cJSON_AddItemToArray(rates, cJSON_CreateNumber(rate));
        rate = bench_take_turn(&model, schedule, i, BENCH_EVALUATION, &others);
        cJSON_AddItemToArray(evaluations, cJSON_CreateNumber(rate));
    }
    cJSON_AddNumberToObject(out, "swap_ms", 1e3 * sum.seconds / steps);
    cJSON_AddNumberToObject(out, "wait_ms", 1e3 * sum.waited / steps);
    cJSON_AddNumberToObject(out, "pause_ms", 1e3 * sum.paused / steps);
    cJSON_AddNumberToObject(out, "early_share", sum.early / sum.bytes);
    bench_model_destroy(&model);
    engine_dismiss(exchange);
    return trained;
}

/* The same number, without a step: the batch may have fewer rows than there are ranks. */
static int64_t only_count(const struct bench_case *c)
{
    struct bench_model model;

    bench_model_create(&model, c);
    int64_t trained = count_parameters(&model);
    bench_model_destroy(&model);
    return trained;
}

/* All ranks: adds up that many floats of each, over and over; rank 0's median in ms. */
static double reduce(const struct exchange *exchange, int64_t floats)
{
    struct float_range all = { 0, 0 };
    struct pieces pieces = { .ranges = &all, .count = 1 };
    const struct kernels *kernels;
    struct gradient_sum *sum;
    struct error err = { 0 };
    double times[REDUCTIONS];

    ranks_broadcast(exchange, &floats, sizeof floats);
    all.end = pieces.floats = (size_t)floats;
    float *values = calloc((size_t)floats, sizeof *values);
    if (values == NULL || kernels_current(&kernels, &err) < 0 ||
        gradient_sum_create(&sum, exchange, &pieces, kernels, &err) < 0)
        bench_fail("no sum of gradients: %s", err.message);
    for (int i = 0; i < REDUCTIONS; i++) {
        int32_t begin = 0;

        ranks_broadcast(exchange, &begin, sizeof begin);
        double began_at = clock_monotonic_s();
        gradient_sum_begin(sum);
        gradient_sum_finish(sum, values, 1);
        times[i] = clock_monotonic_s() - began_at;
    }
    gradient_sum_destroy(sum);
    free(values);
    return 1e3 * bench_median(times, REDUCTIONS);
}

cJSON *bench_child_ranks(const struct bench_case *c, const struct bench_schedule *schedule)
{
    struct exchange real = { .count = 1 };
    struct error err = { 0 };
    int64_t floats = 0;
    cJSON *out = NULL;

    if (mpi_exchange_open(&real, &err) < 0)
        bench_fail("%s", err.message);
    struct meter meter = { .real = &real };
    const struct exchange metered = { .rank = real.rank,
                                      .count = real.count,
                                      .context = &meter,
                                      .send = meter_send,
                                      .receive = meter_receive,
                                      .swap = meter_swap,
                                      .start_swap = meter_start_swap,
                                      .has_swapped = meter_has_swapped,
                                      .is_waiting = meter_is_waiting,
                                      .pause = meter_pause };
    if (real.rank == 0) {
        out = cJSON_CreateObject();
        floats =
            schedule != NULL ? take_turns(out, c, &metered, &meter, schedule) : only_count(c);
    } else if (schedule != NULL && engine_serve(&real, &err) < 0) {
        bench_fail("%s", err.message);
    }
    double reduction_ms = real.count > 1 ? reduce(&real, floats) : 0.0;
    mpi_exchange_close();
    if (out != NULL) {
        cJSON_AddNumberToObject(out, "reduction_ms", reduction_ms);
        cJSON_AddNumberToObject(out, "gradient_mib", (double)floats * 4.0 / 1048576.0);
    }
    return out;
}
