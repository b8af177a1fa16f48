/*
 * kernels_gemm.h - matrix products of linear layers for sets with fused multiply-add.
 *
 * Part of kernels_body.h. A tile of C (kernels_tile.h) is GEMM_ROWS rows by one panel of
 * PANEL columns. B is packed in panels (a panel is depth x PANEL, rows side by side), weights
 * once per step and not once per product, which is what a BLAS has to do. GEMM_DEPTH rows of a
 * panel fill most of the first cache, GEMM_BLOCK rows of A a part of the second. Sums run over
 * the depth in order, so results do not depend on how rows are divided into chunks.
 */

enum { PANEL = TILE_VECTORS * LANES }; /* GEMM_PANEL is a multiple of it */
enum { GEMM_ROWS = TILE_ROWS, GEMM_DEPTH = 256 };
#if VECTOR_BYTES == 64
enum { GEMM_BLOCK = 8 * GEMM_ROWS, SWIGLU_BLOCK = 18 * GEMM_ROWS };
#else /* half the columns at a time: twice the rows until the next panel comes into the cache */
enum { GEMM_BLOCK = 42 * GEMM_ROWS, SWIGLU_BLOCK = 42 * GEMM_ROWS };
#endif

/* One panel of C from rows of A that are `row` apart, side by side within (step 1). */
static void gemm_panel(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, const float *b,
                       int rows, int depth, bool accumulate)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        any_tile(c + i * ldc, ldc, a + i * row, row, 1, b, PANEL, depth, accumulate, true,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

/* The same from columns of A: its rows are side by side, `step` from one number to the next. */
static void gemm_panel_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t step,
                                  const float *b, int rows, int depth)
{
    for (int i = 0; i < rows; i += GEMM_ROWS)
        any_tile(c + i * ldc, ldc, a + i, 1, step, b, PANEL, depth, true, true,
                 rows - i < GEMM_ROWS ? rows - i : GEMM_ROWS, TILE_VECTORS);
}

/* Rows that are a multiple of this many floats apart meet in a few sets of the first cache:
 * where they are read often they are copied out of each other's way. */
enum { GEMM_BAD_STRIDE = 512, GEMM_COPY_STRIDE = GEMM_DEPTH + LANES, GEMM_COPY_COLUMNS = 512 };

static void gemm(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda, const void *packed,
                 int rows, int depth, int columns, bool accumulate)
{
    const float *panels = packed;
    float copy[GEMM_BLOCK * GEMM_COPY_STRIDE] __attribute__((aligned(64)));
    bool copies = lda % GEMM_BAD_STRIDE == 0 && columns >= GEMM_COPY_COLUMNS;

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

/* What a tile leaves to the next one, its sums stored. */
INLINE struct swiglu_rest swiglu_rest_of(float *act, ptrdiff_t ld_act, struct destination sums)
{
    return (
        struct swiglu_rest){ .act = act, .ld_act = ld_act, .sums = sums, .rows = GEMM_ROWS };
}

/* GEMM_ROWS rows of a vector of gate and of up to `to`, with what `before` (a panel wide, or NULL)
 * holds of the sums. Meanwhile the rest of the tile before is worked out. */
INLINE void swiglu_tile(struct destination to, struct destination fetched, const float *before,
                        const float *a, ptrdiff_t lda, const float *b, int depth,
                        const struct swiglu_rest *rest)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, lda, 1, b, PANEL, depth, fetched, true, rest, GEMM_ROWS, TILE_VECTORS);
#pragma GCC unroll 14
    for (int i = 0; i < GEMM_ROWS; i++)
        for (int v = 0; v < TILE_VECTORS; v++) {
            if (before != NULL)
                sum[i][v] += vec_load(before + i * PANEL + v * LANES);
            vec_store(to.at + i * to.ld + v * to.next, sum[i][v]);
        }
}

/* silu(gate) * up to act for rows of sums, a panel wide; gate and up to keep unless NULL. */
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

/* A panel holds a vector of gate's columns and the same of up's. */
static void gemm_swiglu(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                        const float *a, ptrdiff_t lda, const void *packed, int rows, int depth,
                        int F)
{
    float scratch[SWIGLU_BLOCK * PANEL] __attribute__((aligned(64)));
    float last_tile[GEMM_ROWS * PANEL] __attribute__((aligned(64)));
    const float *panels = packed;
    struct swiglu_rest rest = { .rows = 0 };

    for (int i = 0; i < rows; i += SWIGLU_BLOCK) {
        int block = rows - i < SWIGLU_BLOCK ? rows - i : SWIGLU_BLOCK;
        int whole = block / GEMM_ROWS * GEMM_ROWS; /* the others go through scratch */
        const float *a_i = a + i * lda;

        for (int j = 0; j < F; j += LANES) {
            const float *panel = panels + (ptrdiff_t)j * 2 * depth;
            float *act_j = act + i * ld_act + j;
            float *keep_j = keep != NULL ? keep + i * ld_keep + j : NULL;
            int k = 0;

            for (; depth - k > GEMM_DEPTH; k += GEMM_DEPTH)
                gemm_panel(scratch, PANEL, a_i + k, lda, panel + k * PANEL, block, GEMM_DEPTH,
                           k > 0);
            for (int r = 0; r < whole; r += GEMM_ROWS) {
                struct destination to = { .at = last_tile, .ld = PANEL, .next = LANES };
                struct destination fetched = { .at = act_j + r * ld_act, .ld = ld_act };

                if (keep != NULL)
                    fetched = to = (struct destination){ .at = keep_j + r * ld_keep,
                                                         .ld = ld_keep,
                                                         .next = F };
                swiglu_tile(to, fetched, k > 0 ? scratch + r * PANEL : NULL, a_i + r * lda + k,
                            lda, panel + k * PANEL, depth - k, &rest);
                rest = swiglu_rest_of(act_j + r * ld_act, ld_act, to);
            }
            if (whole < block) {
                float *sums = scratch + whole * PANEL;

                gemm_panel(sums, PANEL, a_i + whole * lda + k, lda, panel + k * PANEL,
                           block - whole, depth - k, k > 0);
                swiglu_rows(act_j + whole * ld_act, ld_act,
                            keep_j != NULL ? keep_j + whole * ld_keep : NULL, ld_keep, sums,
                            block - whole, F);
            }
        }
    }
    swiglu_rest_rows(&rest, 0, GEMM_ROWS);
}

/* Rows of A and B at a time: both operands come along their rows, and stay in the first cache. */
enum { TRANSPOSED_ROWS = 128 };

static void gemm_transposed(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                            const float *b, ptrdiff_t ldb, int rows, int depth, int columns)
{
    float panel[TRANSPOSED_ROWS * PANEL] __attribute__((aligned(64)));

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

/* The column that stands at v in the panel from j. halves: each panel holds a vector of the first
 * half of all columns, then the same of the second. */
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

static const struct products PRODUCTS_FLOAT32 = { .element = sizeof(float),
                                                  .multiply = gemm,
                                                  .multiply_swiglu = gemm_swiglu,
                                                  .multiply_transposed = gemm_transposed,
                                                  .pack = gemm_pack };
