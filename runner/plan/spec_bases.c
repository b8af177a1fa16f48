/* spec_bases.c - finds or adds the arms that others begin with. */
#include "spec_bases.h"

#include "error.h"
#include "file.h"
#include "hash.h"
#include "init_base.h"
#include "init_from.h"
#include "json.h"
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An arm by its key. */
struct keyed {
    uint64_t key;
    int arm;
};

int spec_arm_key(uint64_t *key, const struct spec_arm *arm, struct error *err)
{
    char *training = config_canonical(&arm->config, PHASE_TRAINING, err);
    char *data = config_canonical(&arm->config, PHASE_DATA, err);
    int rc = training == NULL || data == NULL ? ERROR_NOMEM : 0;

    if (rc == 0)
        *key = hash_xxh3(training, strlen(training)) * 3 + hash_xxh3(data, strlen(data));
    free(training);
    free(data);
    return rc;
}

static bool has_base(const struct spec_arm *arm)
{
    return init_from_kind(config_text(&arm->config, TRAIN_INIT_FROM), NULL) == INIT_SETTINGS;
}

static int compare_keyed(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

/* Adds one axis of the base to its axes and its label. */
static int add_axis(struct spec_arm *base, const char *key, struct error *err)
{
    int id = setting_find(key);
    cJSON *value = config_active(&base->config, id) ? config_get_json(&base->config, id) : NULL;

    if (value == NULL || json_member(base->axes, key) != NULL) {
        cJSON_Delete(value);
        return 0;
    }
    char *text = cJSON_IsString(value) ? strdup(value->valuestring) : json_canonical(value);
    char *label = text == NULL ? NULL
                               : format_string("%s%s%s=%s", base->label,
                                               base->label[0] != '\0' ? " " : "", key, text);
    free(text);
    if (label == NULL || !cJSON_AddItemToObject(base->axes, key, value)) {
        cJSON_Delete(value);
        free(label);
        return error_no_memory(err, "a spec");
    }
    free(base->label);
    base->label = label;
    return 0;
}

/* Names the base by what the arm that begins with it varies, and by what it differs
 * from that arm in. */
static int name_base(struct spec_arm *base, const struct spec_arm *arm, struct error *err)
{
    cJSON *object = NULL;
    const char *text = config_text(&arm->config, TRAIN_INIT_FROM);
    int rc = json_parse(&object, text, strlen(text), "train.init_from", err);

    base->axes = cJSON_CreateObject();
    base->label = strdup("");
    if (rc == 0 && (base->axes == NULL || base->label == NULL))
        rc = error_no_memory(err, "a spec");
    for (const cJSON *item = rc == 0 ? arm->axes->child : NULL; item != NULL && rc == 0;
         item = item->next)
        if (strcmp(item->string, settings_table[TRAIN_INIT_FROM].key) != 0)
            rc = add_axis(base, item->string, err);
    for (const cJSON *item = rc == 0 ? object->child : NULL; item != NULL && rc == 0;
         item = item->next)
        rc = add_axis(base, item->string, err);
    cJSON_Delete(object);
    char *label =
        rc == 0 ? format_string("init%s%s", base->label[0] != '\0' ? " " : "", base->label)
                : NULL;
    if (rc == 0 && label == NULL)
        rc = error_no_memory(err, "a spec");
    if (label != NULL) {
        free(base->label);
        base->label = label;
    }
    return rc;
}

static void release(struct spec_arm *arm)
{
    free(arm->label);
    cJSON_Delete(arm->axes);
    config_release(&arm->config);
}

/* The base of an arm; *arms has the count arms that the spec itself names, by key. */
static int find_base(struct spec *spec, int number, const struct keyed *arms, int count,
                     uint64_t *added, const char *path, struct error *err)
{
    struct spec_arm *arm = &spec->arms[number], base = { .base = -1 };
    struct keyed wanted = { 0, 0 };
    char where[400];

    snprintf(where, sizeof where, "%.150s: %.200s: train.init_from", path, arm->label);
    int rc = init_base_config(&base.config, &arm->config, where, err);
    if (rc < 0)
        return rc;
    rc = spec_arm_key(&wanted.key, &base, err);
    const struct keyed *found =
        rc == 0 ? bsearch(&wanted, arms, (size_t)count, sizeof *arms, compare_keyed) : NULL;
    arm->base = found != NULL ? found->arm : -1;
    for (int i = 0; rc == 0 && arm->base < 0 && i < spec->base_count; i++)
        if (added[i] == wanted.key)
            arm->base = count + i;
    if (rc == 0 && arm->base < 0) {
        rc = name_base(&base, arm, err);
        if (rc == 0) {
            added[spec->base_count++] = wanted.key;
            arm->base = spec->arm_count;
            spec->arms[spec->arm_count++] = base;
            return 0;
        }
    }
    release(&base);
    return rc;
}

int spec_add_bases(struct spec *spec, const char *path, struct error *err)
{
    int count = spec->arm_count, dependants = 0, rc = 0;

    for (int a = 0; a < count; a++) {
        spec->arms[a].base = -1;
        dependants += has_base(&spec->arms[a]);
    }
    if (dependants == 0)
        return 0;
    size_t most = (size_t)count + (size_t)dependants;
    struct spec_arm *larger = realloc(spec->arms, most * sizeof *larger);
    struct keyed *arms = calloc((size_t)count, sizeof *arms);
    uint64_t *added = calloc((size_t)dependants, sizeof *added);
    if (larger != NULL)
        spec->arms = larger;
    if (larger == NULL || arms == NULL || added == NULL)
        rc = error_no_memory(err, "a spec");
    for (int a = 0; a < count && rc == 0; a++) {
        arms[a].arm = a;
        rc = spec_arm_key(&arms[a].key, &spec->arms[a], err);
    }
    if (rc == 0)
        qsort(arms, (size_t)count, sizeof *arms, compare_keyed);
    for (int a = 0; a < count && rc == 0; a++)
        if (has_base(&spec->arms[a]))
            rc = find_base(spec, a, arms, count, added, path, err);
    free(arms);
    free(added);
    return rc;
}
