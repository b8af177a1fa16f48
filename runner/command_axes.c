/* command_axes.c - the settings table for people, and as a JSON Schema of specs. */
#include "error.h"
#include "options.h"
#include "settings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PHASES[] = { "training", "data", "evaluation", "execution" };
static const char *const TYPES[] = { "integer", "real", "true/false",
                                     "choice",  "text", "integer or all" };

static void allowed_text(char *out, size_t size, const struct setting *setting)
{
    size_t used = 0;

    out[0] = '\0';
    if (setting->type == SETTING_INT || setting->type == SETTING_REAL ||
        setting->type == SETTING_COUNT_OR_ALL)
        snprintf(out, size, "%.10g to %.10g", setting->minimum, setting->maximum);
    for (int i = 0; setting->choices != NULL && setting->choices[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 setting->choices[i]);
}

static int print_settings(const struct options *options, struct error *err)
{
    static const struct table_column columns[] = {
        { .name = "key", .type = TABLE_TEXT },
        { .name = "phase", .type = TABLE_TEXT },
        { .name = "type", .type = TABLE_TEXT },
        { .name = "allowed", .type = TABLE_TEXT },
        { .name = "default", .type = TABLE_TEXT },
        { .name = "unit", .type = TABLE_TEXT },
        { .name = "conditional", .type = TABLE_TEXT },
        { .name = "meaning", .type = TABLE_TEXT },
    };
    struct table *table;
    int rc = table_create(&table, columns, sizeof columns / sizeof *columns, err);

    for (int i = 0; i < SETTING_COUNT && rc == 0; i++) {
        const struct setting *setting = &settings_table[i];
        char allowed[200];
        allowed_text(allowed, sizeof allowed, setting);
        table_row(table);
        table_text(table, setting->key);
        table_text(table, PHASES[setting->phase]);
        table_text(table, TYPES[setting->type]);
        table_text(table, allowed);
        table_text(table, setting->default_text);
        table_text(table, setting->unit);
        table_text(table, setting->inactive != NULL ? "may be inactive" : "");
        table_text(table, setting->meaning);
    }
    if (rc == 0)
        rc = table_print(table, stdout, options->format, false, err);
    table_destroy(table);
    return rc;
}

/* The schema of one setting's value. */
static cJSON *value_schema(const struct setting *setting)
{
    static const char *const types[] = { "integer", "number", "boolean",
                                         "string",  "string", NULL };
    cJSON *schema = cJSON_CreateObject();

    if (types[setting->type] != NULL)
        cJSON_AddStringToObject(schema, "type", types[setting->type]);
    if (setting->type == SETTING_INT || setting->type == SETTING_REAL) {
        cJSON_AddNumberToObject(schema, "minimum", setting->minimum);
        cJSON_AddNumberToObject(schema, "maximum", setting->maximum);
    }
    if (setting->choices != NULL) {
        cJSON *words = cJSON_AddArrayToObject(schema, "enum");
        for (int i = 0; setting->choices[i] != NULL; i++)
            cJSON_AddItemToArray(words, cJSON_CreateString(setting->choices[i]));
    }
    if (setting->type == SETTING_COUNT_OR_ALL) {
        cJSON *any = cJSON_AddArrayToObject(schema, "anyOf"), *number = cJSON_CreateObject();
        cJSON *all = cJSON_CreateObject();
        cJSON_AddStringToObject(number, "type", "integer");
        cJSON_AddNumberToObject(number, "minimum", setting->minimum);
        cJSON_AddStringToObject(all, "const", "all");
        cJSON_AddItemToArray(any, number);
        cJSON_AddItemToArray(any, all);
    }
    cJSON_AddStringToObject(schema, "description", setting->meaning);
    return schema;
}

/* An object of settings of the given phases; lists: values are lists of them. */
static cJSON *map_schema(bool evaluation, bool lists)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    for (int i = 0; i < SETTING_COUNT; i++) {
        if ((settings_table[i].phase == PHASE_EVALUATION) != evaluation || i == TRAIN_SEED)
            continue;
        cJSON *value = value_schema(&settings_table[i]);
        if (lists) {
            cJSON *list = cJSON_CreateObject();
            cJSON_AddStringToObject(list, "type", "array");
            cJSON_AddNumberToObject(list, "minItems", 1);
            cJSON_AddItemToObject(list, "items", value);
            value = list;
        }
        cJSON_AddItemToObject(properties, settings_table[i].key, value);
    }
    return schema;
}

static int print_schema(struct error *err)
{
    cJSON *schema = cJSON_CreateObject(), *properties;

    cJSON_AddStringToObject(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    cJSON_AddStringToObject(schema, "title", "hrmlab spec");
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    properties = cJSON_AddObjectToObject(schema, "properties");
    for (int i = 0; i < 3; i++) {
        static const char *const texts[] = { "name", "description", "expected_time" };
        cJSON *text = cJSON_AddObjectToObject(properties, texts[i]);
        cJSON_AddStringToObject(text, "type", "string");
    }
    cJSON *priority = cJSON_AddObjectToObject(properties, "priority");
    cJSON_AddStringToObject(priority, "type", "integer");
    static const char *const open[] = { "base", "exclude", "seeds", "resources", "retries" };
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        cJSON_AddObjectToObject(properties, open[i]);
    cJSON_AddItemToObject(properties, "set", map_schema(false, false));
    cJSON_AddItemToObject(properties, "grid", map_schema(false, true));
    cJSON_AddItemToObject(properties, "ablate", map_schema(false, true));
    cJSON *zip = cJSON_AddObjectToObject(properties, "zip");
    cJSON_AddStringToObject(zip, "type", "array");
    cJSON_AddItemToObject(zip, "items", map_schema(false, true));
    cJSON_AddObjectToObject(properties, "evaluate");
    char *text = cJSON_Print(schema);
    cJSON_Delete(schema);
    if (text == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the schema");
    printf("%s\n", text);
    cJSON_free(text);
    return 0;
}

int command_axes(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    if (options->argument_count == 0)
        return print_settings(options, err);
    if (strcmp(options->arguments[0], "schema") == 0)
        return print_schema(err);
    return error_set(err, ERROR_FORMAT, "hrmlab axes %.40s: expected nothing or \"schema\"",
                     options->arguments[0]);
}
