/*
 * test_kernels.c - every kernel set that this CPU has against plain definitions in double, and
 * every backward kernel against finite differences of the forward definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "error.h"
#include "kernels.h"
#include "support/kernel_arrays.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3 };

static double swiglu_definition(double gate, double up)
{
    return gate / (1.0 + exp(-gate)) * up;
}

static void check_sums(const struct kernels *k, int width)
{
    size_t n = (size_t)width;
    float *a = random_values(n, 1), *b = random_values(n, 2), *c = random_values(n, 3);
    float *out = random_values(n, 4), *start = copy_values(out, n);

    k->inject(out, a, b, c, n);
    for (size_t i = 0; i < n; i++)
        check_close(k, "inject", width, i, (double)out[i],
                    (double)a[i] + ((double)b[i] + (double)c[i]), 4e-7);
    k->inject(out, a, b, NULL, n);
    for (size_t i = 0; i < n; i++)
        check_close(k, "inject", width, i, (double)out[i], (double)a[i] + (double)b[i], 2e-7);
    memcpy(out, start, n * sizeof *out);
    k->inject(out, out, b, c, n); /* in place */
    for (size_t i = 0; i < n; i++)
        check_close(k, "inject", width, i, (double)out[i],
                    (double)start[i] + ((double)b[i] + (double)c[i]), 4e-7);
    memcpy(out, start, n * sizeof *out);
    k->add(out, a, n);
    k->add_scaled(out, b, 0.5f, n);
    for (size_t i = 0; i < n; i++)
        check_close(k, "add", width, i, (double)out[i],
                    (double)start[i] + (double)a[i] + 0.5 * (double)b[i], 4e-7);
    k->scale(out, a, 3.0f, n);
    for (size_t i = 0; i < n; i++)
        check_close(k, "scale", width, i, (double)out[i], 3.0 * (double)a[i], 4e-7);
    k->add_position(out, a, b, 3.0f, n);
    for (size_t i = 0; i < n; i++)
        check_close(k, "add_position", width, i, (double)out[i],
                    3.0 * ((double)a[i] + (double)b[i]), 8e-7);
    check_canary_and_free(out, n);
    check_canary_and_free(start, n);
    check_canary_and_free(a, n);
    check_canary_and_free(b, n);
    check_canary_and_free(c, n);
}

/* y = norm(x) in double; a row. */
static void rmsnorm_definition(double *y, const double *x, int width, double epsilon)
{
    double squares = 0.0;

    for (int c = 0; c < width; c++)
        squares += x[c] * x[c];
    for (int c = 0; c < width; c++)
        y[c] = x[c] / sqrt(squares / width + epsilon);
}

/* sum over c of weight_c * norm(x)_c: a scalar to differentiate. */
static double rmsnorm_scalar(const double *x, const float *weight, int width, double epsilon)
{
    double y[MAX_WIDTH], sum = 0.0;

    rmsnorm_definition(y, x, width, epsilon);
    for (int c = 0; c < width; c++)
        sum += y[c] * (double)weight[c];
    return sum;
}

static void check_rmsnorm(const struct kernels *k, int width)
{
    const double epsilon = 1e-5, step = 1e-6;
    size_t n = (size_t)(ROWS * width);
    float *x = random_values(n, 5), *y = copy_values(x, n), *dy = random_values(n, 6);
    float *dx = copy_values(dy, n), *rstd = random_values(ROWS, 7);

    k->rmsnorm_forward(y, rstd, ROWS, width, (float)epsilon);
    k->rmsnorm_backward(dx, y, rstd, ROWS, width);
    for (int r = 0; r < ROWS; r++) {
        double row[MAX_WIDTH] = { 0 }, want[MAX_WIDTH];

        for (int c = 0; c < width; c++)
            row[c] = (double)x[r * width + c];
        rmsnorm_definition(want, row, width, epsilon);
        for (int c = 0; c < width; c++) {
            size_t at = (size_t)(r * width + c);
            double value = row[c];

            check_close(k, "rmsnorm_forward", width, at, (double)y[at], want[c],
                        2e-6 * (1.0 + fabs(want[c])));
            row[c] = value + step;
            double above = rmsnorm_scalar(row, dy + r * width, width, epsilon);
            row[c] = value - step;
            double below = rmsnorm_scalar(row, dy + r * width, width, epsilon);
            row[c] = value;
            double slope = (above - below) / (2.0 * step);
            check_close(k, "rmsnorm_backward", width, at, (double)dx[at], slope,
                        1e-5 * (1.0 + fabs((double)rstd[r] * (double)dy[at])));
        }
    }
    memcpy(y, x, n * sizeof *y);
    k->rmsnorm_forward(y, NULL, ROWS, width, (float)epsilon); /* without keeping rstd */
    check_canary_and_free(x, n);
    check_canary_and_free(y, n);
    check_canary_and_free(dy, n);
    check_canary_and_free(dx, n);
    check_canary_and_free(rstd, ROWS);
}

static void check_swiglu(const struct kernels *k, int width)
{
    const double step = 1e-6;
    size_t n = (size_t)(ROWS * width);
    float *gate_up = random_values(2 * n, 8), *act = random_values(n, 9);
    float *dact = random_values(n, 10), *dact_out = copy_values(dact, n);
    gate_up[0] *= 30.0f; /* the tails of the exponential */
    gate_up[2 * n - 1] *= 30.0f;
    float *dgate_up = copy_values(gate_up, 2 * n), *in_place = copy_values(gate_up, 2 * n);

    k->swiglu_forward(act, width, gate_up, gate_up + width, 2 * width, ROWS, width);
    k->swiglu_forward(in_place, 2 * width, in_place, in_place + width, 2 * width, ROWS, width);
    k->swiglu_backward(dgate_up, dgate_up + width, 2 * width, dact_out, ROWS, width);
    for (int r = 0; r < ROWS; r++)
        for (int f = 0; f < width; f++) {
            size_t at = (size_t)(r * width + f), gate = (size_t)(r * 2 * width + f);
            double g = (double)gate_up[gate], u = (double)gate_up[gate + (size_t)width];
            double d = (double)dact[at], want = swiglu_definition(g, u);
            double tolerance = 1e-6 * (1.0 + fabs(want));

            check_close(k, "swiglu_forward", width, at, (double)act[at], want, tolerance);
            check_close(k, "swiglu_forward in place", width, gate, (double)in_place[gate], want,
                        tolerance);
            check_close(k, "swiglu_backward act", width, at, (double)dact_out[at], want,
                        tolerance);
            double dg = (swiglu_definition(g + step, u) - swiglu_definition(g - step, u)) /
                        (2.0 * step);
            double du = (swiglu_definition(g, u + step) - swiglu_definition(g, u - step)) /
                        (2.0 * step);
            check_close(k, "swiglu_backward gate", width, gate, (double)dgate_up[gate], d * dg,
                        2e-6 * (1.0 + fabs(d * dg)));
            check_close(k, "swiglu_backward up", width, gate + (size_t)width,
                        (double)dgate_up[gate + (size_t)width], d * du,
                        2e-6 * (1.0 + fabs(d * du)));
        }
    check_canary_and_free(gate_up, 2 * n);
    check_canary_and_free(dgate_up, 2 * n);
    check_canary_and_free(in_place, 2 * n);
    check_canary_and_free(act, n);
    check_canary_and_free(dact, n);
    check_canary_and_free(dact_out, n);
}

/* Two heads of rows of three, over positions 0, 1, 0; turning back restores. */
static void check_rope(const struct kernels *k, int width)
{
    enum { HEADS = 2, S = 2 };
    int d = 2 * width;
    if (d > MAX_WIDTH)
        return;
    size_t row = (size_t)(3 * HEADS * d), n = ROWS * row, table = (size_t)(S * d);
    float *x = random_values(n, 11), *turned = copy_values(x, n);
    float *cosine = random_values(table, 12), *sine = random_values(table, 13);

    for (size_t i = 0; i < table; i++) {
        double angle = (double)(i / (size_t)d) * pow(100.0, -(double)(i % (size_t)width));

        cosine[i] = (float)cos(angle);
        sine[i] = (float)sin(angle);
    }
    /* In two parts, the second of which starts at position 1. */
    k->rope(turned, (ptrdiff_t)row, cosine, sine, 1.0f, 0, 1, S, HEADS, d);
    k->rope(turned + row, (ptrdiff_t)row, cosine, sine, 1.0f, 1, ROWS - 1, S, HEADS, d);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < row; i++) {
            size_t at = r * row + i, c = i % (size_t)d, low = c % (size_t)width;
            size_t angle = r % S * (size_t)d + low;
            double a = (double)x[at - c + low], b = (double)x[at - c + low + (size_t)width];
            double turn = (double)sine[angle], keep = (double)cosine[angle];
            double want = c < (size_t)width ? a * keep - b * turn : b * keep + a * turn;

            if (i >= (size_t)(HEADS * d))
                want = (double)x[at]; /* heads that are not turned */
            check_close(k, "rope", width, at, (double)turned[at], want, 1e-6);
        }
    k->rope(turned, (ptrdiff_t)row, cosine, sine, -1.0f, 0, ROWS, S, HEADS, d);
    for (size_t i = 0; i < n; i++)
        check_close(k, "rope back", width, i, (double)turned[i], (double)x[i], 1e-6);
    check_canary_and_free(x, n);
    check_canary_and_free(turned, n);
    check_canary_and_free(cosine, table);
    check_canary_and_free(sine, table);
}

/* adamw: that kernel, whose epsilon is large enough to be seen; else AdamATan2's. */
static void check_adam_kind(const struct kernels *k, int width, bool adamw)
{
    const struct adam_rates rates = { 0.999f, 0.1f, 0.05f, 0.01f, 1.7f, 0.125f };
    size_t n = (size_t)width;
    float *p = random_values(n, 19), *m = random_values(n, 20), *v = random_values(n, 21);
    float *g = random_values(n, 22);
    float *p0 = copy_values(p, n), *m0 = copy_values(m, n);

    for (size_t i = 0; i < n; i++) {
        v[i] = fabsf(v[i]) * powf(10.0f, -(float)(i % 12)); /* all ratios of m to sqrt v */
        if (i % 5 == 0)
            g[i] = m[i] = v[i] = m0[i] = 0.0f; /* atan2(0, 0) = 0 */
    }
    float *v0 = copy_values(v, n);

    (adamw ? k->adamw : k->adam_atan2)(p, m, v, g, rates, n);
    for (size_t i = 0; i < n; i++) {
        double gradient = (double)g[i];
        double first = (double)m0[i] + (double)rates.one_less_b1 * (gradient - (double)m0[i]);
        double second =
            (double)v0[i] + (double)rates.one_less_b2 * (gradient * gradient - (double)v0[i]);
        double root = sqrt(second) * (double)rates.v_correction;
        double move = adamw ? first / (root + (double)rates.epsilon) : atan2(first, root);
        double want = (double)p0[i] * (double)rates.decay - (double)rates.step * move;

        check_close(k, "adam m", width, i, (double)m[i], first, 2e-7);
        check_close(k, "adam v", width, i, (double)v[i], second, 2e-7);
        check_close(k, "adam p", width, i, (double)p[i], want, 2e-7);
    }
    check_canary_and_free(p, n);
    check_canary_and_free(m, n);
    check_canary_and_free(v, n);
    check_canary_and_free(g, n);
    check_canary_and_free(p0, n);
    check_canary_and_free(m0, n);
    check_canary_and_free(v0, n);
}

static void check_adam(const struct kernels *k, int width)
{
    check_adam_kind(k, width, false);
}

static void check_adamw(const struct kernels *k, int width)
{
    check_adam_kind(k, width, true);
}

static void check_sign_sgd(const struct kernels *k, int width)
{
    size_t n = (size_t)width;
    float *p = random_values(n, 23), *g = random_values(n, 24), *p0 = copy_values(p, n);

    g[0] = 0.0f; /* such a value still decays */
    k->sign_sgd(p, g, 0.9f, 0.25f, n);
    for (size_t i = 0; i < n; i++) {
        double sign = g[i] > 0.0f ? 1.0 : (g[i] < 0.0f ? -1.0 : 0.0);

        check_close(k, "sign_sgd", width, i, (double)p[i],
                    (double)p0[i] * (double)0.9f - 0.25 * sign, 2e-7);
    }
    check_canary_and_free(p, n);
    check_canary_and_free(g, n);
    check_canary_and_free(p0, n);
}

static void check_rounding(const struct kernels *k, int width)
{
    static const struct {
        float x, rounded;
    } CASES[] = {
        { 1.0f, 1.0f },
        { 0x1.01p0f, 0x1.00p0f }, /* a tie goes to the even one, below ... */
        { 0x1.03p0f, 0x1.04p0f }, /* ... or above */
        { 0x1.0102p0f, 0x1.02p0f },
        { -0x1.0102p0f, -0x1.02p0f },
        { 0x1.fffp3f, 0x1p4f }, /* into the next power of two */
        { -0.0f, -0.0f },
        { 0x1.fffffep127f, INFINITY },
        { -INFINITY, -INFINITY },
    };
    size_t n = (size_t)width;
    float *x = random_values(n, 31), *start = copy_values(x, n);

    k->round_bf16(x, n);
    for (size_t i = 0; i < n; i++) {
        int exponent;
        double fraction = frexp((double)start[i], &exponent);
        check_close(k, "round_bf16", width, i, (double)x[i],
                    ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8), 0.0);
    }
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        x[n - 1] = CASES[i].x;
        k->round_bf16(x, n);
        assert_memory_equal(&x[n - 1], &CASES[i].rounded, sizeof *x);
    }
    const uint32_t full_payload = 0x7fffffff; /* the increment would carry it over to -0 */
    memcpy(&x[n - 1], &full_payload, sizeof *x);
    k->round_bf16(x, n);
    assert_true(isnan(x[n - 1]));
    check_canary_and_free(x, n);
    check_canary_and_free(start, n);
}

/* The operands of products in double: rounded where the products round them. */
static float *operand(const struct kernels *k, const struct gemm_kernels *p, size_t count,
                      uint64_t seed, float **as_multiplied)
{
    float *values = random_values(count, seed);

    *as_multiplied = copy_values(values, count);
    if (p == k->gemm_bfloat16)
        k->round_bf16(*as_multiplied, count);
    return values;
}

static void check_product(const struct kernels *k, const struct gemm_kernels *p, int rows,
                          int depth, int columns, bool accumulate)
{
    int lda = depth % 512 == 0 ? depth : depth + 3, ldc = columns + 5;
    size_t a_count = (size_t)(rows * lda), w_count = (size_t)(depth * columns);
    size_t c_count = (size_t)(rows * ldc);
    float *a_used, *w_used, *a = operand(k, p, a_count, 41, &a_used);
    float *w = operand(k, p, w_count, 42, &w_used), *c = random_values(c_count, 43);
    float *start = copy_values(c, c_count);
    char *panels = aligned_alloc(64, w_count * p->element);
    float *scratch = random_values(p->scratch, 61);

    assert_non_null(panels);
    for (int transposed = 0; transposed < 2; transposed++) {
        ptrdiff_t row = transposed ? 1 : columns, column = transposed ? depth : 1;

        memcpy(c, start, c_count * sizeof *c);
        p->pack(panels, w, depth, columns, transposed, false);
        p->multiply(c, ldc, a, lda, panels, rows, depth, columns, accumulate, scratch);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < ldc; j++) {
                double sum = accumulate || j >= columns ? (double)start[i * ldc + j] : 0.0;
                for (int d = 0; d < depth && j < columns; d++)
                    sum += (double)a_used[i * lda + d] * (double)w_used[d * row + j * column];
                check_close(k, p == k->gemm_bfloat16 ? "bfloat16 product" : "product", depth,
                            (size_t)(i * ldc + j), (double)c[i * ldc + j], sum,
                            1e-6 * sqrt(depth) * 3);
            }
    }
    free(panels);
    check_canary_and_free(a, a_count);
    check_canary_and_free(a_used, a_count);
    check_canary_and_free(w, w_count);
    check_canary_and_free(w_used, w_count);
    check_canary_and_free(c, c_count);
    check_canary_and_free(start, c_count);
    check_canary_and_free(scratch, p->scratch);
}

static void check_swiglu_product(const struct kernels *k, const struct gemm_kernels *p,
                                 int rows, int depth, int F)
{
    int lda = depth + 3, ld_act = F + 5, ld_keep = 2 * F + 7;
    size_t a_count = (size_t)(rows * lda), w_count = (size_t)(2 * F * depth);
    size_t act_count = (size_t)(rows * ld_act), keep_count = (size_t)(rows * ld_keep);
    float *a_used, *w_used, *a = operand(k, p, a_count, 47, &a_used);
    float *w = operand(k, p, w_count, 48, &w_used), *act = random_values(act_count, 49);
    float *start = copy_values(act, act_count), *same = copy_values(act, act_count);
    float *keep = random_values(keep_count, 50);
    char *panels = aligned_alloc(64, w_count * p->element);
    float *scratch = random_values(p->scratch, 62);

    assert_non_null(panels);
    p->pack(panels, w, depth, 2 * F, true, true);
    p->multiply_swiglu(act, ld_act, NULL, 0, a, lda, panels, rows, depth, F, scratch);
    p->multiply_swiglu(same, ld_act, keep, ld_keep, a, lda, panels, rows, depth, F, scratch);
    assert_memory_equal(act, same, act_count * sizeof *act);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < ld_act; j++) {
            double gate = 0.0, up = 0.0, want = (double)start[i * ld_act + j];
            for (int d = 0; d < depth && j < F; d++) {
                gate += (double)a_used[i * lda + d] * (double)w_used[j * depth + d];
                up += (double)a_used[i * lda + d] * (double)w_used[(F + j) * depth + d];
            }
            if (j < F) {
                want = swiglu_definition(gate, up);
                check_close(k, "kept gate", depth, (size_t)j, (double)keep[i * ld_keep + j],
                            gate, 1e-5 * (1.0 + fabs(gate)));
                check_close(k, "kept up", depth, (size_t)j, (double)keep[i * ld_keep + F + j],
                            up, 1e-5 * (1.0 + fabs(up)));
            }
            check_close(k, "product with SwiGLU", depth, (size_t)(i * ld_act + j),
                        (double)act[i * ld_act + j], want,
                        1e-5 * (1.0 + fabs(gate) + fabs(up)));
        }
    free(panels);
    check_canary_and_free(a, a_count);
    check_canary_and_free(a_used, a_count);
    check_canary_and_free(w, w_count);
    check_canary_and_free(w_used, w_count);
    check_canary_and_free(act, act_count);
    check_canary_and_free(start, act_count);
    check_canary_and_free(same, act_count);
    check_canary_and_free(keep, keep_count);
    check_canary_and_free(scratch, p->scratch);
}

static void check_transposed_product(const struct kernels *k, const struct gemm_kernels *p,
                                     int rows, int depth, int columns)
{
    int lda = rows + 3, ldb = columns + 1, ldc = columns + 5;
    size_t a_count = (size_t)(depth * lda), b_count = (size_t)(depth * ldb);
    size_t c_count = (size_t)(rows * ldc);
    float *a_used, *b_used, *a = operand(k, p, a_count, 44, &a_used);
    float *b = operand(k, p, b_count, 45, &b_used), *c = random_values(c_count, 46);
    float *start = copy_values(c, c_count);
    float *scratch = random_values(p->scratch, 63);

    p->multiply_transposed(c, ldc, a, lda, b, ldb, rows, depth, columns, scratch);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < ldc; j++) {
            double sum = (double)start[i * ldc + j];
            for (int d = 0; d < depth && j < columns; d++)
                sum += (double)a_used[d * lda + i] * (double)b_used[d * ldb + j];
            check_close(k, p == k->gemm_bfloat16 ? "bfloat16 transposed" : "transposed", depth,
                        (size_t)(i * ldc + j), (double)c[i * ldc + j], sum,
                        1e-6 * sqrt(depth) * 3);
        }
    check_canary_and_free(a, a_count);
    check_canary_and_free(a_used, a_count);
    check_canary_and_free(b, b_count);
    check_canary_and_free(b_used, b_count);
    check_canary_and_free(c, c_count);
    check_canary_and_free(start, c_count);
    check_canary_and_free(scratch, p->scratch);
}

/* width: rows of C, and the depth of transposed products. */
static void check_products(const struct kernels *k, int width)
{
    const struct gemm_kernels *all[] = { k->gemm_float32, k->gemm_bfloat16 };

    for (int t = 0; t < 2; t++) {
        if (all[t] == NULL)
            continue;
        for (int accumulate = 0; accumulate < 2; accumulate++)
            check_product(k, all[t], width, width % 2 == 0 ? 64 : 96, 96, accumulate);
        check_transposed_product(k, all[t], width % 2 == 0 ? 64 : 288, width, 64);
        check_swiglu_product(k, all[t], width, 64, 96);
    }
}

/* Depths of several parts, and a stride that is copied out of the way. */
static void check_deep_products(const struct kernels *k, int width)
{
    const struct gemm_kernels *all[] = { k->gemm_float32, k->gemm_bfloat16 };

    for (int t = 0; t < 2 && width == 15; t++) {
        if (all[t] == NULL)
            continue;
        check_product(k, all[t], 17, 1056, 32, true);
        check_product(k, all[t], 3, 512, 512, false);
        check_product(k, all[t], 17, 1056, 512, true); /* large weights */
        check_swiglu_product(k, all[t], 17, 1056, 32);
        check_swiglu_product(k, all[t], 300, 32, 64); /* more than a block */
    }
}

/* Products with weights of more than LARGE_BYTES, with all rows at once (more than
 * LARGE_BLOCK, and several blocks of a transposed product) and a few rows at a time: the
 * bits are equal. */
static void check_divided_product(const struct gemm_kernels *p)
{
    enum { COUNT = 300, DEPTH = 512, COLUMNS = 1088, F = COLUMNS / 2, STEP = 32 };
    float *a = random_values(COUNT * DEPTH, 70), *w = random_values(DEPTH * COLUMNS, 71);
    float *b = random_values(COUNT * COLUMNS, 72), *scratch = random_values(p->scratch, 73);
    float *whole[] = { random_values(COUNT * COLUMNS, 74), random_values(COUNT * F, 75),
                       copy_values(w, DEPTH * COLUMNS) };
    float *parts[] = { copy_values(whole[0], COUNT * COLUMNS), copy_values(whole[1], COUNT * F),
                       copy_values(w, DEPTH * COLUMNS) };
    const size_t counts[] = { COUNT * COLUMNS, COUNT * F, DEPTH * COLUMNS };
    char *panels = aligned_alloc(64, DEPTH * COLUMNS * p->element);

    assert_non_null(panels);
    p->pack(panels, w, DEPTH, COLUMNS, false, true);
    p->multiply(whole[0], COLUMNS, a, DEPTH, panels, COUNT, DEPTH, COLUMNS, true, scratch);
    p->multiply_swiglu(whole[1], F, NULL, 0, a, DEPTH, panels, COUNT, DEPTH, F, scratch);
    p->multiply_transposed(whole[2], DEPTH, b, COLUMNS, a, DEPTH, COLUMNS, COUNT, DEPTH,
                           scratch);
    for (int i = 0; i < COUNT; i += STEP) {
        int rows = COUNT - i < STEP ? COUNT - i : STEP;

        p->multiply(parts[0] + i * COLUMNS, COLUMNS, a + i * DEPTH, DEPTH, panels, rows, DEPTH,
                    COLUMNS, true, scratch);
        p->multiply_swiglu(parts[1] + i * F, F, NULL, 0, a + i * DEPTH, DEPTH, panels, rows,
                           DEPTH, F, scratch);
    }
    for (int i = 0; i < COLUMNS; i += STEP)
        p->multiply_transposed(parts[2] + i * DEPTH, DEPTH, b + i, COLUMNS, a, DEPTH, STEP,
                               COUNT, DEPTH, scratch);
    for (int c = 0; c < 3; c++) {
        assert_memory_equal(whole[c], parts[c], counts[c] * sizeof **whole);
        check_canary_and_free(whole[c], counts[c]);
        check_canary_and_free(parts[c], counts[c]);
    }
    free(panels);
    check_canary_and_free(a, COUNT * DEPTH);
    check_canary_and_free(w, DEPTH * COLUMNS);
    check_canary_and_free(b, COUNT * COLUMNS);
    check_canary_and_free(scratch, p->scratch);
}

static void check_divided_products(const struct kernels *k, int width)
{
    if (width != 15)
        return;
    if (k->gemm_float32 != NULL)
        check_divided_product(k->gemm_float32);
    if (k->gemm_bfloat16 != NULL)
        check_divided_product(k->gemm_bfloat16);
}

static void rounding_to_bfloat16_is_to_the_nearest_even(void **state)
{
    (void)state;
    for_all_sets(check_rounding);
}

static void products_match_their_definition(void **state)
{
    (void)state;
    for_all_sets(check_products);
    for_all_sets(check_deep_products);
}

static void large_products_do_not_depend_on_the_division_of_rows(void **state)
{
    (void)state;
    for_all_sets(check_divided_products);
}

static void sums_match_their_definition(void **state)
{
    (void)state;
    for_all_sets(check_sums);
}

static void rmsnorm_matches_definition_and_difference_quotients(void **state)
{
    (void)state;
    for_all_sets(check_rmsnorm);
}

static void swiglu_matches_definition_and_difference_quotients(void **state)
{
    (void)state;
    for_all_sets(check_swiglu);
}

/* Gates so large that exp(-gate) is no number: silu(gate) is gate, or next to nothing. */
static void check_large_gates(const struct kernels *k, int width)
{
    static const float LARGE[] = { 1e3f, 1e9f, 1e20f, 1e37f };
    size_t n = (size_t)width;
    float *gate = random_values(n, 31), *up = random_values(n, 32), *act = random_values(n, 33);

    for (size_t i = 0; i < n; i++) {
        gate[i] = (i % 2 == 0 ? 1.0f : -1.0f) * LARGE[i / 2 % 4];
        up[i] = 2.0f;
    }
    k->swiglu_forward(act, width, gate, up, width, 1, width);
    for (size_t i = 0; i < n; i++) {
        double want = gate[i] > 0.0f ? 2.0 * (double)gate[i] : 0.0;

        check_close(k, "swiglu_forward of a large gate", width, i, (double)act[i], want,
                    want * 1e-6 + fabs((double)gate[i]) * 1e-36);
    }
    check_canary_and_free(gate, n);
    check_canary_and_free(up, n);
    check_canary_and_free(act, n);
}

static void swiglu_of_large_gates_is_gate_or_nothing(void **state)
{
    (void)state;
    for_all_sets(check_large_gates);
}

static void rope_turns_pairs_and_back(void **state)
{
    (void)state;
    for_all_sets(check_rope);
}

static void adam_atan2_matches_the_library_function(void **state)
{
    (void)state;
    for_all_sets(check_adam);
}

static void adamw_matches_its_definition(void **state)
{
    (void)state;
    for_all_sets(check_adamw);
}

static void sign_sgd_matches_its_definition(void **state)
{
    (void)state;
    for_all_sets(check_sign_sgd);
}

static void not_a_number_stays_one(void **state)
{
    (void)state;
    const struct kernels *k;
    float gate_up[2] = { NAN, 1.0f }, act = 0.0f;

    assert_int_equal(kernels_current(&k, NULL), 0);
    k->swiglu_forward(&act, 1, gate_up, gate_up + 1, 2, 1, 1);
    assert_true(isnan(act));
}

static void unknown_kernel_set_is_refused(void **state)
{
    (void)state;
    struct error err;

    assert_int_equal(engine_select_kernels("sse9", &err), ERROR_FORMAT);
    assert_non_null(strstr(err.message, "sse9"));
    assert_non_null(strstr(err.message, "avx512"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_to_bfloat16_is_to_the_nearest_even),
        cmocka_unit_test(products_match_their_definition),
        cmocka_unit_test(large_products_do_not_depend_on_the_division_of_rows),
        cmocka_unit_test(sums_match_their_definition),
        cmocka_unit_test(rmsnorm_matches_definition_and_difference_quotients),
        cmocka_unit_test(swiglu_matches_definition_and_difference_quotients),
        cmocka_unit_test(swiglu_of_large_gates_is_gate_or_nothing),
        cmocka_unit_test(rope_turns_pairs_and_back),
        cmocka_unit_test(adam_atan2_matches_the_library_function),
        cmocka_unit_test(adamw_matches_its_definition),
        cmocka_unit_test(sign_sgd_matches_its_definition),
        cmocka_unit_test(not_a_number_stays_one),
        cmocka_unit_test(unknown_kernel_set_is_refused),
    };

    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
