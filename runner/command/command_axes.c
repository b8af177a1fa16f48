/* command_axes.c - prints the table of settings, or a JSON Schema of specs. */
#include "error.h"
#include "measure_table.h"
#include "options.h"
#include "setting_table.h"
#include "settings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints the settings whose keys begin so; NULL: all. */
static int print_settings(const char *beginning, const struct options *options,
                          struct error *err)
{
    struct table *table;
    int rc = setting_table(&table, beginning, err);

    if (rc == 0 && table_is_empty(table)) {
        const char *nearest = setting_nearest(beginning);

        rc = error_set(err, ERROR_FORMAT,
                       "hrmlab axes %.40s: no setting begins so%s%s%s; expected the beginning "
                       "of a setting, \"schema\", \"markdown\" or \"measures\"",
                       beginning, nearest != NULL ? " (did you mean \"" : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "");
    }
    if (rc == 0)
        rc = table_print(table, stdout, options->format, options_color(options), err);
    table_destroy(table);
    return rc;
}

/* Adds a member to object; key NULL: an item to an array. *whole becomes false
 * without memory. */
static void add(cJSON *object, const char *key, cJSON *item, bool *whole)
{
    bool added = item != NULL && (key != NULL ? cJSON_AddItemToObject(object, key, item)
                                              : cJSON_AddItemToArray(object, item));

    if (!added)
        cJSON_Delete(item);
    *whole = *whole && added;
}

/* Schema of a list of stages, or none. */
static const char STAGES_SCHEMA[] =
    "[{\"type\": \"array\", \"items\": {\"type\": \"object\", \"additionalProperties\": false,"
    " \"required\": [\"until\", \"H_cycles\", \"L_cycles\"], \"properties\": {"
    "  \"until\": {\"type\": \"number\", \"exclusiveMinimum\": 0, \"maximum\": 1},"
    "  \"H_cycles\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 64},"
    "  \"L_cycles\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 64}}}},"
    " {\"type\": \"string\"}]";

/* The schema of one setting's value. */
static cJSON *value_schema(const struct setting *setting, bool *whole)
{
    static const char *const types[] = { "integer", "number", "boolean",
                                         "string",  "string", NULL };
    cJSON *schema = cJSON_CreateObject();

    if (setting->several)
        add(schema, "anyOf",
            cJSON_Parse("[{\"type\":\"string\"},{\"type\":\"array\",\"minItems\":1,"
                        "\"items\":{\"type\":\"string\",\"minLength\":1}}]"),
            whole);
    else if (setting->stages)
        add(schema, "anyOf", cJSON_Parse(STAGES_SCHEMA), whole);
    else if (setting->weights)
        add(schema, "anyOf", cJSON_Parse("[{\"type\":\"string\"},{\"type\":\"object\"}]"),
            whole);
    else if (types[setting->type] != NULL)
        add(schema, "type", cJSON_CreateString(types[setting->type]), whole);
    if (setting->type == SETTING_INT || setting->type == SETTING_REAL) {
        add(schema, "minimum", cJSON_CreateNumber(setting->minimum), whole);
        add(schema, "maximum", cJSON_CreateNumber(setting->maximum), whole);
    }
    if (setting->choices != NULL) {
        cJSON *words = cJSON_CreateArray();
        for (int i = 0; setting->choices[i] != NULL; i++)
            add(words, NULL, cJSON_CreateString(setting->choices[i]), whole);
        add(schema, "enum", words, whole);
    }
    if (setting->type == SETTING_INT_OR_WORD) {
        cJSON *any = cJSON_CreateArray(), *number = cJSON_CreateObject();
        cJSON *all = cJSON_CreateObject();
        add(number, "type", cJSON_CreateString("integer"), whole);
        add(number, "minimum", cJSON_CreateNumber(setting->minimum), whole);
        add(all, "const", cJSON_CreateString(setting->word), whole);
        add(any, NULL, number, whole);
        add(any, NULL, all, whole);
        add(schema, "anyOf", any, whole);
    }
    add(schema, "description", cJSON_CreateString(setting->meaning), whole);
    return schema;
}

enum map_kind { MAP_VALUES, MAP_LISTS, MAP_VALUES_OR_LISTS };

/* Schema of a spec; value_schema() and map_schema() add $defs to it. */
static const char SPEC_SCHEMA[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\","
    " \"title\": \"hrmlab spec\", \"type\": \"object\", \"additionalProperties\": false,"
    " \"properties\": {"
    "  \"name\": {\"type\": \"string\", \"pattern\": \"^[A-Za-z0-9._-]{1,100}$\"},"
    "  \"description\": {\"type\": \"string\"}, \"expected_time\": {\"type\": \"string\"},"
    "  \"priority\": {\"type\": \"integer\"},"
    "  \"base\": {\"anyOf\": ["
    "   {\"type\": \"array\", \"items\": {\"type\": \"string\"}}, {\"type\": \"string\"}]},"
    "  \"set\": {\"$ref\": \"#/$defs/set\"},"
    "  \"grid\": {\"$ref\": \"#/$defs/axes\"}, \"ablate\": {\"$ref\": \"#/$defs/axes\"},"
    "  \"zip\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/axes\"}},"
    "  \"exclude\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/conditions\"}},"
    "  \"seeds\": {\"anyOf\": ["
    "   {\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"integer\", \"minimum\": "
    "0}},"
    "   {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000}]},"
    "  \"evaluate\": {\"$ref\": \"#/$defs/evaluate\"},"
    "  \"contrasts\": {\"type\": \"array\", \"maxItems\": 1000, \"items\": {"
    "   \"type\": \"object\", \"additionalProperties\": false,"
    "   \"required\": [\"name\", \"from\", \"to\"], \"properties\": {"
    "    \"name\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 200},"
    "    \"from\": {\"$ref\": \"#/$defs/cells\"},"
    "    \"to\": {\"$ref\": \"#/$defs/cells\"}}}},"
    "  \"resources\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "   \"threads\": {\"$ref\": \"#/$defs/settings/resources.threads\"},"
    "   \"ranks\": {\"$ref\": \"#/$defs/settings/resources.ranks\"},"
    "   \"memory_gb\": {\"$ref\": \"#/$defs/settings/resources.memory_gb\"},"
    "   \"time_limit_min\": {\"$ref\": \"#/$defs/settings/resources.time_limit_min\"},"
    "   \"hang_s\": {\"$ref\": \"#/$defs/settings/resources.hang_s\"}}},"
    "  \"retries\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "   \"max\": {\"$ref\": \"#/$defs/settings/retries.max\"},"
    "   \"delay\": {\"$ref\": \"#/$defs/settings/retries.delay\"}}},"
    "  \"slurm\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "   \"partition\": {\"$ref\": \"#/$defs/settings/slurm.partition\"},"
    "   \"account\": {\"$ref\": \"#/$defs/settings/slurm.account\"},"
    "   \"qos\": {\"$ref\": \"#/$defs/settings/slurm.qos\"},"
    "   \"timeout_min\": {\"$ref\": \"#/$defs/settings/slurm.timeout_min\"},"
    "   \"cpus_per_task\": {\"$ref\": \"#/$defs/settings/slurm.cpus_per_task\"},"
    "   \"mem_gb\": {\"$ref\": \"#/$defs/settings/slurm.mem_gb\"},"
    "   \"constraint\": {\"$ref\": \"#/$defs/settings/slurm.constraint\"},"
    "   \"signal_delay_s\": {\"$ref\": \"#/$defs/settings/slurm.signal_delay_s\"},"
    "   \"array_parallelism\": {\"$ref\": \"#/$defs/settings/slurm.array_parallelism\"},"
    "   \"runs_per_job\": {\"$ref\": \"#/$defs/settings/slurm.runs_per_job\"},"
    "   \"setup\": {\"$ref\": \"#/$defs/settings/slurm.setup\"},"
    "   \"additional_parameters\": {\"$ref\": "
    "\"#/$defs/settings/slurm.additional_parameters\"}}}}}";

/* A reference to the schema of a setting's value; or of that and lists of it; or of
 * lists only. */
static cJSON *reference(const char *key, enum map_kind kind, bool *whole)
{
    cJSON *value = cJSON_CreateObject(), *list, *either, *any;
    char path[120];

    snprintf(path, sizeof path, "#/$defs/settings/%s", key);
    add(value, "$ref", cJSON_CreateString(path), whole);
    if (kind == MAP_VALUES)
        return value;
    list = cJSON_CreateObject();
    add(list, "type", cJSON_CreateString("array"), whole);
    add(list, "minItems", cJSON_CreateNumber(1), whole);
    add(list, "items", value, whole);
    if (kind == MAP_LISTS)
        return list;
    either = cJSON_CreateObject();
    any = cJSON_CreateArray();
    add(any, NULL, reference(key, MAP_VALUES, whole), whole);
    add(any, NULL, list, whole);
    add(either, "anyOf", any, whole);
    return either;
}

enum map_settings { MAP_OF_ARMS = 1, MAP_OF_EVALUATIONS = 2 };

/* The schema of an object of settings; of is a sum of enum map_settings. */
static cJSON *map_schema(int of, enum map_kind kind, bool *whole)
{
    cJSON *schema = cJSON_CreateObject(), *properties = cJSON_CreateObject();

    add(schema, "type", cJSON_CreateString("object"), whole);
    add(schema, "additionalProperties", cJSON_CreateFalse(), whole);
    for (int i = 0; i < SETTING_COUNT; i++)
        if ((of & (settings_table[i].phase == PHASE_EVALUATION ? MAP_OF_EVALUATIONS
                                                               : MAP_OF_ARMS)) != 0 &&
            i != TRAIN_SEED)
            add(properties, settings_table[i].key,
                reference(settings_table[i].key, kind, whole), whole);
    add(schema, "properties", properties, whole);
    return schema;
}

static int print_schema(struct error *err)
{
    bool whole = true;
    cJSON *schema = cJSON_Parse(SPEC_SCHEMA), *definitions = cJSON_CreateObject();
    cJSON *settings = cJSON_CreateObject();

    for (int i = 0; i < SETTING_COUNT; i++)
        add(settings, settings_table[i].key, value_schema(&settings_table[i], &whole), &whole);
    add(definitions, "settings", settings, &whole);
    add(definitions, "set", map_schema(MAP_OF_ARMS, MAP_VALUES, &whole), &whole);
    add(definitions, "axes", map_schema(MAP_OF_ARMS, MAP_LISTS, &whole), &whole);
    add(definitions, "conditions", map_schema(MAP_OF_ARMS, MAP_VALUES_OR_LISTS, &whole),
        &whole);
    add(definitions, "evaluate", map_schema(MAP_OF_EVALUATIONS, MAP_VALUES_OR_LISTS, &whole),
        &whole);
    add(definitions, "cells", map_schema(MAP_OF_ARMS | MAP_OF_EVALUATIONS, MAP_VALUES, &whole),
        &whole);
    add(schema, "$defs", definitions, &whole);
    char *text = whole ? cJSON_Print(schema) : NULL;
    cJSON_Delete(schema);
    if (text == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the schema");
    printf("%s\n", text);
    cJSON_free(text);
    return 0;
}

static int print_measures(const struct options *options, struct error *err)
{
    struct table *table;
    int rc = measure_table(&table, err);

    if (rc == 0)
        rc = table_print(table, stdout, options->format, false, err);
    table_destroy(table);
    return rc;
}

/* The length of a key's group: 5 of "arch.name". */
static size_t group_length(const char *key)
{
    return strcspn(key, ".") + 1;
}

static bool group_was_before(int id)
{
    size_t length = group_length(settings_table[id].key);

    for (int before = 0; before < id; before++)
        if (strncmp(settings_table[before].key, settings_table[id].key, length) == 0)
            return true;
    return false;
}

/* Prints docs/settings.md: a section per group of settings, in the table's order. */
static int print_settings_page(struct error *err)
{
    int rc = 0;

    printf("# Settings\n\n"
           "Every setting that a spec may set, vary or evaluate with, written by `hrmlab axes "
           "markdown`.\n"
           "Settings of the phases training and data take part in a run's identity where they "
           "are active;\n"
           "those of evaluations tell evaluations of one run apart; those of execution change "
           "no result.\n");
    for (int id = 0; id < SETTING_COUNT && rc == 0; id++) {
        const char *key = settings_table[id].key;
        struct table *table;
        char group[40];

        if (group_was_before(id))
            continue;
        snprintf(group, sizeof group, "%.*s", (int)group_length(key), key);
        printf("\n## %.*s\n\n", (int)strlen(group) - 1, group);
        rc = setting_table(&table, group, err);
        if (rc == 0)
            rc = table_print(table, stdout, FORMAT_MARKDOWN, false, err);
        table_destroy(table);
    }
    return rc;
}

int command_axes(const struct options *options, int *exit_code, struct error *err)
{
    (void)exit_code;
    if (options->argument_count == 0)
        return print_settings(NULL, options, err);
    if (strcmp(options->arguments[0], "schema") == 0 &&
        (options->given & OPTION_BIT(OPTION_FORMAT)) != 0)
        return error_set(err, ERROR_FORMAT, "axes schema is JSON: without --format");
    if (strcmp(options->arguments[0], "schema") == 0)
        return print_schema(err);
    if (strcmp(options->arguments[0], "measures") == 0)
        return print_measures(options, err);
    if (strcmp(options->arguments[0], "markdown") == 0)
        return print_settings_page(err);
    return print_settings(options->arguments[0], options, err);
}
