/*
 * kernels_attention.h - fused attention of one head of one batch row.
 *
 * The matrix of scores is never stored as a whole. One tile of query rows at a time is
 * multiplied with all keys, the softmax turns the tile's scores into probabilities, and
 * these are multiplied with the values; so the scores stay in the first cache. All
 * GEMMs here are made of tiles (kernels_tile.h). The left operand of a tile has
 * arbitrary strides, so it needs no copy where it is transposed. Keys (and in the
 * backward pass values) are transposed into the scratch once per head.
 */
#ifndef MODEL_KERNELS_ATTENTION_H
#define MODEL_KERNELS_ATTENTION_H

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels.h"
#include "kernels_elementwise.h"
#include "kernels_tile.h"

/* Floats of a padded row of scores: whole vectors of any set, and not a multiple of 4
 * KiB, because rows that far apart would compete for the same cache lines. */
INLINE ptrdiff_t padded_positions(int positions)
{
    ptrdiff_t padded = (positions + 15) / 16 * 16;

    return padded % 1024 == 0 ? padded + 16 : padded;
}

/* Floats of a packed row of a head: whole vectors of any set. */
INLINE ptrdiff_t packed_width(int head_size)
{
    return (head_size + 15) / 16 * 16;
}

/* Appends an array of `floats` floats to a scratch of *size floats. Returns the array's
 * offset. */
INLINE ptrdiff_t lay_out(ptrdiff_t *size, ptrdiff_t floats)
{
    ptrdiff_t at = *size;

    *size += floats;
    return at;
}

/* Preconditions of every attention kernel. */
INLINE void assert_view(const struct attention_view *view, ptrdiff_t ld_out,
                        const float *scratch)
{
    assert(view->positions > 0 && view->head_size > 0 && scratch != NULL);
    assert(view->queries > 0 && view->queries <= view->positions);
    assert(view->ld >= view->head_size && ld_out >= view->head_size);
    (void)view, (void)ld_out, (void)scratch; /* with NDEBUG */
}

/* C (M, N) = A B, or C += A B. Element (m, k) of A is a[m * row + k * step]; B is (K,
 * N). Rows of C are ldc apart, those of B ldb; both hold whole vectors, which are read
 * and written. */
static __attribute__((noinline)) void product(float *c, ptrdiff_t ldc, bool accumulate,
                                              const float *a, ptrdiff_t row, ptrdiff_t step,
                                              int M, const float *b, ptrdiff_t ldb, int N,
                                              int K)
{
    for (int t = 0; t < tiles_of(M); t++) {
        int m = tile_start(M, t), rows = tile_start(M, t + 1) - m;
        const float *a_m = a + m * row;
        float *c_m = c + m * ldc;

        for (int n = 0; n < N; n += TILE_VECTORS * LANES)
            if (n + LANES < N)
                any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, K, accumulate, NULL, rows,
                         TILE_VECTORS);
            else
                any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, K, accumulate, NULL, rows,
                         1);
    }
}

/* A square of LANES x LANES numbers is transposed in steps: rows 8 apart exchange
 * halves of 8 lanes (where a vector has 16), then rows 4, 2 and 1 apart exchange halves
 * of 4, 2 and 1 lanes. */
#define EXCHANGE(a, b, low, high)                                                              \
    do {                                                                                       \
        vec first_ = (a), second_ = (b);                                                       \
        (a) = SHUFFLE(first_, second_, low);                                                   \
        (b) = SHUFFLE(first_, second_, high);                                                  \
    } while (0)
#if VECTOR_BYTES == 64
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#elif VECTOR_BYTES == 32
#define LOW_4 0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_4 4, 5, 6, 7, 12, 13, 14, 15
#define LOW_2 0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_1 0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_1 1, 9, 3, 11, 5, 13, 7, 15
#else
#define LOW_2 0, 1, 4, 5
#define HIGH_2 2, 3, 6, 7
#define LOW_1 0, 4, 2, 6
#define HIGH_1 1, 5, 3, 7
#endif

INLINE void transpose_square(vec row[LANES])
{
#if VECTOR_BYTES == 64
    for (int i = 0; i < LANES; i++)
        if ((i & 8) == 0)
            EXCHANGE(row[i], row[i + 8], LOW_8, HIGH_8);
#endif
#if VECTOR_BYTES >= 32
    for (int i = 0; i < LANES; i++)
        if ((i & 4) == 0)
            EXCHANGE(row[i], row[i + 4], LOW_4, HIGH_4);
#endif
    for (int i = 0; i < LANES; i++)
        if ((i & 2) == 0)
            EXCHANGE(row[i], row[i + 2], LOW_2, HIGH_2);
    for (int i = 0; i < LANES; i++)
        if ((i & 1) == 0)
            EXCHANGE(row[i], row[i + 1], LOW_1, HIGH_1);
}

/* Transposes rows s .. s + LANES - 1 and as many columns of x from c on. Zeros take the
 * place of rows past S; columns past d are read (KERNEL_SLACK) and not stored. */
INLINE void transpose_part(float *out, ptrdiff_t padded, const float *x, ptrdiff_t ld,
                           float scale, int s, int S, int c, int d)
{
    vec row[LANES];

    for (int i = 0; i < LANES; i++) {
        row[i] = (vec){ 0 };
        if (s + i < S)
            row[i] = scale * vec_load(x + (s + i) * ld + c);
    }
    transpose_square(row);
    for (int i = 0; i < LANES; i++)
        if (c + i < d)
            vec_store(out + (c + i) * padded + s, row[i]);
}

/* out (d x padded) = scale * x^T for x (S x d, rows ld apart); columns past S become
 * 0. */
static void transpose(float *out, const float *x, ptrdiff_t ld, float scale, int S, int d)
{
    ptrdiff_t padded = padded_positions(S);

    for (int s = 0; s < padded; s += LANES)
        for (int c = 0; c < d; c += LANES)
            transpose_part(out, padded, x, ld, scale, s, S, c, d);
}

/* 2^max(x, -126): the bound keeps the result a normal number. */
INLINE vec vec_probability(vec x)
{
    const vec zero = { 0 };

    return vec_exp2(vec_max(zero - 126.0f, x), 1.0f, &EXP2);
}

/* Rows whose softmax is computed side by side, so that the latency of one row's
 * operations is hidden behind the others'. */
enum { SOFTMAX_ROWS = TILE_ROWS < 7 ? TILE_ROWS : 7 };

/*
 * In place: rows of scores, padded floats each, become 2^(scale * (score - largest of
 * the row)). Columns past S may hold anything on entry and become 2^-126, too small to
 * change a sum. sum gets each row's sum, largest its largest score times scale. rows is
 * a constant at every call.
 */
INLINE void softmax_side_by_side(float *score, float *largest, float *sum, int S,
                                 ptrdiff_t padded, float scale, int rows)
{
    vec most[SOFTMAX_ROWS], sums[SOFTMAX_ROWS];

    for (ptrdiff_t j = S / LANES * LANES; j < padded; j += LANES)
        for (int r = 0; r < rows; r++)
            vec_store(score + r * padded + j,
                      vec_first(vec_load(score + r * padded + j), S - j, -1e30f));
    for (int r = 0; r < rows; r++)
        most[r] = vec_load(score + r * padded);
    for (ptrdiff_t j = LANES; j < padded; j += LANES)
        for (int r = 0; r < rows; r++)
            most[r] = vec_max(vec_load(score + r * padded + j), most[r]);
    for (int r = 0; r < rows; r++) {
        largest[r] = vec_largest(most[r]);
        sums[r] = (vec){ 0 };
    }
    for (ptrdiff_t j = 0; j < padded; j += LANES)
        for (int r = 0; r < rows; r++) {
            vec e = vec_probability((vec_load(score + r * padded + j) - largest[r]) * scale);
            sums[r] += e;
            vec_store(score + r * padded + j, e);
        }
    for (int r = 0; r < rows; r++) {
        sum[r] = vec_sum(sums[r]);
        largest[r] *= scale;
    }
}

/* The same for any number of rows up to TILE_ROWS. */
INLINE void softmax_rows(float *score, float *largest, float *sum, int S, ptrdiff_t padded,
                         float scale, int rows)
{
#define ROWS_OF(n)                                                                             \
    case n:                                                                                    \
        softmax_side_by_side(score + i * padded, largest + i, sum + i, S, padded, scale, n);   \
        break
    for (int i = 0; i < rows; i += SOFTMAX_ROWS)
        switch (rows - i) {
            ROWS_OF(1);
            ROWS_OF(2);
            ROWS_OF(3);
            ROWS_OF(4);
            ROWS_OF(5);
            ROWS_OF(6);
        default:
            softmax_side_by_side(score + i * padded, largest + i, sum + i, S, padded, scale,
                                 SOFTMAX_ROWS);
        }
#undef ROWS_OF
}

/* Copies rows x columns numbers of `from` to consecutive rows of `width` floats. Rows
 * of the qkv buffer may be a large power of two apart; reading down a column would then
 * use only a small part of the cache. */
static void pack(float *to, ptrdiff_t width, const float *from, ptrdiff_t ld, int rows,
                 int columns)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c += LANES) /* whole vectors, up to width */
            vec_store(to + r * width + c, vec_load(from + r * ld + c));
}

/* out = mixed / sum for each row: rows of mixed (width apart) hold sums of values
 * weighted by exponentials, sum the sums of the exponentials. keep: as in
 * attention_forward(), at the first of these rows. */
INLINE void finish_rows(float *out, ptrdiff_t ld_out, float *keep, const float *mixed,
                        ptrdiff_t width, const float *largest, const float *sum, int S, int d,
                        int rows)
{
    for (int r = 0; r < rows; r++) {
        float *restrict out_r = out + r * ld_out;
        const float *restrict mixed_r = mixed + r * width;
        float inverse = 1.0f / sum[r];

        if (keep != NULL) {
            keep[r] = largest[r];
            keep[S + r] = inverse;
        }
#pragma omp simd
        for (int c = 0; c < d; c++)
            out_r[c] = mixed_r[c] * inverse;
    }
}

/* The scratch of the forward pass: offsets of its arrays in floats. */
struct forward_layout {
    ptrdiff_t padded, width; /* floats of a row of scores, of a row of a head */
    ptrdiff_t keys;          /* (d, padded), scaled by log2(e) / sqrt d */
    ptrdiff_t values;        /* (S, width) */
    ptrdiff_t scores;        /* (TILE_ROWS, padded) */
    ptrdiff_t mixed;         /* (TILE_ROWS, width) */
    ptrdiff_t size;
};

INLINE struct forward_layout forward_layout(int S, int d)
{
    struct forward_layout l = { .padded = padded_positions(S), .width = packed_width(d) };

    l.keys = lay_out(&l.size, d * l.padded);
    l.values = lay_out(&l.size, S * l.width);
    l.scores = lay_out(&l.size, TILE_ROWS * l.padded);
    l.mixed = lay_out(&l.size, TILE_ROWS * l.width);
    return l;
}

/* rounds: whether the exponentials are rounded to bfloat16 before they are multiplied
 * with the values. */
INLINE void attention_forward_as(float *out, ptrdiff_t ld_out, float *keep,
                                 const struct attention_view *view, float *scratch, bool rounds)
{
    int S = view->positions, d = view->head_size, queries = view->queries;
    const struct forward_layout l = forward_layout(S, d);
    ptrdiff_t padded = l.padded, width = l.width;
    float *keys = scratch + l.keys, *values = scratch + l.values;
    float *scores = scratch + l.scores, *mixed = scratch + l.mixed;

    assert_view(view, ld_out, scratch);
    transpose(keys, view->k, view->ld, LOG2_E / sqrtf((float)d), S, d);
    pack(values, width, view->v, view->ld, S, d);
    for (int t = 0; t < tiles_of(queries); t++) {
        int i = tile_start(queries, t), rows = tile_start(queries, t + 1) - i;
        float largest[TILE_ROWS], sum[TILE_ROWS];

        product(scores, padded, false, view->q + i * view->ld, view->ld, 1, rows, keys, padded,
                (int)padded, d);
        softmax_rows(scores, largest, sum, S, padded, 1.0f, rows);
        if (rounds)
            round_bf16(scores, (size_t)(rows * padded));
        product(mixed, width, false, scores, padded, 1, rows, values, width, d, S);
        finish_rows(out + i * ld_out, ld_out, keep != NULL ? keep + i : NULL, mixed, width,
                    largest, sum, S, d, rows);
    }
}

static void attention_forward(float *out, ptrdiff_t ld_out, float *keep,
                              const struct attention_view *view, float *scratch)
{
    attention_forward_as(out, ld_out, keep, view, scratch, false);
}

/*
 * Backward pass of one row of the softmax. In: p holds scores, to be scaled by
 * score_scale; ds holds dout v^T; largest and inverse were saved by the forward pass.
 * Out: p holds the probabilities P, ds the gradient of the scores, P (dout v^T - D) *
 * scale with D = sum of out times dout. Columns past S get values that are not used.
 */
INLINE void softmax_backward_row(float *p, float *ds, const float *out, const float *dout,
                                 float score_scale, float largest, float inverse, float scale,
                                 ptrdiff_t padded, int d)
{
    float dot = 0.0f;

#pragma omp simd reduction(+ : dot)
    for (int c = 0; c < d; c++)
        dot += out[c] * dout[c];
    for (ptrdiff_t j = 0; j < padded; j += LANES) {
        vec probability = vec_probability(vec_load(p + j) * score_scale - largest) * inverse;

        vec_store(p + j, probability);
        vec_store(ds + j, probability * (vec_load(ds + j) - dot) * scale);
    }
}

static void copy_rows(float *to, ptrdiff_t ld, const float *from, ptrdiff_t ld_from, int rows,
                      int columns)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            to[r * ld + c] = from[r * ld_from + c];
}

/* Number of query rows whose scores the backward pass holds at a time. */
INLINE int query_block(int S)
{
    return S <= ATTENTION_WHOLE_QUERIES ? S : ATTENTION_QUERY_BLOCK;
}

/* The scratch of the backward pass: offsets of its arrays in floats. */
struct backward_layout {
    ptrdiff_t padded, width; /* as forwards */
    ptrdiff_t keys;          /* (d, padded), scaled as forwards */
    ptrdiff_t values;        /* (d, padded) */
    ptrdiff_t p;             /* (block, padded) */
    ptrdiff_t ds;            /* (block, padded) */
    ptrdiff_t dq, dk, dv;    /* (S, width) each */
    ptrdiff_t size;
};

INLINE struct backward_layout backward_layout(int S, int d)
{
    struct backward_layout l = { .padded = padded_positions(S), .width = packed_width(d) };

    l.keys = lay_out(&l.size, d * l.padded);
    l.values = lay_out(&l.size, d * l.padded);
    l.p = lay_out(&l.size, query_block(S) * l.padded);
    l.ds = lay_out(&l.size, query_block(S) * l.padded);
    l.dq = lay_out(&l.size, S * l.width);
    l.dk = lay_out(&l.size, S * l.width);
    l.dv = lay_out(&l.size, S * l.width);
    return l;
}

static void attention_backward(float *dq, float *dk, float *dv, const float *out,
                               const float *dout, ptrdiff_t ld_out, const float *keep,
                               const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size, block = query_block(S);
    const struct backward_layout l = backward_layout(S, d);
    ptrdiff_t padded = l.padded, width = l.width, ld = view->ld;
    float scale = 1.0f / sqrtf((float)d);
    float *keys = scratch + l.keys, *values = scratch + l.values;
    float *p = scratch + l.p, *ds = scratch + l.ds;
    float *dq_s = scratch + l.dq, *dk_s = scratch + l.dk, *dv_s = scratch + l.dv;

    assert_view(view, ld_out, scratch);
    assert(view->queries == S && keep != NULL);
    transpose(keys, view->k, ld, LOG2_E * scale, S, d);
    transpose(values, view->v, ld, 1.0f, S, d);
    for (int first = 0; first < S; first += block) {
        int rows = S - first < block ? S - first : block;
        const float *q_i = view->q + first * ld;
        const float *dout_i = dout + first * ld_out;

        for (int t = 0; t < tiles_of(rows); t++) {
            int i = tile_start(rows, t), tile_rows = tile_start(rows, t + 1) - i;

            product(p + i * padded, padded, false, q_i + i * ld, ld, 1, tile_rows, keys, padded,
                    (int)padded, d);
            product(ds + i * padded, padded, false, dout_i + i * ld_out, ld_out, 1, tile_rows,
                    values, padded, (int)padded, d);
            for (int r = i; r < i + tile_rows; r++)
                softmax_backward_row(p + r * padded, ds + r * padded,
                                     out + (first + r) * ld_out, dout_i + r * ld_out, 1.0f,
                                     keep[first + r], keep[S + first + r], scale, padded, d);
            product(dq_s + (first + i) * width, width, false, ds + i * padded, padded, 1,
                    tile_rows, view->k, ld, d, S);
        }
        product(dv_s, width, first > 0, p, 1, padded, S, dout_i, ld_out, d, rows);
        product(dk_s, width, first > 0, ds, 1, padded, S, q_i, ld, d, rows);
    }
    copy_rows(dq, ld, dq_s, width, S, d);
    copy_rows(dk, ld, dk_s, width, S, d);
    copy_rows(dv, ld, dv_s, width, S, d);
}

#if !defined(__AVX512BF16__) /* else: kernels_attention_bf16.h */
static size_t attention_scratch(int positions, int head_size)
{
    ptrdiff_t forwards = forward_layout(positions, head_size).size;
    ptrdiff_t backwards = backward_layout(positions, head_size).size;

    assert(positions > 0 && head_size > 0);
    return (size_t)(forwards > backwards ? forwards : backwards) + KERNEL_SLACK;
}

static void attention_forward_bf16(float *out, ptrdiff_t ld_out, float *keep,
                                   const struct attention_view *view, float *scratch)
{
    attention_forward_as(out, ld_out, keep, view, scratch, true);
}

static void attention_backward_bf16(float *dq, float *dk, float *dv, const float *out,
                                    const float *dout, ptrdiff_t ld_out, const float *keep,
                                    const struct attention_view *view, float *scratch)
{
    attention_backward(dq, dk, dv, out, dout, ld_out, keep, view, scratch);
}
#endif

#endif
