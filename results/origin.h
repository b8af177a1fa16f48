/*
 * origin.h - where an experiment's results came from: data, programs, machines, spec.
 */
#ifndef RESULTS_ORIGIN_H
#define RESULTS_ORIGIN_H

#include <stdint.h>

#include "error.h"

struct store;

/* The source of the data as the first training that began said it ("builtin:arc-style,
 * generator seed 0"); "" where none has begun. Fresh. */
int origin_data(char **out, struct store *store, int64_t experiment_id,
                struct error *err) MUST_CHECK;

#endif
