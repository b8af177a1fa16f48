/*
 * spec_bases.h - arms whose runs' weights those of other arms begin with.
 */
#ifndef RUNNER_SPEC_BASES_H
#define RUNNER_SPEC_BASES_H

#include <stdint.h>

#include "error.h"

struct spec;
struct spec_arm;

/* A number that identifies an arm: a hash of its training settings and its data. */
int spec_arm_key(uint64_t *key, const struct spec_arm *arm, struct error *err) MUST_CHECK;

/* Finds the base of each arm whose init_from is an object of settings: an arm of the
 * spec, or one more, which is added to spec->arms. path opens the messages. */
int spec_add_bases(struct spec *spec, const char *path, struct error *err) MUST_CHECK;

#endif
