/*
 * describe.h - `hrmlab-worker describe`: what a list of configurations means, without
 * training.
 */
#ifndef WORKER_DESCRIBE_H
#define WORKER_DESCRIBE_H

#include <cjson/cJSON.h>

#include "error.h"

/* One answer (docs/formats.md) per configuration of the list, in order; data that
 * several share is read once. name: what to call the list in messages. directory: where
 * the facts of data are cached (data_facts.h), or NULL. *out is fresh. */
int describe_list(cJSON **out, const cJSON *list, const char *name, const char *directory,
                  struct error *err) MUST_CHECK;

/* Reads the list from file descriptor fd, prints the answers to stdout. */
int describe_stream(int fd, const char *directory, struct error *err) MUST_CHECK;

#endif
