/* text_set.c - finds a text in a list, beginning behind the one found before. */
#include "text_set.h"

#include <stdlib.h>
#include <string.h>

int text_set_find(struct text_set *set, const char *text)
{
    /* The rows of a run and the next one name the same texts in the same order: the one
     * sought mostly follows the one found before. */
    for (int i = 0; i < set->count; i++) {
        int at = set->at + i;

        at = at < set->count ? at : at - set->count;
        if (strcmp(set->items[at], text) == 0) {
            set->at = at + 1 < set->count ? at + 1 : 0;
            return at;
        }
    }
    return -1;
}

const char *text_set_add(struct text_set *set, const char *text)
{
    int at = text_set_find(set, text);

    if (at >= 0)
        return set->items[at];
    char *copy = strdup(text);
    char **items =
        copy == NULL ? NULL : realloc(set->items, ((size_t)set->count + 1) * sizeof *items);

    if (items == NULL) {
        free(copy);
        return NULL;
    }
    set->items = items;
    items[set->count++] = copy;
    set->at = 0;
    return copy;
}

void text_set_release(struct text_set *set)
{
    for (int i = 0; i < set->count; i++)
        free(set->items[i]);
    free(set->items);
    *set = (struct text_set){ 0 };
}
