/*
 * engine_internal.h - what the engine's own files share; nobody outside model/ includes
 * it.
 *
 * A step works through the batch in chunks of rows whose activations fit the cache.
 * Within a chunk everything happens at once: embedding, segment, target segment,
 * losses, backward. Only the carry, the small outputs and the accumulated gradients
 * outlive a chunk, so memory for activations does not grow with the batch.
 */
#ifndef MODEL_ENGINE_INTERNAL_H
#define MODEL_ENGINE_INTERNAL_H

#include "error.h"
#include "activations.h"
#include "engine.h"
#include "gemm.h"
#include "kernels.h"
#include "systems.h"
#include "tensors.h"

struct engine {
    struct engine_config config;
    const struct kernels *kernels;       /* static table */
    const struct system *system;         /* static table */
    const struct system_facts *facts;    /* static table */
    int B, T, P, S, D, N, d, A, V, F, E; /* A = N * d */
    int ld_qkv,
        /* from a row of qkv or gate_up to the next: 3A, 2F, or a bit more */
        ld_gate_up;
    /* width of mlp_t and row distance of its gate and up; 0: attention */
    int F_t, ld_t;
    int chunk_rows; /* batch rows worked on at once */
    float embedding_scale;
    size_t bytes; /* of all blocks */

    struct parameter *table; /* (table_count), owned */
    int table_count;
    struct module modules[MODULE_COUNT];
    struct segment segment;
    size_t parameter_floats, buffer_floats;
    size_t embed_tokens, embed_pos, lm_head, q_weight, q_bias; /* parameter offsets */
    size_t puzzle_emb, init[CARRY_STATES];                     /* buffer offsets */

    /* The blocks, each owned. */
    void *parameter_block, *average_block, *buffer_block, *gradient_block, *m_block, *v_block;
    void *carry_block, *output_block, *activation_block, *kept_block, *weight_block;

    const struct gemm_kernels
        *gemm; /* of the kernel set for the forward type; NULL: the BLAS */
    /* layer weights packed, each at its parameter offset times gemm->element; or
     * NULL */
    unsigned char *panels, *panels_back;
    /* what a step reads: parameters or averages, or their copy rounded to bfloat16 */
    float *weights;
    /* those of which panels and weights are made; NULL: to be made anew */
    float *prepared;
    float *parameters, *buffers, *gradients, *m, *v;
    float *averages;        /* as parameters; NULL without an ema_rate */
    int64_t optimizer_step; /* training steps done */
    struct carry train, eval;
    const struct carry *last; /* the one that the last step worked on */

    /* Progress of the step in work, in the units of engine_watch. */
    engine_watch *watch; /* NULL: none */
    void *watch_context; /* borrowed */
    int64_t work_done, work_total;

    /* Outputs of the last step. */
    float *logits;                         /* (B, T, V) */
    int32_t *predictions;                  /* (B, T) */
    float *q_halt, *q_continue, *target_q; /* (B) */
    double *row_loss;                      /* (B) */
    uint8_t *halt_test;                    /* (B) */
    float *puzzle_gradient;                /* (B, E) */
    float *puzzle_sum;                     /* (E) scratch of the puzzle optimizer */
    float *rope_cos, *rope_sin;            /* (S, d) */

    /* Forward residuals, NULL while they are not recorded. */
    void *residual_block;
    size_t residual_bytes;
    float *residuals;    /* (B, segment.count) */
    float *residual_old; /* (R, D) the state that a call is about to replace */

    /* Scratch of one chunk: R = chunk_rows * S rows. */
    float *x;                      /* (R, D) embedded input */
    float *qkv, *att, *gate_up;    /* of a layer without gradient */
    float *scratch;                /* of one attention or GEMM call at a time */
    float *chunk_logits;           /* (R, V) */
    float *target_z[CARRY_STATES]; /* (R, D) carry of the target segment */
    float *target_first;           /* (chunk_rows, D) its z_H at position 0 */
    float *prefix;                 /* (D) a padded prefix position */
    float *dstate[STATE_COUNT];    /* (R, D) gradients */
    float *dlogits;                /* (R, V) */
    float *dq;                     /* (chunk_rows, 2) gradients of q_halt, q_continue */
    float *datt;                   /* (R, A) */
    float *dact;                   /* (BLOCK_MOST, F or F_t) */
    /* (R * D) states or gradients with channels as rows */
    float *transposed;
    struct kept_layer *kept;   /* (sum over slots of layers + 1); owned */
    struct kept_layer **slots; /* (segment.slots) into kept; owned */
};

/* A handle on the weight at a parameter offset. */
static inline struct gemm_weight engine_weight(const struct engine *engine, size_t offset,
                                               int outputs, int inputs)
{
    return (struct gemm_weight){ .data = engine->weights + offset,
                                 .outputs = outputs,
                                 .inputs = inputs };
}

/* The same of a layer's weight, or of some of its outputs, with its panels if there are
 * any. */
static inline struct gemm_weight layer_weight(const struct engine *engine, size_t offset,
                                              int outputs, int inputs)
{
    struct gemm_weight weight = engine_weight(engine, offset, outputs, inputs);

    weight.kernels = engine->gemm;
    weight.scratch = engine->scratch;
    if (engine->panels != NULL)
        weight.panels = engine->panels + offset * engine->gemm->element;
    if (engine->panels_back != NULL)
        weight.panels_back = engine->panels_back + offset * engine->gemm->element;
    return weight;
}

static inline bool engine_rounds(const struct engine *engine)
{
    return engine->config.forward_dtype == ENGINE_BFLOAT16;
}

/* An activation of the forward pass, where a value of the model is complete: in place
 * to the nearest number of the forward type. */
static inline void engine_round(const struct engine *engine, float *x, size_t n)
{
    if (engine_rounds(engine))
        engine->kernels->round_bf16(x, n);
}

/* The same where only a GEMM or attention reads x: a kernel set's own bfloat16 kernels
 * round their operands themselves. */
static inline void engine_round_operand(const struct engine *engine, float *x, size_t n)
{
    if (engine->panels == NULL)
        engine_round(engine, x, n);
}

/* Positions worked on at once between two GEMMs: what one writes the next still finds
 * in the second cache. A remainder of up to 27 makes no block of its own. */
enum { BLOCK = 252, BLOCK_MOST = BLOCK + 27 };

/* What a layer's pass counts in a step's work. */
enum { WORK_FORWARD = 1, WORK_BACKWARD = 2 };

/* Counts work done; false: the watch asks to abandon the step. */
static inline bool engine_goes_on(struct engine *engine, int work)
{
    engine->work_done += work;
    return engine->watch == NULL ||
           !engine->watch(engine->watch_context, engine->work_done, engine->work_total);
}

#endif
