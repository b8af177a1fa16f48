/*
 * provenance.h - build, libraries and machine behind a result.
 */
#ifndef WORKER_PROVENANCE_H
#define WORKER_PROVENANCE_H

#include <cjson/cJSON.h>

#include "blas_environment.h"
#include "sandbox.h"

/* The provenance object of the `begin` event (docs/formats.md); NULL: no memory.
 * sandbox NULL omits the sandbox. */
cJSON *provenance_create(const struct blas_environment *environment,
                         const struct sandbox *sandbox);

/* "0.1.0" */
const char *provenance_version(void);

#endif
