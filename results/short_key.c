/* short_key.c - settings by the names that tables and figures have for them. */
#include "short_key.h"

#include "error.h"
#include "json.h"
#include "query.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

static bool is_axis(const struct results *results, const char *key)
{
    for (int i = 0; results != NULL && i < results->arm_count; i++)
        if (json_member(results->arms[i].axes, key) != NULL)
            return true;
    return false;
}

int short_key_complete(const char **key, const struct results *results, const char *where,
                       struct error *err)
{
    const char *name = *key, *named = NULL, *axis = NULL;
    int count = 0, axis_count = 0;
    char list[200] = "";

    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *full = settings_table[i].key;

        if (strcmp(strrchr(full, '.') + 1, name) != 0)
            continue;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                 count > 0 ? " or " : "", full);
        named = full;
        count++;
        if (is_axis(results, full)) {
            axis = full;
            axis_count++;
        }
    }
    if (count > 1 && axis_count != 1)
        return error_set(err, ERROR_FORMAT, "%s: %s is %s: say which", where, name, list);
    if (count > 0)
        *key = count == 1 ? named : axis;
    return 0;
}
