/*
 * spec_keys.h - what is wrong with a key that names no setting.
 */
#ifndef RUNNER_SPEC_KEYS_H
#define RUNNER_SPEC_KEYS_H

#include "error.h"

/* ERROR_FORMAT for an unknown settings key, with the most similar name. */
int spec_unknown_key(const char *where, const char *key, struct error *err) MUST_CHECK;

#endif
