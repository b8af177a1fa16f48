/* train_position.c - the part of a checkpoint that is not in the engine. */
#include "train_position.h"

#include <string.h>

#include "batches.h"
#include "error.h"
#include "json.h"

int train_position_init(struct train_position *out, struct error *err)
{
    *out = (struct train_position){ .untrained = cJSON_CreateArray() };
    if (out->untrained == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for the training's position");
    return 0;
}

void train_position_release(struct train_position *position)
{
    cJSON_Delete(position->interval_end);
    cJSON_Delete(position->untrained);
    *position = (struct train_position){ 0 };
}

char *train_position_to_text(const struct train_position *position,
                             const struct batches *batches)
{
    cJSON *root = cJSON_CreateObject();
    /* A batch drawn after the end of an interval is drawn again after resuming,
     * because the interim evaluation comes first. */
    cJSON *place = position->interim_due ? cJSON_Duplicate(position->interval_end, true)
                                         : batches_save(batches);
    cJSON *metrics = metrics_to_json(&position->metrics);
    cJSON *untrained = cJSON_Duplicate(position->untrained, true);
    char *text = NULL;

    if (root != NULL && place != NULL && metrics != NULL && untrained != NULL &&
        cJSON_AddBoolToObject(root, "interim_due", position->interim_due) != NULL &&
        cJSON_AddNumberToObject(root, "train_seconds", position->train_seconds) != NULL &&
        cJSON_AddNumberToObject(root, "evaluation_seconds", position->evaluation_seconds) !=
            NULL) {
        cJSON_AddItemToObject(root, "batches", place);
        cJSON_AddItemToObject(root, "metrics", metrics);
        cJSON_AddItemToObject(root, "untrained", untrained);
        text = json_canonical(root);
    } else {
        cJSON_Delete(place);
        cJSON_Delete(metrics);
        cJSON_Delete(untrained);
    }
    cJSON_Delete(root);
    return text;
}

static bool is_list_of_texts(const cJSON *list)
{
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list) if (!cJSON_IsString(item)) return false;
    return true;
}

/* Reads the members that this file owns; place is the batches' position, inside
 * root. */
static int read_parts(struct train_position *out, const cJSON **place, const cJSON *root,
                      const char *name, struct error *err)
{
    const cJSON *metrics = json_member(root, "metrics");
    const cJSON *untrained = json_member(root, "untrained");
    int rc = json_get_bool(&out->interim_due, root, "interim_due", name, err);

    *place = json_member(root, "batches");
    /* Checkpoints of earlier releases lack these. */
    out->train_seconds = json_real_or(root, "train_seconds", 0.0);
    out->evaluation_seconds = json_real_or(root, "evaluation_seconds", 0.0);
    if (rc == 0 &&
        (!cJSON_IsObject(*place) || !cJSON_IsObject(metrics) || !is_list_of_texts(untrained)))
        rc = error_set(err, ERROR_DAMAGED, "%s: its position lacks a part", name);
    if (rc == 0)
        rc = metrics_from_json(&out->metrics, metrics, err);
    if (rc < 0)
        return rc;
    out->untrained = cJSON_Duplicate(untrained, true);
    out->interval_end = out->interim_due ? cJSON_Duplicate(*place, true) : NULL;
    if (out->untrained == NULL || (out->interim_due && out->interval_end == NULL))
        return error_set(err, ERROR_NOMEM, "out of memory for the training's position");
    return 0;
}

int train_position_from_text(struct train_position *position, struct batches *batches,
                             const char *text, const char *name, struct error *err)
{
    struct train_position found = { 0 };
    const cJSON *place = NULL;
    cJSON *root = NULL;
    int rc = json_parse(&root, text, strlen(text), name, err);

    if (rc == 0)
        rc = read_parts(&found, &place, root, name, err);
    if (rc == 0)
        rc = batches_restore(batches, place, err);
    if (rc == 0) {
        train_position_release(position);
        *position = found;
        found = (struct train_position){ 0 };
    } else if (rc == ERROR_FORMAT) {
        rc = error_set(err, ERROR_DAMAGED, "%s: its position cannot be read", name);
    }
    train_position_release(&found);
    cJSON_Delete(root);
    return rc;
}

bool train_position_has_untrained(const struct train_position *position, const char *canonical)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, position->untrained) if (strcmp(item->valuestring, canonical) ==
                                                      0) return true;
    return false;
}

int train_position_add_untrained(struct train_position *position, const char *canonical,
                                 struct error *err)
{
    if (train_position_has_untrained(position, canonical))
        return 0;
    if (!cJSON_AddItemToArray(position->untrained, cJSON_CreateString(canonical)))
        return error_set(err, ERROR_NOMEM, "out of memory for the training's position");
    return 0;
}
