/*
 * spec_contrasts.h - the comparisons that a spec plans before anything is trained.
 *
 * "contrasts" is a list of {"name": TEXT, "from": {...}, "to": {...}}. A side is an
 * object of settings and means every cell (arm under an evaluation) that has all of
 * them; the contrast is the mean of "to" minus the mean of "from".
 */
#ifndef RUNNER_SPEC_CONTRASTS_H
#define RUNNER_SPEC_CONTRASTS_H

#include "error.h"
#include "spec.h"

/* Reads them into the spec, whose arms and evaluations are known. ERROR_FORMAT: a side
 * means no cell (the message lists what there is), or both mean the same cells. */
int spec_contrasts_read(struct spec *spec, const cJSON *merged, const char *path,
                        struct error *err) MUST_CHECK;

/* Removes the contrasts of a merged spec that name another value of key than this: what
 * --set key=value leaves of an axis. */
void spec_contrasts_drop(cJSON *merged, const char *key, const cJSON *value);

void spec_contrasts_release(struct spec *spec);

#endif
