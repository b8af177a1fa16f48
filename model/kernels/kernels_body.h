/*
 * kernels_body.h - the kernels' one source, compiled once per instruction set.
 *
 * set_base.c, set_avx2.c and the others like them each define KERNEL_SUFFIX and include
 * this file; the Makefile gives each its own -m flags, dispatch.c picks one set at start.
 * Elementwise kernels are plain loops; the attention products use GCC vector types so that
 * their accumulators stay in registers. No include guard: see above.
 */
#include "kernels.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__clang__) /* it leaves some reductions scalar, and would say so */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

#if defined(__AVX512F__)
enum { LANES = 16 };
#define VECTOR_BYTES 64
#elif defined(__AVX__)
enum { LANES = 8 };
#define VECTOR_BYTES 32
#else
enum { LANES = 4 };
#define VECTOR_BYTES 16
#endif

typedef float vec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint32_t uvec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

#define LOG2_E 1.44269504088896341f

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define KERNEL_NAME_(a) #a
#define KERNEL_NAME(a) KERNEL_NAME_(a)
#define INLINE static inline __attribute__((always_inline))

/* Lanes of a where mask is set (all bits), else of b. */
INLINE vec vec_select(ivec mask, vec a, vec b)
{
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

INLINE vec vec_load(const float *p)
{
    return *(const vec *)p;
}

/* x in each lane. */
INLINE vec vec_all(float x)
{
    const vec zero = { 0 };

    return x - zero;
}

INLINE void vec_store(float *p, vec v)
{
    *(vec *)p = v;
}

/* a > b ? a : b and a < b ? a : b in each lane, so b where one is NaN: an instruction each. */
INLINE vec vec_max(vec a, vec b)
{
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return vec_select(a > b, a, b);
#endif
}

INLINE vec vec_min(vec a, vec b)
{
#if defined(__AVX512F__)
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return vec_select(a < b, a, b);
#endif
}

/* The first count lanes of v (count <= 0: none), the others otherwise. */
INLINE vec vec_first(vec v, ptrdiff_t count, float otherwise)
{
    static const int32_t order[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    const vec zero = { 0 };
    ivec lane = *(const ivec *)order;

    return vec_select(lane < (int32_t)count, v, zero + otherwise);
}

/* The first count lanes from p, the others 0; and back. */
INLINE vec vec_load_part(const float *p, int count)
{
    float lanes[LANES] = { 0 };

    memcpy(lanes, p, (size_t)count * sizeof *p);
    return vec_load(lanes);
}

INLINE void vec_store_part(float *p, vec v, int count)
{
    float lanes[LANES];

    vec_store(lanes, v);
    memcpy(p, lanes, (size_t)count * sizeof *p);
}

/* 2^f is near p[0] + p[1] f + ... + p[5] f^5 (minimax on [-1/2, 1/2]); what else exp needs. */
struct exp2_constants {
    float p[6];
    float minus_log2_e, least, most /* of x, for exp(-x) */, one;
};
static const struct exp2_constants EXP2 = {
    .p = { 1.0f, 6.93146967065e-1f, 2.40221197238e-1f, 5.55071327348e-2f, 9.67554133442e-3f,
           1.32764719979e-3f },
    .minus_log2_e = -LOG2_E,
    .least = -87.0f,
    .most = 86.0f,
    .one = 1.0f,
};

/*
 * 2^(factor * x). Adding magic rounds to an integer n in the low bits (AVX-512 has instructions for
 * that, and for p 2^n); what is left, f in [-1/2, 1/2], goes into the polynomial.
 * The relative error is below 2.1e-7, and where factor is not 1 below that + 6e-8 |x|, since
 * factor * x is rounded (less where the compiler fuses it). The result must be a normal number;
 * NaN stays NaN. c: EXP2, for callers that hide where it comes from.
 */
INLINE vec vec_exp2(vec x, float factor, const struct exp2_constants *c)
{
#if defined(__AVX512F__)
    vec n = (vec)_mm512_roundscale_ps((__m512)(x * factor), 0);
#else
    const vec zero = { 0 };
    const vec magic = zero + 0x1.8p23f;
    vec t = x * factor + magic;
    vec n = t - magic;
#endif
    vec f = x * factor - n;
    vec p = f * c->p[5] + c->p[4];

    for (int i = 3; i >= 0; i--)
        p = p * f + c->p[i];
#if defined(__AVX512F__)
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    return (vec)((uvec)p + ((uvec)t << 23));
#endif
}

/* 1 / x for x in [2^-126, 2^126): an estimate of 14 bits and Newton's step are off by two units in
 * the last place at most, and much sooner there than a division. */
INLINE vec vec_inverse(vec x)
{
#if defined(__AVX512F__)
    vec estimate = (vec)_mm512_rcp14_ps((__m512)x);

    return estimate * (2.0f - x * estimate);
#else
    return 1.0f / x;
#endif
}

/* exp(-x), held to normal numbers. c: EXP2, as above. */
INLINE vec vec_exp_minus(vec x, const struct exp2_constants *c)
{
    x = vec_min(vec_all(c->most), vec_max(vec_all(c->least), x));
    return vec_exp2(x, c->minus_log2_e, c);
}

/* silu(gate) * up; silu(x) = x / (1 + exp(-x)). */
INLINE vec vec_swiglu(vec gate, vec up)
{
    return gate * up / (1.0f + vec_exp_minus(gate, &EXP2));
}

/* Lane i of the result is lane i + n of v, round about, for n = LANES / 2, ... 2, 1. */
#if VECTOR_BYTES == 64
#define ROTATE_8(v)                                                                            \
    __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define ROTATE_4(v)                                                                            \
    __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define ROTATE_2(v)                                                                            \
    __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE_1(v)                                                                            \
    __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#elif VECTOR_BYTES == 32
#define ROTATE_8(v) (v)
#define ROTATE_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define ROTATE_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define ROTATE_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#else
#define ROTATE_8(v) (v)
#define ROTATE_4(v) (v)
#define ROTATE_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#define ROTATE_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#endif

/* The lanes' sum and largest, by halves. */
INLINE float vec_sum(vec v)
{
    if (LANES > 8)
        v += ROTATE_8(v);
    if (LANES > 4)
        v += ROTATE_4(v);
    v += ROTATE_2(v);
    v += ROTATE_1(v);
    return v[0];
}

INLINE float vec_largest(vec v)
{
    v = vec_max(v, ROTATE_8(v));
    v = vec_max(v, ROTATE_4(v));
    v = vec_max(v, ROTATE_2(v));
    v = vec_max(v, ROTATE_1(v));
    return v[0];
}

/*
 * atan2(y, x) for x >= 0, relative error below 4e-7; atan2(0, 0) = 0. The ratio of the
 * smaller to the larger lies in [0, 1], where an odd polynomial (SLEEF's) serves.
 */
INLINE float fast_atan2(float y, float x)
{
    float a = fabsf(y);
    float large = a > x ? a : x;
    float small = a > x ? x : a;
    float s = small / (large > 0.0f ? large : 1.0f);
    float t = s * s;
    float u = 0.00282363896258175373077393f;

    u = u * t + -0.0159569028764963150024414f;
    u = u * t + 0.0425049886107444763183594f;
    u = u * t + -0.0748900920152664184570312f;
    u = u * t + 0.106347933411598205566406f;
    u = u * t + -0.142027363181114196777344f;
    u = u * t + 0.199926957488059997558594f;
    u = u * t + -0.333331018686294555664062f;
    float angle = s + s * (t * u);
    angle = a > x ? 1.57079632679489662f - angle : angle;
    return copysignf(angle, y);
}

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

/* One vector of swiglu_backward: gate, up, dact in, their gradients and act out. */
INLINE void vec_swiglu_backward(vec *gate, vec *up, vec *dact)
{
    vec g = *gate, u = *up, d = *dact;
    vec s = vec_inverse(1.0f + vec_exp_minus(g, &EXP2));
    vec silu = g * s;

    *dact = silu * u;
    *up = d * silu;
    *gate = d * u * (s + silu * (1.0f - s)); /* silu' = s + g s (1 - s) */
}

/* gate and up come from far away, in rows long past: they are asked for so many rows before. */
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

INLINE uint32_t bf16_bits(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
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

static void sign_sgd(float *restrict p, const float *restrict g, float decay, float lr,
                     size_t n)
{
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float sign = g[i] > 0.0f ? 1.0f : (g[i] < 0.0f ? -1.0f : g[i]); /* NaN stays */

        p[i] = p[i] * decay - lr * sign;
    }
}

#include "kernels_tile.h"

#include "kernels_attention.h"

#if defined(__FMA__)
#include "kernels_gemm.h"
#endif
#if defined(__AVX512BF16__)
#include "kernels_gemm_bf16.h"

#include "kernels_attention_bf16.h"
#endif

const struct kernels PASTE(kernels, KERNEL_SUFFIX) = {
    .name = KERNEL_NAME(KERNEL_SUFFIX),
    .inject = inject,
    .add = add,
    .scale = scale_copy,
    .add_scaled = add_scaled,
    .add_position = add_position,
    .rmsnorm_forward = rmsnorm_forward,
    .rmsnorm_backward = rmsnorm_backward,
    .swiglu_forward = swiglu_forward,
    .swiglu_backward = swiglu_backward,
    .rope = rope,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
    .attention_forward_bf16 = attention_forward_bf16,
    .attention_backward_bf16 = attention_backward_bf16,
    .round_bf16 = round_bf16,
#if defined(__FMA__)
    .float32 = &PRODUCTS_FLOAT32,
#endif
#if defined(__AVX512BF16__)
    .bfloat16 = &PRODUCTS_BFLOAT16,
#endif
    .adam_atan2 = adam_atan2,
    .sign_sgd = sign_sgd,
};
