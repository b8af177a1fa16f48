/*
 * spec_keys.h - what is wrong with a key that names no setting.
 */
#ifndef RUNNER_SPEC_KEYS_H
#define RUNNER_SPEC_KEYS_H

#include <stdbool.h>

#include "error.h"

/* Whether settings are named KEY.something. */
bool spec_is_group(const char *key);

/* ERROR_FORMAT for an unknown settings key, with the most similar name. */
int spec_unknown_key(const char *where, const char *key, struct error *err) MUST_CHECK;

#endif
