/*
 * kernels_attention.h - fused attention of one head of one batch row, part of kernels_body.h.
 *
 * Scores never leave the cache: a block of query rows is multiplied with all keys, turned
 * into probabilities and multiplied with the values before the next block starts. All small
 * products go through one register-blocked routine, product(), with arbitrary strides for its
 * left operand, so that transposed products need no copies. Keys (and, backwards, values) are
 * transposed into scratch once per head. No include guard: compiled once per set.
 */

/* A padded row of scores: whole vectors of any set, and no multiple of 4 KiB (those would all
 * compete for the same cache lines). */
INLINE ptrdiff_t padded_positions(int positions)
{
    ptrdiff_t padded = (positions + 15) / 16 * 16;

    return padded % 1024 == 0 ? padded + 16 : padded;
}

/* Floats of a packed row of a head. */
INLINE ptrdiff_t packed_width(int head_size)
{
    return (head_size + 15) / 16 * 16;
}

/*
 * acc (TILE_ROWS x vectors) = A B for one tile: row r of A starts at a[r], its elements
 * a_step apart; rows of B are ldb apart. vectors is a constant at every call.
 */
INLINE void tile_multiply(vec acc[TILE_ROWS][TILE_VECTORS], int vectors,
                          const float *const a[TILE_ROWS], ptrdiff_t a_step, const float *b,
                          ptrdiff_t ldb, int K)
{
    vec sum[TILE_ROWS][TILE_VECTORS];

    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < vectors; v++)
            sum[r][v] = (vec){ 0 };
    for (int k = 0; k < K; k++) {
        vec b_k[TILE_VECTORS];

        for (int v = 0; v < vectors; v++)
            b_k[v] = *(const vec *)(b + k * ldb + v * LANES);
        for (int r = 0; r < TILE_ROWS; r++) {
            float a_rk = a[r][k * a_step];

            for (int v = 0; v < vectors; v++)
                sum[r][v] += a_rk * b_k[v];
        }
    }
    for (int r = 0; r < TILE_ROWS; r++)
        for (int v = 0; v < vectors; v++)
            acc[r][v] = sum[r][v];
}

/* Stores the first rows x columns of a tile to c, or adds them. */
INLINE void tile_store(float *c, ptrdiff_t ldc, int rows, int columns, int vectors,
                       int accumulate, vec acc[TILE_ROWS][TILE_VECTORS])
{
    for (int r = 0; r < TILE_ROWS; r++) {
        if (r >= rows)
            break;
        float *c_r = c + r * ldc;

        for (int v = 0; v < vectors; v++) {
            int left = columns - v * LANES;

            if (left >= LANES) {
                vec *to = (vec *)(c_r + v * LANES);
                if (accumulate)
                    *to += acc[r][v];
                else
                    *to = acc[r][v];
                continue;
            }
            for (int i = 0; i < left; i++) {
                float value = acc[r][v][i];
                c_r[v * LANES + i] = accumulate ? c_r[v * LANES + i] + value : value;
            }
        }
    }
}

/*
 * C (M x N, rows ldc apart) = A B or C += A B. Element (m, k) of A: a[m * a_row + k * a_step];
 * B (K x N) has rows ldb apart. Reads up to LANES - 1 floats past a row of B.
 */
static void product(float *c, ptrdiff_t ldc, int accumulate, const float *a, ptrdiff_t a_row,
                    ptrdiff_t a_step, int M, const float *b, ptrdiff_t ldb, int N, int K)
{
    for (int m = 0; m < M; m += TILE_ROWS) {
        int rows = M - m < TILE_ROWS ? M - m : TILE_ROWS;
        const float *a_m[TILE_ROWS];
        vec acc[TILE_ROWS][TILE_VECTORS];

        /* Rows past the end repeat the last one; their results are not stored. */
        for (int r = 0; r < TILE_ROWS; r++)
            a_m[r] = a + (m + (r < rows ? r : rows - 1)) * a_row;
        for (int n = 0; n < N; n += TILE_VECTORS * LANES) {
            int vectors = (N - n + LANES - 1) / LANES;
            float *c_mn = c + m * ldc + n;

            if (vectors >= TILE_VECTORS) {
                tile_multiply(acc, TILE_VECTORS, a_m, a_step, b + n, ldb, K);
                tile_store(c_mn, ldc, rows, N - n, TILE_VECTORS, accumulate, acc);
            } else if (vectors == 1) {
                tile_multiply(acc, 1, a_m, a_step, b + n, ldb, K);
                tile_store(c_mn, ldc, rows, N - n, 1, accumulate, acc);
#if VECTOR_BYTES == 64
            } else if (vectors == 2) {
                tile_multiply(acc, 2, a_m, a_step, b + n, ldb, K);
                tile_store(c_mn, ldc, rows, N - n, 2, accumulate, acc);
            } else {
                tile_multiply(acc, 3, a_m, a_step, b + n, ldb, K);
                tile_store(c_mn, ldc, rows, N - n, 3, accumulate, acc);
#endif
            }
        }
    }
}

#if VECTOR_BYTES == 64
/* A square of lanes is transposed by exchanging halves of rows 8, 4, 2 and 1 apart. */
#define EXCHANGE(a, b, low, high)                                                              \
    do {                                                                                       \
        vec first_ = (a), second_ = (b);                                                       \
        (a) = __builtin_shufflevector(first_, second_, low);                                   \
        (b) = __builtin_shufflevector(first_, second_, high);                                  \
    } while (0)
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31

INLINE void transpose_square(vec row[LANES])
{
    for (int i = 0; i < LANES; i++)
        if ((i & 8) == 0)
            EXCHANGE(row[i], row[i + 8], LOW_8, HIGH_8);
    for (int i = 0; i < LANES; i++)
        if ((i & 4) == 0)
            EXCHANGE(row[i], row[i + 4], LOW_4, HIGH_4);
    for (int i = 0; i < LANES; i++)
        if ((i & 2) == 0)
            EXCHANGE(row[i], row[i + 2], LOW_2, HIGH_2);
    for (int i = 0; i < LANES; i++)
        if ((i & 1) == 0)
            EXCHANGE(row[i], row[i + 1], LOW_1, HIGH_1);
}

/* Rows s .. s + 15 and columns c .. c + 15 of x, transposed. Rows past S count as 0; columns past d
 * are read (slack) and not stored. */
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
#endif

/* out (d x padded) = scale * x^T for x (S x d, rows ld apart); columns past S become 0. */
static void transpose(float *out, const float *x, ptrdiff_t ld, float scale, int S, int d)
{
    ptrdiff_t padded = padded_positions(S);

#if VECTOR_BYTES == 64
    for (int s = 0; s < padded; s += LANES)
        for (int c = 0; c < d; c += LANES)
            transpose_part(out, padded, x, ld, scale, s, S, c, d);
#else
    for (int c = 0; c < d; c++) {
        float *out_c = out + c * padded;

        for (int s = 0; s < S; s++)
            out_c[s] = scale * x[s * ld + c];
        for (ptrdiff_t s = S; s < padded; s++)
            out_c[s] = 0.0f;
    }
#endif
}

/*
 * A tile's rows of scores (padded, columns past S arbitrary) become exp(score - largest of the
 * row), past S 0 but for what is smaller than any float that matters; sum gets their sums. All
 * TILE_ROWS rows are worked on, the scratch behind the last one included: the rows' chains of
 * operations then run side by side.
 */
INLINE void softmax_rows(float *score, float largest[TILE_ROWS], float sum[TILE_ROWS], int S,
                         ptrdiff_t padded)
{
    vec most[TILE_ROWS], sums[TILE_ROWS];

    for (ptrdiff_t j = S / LANES * LANES; j < padded; j += LANES)
        for (int r = 0; r < TILE_ROWS; r++)
            vec_store(score + r * padded + j,
                      vec_first(vec_load(score + r * padded + j), S - j, -1e30f));
    for (int r = 0; r < TILE_ROWS; r++)
        most[r] = vec_load(score + r * padded);
    for (ptrdiff_t j = LANES; j < padded; j += LANES)
        for (int r = 0; r < TILE_ROWS; r++)
            most[r] = vec_max(vec_load(score + r * padded + j), most[r]);
    for (int r = 0; r < TILE_ROWS; r++) {
        largest[r] = vec_largest(most[r]);
        sums[r] = (vec){ 0 };
    }
    for (ptrdiff_t j = 0; j < padded; j += LANES)
        for (int r = 0; r < TILE_ROWS; r++) {
            vec e = vec_exp_below(vec_load(score + r * padded + j) - largest[r]);
            sums[r] += e;
            vec_store(score + r * padded + j, e);
        }
    for (int r = 0; r < TILE_ROWS; r++)
        sum[r] = vec_sum(sums[r]);
}

/* rows x columns of from to consecutive rows of width: walking down a column of the qkv buffer,
 * whose rows are a multiple of a power of two apart, would fall on a few cache lines only. */
static void pack(float *to, ptrdiff_t width, const float *from, ptrdiff_t ld, int rows,
                 int columns)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c += LANES) /* into the slack at the end of a row */
            vec_store(to + r * width + c, vec_load(from + r * ld + c));
}

static void attention_forward(float *out, ptrdiff_t ld_out, float *keep,
                              const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size;
    ptrdiff_t padded = padded_positions(S);
    ptrdiff_t width = packed_width(d);
    float *keys = scratch;              /* (d, padded), scaled by 1 / sqrt d */
    float *values = keys + d * padded;  /* (S, width) */
    float *scores = values + S * width; /* (TILE_ROWS, padded) */

    transpose(keys, view->k, view->ld, 1.0f / sqrtf((float)d), S, d);
    pack(values, width, view->v, view->ld, S, d);
    for (int i = 0; i < view->queries; i += TILE_ROWS) {
        int rows = view->queries - i < TILE_ROWS ? view->queries - i : TILE_ROWS;
        float largest[TILE_ROWS], inverse[TILE_ROWS];

        product(scores, padded, 0, view->q + i * view->ld, view->ld, 1, rows, keys, padded,
                (int)padded, d);
        softmax_rows(scores, largest, inverse, S, padded);
        for (int r = 0; r < rows; r++) {
            inverse[r] = 1.0f / inverse[r];
            if (keep != NULL) {
                keep[i + r] = largest[r];
                keep[S + i + r] = inverse[r];
            }
        }
        product(out + i * ld_out, ld_out, 0, scores, padded, 1, rows, values, width, d, S);
        for (int r = 0; r < rows; r++) {
            float *out_r = out + (i + r) * ld_out;

#pragma omp simd
            for (int c = 0; c < d; c++)
                out_r[c] *= inverse[r];
        }
    }
}

/* Given the scores in p and dO v^T in ds: p becomes the probabilities, ds their gradient's
 * P (dO v^T - D) / sqrt d, D = sum of out * dout. Columns past S are of no consequence. */
INLINE void softmax_backward_row(float *p, float *ds, const float *out, const float *dout,
                                 float largest, float inverse, float scale, ptrdiff_t padded,
                                 int d)
{
    float dot = 0.0f;

#pragma omp simd reduction(+ : dot)
    for (int c = 0; c < d; c++)
        dot += out[c] * dout[c];
    for (ptrdiff_t j = 0; j < padded; j += LANES) {
        vec probability = vec_exp_below(vec_load(p + j) - largest) * inverse;

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

static void attention_backward(float *dq, float *dk, float *dv, const float *out,
                               const float *dout, ptrdiff_t ld_out, const float *keep,
                               const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size;
    int block = S <= ATTENTION_WHOLE_QUERIES ? S : ATTENTION_QUERY_BLOCK;
    ptrdiff_t padded = padded_positions(S), ld = view->ld;
    ptrdiff_t width = (d + 15) / 16 * 16;
    float scale = 1.0f / sqrtf((float)d);
    float *keys = scratch;             /* (d, padded), scaled */
    float *values = keys + d * padded; /* (d, padded) */
    float *p = values + d * padded;    /* (block, padded) */
    float *ds = p + block * padded;    /* (block, padded) */
    float *dq_s = ds + block * padded; /* (S, width) */
    float *dk_s = dq_s + S * width;    /* (S, width) */
    float *dv_s = dk_s + S * width;    /* (S, width) */

    transpose(keys, view->k, ld, scale, S, d);
    transpose(values, view->v, ld, 1.0f, S, d);
    for (int first = 0; first < S; first += block) {
        int rows = S - first < block ? S - first : block;
        const float *q_i = view->q + first * ld;
        const float *dout_i = dout + first * ld_out;

        for (int i = 0; i < rows; i += TILE_ROWS) {
            int few = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;

            product(p + i * padded, padded, 0, q_i + i * ld, ld, 1, few, keys, padded,
                    (int)padded, d);
            product(ds + i * padded, padded, 0, dout_i + i * ld_out, ld_out, 1, few, values,
                    padded, (int)padded, d);
            for (int r = i; r < i + few; r++)
                softmax_backward_row(p + r * padded, ds + r * padded,
                                     out + (first + r) * ld_out, dout_i + r * ld_out,
                                     keep[first + r], keep[S + first + r], scale, padded, d);
            product(dq_s + (first + i) * width, width, 0, ds + i * padded, padded, 1, few,
                    view->k, ld, d, S);
        }
        product(dv_s, width, first > 0, p, 1, padded, S, dout_i, ld_out, d, rows);
        product(dk_s, width, first > 0, ds, 1, padded, S, q_i, ld, d, rows);
    }
    copy_rows(dq, ld, dq_s, width, S, d);
    copy_rows(dk, ld, dk_s, width, S, d);
    copy_rows(dv, ld, dv_s, width, S, d);
}
