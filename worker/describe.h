/*
 * describe.h - `hrmlab-worker describe`: reports sizes, steps, FLOPs and data of a
 * list of configurations without training.
 */
#ifndef WORKER_DESCRIBE_H
#define WORKER_DESCRIBE_H

#include <cjson/cJSON.h>

#include "error.h"

/* Makes one answer (docs/formats.md) per configuration of the list, in order; data
 * that several share is read once. name: of the list in messages. directory: where
 * facts about data are cached (data_facts.h); NULL: nowhere. *out is newly
 * allocated. */
int describe_list(cJSON **out, const cJSON *list, const char *name, const char *directory,
                  struct error *err) MUST_CHECK;

/* Reads the list from file descriptor fd, prints the answers to stdout. */
int describe_stream(int fd, const char *directory, struct error *err) MUST_CHECK;

#endif
