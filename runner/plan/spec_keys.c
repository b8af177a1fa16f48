/* spec_keys.c - what is wrong with a key that names no setting. */
#include "spec_keys.h"

#include <string.h>

#include "settings.h"

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
