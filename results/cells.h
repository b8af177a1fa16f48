/*
 * cells.h - an experiment as cells: an arm under an evaluation, where it stands on
 * every axis, and what its seeds scored. Figures and the report are drawn from it.
 */
#ifndef RESULTS_CELLS_H
#define RESULTS_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "query.h"

struct store;

/* A setting in which cells differ. */
struct cell_axis {
    const char *key;    /* static or borrowed of the results */
    bool of_evaluation; /* one of the keys of evaluation_keys.h */
    bool numeric;       /* every value is a number */
    char **values;      /* owned; numbers ascending, others in the arms' order */
    double *numbers;    /* owned; NaN for what is no number */
    int count;          /* >= 2 */
};

struct cell {
    const struct result_row *row; /* its first row; borrowed of the results */
    int *at;                      /* owned: index of its value on each axis */
    double *values;               /* owned: a value per seed that has a result */
    int64_t *seeds;               /* owned: which seeds those are */
    int count;                    /* of them */
    int planned;                  /* seeds that it was asked with */
    double mean, deviation;       /* over the seeds; NaN: none, fewer than two */
    double flops;                 /* of a training, mean over seeds; NaN: not known */
};

struct cells {
    const struct results *results; /* borrowed */
    enum metric metric;
    struct cell_axis *axes; /* owned: of training first, then of evaluation */
    int axis_count;
    struct cell *items; /* owned; in the order of the rows */
    int count;
};

/* Of the last checkpoints. results: loaded, with results_load_metric(metric); must
 * outlive *out. */
int cells_create(struct cells **out, struct store *store, const struct results *results,
                 enum metric metric, struct error *err) MUST_CHECK;
void cells_destroy(struct cells *cells); /* NULL allowed */

/* The axis of this key, -1: cells do not differ in it. */
int cells_find_axis(const struct cells *cells, const char *key);

/*
 * Marks the cells to be shown where only the axes in keys are of interest: of the
 * evaluations that differ in other settings each arm has one, on the test split, with
 * the outer steps it was trained with (where it has none, most), most augmentations,
 * without ACT, of the lowest seed. note says in words what was chosen; "": there was
 * nothing to choose.
 */
void cells_choose(bool *shown, const struct cells *cells, const char *const *keys,
                  int key_count, char note[300]);

/* The cell's values on the axes that are not in keys and, unless they are in keys, not
 * of evaluation: "0.01, L_cycles=2". "" without any. Fresh; NULL when out of memory. */
char *cells_label(const struct cells *cells, const struct cell *cell, const char *const *keys,
                  int key_count);

/* The cell's value on one axis: "0.01", "L_cycles=2". Fresh; NULL: no memory. */
char *cells_value_label(const struct cells *cells, const struct cell *cell, int axis);

/* "L_cycles" of "arch.L_cycles". */
const char *axis_short_name(const char *key);

#endif
