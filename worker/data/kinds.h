/*
 * kinds.h - the table of data kinds.
 */
#ifndef WORKER_KINDS_H
#define WORKER_KINDS_H

#include "kind.h"

/* The kind of the data at this data.path. */
const struct data_kind *data_kind_find(const char *path);

#endif
