/*
 * names.h - the names in a directory, digits and letters in order.
 */
#ifndef RUNNER_NAMES_H
#define RUNNER_NAMES_H

#include "error.h"

struct names {
    char **items; /* owned, and each */
    int count;
};

/* Hidden files are omitted. A missing directory has no names. */
int names_read(struct names *out, const char *path, struct error *err) MUST_CHECK;
void names_release(struct names *names);

#endif
