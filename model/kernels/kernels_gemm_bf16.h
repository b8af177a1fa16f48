/*
 * kernels_gemm_bf16.h - matrix products of linear layers in bfloat16, for CPUs with AVX512-BF16.
 *
 * Part of kernels_body.h, built like kernels_gemm.h. The processor multiplies pairs: one
 * instruction adds a_k b_k + a_(k+1) b_(k+1) to each of 16 float sums. So a pair is the unit
 * here: the two bfloat16 of consecutive k in 32 bits, the first in the lower half. A panel holds
 * for every pair of rows of B its GEMM_PANEL columns; rows of A are rounded once per product into
 * a block of pairs, from which single pairs are broadcast.
 */

enum {
    PAIR_DEPTH = 256,                 /* pairs of a panel that stay in the first cache */
    PAIR_STRIDE = PAIR_DEPTH + 16,    /* of a row of A's block */
    PAIR_STEPS = 8,                   /* pairs between rows of SwiGLU */
    TRANSPOSED_DEPTH = 128,           /* pairs, where both operands are packed on the way */
    TRANSPOSED_BLOCK = 16 * GEMM_ROWS /* rows of C, a multiple of 16 */
};

/* sum += A B over `depth` pairs: `rows` rows, `vectors` vectors; A's pair (i, k) is a[i * row +
 * k * step], rows of B are ldb apart. rows and vectors are constants at every call. rest: worked out
 * meanwhile, as in tile_sums(). */
INLINE void pair_sums(__m512 sum[GEMM_ROWS][TILE_VECTORS], const uint32_t *a, ptrdiff_t row,
                      ptrdiff_t step, const uint32_t *b, ptrdiff_t ldb, int depth,
                      const struct swiglu_rest *rest, int rows, int vectors)
{
    int done = 0;

    for (int k = 0, part; k < depth; k += part) {
        const uint32_t *of_a[A_POINTERS];

        part = rest != NULL && done < rest->rows && depth - k > PAIR_STEPS ? PAIR_STEPS
                                                                           : depth - k;
        if (k > 0)
            done = swiglu_rest_rows(rest, done, done + SWIGLU_ROWS);
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
    swiglu_rest_rows(rest, done, GEMM_ROWS);
}

/* C = A B or += A B: rows of C ldc apart; the rest as above. */
INLINE void pair_tile(float *c, ptrdiff_t ldc, const uint32_t *a, ptrdiff_t row, ptrdiff_t step,
                      const uint32_t *b, ptrdiff_t ldb, int depth, bool accumulate, int rows,
                      int vectors)
{
    __m512 sum[GEMM_ROWS][TILE_VECTORS];

#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] =
                accumulate ? _mm512_loadu_ps(c + i * ldc + v * LANES) : _mm512_setzero_ps();
    pair_sums(sum, a, row, step, b, ldb, depth, NULL, rows, vectors);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            _mm512_storeu_ps(c + i * ldc + v * LANES, sum[i][v]);
}

/* The same for any number of rows up to GEMM_ROWS, each a tile of its own kind. */
INLINE void pair_any_tile(float *c, ptrdiff_t ldc, const uint32_t *a, ptrdiff_t row,
                          ptrdiff_t step, const uint32_t *b, ptrdiff_t ldb, int depth,
                          bool accumulate, int rows, int vectors)
{
#define TILE_OF(n)                                                                             \
    case n:                                                                                    \
        pair_tile(c, ldc, a, row, step, b, ldb, depth, accumulate, n, vectors);                \
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

static void pair_panel(float *c, ptrdiff_t ldc, const uint32_t *a, const uint32_t *b, int rows,
                       int depth, bool accumulate)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        pair_any_tile(c + i * ldc, ldc, a + i * PAIR_STRIDE, PAIR_STRIDE, 1, b, GEMM_PANEL,
                      depth, accumulate, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS,
                      TILE_VECTORS);
}

static void pair_panel_transposed(float *c, ptrdiff_t ldc, const uint32_t *a, const uint32_t *b,
                                  int rows, int depth)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        pair_any_tile(c + i * ldc, ldc, a + i, 1, TRANSPOSED_BLOCK, b, GEMM_PANEL, depth, true,
                      rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

/* `depth` pairs from twice as many numbers side by side; depth is a multiple of LANES. */
INLINE void pairs_of_row(uint32_t *pairs, const float *x, int depth)
{
    for (int k = 0; k < depth; k += LANES)
        _mm512_storeu_si512(pairs + k,
                            (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 2 * k + LANES),
                                                         _mm512_loadu_ps(x + 2 * k)));
}

/* The pairs (x_c, y_c) of 16 columns of two rows. */
INLINE void pairs_of_columns(uint32_t *pairs, __m512 x, __m512 y)
{
    static const uint16_t ORDER[2 * LANES] = { 0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                               21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                               11, 27, 12, 28, 13, 29, 14, 30, 15, 31 };
    __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(y, x);

    _mm512_storeu_si512(pairs, _mm512_permutexvar_epi16(_mm512_loadu_si512(ORDER), halves));
}

/* `width` columns of rows k and k + 1 of x, a row of zeros where there is no second. */
INLINE void pairs_of_rows(uint32_t *pairs, const float *x, ptrdiff_t ldx, bool second,
                          int width)
{
    for (int v = 0; v < width; v += LANES)
        pairs_of_columns(pairs + v, _mm512_loadu_ps(x + v),
                         second ? _mm512_loadu_ps(x + ldx + v) : _mm512_setzero_ps());
}

static void gemm_bf16(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                      const void *packed, int rows, int depth, int columns, bool accumulate)
{
    uint32_t block[GEMM_BLOCK * PAIR_STRIDE] __attribute__((aligned(64)));
    const uint32_t *panels = packed;
    int pairs = depth / 2;

    for (int k = 0; k < pairs; k += PAIR_DEPTH) {
        int part = pairs - k < PAIR_DEPTH ? pairs - k : PAIR_DEPTH;
        for (int i = 0; i < rows; i += GEMM_BLOCK) {
            int few = rows - i < GEMM_BLOCK ? rows - i : GEMM_BLOCK;
            for (int r = 0; r < few; r++)
                pairs_of_row(block + r * PAIR_STRIDE, a + (i + r) * lda + 2 * k, part);
            for (int j = 0; j < columns; j += GEMM_PANEL)
                pair_panel(c + i * ldc + j, ldc, block,
                           panels + (ptrdiff_t)j * pairs + k * GEMM_PANEL, few, part,
                           accumulate || k > 0);
        }
    }
}

/* As swiglu_tile(), the left operand in a block of pairs. */
INLINE void pair_swiglu_tile(struct destination to, const float *before, const uint32_t *a,
                             const uint32_t *b, int depth, const struct swiglu_rest *rest)
{
    __m512 sum[GEMM_ROWS][TILE_VECTORS];

#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++)
            sum[i][v] = before != NULL ? _mm512_loadu_ps(before + i * PANEL + v * LANES)
                                       : _mm512_setzero_ps();
    pair_sums(sum, a, PAIR_STRIDE, 1, b, GEMM_PANEL, depth, rest, GEMM_ROWS, TILE_VECTORS);
#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++)
            _mm512_storeu_ps(to.at + i * to.ld + v * to.next, sum[i][v]);
}

static void gemm_bf16_swiglu(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                             const float *a, ptrdiff_t lda, const void *packed, int rows,
                             int depth, int F)
{
    uint32_t block[GEMM_BLOCK * PAIR_STRIDE] __attribute__((aligned(64)));
    float scratch[GEMM_BLOCK * PANEL] __attribute__((aligned(64)));
    float last_tile[GEMM_ROWS * PANEL] __attribute__((aligned(64)));
    int pairs = depth / 2;
    const uint32_t *panels = packed;
    struct swiglu_rest rest = { .rows = 0 };

    for (int i = 0; i < rows; i += GEMM_BLOCK) {
        int few = rows - i < GEMM_BLOCK ? rows - i : GEMM_BLOCK;
        int whole = few / GEMM_ROWS * GEMM_ROWS; /* the others go through scratch */

        for (int j = 0; j < F; j += LANES) {
            const uint32_t *panel = panels + (ptrdiff_t)j * 2 * pairs;
            float *act_j = act + i * ld_act + j;
            float *keep_j = keep != NULL ? keep + i * ld_keep + j : NULL;
            int part;

            for (int k = 0; k < pairs; k += part) {
                bool last = pairs - k <= PAIR_DEPTH;

                part = last ? pairs - k : PAIR_DEPTH;
                for (int r = 0; (j == 0 || pairs > PAIR_DEPTH) && r < few; r++)
                    pairs_of_row(block + r * PAIR_STRIDE, a + (i + r) * lda + 2 * k, part);
                for (int r = 0; last && r < whole; r += GEMM_ROWS) {
                    struct destination to = { .at = last_tile, .ld = PANEL, .next = LANES };

                    if (keep_j != NULL)
                        to = (struct destination){ .at = keep_j + r * ld_keep,
                                                   .ld = ld_keep,
                                                   .next = F };
                    pair_swiglu_tile(to, k > 0 ? scratch + r * PANEL : NULL,
                                     block + r * PAIR_STRIDE, panel + k * GEMM_PANEL, part,
                                     &rest);
                    rest = swiglu_rest_of(act_j + r * ld_act, ld_act, to);
                }
                int from = last ? whole : 0;
                pair_panel(scratch + from * PANEL, PANEL, block + from * PAIR_STRIDE,
                           panel + k * GEMM_PANEL, few - from, part, k > 0);
            }
            swiglu_rows(act_j + whole * ld_act, ld_act,
                        keep_j != NULL ? keep_j + whole * ld_keep : NULL, ld_keep,
                        scratch + whole * PANEL, few - whole, F);
        }
    }
    swiglu_rest_rows(&rest, 0, GEMM_ROWS);
}

static void gemm_bf16_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                                 const float *b, ptrdiff_t ldb, int rows, int depth,
                                 int columns)
{
    uint32_t block[TRANSPOSED_DEPTH * TRANSPOSED_BLOCK] __attribute__((aligned(64)));
    uint32_t panel[TRANSPOSED_DEPTH * GEMM_PANEL] __attribute__((aligned(64)));
    int pairs = (depth + 1) / 2;

    for (int k = 0; k < pairs; k += TRANSPOSED_DEPTH) {
        int part = pairs - k < TRANSPOSED_DEPTH ? pairs - k : TRANSPOSED_DEPTH;
        for (int i = 0; i < rows; i += TRANSPOSED_BLOCK) {
            int few = rows - i < TRANSPOSED_BLOCK ? rows - i : TRANSPOSED_BLOCK;
            for (int p = 0; p < part; p++)
                pairs_of_rows(block + p * TRANSPOSED_BLOCK, a + 2 * (k + p) * lda + i, lda,
                              2 * (k + p) + 1 < depth, few);
            for (int j = 0; j < columns; j += GEMM_PANEL) {
                for (int p = 0; p < part; p++)
                    pairs_of_rows(panel + p * GEMM_PANEL, b + 2 * (k + p) * ldb + j, ldb,
                                  2 * (k + p) + 1 < depth, GEMM_PANEL);
                pair_panel_transposed(c + i * ldc + j, ldc, block, panel, few, part);
            }
        }
    }
}

static void gemm_bf16_pack(void *packed, const float *w, int depth, int columns,
                           bool transposed, bool halves)
{
    ptrdiff_t row = transposed ? 1 : columns, column = transposed ? depth : 1;
    uint32_t *panels = packed;

    for (int j = 0; j < columns; j += GEMM_PANEL, panels += (ptrdiff_t)depth / 2 * GEMM_PANEL)
        for (int k = 0; k < depth; k += 2)
            for (int v = 0; v < GEMM_PANEL; v++) {
                const float *first = w + k * row + panel_column(j, v, columns, halves) * column;

                panels[k / 2 * GEMM_PANEL + v] =
                    bf16_bits(first[0]) >> 16 | bf16_bits(first[row]);
            }
}

static const struct products PRODUCTS_BFLOAT16 = { .element = sizeof(uint16_t),
                                                   .multiply = gemm_bf16,
                                                   .multiply_swiglu = gemm_bf16_swiglu,
                                                   .multiply_transposed = gemm_bf16_transposed,
                                                   .pack = gemm_bf16_pack };
