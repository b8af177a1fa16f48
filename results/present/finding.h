/*
 * finding.h - summarises a matrix of outer steps in one paragraph.
 */
#ifndef RESULTS_FINDING_H
#define RESULTS_FINDING_H

#include "error.h"
#include "compare.h"

enum { FINDING_SEEDS_SIZE = 160 };

/* Writes over how many seeds the comparisons are, and what their intervals do not
 * cover: "3 seeds", "1 seed, over tasks only: how other seeds would come out is not
 * covered". */
void finding_seeds(char out[FINDING_SEEDS_SIZE], const struct comparison_list *list);

/* Writes one paragraph (its parts separated by this character, a space or a line's
 * end), newly allocated, the caller's to free: the effect of
 * refinement in training and at inference per block, differences between blocks, and
 * by how much the best cell exceeds copying the input and the untrained model.
 * Differences that the intervals do not show are called inconclusive. If nothing was
 * solved, all cells are equal, or none is above the baselines, the paragraph is
 * about that instead. list is matrix_compare()'s, judged. */
int finding_write(char **out, const struct matrix *matrix, const struct compare *compare,
                  const struct comparison_list *list, char between,
                  struct error *err) MUST_CHECK;

#endif
