/*
 * participation.h - the participation ratio of a set of vectors: over how many
 * dimensions they spread (model.md section 9).
 *
 * With the covariance matrix C of the vectors and its eigenvalues l, it is
 * (sum of l)^2 / (sum of l^2), which is trace(C)^2 / trace(C C). It lies between 1 (all
 * on a line) and the smaller of width and number of vectors - 1.
 */
#ifndef WORKER_PARTICIPATION_H
#define WORKER_PARTICIPATION_H

#include "error.h"

struct participation; /* opaque: sums over several sets of vectors */

/* Room for that many sets of vectors of that many numbers, about 4 width^2 bytes each.
 * ERROR_NOMEM. */
int participation_create(struct participation **out, int sets, int width,
                         struct error *err) MUST_CHECK;
void participation_destroy(struct participation *participation); /* NULL allowed */

/* Adds a vector (width) to a set. The sums depend on the order in each set alone. */
void participation_add(struct participation *participation, int set, const float *vector);

/* The ratio of a set; NaN: its vectors do not differ, or are not finite. */
double participation_ratio(const struct participation *participation, int set);

#endif
