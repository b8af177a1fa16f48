/*
 * spec_defaults.h - a workspace's own settings of how runs are executed, such as the
 * partition of its cluster: they count where a spec says nothing.
 */
#ifndef RUNNER_SPEC_DEFAULTS_H
#define RUNNER_SPEC_DEFAULTS_H

#include <cjson/cJSON.h>

#include "error.h"

/* The file in the workspace: {"slurm": {...}, "resources": {...}, "retries": {...}}, in
 * the form that these members have in a spec. */
#define SPEC_DEFAULTS_FILE "settings.json"

/* Adds them to a spec that was merged with its base files. Where there is no such file
 * the spec stays as it is. ERROR_FORMAT: the file is at fault. */
int spec_defaults_add(cJSON *spec, const char *workspace, struct error *err) MUST_CHECK;

#endif
