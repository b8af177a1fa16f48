/* memory.c - an engine's sizes, and its blocks of memory laid out from them. */
#include "memory.h"

#include "block.h"
#include "engine_internal.h"
#include "shape_widths.h"
#include "walkers.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Positions of a chunk: enough that adding to the weight gradients once per chunk costs
 * little, and not too many for a layer's activations to stay in the second and third
 * cache. */
enum { CHUNK_POSITIONS = 512 };

/* Rows that are a multiple of BAD_STRIDE floats apart map to the same sets of a cache
 * and evict each other, so STRIDE_PAD floats are added. */
enum { BAD_STRIDE = 512, STRIDE_PAD = 16 };

static int row_stride(int width)
{
    return width % BAD_STRIDE == 0 ? width + STRIDE_PAD : width;
}

static int ceil_divide(int a, int b)
{
    return (a + b - 1) / b;
}

/* Rows per chunk, such that chunks are about equal. */
static int choose_chunk_rows(int B, int S)
{
    int rows = CHUNK_POSITIONS / S;

    if (rows < 1)
        rows = 1;
    return ceil_divide(B, ceil_divide(B, rows < B ? rows : B));
}

/* Most rows that a chunk may have: those of a lane, and no more than a micro-batch. */
static int chunked_rows(const struct engine *engine)
{
    int lane = ceil_divide(engine->B, engine->config.gradient_lanes);

    return engine->micro_rows < lane ? engine->micro_rows : lane;
}

void memory_set_sizes(struct engine *engine)
{
    const struct engine_config *c = &engine->config;

    engine->B = c->batch_size;
    engine->T = c->seq_len;
    engine->D = c->hidden_size;
    engine->N = c->num_heads;
    engine->d = c->hidden_size / c->num_heads;
    engine->A = engine->N * engine->d;
    engine->V = c->vocab_size;
    engine->F = c->intermediate_size;
    engine->E = c->puzzle_emb_ndim;
    engine->P = (int)shape_prefix(c->puzzle_emb_ndim, c->puzzle_emb_len, c->hidden_size);
    engine->U = engine_input_tokens(c);
    engine->G = engine->P + engine->U - engine->T;
    engine->S = engine->P + engine->U;
    engine->ld_qkv = row_stride(3 * engine->A);
    engine->ld_gate_up = row_stride(2 * engine->F);
    engine->F_t = c->mlp_t_size;
    engine->ld_t = row_stride(2 * engine->F_t);
    engine->micro_rows = c->micro_batch > 0 ? c->micro_batch : engine->B;
    engine->chunk_rows = choose_chunk_rows(chunked_rows(engine), engine->S);
    /* Learned positions: x = 0.7071 (e + position) before the common factor sqrt D. */
    engine->embedding_scale = (float)(sqrt((double)engine->D) *
                                      (c->pos_encodings == ENGINE_LEARNED ? 0.707106781 : 1.0));
}

static int allocate_parameters(struct engine *e, struct error *err)
{
    size_t kept = e->config.inference_only ? 0 : e->parameter_floats;
    int rc = block_allocate(
        &e->parameter_block, &e->sum, "parameters",
        (struct block_item[]){ { &e->parameters, e->parameter_floats, sizeof(float) } }, 1,
        err);

    if (rc < 0)
        return rc;
    rc = block_allocate(&e->average_block, &e->sum, "averages of the parameters",
                        (struct block_item[]){
                            { &e->averages, e->config.ema_rate > 0.0 ? e->parameter_floats : 0,
                              sizeof(float) } },
                        1, err);
    if (rc < 0)
        return rc;
    rc = block_allocate(
        &e->buffer_block, &e->sum, "puzzle embedding",
        (struct block_item[]){ { &e->buffers, e->buffer_floats, sizeof(float) } }, 1, err);
    if (rc < 0)
        return rc;
    if (!e->config.inference_only) {
        rc = lanes_create(&e->lanes, ranks_lanes(e), ranks_lane_deal(e), e->train_walkers,
                          &e->pieces, e->kernels, &e->sum, err);
        if (rc < 0)
            return rc;
        e->gradients = lanes_any(e->lanes);
        if (e->ranks != NULL)
            rc = gradient_sum_create(&e->gradient_sum, e->config.exchange, &e->pieces,
                                     e->kernels, err);
        if (rc < 0)
            return rc;
    }
    rc = block_allocate(&e->m_block, &e->sum, "first moments",
                        (struct block_item[]){ { &e->m, kept, sizeof(float) } }, 1, err);
    if (rc < 0)
        return rc;
    return block_allocate(&e->v_block, &e->sum, "second moments",
                          (struct block_item[]){ { &e->v, kept, sizeof(float) } }, 1, err);
}

/* Allocates the rounded weights, and the packed ones if the kernel set has GEMM
 * kernels. These use one thread; if OpenBLAS has more, it is used in their place. */
static int allocate_weights(struct engine *e, struct error *err)
{
    size_t rounded = engine_rounds(e) ? e->parameter_floats : 0, packed = 0, back = 0;
    size_t element = sizeof(float);
    int rc;

    if (gemm_blas_threads() == 1)
        e->gemm = engine_rounds(e) ? e->kernels->gemm_bfloat16 : e->kernels->gemm_float32;
    if (gemm_packs(e->gemm, e->D, e->A) && gemm_packs(e->gemm, e->D, e->F)) {
        element = e->gemm->element;
        packed = e->parameter_floats;
        back = e->config.inference_only ? 0 : packed;
    } else {
        e->gemm = NULL;
    }
    rc = block_allocate(&e->weight_block, &e->sum, "rounded and packed weights",
                        (struct block_item[]){ { &e->weights, rounded, sizeof(float) },
                                               { &e->panels, packed, element },
                                               { &e->panels_back, back, element } },
                        3, err);
    return rc;
}

static int allocate_carries(struct engine *e, struct error *err)
{
    size_t B = (size_t)e->B, T = (size_t)e->T, U = (size_t)e->U;
    size_t z = size_product(size_product(B, (size_t)e->S), (size_t)e->D);
    bool low = e->system->init[STATE_Z_L] != NULL, trains = !e->config.inference_only;
    struct carry *train = &e->train, *eval = &e->eval;
    const struct block_item items[] = {
        { &train->z[STATE_Z_H], trains ? z : 0, sizeof(float) },
        { &train->z[STATE_Z_L], trains && low ? z : 0, sizeof(float) },
        { &train->steps, trains ? B : 0, sizeof(int32_t) },
        { &train->inputs, trains ? size_product(B, U) : 0, sizeof(int32_t) },
        { &train->labels, trains ? size_product(B, T) : 0, sizeof(int32_t) },
        { &train->identifiers, trains ? B : 0, sizeof(int32_t) },
        { &train->halted, trains ? B : 0, sizeof(uint8_t) },
        { &eval->z[STATE_Z_H], z, sizeof(float) },
        { &eval->z[STATE_Z_L], low ? z : 0, sizeof(float) },
        { &eval->steps, B, sizeof(int32_t) },
        { &eval->inputs, size_product(B, U), sizeof(int32_t) },
        { &eval->labels, size_product(B, T), sizeof(int32_t) },
        { &eval->identifiers, B, sizeof(int32_t) },
        { &eval->halted, B, sizeof(uint8_t) },
    };

    return block_allocate(&e->carry_block, &e->sum, "carries", items,
                          sizeof items / sizeof *items, err);
}

static int allocate_outputs(struct engine *e, struct error *err)
{
    size_t B = (size_t)e->B, grid = size_product(B, (size_t)e->T);
    /* made even where mlp_t reads none */
    bool rope = e->config.pos_encodings == ENGINE_ROPE;
    size_t table = rope ? size_product((size_t)e->S, (size_t)e->d) : 0;
    size_t puzzle = e->config.inference_only ? 0 : size_product(B, (size_t)e->E);
    const struct block_item items[] = {
        { &e->logits, size_product(grid, (size_t)e->V), sizeof(float) },
        { &e->predictions, grid, sizeof(int32_t) },
        { &e->q_halt, B, sizeof(float) },
        { &e->q_continue, B, sizeof(float) },
        { &e->target_q, B, sizeof(float) },
        { &e->row_loss, B, sizeof(double) },
        { &e->scores, B, sizeof(struct row_score) },
        { &e->halt_test, B, sizeof(uint8_t) },
        { &e->puzzle_gradient, puzzle, sizeof(float) },
        { &e->puzzle_sum, puzzle > 0 ? (size_t)e->E : 0, sizeof(float) },
        { &e->rope_cos, table, sizeof(float) },
        { &e->rope_sin, table, sizeof(float) },
    };

    return block_allocate(&e->output_block, &e->sum, "outputs", items,
                          sizeof items / sizeof *items, err);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Floats of one block of positions, of at most R rows. */
static size_t block_floats(size_t R, int width)
{
    return size_product(R < BLOCK_MOST ? R : BLOCK_MOST, (size_t)width);
}

/* Floats of scratch: what an attention or a GEMM call needs, whichever is more. */
static size_t scratch_floats(const struct engine *e)
{
    size_t attention = e->F_t == 0 ? e->kernels->attention_scratch(e->S, e->d) : 0;

    return larger(attention, gemm_scratch(e->gemm));
}

/* Lists the scratch of one walker in items, which has room for SCRATCH_ITEMS. */
enum { SCRATCH_ITEMS = 18 };
static void scratch_items(struct engine *e, struct block_item *items)
{
    bool low = e->system->init[STATE_Z_L] != NULL;
    bool trains = e->member < e->train_walkers && !e->config.inference_only;
    bool attends = e->F_t == 0, target = trains && e->facts->q_continue;
    size_t rows = (size_t)e->chunk_rows, R = size_product(rows, (size_t)e->S);
    size_t RD = size_product(R, (size_t)e->D);
    size_t RA = attends ? size_product(R, (size_t)e->A) : 0;
    size_t RV = size_product(R, (size_t)e->V);
    size_t block = larger(block_floats(R, e->F), block_floats(rows * (size_t)e->D, e->F_t));
    size_t qkv = attends ? size_product(R, (size_t)e->ld_qkv) : 0;
    size_t gate_up = larger(size_product(R, (size_t)e->ld_gate_up),
                            block_floats(rows * (size_t)e->D, e->ld_t));
    size_t D = (size_t)e->D;
    const struct block_item table[SCRATCH_ITEMS] = {
        { &e->x, RD, sizeof(float) },
        { &e->qkv, qkv, sizeof(float) },
        { &e->att, RA, sizeof(float) },
        { &e->gate_up, gate_up, sizeof(float) },
        { &e->scratch, scratch_floats(e), sizeof(float) },
        { &e->transposed, attends ? 0 : RD, sizeof(float) },
        { &e->chunk_logits, RV, sizeof(float) },
        { &e->position, D, sizeof(float) },
        { &e->target_z[STATE_Z_H], target ? RD : 0, sizeof(float) },
        { &e->target_z[STATE_Z_L], target && low ? RD : 0, sizeof(float) },
        { &e->target_first, target ? rows * D : 0, sizeof(float) },
        { &e->dstate[STATE_Z_H], trains ? RD : 0, sizeof(float) },
        { &e->dstate[STATE_Z_L], trains && low ? RD : 0, sizeof(float) },
        { &e->dstate[STATE_X], trains ? RD : 0, sizeof(float) },
        { &e->dlogits, trains ? RV : 0, sizeof(float) },
        { &e->dq, trains ? rows * 2 : 0, sizeof(float) },
        { &e->datt, trains ? RA : 0, sizeof(float) },
        { &e->dact, trains ? block : 0, sizeof(float) },
    };

    memcpy(items, table, sizeof table);
}

static int allocate_scratch(struct engine *e, struct error *err)
{
    size_t walkers = (size_t)e->config.threads;
    struct block_item *items = calloc(walkers * SCRATCH_ITEMS, sizeof *items);

    if (items == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of activations");
    walkers_refresh(e);
    for (size_t i = 0; i < walkers; i++)
        scratch_items(e->walkers[i], items + i * SCRATCH_ITEMS);
    int rc = block_allocate(&e->activation_block, &e->sum, "activations", items,
                            (int)(walkers * SCRATCH_ITEMS), err);
    free(items);
    return rc;
}

/* Lists the cached activations of one layer in items, which has room for KEPT_ITEMS. */
enum { KEPT_ITEMS = 12 };
static void kept_layer_items(const struct engine *e, struct kept_layer *k,
                             struct block_item *items, bool whole)
{
    size_t rows = (size_t)e->chunk_rows, R = size_product(rows, (size_t)e->S);
    size_t RD = size_product(R, (size_t)e->D), RA = size_product(R, (size_t)e->A);
    size_t keep = size_product(size_product(2, R), (size_t)e->N);
    size_t channels = size_product(rows, (size_t)e->D);
    bool attends = whole && e->F_t == 0, transposes = whole && e->F_t > 0;
    const struct block_item table[KEPT_ITEMS] = {
        { &k->in, RD, sizeof(float) },
        { &k->qkv, attends ? size_product(R, (size_t)e->ld_qkv) : 0, sizeof(float) },
        { &k->keep, attends ? keep : 0, sizeof(float) },
        { &k->att, attends ? RA : 0, sizeof(float) },
        { &k->t_in, transposes ? RD : 0, sizeof(float) },
        { &k->t_gate_up, transposes ? size_product(channels, (size_t)e->ld_t) : 0,
          sizeof(float) },
        { &k->t_out, transposes ? RD : 0, sizeof(float) },
        { &k->t_rstd, transposes ? channels : 0, sizeof(float) },
        { &k->mid, whole ? RD : 0, sizeof(float) },
        { &k->mid_rstd, attends ? R : 0, sizeof(float) },
        { &k->gate_up, whole ? size_product(R, (size_t)e->ld_gate_up) : 0, sizeof(float) },
        { &k->out_rstd, whole ? R : 0, sizeof(float) },
    };

    memcpy(items, table, sizeof table);
}

/* Layers, and one output for each slot, of a walker's cached activations. */
static int kept_count(const struct engine *e)
{
    int count = 0;

    for (int i = 0; i < e->segment.count; i++)
        if (e->segment.calls[i].gradient)
            count += e->modules[e->segment.calls[i].module].layers + 1;
    assert(count > 0 && e->segment.slots > 0); /* the last call carries gradient */
    return count;
}

/* Points a walker's slots into its `kept`, one entry per layer and one for the output,
 * and lists their arrays in items. */
static void kept_items(struct engine *walker, struct kept_layer *kept, struct block_item *items)
{
    const struct segment *segment = &walker->segment;

    for (int i = 0; i < segment->count; i++) {
        const struct module_call *call = &segment->calls[i];

        if (!call->gradient)
            continue;
        int layers = walker->modules[call->module].layers;

        walker->slots[call->slot] = kept;
        for (int l = 0; l <= layers; l++, kept++, items += KEPT_ITEMS)
            kept_layer_items(walker, kept, items, l < layers);
    }
}

/* Allocates the cached activations of the calls that carry gradient, for each walker
 * that trains. */
static int allocate_kept(struct engine *e, struct error *err)
{
    size_t walkers = (size_t)e->train_walkers, count = (size_t)kept_count(e);
    size_t slots = (size_t)e->segment.slots;
    struct block_item *items = calloc(walkers * count * KEPT_ITEMS, sizeof *items);
    int rc = 0;

    e->kept_table = calloc(walkers * count, sizeof *e->kept_table);
    e->slot_table = calloc(walkers * slots, sizeof(struct kept_layer *));
    if (e->kept_table == NULL || e->slot_table == NULL || items == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for the table of kept activations");
        goto out;
    }
    walkers_refresh(e);
    for (size_t i = 0; i < walkers; i++) {
        e->walkers[i]->slots = e->slot_table + i * slots;
        kept_items(e->walkers[i], e->kept_table + i * count, items + i * count * KEPT_ITEMS);
    }
    rc = block_allocate(&e->kept_block, &e->kept_sum, "activations kept for the backward pass",
                        items, (int)(walkers * count * KEPT_ITEMS), err);
out:
    free(items);
    return rc;
}

static void release_kept(struct engine *engine)
{
    free(engine->kept_block);
    free(engine->slot_table);
    free(engine->kept_table);
    engine->kept_block = NULL;
    engine->slot_table = NULL;
    engine->kept_table = NULL;
    engine->kept_sum.bytes = 0;
}

int memory_replace_kept(struct engine *engine, struct error *err)
{
    release_kept(engine);
    return allocate_kept(engine, err);
}

int memory_allocate(struct engine *engine, struct error *err)
{
    int rc = allocate_parameters(engine, err);

    if (rc == 0)
        rc = allocate_weights(engine, err);
    if (rc == 0)
        rc = allocate_carries(engine, err);
    if (rc == 0)
        rc = allocate_outputs(engine, err);
    if (rc == 0)
        rc = allocate_scratch(engine, err);
    if (rc == 0 && !engine->config.inference_only)
        rc = allocate_kept(engine, err);
    return rc;
}

/* Allocates an array of `count` values for the engine, at results, and for each walker
 * `copies` copies of a chunk's states, one after the other, the first at the member
 * that lies `copy` bytes into it. */
static int allocate_record(struct engine *e, void **block, struct block_sum *sum,
                           const char *name, float **results, size_t count, size_t copy,
                           int copies, struct error *err)
{
    size_t R = size_product((size_t)e->chunk_rows, (size_t)e->S);
    size_t walkers = (size_t)e->config.threads;
    struct block_item *items = calloc(walkers + 1, sizeof *items);

    if (items == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of %s", name);
    items[0] = (struct block_item){ results, count, sizeof(float) };
    for (size_t i = 0; i < walkers; i++)
        items[i + 1] =
            (struct block_item){ (char *)e->walkers[i] + copy,
                                 size_product(size_product(R, (size_t)e->D), (size_t)copies),
                                 sizeof(float) };
    int rc = block_allocate(block, sum, name, items, (int)walkers + 1, err);
    free(items);
    return rc;
}

int memory_allocate_residuals(struct engine *engine, struct error *err)
{
    size_t calls = (size_t)engine->segment.count;
    size_t layers = (size_t)engine_measured_layers(engine);
    size_t chunk = (size_t)engine->chunk_rows * (size_t)engine->S * (size_t)engine->D;
    int rc = allocate_record(engine, &engine->residual_block, &engine->residual_sum,
                             "forward residuals", &engine->residuals,
                             size_product((size_t)engine->B, calls + layers),
                             offsetof(struct engine, residual_old), layers > 0 ? 2 : 1, err);

    if (rc < 0 || layers == 0 || engine->residuals == NULL)
        return rc;
    engine->layer_residuals = engine->residuals + (size_t)engine->B * calls;
    for (int i = 0; i < engine->config.threads; i++)
        engine->walkers[i]->layer_old = engine->walkers[i]->residual_old + chunk;
    return 0;
}

void memory_release_residuals(struct engine *engine)
{
    free(engine->residual_block);
    engine->residual_block = NULL;
    engine->residuals = engine->layer_residuals = NULL;
    engine->residual_sum.bytes = 0;
}

int memory_allocate_change(struct engine *engine, struct error *err)
{
    return allocate_record(engine, &engine->change_block, &engine->change_sum,
                           "changes over an outer step", &engine->changes, (size_t)engine->B,
                           offsetof(struct engine, change_old), 1, err);
}

void memory_release_change(struct engine *engine)
{
    free(engine->change_block);
    engine->change_block = NULL;
    engine->changes = NULL;
    engine->change_sum.bytes = 0;
}

void memory_release(struct engine *engine)
{
    memory_release_residuals(engine);
    memory_release_change(engine);
    release_kept(engine);
    free(engine->activation_block);
    free(engine->output_block);
    free(engine->carry_block);
    free(engine->v_block);
    free(engine->m_block);
    lanes_destroy(engine->lanes);
    gradient_sum_destroy(engine->gradient_sum);
    ranks_destroy(engine->ranks);
    free(engine->buffer_block);
    free(engine->weight_block);
    free(engine->average_block);
    free(engine->parameter_block);
}
