/* spec_merge.c - merges a spec with its base files and --set. */
#include "spec_merge.h"

#include "data_places.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "settings.h"
#include "spec.h"
#include "spec_contrasts.h"
#include "spec_defaults.h"
#include "spec_keys.h"
#include "spec_place.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const TOP_KEYS[] = {
    "name",    "description", "expected_time", "base",     "set",      "grid",
    "zip",     "ablate",      "exclude",       "seeds",    "evaluate", "resources",
    "retries", "slurm",       "priority",      "contrasts"
};
enum { TOP_KEY_COUNT = sizeof TOP_KEYS / sizeof *TOP_KEYS };

/* ERROR_FORMAT for a member that a spec does not have: perhaps a setting, or a group of
 * settings as in the published YAML. */
static int unknown_member(const char *path, const char *key, struct error *err)
{
    const char *nearest = json_nearest_name(key, TOP_KEYS, TOP_KEY_COUNT);

    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT, "%s: unknown key \"%.100s\"; did you mean \"%s\"?",
                         path, key, nearest);
    if (setting_find(key) >= 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: the setting \"%s\" belongs inside \"set\", \"grid\" or "
                         "\"evaluate\"",
                         path, key);
    if (spec_is_group(key))
        return error_set(err, ERROR_FORMAT,
                         "%s: \"%s\" is a group of settings; name each one whole inside "
                         "\"set\", \"grid\" or \"evaluate\", such as \"%s.KEY\"",
                         path, key, key);
    nearest = setting_nearest(key);
    if (nearest != NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: unknown key \"%.100s\"; did you mean the setting \"%s\", which "
                         "belongs inside \"set\", \"grid\" or \"evaluate\"?",
                         path, key, nearest);
    return error_set(err, ERROR_FORMAT,
                     "%s: unknown key \"%.100s\" (a spec has name, description, "
                     "expected_time, base, set, grid, zip, ablate, exclude, seeds, "
                     "evaluate, contrasts, resources, retries, slurm, priority)",
                     path, key);
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
        if (!known)
            return unknown_member(path, item->string, err);
    }
    return 0;
}

/* Merges over into under (changed in place, owned by the caller); values of over
 * win. */
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

bool spec_is_stream(const char *path)
{
    struct stat status;

    return strcmp(path, "-") == 0 ||
           (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

/* The folder to which a spec's relative paths refer: its own, or the current
 * directory for a spec read from a pipe. Newly allocated; NULL: no memory. */
static char *folder_of(const char *path)
{
    const char *slash = spec_is_stream(path) ? NULL : strrchr(path, '/');

    return slash == NULL ? strdup("") : strndup(path, (size_t)(slash + 1 - path));
}

static char *sibling(const char *path, const char *name)
{
    char *folder = folder_of(path);
    char *file = folder != NULL ? file_join(folder, name) : NULL;

    free(folder);
    return file;
}

static int merge_base(cJSON *merged, const cJSON *name, const char *path, int depth,
                      struct error *err)
{
    cJSON *base = NULL;

    if (!cJSON_IsString(name))
        return error_set(err, ERROR_FORMAT,
                         "%s: \"base\": expected a file's name or a list of them, such as "
                         "[\"presets/arc_style_mini.json\"], but found %s",
                         path, json_type_name(name));
    char *file = sibling(path, name->valuestring);
    if (file == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a path");
    struct stat status;
    int rc = stat(file, &status) == 0 && S_ISDIR(status.st_mode)
                 ? error_set(err, ERROR_FORMAT, "%s: base %s is a directory; expected a file",
                             path, file)
                 : read_with_bases(&base, file, depth + 1, err);
    if (rc == ERROR_ABSENT)
        rc = error_set(err, ERROR_FORMAT, "%s: base file %s does not exist", path, file);
    if (rc == 0)
        rc = merge_onto(merged, base, err);
    cJSON_Delete(base);
    free(file);
    return rc;
}

/* Makes the file names in settings below item absolute. */
static int make_places_absolute(cJSON *item, const char *folder, struct error *err)
{
    int rc = 0;

    for (cJSON *child = item->child; child != NULL && rc == 0; child = child->next)
        rc = data_places_are_in(child->string)
                 ? data_places_make_absolute(child, child->string, folder, err)
                 : make_places_absolute(child, folder, err);
    return rc;
}

static int make_file_places_absolute(cJSON *spec, const char *path, struct error *err)
{
    char *folder = folder_of(path);
    int rc = folder == NULL ? error_no_memory(err, "a path")
                            : make_places_absolute(spec, folder, err);

    free(folder);
    return rc;
}

static int read_json(cJSON **out, const char *path, struct error *err)
{
    char *text;
    size_t size;
    int rc = file_read_stream(&text, &size, path, JSON_SPEC_LIMIT, err);

    *out = NULL;
    if (rc == ERROR_IO) /* a spec that cannot be read is bad input */
        rc = error_set(err, ERROR_FORMAT, "%s cannot be read: %s", path, strerror(errno));
    if (rc == 0)
        rc = json_parse(out, text, size, strcmp(path, "-") == 0 ? "standard input" : path, err);
    free(text);
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
    rc = read_json(&own, path, err);
    if (rc == 0)
        rc = check_top_keys(own, path, err);
    if (rc == 0)
        rc = make_file_places_absolute(own, path, err);
    if (rc != 0)
        goto out;
    merged = cJSON_CreateObject();
    if (merged == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for a spec");
        goto out;
    }
    const cJSON *bases = json_member(own, "base"), *name = NULL;
    if (bases != NULL && !cJSON_IsArray(bases)) /* one file */
        rc = merge_base(merged, bases, path, depth, err);
    else if (bases != NULL)
        name = bases->child;
    for (; name != NULL && rc == 0; name = name->next)
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
    if (settings_table[id].weights && text[0] != '{') { /* perhaps a file */
        config_release(&scratch);
        *out = cJSON_CreateString(text);
        return *out == NULL ? error_no_memory(err, "--set") : 0;
    }
    rc = config_set_text(&scratch, settings_table[id].key, text, "--set", err);
    if (rc == 0) {
        *out = settings_table[id].several ? config_get_texts(&scratch, (enum setting_id)id)
                                          : config_get_json(&scratch, id);
        if (cJSON_IsArray(*out) &&
            cJSON_GetArraySize(*out) == 1) { /* a single item is not a list */
            cJSON *list = *out;
            *out = cJSON_DetachItemFromArray(list, 0);
            cJSON_Delete(list);
        }
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

/* Puts value (ownership is taken) into the member key of the spec's object map; map
 * NULL: of the spec itself. */
static int put_override(cJSON *spec, const char *map, const char *key, cJSON *value,
                        struct error *err)
{
    cJSON *object = map != NULL ? member_object(spec, map) : spec;

    if (!cJSON_IsObject(object)) {
        cJSON_Delete(value);
        return error_set(err, ERROR_FORMAT, "--set %s: the spec's \"%s\" is no object", key,
                         map);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (!cJSON_AddItemToObject(object, key, value)) {
        cJSON_Delete(value);
        return error_no_memory(err, "--set");
    }
    return 0;
}

/* The place of a setting in a spec: the member and, for resources, retries and slurm,
 * the key in it. */
static const char *place_in_spec(int id, const char **key)
{
    static const char *const members[] = { "resources", "retries", "slurm" };
    const struct setting *setting = &settings_table[id];

    *key = setting->key;
    if (setting->phase == PHASE_EVALUATION)
        return "evaluate";
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        size_t length = strlen(members[i]);
        if (strncmp(setting->key, members[i], length) == 0 && setting->key[length] == '.') {
            *key += length + 1;
            return members[i];
        }
    }
    return "set";
}

/* Applies --set of a member of the spec that is not a setting; *known: whether it
 * was one. */
static int apply_member_override(bool *known, cJSON *spec, const char *key, const char *text,
                                 struct error *err)
{
    static const char *const texts[] = { "name", "description" };
    static const char *const numbers[] = { "seeds", "priority" };
    cJSON *value = NULL;
    int rc = 0;

    *known = false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i]) == 0) {
            const char *bad = text_not_utf8(text);

            *known = true;
            if (bad != NULL) /* it could not be read back from the spec that is kept */
                return error_set(err, ERROR_FORMAT,
                                 "--set %s: the byte 0x%02x is not UTF-8; expected UTF-8", key,
                                 (unsigned char)*bad);
            value = cJSON_CreateString(text);
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key, numbers[i]) == 0) {
            *known = true;
            rc = json_parse(&value, text, strlen(text), "--set", err);
            if (rc < 0)
                return error_set(err, ERROR_FORMAT, "--set %s=%.100s: expected %s", key, text,
                                 i == 0 ? "a number of seeds, or a list such as [0,1,2]"
                                        : "a whole number");
        }
    if (!*known)
        return 0;
    return value == NULL ? error_no_memory(err, "--set")
                         : put_override(spec, NULL, key, value, err);
}

static int apply_override(cJSON *spec, const char *override, struct error *err)
{
    const char *equals = strchr(override, '='), *member, *inside;
    char key[128];
    cJSON *value = NULL;
    bool known;

    if (equals == NULL || equals == override || (size_t)(equals - override) >= sizeof key)
        return error_set(err, ERROR_FORMAT,
                         "--set %.100s: expected key=value, such as train.lr=0.001", override);
    while (*override == ' ' || *override == '\t')
        override++;
    size_t length = (size_t)(equals - override);
    while (length > 0 && (override[length - 1] == ' ' || override[length - 1] == '\t'))
        length--;
    memcpy(key, override, length);
    key[length] = '\0';
    int rc = apply_member_override(&known, spec, key, equals + 1, err);
    if (rc < 0 || known)
        return rc;
    int id = setting_find(key);
    if (id < 0)
        return spec_unknown_key("--set", key, err);
    if (id == TRAIN_SEED)
        return error_set(err, ERROR_FORMAT,
                         "--set train.seed: a spec lists its seeds; --set seeds=[%.60s] sets "
                         "them",
                         equals + 1);
    rc = override_value(&value, id, equals + 1, err);
    if (rc == 0 && data_places_are_in(key)) /* relative to the current directory */
        rc = data_places_make_absolute(value, key, NULL, err);
    if (rc < 0) {
        cJSON_Delete(value);
        return rc;
    }
    drop_axis(spec, key);
    spec_contrasts_drop(spec, key, value);
    member = place_in_spec(id, &inside);
    /* remove it from "set", which may also have it under its full name */
    if (inside != settings_table[id].key)
        cJSON_DeleteItemFromObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(spec, "set"),
                                                key);
    return put_override(spec, member, inside, value, err);
}

int spec_merge(cJSON **out, const char *path, const char *workspace,
               const char *const *overrides, int count, struct error *err)
{
    cJSON *spec = NULL;
    char *place;
    int rc = spec_place_find(&place, path, err);

    *out = NULL;
    if (rc == 0)
        rc = read_with_bases(&spec, place, 0, err);
    free(place);
    if (rc == 0 && workspace != NULL)
        rc = spec_defaults_add(spec, workspace, err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = apply_override(spec, overrides[i], err);
    if (rc < 0) {
        cJSON_Delete(spec);
        return rc;
    }
    *out = spec;
    return 0;
}
