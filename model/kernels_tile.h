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
/* So many rows of a tile's destination are asked for with every so many rows of B. */
enum { FETCH_ROWS = 4, FETCH_STEPS = 32 };

/* Where a tile's results go: vector v of row i to at + i * ld + v * next. */
struct destination {
    float *at;
    ptrdiff_t ld, next;
};

/* sum = A B: `rows` rows, `vectors` vectors. Element (i, k) of A is a[i * row + k * step]; rows of B
 * are ldb apart. rows and vectors are constants at every call. fetch: the destination is asked for
 * while the sums run, a few rows at a time (and a few past its last, which does no harm): more would
 * hold up what A and B wait for. */
INLINE void tile_sums(vec sum[TILE_ROWS][TILE_VECTORS], const float *a, ptrdiff_t row,
                      ptrdiff_t step, const float *b, ptrdiff_t ldb, int depth,
                      struct destination to, bool fetch, int rows, int vectors)
{
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (vec){ 0 };
    for (int k = 0, asked = 0, part; k < depth; k += part) {
        part = fetch && asked < rows && depth - k > FETCH_STEPS ? FETCH_STEPS : depth - k;
        if (fetch)
            for (int i = 0; i < FETCH_ROWS; i++)
                for (int v = 0; v < vectors; v++)
                    __builtin_prefetch(to.at + (asked + i) * to.ld + v * to.next, 1);
        asked += FETCH_ROWS;
        for (const float *end = b + part * ldb; b != end; b += ldb, a += step) {
            vec of_b[TILE_VECTORS];

            for (int v = 0; v < vectors; v++)
                of_b[v] = vec_load(b + v * LANES);
#pragma GCC unroll 14
            for (int i = 0; i < rows; i++)
                for (int v = 0; v < vectors; v++)
                    sum[i][v] += a[i * row] * of_b[v];
        }
    }
}

/* C = A B, or += A B: rows of C ldc apart, whole vectors; the rest as above. */
INLINE void tile(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t row, ptrdiff_t step,
                 const float *b, ptrdiff_t ldb, int depth, bool accumulate, bool fetch,
                 int rows, int vectors)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    tile_sums(sum, a, row, step, b, ldb, depth,
              (struct destination){ .at = c, .ld = ldc, .next = LANES }, fetch, rows, vectors);
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
