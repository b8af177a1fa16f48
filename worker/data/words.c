/* words.c - cutting a list at its commas. */
#include "words.h"

#include <string.h>

bool word_next(struct word *word)
{
    while (*word->next != '\0') {
        const char *at = word->next, *end = at + strcspn(at, ",");

        word->next = *end == ',' ? end + 1 : end;
        at += strspn(at, " \t");
        while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (end <= at)
            continue;
        word->text = at;
        word->length = (int)(end - at);
        return true;
    }
    return false;
}

bool word_is(const struct word *word, const char *name)
{
    return strlen(name) == (size_t)word->length &&
           memcmp(name, word->text, (size_t)word->length) == 0;
}

bool words_have(const char *list, const char *name)
{
    struct word word = { .next = list };

    while (word_next(&word))
        if (word_is(&word, name))
            return true;
    return false;
}
