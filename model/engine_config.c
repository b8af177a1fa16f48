/* engine_config.c - the bounds of a configuration and of a batch of data. */
#include "engine_config.h"

#include "engine_internal.h"
#include "shape_widths.h"

#include <math.h>

/* Large enough for any model that fits into memory, small enough for int arithmetic. */
enum { MAX_WIDTH = 1 << 20, MAX_DEPTH = 1 << 12 };

struct int_bound {
    const char *name;
    int value, low, high;
};

static int check_ints(const struct engine_config *c, struct error *err)
{
    const struct system_facts *facts = system_facts(c->system);
    bool puzzles = c->puzzle_emb_ndim > 0;
    const struct int_bound bounds[] = {
        { "batch_size", c->batch_size, 1, MAX_WIDTH },
        { "seq_len", c->seq_len, 1, MAX_WIDTH },
        { "context_pairs", c->context_pairs, 0, MAX_DEPTH },
        { "vocab_size", c->vocab_size, 1, MAX_WIDTH },
        { "num_puzzle_identifiers", c->num_puzzle_identifiers, puzzles ? 1 : 0, INT32_MAX },
        { "puzzle_emb_ndim", c->puzzle_emb_ndim, 0, MAX_WIDTH },
        { "puzzle_emb_len", c->puzzle_emb_len, 0, MAX_WIDTH },
        { "H_layers", system_has_module(facts, MODULE_H) ? c->H_layers : 1, 1, MAX_DEPTH },
        { "L_layers", system_has_module(facts, MODULE_L) ? c->L_layers : 1, 1, MAX_DEPTH },
        { "H_cycles", c->H_cycles, 1, MAX_DEPTH },
        { "L_cycles", facts->has_fast ? c->L_cycles : 1, 1, MAX_DEPTH },
        { "gradient_horizon", c->gradient_horizon, ENGINE_ALL_CALLS, INT32_MAX },
        { "hidden_size", c->hidden_size, 1, MAX_WIDTH },
        { "num_heads", c->num_heads, 1, c->hidden_size },
        { "intermediate_size", c->intermediate_size, 1, MAX_WIDTH },
        { "mlp_t_size", c->mlp_t_size, 0, MAX_WIDTH },
        { "halt_max_steps", c->halt_max_steps, 1, INT32_MAX },
        { "target_q_update_every", c->target_q_update_every, 1, INT32_MAX },
        { "global_batch_size", c->global_batch_size, 1, INT32_MAX },
        { "micro_batch", c->micro_batch, 0, c->batch_size },
        { "gradient_lanes", c->gradient_lanes, 0, LANES_MOST },
        { "threads", c->threads, 0, 1024 },
        { "ranks", c->ranks, 0, LANES_MOST },
    };

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (bounds[i].value < bounds[i].low || bounds[i].value > bounds[i].high)
            return error_set(err, ERROR_FORMAT, "%s is %d, expected %d to %d", bounds[i].name,
                             bounds[i].value, bounds[i].low, bounds[i].high);
    if (c->lr_warmup_steps < 0 || c->total_steps < 0 || c->rested_steps < 0)
        return error_set(err, ERROR_FORMAT,
                         "lr_warmup_steps is %lld, total_steps %lld and rested_steps %lld, "
                         "expected at least 0",
                         (long long)c->lr_warmup_steps, (long long)c->total_steps,
                         (long long)c->rested_steps);
    return 0;
}

static int check_reals(const struct engine_config *c, struct error *err)
{
    const struct {
        const char *name;
        double value, low, high;
    } bounds[] = {
        { "rope_theta", c->pos_encodings == ENGINE_ROPE ? c->rope_theta : 1.0, 1e-6, 1e30 },
        { "rms_norm_eps", c->rms_norm_eps, 0.0, 1e3 },
        { "lr", c->lr, 0.0, 1e6 },
        { "lr_min_ratio", c->lr_min_ratio, 0.0, 1e6 },
        { "weight_decay", c->weight_decay, 0.0, 1e6 },
        { "supervision_decay", c->supervision_decay, 0.0, 1.0 },
        { "clip_norm", c->clip_norm, 0.0, 1e6 },
        { "beta1", c->beta1, 0.0, 1.0 },
        { "beta2", c->beta2, 0.0, 1.0 },
        { "puzzle_emb_lr", c->puzzle_emb_lr, 0.0, 1e6 },
        { "ema_rate", c->ema_rate, 0.0, 1.0 },
        { "puzzle_emb_weight_decay", c->puzzle_emb_weight_decay, 0.0, 1e6 },
    };

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (!(bounds[i].value >= bounds[i].low && bounds[i].value <= bounds[i].high))
            return error_set(err, ERROR_FORMAT, "%s is %g, expected %g to %g", bounds[i].name,
                             bounds[i].value, bounds[i].low, bounds[i].high);
    if (!(c->beta1 < 1.0) || !(c->beta2 < 1.0) || !(c->ema_rate < 1.0))
        return error_set(err, ERROR_FORMAT, "beta1, beta2 and ema_rate must be below 1");
    return 0;
}

struct system_sizes engine_system_sizes(const struct engine_config *c)
{
    struct system_sizes sizes = {
        .layers = { [MODULE_H] = c->H_layers, [MODULE_L] = c->L_layers },
        .H_cycles = c->H_cycles,
        .L_cycles = c->L_cycles,
    };

    sizes.gradient_calls = c->gradient_horizon != ENGINE_ALL_CALLS
                               ? c->gradient_horizon
                               : (int)system_calls(system_facts(c->system), &sizes);
    return sizes;
}

/* No more calls with gradient than there are. */
static int check_horizon(const struct engine_config *c, struct error *err)
{
    const struct system_sizes sizes = engine_system_sizes(c);
    int64_t calls = system_calls(system_facts(c->system), &sizes);

    if (c->gradient_horizon <= calls)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "gradient_horizon is %d, expected at most the %lld module calls of an "
                     "outer step",
                     c->gradient_horizon, (long long)calls);
}

/* Each rank has as many lanes as the others. */
static int check_ranks(const struct engine_config *c, struct error *err)
{
    int ranks = c->ranks > 0 ? c->ranks : 1, lanes = c->gradient_lanes;

    if ((ranks & (ranks - 1)) != 0)
        return error_set(err, ERROR_FORMAT, "ranks is %d, expected a power of two", ranks);
    if (!c->inference_only && ranks > (lanes > 0 ? lanes : 1))
        return error_set(err, ERROR_FORMAT, "ranks is %d, expected at most gradient_lanes, %d",
                         ranks, lanes);
    if (c->exchange != NULL && c->exchange->count != ranks)
        return error_set(err, ERROR_FORMAT, "ranks is %d, but there are %d processes", ranks,
                         c->exchange->count);
    return 0;
}

int engine_input_tokens(const struct engine_config *config)
{
    return (2 * config->context_pairs + 1) * config->seq_len;
}

int engine_check_config(const struct engine_config *c, struct error *err)
{
    int rc;

    if ((unsigned)c->system >= SYSTEM_COUNT)
        return error_set(err, ERROR_FORMAT, "system is %d, expected 0 to %d", (int)c->system,
                         SYSTEM_COUNT - 1);
    if (c->pos_encodings != ENGINE_ROPE && c->pos_encodings != ENGINE_LEARNED &&
        c->pos_encodings != ENGINE_NO_POSITIONS)
        return error_set(err, ERROR_FORMAT,
                         "pos_encodings is %d, expected RoPE, learned or none",
                         (int)c->pos_encodings);
    if (c->loss_type != ENGINE_STABLEMAX && c->loss_type != ENGINE_SOFTMAX)
        return error_set(err, ERROR_FORMAT, "loss_type is %d, expected stablemax or softmax",
                         (int)c->loss_type);
    if (c->supervision != ENGINE_EVERY_STEP && c->supervision != ENGINE_LAST_STEP &&
        c->supervision != ENGINE_DECAYED_STEPS)
        return error_set(err, ERROR_FORMAT,
                         "supervision is %d, expected every, the last or decayed steps",
                         (int)c->supervision);
    if (c->optimizer != ENGINE_ADAM_ATAN2 && c->optimizer != ENGINE_ADAMW)
        return error_set(err, ERROR_FORMAT, "optimizer is %d, expected AdamATan2 or AdamW",
                         (int)c->optimizer);
    rc = check_ints(c, err);
    if (rc < 0)
        return rc;
    if (c->micro_batch > 0 && c->batch_size % c->micro_batch != 0)
        return error_set(err, ERROR_FORMAT, "micro_batch %d does not divide batch_size %d",
                         c->micro_batch, c->batch_size);
    if ((c->gradient_lanes & (c->gradient_lanes - 1)) != 0)
        return error_set(err, ERROR_FORMAT, "gradient_lanes is %d, expected a power of two",
                         c->gradient_lanes);
    if (!c->inference_only && c->gradient_lanes > c->batch_size)
        return error_set(err, ERROR_FORMAT,
                         "gradient_lanes is %d, expected at most batch_size, %d",
                         c->gradient_lanes, c->batch_size);
    rc = check_ranks(c, err);
    if (rc == 0)
        rc = check_reals(c, err);
    if (rc == 0)
        rc = check_horizon(c, err);
    if (rc < 0)
        return rc;
    if (c->pos_encodings == ENGINE_ROPE && c->mlp_t_size == 0 &&
        c->hidden_size / c->num_heads % 2 != 0)
        return error_set(err, ERROR_FORMAT,
                         "RoPE needs an even head size, but hidden_size %d over %d heads gives "
                         "%d; change num_heads or pos_encodings",
                         c->hidden_size, c->num_heads, c->hidden_size / c->num_heads);
    if (c->puzzle_emb_len > 0 && c->puzzle_emb_ndim == 0)
        return error_set(err, ERROR_FORMAT,
                         "puzzle_emb_len is %d although puzzle_emb_ndim is 0",
                         c->puzzle_emb_len);
    if (c->puzzle_emb_len > 0 &&
        (int64_t)c->puzzle_emb_len * c->hidden_size < c->puzzle_emb_ndim)
        return error_set(err, ERROR_FORMAT,
                         "puzzle_emb_len %d times hidden_size %d is less than "
                         "puzzle_emb_ndim %d",
                         c->puzzle_emb_len, c->hidden_size, c->puzzle_emb_ndim);
    int64_t prefix = shape_prefix(c->puzzle_emb_ndim, c->puzzle_emb_len, c->hidden_size);
    int64_t positions = prefix + (int64_t)c->seq_len * (2 * c->context_pairs + 1);
    if (positions * 3 * c->hidden_size > INT32_MAX)
        return error_set(err, ERROR_FORMAT,
                         "%lld positions of hidden_size %d are more than a step can address",
                         (long long)positions, c->hidden_size);
    return 0;
}

int engine_check_batch(const struct engine *engine, const struct engine_batch *batch, int rows,
                       struct error *err)
{
    const struct engine_config *c = &engine->config;

    if (rows < 1 || rows > c->batch_size)
        return error_set(err, ERROR_FORMAT, "%d batch rows, expected 1 to %d", rows,
                         c->batch_size);
    if (engine->E > 0 && batch->puzzle_identifiers == NULL)
        return error_set(err, ERROR_FORMAT, "puzzle identifiers are missing");
    for (int b = 0; b < rows; b++) {
        int32_t id = engine->E > 0 ? batch->puzzle_identifiers[b] : 0;

        if (engine->E > 0 && (id < 0 || id >= c->num_puzzle_identifiers))
            return error_set(err, ERROR_FORMAT,
                             "row %d: puzzle identifier is %d, expected 0 to %d", b, id,
                             c->num_puzzle_identifiers - 1);
        for (int i = 0; i < engine->U; i++) {
            int32_t input = batch->inputs[(size_t)b * (size_t)engine->U + (size_t)i];

            if (input < 0 || input >= c->vocab_size)
                return error_set(err, ERROR_FORMAT,
                                 "row %d, position %d: token is %d, expected 0 to %d", b, i,
                                 input, c->vocab_size - 1);
        }
        for (int t = 0; t < c->seq_len; t++) {
            int32_t label = batch->labels[(size_t)b * (size_t)c->seq_len + (size_t)t];

            if (label != ENGINE_IGNORE_LABEL && (label < 0 || label >= c->vocab_size))
                return error_set(err, ERROR_FORMAT,
                                 "row %d, position %d: label is %d, expected %d or 0 to %d", b,
                                 t, label, ENGINE_IGNORE_LABEL, c->vocab_size - 1);
        }
    }
    return 0;
}
