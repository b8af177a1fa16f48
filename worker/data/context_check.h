/*
 * context_check.h - whether data have the contexts (context.h) that the settings ask
 * for.
 */
#ifndef WORKER_CONTEXT_CHECK_H
#define WORKER_CONTEXT_CHECK_H

#include "error.h"

struct config;
struct data_info;

/* Most demonstrations of a task that its contexts are chosen from. */
enum { CONTEXT_MOST_DEMONSTRATIONS = 1024 };

/* ERROR_FORMAT: the configuration asks for contexts, but the data have no
 * demonstrations for them, or a task has too many. */
int context_check(const struct data_info *info, const struct config *config,
                  struct error *err) MUST_CHECK;

#endif
