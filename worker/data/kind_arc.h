/*
 * kind_arc.h - ARC tasks, from files or from the built-in families.
 */
#ifndef WORKER_KIND_ARC_H
#define WORKER_KIND_ARC_H

#include "kind.h"

extern const struct data_kind KIND_ARC;

#endif
