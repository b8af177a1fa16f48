/*
 * kernels_gemm_bf16.h - GEMM of linear layers in bfloat16, for CPUs with AVX512-BF16.
 *
 * Blocked as in kernels_gemm.h, with pairs (kernels_tile_bf16.h) in place of numbers. A
 * panel holds GEMM_PANEL columns of each pair of rows of B. Rows of A are rounded once
 * per GEMM, into a block of pairs in the scratch. For other instruction sets this
 * header is empty.
 */
#ifndef MODEL_KERNELS_GEMM_BF16_H
#define MODEL_KERNELS_GEMM_BF16_H

#if defined(__AVX512BF16__)

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "kernels_gemm.h"
#include "kernels_tile_bf16.h"

enum {
    /* pairs of a panel that stay in the first cache */
    PAIR_DEPTH = 256,
    PAIR_STRIDE = PAIR_DEPTH + 16, /* of a row of A's block */
    /* pairs of one pass of a transposed GEMM, which packs both operands */
    TRANSPOSED_DEPTH = 128,
    TRANSPOSED_BLOCK = 16 * GEMM_ROWS /* rows of C, a multiple of 16 */
};

static void pair_panel(float *c, ptrdiff_t ldc, const uint32_t *a, const uint32_t *b, int rows,
                       int depth, bool accumulate, const uint32_t *next)
{
    for (int i = 0; i < rows; i += GEMM_ROWS) {
        struct ahead ahead = ahead_of(next, i, rows, depth, PAIR_FETCH_STEPS);

        pair_any_tile(c + i * ldc, ldc, a + i * PAIR_STRIDE, PAIR_STRIDE, 1, b, GEMM_PANEL,
                      depth, accumulate, &ahead, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS,
                      TILE_VECTORS);
    }
}

static void pair_panel_transposed(float *c, ptrdiff_t ldc, const uint32_t *a, const uint32_t *b,
                                  int rows, int depth)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        pair_any_tile(c + i * ldc, ldc, a + i, 1, TRANSPOSED_BLOCK, b, GEMM_PANEL, depth, true,
                      NULL, rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

static void gemm_bf16(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                      const void *packed, int rows, int depth, int columns, bool accumulate,
                      float *scratch)
{
    uint32_t *block = (void *)scratch; /* (most, PAIR_STRIDE) */
    const uint32_t *panels = packed;
    int pairs = depth / 2;
    bool large = is_large(pairs, columns, sizeof *panels);
    int most = large ? LARGE_BLOCK : GEMM_BLOCK;

    assert(rows >= 0 && depth % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= depth && ldc >= columns && scratch != NULL);
    for (int k = 0; k < pairs; k += PAIR_DEPTH) {
        int part = pairs - k < PAIR_DEPTH ? pairs - k : PAIR_DEPTH;
        for (int i = 0; i < rows; i += most) {
            int block_rows = rows - i < most ? rows - i : most;
            for (int r = 0; r < block_rows; r++)
                pairs_of_row(block + r * PAIR_STRIDE, a + (i + r) * lda + 2 * k, part);
            for (int j = 0; j < columns; j += GEMM_PANEL) {
                const uint32_t *panel = panels + (ptrdiff_t)j * pairs + k * GEMM_PANEL;

                pair_panel(
                    c + i * ldc + j, ldc, block, panel, block_rows, part, accumulate || k > 0,
                    large && j + GEMM_PANEL < columns ? panel + (ptrdiff_t)GEMM_PANEL * pairs
                                                      : NULL);
            }
        }
    }
}

/* As swiglu_tile(), with the left operand in a block of pairs. */
INLINE void pair_swiglu_tile(struct destination to, struct ahead ahead, const float *before,
                             const uint32_t *a, const uint32_t *b, int depth,
                             const struct pending_swiglu *pending)
{
    __m512 sum[GEMM_ROWS][TILE_VECTORS];

#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++)
            sum[i][v] = before != NULL ? _mm512_loadu_ps(before + i * PANEL + v * LANES)
                                       : _mm512_setzero_ps();
    pair_sums(sum, a, PAIR_STRIDE, 1, b, GEMM_PANEL, depth, &ahead, pending, GEMM_ROWS,
              TILE_VECTORS);
#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++)
            _mm512_storeu_ps(to.at + i * to.ld + v * to.next, sum[i][v]);
}

static void gemm_bf16_swiglu(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                             const float *a, ptrdiff_t lda, const void *packed, int rows,
                             int depth, int F, float *scratch)
{
    uint32_t *block = (void *)scratch;                   /* (most, PAIR_STRIDE) */
    float *so_far = scratch + LARGE_BLOCK * PAIR_STRIDE; /* (most, PANEL) */
    float last_tile[GEMM_ROWS * PANEL] __attribute__((aligned(64)));
    int pairs = depth / 2;
    const uint32_t *panels = packed;
    bool large = is_large(pairs, 2 * F, sizeof *panels);
    int most = large ? LARGE_BLOCK : GEMM_BLOCK;
    struct pending_swiglu pending = { .rows = 0 };

    assert(rows >= 0 && depth % GEMM_PANEL == 0 && F % GEMM_PANEL == 0);
    assert(lda >= depth && ld_act >= F && (keep == NULL || ld_keep >= 2 * F));
    for (int i = 0; i < rows; i += most) {
        int block_rows = rows - i < most ? rows - i : most;
        /* the remainder goes through so_far */
        int whole = block_rows / GEMM_ROWS * GEMM_ROWS;

        for (int j = 0; j < F; j += LANES) {
            const uint32_t *panel = panels + (ptrdiff_t)j * 2 * pairs;
            const uint32_t *next =
                large && j + LANES < F ? panel + (ptrdiff_t)GEMM_PANEL * pairs : NULL;
            float *act_j = act + i * ld_act + j;
            float *keep_j = keep != NULL ? keep + i * ld_keep + j : NULL;
            int part;

            for (int k = 0; k < pairs; k += part) {
                bool last = pairs - k <= PAIR_DEPTH;

                part = last ? pairs - k : PAIR_DEPTH;
                for (int r = 0; (j == 0 || pairs > PAIR_DEPTH) && r < block_rows; r++)
                    pairs_of_row(block + r * PAIR_STRIDE, a + (i + r) * lda + 2 * k, part);
                for (int r = 0; last && r < whole; r += GEMM_ROWS) {
                    struct destination to = { .at = last_tile, .ld = PANEL, .next = LANES };

                    if (keep_j != NULL)
                        to = (struct destination){ .at = keep_j + r * ld_keep,
                                                   .ld = ld_keep,
                                                   .next = F };
                    pair_swiglu_tile(to, ahead_of(next, r, whole, part, PAIR_SWIGLU_STEPS),
                                     k > 0 ? so_far + r * PANEL : NULL, block + r * PAIR_STRIDE,
                                     panel + k * GEMM_PANEL, part, &pending);
                    pending = swiglu_of_tile(act_j + r * ld_act, ld_act, to);
                }
                int from = last ? whole : 0;
                pair_panel(so_far + from * PANEL, PANEL, block + from * PAIR_STRIDE,
                           panel + k * GEMM_PANEL, block_rows - from, part, k > 0,
                           last || !large ? NULL : panel + (k + part) * GEMM_PANEL);
            }
            swiglu_rows(act_j + whole * ld_act, ld_act,
                        keep_j != NULL ? keep_j + whole * ld_keep : NULL, ld_keep,
                        so_far + whole * PANEL, block_rows - whole, F);
        }
    }
    pending_swiglu_rows(&pending, 0, GEMM_ROWS);
}

static void gemm_bf16_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                                 const float *b, ptrdiff_t ldb, int rows, int depth,
                                 int columns, float *scratch)
{
    uint32_t *block = (void *)scratch; /* (TRANSPOSED_DEPTH, TRANSPOSED_BLOCK) */
    uint32_t panel[TRANSPOSED_DEPTH * GEMM_PANEL] __attribute__((aligned(64)));
    int pairs = (depth + 1) / 2;

    assert(depth >= 0 && rows % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= rows && ldb >= columns && ldc >= columns && scratch != NULL);
    for (int k = 0; k < pairs; k += TRANSPOSED_DEPTH) {
        int part = pairs - k < TRANSPOSED_DEPTH ? pairs - k : TRANSPOSED_DEPTH;
        for (int i = 0; i < rows; i += TRANSPOSED_BLOCK) {
            int block_rows = rows - i < TRANSPOSED_BLOCK ? rows - i : TRANSPOSED_BLOCK;
            for (int p = 0; p < part; p++)
                pairs_of_rows(block + p * TRANSPOSED_BLOCK, a + 2 * (k + p) * lda + i, lda,
                              2 * (k + p) + 1 < depth, block_rows);
            for (int j = 0; j < columns; j += GEMM_PANEL) {
                for (int p = 0; p < part; p++)
                    pairs_of_rows(panel + p * GEMM_PANEL, b + 2 * (k + p) * ldb + j, ldb,
                                  2 * (k + p) + 1 < depth, GEMM_PANEL);
                pair_panel_transposed(c + i * ldc + j, ldc, block, panel, block_rows, part);
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

enum {
    /* of gemm_bf16_swiglu(); floats */
    PAIR_SCRATCH = LARGE_BLOCK * (PAIR_STRIDE + PANEL),
    TRANSPOSED_SCRATCH = TRANSPOSED_DEPTH * TRANSPOSED_BLOCK
};

static const struct gemm_kernels GEMM_BFLOAT16 = { .element = sizeof(uint16_t),
                                                   .scratch = PAIR_SCRATCH > TRANSPOSED_SCRATCH
                                                                  ? PAIR_SCRATCH
                                                                  : TRANSPOSED_SCRATCH,
                                                   .multiply = gemm_bf16,
                                                   .multiply_swiglu = gemm_bf16_swiglu,
                                                   .multiply_transposed = gemm_bf16_transposed,
                                                   .pack = gemm_bf16_pack };

#endif

#endif
