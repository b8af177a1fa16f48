/*
 * facts_name.h - names of the files in which facts about data are cached, in the
 * workspace's data/ (docs/formats.md).
 */
#ifndef COMMON_FACTS_NAME_H
#define COMMON_FACTS_NAME_H

#include <stdbool.h>
#include <stdint.h>

enum { FACTS_NAME_SIZE = 32 };

/* The name for data whose settings have this hash. */
void facts_name(char out[FACTS_NAME_SIZE], uint64_t hash);
/* Whether the name is one of those, or that of one which was not written to its end. */
bool facts_name_is(const char *name);

#endif
