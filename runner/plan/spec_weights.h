/*
 * spec_weights.h - the safetensors files that a spec's train.init_from names.
 */
#ifndef RUNNER_SPEC_WEIGHTS_H
#define RUNNER_SPEC_WEIGHTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "error.h"
#include "spec.h"
#include "workspace.h"

/* Puts "sha256:HASH" in the place of each path that train.init_from has in the merged
 * spec, and lists the files in *out, the caller's to free with their paths, also on
 * failure. ERROR_FORMAT: a file that cannot be read, or is no safetensors file; name
 * opens the message. */
int spec_read_weights(struct spec_weights **out, int *count, cJSON *merged, const char *name,
                      struct error *err) MUST_CHECK;

/* Copies a safetensors file to the workspace's weights/HASH.safetensors, if it is not
 * there; hash: SHA-256 of its content, filled in. ERROR_FORMAT as above. */
int spec_import_weights(char hash[65], const struct workspace *workspace, const char *path,
                        struct error *err) MUST_CHECK;

/* *there: the workspace has the file with this content, by its name. workspace: path,
 * or NULL. The only error is ERROR_NOMEM. */
int spec_find_weights(bool *there, const char *workspace, const char *hash,
                      struct error *err) MUST_CHECK;

#endif
