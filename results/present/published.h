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

/* Whether a value belongs beside results on this data: files of the same kind.
 * Built-in data are not comparable. */
bool published_is_like(const struct published *published, const char *data);

/* Adds the published values for the question and measure as a series of its own, if
 * the data is comparable, and mentions them in the picture's note. */
int published_draw(struct picture *picture, struct chart *chart, const char *question,
                   const char *data, enum metric metric, struct error *err) MUST_CHECK;

#endif
