/* facts_name.c - makes and recognises names of cached facts. */
#include "facts_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char PREFIX[] = "facts-", END[] = ".json";
enum { DIGITS = 16 };

void facts_name(char out[FACTS_NAME_SIZE], uint64_t hash)
{
    snprintf(out, FACTS_NAME_SIZE, "%s%016" PRIx64 "%s", PREFIX, hash, END);
}

bool facts_name_is(const char *name)
{
    const char *digits = name + sizeof PREFIX - 1, *end = digits + DIGITS;

    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0 ||
        strspn(digits, "0123456789abcdef") != DIGITS || strncmp(end, END, sizeof END - 1) != 0)
        return false;
    end += sizeof END - 1;
    return end[0] == '\0' || strcmp(end, ".tmp") == 0;
}
