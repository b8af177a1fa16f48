/*
 * engine_internal.h - the engine's struct, shared by the files of model/ and included
 * by no others.
 *
 * A step works through the batch in chunks of rows whose activations fit the cache. For
 * each chunk it runs embedding, segment, target segment, losses and backward pass
 * before it goes on to the next. Only the carry, the small outputs and the accumulated
 * gradients outlive a chunk, so memory for activations does not grow with the batch.
 *
 * Threads share the chunks out. Each works with a copy of the struct, a walker, whose
 * members up to `gradients` are those of the engine and whose others are its own, so
 * that all functions below engine_step.c are the same for one thread and for many.
 */
#ifndef MODEL_ENGINE_INTERNAL_H
#define MODEL_ENGINE_INTERNAL_H

#include <stdatomic.h>

#include "error.h"
#include "activations.h"
#include "block.h"
#include "engine.h"
#include "gemm.h"
#include "gradient_sum.h"
#include "heads.h"
#include "kernels.h"
#include "lanes.h"
#include "pieces.h"
#include "ranks.h"
#include "systems.h"
#include "team.h"
#include "tensors.h"

/* Progress of a step, of all threads together. */
struct step_progress {
    _Atomic int64_t done; /* units of work, see engine_watch */
    atomic_bool stopped;  /* the watch has asked to abandon the step */
    int64_t reported;     /* what the watch was last told; of member 0 */
};

/* What a grid of a row with context is; the order of the rows of embed_roles. */
enum role { ROLE_CONTEXT_INPUT, ROLE_CONTEXT_OUTPUT, ROLE_QUERY, ROLE_COUNT };

struct engine {
    /* ---- Configuration and what follows from it; constant once created. ---- */
    struct engine_config config;
    const struct kernels *kernels;    /* static table */
    const struct system *system;      /* static table */
    const struct system_facts *facts; /* static table */
    /* The kernel set's GEMM for the forward type; NULL: OpenBLAS. */
    const struct gemm_kernels *gemm;
    int B, T, P, S, D, N, d, A, V, F, E; /* A = N * d */
    /* Input tokens of a row, (2K + 1) T; its first grid position, P + 2K T. */
    int U, G;
    /* Distance of rows of qkv and of gate_up: 3A, 2F, or a bit more (memory.c). */
    int ld_qkv, ld_gate_up;
    /* Width of mlp_t and row distance of its gate and up; 0: attention. */
    int F_t, ld_t;
    int chunk_rows; /* batch rows of a chunk */
    int micro_rows; /* rows of a micro-batch: B unless one is set */
    float embedding_scale;
    struct segment segment;

    /* ---- Table of tensors and their offsets in floats. ---- */
    struct parameter *table; /* (table_count), owned */
    int table_count;
    struct module modules[MODULE_COUNT];
    size_t parameter_floats, buffer_floats;                    /* sizes of the blocks */
    size_t embed_tokens, embed_pos, lm_head, q_weight, q_bias; /* parameter offsets */
    size_t embed_roles;                                        /* with a context */
    size_t puzzle_emb, init[CARRY_STATES];                     /* buffer offsets */
    struct pieces pieces;                                      /* of the gradients */

    /* ---- Training state: what a checkpoint holds. ---- */
    float *parameters, *m, *v; /* (parameter_floats) each; m, v: Adam's moments */
    float *averages;           /* as parameters; NULL without an ema_rate */
    float *buffers;            /* (buffer_floats) */
    int64_t optimizer_step;    /* training steps done */
    struct carry train;

    /* ---- What a step computes from the training state. ---- */
    struct lanes *lanes; /* the gradients; NULL: inference only; owned */
    struct carry eval;
    bool evaluates_raw;       /* the parameters and not their averages */
    const struct carry *last; /* the carry of the last step */
    /* The weights that a step reads: parameters or averages, or their copy rounded to
     * bfloat16. */
    float *weights;
    /* Packed layer weights, each at its parameter offset times gemm->element; or
     * NULL. */
    unsigned char *panels, *panels_back;
    /* Parameters or averages, whichever weights and panels were last made from; NULL:
     * they must be made again. */
    float *prepared;

    bool trunk_frozen, puzzle_frozen; /* engine_freeze() */

    /* ---- Progress of the current step, in the units of engine_watch. ---- */
    engine_watch *watch; /* NULL: none; called by member 0 */
    void *watch_context; /* borrowed */
    int64_t work_total;
    struct step_progress *progress; /* the engine's own_progress */

    /* ---- Outputs of the last step. ---- */
    float *logits;                         /* (B, T, V) */
    int32_t *predictions;                  /* (B, T) */
    float *q_halt, *q_continue, *target_q; /* (B) */
    double *row_loss;                      /* (B) */
    struct row_score *scores;              /* (B) */
    uint8_t *halt_test;                    /* (B) */
    float *puzzle_gradient;                /* (B, E) */
    float *rope_cos, *rope_sin;            /* (S, d); constant */

    float *residuals; /* (B, segment.count) forward residuals; NULL: not recorded */
    /* (B, engine_measured_layers()), behind residuals; NULL: not recorded */
    float *layer_residuals;
    float *changes; /* (B) changes over an outer step; NULL: not recorded */

    struct ranks *ranks;               /* NULL: one process; owned */
    struct gradient_sum *gradient_sum; /* NULL: one process, or inference only; owned */

    /* ---- Threads. ---- */
    struct team *team;       /* owned */
    struct engine **walkers; /* (config.threads); the first is the engine; owned */
    int train_walkers;       /* of them, those that train */

    /* ==== From here on each walker has its own. ==== */

    /* (parameter_floats) of the lane that the walker works on; of the engine between
     * two steps: the sum over all lanes */
    float *gradients;
    /* borrowed; the chunk whose backward pass the walker makes */
    const struct lane_chunk *chunk;
    int member; /* 0: the engine */
    struct step_progress own_progress;

    /* ---- Scratch of one chunk: R = chunk_rows * S rows. ---- */
    float *residual_old;           /* (R, D) copy of the state that a call replaces */
    float *layer_old;              /* (R, D) the same of a layer */
    float *change_old;             /* (R, D) copy of the head's state before the step */
    float *x;                      /* (R, D) embedded input */
    float *qkv, *att, *gate_up;    /* of a layer without gradient */
    float *scratch;                /* of an attention or GEMM call */
    float *chunk_logits;           /* (R, V) */
    float *target_z[CARRY_STATES]; /* (R, D) carry of the target segment */
    float *target_first;           /* (chunk_rows, D) its z_H at position 0 */
    float *position;               /* (D) a position's embedding that is put together */
    float *dstate[STATE_COUNT];    /* (R, D) gradients of the states */
    float *dlogits;                /* (R, V) */
    float *dq;                     /* (chunk_rows, 2) gradients of q_halt, q_continue */
    float *datt;                   /* (R, A) */
    float *dact;                   /* (BLOCK_MOST, F or F_t) */
    float *transposed;             /* (R * D) states or gradients, channels as rows */
    float *puzzle_sum;             /* (E) of the puzzle optimizer */
    struct kept_layer **slots;     /* (segment.slots) into kept_table */

    /* ---- The memory blocks that all arrays lie in, of all walkers; the engine's;
     * owned. ---- */
    struct kept_layer *kept_table;  /* (walkers that train, sum of layers + 1) */
    struct kept_layer **slot_table; /* (walkers that train, segment.slots) */
    void *parameter_block, *average_block, *buffer_block, *m_block, *v_block;
    void *carry_block, *output_block, *activation_block, *kept_block, *weight_block;
    void *residual_block, *change_block;
    /* of all blocks but these and kept_block */
    struct block_sum sum;
    struct block_sum kept_sum;                 /* of that */
    struct block_sum residual_sum, change_sum; /* of those */
};

/* The weight at a parameter offset. */
static inline struct gemm_weight engine_weight(const struct engine *engine, size_t offset,
                                               int outputs, int inputs)
{
    return (struct gemm_weight){ .data = engine->weights + offset,
                                 .outputs = outputs,
                                 .inputs = inputs };
}

/* The same for a layer's weight, or a part of its outputs, with its panels if there are
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

/* Rounds an activation of the forward pass, in place, to the nearest number of the
 * forward type. Called where a value of the model is complete. */
static inline void engine_round(const struct engine *engine, float *x, size_t n)
{
    if (engine_rounds(engine))
        engine->kernels->round_bf16(x, n);
}

/* The same where only a GEMM or attention reads x. A kernel set's own bfloat16 kernels
 * round their operands, so nothing is done then. */
static inline void engine_round_operand(const struct engine *engine, float *x, size_t n)
{
    if (engine->panels == NULL)
        engine_round(engine, x, n);
}

/* Positions processed together from one GEMM to the next, so that what one writes is
 * still in the second cache when the next reads it. A remainder of up to 27 positions
 * joins the last block. */
enum { BLOCK = 252, BLOCK_MOST = BLOCK + 27 };

/* Units of work of one layer's forward pass and of its backward pass. */
enum { WORK_FORWARD = 1, WORK_BACKWARD = 2 };

/* Adds to the work done; member 0 calls the watch. false: the watch has asked to
 * abandon the step. */
bool engine_goes_on(struct engine *engine, int work);
/* Within a layer: lets the sum over ranks go on; called often. */
void engine_advance_sum(struct engine *engine);

#endif
