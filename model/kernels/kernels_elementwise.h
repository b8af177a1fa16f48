/*
 * kernels_elementwise.h - kernels that take each element, or each row, by itself: sums,
 * RMSNorm, SwiGLU, RoPE, rounding, optimizers.
 *
 * Plain loops, which the compiler vectorises. kernels.h documents what each computes.
 */
#ifndef MODEL_KERNELS_ELEMENTWISE_H
#define MODEL_KERNELS_ELEMENTWISE_H

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"
#include "kernels_vector.h"

static void inject(float *out, const float *a, const float *b, const float *c, size_t n)
{
    if (c == NULL) {
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            out[i] = a[i] + b[i];
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] + (b[i] + c[i]);
}

static void add(float *restrict out, const float *restrict in, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] += in[i];
}

static void scale_copy(float *restrict out, const float *restrict in, float scale, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = scale * in[i];
}

static void add_scaled(float *restrict out, const float *restrict in, float scale, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] += scale * in[i];
}

static void add_position(float *restrict out, const float *restrict in,
                         const float *restrict position, float scale, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        out[i] = scale * (in[i] + position[i]);
}

static void rmsnorm_forward(float *x, float *rstd, int R, int C, float epsilon)
{
    for (int r = 0; r < R; r++) {
        float *x_r = x + (ptrdiff_t)r * C;
        float sum_squares = 0.0f;

#pragma omp simd reduction(+ : sum_squares)
        for (int c = 0; c < C; c++)
            sum_squares += x_r[c] * x_r[c];

        float scale = 1.0f / sqrtf(sum_squares / (float)C + epsilon);
        if (rstd != NULL)
            rstd[r] = scale;
#pragma omp simd
        for (int c = 0; c < C; c++)
            x_r[c] *= scale;
    }
}

static void rmsnorm_backward(float *restrict dy, const float *restrict y,
                             const float *restrict rstd, int R, int C)
{
    for (int r = 0; r < R; r++) {
        float *dy_r = dy + (ptrdiff_t)r * C;
        const float *y_r = y + (ptrdiff_t)r * C;
        float dot = 0.0f;

#pragma omp simd reduction(+ : dot)
        for (int c = 0; c < C; c++)
            dot += dy_r[c] * y_r[c];

        float mean = dot / (float)C;
        float scale = rstd[r];
#pragma omp simd
        for (int c = 0; c < C; c++)
            dy_r[c] = scale * (dy_r[c] - y_r[c] * mean);
    }
}

static void swiglu_forward(float *act, ptrdiff_t ld_act, const float *gate, const float *up,
                           ptrdiff_t ld, int R, int F)
{
    for (int r = 0; r < R; r++, act += ld_act, gate += ld, up += ld) {
        int f = 0;

        /* act may be gate itself: each element is read before it is written. */
        for (; f + LANES <= F; f += LANES)
            vec_store(act + f, vec_swiglu(vec_load(gate + f), vec_load(up + f)));
        if (f < F)
            vec_store_part(
                act + f,
                vec_swiglu(vec_load_part(gate + f, F - f), vec_load_part(up + f, F - f)),
                F - f);
    }
}

/* One vector of swiglu_backward: gate and up become their gradients, dact becomes
 * act. */
INLINE void vec_swiglu_backward(vec *gate, vec *up, vec *dact)
{
    vec g = *gate, u = *up, d = *dact;
    vec s = vec_inverse(1.0f + vec_exp_minus(g, &EXP2));
    vec silu = g * s;

    *dact = silu * u;
    *up = d * silu;
    *gate = d * u * (s + silu * (1.0f - s)); /* silu' = s + g s (1 - s) */
}

/* gate and up were stored so long ago that they have left the caches: they are
 * prefetched SWIGLU_AHEAD rows ahead. */
enum { SWIGLU_AHEAD = 2 };

static void swiglu_backward(float *restrict gate, float *restrict up, ptrdiff_t ld,
                            float *restrict dact, int R, int F)
{
    for (int r = 0; r < R; r++, gate += ld, up += ld, dact += F) {
        for (int f = 0; f < F; f += LANES) {
            int count = F - f < LANES ? F - f : LANES;
            bool whole = count == LANES;

            __builtin_prefetch(gate + SWIGLU_AHEAD * ld + f, 1);
            __builtin_prefetch(up + SWIGLU_AHEAD * ld + f, 1);
            vec g = whole ? vec_load(gate + f) : vec_load_part(gate + f, count);
            vec u = whole ? vec_load(up + f) : vec_load_part(up + f, count);
            vec d = whole ? vec_load(dact + f) : vec_load_part(dact + f, count);

            vec_swiglu_backward(&g, &u, &d);
            if (whole) {
                vec_store(gate + f, g);
                vec_store(up + f, u);
                vec_store(dact + f, d);
            } else {
                vec_store_part(gate + f, g, count);
                vec_store_part(up + f, u, count);
                vec_store_part(dact + f, d, count);
            }
        }
    }
}

static void rope(float *x, ptrdiff_t ld, const float *cosine, const float *sine, float sign,
                 int first, int R, int S, int heads, int d)
{
    int half = d / 2;

    for (int r = 0; r < R; r++) {
        const float *cos_s = cosine + (ptrdiff_t)((first + r) % S) * d;
        const float *sin_s = sine + (ptrdiff_t)((first + r) % S) * d;

        for (int h = 0; h < heads; h++) {
            float *restrict low = x + r * ld + (ptrdiff_t)h * d;
            float *restrict high = low + half;

#pragma omp simd
            for (int i = 0; i < half; i++) {
                float a = low[i], b = high[i], turn = sign * sin_s[i];

                low[i] = a * cos_s[i] - b * turn;
                high[i] = b * cos_s[i] + a * turn;
            }
        }
    }
}

static void round_bf16(float *x, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bf16_bits(x[i]);
        float rounded;

        memcpy(&rounded, &bits, sizeof rounded);
        x[i] = x[i] != x[i] ? x[i] : rounded;
    }
}

static void adam_atan2(float *restrict p, float *restrict m, float *restrict v,
                       const float *restrict g, struct adam_rates rates, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float gradient = g[i];
        float first = m[i] + rates.one_less_b1 * (gradient - m[i]);
        float second = v[i] + rates.one_less_b2 * (gradient * gradient - v[i]);

        m[i] = first;
        v[i] = second;
        p[i] = p[i] * rates.decay -
               rates.step * fast_atan2(first, sqrtf(second) * rates.v_correction);
    }
}

static void adamw(float *restrict p, float *restrict m, float *restrict v,
                  const float *restrict g, struct adam_rates rates, size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float gradient = g[i];
        float first = m[i] + rates.one_less_b1 * (gradient - m[i]);
        float second = v[i] + rates.one_less_b2 * (gradient * gradient - v[i]);

        m[i] = first;
        v[i] = second;
        p[i] = p[i] * rates.decay -
               rates.step * (first / (sqrtf(second) * rates.v_correction + rates.epsilon));
    }
}

static void sign_sgd(float *restrict p, const float *restrict g, float decay, float lr,
                     size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float sign = g[i] > 0.0f ? 1.0f : (g[i] < 0.0f ? -1.0f : g[i]); /* NaN stays */

        p[i] = p[i] * decay - lr * sign;
    }
}

#endif
