/* spec_merge.c - base files under, --set over a spec. */
#include "spec_merge.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "settings.h"
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const TOP_KEYS[] = { "name",    "description", "expected_time", "base",
                                        "set",     "grid",        "zip",           "ablate",
                                        "exclude", "seeds",       "evaluate",      "resources",
                                        "retries", "priority" };
enum { TOP_KEY_COUNT = sizeof TOP_KEYS / sizeof *TOP_KEYS };

int spec_unknown_key(const char *where, const char *key, struct error *err)
{
    const char *nearest = setting_nearest(key);

    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown setting \"%.100s\"; did you mean \"%s\"?", where, key,
                         nearest);
    return error_set(err, ERROR_FORMAT,
                     "%s: unknown setting \"%.100s\"; `hrmlab axes` lists all settings", where,
                     key);
}

static int check_top_keys(const cJSON *spec, const char *path, struct error *err)
{
    if (!cJSON_IsObject(spec))
        return error_set(err, ERROR_FORMAT, "%s: a spec is an object, not %s", path,
                         json_type_name(spec));
    for (const cJSON *item = spec->child; item != NULL; item = item->next) {
        bool known = false;
        for (int i = 0; i < TOP_KEY_COUNT; i++)
            known = known || strcmp(TOP_KEYS[i], item->string) == 0;
        if (known)
            continue;
        const char *nearest = json_nearest_name(item->string, TOP_KEYS, TOP_KEY_COUNT);
        if (nearest != NULL)
            return error_set(err, ERROR_FORMAT,
                             "%s: unknown key \"%.100s\"; did you mean \"%s\"?", path,
                             item->string, nearest);
        if (setting_find(item->string) >= 0)
            return error_set(err, ERROR_FORMAT,
                             "%s: the setting \"%s\" belongs inside \"set\", \"grid\" or "
                             "\"evaluate\"",
                             path, item->string);
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown key \"%.100s\" (a spec has name, description, base, set, "
                         "grid, zip, ablate, exclude, seeds, evaluate, resources, retries)",
                         path, item->string);
    }
    return 0;
}

/* Puts over onto under (owned by the caller, changed in place). */
static int merge_onto(cJSON *under, const cJSON *over, struct error *err)
{
    for (const cJSON *item = over->child; item != NULL; item = item->next) {
        cJSON *there = cJSON_GetObjectItemCaseSensitive(under, item->string);
        if (cJSON_IsObject(there) && cJSON_IsObject(item)) {
            int rc = merge_onto(there, item, err);
            if (rc < 0)
                return rc;
            continue;
        }
        cJSON *copy = cJSON_Duplicate(item, 1);
        if (copy == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for a spec");
        cJSON_DeleteItemFromObjectCaseSensitive(under, item->string);
        if (!cJSON_AddItemToObject(under, item->string, copy)) {
            cJSON_Delete(copy);
            return error_set(err, ERROR_NOMEM, "no memory for a spec");
        }
    }
    return 0;
}

static int read_with_bases(cJSON **out, const char *path, int depth, struct error *err);

static char *sibling(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');

    if (name[0] == '/' || slash == NULL)
        return strdup(name);
    return format_string("%.*s%s", (int)(slash + 1 - path), path, name);
}

static int merge_base(cJSON *merged, const cJSON *name, const char *path, int depth,
                      struct error *err)
{
    cJSON *base = NULL;

    if (!cJSON_IsString(name))
        return error_set(err, ERROR_FORMAT,
                         "%s: \"base\" is a list of file names, but holds %s", path,
                         json_type_name(name));
    char *file = sibling(path, name->valuestring);
    if (file == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    int rc = read_with_bases(&base, file, depth + 1, err);
    if (rc == ERROR_ABSENT)
        rc = error_set(err, ERROR_FORMAT, "%s: base file %s does not exist", path, file);
    if (rc == 0)
        rc = merge_onto(merged, base, err);
    cJSON_Delete(base);
    free(file);
    return rc;
}

static int read_with_bases(cJSON **out, const char *path, int depth, struct error *err)
{
    cJSON *own = NULL, *merged = NULL;
    int rc;

    *out = NULL;
    if (depth > SPEC_MAX_BASE_DEPTH)
        return error_set(err, ERROR_FORMAT,
                         "%s: base files nested more than %d deep (do they name each other?)",
                         path, SPEC_MAX_BASE_DEPTH);
    rc = json_read_file(&own, path, JSON_SPEC_LIMIT, err);
    if (rc == 0)
        rc = check_top_keys(own, path, err);
    if (rc < 0)
        goto out;
    merged = cJSON_CreateObject();
    if (merged == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for a spec");
        goto out;
    }
    const cJSON *bases = json_member(own, "base");
    if (bases != NULL && !cJSON_IsArray(bases))
        rc = error_set(err, ERROR_FORMAT, "%s: \"base\" must be a list of file names, not %s",
                       path, json_type_name(bases));
    for (const cJSON *name = rc == 0 && bases != NULL ? bases->child : NULL;
         name != NULL && rc == 0; name = name->next)
        rc = merge_base(merged, name, path, depth, err);
    cJSON_DeleteItemFromObjectCaseSensitive(own, "base");
    if (rc == 0)
        rc = merge_onto(merged, own, err);
    if (rc == 0) {
        *out = merged;
        merged = NULL;
    }
out:
    cJSON_Delete(own);
    cJSON_Delete(merged);
    return rc;
}

static cJSON *member_object(cJSON *spec, const char *key)
{
    cJSON *object = cJSON_GetObjectItemCaseSensitive(spec, key);

    return object != NULL ? object : cJSON_AddObjectToObject(spec, key);
}

/* The value of --set as JSON: a JSON value, or a bare word as text. */
static int override_value(cJSON **out, int id, const char *text, struct error *err)
{
    struct config scratch;
    int rc = config_init(&scratch, err);

    *out = NULL;
    if (rc < 0)
        return rc;
    rc = config_set_text(&scratch, settings_table[id].key, text, "--set", err);
    if (rc == 0) {
        *out = config_get_json(&scratch, id);
        if (*out == NULL)
            rc = error_set(err, ERROR_NOMEM, "no memory for --set");
    }
    config_release(&scratch);
    return rc;
}

static void drop_axis(cJSON *spec, const char *key)
{
    cJSON *zips = cJSON_GetObjectItemCaseSensitive(spec, "zip");

    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(spec, "grid"),
                                            key);
    cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(spec, "ablate"),
                                            key);
    for (cJSON *zip = zips != NULL ? zips->child : NULL; zip != NULL; zip = zip->next)
        cJSON_DeleteItemFromObjectCaseSensitive(zip, key);
}

static int apply_override(cJSON *spec, const char *override, struct error *err)
{
    const char *equals = strchr(override, '=');
    char key[128];
    cJSON *value = NULL;

    if (equals == NULL || equals == override || (size_t)(equals - override) >= sizeof key)
        return error_set(err, ERROR_FORMAT,
                         "--set %.100s: expected key=value, such as train.lr=0.001", override);
    memcpy(key, override, (size_t)(equals - override));
    key[equals - override] = '\0';
    int id = setting_find(key);
    if (id < 0)
        return spec_unknown_key("--set", key, err);
    if (id == TRAIN_SEED)
        return error_set(err, ERROR_FORMAT,
                         "--set train.seed: seeds are listed under \"seeds\" in the spec");
    int rc = override_value(&value, id, equals + 1, err);
    if (rc < 0)
        return rc;
    bool evaluation = settings_table[id].phase == PHASE_EVALUATION;
    drop_axis(spec, key);
    cJSON *set = member_object(spec, evaluation ? "evaluate" : "set");
    if (!cJSON_IsObject(set)) {
        cJSON_Delete(value);
        return error_set(err, ERROR_FORMAT, "--set %s: the spec's \"%s\" is no object", key,
                         evaluation ? "evaluate" : "set");
    }
    cJSON_DeleteItemFromObjectCaseSensitive(set, key);
    if (!cJSON_AddItemToObject(set, key, value)) {
        cJSON_Delete(value);
        return error_set(err, ERROR_NOMEM, "no memory for --set");
    }
    return 0;
}

int spec_merge(cJSON **out, const char *path, const char *const *overrides, int count,
               struct error *err)
{
    cJSON *spec = NULL;
    int rc = read_with_bases(&spec, path, 0, err);

    *out = NULL;
    if (rc == ERROR_ABSENT)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: no such spec; the shipped ones are in experiments/", path);
    for (int i = 0; i < count && rc == 0; i++)
        rc = apply_override(spec, overrides[i], err);
    if (rc < 0) {
        cJSON_Delete(spec);
        return rc;
    }
    *out = spec;
    return 0;
}
