/*
 * golden_dataset.h - checks a recorded dataset.json, section by section, against our modules.
 */
#ifndef TESTS_GOLDEN_DATASET_H
#define TESTS_GOLDEN_DATASET_H

#include "grid.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* Prints a line per section ("ok" or "FAIL", values compared, the first difference). 0: every
 * section of the file is known and passes; 1 otherwise. */
int golden_dataset_check(const char *path, FILE *out);

/* One section's tally: every value compared goes through it. */
struct golden_tally {
    int compared, wrong;
    char first[200]; /* what differed first */
};
void golden_equal(struct golden_tally *tally, bool equal, const char *what);
void golden_near(struct golden_tally *tally, const cJSON *item, double value, double limit,
                 const char *what);
/* A grid of the file; [] is empty. False (and counted wrong) when malformed. */
bool golden_grid(struct golden_tally *tally, struct grid *out, const cJSON *rows,
                 const char *what);
/* The file's grid is ours. */
void golden_same_grid(struct golden_tally *tally, const cJSON *rows, const struct grid *ours,
                      const char *what);

void golden_voting(struct golden_tally *tally, const cJSON *section);

#endif
