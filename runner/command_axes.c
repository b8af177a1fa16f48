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
        snprintf(out, size, "%.16g to %.16g", setting->minimum, setting->maximum);
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

enum map_kind { MAP_VALUES, MAP_LISTS, MAP_VALUES_OR_LISTS };

/* What a spec looks like; $defs (value_schema() and map_schema()) are added to it. */
static const char SPEC_SCHEMA[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\","
    " \"title\": \"hrmlab spec\", \"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {"
    "  \"name\": {\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9._-]{1,100}$\"},"
    "  \"description\": {\"type\": \"string\"}, \"expected_time\": {\"type\": \"string\"},"
    "  \"priority\": {\"type\": \"integer\"},"
    "  \"base\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}},"
    "  \"set\": {\"$ref\": \"#/$defs/set\"},"
    "  \"grid\": {\"$ref\": \"#/$defs/axes\"}, \"ablate\": {\"$ref\": \"#/$defs/axes\"},"
    "  \"zip\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/axes\"}},"
    "  \"exclude\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/conditions\"}},"
    "  \"seeds\": {\"anyOf\": ["
    "   {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"integer\", \"minimum\": "
    "0}},"
    "   {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000}]},"
    "  \"evaluate\": {\"$ref\": \"#/$defs/evaluate\"},"
    "  \"resources\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "   \"threads\": {\"$ref\": \"#/$defs/settings/resources.threads\"},"
    "   \"memory_gb\": {\"$ref\": \"#/$defs/settings/resources.memory_gb\"},"
    "   \"time_limit_min\": {\"$ref\": \"#/$defs/settings/resources.time_limit_min\"}}},"
    "  \"retries\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "   \"max\": {\"$ref\": \"#/$defs/settings/retries.max\"},"
    "   \"delay\": {\"$ref\": \"#/$defs/settings/retries.delay\"}}}}}";

/* A reference to a setting's value; lists of it too, or only. */
static cJSON *reference(const char *key, enum map_kind kind)
{
    cJSON *value = cJSON_CreateObject(), *list, *either;
    char path[120];

    snprintf(path, sizeof path, "#/$defs/settings/%s", key);
    cJSON_AddStringToObject(value, "$ref", path);
    if (kind == MAP_VALUES)
        return value;
    list = cJSON_CreateObject();
    cJSON_AddStringToObject(list, "type", "array");
    cJSON_AddNumberToObject(list, "minItems", 1);
    cJSON_AddItemToObject(list, "items", value);
    if (kind == MAP_LISTS)
        return list;
    either = cJSON_CreateObject();
    cJSON *any = cJSON_AddArrayToObject(either, "anyOf");
    cJSON_AddItemToArray(any, cJSON_Duplicate(value, true));
    cJSON_AddItemToArray(any, list);
    return either;
}

/* An object of settings, those of evaluations or all others. */
static cJSON *map_schema(bool evaluation, enum map_kind kind)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    cJSON *properties = cJSON_AddObjectToObject(schema, "properties");
    for (int i = 0; i < SETTING_COUNT; i++)
        if ((settings_table[i].phase == PHASE_EVALUATION) == evaluation && i != TRAIN_SEED)
            cJSON_AddItemToObject(properties, settings_table[i].key,
                                  reference(settings_table[i].key, kind));
    return schema;
}

static int print_schema(struct error *err)
{
    cJSON *schema = cJSON_Parse(SPEC_SCHEMA);
    cJSON *definitions = cJSON_AddObjectToObject(schema, "$defs");
    cJSON *settings = cJSON_AddObjectToObject(definitions, "settings");

    for (int i = 0; i < SETTING_COUNT; i++)
        cJSON_AddItemToObject(settings, settings_table[i].key,
                              value_schema(&settings_table[i]));
    cJSON_AddItemToObject(definitions, "set", map_schema(false, MAP_VALUES));
    cJSON_AddItemToObject(definitions, "axes", map_schema(false, MAP_LISTS));
    cJSON_AddItemToObject(definitions, "conditions", map_schema(false, MAP_VALUES_OR_LISTS));
    cJSON_AddItemToObject(definitions, "evaluate", map_schema(true, MAP_VALUES_OR_LISTS));
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
