/*
 * evaluation_keys.h - the settings that tell the evaluations of one run apart.
 *
 * They are the settings of PHASE_EVALUATION, and the members of an evaluation's object
 * in job.json, in the journal and in the database. The runner writes the object, the
 * worker reads it.
 */
#ifndef COMMON_EVALUATION_KEYS_H
#define COMMON_EVALUATION_KEYS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* In the order of settings_table[]. */
enum evaluation_key {
    EVALUATION_OUTER_STEPS,
    EVALUATION_AUGMENTATIONS,
    EVALUATION_ACT_INFERENCE,
    EVALUATION_SEED,
    EVALUATION_SPLIT,
    EVALUATION_TRAJECTORY,
    EVALUATION_HALT_RULE,
    EVALUATION_HALT_PATIENCE,
    EVALUATION_HALT_EPSILON,
    EVALUATION_PUZZLE_ID,
    EVALUATION_POOL_CHECKPOINTS,
    EVALUATION_ROLLOUTS,
    EVALUATION_INIT_NOISE,
    EVALUATION_CHOOSE,
    EVALUATION_WEIGHTS,
    EVALUATION_KEY_COUNT
};

enum setting_id evaluation_key_setting(enum evaluation_key key);
/* "eval.halt_max_steps" for EVALUATION_OUTER_STEPS. */
const char *evaluation_key_name(enum evaluation_key key);
/* Whether an evaluation's object lacks the key where the setting is inactive or has
 * its absent_means: so of keys that the first release did not have, whose
 * evaluations keep their text. */
bool evaluation_key_may_be_absent(enum evaluation_key key);
/* The key of that name, or -1: the name is not an evaluation setting. */
int evaluation_key_find(const char *name);

/* The object of the evaluation that the configuration describes, with so many outer
 * steps. Fresh; NULL when out of memory. */
cJSON *evaluation_keys_object(const struct config *config, int64_t outer_steps);
/* Whether the canonical text of an evaluation's object asks for trajectories. */
bool evaluation_keys_has_trajectory(const char *canonical);

/* The key's value in the canonical text of an evaluation's object, or what its absence
 * means, as text. Fresh; NULL when out of memory. */
char *evaluation_key_text(const char *canonical, enum evaluation_key key);
/* Whether the key has an effect under the halting rule of such a text: patience belongs
 * to "stable", epsilon to "residual". */
bool evaluation_key_has_effect(const char *canonical, enum evaluation_key key);

#endif
