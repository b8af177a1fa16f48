/* layers.c - the post-norm blocks of a module, forwards and backwards, over a chunk of rows. */
#include "engine_internal.h"

#include <string.h>

static void pack(struct engine *engine, size_t offset, int outputs, int inputs, bool halves)
{
    size_t at = offset * engine->gemm->element;

    gemm_pack(engine->gemm, engine->panels + at,
              engine->panels_back != NULL ? engine->panels_back + at : NULL,
              engine->weights + offset, outputs, inputs, halves);
}

void layers_prepare(struct engine *engine)
{
    int D = engine->D, A = engine->A, F = engine->F;

    if (engine->prepared)
        return;
    engine->prepared = true;
    if (engine_rounds(engine)) {
        memcpy(engine->weights, engine->parameters, engine->parameter_floats * sizeof(float));
        engine_round(engine, engine->weights, engine->parameter_floats);
    }
    if (engine->panels == NULL)
        return;
    for (int m = 0; m < MODULE_COUNT; m++)
        for (int i = 0; i < engine->modules[m].layers; i++) {
            const struct layer_weights *w = &engine->modules[m].weights[i];

            pack(engine, w->qkv, 3 * A, D, false);
            pack(engine, w->o_proj, D, A, false);
            pack(engine, w->gate_up, 2 * F, D, true);
            pack(engine, w->down, D, F, false);
        }
}

static int block_size(int left)
{
    return left <= BLOCK_MOST ? left : BLOCK;
}

/* Turns `heads` heads of count rows, of which the first is position `first` of its batch row. */
static void layer_rope(const struct engine *engine, float *x, int heads, float sign, int first,
                       int count)
{
    if (engine->config.pos_encodings == ENGINE_ROPE)
        engine->kernels->rope(x, engine->ld_qkv, engine->rope_cos, engine->rope_sin, sign,
                              first, count, engine->S, heads, engine->d);
}

/* qkv (R, 3A), q and k turned, from h (R, D). */
static void layer_qkv(const struct engine *engine, const struct layer_weights *w, float *qkv,
                      const float *h, int R)
{
    int A = engine->A, D = engine->D;

    for (int i = 0, few; i < R; i += few) {
        float *qkv_i = qkv + (ptrdiff_t)i * engine->ld_qkv;

        few = block_size(R - i);
        gemm_forward(qkv_i, engine->ld_qkv, h + (ptrdiff_t)i * D, D,
                     layer_weight(engine, w->qkv, 3 * A, D), few, 0);
        layer_rope(engine, qkv_i, 2 * engine->N, 1.0f, i % engine->S, few);
        engine_round_operand(engine, qkv_i, (size_t)few * (size_t)engine->ld_qkv);
    }
}

/* Head h of batch row b inside a qkv buffer. */
static struct attention_view head_view(const struct engine *engine, const float *qkv, int b,
                                       int h)
{
    int ld = engine->ld_qkv;
    const float *q = qkv + (ptrdiff_t)b * engine->S * ld + (ptrdiff_t)h * engine->d;

    return (struct attention_view){ .q = q,
                                    .k = q + engine->A,
                                    .v = q + 2 * engine->A,
                                    .ld = ld,
                                    .positions = engine->S,
                                    .queries = engine->S,
                                    .head_size = engine->d };
}

/* Floats of keep for one head. */
static ptrdiff_t keep_size(const struct engine *engine)
{
    return 2 * (ptrdiff_t)engine->S;
}

static void attend(const struct engine *engine, float *out, float *keep,
                   const struct attention_view *view)
{
    const struct kernels *kernels = engine->kernels;

    if (engine_rounds(engine))
        kernels->attention_forward_bf16(out, engine->A, keep, view, engine->scratch);
    else
        kernels->attention_forward(out, engine->A, keep, view, engine->scratch);
}

/* dqkv: the gradient's place of q in a qkv buffer. */
static void attend_backward(const struct engine *engine, float *dqkv, const float *out,
                            const float *dout, const float *keep,
                            const struct attention_view *view)
{
    const struct kernels *kernels = engine->kernels;
    float *dk = dqkv + engine->A, *dv = dk + engine->A;

    if (engine_rounds(engine))
        kernels->attention_backward_bf16(dqkv, dk, dv, out, dout, engine->A, keep, view,
                                         engine->scratch);
    else
        kernels->attention_backward(dqkv, dk, dv, out, dout, engine->A, keep, view,
                                    engine->scratch);
}

/* att (R, A) from qkv (R, 3A); keep as attention_forward, per row and head, or NULL. */
static void layer_attention(const struct engine *engine, float *att, float *keep,
                            const float *qkv, int rows)
{
    for (int b = 0; b < rows; b++)
        for (int h = 0; h < engine->N; h++) {
            struct attention_view view = head_view(engine, qkv, b, h);
            ptrdiff_t head = (ptrdiff_t)b * engine->N + h;

            attend(engine,
                   att + (ptrdiff_t)b * engine->S * engine->A + (ptrdiff_t)h * engine->d,
                   keep == NULL ? NULL : keep + head * keep_size(engine), &view);
        }
    engine_round_operand(engine, att, (size_t)rows * (size_t)engine->S * (size_t)engine->A);
}

/* x = norm(x) for count rows of D; rstd as rmsnorm_forward. */
static void layer_norm(const struct engine *engine, float *x, float *rstd, int count)
{
    engine->kernels->rmsnorm_forward(x, rstd, count, engine->D,
                                     (float)engine->config.rms_norm_eps);
    engine_round(engine, x, (size_t)count * (size_t)engine->D);
}

/* h = norm(h + down(silu(gate) * up)) for few rows, a block at most. */
static void layer_mlp(const struct engine *engine, const struct layer_weights *w, float *h,
                      int few)
{
    int D = engine->D, F = engine->F, ld = engine->ld_gate_up;
    struct gemm_weight gate_up = layer_weight(engine, w->gate_up, 2 * F, D);
    int ld_act = gate_up.panels != NULL ? F : ld;
    float *act = engine->gate_up; /* its first half, or the gate halves of its rows */

    if (gate_up.panels != NULL) {
        gemm_forward_swiglu(act, ld_act, NULL, 0, h, D, gate_up, few);
    } else {
        gemm_forward(act, ld, h, D, gate_up, few, 0);
        engine->kernels->swiglu_forward(act, ld, act, act + F, ld, few, F);
        engine_round_operand(engine, act, (size_t)few * (size_t)ld);
    }
    gemm_forward(h, D, act, ld_act, layer_weight(engine, w->down, D, F), few, 1);
    layer_norm(engine, h, NULL, few);
}

/* One block in place, nothing kept. */
static void layer_forward(const struct engine *engine, const struct layer_weights *w, float *h,
                          int rows)
{
    int R = rows * engine->S, D = engine->D, A = engine->A;

    layer_qkv(engine, w, engine->qkv, h, R);
    layer_attention(engine, engine->att, NULL, engine->qkv, rows);
    for (int i = 0, few; i < R; i += few) {
        float *h_i = h + (ptrdiff_t)i * D;

        few = block_size(R - i);
        gemm_forward(h_i, D, engine->att + (ptrdiff_t)i * A, A,
                     layer_weight(engine, w->o_proj, D, A), few, 1);
        layer_norm(engine, h_i, NULL, few);
        layer_mlp(engine, w, h_i, few);
    }
}

/* One block of which only position 0 is wanted: keys and values everywhere, the rest there. */
static void layer_forward_first(const struct engine *engine, const struct layer_weights *w,
                                float *first, const float *h, int rows)
{
    int S = engine->S, D = engine->D, A = engine->A, N = engine->N, ld = engine->ld_qkv;
    size_t keys_values = w->qkv + (size_t)A * (size_t)D;

    gemm_forward(engine->qkv + A, ld, h, D, layer_weight(engine, keys_values, 2 * A, D),
                 rows * S, 0);
    gemm_forward(engine->qkv, S * ld, h, S * D, layer_weight(engine, w->qkv, A, D), rows, 0);
    /* The angle of position 0 is 0, so q needs no turn. */
    layer_rope(engine, engine->qkv + A, N, 1.0f, 0, rows * S);
    engine_round_operand(engine, engine->qkv, (size_t)(rows * S) * (size_t)ld);
    for (int b = 0; b < rows; b++) {
        for (int n = 0; n < N; n++) {
            struct attention_view view = head_view(engine, engine->qkv, b, n);

            view.queries = 1;
            attend(engine, engine->att + (ptrdiff_t)b * A + (ptrdiff_t)n * engine->d, NULL,
                   &view);
        }
        memcpy(first + (ptrdiff_t)b * D, h + (ptrdiff_t)b * S * D, (size_t)D * sizeof *h);
    }
    engine_round_operand(engine, engine->att, (size_t)rows * (size_t)A);
    gemm_forward(first, D, engine->att, A, layer_weight(engine, w->o_proj, D, A), rows, 1);
    layer_norm(engine, first, NULL, rows);
    layer_mlp(engine, w, first, rows);
}

bool module_forward(struct engine *engine, enum segment_module module, float *h, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = 0; i < m->layers; i++) {
        layer_forward(engine, &m->weights[i], h, rows);
        if (!engine_goes_on(engine, WORK_FORWARD))
            return false;
    }
    return true;
}

bool module_forward_first(struct engine *engine, enum segment_module module, float *first,
                          float *h, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = 0; i < m->layers - 1; i++) {
        layer_forward(engine, &m->weights[i], h, rows);
        if (!engine_goes_on(engine, WORK_FORWARD))
            return false;
    }
    layer_forward_first(engine, &m->weights[m->layers - 1], first, h, rows);
    return engine_goes_on(engine, WORK_FORWARD);
}

/* out = norm(mid + down(silu(gate) * up)) for few rows from row i. */
static void mlp_forward_kept(const struct engine *engine, const struct layer_weights *w,
                             struct kept_layer *kept, float *out, int i, int few)
{
    int D = engine->D, F = engine->F, ld = engine->ld_gate_up;
    const float *mid = kept->mid + (ptrdiff_t)i * D;
    float *keep = kept->gate_up + (ptrdiff_t)i * ld, *out_i = out + (ptrdiff_t)i * D;
    struct gemm_weight gate_up = layer_weight(engine, w->gate_up, 2 * F, D);

    if (gate_up.panels != NULL) {
        gemm_forward_swiglu(engine->dact, F, keep, ld, mid, D, gate_up, few);
    } else {
        gemm_forward(keep, ld, mid, D, gate_up, few, 0);
        engine->kernels->swiglu_forward(engine->dact, F, keep, keep + F, ld, few, F);
        engine_round_operand(engine, engine->dact, (size_t)few * (size_t)F);
    }
    memcpy(out_i, mid, (size_t)few * (size_t)D * sizeof *out);
    gemm_forward(out_i, D, engine->dact, F, layer_weight(engine, w->down, D, F), few, 1);
    layer_norm(engine, out_i, kept->out_rstd + i, few);
}

/* One block from kept->in to out; the residual is the copy that the product adds to. */
static void layer_forward_kept(const struct engine *engine, const struct layer_weights *w,
                               struct kept_layer *kept, float *out, int rows)
{
    int R = rows * engine->S, D = engine->D, A = engine->A;

    layer_qkv(engine, w, kept->qkv, kept->in, R);
    layer_attention(engine, kept->att, kept->keep, kept->qkv, rows);
    for (int i = 0, few; i < R; i += few) {
        float *mid = kept->mid + (ptrdiff_t)i * D;

        few = block_size(R - i);
        memcpy(mid, kept->in + (ptrdiff_t)i * D, (size_t)few * (size_t)D * sizeof *mid);
        gemm_forward(mid, D, kept->att + (ptrdiff_t)i * A, A,
                     layer_weight(engine, w->o_proj, D, A), few, 1);
        layer_norm(engine, mid, kept->mid_rstd + i, few);
        mlp_forward_kept(engine, w, kept, out, i, few);
    }
}

bool module_forward_kept(struct engine *engine, enum segment_module module,
                         struct kept_layer *kept, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = 0; i < m->layers; i++) {
        layer_forward_kept(engine, &m->weights[i], &kept[i], kept[i + 1].in, rows);
        if (!engine_goes_on(engine, WORK_FORWARD))
            return false;
    }
    return true;
}

/* dh becomes the gradient of mid: through norm, down, swiglu, gate_up, and the residual. */
static void mlp_backward(struct engine *engine, const struct layer_weights *w,
                         struct kept_layer *kept, const float *out, float *dh, int R)
{
    int D = engine->D, F = engine->F, ld = engine->ld_gate_up;

    for (int i = 0, few; i < R; i += few) {
        float *dh_i = dh + (ptrdiff_t)i * D, *dact = engine->dact;
        float *gate = kept->gate_up + (ptrdiff_t)i * ld;

        few = block_size(R - i);
        engine->kernels->rmsnorm_backward(dh_i, out + (ptrdiff_t)i * D, kept->out_rstd + i, few,
                                          D);
        gemm_backward_input(dact, F, dh_i, D, layer_weight(engine, w->down, D, F), few, 0);
        engine->kernels->swiglu_backward(gate, gate + F, ld, dact, few, F);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->down, dh_i,
                             D, dact, F, D, F, few);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->gate_up,
                             gate, ld, kept->mid + (ptrdiff_t)i * D, D, 2 * F, D, few);
        gemm_backward_input(dh_i, D, gate, ld, layer_weight(engine, w->gate_up, 2 * F, D), few,
                            1);
    }
}

/* dh becomes the gradient of in: through norm, o_proj, attention, RoPE, qkv, the residual. */
static void attention_half_backward(struct engine *engine, const struct layer_weights *w,
                                    struct kept_layer *kept, float *dh, int rows)
{
    int S = engine->S, R = rows * S, D = engine->D, A = engine->A, ld = engine->ld_qkv;

    for (int i = 0, few; i < R; i += few) {
        float *dh_i = dh + (ptrdiff_t)i * D;

        few = block_size(R - i);
        engine->kernels->rmsnorm_backward(dh_i, kept->mid + (ptrdiff_t)i * D,
                                          kept->mid_rstd + i, few, D);
        gemm_backward_input(engine->datt + (ptrdiff_t)i * A, A, dh_i, D,
                            layer_weight(engine, w->o_proj, D, A), few, 0);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->o_proj, dh_i,
                             D, kept->att + (ptrdiff_t)i * A, A, D, A, few);
    }
    for (int b = 0; b < rows; b++)
        for (int h = 0; h < engine->N; h++) {
            struct attention_view view = head_view(engine, kept->qkv, b, h);
            ptrdiff_t at = (ptrdiff_t)b * S * A + (ptrdiff_t)h * engine->d;

            attend_backward(
                engine, kept->qkv + (view.q - kept->qkv), kept->att + at, engine->datt + at,
                kept->keep + ((ptrdiff_t)b * engine->N + h) * keep_size(engine), &view);
        }
    for (int i = 0, few; i < R; i += few) {
        float *dqkv_i = kept->qkv + (ptrdiff_t)i * ld;

        few = block_size(R - i);
        layer_rope(engine, dqkv_i, 2 * engine->N, -1.0f, i % S, few);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->qkv, dqkv_i,
                             ld, kept->in + (ptrdiff_t)i * D, D, 3 * A, D, few);
        gemm_backward_input(dh + (ptrdiff_t)i * D, D, dqkv_i, ld,
                            layer_weight(engine, w->qkv, 3 * A, D), few, 1);
    }
}

bool module_backward(struct engine *engine, enum segment_module module, struct kept_layer *kept,
                     float *dh, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = m->layers - 1; i >= 0; i--) {
        mlp_backward(engine, &m->weights[i], &kept[i], kept[i + 1].in, dh, rows * engine->S);
        attention_half_backward(engine, &m->weights[i], &kept[i], dh, rows);
        if (!engine_goes_on(engine, WORK_BACKWARD))
            return false;
    }
    return true;
}
