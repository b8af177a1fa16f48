/*
 * kind_built.h - directories of the published code, as a kind of data.
 */
#ifndef WORKER_KIND_BUILT_H
#define WORKER_KIND_BUILT_H

#include "kind.h"

extern const struct data_kind KIND_BUILT;

#endif
