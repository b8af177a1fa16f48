/* evaluation_keys.c - the settings that tell the evaluations of one run apart. */
#include "evaluation_keys.h"

#include <assert.h>
#include <string.h>

static const enum setting_id SETTINGS[EVALUATION_KEY_COUNT] = {
    [EVALUATION_OUTER_STEPS] = EVAL_HALT_MAX_STEPS,
    [EVALUATION_AUGMENTATIONS] = EVAL_AUGMENTATIONS,
    [EVALUATION_ACT_INFERENCE] = EVAL_ACT_INFERENCE,
    [EVALUATION_SEED] = EVAL_SEED,
    [EVALUATION_SPLIT] = EVAL_SPLIT,
};

enum setting_id evaluation_key_setting(enum evaluation_key key)
{
    assert(key < EVALUATION_KEY_COUNT);
    return SETTINGS[key];
}

const char *evaluation_key_name(enum evaluation_key key)
{
    return settings_table[evaluation_key_setting(key)].key;
}

int evaluation_key_find(const char *name)
{
    for (int i = 0; i < EVALUATION_KEY_COUNT; i++)
        if (strcmp(name, evaluation_key_name((enum evaluation_key)i)) == 0)
            return i;
    return -1;
}
