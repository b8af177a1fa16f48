/* bench_times.c - the children that measure: one case alone, in common phases, over a size. */
#include "bench.h"

#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SGEMM_SIZE = 2048, SGEMM_REPEATS = 5 /* best of */, MOST_STEPS = 4096 };

/* Makes the kernel forget the peak, so that it is the measured part's own. */
static void reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

static double peak_mib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lf", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib / 1024;
}

cJSON *bench_child_times(const struct bench_case *c, bool quick, bool profile)
{
    struct bench_model model;
    double train_flops, evaluate_flops, best_sgemm = 0;
    double *train = malloc(MOST_STEPS * sizeof *train);
    double *evaluate = malloc(MOST_STEPS * sizeof *evaluate);
    int train_count = 0, evaluate_count = 0, rounds = quick ? 2 : 5;
    cJSON *out = cJSON_CreateObject();

    if (train == NULL || evaluate == NULL)
        bench_fail("no memory");
    bench_model_create(&model, c);
    bench_flops(&model.config, &train_flops, &evaluate_flops);
    reset_peak();
    double slow = bench_train_step(&model, NULL); /* warm-up; tells how many fit */
    if (slow < 1)
        bench_train_step(&model, NULL);
    bench_evaluate_step(&model);
    double peak = peak_mib();
    if (slow > 1)
        rounds = quick ? 1 : 3;
    for (int r = 0; r < rounds; r++) {
        double sgemm =
            engine_measure_sgemm(SGEMM_SIZE, (SGEMM_REPEATS + r) / rounds, clock_monotonic_s);
        double spent = 0;

        best_sgemm = sgemm > best_sgemm ? sgemm : best_sgemm;
        for (int i = 0; i < 3 && (i == 0 || spent < 1); i++)
            spent += train[train_count++] = bench_train_step(&model, NULL);
        spent = 0;
        for (int i = 0; i < 5 && (i == 0 || spent < 0.5); i++)
            spent += evaluate[evaluate_count++] = bench_evaluate_step(&model);
    }
    double train_s = bench_median(train, train_count);
    double evaluate_s = bench_median(evaluate, evaluate_count);
    double tokens = (double)c->batch * engine_input_tokens(&model.config);
    cJSON_AddNumberToObject(out, "train_ms", 1e3 * train_s);
    cJSON_AddNumberToObject(out, "eval_ms", 1e3 * evaluate_s);
    cJSON_AddNumberToObject(out, "train_tokens_per_s", tokens / train_s);
    cJSON_AddNumberToObject(out, "eval_tokens_per_s", tokens / evaluate_s);
    cJSON_AddNumberToObject(out, "train_gflop", 1e-9 * train_flops);
    cJSON_AddNumberToObject(out, "eval_gflop", 1e-9 * evaluate_flops);
    cJSON_AddNumberToObject(out, "train_gflops", 1e-9 * train_flops / train_s);
    cJSON_AddNumberToObject(out, "eval_gflops", 1e-9 * evaluate_flops / evaluate_s);
    cJSON_AddNumberToObject(out, "sgemm_gflops", best_sgemm);
    cJSON_AddNumberToObject(out, "train_share", 1e-9 * train_flops / train_s / best_sgemm);
    cJSON_AddNumberToObject(out, "eval_share", 1e-9 * evaluate_flops / evaluate_s / best_sgemm);
    cJSON_AddNumberToObject(out, "peak_rss_mib", peak);
    if (profile) {
        double own = 0;
        cJSON_AddItemToObject(out, "kernels", bench_profile(&model, best_sgemm, &own));
        cJSON_AddNumberToObject(out, "own_shapes_gflops", own);
    }
    bench_model_destroy(&model);
    free(train);
    free(evaluate);
    return out;
}

cJSON *bench_child_phases(const struct bench_case *c, double start, double length, int core)
{
    struct bench_model model;
    cJSON *out = cJSON_CreateObject(), *sgemm, *steps, *evaluations;

    bench_pin(core);
    bench_model_create(&model, c);
    bench_train_step(&model, NULL);
    bench_evaluate_step(&model);
    engine_warm_up_blas(1);
    sgemm = cJSON_AddArrayToObject(out, "sgemm_gflops");
    steps = cJSON_AddArrayToObject(out, "steps_per_s");
    evaluations = cJSON_AddArrayToObject(out, "evaluations_per_s");
    for (int phase = 0; phase < 9; phase++) {
        double from, end, until = start + (phase + 1) * length - 0.3, sum = 0;
        int done = 0;

        bench_wait_until(start + phase * length);
        from = end = clock_wall_s();
        /* Not a step that would run into the next phase, when the other may be idle. */
        while (end + (end - from) / (done > 0 ? done : 1) < until) {
            if (phase % 3 == 0)
                sum += engine_measure_sgemm(SGEMM_SIZE, 3, clock_monotonic_s);
            else if (phase % 3 == 1)
                bench_train_step(&model, NULL);
            else
                bench_evaluate_step(&model);
            done++;
            end = clock_wall_s();
        }
        double rate = phase % 3 == 0 ? sum / done : done / (end - from);
        cJSON_AddItemToArray(phase % 3 == 0   ? sgemm
                             : phase % 3 == 1 ? steps
                                              : evaluations,
                             cJSON_CreateNumber(rate));
    }
    bench_model_destroy(&model);
    return out;
}

/* ---- growth ---- */

static void set_dimension(struct bench_case *c, const char *dimension, int value)
{
    if (strcmp(dimension, "batch") == 0)
        c->batch = value;
    else if (strcmp(dimension, "tokens") == 0)
        c->tokens = value;
    else if (strcmp(dimension, "hidden") == 0)
        c->hidden_size = c->puzzle_emb_ndim = value;
    else if (strcmp(dimension, "layers") == 0)
        c->H_layers = c->L_layers = value;
    else if (strcmp(dimension, "cycles") == 0)
        c->H_cycles = c->L_cycles = value;
    else if (strcmp(dimension, "outer_steps") == 0)
        c->halt_max_steps = value;
    else if (strcmp(dimension, "identifiers") == 0)
        c->identifiers = value;
    else
        bench_fail("no dimension %s", dimension);
}

static const struct {
    const char *name;
    int values[8];
} DIMENSIONS[] = {
    { "batch", { 1, 4, 16, 64, 128 } },
    { "tokens", { 16, 36, 81, 144, 400, 900 } },
    { "hidden", { 32, 64, 128, 256, 512 } },
    { "layers", { 1, 2, 4, 8 } },
    { "cycles", { 1, 2, 3, 4 } },
    { "outer_steps", { 1, 2, 4, 8, 16 } },
    { "identifiers", { 1000, 10000, 100000, 1000000 } },
};

cJSON *bench_child_growth(const char *dimension)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t d = 0; d < sizeof DIMENSIONS / sizeof *DIMENSIONS; d++)
        for (int i = 0; strcmp(DIMENSIONS[d].name, dimension) == 0 && i < 8; i++) {
            struct bench_case c = *bench_case_find("A");
            struct bench_model model;
            double times[7], train_flops, evaluate_flops;
            int value = DIMENSIONS[d].values[i], count = 0;

            if (value == 0)
                break;
            c.batch =
                strcmp(dimension, "tokens") == 0 || strcmp(dimension, "hidden") == 0 ? 16 : 32;
            set_dimension(&c, dimension, value);
            bench_model_create(&model, &c);
            bench_flops(&model.config, &train_flops, &evaluate_flops);
            bench_train_step(&model, NULL);
            for (double spent = 0; count < 7 && (count < 3 || spent < 3);)
                spent += times[count++] = bench_train_step(&model, NULL);
            cJSON *point = cJSON_CreateObject();
            double seconds = bench_median(times, count);
            cJSON_AddNumberToObject(point, "value", value);
            cJSON_AddNumberToObject(point, "ms", 1e3 * seconds);
            cJSON_AddNumberToObject(point, "gflops", 1e-9 * train_flops / seconds);
            cJSON_AddItemToArray(out, point);
            bench_model_destroy(&model);
        }
    return out;
}
