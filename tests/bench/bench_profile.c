/*
 * bench_profile.c - where the time of a training step goes: every kernel and product, timed by
 * a table of kernels that wraps the real one and by the linker's --wrap of gemm.c's functions.
 */
#include "bench.h"

#include "clock.h"
#include "engine_internal.h"

#include <stdlib.h>
#include <string.h>

enum slot {
    GEMM_FORWARD,
    GEMM_SWIGLU,
    GEMM_BACKWARD_INPUT,
    GEMM_BACKWARD_WEIGHT,
    ATTENTION_FORWARD,
    ATTENTION_BACKWARD,
    ROPE,
    SWIGLU_FORWARD,
    SWIGLU_BACKWARD,
    RMSNORM_FORWARD,
    RMSNORM_BACKWARD,
    INJECT,
    OTHER_SMALL,
    ROUND,
    ADAM_ATAN2,
    SIGN_SGD,
    SLOTS
};

static const char *const NAMES[SLOTS] = {
    "gemm forward",
    "gemm forward, SwiGLU within",
    "gemm backward input",
    "gemm backward weight",
    "attention forward",
    "attention backward",
    "rope",
    "swiglu forward",
    "swiglu backward",
    "rmsnorm forward",
    "rmsnorm backward",
    "inject",
    "add, scale, copy",
    "round to bfloat16",
    "adam_atan2",
    "sign_sgd",
};

struct entry {
    long calls;
    double seconds, flops, bytes;
};
static struct entry entries[SLOTS];
static bool active; /* only then is anything counted */
static const struct kernels *real;

struct product {
    enum slot slot;
    int outputs, inputs, rows;
    long calls;
};
static struct product shapes[64];
static int product_count;

static void count(enum slot slot, double start, double flops, double bytes)
{
    entries[slot].calls++;
    entries[slot].seconds += clock_monotonic_s() - start;
    entries[slot].flops += flops;
    entries[slot].bytes += bytes;
}

static void count_product(enum slot slot, int outputs, int inputs, int rows, double start)
{
    int i = 0;

    count(slot, start, 2.0 * outputs * inputs * rows,
          4.0 * ((double)outputs * inputs + (double)rows * (outputs + inputs)));
    while (i < product_count && (shapes[i].slot != slot || shapes[i].outputs != outputs ||
                                 shapes[i].inputs != inputs || shapes[i].rows != rows))
        i++;
    if (i == product_count && product_count < 64)
        shapes[product_count++] = (struct product){ slot, outputs, inputs, rows, 0 };
    if (i < 64)
        shapes[i].calls++;
}

void __real_gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w,
                         int rows, int accumulate);
void __real_gemm_forward_swiglu(float *act, int ld_act, float *keep, int ld_keep,
                                const float *x, int ldx, struct gemm_weight w, int rows);
void __real_gemm_backward_input(float *dx, int ldx, const float *dy, int ldy,
                                struct gemm_weight w, int rows, int accumulate);
void __real_gemm_backward_weight(const struct gemm_kernels *kernels, float *scratch, float *dw,
                                 const float *dy, int ldy, const float *x, int ldx, int outputs,
                                 int inputs, int rows);
void __wrap_gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w,
                         int rows, int accumulate);
void __wrap_gemm_forward_swiglu(float *act, int ld_act, float *keep, int ld_keep,
                                const float *x, int ldx, struct gemm_weight w, int rows);
void __wrap_gemm_backward_input(float *dx, int ldx, const float *dy, int ldy,
                                struct gemm_weight w, int rows, int accumulate);
void __wrap_gemm_backward_weight(const struct gemm_kernels *kernels, float *scratch, float *dw,
                                 const float *dy, int ldy, const float *x, int ldx, int outputs,
                                 int inputs, int rows);

void __wrap_gemm_forward(float *y, int ldy, const float *x, int ldx, struct gemm_weight w,
                         int rows, int accumulate)
{
    double start = active ? clock_monotonic_s() : 0;

    __real_gemm_forward(y, ldy, x, ldx, w, rows, accumulate);
    if (active)
        count_product(GEMM_FORWARD, w.outputs, w.inputs, rows, start);
}

void __wrap_gemm_backward_input(float *dx, int ldx, const float *dy, int ldy,
                                struct gemm_weight w, int rows, int accumulate)
{
    double start = active ? clock_monotonic_s() : 0;

    __real_gemm_backward_input(dx, ldx, dy, ldy, w, rows, accumulate);
    if (active)
        count_product(GEMM_BACKWARD_INPUT, w.outputs, w.inputs, rows, start);
}

void __wrap_gemm_backward_weight(const struct gemm_kernels *kernels, float *scratch, float *dw,
                                 const float *dy, int ldy, const float *x, int ldx, int outputs,
                                 int inputs, int rows)
{
    double start = active ? clock_monotonic_s() : 0;

    __real_gemm_backward_weight(kernels, scratch, dw, dy, ldy, x, ldx, outputs, inputs, rows);
    if (active)
        count_product(GEMM_BACKWARD_WEIGHT, outputs, inputs, rows, start);
}

void __wrap_gemm_forward_swiglu(float *act, int ld_act, float *keep, int ld_keep,
                                const float *x, int ldx, struct gemm_weight w, int rows)
{
    double start = active ? clock_monotonic_s() : 0;

    __real_gemm_forward_swiglu(act, ld_act, keep, ld_keep, x, ldx, w, rows);
    if (active)
        count_product(GEMM_SWIGLU, w.outputs, w.inputs, rows, start);
}

static void timed_inject(float *out, const float *a, const float *b, const float *c, size_t n)
{
    double start = clock_monotonic_s();

    real->inject(out, a, b, c, n);
    count(INJECT, start, 0, (double)n * (c != NULL ? 16 : 12));
}

static void timed_add(float *restrict out, const float *restrict in, size_t n)
{
    double start = clock_monotonic_s();

    real->add(out, in, n);
    count(OTHER_SMALL, start, 0, 12.0 * (double)n);
}

static void timed_scale(float *restrict out, const float *restrict in, float scale, size_t n)
{
    double start = clock_monotonic_s();

    real->scale(out, in, scale, n);
    count(OTHER_SMALL, start, 0, 8.0 * (double)n);
}

static void timed_add_scaled(float *restrict out, const float *restrict in, float scale,
                             size_t n)
{
    double start = clock_monotonic_s();

    real->add_scaled(out, in, scale, n);
    count(OTHER_SMALL, start, 0, 12.0 * (double)n);
}

static void timed_round_bf16(float *x, size_t n)
{
    double start = clock_monotonic_s();

    real->round_bf16(x, n);
    count(ROUND, start, 0, 8.0 * (double)n);
}

static void timed_rmsnorm_forward(float *x, float *rstd, int R, int C, float epsilon)
{
    double start = clock_monotonic_s();

    real->rmsnorm_forward(x, rstd, R, C, epsilon);
    count(RMSNORM_FORWARD, start, 0, 8.0 * R * C);
}

static void timed_rmsnorm_backward(float *restrict dy, const float *restrict y,
                                   const float *restrict rstd, int R, int C)
{
    double start = clock_monotonic_s();

    real->rmsnorm_backward(dy, y, rstd, R, C);
    count(RMSNORM_BACKWARD, start, 0, 12.0 * R * C);
}

static void timed_swiglu_forward(float *act, ptrdiff_t ld_act, const float *gate,
                                 const float *up, ptrdiff_t ld, int R, int F)
{
    double start = clock_monotonic_s();

    real->swiglu_forward(act, ld_act, gate, up, ld, R, F);
    count(SWIGLU_FORWARD, start, 0, 12.0 * R * F);
}

static void timed_swiglu_backward(float *restrict gate, float *restrict up, ptrdiff_t ld,
                                  float *restrict dact, int R, int F)
{
    double start = clock_monotonic_s();

    real->swiglu_backward(gate, up, ld, dact, R, F);
    count(SWIGLU_BACKWARD, start, 0, 24.0 * R * F);
}

static void timed_rope(float *x, ptrdiff_t ld, const float *cosine, const float *sine,
                       float sign, int first, int R, int S, int heads, int d)
{
    double start = clock_monotonic_s();

    real->rope(x, ld, cosine, sine, sign, first, R, S, heads, d);
    count(ROPE, start, 0, 8.0 * R * heads * d);
}

static void count_attention_forward(double start, const struct attention_view *view)
{
    count(ATTENTION_FORWARD, start, 4.0 * view->positions * view->queries * view->head_size,
          16.0 * view->positions * view->head_size);
}

static void count_attention_backward(double start, const struct attention_view *view)
{
    count(ATTENTION_BACKWARD, start,
          10.0 * view->positions * view->queries * view->head_size, /* scores again */
          32.0 * view->positions * view->head_size);
}

static void timed_attention_forward(float *out, ptrdiff_t ld_out, float *keep,
                                    const struct attention_view *view, float *scratch)
{
    double start = clock_monotonic_s();

    real->attention_forward(out, ld_out, keep, view, scratch);
    count_attention_forward(start, view);
}

static void timed_attention_forward_bf16(float *out, ptrdiff_t ld_out, float *keep,
                                         const struct attention_view *view, float *scratch)
{
    double start = clock_monotonic_s();

    real->attention_forward_bf16(out, ld_out, keep, view, scratch);
    count_attention_forward(start, view);
}

static void timed_attention_backward(float *dq, float *dk, float *dv, const float *out,
                                     const float *dout, ptrdiff_t ld_out, const float *keep,
                                     const struct attention_view *view, float *scratch)
{
    double start = clock_monotonic_s();

    real->attention_backward(dq, dk, dv, out, dout, ld_out, keep, view, scratch);
    count_attention_backward(start, view);
}

static void timed_attention_backward_bf16(float *dq, float *dk, float *dv, const float *out,
                                          const float *dout, ptrdiff_t ld_out,
                                          const float *keep, const struct attention_view *view,
                                          float *scratch)
{
    double start = clock_monotonic_s();

    real->attention_backward_bf16(dq, dk, dv, out, dout, ld_out, keep, view, scratch);
    count_attention_backward(start, view);
}

static void timed_adam_atan2(float *restrict p, float *restrict m, float *restrict v,
                             const float *restrict g, struct adam_rates rates, size_t n)
{
    double start = clock_monotonic_s();

    real->adam_atan2(p, m, v, g, rates, n);
    count(ADAM_ATAN2, start, 0, 28.0 * (double)n);
}

static void timed_sign_sgd(float *restrict p, const float *restrict g, float decay, float lr,
                           size_t n)
{
    double start = clock_monotonic_s();

    real->sign_sgd(p, g, decay, lr, n);
    count(SIGN_SGD, start, 0, 12.0 * (double)n);
}

/* GB/s of adding one array to another, both together as large as bytes. */
static double bandwidth(size_t bytes)
{
    size_t n = bytes / 2 / sizeof(float);
    float *a = aligned_alloc(64, (2 * n + 16) / 16 * 16 * sizeof *a);
    double best = 0;

    if (a == NULL)
        bench_fail("no memory");
    memset(a, 0, 2 * n * sizeof *a);
    for (int r = 0; r < 7; r++) {
        int repeats = (int)(((size_t)256 << 20) / bytes) + 1;
        double start = clock_monotonic_s();
        for (int i = 0; i < repeats; i++)
            real->add(a, a + n, n);
        double rate = 12e-9 * (double)n * repeats / (clock_monotonic_s() - start);
        best = rate > best ? rate : best;
    }
    free(a);
    return best;
}

/* GFLOP/s of one of the step's own products, alone and warm. */
static double product_rate(const struct product *p)
{
    size_t w = (size_t)p->outputs * (size_t)p->inputs;
    size_t x = (size_t)p->rows * (size_t)p->inputs, y = (size_t)p->rows * (size_t)p->outputs;
    float *block = calloc(w + x + y, sizeof *block);
    double best = 0;

    if (block == NULL)
        bench_fail("no memory");
    struct gemm_weight weight = { .data = block, .outputs = p->outputs, .inputs = p->inputs };
    for (int r = 0; r < 5; r++) {
        double flops = 2.0 * p->outputs * p->inputs * p->rows;
        int repeats = (int)(2e8 / flops) + 1;
        double start = clock_monotonic_s();
        for (int i = 0; i < repeats; i++) {
            float *in = block + w, *out = in + x;
            if (p->slot == GEMM_FORWARD || p->slot == GEMM_SWIGLU)
                __real_gemm_forward(out, p->outputs, in, p->inputs, weight, p->rows, 0);
            else if (p->slot == GEMM_BACKWARD_INPUT)
                __real_gemm_backward_input(in, p->inputs, out, p->outputs, weight, p->rows, 0);
            else
                __real_gemm_backward_weight(NULL, NULL, block, out, p->outputs, in, p->inputs,
                                            p->outputs, p->inputs, p->rows);
        }
        double rate = 1e-9 * flops * repeats / (clock_monotonic_s() - start);
        best = rate > best ? rate : best;
    }
    free(block);
    return best;
}

static double own_shapes_rate(void)
{
    double flops = 0, seconds = 0;

    for (int i = 0; i < product_count; i++) {
        double work = 2e-9 * shapes[i].outputs * shapes[i].inputs * shapes[i].rows *
                      (double)shapes[i].calls;
        flops += work;
        seconds += work / product_rate(&shapes[i]);
    }
    return seconds > 0 ? flops / seconds : 0;
}

static cJSON *describe(const struct entry *e, const char *name, double step, double sgemm,
                       double bytes_per_s)
{
    cJSON *out = cJSON_CreateObject();
    double arithmetic = 1e-9 * e->flops / sgemm, memory = e->bytes / bytes_per_s;

    cJSON_AddStringToObject(out, "name", name);
    cJSON_AddNumberToObject(out, "calls", (double)e->calls);
    cJSON_AddNumberToObject(out, "ms", 1e3 * e->seconds);
    cJSON_AddNumberToObject(out, "share", e->seconds / step);
    cJSON_AddStringToObject(out, "limit", arithmetic >= memory ? "arithmetic" : "memory");
    cJSON_AddNumberToObject(out, "reached",
                            (arithmetic >= memory ? arithmetic : memory) / e->seconds);
    return out;
}

cJSON *bench_profile(struct bench_model *model, double sgemm, double *own_shapes)
{
    struct engine *engine = model->engine;
    struct kernels wrapped;
    cJSON *list = cJSON_CreateArray();
    struct entry rest = { 0 };

    real = engine->kernels;
    wrapped = *real;
    wrapped.inject = timed_inject;
    wrapped.add = timed_add;
    wrapped.scale = timed_scale;
    wrapped.add_scaled = timed_add_scaled;
    wrapped.round_bf16 = timed_round_bf16;
    wrapped.rmsnorm_forward = timed_rmsnorm_forward;
    wrapped.rmsnorm_backward = timed_rmsnorm_backward;
    wrapped.swiglu_forward = timed_swiglu_forward;
    wrapped.swiglu_backward = timed_swiglu_backward;
    wrapped.rope = timed_rope;
    wrapped.attention_forward = timed_attention_forward;
    wrapped.attention_backward = timed_attention_backward;
    wrapped.attention_forward_bf16 = timed_attention_forward_bf16;
    wrapped.attention_backward_bf16 = timed_attention_backward_bf16;
    wrapped.adam_atan2 = timed_adam_atan2;
    wrapped.sign_sgd = timed_sign_sgd;
    memset(entries, 0, sizeof entries);
    product_count = 0;
    engine->kernels = &wrapped;
    active = true;
    double step = bench_train_step(model, NULL);
    active = false;
    engine->kernels = real;

    /* What a chunk's activations live in, and what the optimizer's arrays do. */
    double near = 1e9 * bandwidth((size_t)1 << 20);
    size_t optimizer_bytes = engine->parameter_floats * 4 * sizeof(float);
    double far = optimizer_bytes > (size_t)8 << 20 ? 1e9 * bandwidth((size_t)256 << 20) : near;
    rest.seconds = step;
    for (int i = 0; i < SLOTS; i++) {
        bool optimizer = i == ADAM_ATAN2 || i == SIGN_SGD;
        rest.seconds -= entries[i].seconds;
        if (entries[i].calls > 0)
            cJSON_AddItemToArray(
                list, describe(&entries[i], NAMES[i], step, sgemm, optimizer ? far : near));
    }
    cJSON *other = cJSON_CreateObject();
    cJSON_AddStringToObject(other, "name", "heads, losses, embedding, timing");
    cJSON_AddNumberToObject(other, "ms", 1e3 * rest.seconds);
    cJSON_AddNumberToObject(other, "share", rest.seconds / step);
    cJSON_AddItemToArray(list, other);
    *own_shapes = own_shapes_rate();
    return list;
}
