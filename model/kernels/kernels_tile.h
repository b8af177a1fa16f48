/*
 * kernels_tile.h - the one inner loop of all matrix products in float, part of kernels_body.h.
 *
 * A tile of C stays in registers: up to TILE_ROWS rows by TILE_VECTORS vectors, while one row of B
 * and one number of each row of A come from the caches. Sums run over the depth in order. No
 * include guard: compiled once per set.
 */

#if VECTOR_BYTES == 64
enum { TILE_ROWS = 14 }; /* 28 sums, 2 of B and one of A: 31 of 32 registers */
#else
enum { TILE_ROWS = 6 }; /* 12 sums, 2 of B and one of A: 15 of 16 */
#endif
enum { TILE_VECTORS = 2 };
/* So many rows of a tile's destination are asked for with every so many rows of B; the second pair
 * where rows of SwiGLU are worked out, too. */
enum { FETCH_ROWS = 4, FETCH_STEPS = 32, SWIGLU_ROWS = 2, SWIGLU_STEPS = 16 };

/* A pointer to every so many rows of A: with one, and the distances of all rows from it, there would
 * not be registers enough for the distances. */
enum { A_ROWS = 5, A_POINTERS = (TILE_ROWS + A_ROWS - 1) / A_ROWS };

/* Where a tile's results go: vector v of row i to at + i * ld + v * next. */
struct destination {
    float *at;
    ptrdiff_t ld, next;
};

/* What a tile of SwiGLU's product leaves to the next one, whose sums run meanwhile:
 * act = silu(gate) * up of `rows` rows; gate and up are the two vectors of a row of sums. */
struct swiglu_rest {
    float *act;
    ptrdiff_t ld_act;
    struct destination sums;
    int rows;
};

/* One row of it. All vector registers but a few hold the tile's sums; if the compiler kept a constant
 * in one, a sum would go to memory and back in every step: so it may not see where c points. */
INLINE void swiglu_rest_row(const struct swiglu_rest *rest, int i)
{
    const float *gate = rest->sums.at + i * rest->sums.ld;
    const struct exp2_constants *c = &EXP2;

    __asm__ volatile("" : "+r"(c));
    vec below = c->one + vec_exp_minus(vec_load(gate), c);
    vec_store(rest->act + i * rest->ld_act,
              vec_load(gate) * vec_load(gate + rest->sums.next) / below);
}

/* Rows done .. end of it, as far as there are; the first left. rest may be NULL. */
INLINE int swiglu_rest_rows(const struct swiglu_rest *rest, int done, int end)
{
    for (; rest != NULL && done < end && done < rest->rows; done++)
        swiglu_rest_row(rest, done);
    return done;
}

/* sum = A B: `rows` rows, `vectors` vectors. Element (i, k) of A is a[i * row + k * step]; rows of B
 * are ldb apart. rows and vectors are constants at every call. fetch: the destination is asked for
 * while the sums run, a few rows at a time (and a few past its last, which does no harm): more would
 * hold up what A and B wait for. rest: worked out likewise, once sums it comes from are sure to be
 * there, or NULL. */
INLINE void tile_sums(vec sum[TILE_ROWS][TILE_VECTORS], const float *a, ptrdiff_t row,
                      ptrdiff_t step, const float *b, ptrdiff_t ldb, int depth,
                      struct destination to, bool fetch, const struct swiglu_rest *rest,
                      int rows, int vectors)
{
    int few = rest != NULL ? SWIGLU_ROWS : FETCH_ROWS;
    int steps = rest != NULL ? SWIGLU_STEPS : FETCH_STEPS;
    int last = rest != NULL ? rows + few : rows;
    int done = 0;

#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (vec){ 0 };
    for (int k = 0, asked = 0, part; k < depth; k += part, asked += few) {
        part = fetch && asked < last && depth - k > steps ? steps : depth - k;
        if (fetch)
            for (int i = 0; i < few; i++)
                for (int v = 0; v < vectors; v++)
                    __builtin_prefetch(to.at + (asked + i) * to.ld + v * to.next, 1);
        if (k > 0)
            done = swiglu_rest_rows(rest, done, done + few);
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
    swiglu_rest_rows(rest, done, TILE_ROWS);
}

/* C = A B, or += A B: rows of C ldc apart, whole vectors; the rest as above. */
INLINE void tile(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, ptrdiff_t step,
                 const float *b, ptrdiff_t ldb, int depth, bool accumulate, bool fetch,
                 int rows, int vectors)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, row, step, b, ldb, depth,
              (struct destination){ .at = c, .ld = ldc, .next = LANES }, fetch, NULL, rows,
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

/* The same for any number of rows up to TILE_ROWS, each a tile of its own kind. */
INLINE void any_tile(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, ptrdiff_t step,
                     const float *b, ptrdiff_t ldb, int depth, bool accumulate, bool fetch,
                     int rows, int vectors)
{
#define TILE_OF(n)                                                                             \
    case n:                                                                                    \
        tile(c, ldc, a, row, step, b, ldb, depth, accumulate, fetch, n, vectors);              \
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

/* `count` rows in tiles as equal as can be: the first row of tile t, of tiles_of(count) tiles. */
INLINE int tiles_of(int count)
{
    return (count + TILE_ROWS - 1) / TILE_ROWS;
}

INLINE int tile_start(int count, int t)
{
    return count / tiles_of(count) * t +
           (t < count % tiles_of(count) ? t : count % tiles_of(count));
}
