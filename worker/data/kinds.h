/*
 * kinds.h - the table of data kinds.
 */
#ifndef WORKER_KINDS_H
#define WORKER_KINDS_H

#include "kind.h"

/* *out: the kind of the data at this data.path. The only error is ERROR_NOMEM. */
int data_kind_find(const struct data_kind **out, const char *path,
                   struct error *err) MUST_CHECK;

#endif
