/*
 * names.h - what is in a directory, in the order of numbers and letters.
 */
#ifndef RUNNER_NAMES_H
#define RUNNER_NAMES_H

#include "error.h"

struct names {
    char **items; /* owned, and each */
    int count;
};

/* Hidden files are left out. An absent directory has no names. */
int names_read(struct names *out, const char *path, struct error *err) MUST_CHECK;
void names_release(struct names *names);

#endif
