/*
 * kernels.h - the table of vector kernels, one per instruction set, and how one is
 * chosen.
 *
 * All sets have one source, in kernels/, which is compiled once per set. Every kernel
 * is plain C over arrays. The engine checks sizes; kernels only assert them. Letters as
 * in engine.h.
 */
#ifndef MODEL_KERNELS_H
#define MODEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Vector loads may read up to this many floats past an array's last element (and ignore
 * them), so every block of memory that kernels read is that much longer. */
enum { KERNEL_SLACK = 16 };

/* The backward pass of attention holds the scores of ATTENTION_QUERY_BLOCK query rows
 * at a time, or of all when there are no more than ATTENTION_WHOLE_QUERIES. */
enum { ATTENTION_QUERY_BLOCK = 96, ATTENTION_WHOLE_QUERIES = 128 };

/* One head of one batch row, addressed inside the qkv buffer: element (i, c) of q is
 * q[i * ld + c]. Kernels copy it only into their scratch. */
struct attention_view {
    const float *q, *k, *v;
    ptrdiff_t ld;
    int positions; /* S: keys and values */
    /* query rows computed, from position 0: S, or 1 for the last target step */
    int queries;
    int head_size; /* d */
};

struct adam_rates {
    float decay;        /* 1 - lr * weight_decay */
    float one_less_b1;  /* 1 - b1 */
    float one_less_b2;  /* 1 - b2 */
    float step;         /* lr / (1 - b1^t) */
    float v_correction; /* 1 / sqrt(1 - b2^t) */
    float epsilon;      /* of adamw */
};

/* Columns of a panel of packed weights; kernels/kernels_gemm.h has a picture. */
enum { GEMM_PANEL = 32 };

/*
 * GEMM kernels of a set, for linear layers. Weights are packed in panels of float or
 * bfloat16, `element` bytes each. With bfloat16 the other operand is rounded to
 * bfloat16, too; sums are float. The number of columns must be a multiple of
 * GEMM_PANEL, and so must the depth, except in multiply_transposed. Each call may
 * overwrite `scratch` floats of scratch (faster when aligned to 64 bytes).
 */
struct gemm_kernels {
    size_t element, scratch;
    /* C (rows, columns) = A B or += A B; B (depth, columns) is packed in panels. */
    void (*multiply)(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda, const void *panels,
                     int rows, int depth, int columns, bool accumulate, float *scratch);
    /* act (rows, F) = silu(A B_gate) * (A B_up); B (depth, 2F), gate's F columns first,
     * in panels with halves. keep (rows, 2F), rows ld_keep apart: gets gate and up, or
     * NULL. */
    void (*multiply_swiglu)(float *act, ptrdiff_t ld_act, float *keep, ptrdiff_t ld_keep,
                            const float *a, ptrdiff_t lda, const void *panels, int rows,
                            int depth, int F, float *scratch);
    /* C (rows, columns) += A^T B; A (depth, rows) and B (depth, columns) are not
     * packed. Here rows must be a multiple of GEMM_PANEL, too. */
    void (*multiply_transposed)(float *c, ptrdiff_t ldc, const float *a, ptrdiff_t lda,
                                const float *b, ptrdiff_t ldb, int rows, int depth, int columns,
                                float *scratch);
    /* Packs w (depth, columns), or the transpose of w (columns, depth), in panels.
     * halves: each panel has columns of the first half of w beside the same of the
     * second. */
    void (*pack)(void *panels, const float *w, int depth, int columns, bool transposed,
                 bool halves);
};

struct kernels {
    const char *name; /* "base", "avx2", "avx512", "avx512_bf16" */

    /* out = a + (b + c), c may be NULL: out = a + b. out may be a. n elements. */
    void (*inject)(float *out, const float *a, const float *b, const float *c, size_t n);
    /* out += in. */
    void (*add)(float *restrict out, const float *restrict in, size_t n);
    /* out = scale * in. */
    void (*scale)(float *restrict out, const float *restrict in, float scale, size_t n);
    /* out += scale * in. */
    void (*add_scaled)(float *restrict out, const float *restrict in, float scale, size_t n);
    /* out = scale * (in + position). */
    void (*add_position)(float *restrict out, const float *restrict in,
                         const float *restrict position, float scale, size_t n);

    /* In place: x_r = x_r * rstd_r, rstd_r = 1 / sqrt(mean(x_r^2) + epsilon) per row r.
     * rstd (R), unless NULL, gets the rstd_r for the backward pass. */
    void (*rmsnorm_forward)(float *x, float *rstd, int R, int C, float epsilon);
    /* In place: dy becomes rstd_r * (dy_r - y_r * mean(dy_r * y_r)); y is the forward
     * result. */
    void (*rmsnorm_backward)(float *restrict dy, const float *restrict y,
                             const float *restrict rstd, int R, int C);

    /* act = silu(gate) * up; rows (R, F) of gate and of up are ld apart, those of act
     * ld_act. act may be gate. */
    void (*swiglu_forward)(float *act, ptrdiff_t ld_act, const float *gate, const float *up,
                           ptrdiff_t ld, int R, int F);
    /* In: gate, up with rows ld apart, dact (R, F). Out: gate and up become their
     * gradients, dact becomes act. */
    void (*swiglu_backward)(float *restrict gate, float *restrict up, ptrdiff_t ld,
                            float *restrict dact, int R, int F);

    /* In place: pairs (i, i + d/2) of the first `heads` heads of each row turn by sign
     * * angle. Row r belongs to position (first + r) % S and is ld wide; cosine, sine
     * (S, d). */
    void (*rope)(float *x, ptrdiff_t ld, const float *cosine, const float *sine, float sign,
                 int first, int R, int S, int heads, int d);

    /* Floats of scratch that each of the four attention kernels of the set needs. */
    size_t (*attention_scratch)(int positions, int head_size);
    /* out (queries, d) with rows ld_out apart: softmax(q k / sqrt d) v. keep: NULL, or
     * (2, S): each row's largest score times log2(e), then the inverse of its sum of
     * exponentials. */
    void (*attention_forward)(float *out, ptrdiff_t ld_out, float *keep,
                              const struct attention_view *view, float *scratch);
    /* In: out and dout (S, d) of the forward pass, keep. Out: dq, dk, dv (rows view->ld
     * apart) which may be the very q, k, v of the view. */
    void (*attention_backward)(float *dq, float *dk, float *dv, const float *out,
                               const float *dout, ptrdiff_t ld_out, const float *keep,
                               const struct attention_view *view, float *scratch);
    /* The same in bfloat16: q, k and v are rounded, and in the forward pass the
     * probabilities that are multiplied with v; with AVX512-BF16 also the gradients
     * that enter a matrix product. */
    void (*attention_forward_bf16)(float *out, ptrdiff_t ld_out, float *keep,
                                   const struct attention_view *view, float *scratch);
    void (*attention_backward_bf16)(float *dq, float *dk, float *dv, const float *out,
                                    const float *dout, ptrdiff_t ld_out, const float *keep,
                                    const struct attention_view *view, float *scratch);

    /* In place: the nearest bfloat16, ties to even, as a float. NaN stays NaN. */
    void (*round_bf16)(float *x, size_t n);

    /* One for each type of the forward pass. NULL: the set has none, and OpenBLAS is
     * used. */
    const struct gemm_kernels *gemm_float32, *gemm_bfloat16;

    /* AdamATan2 over n elements in one pass (model.md section 4). */
    void (*adam_atan2)(float *restrict p, float *restrict m, float *restrict v,
                       const float *restrict g, struct adam_rates rates, size_t n);
    /* The same of AdamW: m / (sqrt(v) * v_correction + epsilon) in place of the
     * angle. */
    void (*adamw)(float *restrict p, float *restrict m, float *restrict v,
                  const float *restrict g, struct adam_rates rates, size_t n);
    /* p = p * decay - lr * sign(g). */
    void (*sign_sgd)(float *restrict p, const float *restrict g, float decay, float lr,
                     size_t n);
};

extern const struct kernels kernels_base, kernels_avx2, kernels_avx512, kernels_avx512_bf16;

/* The kernel set in use. The first call chooses it by HRMLAB_KERNELS or else by the
 * CPU. ERROR_FORMAT, with *out NULL: HRMLAB_KERNELS names a set that is unknown or that
 * this CPU cannot run. */
int kernels_current(const struct kernels **out, struct error *err) MUST_CHECK;

#endif
