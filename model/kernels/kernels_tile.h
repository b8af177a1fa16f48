/*
 * kernels_tile.h - the micro-kernel of all float GEMM kernels and of attention: one
 * tile of C = A B.
 *
 * A tile of C stays in registers while the sums over k run: up to TILE_ROWS rows by
 * TILE_VECTORS vectors.
 *
 *                 B: rows k = 0 .. depth - 1
 *                +------+------+
 *            k   | b[0] | b[1] |   two vectors of row k
 *                +------+------+
 *        k          |      |
 *      +---+     +--v---+--v---+
 *      | a |---->| sum  | sum  |   row 0:  sum += a * b
 *      | a |---->| sum  | sum  |   row 1
 *      | . |     |  .   |  .   |   ...
 *      +---+     +------+------+
 *        A              C
 *
 * Each step k loads one row of B, broadcasts one number of each row of A and adds the
 * products to all sums. It reads TILE_ROWS + 2 LANES numbers for TILE_ROWS * 2 LANES
 * multiplications. With AVX-512 these are 14 x 32 sums in 28 registers, two registers
 * for b and one for a.
 *
 * Sums run over k in order, so a result does not depend on how rows or columns are
 * divided into tiles. A has arbitrary strides: element (i, k) is a[i * row + k * step];
 * a transposed A needs no copy.
 */
#ifndef MODEL_KERNELS_TILE_H
#define MODEL_KERNELS_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels_vector.h"

#if VECTOR_BYTES == 64
enum { TILE_ROWS = 14 }; /* 28 sums, two vectors of B, one of A: 31 of 32 registers */
#else
enum { TILE_ROWS = 6 }; /* 12 sums, two vectors of B, one of A: 15 of 16 */
#endif
enum { TILE_VECTORS = 2 };

/*
 * While the sums run, a tile prefetches its destination: FETCH_ROWS rows every
 * FETCH_STEPS steps of k, because more at once would delay the loads of A and B. A tile
 * that also finishes the SwiGLU of the tile before (struct pending_swiglu) does both in
 * smaller portions: SWIGLU_ROWS rows every SWIGLU_STEPS steps. Its share of what comes
 * next (struct ahead) it prefetches in the same portions.
 */
enum { FETCH_ROWS = 4, FETCH_STEPS = 32, SWIGLU_ROWS = 2, SWIGLU_STEPS = 16 };

/* What a later tile reads from memory and this one prefetches to the second cache:
 * `lines` cache lines with every portion, from `next` on. */
struct ahead {
    const char *next;
    int lines;
};
/* Bytes of a cache line, and floats. */
enum { LINE = 64, LINE_FLOATS = LINE / sizeof(float) };

/* One pointer serves A_ROWS rows of A. With a single pointer the compiler would need
 * the distance of each of the 14 rows from it in a register, and there are only 16 for
 * addresses. */
enum { A_ROWS = 5, A_POINTERS = (TILE_ROWS + A_ROWS - 1) / A_ROWS };

/* Where the results of a tile are stored: vector v of row i at at + i * ld + v *
 * next. */
struct destination {
    float *at;
    ptrdiff_t ld, next;
};

/*
 * SwiGLU of a tile whose sums are stored but not yet turned into act = silu(gate) * up.
 *
 * exp() and the division of SwiGLU have long latencies but use few instructions, and
 * the sums of a tile keep the multiply-add units busy. Done one after the other, each
 * leaves the other's units idle; so the SwiGLU of tile n is computed while the sums of
 * tile n + 1 run:
 *
 *     time --->
 *     tile n      [sums over k][store]
 *     tile n + 1                      [sums over k][store]
 *       SwiGLU of n                    2.2.2.2.2.2          two rows every 16 steps
 *     tile n + 2                                          [sums over k][store]
 *       SwiGLU of n + 1                                    2.2.2.2.2.2
 *
 * After the last tile its SwiGLU is computed by itself. Rows of sums: gate and up are
 * the two vectors of a row.
 */
struct pending_swiglu {
    float *act;
    ptrdiff_t ld_act;
    struct destination sums;
    int rows; /* 0: nothing is pending */
};

/*
 * SwiGLU of one pending row. The sums of the running tile fill all vector registers but
 * four. If the compiler kept the constants of exp() in registers across the loop, it
 * would have to store and reload a sum in every step. The empty asm statement makes it
 * believe that the constants' address may have changed, so that it loads them from
 * memory (the first cache) at each use.
 */
INLINE void pending_swiglu_row(const struct pending_swiglu *pending, int i)
{
    const float *gate = pending->sums.at + i * pending->sums.ld;
    const struct exp2_constants *c = &EXP2;

    __asm__ volatile("" : "+r"(c));
    vec below = c->one + vec_exp_minus(vec_load(gate), c);
    vec_store(pending->act + i * pending->ld_act,
              vec_load(gate) * vec_load(gate + pending->sums.next) / below);
}

/* SwiGLU of the pending rows done .. end - 1, or up to the last. Returns the number of
 * rows done since the first. pending may be NULL. */
INLINE int pending_swiglu_rows(const struct pending_swiglu *pending, int done, int end)
{
    for (; pending != NULL && done < end && done < pending->rows; done++)
        pending_swiglu_row(pending, done);
    return done;
}

/*
 * sum = A B for `rows` rows of A and `vectors` vectors of B; rows of B are ldb apart.
 * rows and vectors are constants at every call, so that sum[][] is registers.
 *
 * The loop over k is cut into parts; before each part a portion of the other work is
 * done. ahead: prefetch it and the destination to (and up to three rows behind its
 * last, which does no harm), or NULL. pending: finish that SwiGLU, or NULL. It starts
 * with the second part: by then the stores that it reads have completed.
 */
INLINE void tile_sums(vec sum[TILE_ROWS][TILE_VECTORS], const float *a, ptrdiff_t row,
                      ptrdiff_t step, const float *b, ptrdiff_t ldb, int depth,
                      struct destination to, const struct ahead *ahead,
                      const struct pending_swiglu *pending, int rows, int vectors)
{
    int portion = pending != NULL ? SWIGLU_ROWS : FETCH_ROWS;
    int steps = pending != NULL ? SWIGLU_STEPS : FETCH_STEPS;
    int last = pending != NULL ? rows + portion : rows;
    int done = 0, lines = ahead != NULL ? ahead->lines : 0;
    const char *next = ahead != NULL ? ahead->next : NULL;

#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (vec){ 0 };
    for (int k = 0, asked = 0, part; k < depth; k += part, asked += portion) {
        part = ahead != NULL && (asked < last || lines > 0) && depth - k > steps ? steps
                                                                                 : depth - k;
        for (int i = 0; i < lines; i++, next += LINE)
            __builtin_prefetch(next, 0, 2);
        if (ahead != NULL && asked < last)
            for (int i = 0; i < portion; i++)
                for (int v = 0; v < vectors; v++)
                    __builtin_prefetch(to.at + (asked + i) * to.ld + v * to.next, 1);
        if (k > 0)
            done = pending_swiglu_rows(pending, done, done + portion);
        const float *of_a[A_POINTERS];

        for (int p = 0; p * A_ROWS < rows; p++) {
            of_a[p] = a + p * A_ROWS * row;
            __asm__ volatile("" : "+r"(of_a[p])); /* each in a register of its own */
        }
        a += part * step;
        for (const float *end = b + part * ldb; b != end; b += ldb) {
            vec of_b[TILE_VECTORS];

            for (int v = 0; v < vectors; v++)
                of_b[v] = vec_load(b + v * LANES);
#pragma GCC unroll 14
            for (int i = 0; i < rows; i++)
                for (int v = 0; v < vectors; v++)
                    sum[i][v] += of_a[i / A_ROWS][i % A_ROWS * row] * of_b[v];
            for (int p = 0; p * A_ROWS < rows; p++)
                of_a[p] += step;
        }
    }
    pending_swiglu_rows(pending, done, TILE_ROWS);
}

/* C = A B, or += A B, for one tile: rows of C are ldc apart and hold whole vectors.
 * ahead, rows and vectors as above. */
INLINE void tile(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, ptrdiff_t step,
                 const float *b, ptrdiff_t ldb, int depth, bool accumulate,
                 const struct ahead *ahead, int rows, int vectors)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, row, step, b, ldb, depth,
              (struct destination){ .at = c, .ld = ldc, .next = LANES }, ahead, NULL, rows,
              vectors);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) {
            float *to = c + i * ldc + v * LANES;

            if (accumulate)
                sum[i][v] += vec_load(to);
            vec_store(to, sum[i][v]);
        }
}

/* The same for 1 to TILE_ROWS rows when the number is not a constant. There is one copy
 * of the micro-kernel for each number, so that a remainder of rows runs at full speed,
 * too. */
INLINE void any_tile(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, ptrdiff_t step,
                     const float *b, ptrdiff_t ldb, int depth, bool accumulate,
                     const struct ahead *ahead, int rows, int vectors)
{
#define TILE_OF(n)                                                                             \
    case n:                                                                                    \
        tile(c, ldc, a, row, step, b, ldb, depth, accumulate, ahead, n, vectors);              \
        break
    switch (rows) {
        TILE_OF(1);
        TILE_OF(2);
        TILE_OF(3);
        TILE_OF(4);
        TILE_OF(5);
        TILE_OF(6);
#if VECTOR_BYTES == 64
        TILE_OF(7);
        TILE_OF(8);
        TILE_OF(9);
        TILE_OF(10);
        TILE_OF(11);
        TILE_OF(12);
        TILE_OF(13);
        TILE_OF(14);
#endif
    }
#undef TILE_OF
}

/* Into how many tiles `count` rows are divided. */
INLINE int tiles_of(int count)
{
    return (count + TILE_ROWS - 1) / TILE_ROWS;
}

/* The first row of tile t, 0 to tiles_of(count). Tiles differ by one row at most. */
INLINE int tile_start(int count, int t)
{
    return count / tiles_of(count) * t +
           (t < count % tiles_of(count) ? t : count % tiles_of(count));
}

#endif
