/*
 * picture.h - charts under one title, drawn as SVG.
 */
#ifndef RESULTS_PICTURE_H
#define RESULTS_PICTURE_H

#include <stdbool.h>

#include "chart.h"
#include "error.h"

struct picture {
    char *title;           /* owned */
    char *note;            /* owned: what was averaged, chosen or left out */
    struct chart **charts; /* owned */
    int count;
    bool small; /* two charts side by side */
};

enum { PICTURE_WIDTH = 760 };

void picture_release(struct picture *picture);
/* Copies both; NULL leaves the current text. ERROR_NOMEM. */
int picture_describe(struct picture *picture, const char *title, const char *note,
                     struct error *err) MUST_CHECK;
/* Takes ownership of the chart, also on failure; chart NULL is ERROR_NOMEM. */
int picture_add(struct picture *picture, struct chart *chart, struct error *err) MUST_CHECK;
/* Gives charts of lines the same axes, from y = 0 on, and fields of the same width. */
void picture_align(struct picture *picture);
/* *out: newly allocated text. standalone as in svg_create(); if not, charts that are
 * together higher than a page become several pictures, one after the other. */
int picture_draw(char **out, const struct picture *picture, bool standalone,
                 struct error *err) MUST_CHECK;

#endif
