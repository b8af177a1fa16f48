/*
 * picture_file.h - writes pictures as SVG files, or PNG or PDF through rsvg-convert.
 */
#ifndef RUNNER_PICTURE_FILE_H
#define RUNNER_PICTURE_FILE_H

#include "error.h"

/* Checks that the name ends in .svg, .png or .pdf, otherwise ERROR_FORMAT. NULL and
 * "-": standard output, SVG. */
int picture_check_name(const char *name, struct error *err) MUST_CHECK;

/* Writes the SVG text to the file of this name, completely or not at all, in the
 * format given by its suffix; name NULL or "-": to standard output.
 * ERROR_ENVIRONMENT: PNG or PDF is asked for and rsvg-convert is not installed. */
int picture_write(const char *svg, const char *name, struct error *err) MUST_CHECK;

#endif
