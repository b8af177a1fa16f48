/*
 * kernels_attention_bf16.h - attention on bfloat16 operands, for CPUs with AVX512-BF16.
 *
 * Part of kernels_body.h, built like kernels_attention.h on the pairs of kernels_gemm_bf16.h, as
 * FlashAttention computes it in bfloat16: q, k, v and the softmax's results are rounded where a
 * product reads them, and backwards the gradients too; scores, softmax and sums are float. Rows
 * of pairs are whole vectors. What is read past a row's end is multiplied with zeros: the
 * columns past a head's size are masked, a last odd position has a row of zeros beside it.
 */

/* Pairs of n numbers, as whole vectors. */
INLINE ptrdiff_t pairs_width(ptrdiff_t n)
{
    return (n + 31) / 32 * 16;
}

/* As product(), over `depth` pairs: A's pair (m, k) is a[m * row + k * step]. */
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
                pair_any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, depth, accumulate, rows,
                              2);
            else
                pair_any_tile(c_m + n, ldc, a_m, row, step, b + n, ldb, depth, accumulate, rows,
                              1);
    }
}

/* The first `left` numbers from x, at most a vector of them, the others 0. */
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

/* Rows of pairs of the rows of x (rows x d). */
static void pair_rows(uint32_t *out, const float *x, ptrdiff_t ld, int rows, int d)
{
    ptrdiff_t width = pairs_width(d);

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < d; c += 2 * LANES)
            _mm512_storeu_si512(out + r * width + c / 2, pairs_at(x + r * ld, c, d));
}

/* out (pairs of d, padded): the pairs of x's rows (S x d), transposed; 0 past S. */
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

/* out (pairs of rows, width): the pairs of columns of x (rows x width, whole vectors). */
static void pair_columns(uint32_t *out, const float *x, ptrdiff_t ld, int rows, ptrdiff_t width)
{
    for (int r = 0; r < rows; r += 2)
        pairs_of_rows(out + r / 2 * width, x + r * ld, ld, r + 1 < rows, (int)width);
}

static void attention_forward_bf16(float *out, ptrdiff_t ld_out, float *keep,
                                   const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size, queries = view->queries;
    ptrdiff_t padded = padded_positions(S), width = packed_width(d);
    ptrdiff_t half = pairs_width(d), half_padded = pairs_width(padded);
    float *scores = scratch;                              /* (TILE_ROWS, padded) */
    float *mixed = scores + TILE_ROWS * padded + LANES;   /* (TILE_ROWS, width) */
    uint32_t *keys = (void *)(mixed + TILE_ROWS * width); /* (d / 2, padded) */
    uint32_t *values = keys + (d + 1) / 2 * padded;       /* (S / 2, width) */
    uint32_t *query = values + (S + 1) / 2 * width;       /* (TILE_ROWS, half) */
    uint32_t *weights = query + TILE_ROWS * half;         /* (TILE_ROWS, half_padded) */
    float scale = LOG2_E / sqrtf((float)d);

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

static void attention_backward_bf16(float *dq, float *dk, float *dv, const float *out,
                                    const float *dout, ptrdiff_t ld_out, const float *keep,
                                    const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size, pairs = (d + 1) / 2;
    int block = S <= ATTENTION_WHOLE_QUERIES ? S : ATTENTION_QUERY_BLOCK;
    ptrdiff_t padded = padded_positions(S), ld = view->ld, width = packed_width(d);
    ptrdiff_t half = pairs_width(d), half_padded = pairs_width(padded);
    float scale = 1.0f / sqrtf((float)d);
    float *p = scratch;                                      /* (block, padded) */
    float *ds = p + block * padded;                          /* (block, padded) */
    float *dq_s = ds + block * padded + LANES;               /* (S, width) */
    float *dk_s = dq_s + S * width;                          /* (S, width) */
    float *dv_s = dk_s + S * width;                          /* (S, width) */
    uint32_t *keys = (void *)(dv_s + S * width);             /* (d / 2, padded) */
    uint32_t *values = keys + pairs * padded;                /* (d / 2, padded) */
    uint32_t *key_columns = values + pairs * padded;         /* (S / 2, width) */
    uint32_t *tile_rows = key_columns + (S + 1) / 2 * width; /* (TILE_ROWS, half) */
    uint32_t *tile_ds = tile_rows + TILE_ROWS * half;        /* (TILE_ROWS, half_padded) */
    uint32_t *columns = tile_ds + TILE_ROWS * half_padded;   /* (block / 2, padded) */
    uint32_t *other = columns + (block + 1) / 2 * padded;    /* (block / 2, width) */

    pair_transpose(keys, view->k, ld, S, d);
    pair_transpose(values, view->v, ld, S, d);
    pair_columns(key_columns, view->k, ld, S, width);
    for (int first = 0; first < S; first += block) {
        int rows = S - first < block ? S - first : block;
        const float *q_i = view->q + first * ld;
        const float *dout_i = dout + first * ld_out;

        for (int t = 0; t < tiles_of(rows); t++) {
            int i = tile_start(rows, t), few = tile_start(rows, t + 1) - i;

            pair_rows(tile_rows, q_i + i * ld, ld, few, d);
            pair_product(p + i * padded, padded, false, tile_rows, half, 1, few, keys, padded,
                         (int)padded, pairs);
            pair_rows(tile_rows, dout_i + i * ld_out, ld_out, few, d);
            pair_product(ds + i * padded, padded, false, tile_rows, half, 1, few, values,
                         padded, (int)padded, pairs);
            for (int r = i; r < i + few; r++) {
                softmax_backward_row(p + r * padded, ds + r * padded,
                                     out + (first + r) * ld_out, dout_i + r * ld_out,
                                     LOG2_E * scale, keep[first + r], keep[S + first + r],
                                     scale, padded, d);
                if (S < padded) /* the second of the last pair where S is odd */
                    ds[r * padded + S] = 0.0f;
                pairs_of_row(tile_ds + (r - i) * half_padded, ds + r * padded,
                             (int)half_padded);
            }
            pair_product(dq_s + (first + i) * width, width, false, tile_ds, half_padded, 1, few,
                         key_columns, width, d, (S + 1) / 2);
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
