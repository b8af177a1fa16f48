/*
 * engine_internal.h - what the engine's own files share; nobody outside model/ includes it.
 *
 * A step works through the batch in chunks of rows whose activations fit the cache. Within a
 * chunk everything happens at once: embedding, segment, target segment, losses, backward.
 * Only the carry, the small outputs and the accumulated gradients outlive a chunk, so memory
 * for activations does not grow with the batch.
 */
#ifndef MODEL_ENGINE_INTERNAL_H
#define MODEL_ENGINE_INTERNAL_H

#include "error.h"
#include "engine.h"
#include "gemm.h"
#include "kernels.h"
#include "systems.h"

/* One row of the table from which layout, initialisation and state access all follow. */
struct parameter {
    char name[96];
    enum engine_state_kind kind; /* ENGINE_PARAMETER or ENGINE_BUFFER */
    int rank;
    int64_t dims[3];
    size_t elements;
    size_t offset;     /* in floats, in the parameter block or, for a buffer, that block */
    double init_std;   /* truncated normal of this deviation; 0: zeros ... */
    double init_value; /* ... or this constant */
};

/* Offsets of a layer's weights in the parameter block (the same in gradients, m, v). */
struct layer_weights {
    size_t qkv, o_proj, gate_up, down;
    size_t t_gate_up, t_down; /* of mlp_t, in place of qkv and o_proj */
};

struct module {
    int layers;
    struct layer_weights *weights; /* (layers), owned */
};

/* What a layer that keeps gradient leaves for its backward pass; chunk rows R = rows * S. */
struct kept_layer {
    float *in;       /* (R, D) input of the layer = output of the one before */
    float *qkv;      /* (R, ld_qkv) after RoPE; becomes its own gradient */
    float *keep;     /* (rows, N, 2, S) see attention_forward */
    float *att;      /* (R, A) */
    float *mid;      /* (R, D) after the attention half */
    float *mid_rstd; /* (R) */
    float *gate_up;  /* (R, ld_gate_up); becomes its own gradient */
    float *out_rstd; /* (R) */

    /* With mlp_t in place of qkv to att and mid_rstd: its rows are the rows * D channels. */
    float *t_in;      /* (rows * D, S) the input transposed */
    float *t_gate_up; /* (rows * D, ld_t); becomes its own gradient */
    float *t_out;     /* (rows * D, S) mid transposed */
    float *t_rstd;    /* (rows * D) */
};

/* Rows in flight, their data and counters. */
struct carry {
    float *z[CARRY_STATES]; /* (B, S, D) each; NULL: the system has no such state */
    int32_t *steps;         /* (B) */
    int32_t *inputs;        /* (B, T) */
    int32_t *labels;        /* (B, T) */
    int32_t *identifiers;   /* (B) */
    uint8_t *halted;        /* (B) */
    int rows;               /* rows in use: B in training */
};

struct engine {
    struct engine_config config;
    const struct kernels *kernels;       /* static table */
    const struct system *system;         /* static table */
    const struct system_facts *facts;    /* static table */
    int B, T, P, S, D, N, d, A, V, F, E; /* A = N * d */
    int ld_qkv,
        ld_gate_up; /* from a row of qkv or gate_up to the next: 3A, 2F, or a bit more */
    int F_t, ld_t;  /* width of mlp_t and row distance of its gate and up; 0: attention */
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
    unsigned char *panels, *panels_back; /* layer weights packed, each at its parameter offset
                                          * times gemm->element; or NULL */
    float *weights;  /* what a step reads: parameters or averages, or their copy rounded to
                      * bfloat16 */
    float *prepared; /* those of which panels and weights are made; NULL: to be made anew */
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
    float *transposed;             /* (R * D) states or gradients with channels as rows */
    struct kept_layer *kept;       /* (sum over slots of layers + 1); owned */
    struct kept_layer **slots;     /* (segment.slots) into kept; owned */
};

/* A handle on the weight at a parameter offset. */
static inline struct gemm_weight engine_weight(const struct engine *engine, size_t offset,
                                               int outputs, int inputs)
{
    return (struct gemm_weight){ .data = engine->weights + offset,
                                 .outputs = outputs,
                                 .inputs = inputs };
}

/* The same of a layer's weight, or of some of its outputs, with its panels if there are any. */
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

/* An activation of the forward pass, where a value of the model is complete: in place to the
 * nearest number of the forward type. */
static inline void engine_round(const struct engine *engine, float *x, size_t n)
{
    if (engine_rounds(engine))
        engine->kernels->round_bf16(x, n);
}

/* The same where only products read it: those of bfloat16 round their operands themselves. */
static inline void engine_round_operand(const struct engine *engine, float *x, size_t n)
{
    if (engine->panels == NULL)
        engine_round(engine, x, n);
}

/* What a layer's pass counts in a step's work. */
enum { WORK_FORWARD = 1, WORK_BACKWARD = 2 };

/* Counts work done; false: the watch asks to abandon the step. */
static inline bool engine_goes_on(struct engine *engine, int work)
{
    engine->work_done += work;
    return engine->watch == NULL ||
           !engine->watch(engine->watch_context, engine->work_done, engine->work_total);
}

/* engine_config.c */
int engine_check_config(const struct engine_config *config, struct error *err) MUST_CHECK;

/* parameters.c: builds table, modules and offsets. ERROR_NOMEM. */
int parameters_build(struct engine *engine, struct error *err) MUST_CHECK;

/* layers.c. h is (rows * S, D). The module functions return false when the watch has asked to
 * abandon the step. */
/* Positions worked on at once between two products: what one writes the next still finds in the
 * second cache. A few more make no block of their own. */
enum { BLOCK = 252, BLOCK_MOST = BLOCK + 27 };
/* Rounds and packs the weights of source, the parameters or averages, where that is to be done. */
void layers_prepare(struct engine *engine, float *source);
bool module_forward(struct engine *engine, enum system_module module, float *h, int rows);
/* The same, but only position 0 of the last layer's output is computed: first (rows, D). */
bool module_forward_first(struct engine *engine, enum system_module module, float *first,
                          float *h, int rows);
/* Keeps activations in kept[0..layers]; kept[0].in is the input, kept[layers].in the output. */
bool module_forward_kept(struct engine *engine, enum system_module module,
                         struct kept_layer *kept, int rows);
/* dh: gradient of the output in, of the input out. Adds to the weight gradients. */
bool module_backward(struct engine *engine, enum system_module module, struct kept_layer *kept,
                     float *dh, int rows);

/* chunk.c: all about rows first .. first + rows of a carry. states point at their first row. */
void chunk_embed(struct engine *engine, const struct carry *carry, int first, int rows);
void chunk_embed_backward(struct engine *engine, const struct carry *carry, int first,
                          int rows);
/* Work of a segment of one chunk, in the units of engine_watch. */
int64_t segment_work(const struct engine *engine);
int64_t segment_backward_work(const struct engine *engine);
/* One segment in place on the states. keep: calls that keep gradient fill their slots. false, here
 * and below: the watch has asked to abandon the step. */
bool chunk_segment(struct engine *engine, float *const states[STATE_COUNT], int rows,
                   bool keep);
/* The same without keeping anything, and the residuals (rows, segment.count) of its calls. */
bool chunk_segment_measured(struct engine *engine, float *const states[STATE_COUNT], int rows,
                            float *residuals);
/* The target segment: from a copy of the states, only z_H at position 0 is left, in
 * engine->target_first. */
bool chunk_segment_first(struct engine *engine, float *const states[STATE_COUNT], int rows);
/* dstate[STATE_Z_H] holds the gradient of z_H; leaves dstate[STATE_X] that of x. */
bool chunk_segment_backward(struct engine *engine, int rows);

/* heads.c */
struct row_score {
    double loss; /* mean cross-entropy over labelled positions */
    int labelled, right;
};
/* q values of rows whose z at position 0 stand ld apart. */
void head_q(const struct engine *engine, float *q_halt, float *q_continue, const float *z,
            size_t ld, int rows);
/* Logits of the chunk into chunk_logits, and the grid positions into engine->logits. */
void head_logits(struct engine *engine, const float *z, int first, int rows);
/* Scores row (first + r) from chunk_logits, writes its predictions; with gradient also its
 * dlogits, scaled by scale. */
struct row_score head_score_row(struct engine *engine, const struct carry *carry, int first,
                                int r, double scale, bool gradient);
/* dstate[STATE_Z_H] = gradient of logits and q (dq: two floats per row) with respect to z. */
void head_backward(struct engine *engine, const float *z, const float *dq, int rows);
/* Binary cross-entropy with a logit. */
double binary_cross_entropy(double logit, double target);
double sigmoid(double x);

/* optimizer.c */
double schedule_rate(const struct engine_config *config, double base, int64_t step);
void optimizer_step(struct engine *engine, double lr, double puzzle_lr);

/* engine_step.c */
void carry_reset_row(const struct engine *engine, struct carry *carry, int row);

#endif
