/*
 * kernels_tile_bf16.h - the micro-kernel of GEMM and attention in bfloat16, for
 * AVX512-BF16.
 *
 * As kernels_tile.h, but the unit is a pair: the two bfloat16 of consecutive k in 32
 * bits, the first in the lower half. One instruction adds a_k b_k + a_(k+1) b_(k+1) to
 * each of 16 float sums:
 *
 *     numbers  x_0 x_1 x_2 x_3     pairs of a row    (x_0 x_1) (x_2 x_3) ...
 *     rows     x_0 x_1 x_2         pairs of columns  (x_0 y_0) (x_1 y_1) (x_2 y_2) ...
 *              y_0 y_1 y_2
 *
 * The left operand holds pairs of rows; single pairs of it are broadcast. The right
 * operand holds pairs of columns, 16 per vector. For other instruction sets this header
 * is empty.
 */
#ifndef MODEL_KERNELS_TILE_BF16_H
#define MODEL_KERNELS_TILE_BF16_H

#if defined(__AVX512BF16__)

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels_tile.h"

/* Pairs between two portions of other work: of a pending SwiGLU, or without one. */
enum { PAIR_SWIGLU_STEPS = 8, PAIR_FETCH_STEPS = 32 };

/* sum += A B over `depth` pairs, for `rows` rows of A and `vectors` vectors of B, both
 * constants at every call. Pair (i, k) of A is a[i * row + k * step]; rows of pairs of
 * B are ldb apart. Meanwhile, as in tile_sums(), `ahead` is prefetched and a pending
 * SwiGLU computed; NULL: none. */
INLINE void pair_sums(__m512 sum[TILE_ROWS][TILE_VECTORS], const uint32_t *a, ptrdiff_t row,
                      ptrdiff_t step, const uint32_t *b, ptrdiff_t ldb, int depth,
                      const struct ahead *ahead, const struct pending_swiglu *pending, int rows,
                      int vectors)
{
    int steps = pending != NULL ? PAIR_SWIGLU_STEPS : PAIR_FETCH_STEPS;
    int done = 0, lines = ahead != NULL ? ahead->lines : 0;
    const char *next = ahead != NULL ? ahead->next : NULL;

    for (int k = 0, part; k < depth; k += part) {
        const uint32_t *of_a[A_POINTERS];

        part = depth - k;
        if (((pending != NULL && done < pending->rows) || lines > 0) && part > steps)
            part = steps;
        for (int i = 0; i < lines; i++, next += LINE)
            __builtin_prefetch(next, 0, 2);
        if (k > 0)
            done = pending_swiglu_rows(pending, done, done + SWIGLU_ROWS);
        for (int p = 0; p * A_ROWS < rows; p++) {
            of_a[p] = a + p * A_ROWS * row;
            __asm__ volatile("" : "+r"(of_a[p]));
        }
        a += part * step;
        for (const uint32_t *end = b + part * ldb; b != end; b += ldb) {
            __m512bh of_b[TILE_VECTORS];

            for (int v = 0; v < vectors; v++)
                of_b[v] = (__m512bh)_mm512_loadu_si512(b + v * LANES);
#pragma GCC unroll 14
            for (int i = 0; i < rows; i++) {
                __m512bh pair =
                    (__m512bh)_mm512_set1_epi32((int)of_a[i / A_ROWS][i % A_ROWS * row]);
                for (int v = 0; v < vectors; v++)
                    sum[i][v] = _mm512_dpbf16_ps(sum[i][v], pair, of_b[v]);
            }
            for (int p = 0; p * A_ROWS < rows; p++)
                of_a[p] += step;
        }
    }
    pending_swiglu_rows(pending, done, TILE_ROWS);
}

/* C = A B, or += A B, for one tile: rows of C are ldc apart; the other arguments as
 * above. */
INLINE void pair_tile(float *c, ptrdiff_t ldc, const uint32_t *a, ptrdiff_t row, ptrdiff_t step,
                      const uint32_t *b, ptrdiff_t ldb, int depth, bool accumulate,
                      const struct ahead *ahead, int rows, int vectors)
{
    __m512 sum[TILE_ROWS][TILE_VECTORS];

#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] =
                accumulate ? _mm512_loadu_ps(c + i * ldc + v * LANES) : _mm512_setzero_ps();
    pair_sums(sum, a, row, step, b, ldb, depth, ahead, NULL, rows, vectors);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            _mm512_storeu_ps(c + i * ldc + v * LANES, sum[i][v]);
}

/* The same for a number of rows, 1 to TILE_ROWS, that is not a constant. */
INLINE void pair_any_tile(float *c, ptrdiff_t ldc, const uint32_t *a, ptrdiff_t row,
                          ptrdiff_t step, const uint32_t *b, ptrdiff_t ldb, int depth,
                          bool accumulate, const struct ahead *ahead, int rows, int vectors)
{
#define TILE_OF(n)                                                                             \
    case n:                                                                                    \
        pair_tile(c, ldc, a, row, step, b, ldb, depth, accumulate, ahead, n, vectors);         \
        break
    switch (rows) {
        TILE_OF(1);
        TILE_OF(2);
        TILE_OF(3);
        TILE_OF(4);
        TILE_OF(5);
        TILE_OF(6);
        TILE_OF(7);
        TILE_OF(8);
        TILE_OF(9);
        TILE_OF(10);
        TILE_OF(11);
        TILE_OF(12);
        TILE_OF(13);
        TILE_OF(14);
    }
#undef TILE_OF
}

/* Rounds 2 * depth numbers that are side by side to depth pairs; depth is a multiple of
 * LANES. */
INLINE void pairs_of_row(uint32_t *pairs, const float *x, int depth)
{
    for (int k = 0; k < depth; k += LANES)
        _mm512_storeu_si512(pairs + k,
                            (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 2 * k + LANES),
                                                         _mm512_loadu_ps(x + 2 * k)));
}

/* The pairs (x_c, y_c) of 16 columns of two rows, rounded. */
INLINE void pairs_of_columns(uint32_t *pairs, __m512 x, __m512 y)
{
    static const uint16_t ORDER[2 * LANES] = { 0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                               21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                               11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
    __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(y, x);

    _mm512_storeu_si512(pairs, _mm512_permutexvar_epi16(_mm512_loadu_si512(ORDER), halves));
}

/* The same for `width` columns (a multiple of LANES) of row x and of the row after it,
 * at x + ldx. second: whether there is a row after it; if not, zeros take its place. */
INLINE void pairs_of_rows(uint32_t *pairs, const float *x, ptrdiff_t ldx, bool second,
                          int width)
{
    for (int v = 0; v < width; v += LANES)
        pairs_of_columns(pairs + v, _mm512_loadu_ps(x + v),
                         second ? _mm512_loadu_ps(x + ldx + v) : _mm512_setzero_ps());
}

#endif

#endif
