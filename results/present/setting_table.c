/*
 * setting_table.c - the settings there are, for people and for programs.
 */
#include "setting_table.h"

#include "error.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

static const char *const PHASES[] = { "training", "data", "evaluation", "execution" };
static const char *const TYPES[] = { "integer", "real", "true/false",
                                     "choice",  "text", "integer or word" };

static void allowed_text(char *out, size_t size, const struct setting *setting)
{
    size_t used = 0;

    out[0] = '\0';
    if (setting->type == SETTING_INT || setting->type == SETTING_REAL ||
        setting->type == SETTING_INT_OR_WORD)
        snprintf(out, size, "%.16g to %.16g", setting->minimum, setting->maximum);
    for (int i = 0; setting->choices != NULL && setting->choices[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 setting->choices[i]);
}

int setting_table(struct table **out, const char *group, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "key", .type = TABLE_TEXT },
        { .name = "phase", .type = TABLE_TEXT, .drop = 3 },
        { .name = "type", .type = TABLE_TEXT, .drop = 5 },
        { .name = "values",
          .title = "allowed; default",
          .type = TABLE_TEXT,
          .people_only = true,
          .drop = 1 },
        { .name = "allowed", .type = TABLE_TEXT, .machine_only = true },
        { .name = "default", .type = TABLE_TEXT, .machine_only = true },
        { .name = "unit", .type = TABLE_TEXT, .drop = 2 },
        { .name = "conditional", .type = TABLE_TEXT, .drop = 4 },
        { .name = "meaning", .type = TABLE_TEXT },
    };
    int rc = table_create(out, columns, sizeof columns / sizeof *columns, err);

    for (int i = 0; i < SETTING_COUNT && rc == 0; i++) {
        const struct setting *setting = &settings_table[i];
        char allowed[200], values[280];

        if (group != NULL && strncmp(setting->key, group, strlen(group)) != 0)
            continue;
        allowed_text(allowed, sizeof allowed, setting);
        snprintf(values, sizeof values, "%s%s%.60s", allowed, allowed[0] != '\0' ? "; " : "",
                 setting->default_text);
        table_row(*out);
        table_text(*out, setting->key);
        table_text(*out, PHASES[setting->phase]);
        table_text(*out, TYPES[setting->type]);
        table_text(*out, values);
        table_text(*out, allowed);
        table_text(*out, setting->default_text);
        table_text(*out, setting->unit);
        table_text(*out, setting->inactive != NULL ? "may be inactive" : "");
        table_text(*out, setting->meaning);
    }
    return rc;
}
