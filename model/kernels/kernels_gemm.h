/*
 * kernels_gemm.h - GEMM of linear layers, for sets with fused multiply-add.
 *
 *                    columns of B and C
 *                 |panel|panel|panel| ...
 *            +--  +-----+-----+-----+
 *        GEMM_    |#####|     |     |
 *        DEPTH    |#####|     |     |   B, packed
 *            +--  +-----+-----+-----+
 *                 |     |     |     |
 *                 +-----+-----+-----+
 *     +-----+--+  +-----+-----+  --+
 *     |#tile|  |  |#tile|     |    |
 *     |.....|  |  |.....|     |    |  GEMM_BLOCK rows
 *     |.....|  |  |.....|     |    |
 *     +-----+--+  +-----+-----+  --+
 *     |     |  |  |     |     |
 *        A             C
 *
 * Loops, from the outside in, and what stays in a cache during each (AVX-512):
 *   k  GEMM_DEPTH rows of B and columns of A at a time;
 *   i  GEMM_BLOCK rows of A: 112 x 256 floats, 112 KiB of the second cache;
 *   j  one panel of B, PANEL columns: 256 x 32 floats, 32 KiB of the first cache;
 *   r  TILE_ROWS rows of A: the micro-kernel (kernels_tile.h) makes one tile of C.
 *
 * A panel stores its rows one after the other, so the micro-kernel reads B as one
 * stream. Weights are packed once per step and not once per GEMM. Sums run over the
 * depth in order, across the blocks of k too, so results do not depend on how rows are
 * divided into chunks.
 */
#ifndef MODEL_KERNELS_GEMM_H
#define MODEL_KERNELS_GEMM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels.h"
#include "kernels_tile.h"

enum { PANEL = TILE_VECTORS * LANES }; /* GEMM_PANEL is a multiple of it */
enum { GEMM_ROWS = TILE_ROWS, GEMM_DEPTH = 256 };
#if VECTOR_BYTES == 64
enum { GEMM_BLOCK = 8 * GEMM_ROWS, SWIGLU_BLOCK = 18 * GEMM_ROWS };
/* panels are half as wide, so each one is used for more rows before the next is
 * loaded */
#else
enum { GEMM_BLOCK = 42 * GEMM_ROWS, SWIGLU_BLOCK = 42 * GEMM_ROWS };
#endif

/* One panel of columns of C. Row i of A is at a + i * row, its numbers contiguous. */
static void gemm_panel(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, const float *b,
                       int rows, int depth, bool accumulate)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        any_tile(c + i * ldc, ldc, a + i * row, row, 1, b, PANEL, depth, accumulate, true,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

/* The same with A transposed: number k of row i is at a + i + k * step. */
static void gemm_panel_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t step,
                                  const float *b, int rows, int depth)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        any_tile(c + i * ldc, ldc, a + i, 1, step, b, PANEL, depth, true, true,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

/* Rows of A that are a multiple of GEMM_BAD_STRIDE floats apart all map to a small
 * number of sets of the first cache and evict one another. A block is read once per
 * panel; for GEMM_COPY_COLUMNS columns or more it is worth copying it first, to rows
 * GEMM_COPY_STRIDE apart. */
enum { GEMM_BAD_STRIDE = 512, GEMM_COPY_STRIDE = GEMM_DEPTH + LANES, GEMM_COPY_COLUMNS = 512 };
enum { GEMM_SCRATCH = GEMM_BLOCK * GEMM_COPY_STRIDE }; /* floats */

static void gemm(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda, const void *packed,
                 int rows, int depth, int columns, bool accumulate, float *scratch)
{
    const float *panels = packed;
    float *copy = scratch; /* (GEMM_BLOCK, GEMM_COPY_STRIDE) */
    bool copies = lda % GEMM_BAD_STRIDE == 0 && columns >= GEMM_COPY_COLUMNS;

    assert(rows >= 0 && depth % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= depth && ldc >= columns && scratch != NULL);
    for (int k = 0; k < depth; k += GEMM_DEPTH) {
        int part = depth - k < GEMM_DEPTH ? depth - k : GEMM_DEPTH;
        for (int i = 0; i < rows; i += GEMM_BLOCK) {
            int block = rows - i < GEMM_BLOCK ? rows - i : GEMM_BLOCK;
            const float *from = a + i * lda + k;
            for (int r = 0; copies && r < block; r++)
                memcpy(copy + r * GEMM_COPY_STRIDE, from + r * lda,
                       (size_t)part * sizeof *copy);
            for (int j = 0; j < columns; j += PANEL)
                gemm_panel(c + i * ldc + j, ldc, copies ? copy : from,
                           copies ? GEMM_COPY_STRIDE : lda,
                           panels + (ptrdiff_t)j * depth + k * PANEL, block, part,
                           accumulate || k > 0);
        }
    }
}

/* The pending SwiGLU of a tile whose sums have been stored. */
INLINE struct pending_swiglu swiglu_of_tile(float *act, ptrdiff_t ld_act,
                                            struct destination sums)
{
    return (
        struct pending_swiglu){ .act = act, .ld_act = ld_act, .sums = sums, .rows = GEMM_ROWS };
}

/* A tile of a panel with halves: GEMM_ROWS rows of one vector of gate and one of up,
 * stored to `to`. before: sums of the depth so far (rows PANEL apart), or NULL.
 * Meanwhile the pending SwiGLU of the tile before is finished, and `fetched` is
 * prefetched. */
INLINE void swiglu_tile(struct destination to, struct destination fetched, const float *before,
                        const float *a, ptrdiff_t lda, const float *b, int depth,
                        const struct pending_swiglu *pending)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, lda, 1, b, PANEL, depth, fetched, true, pending, GEMM_ROWS, TILE_VECTORS);
#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++) {
            if (before != NULL)
                sum[i][v] += vec_load(before + i * PANEL + v * LANES);
            vec_store(to.at + i * to.ld + v * to.next, sum[i][v]);
        }
}

/* act = silu(gate) * up for the remainder of rows that do not fill a tile; rows of sums
 * are PANEL apart. keep, unless NULL, gets gate and up. */
static void swiglu_rows(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                        const float *sums, int rows, int F)
{
    for (int r = 0; r < rows; r++, act += ld_act, sums += PANEL) {
        vec gate = vec_load(sums), up = vec_load(sums + LANES);

        if (keep != NULL) {
            vec_store(keep + r * ld_keep, gate);
            vec_store(keep + r * ld_keep + F, up);
        }
        vec_store(act, vec_swiglu(gate, up));
    }
}

/* A panel with halves holds one vector of gate's columns and the same columns of up. */
static void gemm_swiglu(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                        const float *a, ptrdiff_t lda, const void *packed, int rows, int depth,
                        int F, float *scratch)
{
    float *so_far = scratch; /* (SWIGLU_BLOCK, PANEL): sums of the depth so far */
    float last_tile[GEMM_ROWS * PANEL] __attribute__((aligned(64)));
    const float *panels = packed;
    struct pending_swiglu pending = { .rows = 0 };

    assert(rows >= 0 && depth % GEMM_PANEL == 0 && F % GEMM_PANEL == 0);
    assert(lda >= depth && ld_act >= F && (keep == NULL || ld_keep >= 2 * F));
    for (int i = 0; i < rows; i += SWIGLU_BLOCK) {
        int block = rows - i < SWIGLU_BLOCK ? rows - i : SWIGLU_BLOCK;
        /* the remainder goes through so_far */
        int whole = block / GEMM_ROWS * GEMM_ROWS;
        const float *a_i = a + i * lda;

        for (int j = 0; j < F; j += LANES) {
            const float *panel = panels + (ptrdiff_t)j * 2 * depth;
            float *act_j = act + i * ld_act + j;
            float *keep_j = keep != NULL ? keep + i * ld_keep + j : NULL;
            int k = 0;

            for (; depth - k > GEMM_DEPTH; k += GEMM_DEPTH)
                gemm_panel(so_far, PANEL, a_i + k, lda, panel + k * PANEL, block, GEMM_DEPTH,
                           k > 0);
            for (int r = 0; r < whole; r += GEMM_ROWS) {
                struct destination to = { .at = last_tile, .ld = PANEL, .next = LANES };
                struct destination fetched = { .at = act_j + r * ld_act, .ld = ld_act };

                if (keep != NULL)
                    fetched = to = (struct destination){ .at = keep_j + r * ld_keep,
                                                         .ld = ld_keep,
                                                         .next = F };
                swiglu_tile(to, fetched, k > 0 ? so_far + r * PANEL : NULL, a_i + r * lda + k,
                            lda, panel + k * PANEL, depth - k, &pending);
                pending = swiglu_of_tile(act_j + r * ld_act, ld_act, to);
            }
            if (whole < block) {
                float *sums = so_far + whole * PANEL;

                gemm_panel(sums, PANEL, a_i + whole * lda + k, lda, panel + k * PANEL,
                           block - whole, depth - k, k > 0);
                swiglu_rows(act_j + whole * ld_act, ld_act,
                            keep_j != NULL ? keep_j + whole * ld_keep : NULL, ld_keep, sums,
                            block - whole, F);
            }
        }
    }
    pending_swiglu_rows(&pending, 0, GEMM_ROWS);
}

/* Depth of one pass of a transposed GEMM: both operands are read along their rows, and
 * TRANSPOSED_ROWS rows of both fit the first cache. */
enum { TRANSPOSED_ROWS = 128 };

static void gemm_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                            const float *b, ptrdiff_t ldb, int rows, int depth, int columns,
                            float *scratch)
{
    float panel[TRANSPOSED_ROWS * PANEL] __attribute__((aligned(64)));

    (void)scratch;
    assert(depth >= 0 && rows % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= rows && ldb >= columns && ldc >= columns);
    for (int k = 0; k < depth; k += TRANSPOSED_ROWS) {
        int part = depth - k < TRANSPOSED_ROWS ? depth - k : TRANSPOSED_ROWS;
        for (int j = 0; j < columns; j += PANEL) {
            for (int p = 0; p < part; p++)
                for (int v = 0; v < PANEL; v += LANES)
                    vec_store(panel + p * PANEL + v, vec_load(b + (k + p) * ldb + j + v));
            gemm_panel_transposed(c + j, ldc, a + k * lda, lda, panel, rows, part);
        }
    }
}

/* The matrix column that is column v of the panel starting at j. halves: each panel
 * holds one vector of the first half of all columns, then the same vector of the second
 * half. */
INLINE ptrdiff_t panel_column(int j, int v, int columns, bool halves)
{
    return halves ? j / 2 + v % LANES + v / LANES * (columns / 2) : j + v;
}

static void gemm_pack(void *packed, const float *w, int depth, int columns, bool transposed,
                      bool halves)
{
    float *panels = packed;
    ptrdiff_t row = transposed ? 1 : columns, column = transposed ? depth : 1;

    for (int j = 0; j < columns; j += PANEL, panels += (ptrdiff_t)depth * PANEL)
        for (int k = 0; k < depth; k++)
            for (int v = 0; v < PANEL; v++)
                panels[k * PANEL + v] =
                    w[k * row + panel_column(j, v, columns, halves) * column];
}

static const struct gemm_kernels GEMM_FLOAT32 = { .element = sizeof(float),
                                                  .scratch = GEMM_SCRATCH > SWIGLU_BLOCK *PANEL
                                                                 ? GEMM_SCRATCH
                                                                 : SWIGLU_BLOCK *PANEL,
                                                  .multiply = gemm,
                                                  .multiply_swiglu = gemm_swiglu,
                                                  .multiply_transposed = gemm_transposed,
                                                  .pack = gemm_pack };

#endif
