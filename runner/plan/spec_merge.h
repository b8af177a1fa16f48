/*
 * spec_merge.h - merges a spec file, its bases and --set overrides into one JSON
 * object.
 */
#ifndef RUNNER_SPEC_MERGE_H
#define RUNNER_SPEC_MERGE_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"

/*
 * Reads path and merges it over its base files (paths relative to the file that names
 * them; maps are merged key by key, anything else is replaced). Adds the workspace's
 * own settings (spec_defaults.h; NULL: none) where it says nothing. Then applies count
 * "key=value" overrides: a setting that is an axis has only this one value. Checks
 * top-level keys, but not the keys of settings. The result, without "base", is the
 * caller's to cJSON_Delete(). path "-" is standard input; relative paths in a spec
 * from a pipe refer to the current directory.
 */
int spec_merge(cJSON **out, const char *path, const char *workspace,
               const char *const *overrides, int count, struct error *err) MUST_CHECK;

/* Whether path is standard input ("-"), a pipe or a device, whose name cannot become
 * the experiment's. */
bool spec_is_stream(const char *path);

#endif
