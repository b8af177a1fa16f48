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
 *   i  GEMM_BLOCK rows of A: 112 x 256 floats, 112 KiB of the second cache (large
 *      weights: LARGE_BLOCK, 280 KiB);
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

/* Weights of LARGE_BYTES or more are in the second cache neither from one GEMM to the
 * next nor from one block of rows to the next. Blocks of LARGE_BLOCK rows, of which a
 * layer has one at a time (BLOCK_MOST of engine_internal.h), read them once, and each
 * panel is prefetched while the one before it is multiplied. */
enum { LARGE_BYTES = 1 << 20, LARGE_BLOCK = (279 + GEMM_ROWS - 1) / GEMM_ROWS * GEMM_ROWS };

INLINE bool is_large(int depth, int columns, size_t element)
{
    return (size_t)depth * (size_t)columns * element >= LARGE_BYTES;
}

/* The share of the tile that starts at row i of `rows` in prefetching the part of a
 * panel that is multiplied next, `depth` rows of PANEL floats (or pairs); next NULL:
 * there is none. The tile prefetches with every `steps` steps of k. Few tiles prefetch
 * only the beginning: AHEAD_MOST lines each time. */
INLINE struct ahead ahead_of(const void *next, int i, int rows, int depth, int steps)
{
    enum { AHEAD_MOST = 8 };
    int tiles = (rows + GEMM_ROWS - 1) / GEMM_ROWS, portions = (depth + steps - 1) / steps;
    int all = depth * PANEL / LINE_FLOATS, shares = tiles * portions;
    int lines =
        (all + shares - 1) / shares < AHEAD_MOST ? (all + shares - 1) / shares : AHEAD_MOST;
    int first = i / GEMM_ROWS * portions * lines;

    if (next == NULL || first >= all)
        return (struct ahead){ NULL, 0 };
    return (struct ahead){ (const char *)next + first * LINE, lines };
}

/* One panel of columns of C. Row i of A is at a + i * row, its numbers contiguous. Part
 * `next` of a panel is prefetched meanwhile; NULL: none. */
static void gemm_panel(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, const float *b,
                       int rows, int depth, bool accumulate, const float *next)
{
    for (int i = 0; i < rows; i += GEMM_ROWS) {
        struct ahead ahead = ahead_of(next, i, rows, depth, FETCH_STEPS);

        any_tile(c + i * ldc, ldc, a + i * row, row, 1, b, PANEL, depth, accumulate, &ahead,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
    }
}

/*
 * Depth of one pass of a transposed GEMM: both operands are read along their rows, and
 * TRANSPOSED_ROWS rows of a panel fit the first cache. C's rows are done in blocks of
 * about TRANSPOSED_SPAN, so that TRANSPOSED_ROWS rows of A, as wide as a block, stay in
 * the second cache while all panels of B pass.
 */
enum { TRANSPOSED_ROWS = 128, TRANSPOSED_SPAN = 512 };

/* Rows of each block but the last, when C has `rows`: whole tiles, about equal. */
INLINE int transposed_block(int rows)
{
    int blocks = (rows + TRANSPOSED_SPAN - 1) / TRANSPOSED_SPAN;
    int tiles = (rows + GEMM_ROWS - 1) / GEMM_ROWS;

    return (tiles + blocks - 1) / blocks * GEMM_ROWS;
}

/* Rows of A that the next pass multiplies, which the tiles of a panel prefetch: `lines`
 * cache lines of each of `count` rows, ld apart. */
struct ahead_rows {
    const float *first;
    ptrdiff_t ld;
    int count, lines;
};

/* The share of tile t: SHARE lines of one row. */
INLINE struct ahead ahead_of_rows(struct ahead_rows rows, int t)
{
    enum { LINES = 3, SHARE = TRANSPOSED_ROWS / FETCH_STEPS * LINES };
    int shares = (rows.lines + SHARE - 1) / SHARE, r = t / shares;

    if (r >= rows.count)
        return (struct ahead){ NULL, 0 };
    return (struct ahead){ (const char *)(rows.first + r * rows.ld) + t % shares * SHARE * LINE,
                           LINES };
}

/* As gemm_panel() with A transposed: number k of row i is at a + i + k * step. */
static void gemm_panel_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t step,
                                  const float *b, int rows, int depth, struct ahead_rows next)
{
    for (int i = 0; i < rows; i += GEMM_ROWS) {
        struct ahead ahead = ahead_of_rows(next, i / GEMM_ROWS);

        any_tile(c + i * ldc, ldc, a + i, 1, step, b, PANEL, depth, true, &ahead,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
    }
}

/* Rows of A that are a multiple of GEMM_BAD_STRIDE floats apart all map to a small
 * number of sets of the first cache and evict one another. A block is read once per
 * panel; for GEMM_COPY_COLUMNS columns or more it is worth copying it first, to rows
 * GEMM_COPY_STRIDE apart. */
enum { GEMM_BAD_STRIDE = 512, GEMM_COPY_STRIDE = GEMM_DEPTH + LANES, GEMM_COPY_COLUMNS = 512 };
/* Floats; gemm_swiglu() needs less: SWIGLU_BLOCK rows of PANEL. */
enum { GEMM_SCRATCH = LARGE_BLOCK * GEMM_COPY_STRIDE };

static void gemm(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda, const void *packed,
                 int rows, int depth, int columns, bool accumulate, float *scratch)
{
    const float *panels = packed;
    float *copy = scratch; /* (most, GEMM_COPY_STRIDE) */
    bool large = is_large(depth, columns, sizeof *panels);
    int most = large ? LARGE_BLOCK : GEMM_BLOCK;
    bool copies = lda % GEMM_BAD_STRIDE == 0 && columns >= GEMM_COPY_COLUMNS;

    assert(rows >= 0 && depth % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= depth && ldc >= columns && scratch != NULL);
    for (int k = 0; k < depth; k += GEMM_DEPTH) {
        int part = depth - k < GEMM_DEPTH ? depth - k : GEMM_DEPTH;
        for (int i = 0; i < rows; i += most) {
            int block = rows - i < most ? rows - i : most;
            const float *from = a + i * lda + k;
            for (int r = 0; copies && r < block; r++)
                memcpy(copy + r * GEMM_COPY_STRIDE, from + r * lda,
                       (size_t)part * sizeof *copy);
            for (int j = 0; j < columns; j += PANEL) {
                const float *panel = panels + (ptrdiff_t)j * depth + k * PANEL;

                gemm_panel(
                    c + i * ldc + j, ldc, copies ? copy : from, copies ? GEMM_COPY_STRIDE : lda,
                    panel, block, part, accumulate || k > 0,
                    large && j + PANEL < columns ? panel + (ptrdiff_t)PANEL * depth : NULL);
            }
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
INLINE void swiglu_tile(struct destination to, struct destination fetched, struct ahead ahead,
                        const float *before, const float *a, ptrdiff_t lda, const float *b,
                        int depth, const struct pending_swiglu *pending)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, lda, 1, b, PANEL, depth, fetched, &ahead, pending, GEMM_ROWS,
              TILE_VECTORS);
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
    bool large = is_large(depth, 2 * F, sizeof *panels);
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
            const float *next =
                large && j + LANES < F ? panel + (ptrdiff_t)PANEL * depth : NULL;
            float *act_j = act + i * ld_act + j;
            float *keep_j = keep != NULL ? keep + i * ld_keep + j : NULL;
            int k = 0;

            for (; depth - k > GEMM_DEPTH; k += GEMM_DEPTH)
                gemm_panel(so_far, PANEL, a_i + k, lda, panel + k * PANEL, block, GEMM_DEPTH,
                           k > 0, large ? panel + (k + GEMM_DEPTH) * PANEL : NULL);
            for (int r = 0; r < whole; r += GEMM_ROWS) {
                struct destination to = { .at = last_tile, .ld = PANEL, .next = LANES };
                struct destination fetched = { .at = act_j + r * ld_act, .ld = ld_act };

                if (keep != NULL)
                    fetched = to = (struct destination){ .at = keep_j + r * ld_keep,
                                                         .ld = ld_keep,
                                                         .next = F };
                swiglu_tile(to, fetched, ahead_of(next, r, whole, depth - k, SWIGLU_STEPS),
                            k > 0 ? so_far + r * PANEL : NULL, a_i + r * lda + k, lda,
                            panel + k * PANEL, depth - k, &pending);
                pending = swiglu_of_tile(act_j + r * ld_act, ld_act, to);
            }
            if (whole < block) {
                float *sums = so_far + whole * PANEL;

                gemm_panel(sums, PANEL, a_i + whole * lda + k, lda, panel + k * PANEL,
                           block - whole, depth - k, k > 0, NULL);
                swiglu_rows(act_j + whole * ld_act, ld_act,
                            keep_j != NULL ? keep_j + whole * ld_keep : NULL, ld_keep, sums,
                            block - whole, F);
            }
        }
    }
    pending_swiglu_rows(&pending, 0, GEMM_ROWS);
}

/* One pass: C (rows, columns) += A^T B for `depth` rows of A and of B, at most
 * TRANSPOSED_ROWS. Meanwhile `next` is prefetched, a part of its rows with each
 * panel. */
static void gemm_transposed_pass(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                                 const float *b, ptrdiff_t ldb, int rows, int depth,
                                 int columns, struct ahead_rows next)
{
    float panel[TRANSPOSED_ROWS * PANEL] __attribute__((aligned(64)));
    /* rows of `next` per panel */
    int each = (next.count * PANEL + columns - 1) / columns;

    for (int j = 0; j < columns; j += PANEL) {
        for (int p = 0; p < depth; p++)
            for (int v = 0; v < PANEL; v += LANES)
                vec_store(panel + p * PANEL + v, vec_load(b + p * ldb + j + v));
        struct ahead_rows part = next;

        part.count = each < next.count ? each : next.count;
        gemm_panel_transposed(c + j, ldc, a, lda, panel, rows, depth, part);
        next.first += part.count * next.ld;
        next.count -= part.count;
    }
}

static void gemm_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                            const float *b, ptrdiff_t ldb, int rows, int depth, int columns,
                            float *scratch)
{
    int block = transposed_block(rows);

    (void)scratch;
    assert(depth >= 0 && rows % GEMM_PANEL == 0 && columns % GEMM_PANEL == 0);
    assert(lda >= rows && ldb >= columns && ldc >= columns);
    for (int i = 0; i < rows; i += block) {
        int width = rows - i < block ? rows - i : block;

        for (int k = 0; k < depth; k += TRANSPOSED_ROWS) {
            int left = depth - k, part = left < TRANSPOSED_ROWS ? left : TRANSPOSED_ROWS;
            struct ahead_rows next = { .first = a + i,
                                       .ld = lda,
                                       .lines = (width + LINE_FLOATS - 1) / LINE_FLOATS };

            if (left > part) {
                next.first = a + i + (k + part) * lda;
                next.count = left - part < TRANSPOSED_ROWS ? left - part : TRANSPOSED_ROWS;
            } else if (i + block < rows) {
                next.first = a + i + block;
                next.count = depth < TRANSPOSED_ROWS ? depth : TRANSPOSED_ROWS;
            }
            gemm_transposed_pass(c + i * ldc, ldc, a + i + k * lda, lda, b + k * ldb, ldb,
                                 width, part, columns, next);
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
                                                  .scratch = GEMM_SCRATCH,
                                                  .multiply = gemm,
                                                  .multiply_swiglu = gemm_swiglu,
                                                  .multiply_transposed = gemm_transposed,
                                                  .pack = gemm_pack };

#endif
