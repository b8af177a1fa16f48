/*
 * spec_merge.h - a spec file with its bases and --set overrides as one JSON object.
 */
#ifndef RUNNER_SPEC_MERGE_H
#define RUNNER_SPEC_MERGE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"

/*
 * Reads path, puts it over its base files (paths relative to the file that names them;
 * maps are merged key by key, anything else is replaced) and applies count "key=value"
 * overrides: a setting that is an axis loses its axis to the one value. Top-level keys
 * are checked, those of settings are not. The result, without "base", is the caller's
 * to cJSON_Delete. path "-" is standard input; of what comes through a pipe, relative
 * paths are taken from the current folder.
 */
int spec_merge(cJSON **out, const char *path, const char *const *overrides, int count,
               struct error *err) MUST_CHECK;

/* Whether path is standard input ("-"), a pipe or a device, whose name cannot name the
 * experiment. */
bool spec_is_stream(const char *path);

/* Nearest-name message for an unknown settings key: ERROR_FORMAT. */
int spec_unknown_key(const char *where, const char *key, struct error *err) MUST_CHECK;

#endif
