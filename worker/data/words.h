/*
 * words.h - lists of names in a setting: "a, b ,c".
 */
#ifndef WORKER_WORDS_H
#define WORKER_WORDS_H

#include <stdbool.h>

/* A word of a comma-separated list; blanks around it do not belong to it. */
struct word {
    const char *next; /* the remaining part of the list; initialise it to the list */
    const char *text; /* in the list, not NUL-terminated */
    int length;
};

/* Advances to the next word that is not empty. False at the end of the list. */
bool word_next(struct word *word);
bool word_is(const struct word *word, const char *name);

/* Whether name is a word of the list. */
bool words_have(const char *list, const char *name);

#endif
