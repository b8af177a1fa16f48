/*
 * kernels_vector.h - a vector register as a C type, and the arithmetic on it that
 * kernels share.
 *
 * One source serves every instruction set: a vector has LANES floats, 16 with AVX-512,
 * 8 with AVX, else 4. The type is GCC's vector extension, so that +, * and comparisons
 * act on all lanes at once. Intrinsics are used only where the compiler would not find
 * the instruction by itself.
 */
#ifndef MODEL_KERNELS_VECTOR_H
#define MODEL_KERNELS_VECTOR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__clang__) /* clang warns where it does not vectorise a reduction */
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

#define INLINE static inline __attribute__((always_inline))

/* The lanes of a and b by their numbers, those of b after those of a. GCC has clang's
 * builtin from version 12 on. */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (ivec){ __VA_ARGS__ })
#endif

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

/* a > b ? a : b and a < b ? a : b in each lane (so b where either is NaN), one
 * instruction each. */
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

/* v in the first count lanes (count <= 0: in none), the value `otherwise` in the
 * others. */
INLINE vec vec_first(vec v, ptrdiff_t count, float otherwise)
{
    static const int32_t order[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    const vec zero = { 0 };
    ivec lane = *(const ivec *)order;

    return vec_select(lane < (int32_t)count, v, zero + otherwise);
}

/* Loads count floats into the first lanes, 0 into the others; stores the first count
 * lanes. */
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

/* Constants of exp(): p approximates 2^f by p[0] + p[1] f + ... + p[5] f^5 (minimax on
 * [-1/2, 1/2]). */
struct exp2_constants {
    float p[6];
    float minus_log2_e, least, most /* bounds of x in exp(-x) */, one;
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
 * 2^(factor * x) = 2^n 2^f, where n is the integer nearest to factor * x and f in
 * [-1/2, 1/2] the difference, of which the polynomial is taken. Adding `magic` rounds
 * to n and leaves it in the low bits (AVX-512 has an instruction for that, and one for
 * p 2^n). The relative error is below 2.1e-7, and where factor is not 1 below that +
 * 6e-8 |x|, since factor * x is rounded (less where the compiler fuses it). The result
 * must be a normal number; NaN stays NaN. c is EXP2, passed so that a caller can hide
 * its address from the compiler (pending_swiglu_row()).
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

/* 1 / x for x in [2^-126, 2^126). With AVX-512 an estimate of 14 bits and one Newton
 * step: wrong by at most two units in the last place, and much faster than a
 * division. */
INLINE vec vec_inverse(vec x)
{
#if defined(__AVX512F__)
    vec estimate = (vec)_mm512_rcp14_ps((__m512)x);

    return estimate * (2.0f - x * estimate);
#else
    return 1.0f / x;
#endif
}

/* exp(-x), x clamped so that the result is a normal number. c: EXP2, as above. */
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

/* ROTATE_n: lane i of the result is lane i + n of v, modulo 2n, for n = LANES / 2, ...
 * 2, 1. Where a vector has fewer than 2n lanes it is v. */
#if VECTOR_BYTES == 64
#define ROTATE_8(v) SHUFFLE(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define ROTATE_4(v) SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define ROTATE_2(v) SHUFFLE(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE_1(v) SHUFFLE(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#elif VECTOR_BYTES == 32
#define ROTATE_8(v) (v)
#define ROTATE_4(v) SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define ROTATE_2(v) SHUFFLE(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define ROTATE_1(v) SHUFFLE(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#else
#define ROTATE_8(v) (v)
#define ROTATE_4(v) (v)
#define ROTATE_2(v) SHUFFLE(v, v, 2, 3, 0, 1)
#define ROTATE_1(v) SHUFFLE(v, v, 1, 0, 3, 2)
#endif

/* Sum and maximum of the lanes: each step combines every lane with the one n further, n
 * = LANES / 2, ... 2, 1. */
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
 * smaller to the larger of |y| and x lies in [0, 1], where SLEEF's odd polynomial
 * approximates atan.
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

/* The nearest bfloat16 to x, ties to even, as the bits of a float whose lower half is
 * 0. NaN may become an infinity. */
INLINE uint32_t bf16_bits(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
}

#endif
