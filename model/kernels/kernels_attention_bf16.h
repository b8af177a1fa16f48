/*
 * kernels_attention_bf16.h - attention on bfloat16 operands, for CPUs with AVX512-BF16.
 *
 * As kernels_attention.h, on pairs of bfloat16 (kernels_tile_bf16.h). It rounds where
 * FlashAttention rounds: the operands of every GEMM (q, k, v, the probabilities, in the
 * backward pass also the gradients); scores, softmax and sums are float. Rows of pairs
 * are whole vectors. What is read past a row's end is multiplied with zeros: columns
 * past a head's size are masked, and an odd last position is paired with a row of
 * zeros. For other instruction sets this header is empty.
 */
#ifndef MODEL_KERNELS_ATTENTION_BF16_H
#define MODEL_KERNELS_ATTENTION_BF16_H

#if defined(__AVX512BF16__)

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "kernels_attention.h"
#include "kernels_tile_bf16.h"

/* Length in pairs of a row of n numbers, in whole vectors. */
INLINE ptrdiff_t pairs_width(ptrdiff_t n)
{
    return (n + 31) / 32 * 16;
}

/* As product(), over `depth` pairs: pair (m, k) of A is a[m * row + k * step]. */
static __attribute__((noinline)) void pair_product(float *c, ptrdiff_t ldc, bool accumulate,
                                                   const uint32_t *a, ptrdiff_t row,
                                                   ptrdiff_t step, int M, const uint32_t *b,
                                                   ptrdiff_t ldb, int N, int depth)
{
    for (int t = 0; t < tiles_of(M); t++) {
        int m = tile_start(M, t), rows = tile_start(M, t + 1) - m;
        const uint32_t *a_m = a + m * row;
        float *c_m = c + m * ldc;

        for (int n = 0; n < N; n += 2 * LANES)
            if (n + LANES < N)
                pair_any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, depth, accumulate, NULL,
                              rows, 2);
            else
                pair_any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, depth, accumulate, NULL,
                              rows, 1);
    }
}

/* The first `left` numbers at x, at most one vector; 0 in the other lanes. */
INLINE __m512 load_columns(const float *x, int left)
{
    int count = left < 0 ? 0 : left < LANES ? left : LANES;

    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), x);
}

/* 16 pairs: columns c .. c + 31 of a row of d. */
INLINE __m512i pairs_at(const float *x, int c, int d)
{
    return (__m512i)_mm512_cvtne2ps_pbh(load_columns(x + c + LANES, d - c - LANES),
                                        load_columns(x + c, d - c));
}

/* out (rows, pairs_width(d)): pairs of the rows of x (rows, d), zeros past d. */
static void pair_rows(uint32_t *out, const float *x, ptrdiff_t ld, int rows, int d)
{
    ptrdiff_t width = pairs_width(d);

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < d; c += 2 * LANES)
            _mm512_storeu_si512(out + r * width + c / 2, pairs_at(x + r * ld, c, d));
}

/* out (pairs of d, padded): the pairs of the rows of x (S, d), transposed; 0 past S. */
static void pair_transpose(uint32_t *out, const float *x, ptrdiff_t ld, int S, int d)
{
    ptrdiff_t padded = padded_positions(S);
    int pairs = (d + 1) / 2;

    for (int s = 0; s < padded; s += LANES)
        for (int p = 0; p < pairs; p += LANES) {
            vec row[LANES];

            for (int i = 0; i < LANES; i++) {
                row[i] = (vec){ 0 };
                if (s + i < S)
                    row[i] = (vec)pairs_at(x + (s + i) * ld, 2 * p, d);
            }
            transpose_square(row);
            for (int i = 0; i < LANES && p + i < pairs; i++)
                _mm512_storeu_si512(out + (p + i) * padded + s, (__m512i)row[i]);
        }
}

/* out (pairs of rows, width): the pairs of the columns of x (rows, width), whole
 * vectors. */
static void pair_columns(uint32_t *out, const float *x, ptrdiff_t ld, int rows, ptrdiff_t width)
{
    for (int r = 0; r < rows; r += 2)
        pairs_of_rows(out + r / 2 * width, x + r * ld, ld, r + 1 < rows, (int)width);
}

/* The scratch of the forward pass: offsets of its arrays, in floats or pairs (both have
 * 4 bytes). */
struct pair_forward_layout {
    ptrdiff_t padded, width;     /* floats of a row of scores, of a row of a head */
    ptrdiff_t half, half_padded; /* pairs of a row of d numbers, of a row of scores */
    /* (TILE_ROWS, padded) floats and one more vector, because pairs are read past the
     * end */
    ptrdiff_t scores;
    ptrdiff_t mixed;   /* (TILE_ROWS, width) floats */
    ptrdiff_t keys;    /* (d / 2, padded) pairs */
    ptrdiff_t values;  /* (S / 2, width) pairs */
    ptrdiff_t query;   /* (TILE_ROWS, half) pairs */
    ptrdiff_t weights; /* (TILE_ROWS, half_padded) pairs of probabilities */
    ptrdiff_t size;
};

INLINE struct pair_forward_layout pair_forward_layout(int S, int d)
{
    struct pair_forward_layout l = { .padded = padded_positions(S), .width = packed_width(d) };

    l.half = pairs_width(d);
    l.half_padded = pairs_width(l.padded);
    l.scores = lay_out(&l.size, TILE_ROWS * l.padded + LANES);
    l.mixed = lay_out(&l.size, TILE_ROWS * l.width);
    l.keys = lay_out(&l.size, (d + 1) / 2 * l.padded);
    l.values = lay_out(&l.size, (S + 1) / 2 * l.width);
    l.query = lay_out(&l.size, TILE_ROWS * l.half);
    l.weights = lay_out(&l.size, TILE_ROWS * l.half_padded);
    return l;
}

static void attention_forward_bf16(float *out, ptrdiff_t ld_out, float *keep,
                                   const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size, queries = view->queries;
    const struct pair_forward_layout l = pair_forward_layout(S, d);
    ptrdiff_t padded = l.padded, width = l.width;
    ptrdiff_t half = l.half, half_padded = l.half_padded;
    float *scores = scratch + l.scores, *mixed = scratch + l.mixed;
    uint32_t *pairs = (void *)scratch; /* the same memory */
    uint32_t *keys = pairs + l.keys, *values = pairs + l.values;
    uint32_t *query = pairs + l.query, *weights = pairs + l.weights;
    float scale = LOG2_E / sqrtf((float)d);

    assert_view(view, ld_out, scratch);
    pair_transpose(keys, view->k, view->ld, S, d);
    pair_columns(values, view->v, view->ld, S, width);
    for (int t = 0; t < tiles_of(queries); t++) {
        int i = tile_start(queries, t), rows = tile_start(queries, t + 1) - i;
        float largest[TILE_ROWS], sum[TILE_ROWS];

        pair_rows(query, view->q + i * view->ld, view->ld, rows, d);
        pair_product(scores, padded, false, query, half, 1, rows, keys, padded, (int)padded,
                     (d + 1) / 2);
        softmax_rows(scores, largest, sum, S, padded, scale, rows);
        for (int r = 0; r < rows; r++)
            pairs_of_row(weights + r * half_padded, scores + r * padded, (int)half_padded);
        pair_product(mixed, width, false, weights, half_padded, 1, rows, values, width, d,
                     (S + 1) / 2);
        finish_rows(out + i * ld_out, ld_out, keep != NULL ? keep + i : NULL, mixed, width,
                    largest, sum, S, d, rows);
    }
}

/* The scratch of the backward pass, in the same units. */
struct pair_backward_layout {
    ptrdiff_t padded, width, half, half_padded; /* as forwards */
    ptrdiff_t p;                                /* (block, padded) floats */
    /* (block, padded) floats and one more vector, because pairs are read past the
     * end */
    ptrdiff_t ds;
    ptrdiff_t dq, dk, dv;  /* (S, width) floats each */
    ptrdiff_t keys;        /* (d / 2, padded) pairs */
    ptrdiff_t values;      /* (d / 2, padded) pairs */
    ptrdiff_t key_columns; /* (S / 2, width) pairs */
    ptrdiff_t tile_rows;   /* (TILE_ROWS, half) pairs */
    ptrdiff_t tile_ds;     /* (TILE_ROWS, half_padded) pairs */
    ptrdiff_t columns;     /* (block / 2, padded) pairs */
    ptrdiff_t other;       /* (block / 2, width) pairs */
    ptrdiff_t size;
};

INLINE struct pair_backward_layout pair_backward_layout(int S, int d)
{
    struct pair_backward_layout l = { .padded = padded_positions(S), .width = packed_width(d) };
    int block = query_block(S), pairs = (d + 1) / 2;

    l.half = pairs_width(d);
    l.half_padded = pairs_width(l.padded);
    l.p = lay_out(&l.size, block * l.padded);
    l.ds = lay_out(&l.size, block * l.padded + LANES);
    l.dq = lay_out(&l.size, S * l.width);
    l.dk = lay_out(&l.size, S * l.width);
    l.dv = lay_out(&l.size, S * l.width);
    l.keys = lay_out(&l.size, pairs * l.padded);
    l.values = lay_out(&l.size, pairs * l.padded);
    l.key_columns = lay_out(&l.size, (S + 1) / 2 * l.width);
    l.tile_rows = lay_out(&l.size, TILE_ROWS * l.half);
    l.tile_ds = lay_out(&l.size, TILE_ROWS * l.half_padded);
    l.columns = lay_out(&l.size, (block + 1) / 2 * l.padded);
    l.other = lay_out(&l.size, (block + 1) / 2 * l.width);
    return l;
}

static size_t attention_scratch(int positions, int head_size)
{
    const ptrdiff_t sizes[] = { forward_layout(positions, head_size).size,
                                backward_layout(positions, head_size).size,
                                pair_forward_layout(positions, head_size).size,
                                pair_backward_layout(positions, head_size).size };
    ptrdiff_t most = 0;

    assert(positions > 0 && head_size > 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        most = sizes[i] > most ? sizes[i] : most;
    return (size_t)most + KERNEL_SLACK;
}

static void attention_backward_bf16(float *dq, float *dk, float *dv, const float *out,
                                    const float *dout, ptrdiff_t ld_out, const float *keep,
                                    const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size, pairs = (d + 1) / 2, block = query_block(S);
    const struct pair_backward_layout l = pair_backward_layout(S, d);
    ptrdiff_t padded = l.padded, width = l.width, ld = view->ld;
    ptrdiff_t half = l.half, half_padded = l.half_padded;
    float scale = 1.0f / sqrtf((float)d);
    float *p = scratch + l.p, *ds = scratch + l.ds;
    float *dq_s = scratch + l.dq, *dk_s = scratch + l.dk, *dv_s = scratch + l.dv;
    uint32_t *memory = (void *)scratch; /* the same memory */
    uint32_t *keys = memory + l.keys, *values = memory + l.values;
    uint32_t *key_columns = memory + l.key_columns, *tile_rows = memory + l.tile_rows;
    uint32_t *tile_ds = memory + l.tile_ds, *columns = memory + l.columns;
    uint32_t *other = memory + l.other;

    assert_view(view, ld_out, scratch);
    assert(view->queries == S && keep != NULL);
    pair_transpose(keys, view->k, ld, S, d);
    pair_transpose(values, view->v, ld, S, d);
    pair_columns(key_columns, view->k, ld, S, width);
    for (int first = 0; first < S; first += block) {
        int rows = S - first < block ? S - first : block;
        const float *q_i = view->q + first * ld;
        const float *dout_i = dout + first * ld_out;

        for (int t = 0; t < tiles_of(rows); t++) {
            int i = tile_start(rows, t), tile_count = tile_start(rows, t + 1) - i;

            pair_rows(tile_rows, q_i + i * ld, ld, tile_count, d);
            pair_product(p + i * padded, padded, false, tile_rows, half, 1, tile_count, keys,
                         padded, (int)padded, pairs);
            pair_rows(tile_rows, dout_i + i * ld_out, ld_out, tile_count, d);
            pair_product(ds + i * padded, padded, false, tile_rows, half, 1, tile_count, values,
                         padded, (int)padded, pairs);
            for (int r = i; r < i + tile_count; r++) {
                softmax_backward_row(p + r * padded, ds + r * padded,
                                     out + (first + r) * ld_out, dout_i + r * ld_out,
                                     LOG2_E * scale, keep[first + r], keep[S + first + r],
                                     scale, padded, d);
                if (S < padded) /* partner of the last position where S is odd */
                    ds[r * padded + S] = 0.0f;
                pairs_of_row(tile_ds + (r - i) * half_padded, ds + r * padded,
                             (int)half_padded);
            }
            pair_product(dq_s + (first + i) * width, width, false, tile_ds, half_padded, 1,
                         tile_count, key_columns, width, d, (S + 1) / 2);
        }
        pair_columns(columns, p, padded, rows, padded);
        pair_columns(other, dout_i, ld_out, rows, width);
        pair_product(dv_s, width, first > 0, columns, 1, padded, S, other, width, d,
                     (rows + 1) / 2);
        pair_columns(columns, ds, padded, rows, padded);
        pair_columns(other, q_i, ld, rows, width);
        pair_product(dk_s, width, first > 0, columns, 1, padded, S, other, width, d,
                     (rows + 1) / 2);
    }
    copy_rows(dq, ld, dq_s, width, S, d);
    copy_rows(dk, ld, dk_s, width, S, d);
    copy_rows(dv, ld, dv_s, width, S, d);
}

#endif

#endif
