/* spec_contrasts.c - planned comparisons of a spec, checked against its cells. */
#include "spec_contrasts.h"

#include "error.h"
#include "evaluation_keys.h"
#include "json.h"
#include "spec_keys.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CONTRASTS = 1000, MOST_NAME = 200, LISTED_VALUES = 12 };

/* The value of a setting in a cell, fresh: outer steps at inference are resolved. NULL:
 * it has no effect there, or out of memory. */
static cJSON *cell_value(const struct spec_arm *arm, const struct spec_evaluation *evaluation,
                         int id)
{
    if (settings_table[id].phase != PHASE_EVALUATION)
        return config_active(&arm->config, id) ? config_get_json(&arm->config, id) : NULL;
    if (id == EVAL_HALT_MAX_STEPS && config_int(&evaluation->config, EVAL_HALT_MAX_STEPS) == 0)
        return config_get_json(&arm->config, ARCH_HALT_MAX_STEPS);
    return config_get_json(&evaluation->config, id);
}

static bool cell_has(const struct spec_arm *arm, const struct spec_evaluation *evaluation,
                     const cJSON *setting)
{
    cJSON *value = cell_value(arm, evaluation, setting_find(setting->string));
    bool same = value != NULL && cJSON_Compare(value, setting, 1) != 0;

    cJSON_Delete(value);
    return same;
}

/* Marks the cells (arm, evaluation) that have all settings of the side. Returns how
 * many. */
static int mark_cells(bool *marked, const struct spec *spec, const cJSON *side)
{
    int count = 0;

    for (int a = 0; a < spec->arm_count; a++)
        for (int e = 0; e < spec->evaluation_count; e++) {
            bool all = true;

            for (const cJSON *item = side->child; item != NULL && all; item = item->next)
                all = cell_has(&spec->arms[a], &spec->evaluations[e], item);
            marked[(size_t)a * (size_t)spec->evaluation_count + (size_t)e] = all;
            count += all;
        }
    return count;
}

/* The values that cells have of a setting, each once: "hrm, transformer". */
static void list_values(char *out, size_t size, const struct spec *spec, int id)
{
    cJSON *values[LISTED_VALUES];
    int count = 0;
    size_t used = 0;

    out[0] = '\0';
    for (int a = 0; a < spec->arm_count && count < LISTED_VALUES; a++)
        for (int e = 0; e < spec->evaluation_count && count < LISTED_VALUES; e++) {
            cJSON *value = cell_value(&spec->arms[a], &spec->evaluations[e], id);
            bool known = value == NULL;

            for (int i = 0; i < count && !known; i++)
                known = cJSON_Compare(values[i], value, 1) != 0;
            if (known)
                cJSON_Delete(value);
            else
                values[count++] = value;
        }
    for (int i = 0; i < count; i++) {
        char *text = cJSON_IsString(values[i]) ? strdup(values[i]->valuestring)
                                               : json_canonical(values[i]);

        if (text != NULL && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", text);
        free(text);
        cJSON_Delete(values[i]);
    }
}

/* Which of the side's settings no cell has; NULL: each alone is somewhere. */
static const cJSON *setting_nowhere(const struct spec *spec, const cJSON *side)
{
    for (const cJSON *item = side->child; item != NULL; item = item->next) {
        bool somewhere = false;

        for (int a = 0; a < spec->arm_count && !somewhere; a++)
            for (int e = 0; e < spec->evaluation_count && !somewhere; e++)
                somewhere = cell_has(&spec->arms[a], &spec->evaluations[e], item);
        if (!somewhere)
            return item;
    }
    return NULL;
}

static int error_no_cell(const struct spec *spec, const cJSON *side, const char *where,
                         struct error *err)
{
    const cJSON *nowhere = setting_nowhere(spec, side);
    char list[400];
    size_t used = 0;

    if (nowhere != NULL) {
        char *value = json_canonical(nowhere);

        list_values(list, sizeof list, spec, setting_find(nowhere->string));
        int rc = error_set(err, ERROR_FORMAT, "%s: no arm has %s = %.60s; expected one of: %s",
                           where, nowhere->string, value != NULL ? value : "",
                           list[0] != '\0' ? list : "(it has no effect here)");
        free(value);
        return rc;
    }
    list[0] = '\0';
    for (int a = 0; a < spec->arm_count && used + 90 < sizeof list; a++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%.80s\"",
                                 a > 0 ? ", " : "", spec->arms[a].label);
    return error_set(err, ERROR_FORMAT,
                     "%s: no arm and evaluation have all these settings together; arms: %s",
                     where, list);
}

/* Names and values of a side's settings. */
static int check_side(const cJSON *side, struct config *scratch, const char *where,
                      struct error *err)
{
    int rc = 0;

    if (!cJSON_IsObject(side) || side->child == NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: expected an object of settings such as {\"arch.name\": \"hrm\"}",
                         where);
    for (const cJSON *item = side->child; item != NULL && rc == 0; item = item->next) {
        int id = setting_find(item->string);

        if (id < 0)
            return spec_unknown_key(where, item->string, err);
        if (id == TRAIN_SEED || settings_table[id].phase == PHASE_EXECUTION)
            return error_set(err, ERROR_FORMAT,
                             "%s: %s does not tell arms apart; name settings of arms and "
                             "evaluations",
                             where, item->string);
        if (cJSON_IsArray(item) && !settings_table[id].several)
            return error_set(err, ERROR_FORMAT,
                             "%s: %s: expected one value; leave the setting out to average "
                             "over its values",
                             where, item->string);
        rc = config_set_json(scratch, id, item, where, err);
    }
    return rc;
}

/* The name of a contrast, which no other has. */
static int check_name(const struct spec *spec, const cJSON *item, const char *where,
                      struct error *err)
{
    const cJSON *name = json_member(item, "name");

    if (!cJSON_IsObject(item) || !cJSON_IsString(name) || name->valuestring[0] == '\0' ||
        strlen(name->valuestring) > MOST_NAME)
        return error_set(err, ERROR_FORMAT,
                         "%s: expected {\"name\": TEXT of 1 to %d bytes, \"from\": {...}, "
                         "\"to\": {...}}",
                         where, MOST_NAME);
    for (const cJSON *member = item->child; member != NULL; member = member->next)
        if (strcmp(member->string, "name") != 0 && strcmp(member->string, "from") != 0 &&
            strcmp(member->string, "to") != 0)
            return error_set(err, ERROR_FORMAT,
                             "%s: unknown member \"%.60s\" of \"%.60s\"; expected name, from "
                             "and to",
                             where, member->string, name->valuestring);
    for (int i = 0; i < spec->contrast_count; i++) {
        assert(spec->contrasts[i].name != NULL);
        if (strcmp(spec->contrasts[i].name, name->valuestring) == 0)
            return error_set(err, ERROR_FORMAT, "%s: \"%.100s\" is there twice", where,
                             name->valuestring);
    }
    return 0;
}

/* Checks both sides; from and to: room for a mark per cell. */
static int check_sides(const struct spec *spec, const cJSON *item, struct config *scratch,
                       const char *path, bool *from, bool *to, struct error *err)
{
    static const char *const SIDES[] = { "from", "to" };
    bool *marks[] = { from, to };
    const char *name = json_member(item, "name")->valuestring;
    size_t cells = (size_t)spec->arm_count * (size_t)spec->evaluation_count;
    int rc = 0;

    for (int i = 0; i < 2 && rc == 0; i++) {
        const cJSON *side = json_member(item, SIDES[i]);
        char where[500];

        snprintf(where, sizeof where, "%.200s: contrasts: \"%.200s\": %s", path, name,
                 SIDES[i]);
        rc = check_side(side, scratch, where, err);
        if (rc == 0 && mark_cells(marks[i], spec, side) == 0)
            rc = error_no_cell(spec, side, where, err);
    }
    if (rc == 0 && memcmp(from, to, cells * sizeof *from) == 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%.200s: contrasts: \"%.200s\": from and to mean the same arms and "
                       "evaluations; expected two that differ",
                       path, name);
    return rc;
}

static int add_contrast(struct spec *spec, const cJSON *item, struct error *err)
{
    struct spec_contrast *contrast = &spec->contrasts[spec->contrast_count++];

    contrast->name = strdup(json_member(item, "name")->valuestring);
    contrast->from = json_canonical(json_member(item, "from"));
    contrast->to = json_canonical(json_member(item, "to"));
    return contrast->name == NULL || contrast->from == NULL || contrast->to == NULL
               ? error_no_memory(err, "a spec")
               : 0;
}

int spec_contrasts_read(struct spec *spec, const cJSON *merged, const char *path,
                        struct error *err)
{
    const cJSON *list = json_member(merged, "contrasts");
    size_t cells = (size_t)spec->arm_count * (size_t)spec->evaluation_count;
    struct config scratch;
    char where[300];

    if (list == NULL)
        return 0;
    snprintf(where, sizeof where, "%.250s: contrasts", path);
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MOST_CONTRASTS)
        return error_set(err, ERROR_FORMAT, "%s must be a list of at most %d objects, not %s",
                         where, MOST_CONTRASTS,
                         cJSON_IsArray(list) ? "more" : json_type_name(list));
    int rc = config_init(&scratch, err);
    if (rc < 0)
        return rc;
    bool *from = calloc(cells + 1, sizeof *from), *to = calloc(cells + 1, sizeof *to);
    spec->contrasts = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *spec->contrasts);
    if (from == NULL || to == NULL || spec->contrasts == NULL)
        rc = error_no_memory(err, "a spec");
    for (const cJSON *item = list->child; item != NULL && rc == 0; item = item->next) {
        rc = check_name(spec, item, where, err);
        if (rc == 0)
            rc = check_sides(spec, item, &scratch, path, from, to, err);
        if (rc == 0)
            rc = add_contrast(spec, item, err);
    }
    free(from);
    free(to);
    config_release(&scratch);
    return rc;
}

/* Whether a side names another value of key. */
static bool names_another(const cJSON *side, const char *key, const cJSON *value)
{
    const cJSON *named = cJSON_IsObject(side) ? json_member(side, key) : NULL;

    return named != NULL && cJSON_Compare(named, value, 1) == 0;
}

void spec_contrasts_drop(cJSON *merged, const char *key, const cJSON *value)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(merged, "contrasts");
    cJSON *next, *item = cJSON_IsArray(list) ? list->child : NULL;

    for (; item != NULL; item = next) {
        next = item->next;
        if (cJSON_IsObject(item) && (names_another(json_member(item, "from"), key, value) ||
                                     names_another(json_member(item, "to"), key, value)))
            cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
    }
}

void spec_contrasts_release(struct spec *spec)
{
    for (int i = 0; i < spec->contrast_count; i++) {
        free(spec->contrasts[i].name);
        free(spec->contrasts[i].from);
        free(spec->contrasts[i].to);
    }
    free(spec->contrasts);
}
