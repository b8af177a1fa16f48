/*
 * init_from.h - the weights that a training begins with, as train.init_from names them.
 *
 *   ""              drawn by the seed
 *   "run:HASH"      the final weights of the run with that hash
 *   "sha256:HASH"   a file with that content, in the workspace's weights/
 *   {...}           in a spec: the run with the settings of this one and, over them,
 *                   these. A plan puts "run:HASH" in its place.
 *
 * The text is part of a run's canonical form: so a base's identity, or a file's
 * content, is part of the run's.
 */
#ifndef COMMON_INIT_FROM_H
#define COMMON_INIT_FROM_H

#include <stdbool.h>

enum init_kind { INIT_SEED, INIT_RUN, INIT_FILE, INIT_SETTINGS };

enum { INIT_HASH_DIGITS = 64 };
#define INIT_RUN_PREFIX "run:"
#define INIT_FILE_PREFIX "sha256:"
/* A run that a plan does not know yet. */
#define INIT_RUN_UNKNOWN                                                                       \
    INIT_RUN_PREFIX "0000000000000000000000000000000000000000000000000000000000000000"

/* What kind of text it is, and (NULL: not wanted) its 64 digits, which lie in text.
 * Any other text is INIT_SETTINGS. */
enum init_kind init_from_kind(const char *text, const char **digits);

/* The hash of the run that a canonical form of settings begins with, or a file's (by
 * prefix); false: neither. */
bool init_from_find(char hash[INIT_HASH_DIGITS + 1], const char *canonical, const char *prefix);
/* Puts the run's hash in the place of INIT_RUN_UNKNOWN, where that stands in text. */
void init_from_put_run(char *text, const char *run_hash);

#endif
