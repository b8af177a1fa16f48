/* spec_keys.c - maps of settings in a spec, and what is wrong with a key. */
#include "spec_keys.h"

#include "json.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

bool spec_is_group(const char *key)
{
    size_t length = strlen(key);

    for (int i = 0; i < SETTING_COUNT; i++)
        if (strncmp(settings_table[i].key, key, length) == 0 &&
            settings_table[i].key[length] == '.')
            return true;
    return false;
}

int spec_unknown_key(const char *where, const char *key, struct error *err)
{
    const char *nearest = setting_nearest(key);

    if (spec_is_group(key))
        return error_set(err, ERROR_FORMAT,
                         "%s: \"%.100s\" is a group of settings; name each one whole, such as "
                         "\"%.100s.KEY\"",
                         where, key, key);
    if (nearest != NULL && strcmp(nearest, settings_table[TRAIN_SEED].key) == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown setting \"%.100s\"; a spec lists its seeds: \"seeds\": "
                         "[0, 1, 2]",
                         where, key);
    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown setting \"%.100s\"; did you mean \"%s\"?", where, key,
                         nearest);
    return error_set(err, ERROR_FORMAT,
                     "%s: unknown setting \"%.100s\"; `hrmlab axes` lists all settings", where,
                     key);
}

/* ERROR_FORMAT for an unknown key of resources, retries or slurm, whose keys are
 * written without that prefix. */
static int unknown_in_map(const char *where, const char *prefix, const char *key,
                          struct error *err)
{
    const char *names[SETTING_COUNT];
    size_t length = strlen(prefix);
    int count = 0;

    for (int i = 0; i < SETTING_COUNT; i++)
        if (strncmp(settings_table[i].key, prefix, length) == 0)
            names[count++] = settings_table[i].key + length;
    const char *inner = strncmp(key, prefix, length) == 0 ? key + length : key;
    const char *nearest = json_nearest_name(inner, names, count);
    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown setting \"%.100s\"; did you mean \"%s\"?", where, key,
                         nearest);
    return error_set(
        err, ERROR_FORMAT,
        "%s: unknown setting \"%.100s\"; `hrmlab axes` lists what begins with \"%s\"", where,
        key, prefix);
}

int spec_apply_map(struct config *config, const cJSON *spec, const char *key,
                   const char *prefix, const char *name, struct error *err)
{
    char where[300], full[200];
    const cJSON *map = json_member(spec, key);
    int rc = 0;

    snprintf(where, sizeof where, "%s: %s", name, key);
    if (map != NULL && !cJSON_IsObject(map))
        return error_set(err, ERROR_FORMAT, "%s must be an object of settings, not %s", where,
                         json_type_name(map));
    for (const cJSON *item = map != NULL ? map->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        snprintf(full, sizeof full, "%s%.150s", prefix, item->string);
        int id = setting_find(full);
        if (id < 0 && prefix[0] != '\0')
            return unknown_in_map(where, prefix, item->string, err);
        if (id < 0)
            return spec_unknown_key(where, full, err);
        if (id == TRAIN_SEED)
            return error_set(err, ERROR_FORMAT, "%s: train.seed is set by \"seeds\"", where);
        rc = config_set_json(config, id, item, where, err);
    }
    return rc;
}
