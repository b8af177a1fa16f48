/*
 * figure.h - the table of figures: each is drawn from an experiment's results.
 */
#ifndef RESULTS_FIGURE_H
#define RESULTS_FIGURE_H

#include "cells.h"
#include "compare.h"
#include "error.h"
#include "picture.h"

struct store;
struct table;

/* What an experiment's figures are drawn from. */
struct figure_source {
    struct store *store;       /* borrowed */
    struct results *results;   /* owned */
    enum metric metric;        /* drawn */
    struct cells *cells;       /* owned */
    char *data;                /* owned: where its data came from; "": not known */
    const char *const *wheres; /* borrowed; the conditions it was loaded with */
    int where_count;
    const char *axis, *rows, *cols; /* borrowed; what was asked for; NULL: nothing */

    /* Made by figure_compare(). */
    struct baselines baselines;         /* owned */
    struct compare *compare;            /* owned; NULL: not made */
    struct matrix *matrix;              /* owned; NULL: outer steps do not vary */
    struct comparison_list comparisons; /* owned; corrected over all of them */
};

/* experiment NULL: the only one there is. Errors of results_load(). */
int figure_source_open(struct figure_source *out, struct store *store, const char *experiment,
                       const char *const *wheres, int where_count, enum metric metric,
                       struct error *err) MUST_CHECK;
void figure_source_close(struct figure_source *source);
/* Once: every difference that the axes allow, as `compare --matrix` has them where
 * outer steps vary on both sides, else each axis by itself. */
int figure_compare(struct figure_source *source, struct error *err) MUST_CHECK;

/* Fills an empty picture. ERROR_ABSENT: this experiment does not allow it, and the
 * message says why. */
typedef int figure_fn(struct picture *out, struct figure_source *source, struct error *err);

struct figure {
    const char *name;
    const char *title; /* with %s for the measure's title */
    const char *needs; /* what an experiment must vary, in words */
    bool asked;        /* drawn by name only: it needs --axis, or --rows and --cols */
    figure_fn *make;
};

extern const struct figure FIGURES[]; /* ended by a name of NULL */

/* By name; ERROR_FORMAT names the nearest and all. */
int figure_find(const struct figure **out, const char *name, struct error *err) MUST_CHECK;
/* Its picture, titled; on failure there is nothing to release. */
int figure_make(struct picture *out, const struct figure *figure, struct figure_source *source,
                struct error *err) MUST_CHECK;
/* The figures, and which of them the experiment allows. */
int figure_list(struct table **out, struct figure_source *source, struct error *err) MUST_CHECK;

#endif
