/* engine_setup.c - copies settings into engine_config, field by field. */
#include "engine_setup.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "error.h"
#include "settings.h"
#include "shape.h"

int engine_setup_environment(struct error *err)
{
    const char *core = getenv("HRMLAB_BLAS_CORE");
    struct error fault = { 0 };

    if (engine_select_kernels(NULL, &fault) < 0)
        return error_set(err, ERROR_ENVIRONMENT, "%s", fault.message);
    if (core != NULL && *core != '\0' && strcasecmp(core, engine_blas_core()) != 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "HRMLAB_BLAS_CORE: asked for %s, but OpenBLAS runs its %s kernels "
                         "(unknown name, or not in this build)",
                         core, engine_blas_core());
    return 0;
}

static enum engine_positions positions_of(const struct config *config)
{
    const char *word = config_choice(config, ARCH_POS_ENCODINGS);

    if (strcmp(word, "rope") == 0)
        return ENGINE_ROPE;
    return strcmp(word, "learned") == 0 ? ENGINE_LEARNED : ENGINE_NO_POSITIONS;
}

/* Threads that the job asks for, but no more than the process may use cores. */
static int threads_of(const struct config *config)
{
    int asked = (int)config_int(config, RESOURCES_THREADS);
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof cores, &cores) < 0)
        return asked;
    return asked < CPU_COUNT(&cores) ? asked : CPU_COUNT(&cores);
}

int64_t engine_setup_trunk_rests(const struct config *config, int64_t total_steps)
{
    const char *kind =
        config_active(config, TRAIN_FREEZE) ? config_choice(config, TRAIN_FREEZE) : "none";
    double share = strcmp(kind, "trunk") == 0         ? 1.0
                   : strcmp(kind, "trunk_first") == 0 ? config_real(config, TRAIN_FREEZE_SHARE)
                                                      : 0.0;

    return (int64_t)ceil(share * (double)total_steps);
}

/* Steps over which the trunk rests and that its optimizer does not count. */
static int64_t rested_steps(const struct config *config, int64_t total_steps)
{
    bool skipped = config_active(config, TRAIN_FROZEN_STEPS) &&
                   strcmp(config_choice(config, TRAIN_FROZEN_STEPS), "skipped") == 0;

    return skipped ? engine_setup_trunk_rests(config, total_steps) : 0;
}

void engine_setup(struct engine_config *out, const struct config *config,
                  const struct engine_setup_data *data, bool inference_only)
{
    const struct system_sizes sizes = config_system_sizes(config);
    bool stablemax =
        strcmp(config_choice(config, ARCH_LOSS_TYPE), "stablemax_cross_entropy") == 0;
    bool bfloat16 = strcmp(config_choice(config, TRAIN_FORWARD_DTYPE), "bfloat16") == 0;
    int batch = (int)config_int(config, TRAIN_GLOBAL_BATCH_SIZE);
    struct shape shape;

    shape_compute(&shape, config, data->seq_len, data->vocab_size,
                  data->num_puzzle_identifiers);
    *out = (struct engine_config){
        .system = config_system_id(config),
        .batch_size = batch,
        .seq_len = data->seq_len,
        .context_pairs = config_context_pairs(config),
        .vocab_size = data->vocab_size,
        .num_puzzle_identifiers = data->num_puzzle_identifiers,
        .puzzle_emb_ndim = config_puzzle_ndim(config),
        .puzzle_emb_len = (int)config_int(config, ARCH_PUZZLE_EMB_LEN),
        .H_layers = sizes.layers[MODULE_H],
        .L_layers = sizes.layers[MODULE_L],
        .H_cycles = sizes.H_cycles,
        .L_cycles = sizes.L_cycles,
        .gradient_horizon = config_int(config, ARCH_GRADIENT_HORIZON) == 0
                                ? ENGINE_ALL_CALLS
                                : sizes.gradient_calls,
        .hidden_size = (int)config_int(config, ARCH_HIDDEN_SIZE),
        .num_heads = (int)config_int(config, ARCH_NUM_HEADS),
        .intermediate_size = shape.intermediate_size,
        .mlp_t_size = shape.mlp_t_size,
        .pos_encodings = positions_of(config),
        .rope_theta = config_real(config, ARCH_ROPE_THETA),
        .rms_norm_eps = config_real(config, ARCH_RMS_NORM_EPS),
        .loss_type = stablemax ? ENGINE_STABLEMAX : ENGINE_SOFTMAX,
        .forward_dtype = bfloat16 ? ENGINE_BFLOAT16 : ENGINE_FLOAT32,
        .halt_max_steps = (int)config_int(config, ARCH_HALT_MAX_STEPS),
        .act_enabled = config_bool(config, ARCH_ACT_ENABLED),
        .target_q_update_every = (int)config_int(config, TRAIN_TARGET_Q_UPDATE_EVERY),
        .supervision = (enum engine_supervision)config->values[TRAIN_SUPERVISION].integer,
        .supervision_decay = config_real(config, TRAIN_SUPERVISION_DECAY),
        .global_batch_size = batch,
        .micro_batch = (int)config_int(config, TRAIN_MICRO_BATCH),
        .gradient_lanes = (int)config_int(config, TRAIN_GRADIENT_LANES),
        .threads = threads_of(config),
        .rested_steps = rested_steps(config, data->total_steps),
        .optimizer = (enum engine_optimizer)config->values[TRAIN_OPTIMIZER].integer,
        .clip_norm = config_real(config, TRAIN_CLIP_NORM),
        .lr = config_real(config, TRAIN_LR),
        .lr_min_ratio = config_real(config, TRAIN_LR_MIN_RATIO),
        .weight_decay = config_real(config, TRAIN_WEIGHT_DECAY),
        .beta1 = config_real(config, TRAIN_BETA1),
        .beta2 = config_real(config, TRAIN_BETA2),
        .lr_warmup_steps = config_int(config, TRAIN_LR_WARMUP_STEPS),
        .total_steps = data->total_steps,
        .puzzle_emb_lr = config_real(config, TRAIN_PUZZLE_EMB_LR),
        .puzzle_emb_weight_decay = config_real(config, TRAIN_PUZZLE_EMB_WEIGHT_DECAY),
        .ema_rate = config_real(config, TRAIN_EMA_RATE),
        .inference_only = inference_only,
    };
}
