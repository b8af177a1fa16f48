/*
 * probe.h - `hrmlab-worker probe`: prints the kernels, libraries and speed of this
 * machine.
 */
#ifndef WORKER_PROBE_H
#define WORKER_PROBE_H

#include "error.h"
#include "blas_environment.h"

/* Prints one JSON object (docs/formats.md) to stdout. Takes about 0.1 s. */
int probe_print(const struct blas_environment *environment, struct error *err) MUST_CHECK;

#endif
