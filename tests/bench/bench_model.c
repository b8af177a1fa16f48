/* bench_model.c - the models under measurement, their data, and one timed step. */
#include "bench.h"

#include "clock.h"
#include "error.h"
#include "random.h"
#include "shape.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = sizeof((struct bench_model *)0)->batches / sizeof(struct engine_batch) };

#define BOTH_TYPES(name, what, ...)                                                            \
    { name, what, __VA_ARGS__, ENGINE_FLOAT32, 0, 0, false },                                  \
    {                                                                                          \
        name "-bf16", what ", bfloat16", __VA_ARGS__, ENGINE_BFLOAT16, 0, 0, false             \
    }
const struct bench_case bench_cases[] = {
    BOTH_TYPES("S", "Sudoku 9 x 9, hidden 128", SYSTEM_HRM, 81, 11, 1, 0, 128, 4, 2, 2, 2, 2,
               64, 16),
    BOTH_TYPES("A", "ARC canvas 10, hidden 128", SYSTEM_HRM, 100, 12, 2000, 128, 128, 4, 2, 2,
               2, 2, 64, 16),
    BOTH_TYPES("M", "ARC canvas 10, hidden 256", SYSTEM_HRM, 100, 12, 2000, 256, 256, 4, 4, 4,
               2, 2, 32, 16),
    BOTH_TYPES("T", "transformer of 8 layers at A's sizes", SYSTEM_TRANSFORMER, 100, 12, 2000,
               128, 128, 4, 8, 0, 1, 1, 64, 16),
    BOTH_TYPES("F", "the published model, canvas 30, hidden 512", SYSTEM_HRM, 900, 12, 1000,
               512, 512, 8, 4, 4, 2, 2, 2, 16),
    { "C", "ARC canvas 10 with 3 pairs of context: 700 positions", SYSTEM_HRM, 100, 12, 2000, 0,
      256, 4, 4, 4, 2, 2, 16, 16, ENGINE_FLOAT32, 3, 0, true },
    { "R", "TRM at M's sizes, 3 x 4 cycles", SYSTEM_TRM, 100, 12, 2000, 256, 256, 4, 0, 2, 3, 4,
      32, 16, ENGINE_FLOAT32, 0, 0, true },
    { "G", "M with gradient through all calls", SYSTEM_HRM, 100, 12, 2000, 256, 256, 4, 4, 4, 2,
      2, 32, 16, ENGINE_FLOAT32, 0, ENGINE_ALL_CALLS, true },
};
const int bench_case_count = sizeof bench_cases / sizeof *bench_cases;

void bench_case_base(char out[8], const struct bench_case *c)
{
    snprintf(out, 8, "%.*s", (int)strcspn(c->name, "-"), c->name);
}

const struct bench_case *bench_case_find(const char *name)
{
    for (int i = 0; i < bench_case_count; i++)
        if (strcmp(bench_cases[i].name, name) == 0)
            return &bench_cases[i];
    return NULL;
}

void bench_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(3);
}

static void fill_batches(struct bench_model *model, const struct bench_case *c)
{
    struct random_stream stream = random_stream(1, "bench data", 0);
    size_t cells = (size_t)c->batch * (size_t)c->tokens, rows = (size_t)c->batch;
    size_t inputs = (size_t)(2 * c->context_pairs + 1) * cells;

    model->data = malloc(BATCHES * (inputs + cells + rows) * sizeof *model->data);
    if (model->data == NULL)
        bench_fail("no memory for data");
    int32_t *at = model->data;
    for (int i = 0; i < BATCHES; i++) {
        for (size_t n = 0; n < inputs + cells; n++)
            at[n] = 1 + (int32_t)random_below(&stream, (uint64_t)c->vocabulary - 1);
        for (size_t n = 0; n < rows; n++)
            at[inputs + cells + n] = (int32_t)random_below(&stream, (uint64_t)c->identifiers);
        model->batches[i] = (struct engine_batch){ at, at + inputs, at + inputs + cells };
        at += inputs + cells + rows;
    }
}

/* BENCH_THREADS: threads of the engine. BENCH_LANES: lanes that they share; by default one for one
 * thread, and four for each of several, of all ranks together. */
static void set_threads(struct engine_config *config)
{
    enum { LANES_PER_THREAD = 4 };
    const char *threads = getenv("BENCH_THREADS"), *lanes = getenv("BENCH_LANES");

    config->threads = threads != NULL ? atoi(threads) : 1;
    config->gradient_lanes = 1;
    int all = config->threads * config->ranks;
    int wanted = lanes != NULL ? atoi(lanes) : all > 1 ? LANES_PER_THREAD * all : 1;

    while (2 * config->gradient_lanes <= config->batch_size && config->gradient_lanes < wanted)
        config->gradient_lanes *= 2;
}

void bench_model_create(struct bench_model *model, const struct bench_case *c)
{
    bench_model_create_shared(model, c, NULL);
}

void bench_model_create_shared(struct bench_model *model, const struct bench_case *c,
                               const struct exchange *exchange)
{
    struct error err = { 0 };

    *model = (struct bench_model){
        .config = { .system = c->system,
                    .batch_size = c->batch,
                    .seq_len = c->tokens,
                    .context_pairs = c->context_pairs,
                    .gradient_horizon = c->gradient_horizon,
                    .vocab_size = c->vocabulary,
                    .num_puzzle_identifiers = c->identifiers,
                    .puzzle_emb_ndim = c->puzzle_emb_ndim,
                    .H_layers = c->H_layers,
                    .L_layers = c->L_layers,
                    .H_cycles = c->H_cycles,
                    .L_cycles = c->L_cycles,
                    .hidden_size = c->hidden_size,
                    .num_heads = c->heads,
                    .intermediate_size = shape_intermediate_size(4.0, c->hidden_size, 256),
                    .pos_encodings = ENGINE_ROPE,
                    .rope_theta = 10000.0,
                    .rms_norm_eps = 1e-5,
                    .loss_type = ENGINE_STABLEMAX,
                    .forward_dtype = c->forward_dtype,
                    .halt_max_steps = c->halt_max_steps,
                    .act_enabled = true,
                    .target_q_update_every = 1,
                    .global_batch_size = c->batch,
                    .lr = 1e-4,
                    .lr_min_ratio = 1.0,
                    .weight_decay = 0.1,
                    .beta1 = 0.9,
                    .beta2 = 0.95,
                    .lr_warmup_steps = 1,
                    .total_steps = 1000,
                    .puzzle_emb_lr = 1e-2,
                    .puzzle_emb_weight_decay = 0.1,
                    .ranks = exchange != NULL ? exchange->count : 1,
                    .exchange = exchange },
        .halt_max_steps = c->halt_max_steps,
        .min_halt_steps = calloc((size_t)c->batch, sizeof *model->min_halt_steps),
    };
    set_threads(&model->config);
    if (model->min_halt_steps == NULL ||
        engine_create(&model->engine, &model->config, &err) < 0)
        bench_fail("%s: %s", c->name, err.message);
    engine_initialise(model->engine, 1);
    fill_batches(model, c);
}

void bench_model_destroy(struct bench_model *model)
{
    engine_destroy(model->engine);
    free(model->data);
    free(model->min_halt_steps);
}

double bench_train_step(struct bench_model *model, struct engine_result *result)
{
    struct engine_result ignored;
    double start = clock_monotonic_s();
    struct random_stream stream = random_stream(1, "exploration", model->draws++);

    for (int b = 0; b < model->config.batch_size; b++) {
        bool explores = random_uniform(&stream) < 0.1;
        uint64_t steps = model->halt_max_steps > 1
                             ? random_below(&stream, (uint64_t)model->halt_max_steps - 1) + 2
                             : 0;
        model->min_halt_steps[b] = explores ? (int32_t)steps : 0;
    }
    int rc = engine_train_step(model->engine, &model->batches[model->next++ % BATCHES],
                               model->min_halt_steps, result != NULL ? result : &ignored);
    assert(rc == 0); /* no watch stops it */
    (void)rc;
    return clock_monotonic_s() - start;
}

double bench_evaluate_step(struct bench_model *model)
{
    struct engine_result result;

    engine_evaluate_begin(model->engine, &model->batches[model->next++ % BATCHES],
                          model->config.batch_size);
    double start = clock_monotonic_s();
    int rc = engine_evaluate_step(model->engine, &result);
    assert(rc == 0); /* no watch stops it */
    (void)rc;
    return clock_monotonic_s() - start;
}

void bench_flops(const struct engine_config *c, double *train, double *evaluate)
{
    const struct system_facts *facts = system_facts(c->system);
    struct system_sizes sizes = {
        .layers = { [MODULE_H] = c->H_layers, [MODULE_L] = c->L_layers },
        .H_cycles = c->H_cycles,
        .L_cycles = c->L_cycles,
        .gradient_calls = c->gradient_horizon,
    };
    if (c->gradient_horizon == ENGINE_ALL_CALLS)
        sizes.gradient_calls = (int)system_calls(facts, &sizes);
    double D = c->hidden_size, F = c->intermediate_size, T = engine_input_tokens(c);
    double P = (double)shape_prefix(c->puzzle_emb_ndim, c->puzzle_emb_len, c->hidden_size);
    double places = c->batch_size * (P + T);
    double layer = 8 * D * D + 6 * D * F + 4 * (P + T) * D, head = 2 * D * c->vocab_size;
    double passes = (double)system_layer_passes(facts, &sizes);
    double tracked = (double)system_gradient_passes(facts, &sizes);
    double forward = passes * layer + head;
    double segments = facts->q_continue && c->act_enabled && c->halt_max_steps > 1 ? 2 : 1;

    *train = places * (segments * forward + 2 * (tracked * layer + head));
    *evaluate = places * forward;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
