/*
 * figure.h - the table of figures, each drawn from an experiment's results.
 */
#ifndef RESULTS_FIGURE_H
#define RESULTS_FIGURE_H

#include "cells.h"
#include "compare.h"
#include "error.h"
#include "id_range.h"
#include "picture.h"
#include "run_facts.h"

struct store;
struct table;

/* Draws what an attempt keeps of its answers to tasks, as SVG or, with text, in
 * characters. drawings[i]: newly allocated; NULL: it keeps none to that task. *whole:
 * none is missing because it could not be drawn, which people have been told otherwise.
 * directory: relative to the workspace. */
typedef int draw_answers_fn(char **drawings, bool *whole, bool text, void *context,
                            const char *directory, const char *const *tasks, int count,
                            struct error *err);

/* The data from which an experiment's figures are drawn. */
struct figure_source {
    struct store *store;     /* borrowed */
    struct results *results; /* owned */
    enum metric metric;      /* drawn */
    struct cells *cells;     /* owned */
    /* of the experiment, whatever the conditions */
    struct id_list runs;           /* owned */
    const struct run_facts *facts; /* borrowed of results, or own_facts */
    struct run_facts own_facts;    /* owned */
    char *data;                    /* owned: where its data came from; "": unknown */
    bool any_published;            /* published values on other data are shown too */
    const char *const *wheres;     /* borrowed; the conditions it was loaded with */
    int where_count;
    char *conditions; /* owned: these as one text, "arch.name=hrm, seed<3"; "": none */
    /* borrowed; the arm that a report subtracts, as arm_find() knows it; NULL: the
     * first */
    const char *baseline;
    const char *axis, *rows, *cols; /* borrowed; as asked for; NULL: not given */
    draw_answers_fn *draw_answers;  /* NULL: a report draws no answers */
    void *draw_context;             /* borrowed */

    /* Made by figure_compare(). */
    struct baselines baselines; /* owned */
    struct compare *compare;    /* owned; NULL: not made */
    struct matrix *matrix;      /* owned; NULL: outer steps do not vary */
    /* owned; p values are corrected over all of them */
    struct comparison_list comparisons;
    /* owned; those that the spec planned, corrected over these alone */
    struct comparison_list planned;
    int planned_missing; /* how many more it planned, which have no results */
};

/* experiment NULL: the only one. figure: all that will be drawn; NULL: there may be
 * others, or a report. Errors of results_load(). */
struct figure;
int figure_source_open(struct figure_source *out, struct store *store, const char *experiment,
                       const char *const *wheres, int where_count, enum metric metric,
                       const struct figure *figure, struct error *err) MUST_CHECK;
/* What titles name: "demo", or "demo, where arch.name=hrm". Newly allocated; NULL: no
 * memory. */
char *figure_subject(const struct figure_source *source);
/* Loads measures that have not been loaded yet. ERROR_NOMEM, database errors. */
int figure_need(struct figure_source *source, const enum metric *metrics, int count,
                struct error *err) MUST_CHECK;
void figure_source_close(struct figure_source *source);
/* Computes, once, every difference that the axes allow: as `compare --matrix` does
 * if outer steps vary on both sides, otherwise for each axis. */
int figure_compare(struct figure_source *source, struct error *err) MUST_CHECK;
/* Whether these are differences in one setting while others vary, over which their
 * sides are means. */
bool figure_averages_settings(const struct figure_source *source);

/* Fills an empty picture. ERROR_ABSENT: it is not possible for this experiment; the
 * message gives the reason. */
typedef int figure_fn(struct picture *out, struct figure_source *source, struct error *err);

struct figure {
    const char *name;
    const char *title; /* with %s for the title of the measure */
    const char *needs; /* what an experiment must vary */
    bool asked;        /* drawn only by name: it needs --axis, or --rows and --cols */
    figure_fn *make;
};

extern const struct figure FIGURES[]; /* ended by a name of NULL */

/* Finds a figure by name; ERROR_FORMAT names the most similar one and lists all. */
int figure_find(const struct figure **out, const char *name, struct error *err) MUST_CHECK;
/* Makes the figure's picture with its title; on failure there is nothing to release. */
int figure_make(struct picture *out, const struct figure *figure, struct figure_source *source,
                struct error *err) MUST_CHECK;
/* Lists the figures and whether they are possible for the experiment. */
int figure_list(struct table **out, struct figure_source *source, struct error *err) MUST_CHECK;

#endif
