/* spec.c - turns a merged spec into arms, seeds and evaluations. */
#include "spec.h"

#include "error.h"
#include "hash.h"
#include "json.h"
#include "spec_axes.h"
#include "spec_bases.h"
#include "spec_contrasts.h"
#include "spec_keys.h"
#include "spec_merge.h"
#include "spec_weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_name(struct spec *spec, const cJSON *merged, const char *path,
                     struct error *err)
{
    const cJSON *name = json_member(merged, "name");
    const cJSON *description = json_member(merged, "description");
    const cJSON *expected = json_member(merged, "expected_time");
    const cJSON *priority = json_member(merged, "priority");

    if (name != NULL && !cJSON_IsString(name))
        return error_set(err, ERROR_FORMAT, "%s: \"name\" must be text, not %s", path,
                         json_type_name(name));
    if (description != NULL && !cJSON_IsString(description))
        return error_set(err, ERROR_FORMAT, "%s: \"description\" must be text, not %s", path,
                         json_type_name(description));
    if (expected != NULL && !cJSON_IsString(expected))
        return error_set(err, ERROR_FORMAT, "%s: \"expected_time\" must be text, not %s", path,
                         json_type_name(expected));
    if (name == NULL && spec_is_stream(path))
        return error_set(err, ERROR_FORMAT,
                         "%s: a spec that comes through a pipe needs a \"name\" (or --set "
                         "name=...)",
                         strcmp(path, "-") == 0 ? "standard input" : path);
    if (name != NULL) {
        spec->name = strdup(name->valuestring);
    } else { /* by default the file's name without .json */
        const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
        size_t length = strlen(base);
        if (length > 5 && strcmp(base + length - 5, ".json") == 0)
            length -= 5;
        spec->name = strndup(base, length);
    }
    spec->description = strdup(description != NULL ? description->valuestring : "");
    if (spec->name == NULL || spec->description == NULL)
        return error_no_memory(err, "a spec");
    size_t good = strspn(spec->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-");
    if (spec->name[0] == '\0' || spec->name[0] == '.' || spec->name[0] == '-' ||
        spec->name[good] != '\0' || good > SPEC_MAX_NAME)
        return error_set(
            err, ERROR_FORMAT,
            "%s: \"name\" must be 1 to %d letters, digits, '.', '_' or '-', and begin "
            "with a letter, a digit or '_'",
            path, SPEC_MAX_NAME);
    if (strcmp(spec->name, "all") == 0 || strcmp(spec->name, "last") == 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: \"name\": \"%s\" means experiments to other commands; choose "
                         "another name",
                         path, spec->name);
    if (priority != NULL) {
        int64_t value;
        int rc = json_get_int(&value, merged, "priority", path, err);
        if (rc < 0)
            return rc;
        if (value < -1000 || value > 1000)
            return error_set(err, ERROR_FORMAT, "%s: \"priority\" must be from -1000 to 1000",
                             path);
        spec->priority = (int)value;
    }
    return 0;
}

static bool is_seed(const cJSON *item)
{
    const struct setting *seed = &settings_table[TRAIN_SEED];
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;

    return value >= 0 && value <= seed->maximum && value == (double)(int64_t)value;
}

/* Reads seeds: a list of distinct numbers, a number n (0 to n-1), or nothing (seed
 * 0). */
static int read_seeds(struct spec *spec, const cJSON *merged, const char *path,
                      struct error *err)
{
    const cJSON *seeds = json_member(merged, "seeds");
    bool listed = seeds != NULL && cJSON_IsArray(seeds);
    bool counted = seeds != NULL && cJSON_IsNumber(seeds);
    int count = listed ? cJSON_GetArraySize(seeds) : 1;

    if (counted) {
        if (!is_seed(seeds) || seeds->valuedouble < 1 || seeds->valuedouble > 1000)
            return error_set(err, ERROR_FORMAT,
                             "%s: \"seeds\" must be a list of seeds or a number from 1 to 1000",
                             path);
        count = (int)seeds->valuedouble;
    } else if (seeds != NULL && (!listed || count == 0)) {
        return error_set(
            err, ERROR_FORMAT,
            "%s: \"seeds\" must be a list of at least one seed, or a number of them", path);
    }
    spec->seeds = calloc((size_t)count, sizeof *spec->seeds);
    if (spec->seeds == NULL)
        return error_no_memory(err, "a spec");
    for (int i = 0; i < count && (counted || seeds == NULL); i++)
        spec->seeds[i] = i;
    int i = 0;
    for (const cJSON *item = listed ? seeds->child : NULL; item != NULL;
         item = item->next, i++) {
        if (!is_seed(item))
            return error_set(err, ERROR_FORMAT,
                             "%s: \"seeds\" must hold integers from 0 to 9007199254740991",
                             path);
        spec->seeds[i] = (int64_t)item->valuedouble;
        for (int j = 0; j < i; j++)
            if (spec->seeds[j] == spec->seeds[i])
                return error_set(err, ERROR_FORMAT, "%s: \"seeds\" lists %" PRId64 " twice",
                                 path, spec->seeds[i]);
    }
    spec->seed_count = count;
    return 0;
}

/* Multiplies the list of evaluations by the values of one key. */
static int multiply_evaluations(struct spec *spec, int id, const cJSON *values,
                                const char *where, struct error *err)
{
    int n = cJSON_IsArray(values) ? cJSON_GetArraySize(values) : 1;
    const cJSON *first = cJSON_IsArray(values) ? values->child : values;
    int rc = 0, made = 0;

    if (n == 0)
        return error_set(err, ERROR_FORMAT, "%s: %s is an empty list; give at least one value",
                         where, settings_table[id].key);
    if ((int64_t)n * spec->evaluation_count > 10000)
        return error_set(err, ERROR_FORMAT, "%s: more than 10000 evaluations per run", where);
    struct spec_evaluation *product =
        calloc((size_t)(n * spec->evaluation_count), sizeof *product);
    if (product == NULL)
        return error_no_memory(err, "a spec");
    for (int e = 0; e < spec->evaluation_count && rc == 0; e++) {
        const cJSON *value = first;
        for (int i = 0; i < n && value != NULL && rc == 0;
             i++, value = cJSON_IsArray(values) ? value->next : NULL) {
            rc = config_copy(&product[made].config, &spec->evaluations[e].config, err);
            if (rc == 0)
                rc = config_set_json(&product[made++].config, id, value, where, err);
        }
    }
    for (int e = 0; e < spec->evaluation_count; e++)
        config_release(&spec->evaluations[e].config);
    free(spec->evaluations);
    spec->evaluations = product;
    spec->evaluation_count = made;
    return rc;
}

/* ERROR_FORMAT for an unknown key of "evaluate": the group alone may be missing. */
static int unknown_evaluation(const char *where, const char *key, struct error *err)
{
    char full[200];

    snprintf(full, sizeof full, "eval.%.150s", key);
    if (setting_find(full) < 0)
        return spec_unknown_key(where, key, err);
    return error_set(err, ERROR_FORMAT, "%s: unknown setting \"%s\"; did you mean \"%s\"?",
                     where, key, full);
}

static int read_evaluations(struct spec *spec, const cJSON *merged, const struct config *base,
                            const char *path, struct error *err)
{
    char where[300];
    const cJSON *evaluate = json_member(merged, "evaluate");
    int rc;

    snprintf(where, sizeof where, "%s: evaluate", path);
    if (evaluate != NULL && !cJSON_IsObject(evaluate))
        return error_set(err, ERROR_FORMAT, "%s must be an object of settings, not %s", where,
                         json_type_name(evaluate));
    spec->evaluations = calloc(1, sizeof *spec->evaluations);
    if (spec->evaluations == NULL)
        return error_no_memory(err, "a spec");
    rc = config_copy(&spec->evaluations[0].config, base, err);
    if (rc < 0)
        return rc;
    spec->evaluation_count = 1;
    for (const cJSON *item = evaluate != NULL ? evaluate->child : NULL; item != NULL;
         item = item->next) {
        int id = setting_find(item->string);
        if (id < 0)
            return unknown_evaluation(where, item->string, err);
        if (settings_table[id].phase != PHASE_EVALUATION)
            return error_set(err, ERROR_FORMAT,
                             "%s: %s changes the training; put it into \"set\" or \"grid\"",
                             where, item->string);
    }
    for (int id = 0; id < SETTING_COUNT && rc == 0; id++) {
        const cJSON *values = json_member(evaluate, settings_table[id].key);
        if (values != NULL)
            rc = multiply_evaluations(spec, id, values, where, err);
    }
    return rc;
}

/* Whether two values are equal. A setting with several texts stores them as JSON
 * text. */
static bool same_value(const cJSON *value, const cJSON *wanted)
{
    if (!cJSON_IsArray(wanted) || !cJSON_IsString(value))
        return cJSON_Compare(value, wanted, 1) != 0;
    char *text = json_canonical(wanted);
    bool same = text != NULL && strcmp(text, value->valuestring) == 0;

    free(text);
    return same;
}

static bool value_matches(const struct config *config, int id, const cJSON *wanted)
{
    cJSON *value = config_get_json(config, id);
    bool matches = false;

    if (cJSON_IsArray(wanted)) {
        for (const cJSON *item = wanted->child; item != NULL && !matches; item = item->next)
            matches = same_value(value, item);
    } else {
        matches = cJSON_Compare(value, wanted, 1) != 0;
    }
    cJSON_Delete(value);
    return matches;
}

/* Checks a value of an exclude rule, or each of a list of them: a value that the
 * setting cannot have would exclude nothing. */
static int check_exclude(struct config *scratch, const cJSON *item, const char *where,
                         struct error *err)
{
    int id = setting_find(item->string), rc = 0;

    if (id < 0)
        return spec_unknown_key(where, item->string, err);
    if (settings_table[id].phase == PHASE_EVALUATION || id == TRAIN_SEED)
        return error_set(err, ERROR_FORMAT,
                         "%s: %s does not tell arms apart, so that it can leave none out; its "
                         "values are those listed under \"%s\"",
                         where, item->string, id == TRAIN_SEED ? "seeds" : "evaluate");
    if (!cJSON_IsArray(item))
        return config_set_json(scratch, id, item, where, err);
    if (item->child == NULL)
        return error_set(err, ERROR_FORMAT, "%s: %s: an empty list excludes nothing", where,
                         item->string);
    for (const cJSON *value = item->child; value != NULL && rc == 0; value = value->next)
        rc = config_set_json(scratch, id, value, where, err);
    return rc;
}

static int check_excludes(const cJSON *merged, struct config *scratch, const char *path,
                          struct error *err)
{
    const cJSON *list = json_member(merged, "exclude");

    if (list != NULL && !cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "%s: \"exclude\" must be a list of objects, not %s",
                         path, json_type_name(list));
    for (const cJSON *rule = list != NULL ? list->child : NULL; rule != NULL;
         rule = rule->next) {
        char where[300];
        snprintf(where, sizeof where, "%s: exclude", path);
        if (!cJSON_IsObject(rule) || rule->child == NULL)
            return error_set(err, ERROR_FORMAT, "%s holds %s; expected objects of settings",
                             where,
                             cJSON_IsObject(rule) ? "an empty object" : json_type_name(rule));
        int rc = 0;
        for (const cJSON *item = rule->child; item != NULL && rc == 0; item = item->next)
            rc = check_exclude(scratch, item, where, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Whether a rule of "exclude" matches the cell; marks each one that does as used. */
static bool is_excluded(struct spec *spec, const cJSON *merged, const struct config *config)
{
    const cJSON *list = json_member(merged, "exclude");
    bool excluded = false;
    int number = 0;

    for (const cJSON *rule = list != NULL ? list->child : NULL; rule != NULL;
         rule = rule->next, number++) {
        bool all = true;
        for (const cJSON *item = rule->child; item != NULL && all; item = item->next)
            all = value_matches(config, setting_find(item->string), item);
        spec->exclude_used[number] = spec->exclude_used[number] || all;
        excluded = excluded || all;
    }
    return excluded;
}

/* Adds "key=value" to the label and the value to the axes object. */
static int add_axis_value(struct spec_arm *arm, int id, const cJSON *value, struct error *err)
{
    char *text = cJSON_IsString(value) ? strdup(value->valuestring) : json_canonical(value);
    cJSON *copy = cJSON_Duplicate(value, 1);
    char *label = NULL;

    if (text != NULL && copy != NULL)
        (void)!asprintf(&label, "%s%s%s=%s", arm->label != NULL ? arm->label : "",
                        arm->label != NULL ? " " : "", settings_table[id].key, text);
    free(text);
    if (label == NULL || !cJSON_AddItemToObject(arm->axes, settings_table[id].key, copy)) {
        cJSON_Delete(copy);
        free(label);
        return error_no_memory(err, "a spec");
    }
    free(arm->label);
    arm->label = label;
    return 0;
}

static void arm_release(struct spec_arm *arm)
{
    free(arm->label);
    cJSON_Delete(arm->axes);
    config_release(&arm->config);
    *arm = (struct spec_arm){ 0 };
}

/* Builds the next arm, that of cell number cell. *excluded: the spec leaves this cell
 * out. */
static int build_arm(struct spec *spec, bool *excluded, const struct spec_axes *axes,
                     int64_t cell, const struct config *base, const cJSON *merged,
                     const char *path, struct error *err)
{
    struct spec_arm *arm = &spec->arms[spec->arm_count];
    int rc = config_copy(&arm->config, base, err);
    int64_t stride = axes->cells;

    *excluded = false;
    arm->axes = cJSON_CreateObject();
    if (rc == 0 && arm->axes == NULL)
        rc = error_no_memory(err, "a spec");
    for (int a = 0; a < axes->count && rc == 0; a++) {
        const struct spec_axis *axis = &axes->axes[a];
        stride /= axis->positions; /* the first axis varies slowest */
        int position = (int)(cell / stride % axis->positions);
        for (int w = 0; w < axis->width && rc == 0; w++) {
            int id = axis->ids[position * axis->width + w];
            const cJSON *value = axis->values[position * axis->width + w];
            if (id < 0)
                continue;
            rc = config_set_json(&arm->config, id, value, path, err);
            if (rc == 0)
                rc = add_axis_value(arm, id, value, err);
        }
    }
    if (rc == 0 && arm->label == NULL) {
        arm->label = strdup("base");
        rc = arm->label == NULL ? error_no_memory(err, "a spec") : 0;
    }
    if (rc == 0)
        *excluded = is_excluded(spec, merged, &arm->config);
    if (rc == 0 && !*excluded) {
        char where[400];
        snprintf(where, sizeof where, "%.150s: %.200s", path, arm->label);
        rc = config_resolve(&arm->config, where, err);
    }
    return rc;
}

/* Adds key to a hash set with open addressing (size a power of two). Returns whether
 * it is new. */
static bool key_is_new(uint64_t *set, size_t size, uint64_t key)
{
    size_t at = (size_t)key & (size - 1);

    key |= 1; /* 0 marks a free slot */
    while (set[at] != 0 && set[at] != key)
        at = (at + 1) & (size - 1);
    bool is_new = set[at] == 0;
    set[at] = key;
    return is_new;
}

static int build_arms(struct spec *spec, const cJSON *merged, const struct config *base,
                      const char *path, struct error *err)
{
    struct spec_axes axes;
    size_t size = 16;
    int rc = spec_axes_init(&axes, merged, path, err);

    if (rc < 0)
        return rc;
    while (size < 2 * (size_t)axes.cells)
        size *= 2;
    uint64_t *seen = calloc(size, sizeof *seen);
    spec->arms = calloc((size_t)axes.cells, sizeof *spec->arms);
    spec->exclude_count = cJSON_GetArraySize(json_member(merged, "exclude"));
    spec->exclude_used = calloc((size_t)spec->exclude_count + 1, sizeof *spec->exclude_used);
    if (seen == NULL || spec->arms == NULL || spec->exclude_used == NULL)
        rc = error_no_memory(err, "a spec");
    spec->cell_count = (int)axes.cells;
    for (int64_t cell = 0; cell < axes.cells && rc == 0; cell++) {
        struct spec_arm *arm = &spec->arms[spec->arm_count];
        bool excluded = false;
        uint64_t key = 0;
        rc = build_arm(spec, &excluded, &axes, cell, base, merged, path, err);
        if (rc == 0 && !excluded)
            rc = spec_arm_key(&key, arm, err);
        if (rc == 0 && !excluded && key_is_new(seen, size, key)) {
            spec->arm_count++;
            continue;
        }
        spec->excluded_count += excluded;
        spec->collapsed_count += !excluded;
        arm_release(arm);
    }
    free(seen);
    spec_axes_release(&axes);
    if (rc == 0 && spec->arm_count == 0)
        rc = error_set(err, ERROR_FORMAT, "%s: \"exclude\" leaves nothing to run", path);
    return rc < 0 ? rc : spec_add_bases(spec, path, err);
}

static int read_merged(struct spec *spec, const cJSON *merged, const char *path,
                       struct error *err)
{
    struct config base, scratch;
    int rc = config_init(&base, err);

    if (rc < 0)
        return rc;
    rc = read_name(spec, merged, path, err);
    if (rc == 0)
        rc = spec_apply_map(&base, merged, "set", "", path, err);
    if (rc == 0)
        rc = spec_apply_map(&base, merged, "resources", "resources.", path, err);
    if (rc == 0)
        rc = spec_apply_map(&base, merged, "retries", "retries.", path, err);
    if (rc == 0)
        rc = spec_apply_map(&base, merged, "slurm", "slurm.", path, err);
    if (rc == 0)
        rc = read_seeds(spec, merged, path, err);
    if (rc == 0)
        rc = config_copy(&scratch, &base, err);
    if (rc == 0) {
        rc = check_excludes(merged, &scratch, path, err);
        config_release(&scratch);
    }
    if (rc == 0)
        rc = read_evaluations(spec, merged, &base, path, err);
    if (rc == 0)
        rc = build_arms(spec, merged, &base, path, err);
    if (rc == 0)
        rc = spec_contrasts_read(spec, merged, path, err);
    config_release(&base);
    return rc;
}

int spec_read(struct spec **out, const char *path, const char *workspace,
              const char *const *overrides, int count, struct error *err)
{
    cJSON *merged = NULL;
    struct spec *spec = NULL;
    int rc = spec_merge(&merged, path, workspace, overrides, count, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    spec = calloc(1, sizeof *spec);
    rc = spec == NULL
             ? error_no_memory(err, "a spec")
             : spec_read_weights(&spec->weights, &spec->weights_count, merged, path, err);
    if (rc == 0)
        rc = read_merged(spec, merged, path, err);
    if (rc == 0) {
        spec->resolved = json_canonical(merged);
        rc = spec->resolved == NULL ? error_no_memory(err, "a spec") : 0;
    }
    cJSON_Delete(merged);
    if (rc < 0) {
        spec_destroy(spec);
        return rc;
    }
    *out = spec;
    return 0;
}

int spec_rename(struct spec *spec, const char *name, struct error *err)
{
    cJSON *merged = NULL, *value = cJSON_CreateString(name);
    char *text = NULL, *copy = strdup(name);
    int rc = json_parse(&merged, spec->resolved, strlen(spec->resolved), spec->name, err);

    if (rc == 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(merged, "name");
        if (value != NULL && cJSON_AddItemToObject(merged, "name", value)) {
            value = NULL;
            text = json_canonical(merged);
        }
        if (text == NULL || copy == NULL)
            rc = error_no_memory(err, "a spec");
    }
    if (rc == 0) {
        free(spec->name);
        free(spec->resolved);
        spec->name = copy;
        spec->resolved = text;
    } else {
        free(copy);
        free(text);
    }
    cJSON_Delete(value);
    cJSON_Delete(merged);
    return rc;
}

void spec_destroy(struct spec *spec)
{
    if (spec == NULL)
        return;
    for (int i = 0; i < spec->arm_count; i++)
        arm_release(&spec->arms[i]);
    for (int i = 0; i < spec->evaluation_count; i++)
        config_release(&spec->evaluations[i].config);
    free(spec->arms);
    spec_contrasts_release(spec);
    free(spec->evaluations);
    for (int i = 0; i < spec->weights_count; i++)
        free(spec->weights[i].path);
    free(spec->weights);
    free(spec->seeds);
    free(spec->name);
    free(spec->description);
    free(spec->resolved);
    free(spec->exclude_used);
    free(spec);
}
