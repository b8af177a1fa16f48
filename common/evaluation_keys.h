/*
 * evaluation_keys.h - the settings that tell the evaluations of one run apart.
 *
 * They are the settings of PHASE_EVALUATION, and the members of an evaluation's object
 * in job.json, in the journal and in the database. The runner writes the object, the
 * worker reads it.
 */
#ifndef COMMON_EVALUATION_KEYS_H
#define COMMON_EVALUATION_KEYS_H

#include "settings.h"

/* In the order of settings_table[]. */
enum evaluation_key {
    EVALUATION_OUTER_STEPS,
    EVALUATION_AUGMENTATIONS,
    EVALUATION_ACT_INFERENCE,
    EVALUATION_SEED,
    EVALUATION_SPLIT,
    EVALUATION_KEY_COUNT
};

enum setting_id evaluation_key_setting(enum evaluation_key key);
/* "eval.halt_max_steps" for EVALUATION_OUTER_STEPS. */
const char *evaluation_key_name(enum evaluation_key key);
/* The key of that name, or -1: the name is not an evaluation setting. */
int evaluation_key_find(const char *name);

#endif
