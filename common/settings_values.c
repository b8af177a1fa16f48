/* settings_values.c - what the values of a configuration mean together. */
#include "settings.h"

#include <string.h>

int config_cores(const struct config *config)
{
    return (int)(config_int(config, RESOURCES_THREADS) * config_int(config, RESOURCES_RANKS));
}

bool config_raw_weights(const struct config *config)
{
    return strcmp(config_choice(config, EVAL_WEIGHTS), "raw") == 0;
}

bool config_blank_ids(const struct config *config)
{
    return config_conditioning(config) == CONDITIONING_BLANK;
}

int config_context_pairs(const struct config *config)
{
    return config_active(config, DATA_CONTEXT_PAIRS)
               ? (int)config_int(config, DATA_CONTEXT_PAIRS)
               : 0;
}

int config_puzzle_ids(const struct config *config, int ids)
{
    return config_blank_ids(config) ? 1 : ids;
}

/* A seed that may be that of the run. */
static uint64_t seed_or_run(const struct config *config, enum setting_id id)
{
    int64_t seed = config_int(config, id);

    return (uint64_t)(seed == SEED_OF_RUN ? config_int(config, TRAIN_SEED) : seed);
}

uint64_t config_model_seed(const struct config *config)
{
    return seed_or_run(config, TRAIN_MODEL_SEED);
}

uint64_t config_data_seed(const struct config *config)
{
    return seed_or_run(config, TRAIN_DATA_SEED);
}

struct system_sizes config_system_sizes(const struct config *config)
{
    struct system_sizes sizes = {
        .layers = { [MODULE_H] = (int)config_int(config, ARCH_H_LAYERS),
                    [MODULE_L] = (int)config_int(config, ARCH_L_LAYERS) },
        .H_cycles = (int)config_int(config, ARCH_H_CYCLES),
        .L_cycles = (int)config_int(config, ARCH_L_CYCLES),
    };
    int64_t horizon = config_int(config, ARCH_GRADIENT_HORIZON);

    if (horizon != HORIZON_PUBLISHED)
        sizes.gradient_calls =
            (int)(horizon == 0 ? system_calls(config_system(config), &sizes) : horizon);
    return sizes;
}
