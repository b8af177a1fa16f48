/*
 * probe.h - `hrmlab-worker probe`: what this machine and environment give the engine.
 */
#ifndef WORKER_PROBE_H
#define WORKER_PROBE_H

#include "error.h"
#include "blas_environment.h"

/* Prints one JSON object (docs/formats.md) to stdout. Takes about a tenth of a
 * second. */
int probe_print(const struct blas_environment *environment, struct error *err) MUST_CHECK;

#endif
