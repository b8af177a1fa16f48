/* init_from.c - the texts of train.init_from. */
#include "init_from.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The digits after the prefix, if they are as many as there must be; else NULL. */
static const char *digits_after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(text, prefix, length) != 0 || strlen(text + length) != INIT_HASH_DIGITS ||
        strspn(text + length, "0123456789abcdef") != INIT_HASH_DIGITS)
        return NULL;
    return text + length;
}

enum init_kind init_from_kind(const char *text, const char **digits)
{
    const char *run = digits_after(text, INIT_RUN_PREFIX);
    const char *file = digits_after(text, INIT_FILE_PREFIX);

    if (digits != NULL)
        *digits = run != NULL ? run : file;
    return text[0] == '\0' ? INIT_SEED
           : run != NULL   ? INIT_RUN
           : file != NULL  ? INIT_FILE
                           : INIT_SETTINGS;
}

bool init_from_find(char hash[INIT_HASH_DIGITS + 1], const char *canonical, const char *prefix)
{
    char member[64];
    int length = snprintf(member, sizeof member, "\"train.init_from\":\"%s", prefix);
    const char *found = strstr(canonical, member);

    hash[0] = '\0';
    if (found == NULL || strspn(found + length, "0123456789abcdef") != INIT_HASH_DIGITS)
        return false;
    memcpy(hash, found + length, INIT_HASH_DIGITS);
    hash[INIT_HASH_DIGITS] = '\0';
    return true;
}

void init_from_put_run(char *text, const char *run_hash)
{
    char *found = strstr(text, INIT_RUN_UNKNOWN);

    if (found != NULL)
        memcpy(found + strlen(INIT_RUN_PREFIX), run_hash, INIT_HASH_DIGITS);
}
