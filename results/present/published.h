/*
 * published.h - published results, for comparison with own ones.
 */
#ifndef RESULTS_PUBLISHED_H
#define RESULTS_PUBLISHED_H

#include <stdbool.h>

#include "chart.h"
#include "error.h"
#include "measure.h"
#include "picture.h"

enum published_kind {
    PUBLISHED_NUMBER, /* printed in the source's text or tables */
    PUBLISHED_CHART,  /* read off a chart: approximate */
    PUBLISHED_CLAIM   /* stated without a number */
};

struct published {
    const char *source;   /* one of PUBLISHED_SOURCES */
    const char *question; /* "outer loop", ... */
    const char *data;     /* what was scored: "ARC-AGI-1 public evaluation" */
    const char *place;    /* a word that descriptions of similar data contain: "arc" */
    const char *measure;  /* "pass@2", "pass@2 difference, ..." */
    const char *settings; /* in words */
    const char *x;        /* its position on the axis of the question; NULL: none */
    double value;         /* a share, or a difference of shares; NaN: a claim */
    enum published_kind kind;
    const char *note; /* NULL: none */
};

extern const struct published PUBLISHED[]; /* ended by a source of NULL */

struct published_source {
    const char *name, *citation;
};
extern const struct published_source PUBLISHED_SOURCES[]; /* ended by a name of NULL */

/* The results beside which published values are shown. */
struct published_place {
    const char *data; /* where their data came from; "": unknown */
    /* Whether values on other data are shown too. Otherwise only those on files of the
     * same kind are: built-in data are not comparable. */
    bool any_data;
    enum metric metric;
};

bool published_is_shown(const struct published *published, const char *data, bool any_data);

/* Adds the published values about a question: about `marked` those that have a position
 * in the chart, as a series of its own; about `told` the others, differences and claims
 * among them, in words to the picture's note. Questions and chart may be NULL: none. */
int published_show(struct picture *picture, struct chart *chart, const char *marked,
                   const char *told, const struct published_place *place,
                   struct error *err) MUST_CHECK;

#endif
