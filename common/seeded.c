/* seeded.c - splits a canonical object at train.seed, and joins it with another
 * seed. */
#include "seeded.h"

#include "error.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_SIZE = 40 }; /* bytes of "train.seed":N */

/* Moves the members whose names come before (side -1) or after (side 1) "train.seed"
 * out of `from` and returns their canonical text without braces; NULL when out of
 * memory. */
static char *one_side(cJSON *from, int side, enum seeded_scope scope)
{
    const char *seed = settings_table[TRAIN_SEED].key;
    cJSON *object = cJSON_CreateObject();
    char *text = NULL;

    for (cJSON *item = object != NULL ? from->child : NULL, *next; item != NULL; item = next) {
        int id = setting_find(item->string);
        bool wanted = scope == SEEDED_TRAINING ? settings_table[id].phase == PHASE_TRAINING
                                               : !setting_is_of_job(id);
        int order = strcmp(item->string, seed);

        next = item->next;
        if (wanted && (side < 0 ? order < 0 : order > 0))
            /* AddItemToArray, not ToObject: the item keeps the name that it has */
            cJSON_AddItemToArray(object, cJSON_DetachItemViaPointer(from, item));
    }
    if (object != NULL)
        text = json_canonical(object);
    if (text != NULL) {
        text[strlen(text) - 1] = '\0';
        memmove(text, text + 1, strlen(text));
    }
    cJSON_Delete(object);
    return text;
}

int seeded_text_init(struct seeded_text *out, const struct config *config,
                     enum seeded_scope scope, struct error *err)
{
    cJSON *all = config_to_json(config);

    *out = (struct seeded_text){ 0 };
    if (all != NULL) {
        out->before = one_side(all, -1, scope);
        out->after = one_side(all, 1, scope);
    }
    cJSON_Delete(all);
    if (out->before != NULL && out->after != NULL)
        return 0;
    seeded_text_release(out);
    return error_set(err, ERROR_NOMEM, "no memory for a canonical form");
}

void seeded_text_release(struct seeded_text *text)
{
    free(text->before);
    free(text->after);
    *text = (struct seeded_text){ 0 };
}

char *seeded_text_make(const struct seeded_text *text, int64_t seed)
{
    char member[SEED_SIZE] = ""; /* 0 is what its absence means */
    size_t before = strlen(text->before), after = strlen(text->after);
    char *out = malloc(before + after + SEED_SIZE + sizeof "{,,}"), *to = out;

    if (out == NULL)
        return NULL;
    if (seed != 0)
        snprintf(member, sizeof member, "\"%s\":%" PRId64, settings_table[TRAIN_SEED].key,
                 seed);
    *to++ = '{';
    to = stpcpy(to, text->before);
    if (before > 0 && member[0] != '\0')
        *to++ = ',';
    to = stpcpy(to, member);
    if (after > 0 && to[-1] != '{')
        *to++ = ',';
    to = stpcpy(to, text->after);
    *to++ = '}';
    *to = '\0';
    return out;
}
