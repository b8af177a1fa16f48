/*
 * describe_client.h - runs `hrmlab-worker describe` for facts about data and shapes.
 */
#ifndef RUNNER_DESCRIBE_CLIENT_H
#define RUNNER_DESCRIBE_CLIENT_H

#include <cjson/cJSON.h>

#include "error.h"

/* Runs `program describe` with configs (a list of config objects) on its standard input
 * and reads the list it answers, as long as the one given. The caller's to
 * cJSON_Delete. What it finds out about data is cached in workspace/data, if the
 * workspace (or NULL) is there and may be written to. */
int describe_ask(cJSON **out, const char *program, const char *workspace, const cJSON *configs,
                 struct error *err) MUST_CHECK;

/* Runs `program probe` and reads the object it prints. */
int describe_probe(cJSON **out, const char *program, struct error *err) MUST_CHECK;

#endif
