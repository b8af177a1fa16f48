/* evaluation_keys.c - the settings that tell the evaluations of one run apart. */
#include "evaluation_keys.h"

#include "json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const enum setting_id SETTINGS[EVALUATION_KEY_COUNT] = {
    [EVALUATION_OUTER_STEPS] = EVAL_HALT_MAX_STEPS,
    [EVALUATION_AUGMENTATIONS] = EVAL_AUGMENTATIONS,
    [EVALUATION_ACT_INFERENCE] = EVAL_ACT_INFERENCE,
    [EVALUATION_SEED] = EVAL_SEED,
    [EVALUATION_SPLIT] = EVAL_SPLIT,
    [EVALUATION_TRAJECTORY] = EVAL_TRAJECTORY,
    [EVALUATION_HALT_RULE] = EVAL_HALT_RULE,
    [EVALUATION_HALT_PATIENCE] = EVAL_HALT_PATIENCE,
    [EVALUATION_HALT_EPSILON] = EVAL_HALT_EPSILON,
    [EVALUATION_PUZZLE_ID] = EVAL_PUZZLE_ID,
    [EVALUATION_POOL_CHECKPOINTS] = EVAL_POOL_CHECKPOINTS,
    [EVALUATION_ROLLOUTS] = EVAL_ROLLOUTS,
    [EVALUATION_INIT_NOISE] = EVAL_INIT_NOISE,
    [EVALUATION_CHOOSE] = EVAL_CHOOSE,
    [EVALUATION_WEIGHTS] = EVAL_WEIGHTS,
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

bool evaluation_key_may_be_absent(enum evaluation_key key)
{
    return key > EVALUATION_SPLIT;
}

/* Adds the member. False: no memory. */
static bool add_value(cJSON *object, enum evaluation_key key, cJSON *value)
{
    if (value != NULL && cJSON_AddItemToObject(object, evaluation_key_name(key), value))
        return true;
    cJSON_Delete(value);
    return false;
}

cJSON *evaluation_keys_object(const struct config *config, int64_t outer_steps)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = object != NULL;

    for (int i = 0; i < EVALUATION_KEY_COUNT && whole; i++) {
        enum evaluation_key key = (enum evaluation_key)i;

        if (evaluation_key_may_be_absent(key) && !config_differs(config, (int)SETTINGS[i]))
            continue;
        whole = add_value(object, key,
                          key == EVALUATION_OUTER_STEPS
                              ? cJSON_CreateNumber((double)outer_steps)
                              : config_get_json(config, (int)SETTINGS[i]));
    }
    if (whole)
        return object;
    cJSON_Delete(object);
    return NULL;
}

bool evaluation_keys_has_trajectory(const char *canonical)
{
    return strstr(canonical, "\"eval.trajectory\":true") != NULL;
}

char *evaluation_key_text(const char *canonical, enum evaluation_key key)
{
    const struct setting *setting = &settings_table[evaluation_key_setting(key)];
    cJSON *evaluation = cJSON_Parse(canonical);
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(evaluation, setting->key);
    char *text = evaluation == NULL       ? NULL
                 : member == NULL         ? strdup(setting->absent_means)
                 : cJSON_IsString(member) ? strdup(member->valuestring)
                                          : json_canonical(member);

    cJSON_Delete(evaluation);
    return text;
}

bool evaluation_key_has_effect(const char *canonical, enum evaluation_key key)
{
    if (key != EVALUATION_HALT_PATIENCE && key != EVALUATION_HALT_EPSILON)
        return true;
    return strstr(canonical, key == EVALUATION_HALT_PATIENCE
                                 ? "\"eval.halt_rule\":\"stable\""
                                 : "\"eval.halt_rule\":\"residual\"") != NULL;
}
