/*
 * describe_client.h - runs `hrmlab-worker describe` for facts about data and shapes.
 */
#ifndef RUNNER_DESCRIBE_CLIENT_H
#define RUNNER_DESCRIBE_CLIENT_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/* Runs `program describe` with configs, a list of configurations, on its standard
 * input and reads its answers, a list of the same length that the caller deletes
 * with cJSON_Delete(). Facts about data are cached in workspace/data if the
 * workspace (may be NULL) exists and is writable. */
int describe_ask(cJSON **out, const char *program, const char *workspace, const cJSON *configs,
                 struct error *err) MUST_CHECK;

/* Reads what the process writes to fd, to its end; *out is newly allocated text. Large
 * data take as long as they take: ERROR_SPAWN only when the process writes and computes
 * nothing for quiet_ms. ERROR_NOMEM. program: for messages. */
int describe_read(char **out, size_t *size, int fd, pid_t pid, int quiet_ms,
                  const char *program, struct error *err) MUST_CHECK;

/* Runs `program probe` and reads the object that it prints. */
int describe_probe(cJSON **out, const char *program, struct error *err) MUST_CHECK;

#endif
