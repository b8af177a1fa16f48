/* layers.c - forward and backward pass of a module's post-norm layers over a chunk of
 * rows. */
#include "layers.h"

#include "engine_internal.h"
#include "walkers.h"

#include <string.h>

static void pack(struct engine *engine, size_t offset, int outputs, int inputs, bool halves)
{
    size_t at = offset * engine->gemm->element;

    gemm_pack(engine->gemm, engine->panels + at,
              engine->panels_back != NULL ? engine->panels_back + at : NULL,
              engine->weights + offset, outputs, inputs, halves);
}

static void pack_layer(struct engine *engine, const struct layer_weights *w)
{
    int D = engine->D, A = engine->A, F = engine->F;

    if (engine->F_t == 0) {
        pack(engine, w->qkv, 3 * A, D, false);
        pack(engine, w->o_proj, D, A, false);
    }
    pack(engine, w->gate_up, 2 * F, D, true);
    pack(engine, w->down, D, F, false);
}

/* What the threads need to prepare weights. */
struct preparation {
    struct engine *engine;
    const float *source;
};

/* A thread's part of rounding all weights. */
static void round_member(void *context, int member)
{
    const struct preparation *p = context;
    struct engine *engine = p->engine;
    int members = engine->config.threads;
    size_t first = team_part(engine->parameter_floats, members, member);
    size_t end = team_part(engine->parameter_floats, members, member + 1);

    memcpy(engine->weights + first, p->source + first, (end - first) * sizeof(float));
    engine_round(engine, engine->weights + first, end - first);
}

/* A thread's part of packing the weights: every layer whose number, modulo the number
 * of threads, is the member's. */
static void pack_member(void *context, int member)
{
    const struct preparation *p = context;
    struct engine *engine = p->engine;
    int layer = 0;

    for (int m = 0; m < MODULE_COUNT; m++)
        for (int i = 0; i < engine->modules[m].layers; i++, layer++)
            if (layer % engine->config.threads == member)
                pack_layer(engine, &engine->modules[m].weights[i]);
}

void layers_prepare(struct engine *engine, float *source)
{
    struct preparation preparation = { engine, source };

    if (engine->prepared == source)
        return;
    engine->prepared = source;
    if (engine_rounds(engine))
        walkers_share(engine, round_member, &preparation);
    else
        engine->weights = source;
    if (engine->panels != NULL)
        walkers_share(engine, pack_member, &preparation);
}

/* Rows of the next block when `left` rows remain: a small remainder joins the last
 * block. */
static int block_size(int left)
{
    return left <= BLOCK_MOST ? left : BLOCK;
}

/* RoPE in place on the first `heads` heads of `count` rows, of which the first is
 * position `first` of its batch row. sign: 1, or -1 for the inverse rotation of the
 * backward pass. */
static void layer_rope(const struct engine *engine, float *x, int heads, float sign, int first,
                       int count)
{
    if (engine->config.pos_encodings == ENGINE_ROPE)
        engine->kernels->rope(x, engine->ld_qkv, engine->rope_cos, engine->rope_sin, sign,
                              first, count, engine->S, heads, engine->d);
}

/* qkv (R, 3A) from h (R, D), RoPE applied to q and k. */
static void layer_qkv(const struct engine *engine, const struct layer_weights *w, float *qkv,
                      const float *h, int R)
{
    int A = engine->A, D = engine->D;

    for (int i = 0, count; i < R; i += count) {
        float *qkv_i = qkv + (ptrdiff_t)i * engine->ld_qkv;

        count = block_size(R - i);
        gemm_forward(qkv_i, engine->ld_qkv, h + (ptrdiff_t)i * D, D,
                     layer_weight(engine, w->qkv, 3 * A, D), count, 0);
        layer_rope(engine, qkv_i, 2 * engine->N, 1.0f, i % engine->S, count);
        engine_round_operand(engine, qkv_i, (size_t)count * (size_t)engine->ld_qkv);
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

/* Floats that attention_forward saves per head for the backward pass. */
static ptrdiff_t keep_size(const struct engine *engine)
{
    return 2 * (ptrdiff_t)engine->S;
}

static void attention_head(const struct engine *engine, float *out, float *keep,
                           const struct attention_view *view)
{
    const struct kernels *kernels = engine->kernels;

    if (engine_rounds(engine))
        kernels->attention_forward_bf16(out, engine->A, keep, view, engine->scratch);
    else
        kernels->attention_forward(out, engine->A, keep, view, engine->scratch);
}

/* dqkv: address of the gradient of q in a qkv buffer; those of k and v lie A and 2A
 * floats after it. */
static void attention_head_backward(const struct engine *engine, float *dqkv, const float *out,
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

/* att (R, A) from qkv (R, 3A). keep, unless NULL, gets what attention_forward saves of
 * each batch row and head. */
static void layer_attention(const struct engine *engine, float *att, float *keep,
                            const float *qkv, int rows)
{
    for (int b = 0; b < rows; b++)
        for (int h = 0; h < engine->N; h++) {
            struct attention_view view = head_view(engine, qkv, b, h);
            ptrdiff_t head = (ptrdiff_t)b * engine->N + h;

            attention_head(
                engine, att + (ptrdiff_t)b * engine->S * engine->A + (ptrdiff_t)h * engine->d,
                keep == NULL ? NULL : keep + head * keep_size(engine), &view);
        }
    engine_round_operand(engine, att, (size_t)rows * (size_t)engine->S * (size_t)engine->A);
}

/* x = norm(x) for count rows of `width` values; rstd as in rmsnorm_forward. */
static void layer_norm(const struct engine *engine, float *x, float *rstd, int count, int width)
{
    engine->kernels->rmsnorm_forward(x, rstd, count, width, (float)engine->config.rms_norm_eps);
    engine_round(engine, x, (size_t)count * (size_t)width);
}

/* A SwiGLU sub-layer: x = norm(x + down(silu(gate) * up)) for rows of `inputs`
 * values. */
struct swiglu {
    size_t gate_up, down; /* offsets of the weights */
    int inputs, width;    /* of x; of gate and of up */
    int ld;               /* from a row of gate and up to the next */
    bool packs;           /* the weights have panels if the engine has panels */
};

/* The SwiGLU over the channels of a position: rows are positions. */
static struct swiglu over_channels(const struct engine *engine, const struct layer_weights *w)
{
    return (
        struct swiglu){ w->gate_up, w->down, engine->D, engine->F, engine->ld_gate_up, true };
}

/* mlp_t, the SwiGLU over the positions of a channel: rows are the channels of a batch
 * row. */
static struct swiglu over_positions(const struct engine *engine, const struct layer_weights *w)
{
    return (
        struct swiglu){ w->t_gate_up, w->t_down, engine->S, engine->F_t, engine->ld_t, false };
}

static struct gemm_weight swiglu_gate_up(const struct engine *engine, const struct swiglu *s)
{
    return s->packs ? layer_weight(engine, s->gate_up, 2 * s->width, s->inputs)
                    : engine_weight(engine, s->gate_up, 2 * s->width, s->inputs);
}

static struct gemm_weight swiglu_down(const struct engine *engine, const struct swiglu *s)
{
    return s->packs ? layer_weight(engine, s->down, s->inputs, s->width)
                    : engine_weight(engine, s->down, s->inputs, s->width);
}

/* Forward pass in place for count rows of x, at most one block. */
static void swiglu_forward(const struct engine *engine, const struct swiglu *s, float *x,
                           int count)
{
    struct gemm_weight gate_up = swiglu_gate_up(engine, s);
    int ld_act = gate_up.panels != NULL ? s->width : s->ld;
    float *act = engine->gate_up; /* (count, width), or gate halves of its rows */

    if (gate_up.panels != NULL) {
        gemm_forward_swiglu(act, ld_act, NULL, 0, x, s->inputs, gate_up, count);
    } else {
        gemm_forward(act, s->ld, x, s->inputs, gate_up, count, 0);
        engine->kernels->swiglu_forward(act, s->ld, act, act + s->width, s->ld, count,
                                        s->width);
        engine_round(engine, act, (size_t)count * (size_t)s->ld);
    }
    gemm_forward(x, s->inputs, act, ld_act, swiglu_down(engine, s), count, 1);
    layer_norm(engine, x, NULL, count, s->inputs);
}

/* out (columns, rows) = transpose of in (rows, columns), one square at a time. */
static void transpose(float *restrict out, const float *restrict in, int rows, int columns)
{
    enum { SQUARE = 16 };

    for (int r = 0; r < rows; r += SQUARE)
        for (int c = 0; c < columns; c += SQUARE)
            for (int i = r; i < rows && i < r + SQUARE; i++)
                for (int j = c; j < columns && j < c + SQUARE; j++)
                    out[(ptrdiff_t)j * rows + i] = in[(ptrdiff_t)i * columns + j];
}

/* Transposes each batch row from (S, D) to (D, S), or back. */
static void transpose_rows(const struct engine *engine, float *out, const float *in, int rows,
                           bool back)
{
    ptrdiff_t size = (ptrdiff_t)engine->S * engine->D;

    for (int b = 0; b < rows; b++)
        transpose(out + b * size, in + b * size, back ? engine->D : engine->S,
                  back ? engine->S : engine->D);
}

/* First half of a layer with mlp_t, in place. */
static void positions_forward(const struct engine *engine, const struct layer_weights *w,
                              float *h, int rows)
{
    struct swiglu s = over_positions(engine, w);
    int R = rows * engine->D;

    transpose_rows(engine, engine->transposed, h, rows, false);
    for (int i = 0, count; i < R; i += count) {
        count = block_size(R - i);
        swiglu_forward(engine, &s, engine->transposed + (ptrdiff_t)i * engine->S, count);
    }
    transpose_rows(engine, h, engine->transposed, rows, true);
}

/* First half of a layer with attention, without o_proj: into engine->att. */
static void attention_forward(const struct engine *engine, const struct layer_weights *w,
                              const float *h, int rows)
{
    layer_qkv(engine, w, engine->qkv, h, rows * engine->S);
    layer_attention(engine, engine->att, NULL, engine->qkv, rows);
}

/* One layer in place, without cached activations. */
static void layer_forward(const struct engine *engine, const struct layer_weights *w, float *h,
                          int rows)
{
    int R = rows * engine->S, D = engine->D, A = engine->A;
    struct swiglu s = over_channels(engine, w);
    bool attends = engine->F_t == 0;

    if (attends)
        attention_forward(engine, w, h, rows);
    else
        positions_forward(engine, w, h, rows);
    for (int i = 0, count; i < R; i += count) {
        float *h_i = h + (ptrdiff_t)i * D;

        count = block_size(R - i);
        if (attends) {
            gemm_forward(h_i, D, engine->att + (ptrdiff_t)i * A, A,
                         layer_weight(engine, w->o_proj, D, A), count, 1);
            layer_norm(engine, h_i, NULL, count, D);
        }
        swiglu_forward(engine, &s, h_i, count);
    }
}

/* One layer of which only the output at position 0 is wanted. Attention computes keys
 * and values of all positions and the rest at position 0 alone. With mlp_t the first
 * half is computed at all positions, and h is overwritten. */
static void layer_forward_first(const struct engine *engine, const struct layer_weights *w,
                                float *first, float *h, int rows)
{
    int S = engine->S, D = engine->D, A = engine->A, N = engine->N, ld = engine->ld_qkv;
    size_t keys_values = w->qkv + (size_t)A * (size_t)D;
    struct swiglu s = over_channels(engine, w);

    if (engine->F_t > 0) {
        positions_forward(engine, w, h, rows);
        for (int b = 0; b < rows; b++)
            memcpy(first + (ptrdiff_t)b * D, h + (ptrdiff_t)b * S * D, (size_t)D * sizeof *h);
        swiglu_forward(engine, &s, first, rows);
        return;
    }

    gemm_forward(engine->qkv + A, ld, h, D, layer_weight(engine, keys_values, 2 * A, D),
                 rows * S, 0);
    gemm_forward(engine->qkv, S * ld, h, S * D, layer_weight(engine, w->qkv, A, D), rows, 0);
    /* The rotation of position 0 is the identity, so q needs none. */
    layer_rope(engine, engine->qkv + A, N, 1.0f, 0, rows * S);
    engine_round_operand(engine, engine->qkv, (size_t)(rows * S) * (size_t)ld);
    for (int b = 0; b < rows; b++) {
        for (int n = 0; n < N; n++) {
            struct attention_view view = head_view(engine, engine->qkv, b, n);

            view.queries = 1;
            attention_head(engine, engine->att + (ptrdiff_t)b * A + (ptrdiff_t)n * engine->d,
                           NULL, &view);
        }
        memcpy(first + (ptrdiff_t)b * D, h + (ptrdiff_t)b * S * D, (size_t)D * sizeof *h);
    }
    engine_round_operand(engine, engine->att, (size_t)rows * (size_t)A);
    gemm_forward(first, D, engine->att, A, layer_weight(engine, w->o_proj, D, A), rows, 1);
    layer_norm(engine, first, NULL, rows, D);
    swiglu_forward(engine, &s, first, rows);
}

bool module_forward_layer(struct engine *engine, enum system_module module, int layer, float *h,
                          int rows)
{
    layer_forward(engine, &engine->modules[module].weights[layer], h, rows);
    return engine_goes_on(engine, WORK_FORWARD);
}

bool module_forward(struct engine *engine, enum system_module module, float *h, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = 0; i < m->layers; i++)
        if (!module_forward_layer(engine, module, i, h, rows))
            return false;
    return true;
}

bool module_forward_first(struct engine *engine, enum system_module module, float *first,
                          float *h, int rows)
{
    const struct module *m = &engine->modules[module];

    for (int i = 0; i < m->layers - 1; i++)
        if (!module_forward_layer(engine, module, i, h, rows))
            return false;
    layer_forward_first(engine, &m->weights[m->layers - 1], first, h, rows);
    return engine_goes_on(engine, WORK_FORWARD);
}

/* out = norm(x + down(silu(gate) * up)) for count rows, at most one block. Caches gate,
 * up and rstd for the backward pass. */
static void swiglu_forward_kept(const struct engine *engine, const struct swiglu *s, float *out,
                                float *rstd, float *gate_up, const float *x, int count)
{
    struct gemm_weight weight = swiglu_gate_up(engine, s);

    if (weight.panels != NULL) {
        gemm_forward_swiglu(engine->dact, s->width, gate_up, s->ld, x, s->inputs, weight,
                            count);
    } else {
        gemm_forward(gate_up, s->ld, x, s->inputs, weight, count, 0);
        engine->kernels->swiglu_forward(engine->dact, s->width, gate_up, gate_up + s->width,
                                        s->ld, count, s->width);
        engine_round(engine, engine->dact, (size_t)count * (size_t)s->width);
    }
    memcpy(out, x, (size_t)count * (size_t)s->inputs * sizeof *out);
    gemm_forward(out, s->inputs, engine->dact, s->width, swiglu_down(engine, s), count, 1);
    layer_norm(engine, out, rstd, count, s->inputs);
}

static void positions_forward_kept(const struct engine *engine, const struct layer_weights *w,
                                   struct kept_layer *kept, int rows)
{
    struct swiglu s = over_positions(engine, w);
    int R = rows * engine->D;

    transpose_rows(engine, kept->t_in, kept->in, rows, false);
    for (int i = 0, count; i < R; i += count) {
        ptrdiff_t at = (ptrdiff_t)i * s.inputs;

        count = block_size(R - i);
        swiglu_forward_kept(engine, &s, kept->t_out + at, kept->t_rstd + i,
                            kept->t_gate_up + (ptrdiff_t)i * s.ld, kept->t_in + at, count);
    }
    transpose_rows(engine, kept->mid, kept->t_out, rows, true);
}

/* One layer from kept->in to out, with cached activations. The residual is added by
 * copying it to the output first, to which the GEMM then adds. */
static void layer_forward_kept(const struct engine *engine, const struct layer_weights *w,
                               struct kept_layer *kept, float *out, int rows)
{
    int R = rows * engine->S, D = engine->D, A = engine->A;
    struct swiglu s = over_channels(engine, w);
    bool attends = engine->F_t == 0;

    if (attends) {
        layer_qkv(engine, w, kept->qkv, kept->in, R);
        layer_attention(engine, kept->att, kept->keep, kept->qkv, rows);
    } else {
        positions_forward_kept(engine, w, kept, rows);
    }
    for (int i = 0, count; i < R; i += count) {
        ptrdiff_t at = (ptrdiff_t)i * D;
        float *mid = kept->mid + at;

        count = block_size(R - i);
        if (attends) {
            memcpy(mid, kept->in + at, (size_t)count * (size_t)D * sizeof *mid);
            gemm_forward(mid, D, kept->att + (ptrdiff_t)i * A, A,
                         layer_weight(engine, w->o_proj, D, A), count, 1);
            layer_norm(engine, mid, kept->mid_rstd + i, count, D);
        }
        swiglu_forward_kept(engine, &s, out + at, kept->out_rstd + i,
                            kept->gate_up + (ptrdiff_t)i * s.ld, mid, count);
    }
}

bool module_forward_kept(struct engine *engine, enum system_module module,
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

/* Backward pass through norm, down, SwiGLU, gate_up and residual of R rows: dx, the
 * gradient of out, becomes that of x, and gate_up becomes its own gradient. */
static void swiglu_backward(struct engine *engine, const struct swiglu *s, float *dx,
                            float *gate_up, const float *x, const float *out, const float *rstd,
                            int R)
{
    const struct gemm_kernels *gemm = s->packs ? engine->gemm : NULL;
    int inputs = s->inputs, width = s->width;

    for (int i = 0, count; i < R; i += count) {
        ptrdiff_t at = (ptrdiff_t)i * inputs;
        float *dx_i = dx + at, *dact = engine->dact;
        float *gate = gate_up + (ptrdiff_t)i * s->ld;

        count = block_size(R - i);
        engine->kernels->rmsnorm_backward(dx_i, out + at, rstd + i, count, inputs);
        gemm_backward_input(dact, width, dx_i, inputs, swiglu_down(engine, s), count, 0);
        engine->kernels->swiglu_backward(gate, gate + width, s->ld, dact, count, width);
        gemm_backward_weight(gemm, engine->scratch, engine->gradients + s->down, dx_i, inputs,
                             dact, width, inputs, width, count);
        engine_advance_sum(engine);
        gemm_backward_weight(gemm, engine->scratch, engine->gradients + s->gate_up, gate, s->ld,
                             x + at, inputs, 2 * width, inputs, count);
        gemm_backward_input(dx_i, inputs, gate, s->ld, swiglu_gate_up(engine, s), count, 1);
        engine_advance_sum(engine);
    }
}

static void positions_backward(struct engine *engine, const struct layer_weights *w,
                               struct kept_layer *kept, float *dh, int rows)
{
    struct swiglu s = over_positions(engine, w);

    transpose_rows(engine, engine->transposed, dh, rows, false);
    swiglu_backward(engine, &s, engine->transposed, kept->t_gate_up, kept->t_in, kept->t_out,
                    kept->t_rstd, rows * engine->D);
    transpose_rows(engine, dh, engine->transposed, rows, true);
}

/* Backward pass through norm, o_proj, attention, RoPE, qkv and residual: dh, the
 * gradient of mid, becomes that of in. */
static void attention_backward(struct engine *engine, const struct layer_weights *w,
                               struct kept_layer *kept, float *dh, int rows)
{
    int S = engine->S, R = rows * S, D = engine->D, A = engine->A, ld = engine->ld_qkv;

    for (int i = 0, count; i < R; i += count) {
        float *dh_i = dh + (ptrdiff_t)i * D;

        count = block_size(R - i);
        engine->kernels->rmsnorm_backward(dh_i, kept->mid + (ptrdiff_t)i * D,
                                          kept->mid_rstd + i, count, D);
        gemm_backward_input(engine->datt + (ptrdiff_t)i * A, A, dh_i, D,
                            layer_weight(engine, w->o_proj, D, A), count, 0);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->o_proj, dh_i,
                             D, kept->att + (ptrdiff_t)i * A, A, D, A, count);
        engine_advance_sum(engine);
    }
    for (int b = 0; b < rows; b++)
        for (int h = 0; h < engine->N; h++) {
            struct attention_view view = head_view(engine, kept->qkv, b, h);
            ptrdiff_t at = (ptrdiff_t)b * S * A + (ptrdiff_t)h * engine->d;

            attention_head_backward(
                engine, kept->qkv + (view.q - kept->qkv), kept->att + at, engine->datt + at,
                kept->keep + ((ptrdiff_t)b * engine->N + h) * keep_size(engine), &view);
            engine_advance_sum(engine);
        }
    for (int i = 0, count; i < R; i += count) {
        float *dqkv_i = kept->qkv + (ptrdiff_t)i * ld;

        count = block_size(R - i);
        layer_rope(engine, dqkv_i, 2 * engine->N, -1.0f, i % S, count);
        gemm_backward_weight(engine->gemm, engine->scratch, engine->gradients + w->qkv, dqkv_i,
                             ld, kept->in + (ptrdiff_t)i * D, D, 3 * A, D, count);
        gemm_backward_input(dh + (ptrdiff_t)i * D, D, dqkv_i, ld,
                            layer_weight(engine, w->qkv, 3 * A, D), count, 1);
        engine_advance_sum(engine);
    }
}

bool module_backward(struct engine *engine, const struct module_call *call,
                     struct kept_layer *kept, float *dh, int rows)
{
    const struct module *m = &engine->modules[call->module];
    bool gives = call->ends_module && engine->pieces.early > 0;

    for (int i = m->layers - 1; i >= 0; i--) {
        const struct layer_weights *w = &m->weights[i];
        struct swiglu s = over_channels(engine, w);

        swiglu_backward(engine, &s, dh, kept[i].gate_up, kept[i].mid, kept[i + 1].in,
                        kept[i].out_rstd, rows * engine->S);
        if (engine->F_t == 0)
            attention_backward(engine, w, &kept[i], dh, rows);
        else
            positions_backward(engine, w, &kept[i], dh, rows);
        if (gives)
            lanes_give_piece(engine->lanes, engine->chunk, w->piece);
        if (!engine_goes_on(engine, WORK_BACKWARD))
            return false;
    }
    return true;
}
