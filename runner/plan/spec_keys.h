/*
 * spec_keys.h - maps of settings in a spec, and what is wrong with an unknown key.
 */
#ifndef RUNNER_SPEC_KEYS_H
#define RUNNER_SPEC_KEYS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"

struct config;

/* Whether settings are named KEY.something. */
bool spec_is_group(const char *key);

/* ERROR_FORMAT for an unknown settings key, with the most similar name. */
int spec_unknown_key(const char *where, const char *key, struct error *err) MUST_CHECK;

/* Applies the spec's map of settings of that key (set, resources, retries, slurm) to
 * config; prefix is "" or, for example, "resources.". name: the spec's, for
 * messages. */
int spec_apply_map(struct config *config, const cJSON *spec, const char *key,
                   const char *prefix, const char *name, struct error *err) MUST_CHECK;

#endif
