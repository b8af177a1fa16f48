/*
 * cells.h - an experiment as cells: an arm under an evaluation, its value on every
 * axis, and the values of its seeds. Figures and the report are drawn from cells.
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
    double *numbers;    /* owned; NaN for values that are not numbers */
    int count;          /* >= 2 */
};

struct cell {
    const struct result_row *row; /* its first row; borrowed of the results */
    int *at;                      /* owned: index of its value on each axis */
    double *values;               /* owned: one per seed with a result */
    int64_t *seeds;               /* owned: these seeds */
    int count;                    /* number of these seeds */
    int planned;                  /* number of seeds that were asked for */
    double mean, deviation;       /* over the seeds; NaN: no seed, or fewer than two */
    double flops;                 /* of a training, mean over seeds; NaN: unknown */
};

struct cells {
    const struct results *results; /* borrowed */
    enum metric metric;
    struct cell_axis *axes; /* owned: of training first, then of evaluation */
    int axis_count;
    struct cell *items; /* owned; in the order of the rows */
    int count;
};

/* Uses results at the last checkpoints. results: loaded, with
 * results_load_metric(metric); must outlive *out. */
int cells_create(struct cells **out, struct store *store, const struct results *results,
                 enum metric metric, struct error *err) MUST_CHECK;
void cells_destroy(struct cells *cells); /* NULL allowed */

/* The axis of this key; -1: cells do not differ in it. */
int cells_find_axis(const struct cells *cells, const char *key);

/*
 * Marks the cells to show when only the axes in keys are of interest. Evaluations that
 * differ in other settings are reduced to one per arm: the test split, the outer steps
 * of training (or, if not evaluated, the most), the most augmentations, without ACT,
 * the lowest seed. note describes the choice; "": there was nothing to choose.
 */
void cells_choose(bool *shown, const struct cells *cells, const char *const *keys,
                  int key_count, char note[300]);

/* Whether the setting of the axis has an effect on the cell's arm, as L_cycles has none
 * on a transformer. */
bool cell_has_effect(const struct cells *cells, const struct cell *cell, int axis);

/* The cell's values on the training axes that are not in keys and have an effect on it,
 * the system first: "hrm, L_cycles=2"; "" if there are none. Newly allocated; NULL: no
 * memory. */
char *cells_label(const struct cells *cells, const struct cell *cell, const char *const *keys,
                  int key_count);
/* The same of the axes a with told[a], whether they have an effect or not. */
char *cells_label_told(const struct cells *cells, const struct cell *cell, const bool *told);
/* Whether the axis belongs to labels: it is of training, and not in keys. */
bool cells_axis_is_told(const struct cells *cells, int axis, const char *const *keys,
                        int key_count);

/* The cell's value on one axis: "0.01", "L_cycles=2". Newly allocated; NULL: no
 * memory. */
char *cells_value_label(const struct cells *cells, const struct cell *cell, int axis);

/* "L_cycles" for "arch.L_cycles". */
const char *axis_short_name(const char *key);

#endif
