/* shape.c - arithmetic of shapes: widths, parameter counts and FLOPs. */
#include "shape.h"

#include "cycle_schedule.h"
#include "settings.h"
#include "system_facts.h"

#include <string.h>

/* Weights of one layer, and FLOPs of one layer pass of one position. */
struct layer_cost {
    int64_t weights;
    double flops;
};

static struct layer_cost layer_cost(const struct shape *shape, int64_t D, int64_t A)
{
    int64_t S = shape->positions, F = shape->intermediate_size, F_S = shape->mlp_t_size;

    if (F_S > 0)
        return (struct layer_cost){ 3 * S * F_S + 3 * D * F,
                                    (double)(6 * D * F_S + 6 * D * F) };
    return (struct layer_cost){ 4 * D * A + 3 * D * F,
                                (double)(8 * D * A + 6 * D * F + 4 * S * A) };
}

/* Layer passes of an outer step of training, and those with gradient: with a
 * schedule of cycles the means over the training. */
static void training_passes(double *passes, double *gradient, const struct config *c)
{
    const struct system_facts *facts = config_system(c);
    struct system_sizes sizes = config_system_sizes(c);
    bool all = config_int(c, ARCH_GRADIENT_HORIZON) == 0;
    struct cycle_schedule schedule;
    double begins = 0.0;

    *passes = (double)system_layer_passes(facts, &sizes);
    *gradient = (double)system_gradient_passes(facts, &sizes);
    if (cycle_schedule_parse(&schedule, config_text(c, TRAIN_CYCLE_SCHEDULE), NULL) < 0 ||
        schedule.count == 0)
        return;
    *passes = *gradient = 0.0;
    for (int i = 0; i < schedule.count; i++) {
        const struct cycle_stage *stage = &schedule.stages[i];

        sizes.H_cycles = stage->H_cycles;
        sizes.L_cycles = stage->L_cycles;
        if (all)
            sizes.gradient_calls = (int)system_calls(facts, &sizes);
        *passes += (stage->until - begins) * (double)system_layer_passes(facts, &sizes);
        *gradient += (stage->until - begins) * (double)system_gradient_passes(facts, &sizes);
        begins = stage->until;
    }
}

void shape_compute(struct shape *out, const struct config *c, int seq_len, int vocab_size,
                   int num_puzzle_identifiers)
{
    const struct system_facts *facts = config_system(c);
    const struct system_sizes sizes = config_system_sizes(c);
    int64_t D = config_int(c, ARCH_HIDDEN_SIZE), d = D / config_int(c, ARCH_NUM_HEADS);
    int64_t E = config_puzzle_ndim(c), V = vocab_size, K = config_context_pairs(c);
    double expansion = config_real(c, ARCH_EXPANSION);
    int multiple = (int)config_int(c, ARCH_FFN_MULTIPLE);
    bool learned = strcmp(config_choice(c, ARCH_POS_ENCODINGS), "learned") == 0;
    bool target = facts->q_continue && config_bool(c, ARCH_ACT_ENABLED) &&
                  config_int(c, ARCH_HALT_MAX_STEPS) > 1;
    double every = (double)config_int(c, TRAIN_TARGET_Q_UPDATE_EVERY);
    double rows = (double)config_int(c, TRAIN_GLOBAL_BATCH_SIZE);

    out->prefix = (int)shape_prefix(E, config_int(c, ARCH_PUZZLE_EMB_LEN), D);
    out->positions = out->prefix + (int)(2 * K + 1) * seq_len;
    out->intermediate_size = shape_intermediate_size(expansion, (int)D, multiple);
    out->mlp_t_size = config_bool(c, ARCH_MLP_T)
                          ? shape_intermediate_size(expansion, out->positions, multiple)
                          : 0;
    out->head_size = (int)d;

    const struct layer_cost layer = layer_cost(out, D, config_int(c, ARCH_NUM_HEADS) * d);
    double head = (double)(2 * D * V), S = (double)out->positions;
    double forward = (double)system_layer_passes(facts, &sizes) * layer.flops + head;
    double passes, gradient_passes;

    training_passes(&passes, &gradient_passes, c);
    double train_forward = passes * layer.flops + head;
    double backward = 2.0 * (gradient_passes * layer.flops + head);

    out->parameters = system_layers(facts, &sizes) * layer.weights + 2 * V * D + 2 * D + 2 +
                      (learned ? out->positions * D : 0) + (K > 0 ? 3 * D : 0);
    out->puzzle_parameters = (int64_t)num_puzzle_identifiers * E;
    out->train_step_flops =
        rows * S * (train_forward * (1.0 + (target ? 1.0 / every : 0.0)) + backward);
    out->eval_row_step_flops = S * forward;
}
