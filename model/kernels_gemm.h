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
enum { GEMM_BLOCK = 8 * GEMM_ROWS, SWIGLU_BLOCK = 4 * GEMM_ROWS };
#else /* half the columns at a time: twice the rows until the next panel comes into the cache */
enum { GEMM_BLOCK = 42 * GEMM_ROWS, SWIGLU_BLOCK = 14 * GEMM_ROWS };
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

static void gemm_swiglu(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                        const float *a, ptrdiff_t lda, const void *packed, int rows, int depth,
                        int F)
{
    float scratch[SWIGLU_BLOCK * 2 * PANEL] __attribute__((aligned(64)));
    const float *gate_panels = packed, *up_panels = gate_panels + (ptrdiff_t)F * depth;
    ptrdiff_t ld = keep != NULL ? ld_keep : 2 * PANEL;

    for (int i = 0; i < rows; i += SWIGLU_BLOCK) {
        int block = rows - i < SWIGLU_BLOCK ? rows - i : SWIGLU_BLOCK;
        for (int j = 0; j < F; j += PANEL) {
            float *gate = keep != NULL ? keep + i * ld_keep + j : scratch;
            float *up = gate + (keep != NULL ? F : PANEL);

            for (int k = 0; k < depth; k += GEMM_DEPTH) {
                int part = depth - k < GEMM_DEPTH ? depth - k : GEMM_DEPTH;
                ptrdiff_t at = (ptrdiff_t)j * depth + k * PANEL;
                gemm_panel(gate, ld, a + i * lda + k, lda, gate_panels + at, block, part,
                           k > 0);
                gemm_panel(up, ld, a + i * lda + k, lda, up_panels + at, block, part, k > 0);
            }
            swiglu_forward(act + i * ld_act + j, ld_act, gate, up, ld, block, PANEL);
        }
    }
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

static void gemm_pack(void *packed, const float *w, int depth, int columns, bool transposed)
{
    float *panels = packed;
    ptrdiff_t row = transposed ? 1 : columns, column = transposed ? depth : 1;

    for (int j = 0; j < columns; j += PANEL, panels += (ptrdiff_t)depth * PANEL)
        for (int k = 0; k < depth; k++)
            for (int v = 0; v < PANEL; v++)
                panels[k * PANEL + v] = w[k * row + (j + v) * column];
}

static const struct products PRODUCTS_FLOAT32 = { .element = sizeof(float),
                                                  .multiply = gemm,
                                                  .multiply_swiglu = gemm_swiglu,
                                                  .multiply_transposed = gemm_transposed,
                                                  .pack = gemm_pack };
