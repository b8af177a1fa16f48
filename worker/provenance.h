/*
 * provenance.h - what produced a number: build, libraries, machine.
 */
#ifndef WORKER_PROVENANCE_H
#define WORKER_PROVENANCE_H

#include <cjson/cJSON.h>

#include "blas_environment.h"
#include "sandbox.h"

/* The provenance object of the `begin` event (docs/formats.md); NULL when out of
 * memory. sandbox NULL: the sandbox is left out. */
cJSON *provenance_create(const struct blas_environment *environment,
                         const struct sandbox *sandbox);

/* "0.1.0" */
const char *provenance_version(void);

#endif
