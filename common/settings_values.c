/*
 * settings_values.c - a configuration's values, by the types of the table, and what they
 * mean together.
 */
#include "settings.h"

#include <assert.h>

int64_t config_int(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_INT ||
           settings_table[id].type == SETTING_INT_OR_WORD);
    return config->values[id].integer;
}

double config_real(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_REAL);
    return config->values[id].real;
}

bool config_bool(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_BOOL);
    return config->values[id].integer != 0;
}

const char *config_text(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_TEXT);
    return config->values[id].text != NULL ? config->values[id].text : "";
}

const char *config_choice(const struct config *config, enum setting_id id)
{
    assert(settings_table[id].type == SETTING_CHOICE);
    return settings_table[id].choices[config->values[id].integer];
}

bool config_active(const struct config *config, int id)
{
    return settings_table[id].inactive == NULL || !settings_table[id].inactive(config);
}

enum conditioning config_conditioning(const struct config *config)
{
    if (!config_active(config, ARCH_CONDITIONING))
        return CONDITIONING_PUZZLE_ID;
    return (enum conditioning)config->values[ARCH_CONDITIONING].integer;
}

int config_cores(const struct config *config)
{
    return (int)(config_int(config, RESOURCES_THREADS) * config_int(config, RESOURCES_RANKS));
}

bool config_trains(const struct config *config)
{
    return config_int(config, TRAIN_MAX_STEPS) > 0 || config_int(config, TRAIN_EPOCHS) > 0;
}

bool config_raw_weights(const struct config *config)
{
    return config_differs(config, EVAL_WEIGHTS);
}

bool config_blank_ids(const struct config *config)
{
    return config_conditioning(config) == CONDITIONING_BLANK;
}

int config_puzzle_ndim(const struct config *config)
{
    return config_active(config, ARCH_PUZZLE_EMB_NDIM)
               ? (int)config_int(config, ARCH_PUZZLE_EMB_NDIM)
               : 0;
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

enum system_id config_system_id(const struct config *config)
{
    enum system_id named = (enum system_id)config->values[ARCH_NAME].integer;
    const struct system_facts *facts = system_facts(named);

    return facts->shares && config_bool(config, ARCH_SHARE_LEVELS) ? facts->shared : named;
}

const struct system_facts *config_system(const struct config *config)
{
    return system_facts(config_system_id(config));
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
