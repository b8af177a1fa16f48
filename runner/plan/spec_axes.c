/* spec_axes.c - reads grid, zip and ablate into a list of dimensions. */
#include "spec_axes.h"

#include "error.h"
#include "json.h"
#include "settings.h"
#include "spec.h"
#include "spec_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void spec_axes_release(struct spec_axes *axes)
{
    for (int i = 0; i < axes->count; i++) {
        free(axes->axes[i].ids);
        free(axes->axes[i].values);
    }
    free(axes->axes);
    *axes = (struct spec_axes){ 0 };
}

/* Appends a dimension with room for positions x width entries. */
static struct spec_axis *add_axis(struct spec_axes *axes, int positions, int width,
                                  struct error *err)
{
    struct spec_axis *larger =
        realloc(axes->axes, (size_t)(axes->count + 1) * sizeof *axes->axes);

    if (larger != NULL) {
        axes->axes = larger;
        struct spec_axis *axis = &axes->axes[axes->count];
        size_t entries = (size_t)positions * (size_t)width;
        axis->ids = malloc(entries * sizeof *axis->ids);
        axis->values = calloc(entries, sizeof *axis->values);
        axis->positions = positions;
        axis->width = width;
        axes->count++;
        if (axis->ids != NULL && axis->values != NULL)
            return axis;
    }
    error_set(err, ERROR_NOMEM, "no memory for a spec's axes");
    return NULL;
}

/* Reads an axis key: a known setting that may vary between trainings. */
static int axis_setting(int *id, const char *key, const char *where, struct error *err)
{
    *id = setting_find(key);
    if (*id < 0)
        return spec_unknown_key(where, key, err);
    if (settings_table[*id].phase == PHASE_EVALUATION)
        return error_set(err, ERROR_FORMAT,
                         "%s: %s varies at inference only; list its values under \"evaluate\"",
                         where, key);
    if (*id == TRAIN_SEED)
        return error_set(err, ERROR_FORMAT, "%s: seeds are listed under \"seeds\"", where);
    return 0;
}

/* Checks a list: not empty, without repetitions, all values valid for the setting. */
static int check_values(const cJSON *list, int id, const char *where, struct error *err)
{
    struct config scratch;
    int rc;

    if (!cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "%s: %s must be a list of values, not %s", where,
                         settings_table[id].key, json_type_name(list));
    if (list->child == NULL)
        return error_set(err, ERROR_FORMAT,
                         "%s: %s is an empty list; give at least one value or remove the axis",
                         where, settings_table[id].key);
    rc = config_init(&scratch, err);
    for (const cJSON *value = list->child; value != NULL && rc == 0; value = value->next) {
        rc = config_set_json(&scratch, id, value, where, err);
        for (const cJSON *other = list->child; other != value && rc == 0; other = other->next)
            if (cJSON_Compare(value, other, 1))
                rc = error_set(err, ERROR_FORMAT, "%s: %s lists a value twice", where,
                               settings_table[id].key);
    }
    config_release(&scratch);
    return rc;
}

static int member_map(const cJSON **out, const cJSON *spec, const char *key, const char *name,
                      struct error *err)
{
    const cJSON *map = json_member(spec, key);

    *out = map;
    if (map != NULL && !cJSON_IsObject(map))
        return error_set(err, ERROR_FORMAT,
                         "%s: \"%s\" must be an object of settings and lists, not %s", name,
                         key, json_type_name(map));
    return 0;
}

/* Fills ids[] with the *count settings named in map, in the order of the table. */
static int sorted_settings(int ids[SETTING_COUNT], int *count, const cJSON *map,
                           const char *where, struct error *err)
{
    bool named[SETTING_COUNT] = { false };

    *count = 0;
    for (const cJSON *item = map != NULL ? map->child : NULL; item != NULL; item = item->next) {
        int id;
        int rc = axis_setting(&id, item->string, where, err);
        if (rc == 0)
            rc = check_values(item, id, where, err);
        if (rc < 0)
            return rc;
        named[id] = true;
    }
    for (int id = 0; id < SETTING_COUNT; id++)
        if (named[id])
            ids[(*count)++] = id;
    return 0;
}

static int read_grid(struct spec_axes *axes, const cJSON *spec, const char *name,
                     struct error *err)
{
    char where[300];
    int ids[SETTING_COUNT], count;
    const cJSON *grid;
    int rc = member_map(&grid, spec, "grid", name, err);

    snprintf(where, sizeof where, "%s: grid", name);
    if (rc == 0)
        rc = sorted_settings(ids, &count, grid, where, err);
    for (int i = 0; rc == 0 && i < count; i++) {
        const cJSON *list = json_member(grid, settings_table[ids[i]].key);
        struct spec_axis *axis = add_axis(axes, cJSON_GetArraySize(list), 1, err);
        if (axis == NULL)
            return ERROR_NOMEM;
        int position = 0;
        for (const cJSON *value = list->child; value != NULL; value = value->next) {
            axis->ids[position] = ids[i];
            axis->values[position++] = value;
        }
    }
    return rc;
}

static int read_one_zip(struct spec_axes *axes, const cJSON *zip, const char *where,
                        struct error *err)
{
    int ids[SETTING_COUNT], count;

    if (!cJSON_IsObject(zip))
        return error_set(err, ERROR_FORMAT,
                         "%s: expected objects of equally long lists, not %s", where,
                         json_type_name(zip));
    int rc = sorted_settings(ids, &count, zip, where, err);
    if (rc < 0 || count == 0)
        return rc;
    int positions = cJSON_GetArraySize(json_member(zip, settings_table[ids[0]].key));
    struct spec_axis *axis = add_axis(axes, positions, count, err);
    if (axis == NULL)
        return ERROR_NOMEM;
    for (int w = 0; w < count; w++) {
        const cJSON *list = json_member(zip, settings_table[ids[w]].key);
        if (cJSON_GetArraySize(list) != positions)
            return error_set(
                err, ERROR_FORMAT,
                "%s: %s has %d values but %s has %d; zipped lists are equally long", where,
                settings_table[ids[0]].key, positions, settings_table[ids[w]].key,
                cJSON_GetArraySize(list));
        int position = 0;
        for (const cJSON *value = list->child; value != NULL; value = value->next, position++) {
            axis->ids[position * count + w] = ids[w];
            axis->values[position * count + w] = value;
        }
    }
    return 0;
}

static int read_zips(struct spec_axes *axes, const cJSON *spec, const char *name,
                     struct error *err)
{
    char where[300];
    const cJSON *zips = json_member(spec, "zip");
    int rc = 0;

    snprintf(where, sizeof where, "%s: zip", name);
    if (zips != NULL && !cJSON_IsArray(zips))
        return error_set(err, ERROR_FORMAT, "%s must be a list of objects, not %s", where,
                         json_type_name(zips));
    for (const cJSON *zip = zips != NULL ? zips->child : NULL; zip != NULL && rc == 0;
         zip = zip->next)
        rc = read_one_zip(axes, zip, where, err);
    return rc;
}

/* Reads ablate as one dimension: position 0 is the base, each other position changes
 * one setting. */
static int read_ablate(struct spec_axes *axes, const cJSON *spec, const char *name,
                       struct error *err)
{
    char where[300];
    int ids[SETTING_COUNT], count = 0, positions = 1;
    const cJSON *ablate;
    int rc = member_map(&ablate, spec, "ablate", name, err);

    snprintf(where, sizeof where, "%s: ablate", name);
    if (rc == 0)
        rc = sorted_settings(ids, &count, ablate, where, err);
    if (rc < 0 || count == 0)
        return rc;
    for (int i = 0; i < count; i++)
        positions += cJSON_GetArraySize(json_member(ablate, settings_table[ids[i]].key));
    struct spec_axis *axis = add_axis(axes, positions, 1, err);
    if (axis == NULL)
        return ERROR_NOMEM;
    axis->ids[0] = -1;
    int position = 1;
    for (int i = 0; i < count; i++) {
        const cJSON *list = json_member(ablate, settings_table[ids[i]].key);
        for (const cJSON *value = list->child; value != NULL; value = value->next) {
            axis->ids[position] = ids[i];
            axis->values[position++] = value;
        }
    }
    return 0;
}

/* Checks that every setting is varied in one place only. */
static int check_disjoint(const struct spec_axes *axes, const char *name, struct error *err)
{
    int owner[SETTING_COUNT];

    for (int i = 0; i < SETTING_COUNT; i++)
        owner[i] = -1;
    for (int a = 0; a < axes->count; a++)
        for (int e = 0; e < axes->axes[a].positions * axes->axes[a].width; e++) {
            int id = axes->axes[a].ids[e];
            if (id < 0)
                continue;
            if (owner[id] >= 0 && owner[id] != a)
                return error_set(err, ERROR_FORMAT,
                                 "%s: %s is varied twice among grid, zip and ablate", name,
                                 settings_table[id].key);
            owner[id] = a;
        }
    return 0;
}

int spec_axes_init(struct spec_axes *axes, const cJSON *spec, const char *name,
                   struct error *err)
{
    *axes = (struct spec_axes){ .cells = 1 };
    int rc = read_grid(axes, spec, name, err);

    if (rc == 0)
        rc = read_zips(axes, spec, name, err);
    if (rc == 0)
        rc = read_ablate(axes, spec, name, err);
    if (rc == 0)
        rc = check_disjoint(axes, name, err);
    for (int i = 0; i < axes->count && rc == 0; i++) {
        axes->cells *= axes->axes[i].positions;
        if (axes->cells > SPEC_MAX_CELLS)
            rc = error_set(err, ERROR_FORMAT, "%s: more than %d cells in the grid", name,
                           SPEC_MAX_CELLS);
    }
    if (rc < 0)
        spec_axes_release(axes);
    return rc;
}
