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

/* out (d x padded) = scale * x^T for x (S x d, rows ld apart); columns past S become 0. */
static void transpose(float *out, const float *x, ptrdiff_t ld, float scale, int S, int d)
{
    ptrdiff_t padded = padded_positions(S);

    for (int c = 0; c < d; c++) {
        float *out_c = out + c * padded;

        for (int s = 0; s < S; s++)
            out_c[s] = scale * x[s * ld + c];
        for (ptrdiff_t s = S; s < padded; s++)
            out_c[s] = 0.0f;
    }
}

/*
 * A row of scores (padded, columns past S arbitrary) becomes exp(score - largest), 0 past S
 * but for what is smaller than any float that matters. Returns the sum; *largest is set.
 */
INLINE float softmax_row(float *score, float *largest, int S, ptrdiff_t padded)
{
    vec most, sum = { 0 };

    for (ptrdiff_t j = S; j < padded; j++)
        score[j] = -1e30f;
    most = vec_load(score);
    for (ptrdiff_t j = LANES; j < padded; j += LANES)
        most = vec_max(vec_load(score + j), most);
    *largest = vec_largest(most);
    for (ptrdiff_t j = 0; j < padded; j += LANES) {
        vec e = vec_exp_below(vec_load(score + j) - *largest);
        sum += e;
        vec_store(score + j, e);
    }
    return vec_sum(sum);
}

static void attention_forward(float *out, ptrdiff_t ld_out, float *keep,
                              const struct attention_view *view, float *scratch)
{
    int S = view->positions, d = view->head_size;
    ptrdiff_t padded = padded_positions(S);
    float *keys = scratch;             /* (d, padded), scaled by 1 / sqrt d */
    float *scores = keys + d * padded; /* (TILE_ROWS, padded) */

    transpose(keys, view->k, view->ld, 1.0f / sqrtf((float)d), S, d);
    for (int i = 0; i < view->queries; i += TILE_ROWS) {
        int rows = view->queries - i < TILE_ROWS ? view->queries - i : TILE_ROWS;
        float inverse[TILE_ROWS];

        product(scores, padded, 0, view->q + i * view->ld, view->ld, 1, rows, keys, padded,
                (int)padded, d);
        for (int r = 0; r < rows; r++) {
            float largest;

            inverse[r] = 1.0f / softmax_row(scores + r * padded, &largest, S, padded);
            if (keep != NULL) {
                keep[i + r] = largest;
                keep[S + i + r] = inverse[r];
            }
        }
        product(out + i * ld_out, ld_out, 0, scores, padded, 1, rows, view->v, view->ld, d, S);
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
