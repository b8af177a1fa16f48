/*
 * grid_picture.h - a grid of colours as SVG: an answer as submission.json has it.
 */
#ifndef RESULTS_GRID_PICTURE_H
#define RESULTS_GRID_PICTURE_H

#include <cjson/cJSON.h>

#include "error.h"

/* rows: a list of lists of 0 to 9. *out: newly allocated text of an SVG for a page.
 * ERROR_FORMAT: it is no such grid. */
int grid_picture(char **out, const cJSON *rows, const char *title,
                 struct error *err) MUST_CHECK;

#endif
