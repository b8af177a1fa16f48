/*
 * text_set.h - texts of which there are few, each once, for many that refer to them.
 */
#ifndef RESULTS_TEXT_SET_H
#define RESULTS_TEXT_SET_H

struct text_set {
    char **items; /* owned */
    int count;
    int at; /* where to search first */
};

/* The number of the text in the set; -1: it is not in it. */
int text_set_find(struct text_set *set, const char *text);
/* The text in the set; added if it is new. NULL: no memory. */
const char *text_set_add(struct text_set *set, const char *text);
void text_set_release(struct text_set *set);

#endif
