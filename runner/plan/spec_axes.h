/*
 * spec_axes.h - the axes of a merged spec.
 */
#ifndef RUNNER_SPEC_AXES_H
#define RUNNER_SPEC_AXES_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "error.h"

/* One dimension of the grid. A grid axis has one key and its values; a zip has several
 * keys that advance together; ablate is one dimension whose position 0 changes
 * nothing. */
struct spec_axis {
    int *ids;             /* owned: (positions, width) setting ids, -1 = no change */
    const cJSON **values; /* owned: (positions, width), borrowed from the spec */
    int positions, width;
};

struct spec_axes {
    struct spec_axis *axes; /* owned */
    int count;
    int64_t cells; /* product of the positions */
};

/* Reads grid, zip and ablate of the merged spec, which must outlive *axes. Grid axes
 * are sorted in the order of the settings table. name is first in messages. */
int spec_axes_init(struct spec_axes *axes, const cJSON *spec, const char *name,
                   struct error *err) MUST_CHECK;
void spec_axes_release(struct spec_axes *axes);

#endif
