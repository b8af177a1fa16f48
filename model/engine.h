/*
 * engine.h - the interface of model/: trains and evaluates HRM, TRM and the plain
 * transformer.
 *
 * It takes and returns arrays; it uses no files, JSON, clocks or processes. An engine
 * owns its memory (parameters, gradients, moments, carries, activations: one
 * 64-byte-aligned block of each kind). engine_create() allocates all of it and a step
 * allocates nothing, so a step fails only when its watch asks it to stop. Callers hold
 * no pointers into an engine: state and results are copied in and out.
 *
 * Letters: B batch rows, T grid tokens, K pairs of context, U = (2K + 1) T input tokens
 * of a row, P prefix positions, S = P + U, D hidden size, N heads, d = floor(D / N), V
 * vocabulary, F feed-forward width, E puzzle embedding length. Arrays are row-major.
 * The model is that of arXiv 2506.21734 and its published code.
 *
 * Threads: one thread at a time may use an engine, which has threads of its own
 * (config.threads) that share the rows of a step. OpenBLAS is to have one thread. If it
 * has more, its GEMM is used in place of a kernel set's own; results then differ in the
 * last bits.
 */
#ifndef MODEL_ENGINE_H
#define MODEL_ENGINE_H

#include "error.h"
#include "exchange.h"
#include "system_facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine; /* opaque */

enum engine_positions { ENGINE_ROPE, ENGINE_LEARNED, ENGINE_NO_POSITIONS };
enum engine_loss { ENGINE_STABLEMAX, ENGINE_SOFTMAX };
/* Which outer steps' losses of a row count: all; that at which it halts; each by the
 * weight supervision_decay^(step - 1). */
enum engine_supervision { ENGINE_EVERY_STEP, ENGINE_LAST_STEP, ENGINE_DECAYED_STEPS };
enum engine_optimizer { ENGINE_ADAM_ATAN2, ENGINE_ADAMW };
/* bfloat16: weights, activations between the operations and the carry are rounded to it
 * in the forward pass; sums, norms, RoPE, softmax, losses, gradients, moments and the
 * master weights are float32 (model.md section 1). Fast with kernel set avx512_bf16,
 * the same model with any. */
enum engine_forward_dtype { ENGINE_FLOAT32, ENGINE_BFLOAT16 };

enum { ENGINE_IGNORE_LABEL = -100, ENGINE_ALL_CALLS = -1 };

struct engine_config {
    enum system_id system;
    /* B: rows of a training step, and the largest number of rows of an evaluation */
    int batch_size;
    int seq_len; /* T */
    /* K: in front of a row's T grid tokens stand 2K grids of T tokens, the inputs and
     * outputs of K other pairs. A learned vector for each role (input of a pair, output
     * of a pair, the grid itself) is added to its tokens. 0: no context, no vectors */
    int context_pairs;
    int vocab_size;             /* V */
    int num_puzzle_identifiers; /* rows of puzzle_emb, the blank id 0 included */
    int puzzle_emb_ndim;        /* E; 0: no puzzle embedding, no prefix */
    int puzzle_emb_len;         /* P; 0: ceil(E / D) */
    int H_layers, L_layers;     /* layers of each module that the system has */
    int H_cycles; /* slow calls per outer step; of the transformer, all its calls */
    int L_cycles; /* fast calls before each of them, where the system has any */
    /* module calls at the end of an outer step that carry gradient, at most all; 0: as
     * the system is published; ENGINE_ALL_CALLS */
    int gradient_horizon;
    int hidden_size; /* D */
    /* N; need not divide D (as published: 12 heads on 512) */
    int num_heads;
    int intermediate_size; /* F: shape_intermediate_size() of common/shape.h */
    /* F_S: width of TRM's mlp_t, a SwiGLU over the S positions of each channel that
     * replaces attention (and RoPE); 0: attention */
    int mlp_t_size;
    enum engine_positions pos_encodings;
    double rope_theta, rms_norm_eps;
    enum engine_loss loss_type;
    enum engine_forward_dtype forward_dtype;

    int halt_max_steps; /* outer steps of training */
    /* adaptive halting and the q_continue loss in training */
    bool act_enabled;
    int target_q_update_every; /* n: target Q on steps n, 2n, ... counted from 1 */
    enum engine_supervision supervision;
    double supervision_decay; /* 0 to 1, of ENGINE_DECAYED_STEPS */

    int global_batch_size; /* the loss is scaled by 1 / this before backward */
    /* Rows of which gradients are summed before the next rows are begun; it divides
     * batch_size. 0: all rows at once. The same bits where chunks of rows, of about 512
     * positions, are the same. */
    int micro_batch;
    /* Lanes in which gradients are summed (lanes.h): a power of two, at most
     * batch_size; 0: 1, in the order of the rows. The bits depend on it. */
    int gradient_lanes;
    /* Threads that share a step's rows; 0: 1. In training no more than
     * SHAPE_THREADS_OF_A_LANE for each lane take part, nor more than there are chunks
     * of rows; in evaluation all. The bits do not depend on it. */
    int threads;
    /* Processes that share a step's rows, a power of two, in training at most
     * gradient_lanes; 0: 1. Each has that many threads. The bits do not depend on
     * it. */
    int ranks;
    /* Of more than one rank, this one's number and messages to the others; borrowed,
     * for the engine's life. Only rank 0 has an engine of its own: the others call
     * engine_serve(). NULL: one process, or an engine that is only measured. */
    const struct exchange *exchange;
    enum engine_optimizer optimizer;
    /* Steps at the training's beginning that the optimizer's bias correction does not
     * count: those over which the trunk is frozen (engine_freeze()). */
    int64_t rested_steps;
    /* The gradient of all parameters together (not of the puzzle embedding) is scaled
     * down to this norm before the update where it is larger; 0: never. */
    double clip_norm;
    double lr, lr_min_ratio, weight_decay, beta1, beta2;
    int64_t lr_warmup_steps, total_steps;
    double puzzle_emb_lr, puzzle_emb_weight_decay;
    /* Rate of the weight averages that evaluations use: they begin as the initial
     * weights, and after each step average = rate * average + (1 - rate) * weights. 0:
     * evaluations use the weights themselves. */
    double ema_rate;

    /* no gradients, moments or training activations are allocated */
    bool inference_only;
};

/* Rows of data. Token ids in [0, V); labels in [0, V) or ENGINE_IGNORE_LABEL; ids in
 * [0, num_puzzle_identifiers). engine_check_batch() reports a violation; the steps only
 * assert. */
struct engine_batch {
    const int32_t *inputs;             /* (B, U): the context, then the grid */
    const int32_t *labels;             /* (B, T) */
    const int32_t *puzzle_identifiers; /* (B) */
};

/* Sums over the batch, as model.md section 3 defines them. Metrics are sums over the
 * rows that halted in this step and have labels. */
struct engine_result {
    double lm_loss, q_halt_loss, q_continue_loss, loss;
    double count, accuracy, exact_accuracy, q_halt_accuracy, steps;
    double lr, puzzle_emb_lr; /* the rates of this step's update; 0 in evaluation */
    bool has_target_q;        /* a target segment ran, so q_continue_loss is set */
    /* false: the loss is NaN or Inf (training has diverged) */
    bool finite;
};

/* U: input tokens of a row, the context's among them. */
int engine_input_tokens(const struct engine_config *config);

/*
 * Builds an engine whose parameters are all zero; call engine_initialise() next, or
 * engine_state_set() for every tensor. *config is copied. ERROR_FORMAT: a field is out
 * of bounds or fields contradict each other. ERROR_NOMEM: the message names the block
 * and its MiB. On failure *out is NULL.
 */
int engine_create(struct engine **out, const struct engine_config *config,
                  struct error *err) MUST_CHECK;
void engine_destroy(struct engine *engine);

/*
 * Of several ranks, all but 0: creates engines as rank 0 does and repeats what rank 0
 * does with them, until it calls engine_dismiss(). Any call of rank 0 that changes its
 * engine, or reads it, makes the others work, so all must have come here. An error: the
 * ranks cannot go on together; it has been told to rank 0 where that can know.
 */
int engine_serve(const struct exchange *exchange, struct error *err) MUST_CHECK;
/* Rank 0: lets the others return from engine_serve(). No engine is left. */
void engine_dismiss(const struct exchange *exchange);

/*
 * Calls work(context, item) for each item from 0 to count - 1, on the engine's threads
 * in this process: each has a contiguous part. Returns when all have returned. For what
 * a caller does row by row around a step.
 */
void engine_share(struct engine *engine, int count, void (*work)(void *context, int item),
                  void *context);

/*
 * Bytes of all blocks of an engine. Each batch row takes, in carries (one for training,
 * one for evaluation) and outputs, 4 (2 n S D + 2 U + 3 T + T V + 13 + E) + 3 bytes,
 * where n is the number of states (2; transformer: 1). Nothing else grows with the
 * batch: parameters, gradients and two moments with the puzzle embedding (4 x (4
 * parameters + puzzle embedding); 4 x parameters more with an ema_rate), packed weights
 * (8 x parameters; in bfloat16 4 x, and 4 x for the rounded copy), and the activations
 * of about 512 positions. These each thread has for itself; and with gradient lanes
 * gradients are there once per thread that trains and level of their tree.
 */
size_t engine_bytes(const struct engine *engine);
/* The bytes that an engine of this configuration would have, without creating it.
 * ERROR_FORMAT, ERROR_NOMEM: as engine_create(), the latter only for sizes that no
 * machine can address. */
int engine_measure(size_t *bytes, const struct engine_config *config,
                   struct error *err) MUST_CHECK;

/*
 * Changes the cycles of an outer step between two steps: the same weights and carry, an
 * other number of module calls and, for their gradients, of activations. Not while
 * residuals are recorded. ERROR_FORMAT: out of bounds, or less calls than
 * gradient_horizon; ERROR_NOMEM. On failure nothing has changed but that after
 * ERROR_NOMEM the engine is only to be destroyed.
 */
int engine_set_cycles(struct engine *engine, int H_cycles, int L_cycles,
                      struct error *err) MUST_CHECK;

/* What later training steps leave as it is: the trunk (all that AdamATan2 trains, with
 * its moments and averages), the rows of the puzzle embedding. At first neither. */
void engine_freeze(struct engine *engine, bool trunk, bool puzzle);

/* Draws the weights from the seed (model.md section 1), zeroes the moments and marks
 * every row as halted. */
void engine_initialise(struct engine *engine, uint64_t seed);

/* Validates one batch of data (rows <= B). ERROR_FORMAT: the message names row and
 * position. */
int engine_check_batch(const struct engine *engine, const struct engine_batch *batch, int rows,
                       struct error *err) MUST_CHECK;

/*
 * A callback of a step while it computes: after every layer of every module call of a
 * chunk of rows, in the forward and backward passes and in the target segment. At
 * hidden size 512 and 900 positions that is several times a second on one core. Heads
 * and optimizers run without a call.
 *   context  the caller's own
 *   done     units of work done in this step, 1 to total, ascending
 *   total    units of work of this step: a layer counts 1 forwards and 2 backwards, so
 *            that done / total is about the share of the step's time
 * Returns true to abandon the step at once. It must not call the engine.
 */
typedef bool engine_watch(void *context, int64_t done, int64_t total);
/* Sets the watch of all later steps; NULL: none. */
void engine_set_watch(struct engine *engine, engine_watch *watch, void *context);

/*
 * One training step (model.md section 2) is engine_train_accumulate() and then
 * engine_train_apply(); engine_train_step() is both.
 *
 * engine_train_accumulate(): rows that are halted take the offered batch, then segment,
 * halting, target Q, losses, backward. Leaves the gradients of this batch, the outputs
 * and *result.
 *   offered         a full batch of B rows
 *   min_halt_steps  (B) this step's exploration minimum per row, 0 = none; NULL: all 0
 * Returns 0, or ERROR_STOPPED when the watch asked to stop. Then *result is not to be
 * used, and the training state (carry, gradients, outputs; not parameters and moments)
 * is undefined until a whole state is set or engine_initialise() is called.
 *
 * engine_train_apply(): the optimizers' update by those gradients, once per accumulate.
 */
int engine_train_accumulate(struct engine *engine, const struct engine_batch *offered,
                            const int32_t *min_halt_steps,
                            struct engine_result *result) MUST_CHECK;
void engine_train_apply(struct engine *engine, const struct engine_result *result);
int engine_train_step(struct engine *engine, const struct engine_batch *offered,
                      const int32_t *min_halt_steps, struct engine_result *result) MUST_CHECK;

/* Starts an evaluation of the first `rows` rows (<= B) of a batch, in a carry of its
 * own, so the training carry stays as it is. The cost is proportional to rows. */
void engine_evaluate_begin(struct engine *engine, const struct engine_batch *batch, int rows);
/* Whether evaluation steps use the parameters themselves in place of their averages, as
 * they do at first where the configuration has an ema_rate. Without one it changes
 * nothing. */
void engine_evaluate_raw(struct engine *engine, bool raw);
/*
 * Adds noise to a state (0: z_H; 1: z_L, where the system has it) of one row of an
 * evaluation that has just begun: sigma * norm(initial vector) / sqrt(D) times each of
 * the S * D numbers of noise.
 */
void engine_evaluate_perturb(struct engine *engine, int row, int state, double sigma,
                             const float *noise);
/*
 * One outer step for all those rows: losses without q_continue, metrics over all
 * labelled rows as if they halted now. Read what it left with engine_read(). Returns 0,
 * or ERROR_STOPPED when the watch asked to stop: the evaluation is undefined until the
 * next engine_evaluate_begin(); the training state is untouched.
 */
int engine_evaluate_step(struct engine *engine, struct engine_result *result) MUST_CHECK;
/* Continues an evaluation with only the `count` >= 1 rows listed in rows_kept, in
 * ascending order: row rows_kept[i] becomes row i. For ACT at inference, where rows
 * that have halted leave the batch. */
void engine_evaluate_keep(struct engine *engine, const int *rows_kept, int count);

/* Layers of the only module call of an outer step, which are measured one by one: of a
 * direct transformer. 0: an outer step has several calls. */
int engine_measured_layers(const struct engine *engine);
/* Number of module calls of one outer step: H_cycles * (L_cycles + 1); H_cycles for the
 * transformer. */
int engine_segment_calls(const struct engine *engine);

/*
 * Switches the recording of forward residuals on or off (initially off). While it is
 * on, evaluation steps compute ENGINE_RESIDUALS for every row and module call: the
 * relative change of the state that the call writes, norm(z_new - z_old) / norm(z_old),
 * with norms over the row's S positions and D channels, summed in double. 0: the state
 * did not change; infinite: it changed from all zeros. Where an outer step is one call,
 * ENGINE_LAYER_RESIDUALS has the same of each of its layers, the first of which finds
 * the state with the input added. Recording costs a pass over the state per call.
 * Switching it on allocates memory and may fail with ERROR_NOMEM.
 */
int engine_record_residuals(struct engine *engine, bool on, struct error *err) MUST_CHECK;

/* Results of the last step (training or evaluation), which engine_read() copies to
 * out. */
/*
 * Switches on or off (as at first) that evaluation steps record how far each row's z_H
 * has moved over the outer step, for ENGINE_CHANGE: norm(z_new - z_old) / norm(z_old),
 * norms as in engine_record_residuals(). ERROR_NOMEM.
 */
int engine_record_change(struct engine *engine, bool on, struct error *err) MUST_CHECK;

enum engine_output {
    ENGINE_LOGITS,      /* float (B, T, V), grid positions only */
    ENGINE_PREDICTIONS, /* int32 (B, T): first maximum of the logits */
    /* double (B): mean token loss of each row; 0 without labels */
    ENGINE_ROW_LOSS,
    ENGINE_Q_HALT,     /* float (B) */
    ENGINE_Q_CONTINUE, /* float (B) */
    /* float (B), after the sigmoid; only with has_target_q */
    ENGINE_TARGET_Q_CONTINUE,
    /* uint8 (B): the system's halting test on the step's q values, without regard to
     * the step count and the exploration minimum */
    ENGINE_HALT_TEST,
    ENGINE_HALTED,              /* uint8 (B) after the step */
    ENGINE_STEPS,               /* int32 (B) after the step */
    ENGINE_Z_H,                 /* float (B, S, D) carry after the step */
    ENGINE_Z_L,                 /* float (B, S, D); where the system has it */
    ENGINE_CURRENT_INPUTS,      /* int32 (B, U) */
    ENGINE_CURRENT_LABELS,      /* int32 (B, T) */
    ENGINE_CURRENT_IDENTIFIERS, /* int32 (B) */
    ENGINE_PUZZLE_GRADIENT,     /* float (B, E): per row, before equal ids are summed */
    ENGINE_ROPE_COS,            /* float (S, d), both halves alike, as published */
    ENGINE_ROPE_SIN,
    /* float (B, engine_segment_calls()): of the last evaluation step */
    ENGINE_RESIDUALS,
    /* float (B, engine_measured_layers()), likewise */
    ENGINE_LAYER_RESIDUALS,
    ENGINE_CHANGE, /* float (B) of the last evaluation step */
    /* float (B, D): the mean of ENGINE_Z_H, of ENGINE_Z_L over the S positions, summed
     * in double; worked out when it is read */
    ENGINE_MEAN_Z_H,
    ENGINE_MEAN_Z_L
};
/* Bytes of an output; 0: the engine has none (Z_L of a transformer; residuals that are
 * not recorded). */
size_t engine_output_size(const struct engine *engine, enum engine_output output);
void engine_read(const struct engine *engine, enum engine_output output, void *out);

/*
 * State by index, for checkpoints and tests. First come parameters and buffers under
 * the published state_dict names ("inner.H_level.layers.0.self_attn.qkv_proj.weight"),
 * then, under prefixes, averages ("ema.NAME", with an ema_rate), moments
 * ("optimizer.m.NAME", "optimizer.v.NAME"), "optimizer.step" and the training carry
 * ("carry.z_H", "carry.z_L", "carry.steps", "carry.halted", "carry.inputs",
 * "carry.labels", "carry.puzzle_identifiers"). When all of it is restored, training
 * continues with the same bits.
 */
enum engine_dtype { ENGINE_F32, ENGINE_I32, ENGINE_I64, ENGINE_U8 };
enum engine_state_kind {
    ENGINE_PARAMETER, /* trained by AdamATan2 */
    /* puzzle_emb, H_init, L_init: part of the model, not in AdamATan2 */
    ENGINE_BUFFER,
    /* a parameter's moving average, which evaluations use */
    ENGINE_AVERAGE,
    ENGINE_OPTIMIZER,
    ENGINE_CARRY
};
struct engine_state {
    char name[96];
    enum engine_dtype dtype;
    enum engine_state_kind kind;
    int rank; /* 1 to 3 */
    int64_t dims[3];
    int64_t elements;
    size_t bytes;
};
int engine_state_count(const struct engine *engine);
void engine_state_describe(const struct engine *engine, int i, struct engine_state *out);
void engine_state_get(const struct engine *engine, int i, void *out);
void engine_state_set(struct engine *engine, int i, const void *in);
/* Whether `in` may be set: its tokens, labels, ids and counts are ones that there can
 * be. */
bool engine_state_fits(const struct engine *engine, int i, const void *in);
/* Copies out, or in, the row (E) of the puzzle embedding with this id. */
void engine_puzzle_get(const struct engine *engine, int32_t id, float *out);
void engine_puzzle_set(struct engine *engine, int32_t id, const float *in);
/* The gradient of state i (kind ENGINE_PARAMETER) in the last training step. */
void engine_gradient_get(const struct engine *engine, int i, float *out);

/* The numbers of trained parameters (AdamATan2's) and of elements of the puzzle
 * embedding. */
void engine_count_parameters(const struct engine *engine, int64_t *trained, int64_t *puzzle);

/* "base", "avx2", "avx512" or "avx512_bf16": chosen at first use by the CPU, or by
 * HRMLAB_KERNELS. */
const char *engine_kernel_set(void);
/* The best that this CPU supports, whatever HRMLAB_KERNELS asks for. */
const char *engine_best_kernel_set(void);
/* The i-th set of this build, simplest first, whether or not this CPU can run it; NULL
 * past the last. */
const char *engine_kernel_set_name(int i);
/* ERROR_FORMAT when HRMLAB_KERNELS names an unknown set or one this CPU lacks. */
int engine_select_kernels(const char *name_or_null, struct error *err) MUST_CHECK;
/* OpenBLAS's configuration line, and the name of the CPU core it was tuned for and
 * runs. */
const char *engine_blas_config(void);
const char *engine_blas_core(void);
/* Lets OpenBLAS allocate now what that many threads need at the same time (128 MiB of
 * addresses each, hardly any of it touched): without memory for them it waits for
 * ever. */
void engine_warm_up_blas(int threads);
/* GFLOP/s of an n x n x n sgemm by OpenBLAS: the best of `repeats`, timed by the
 * caller's clock; 0: no memory for the matrices. */
double engine_measure_sgemm(int n, int repeats, double (*seconds)(void));

#endif
