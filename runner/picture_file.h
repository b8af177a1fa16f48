/*
 * picture_file.h - pictures as files: SVG, and PNG or PDF by rsvg-convert.
 */
#ifndef RUNNER_PICTURE_FILE_H
#define RUNNER_PICTURE_FILE_H

#include "error.h"

/* ERROR_FORMAT: the name does not end in .svg, .png or .pdf. NULL and "-": standard
 * output, SVG. */
int picture_check_name(const char *name, struct error *err) MUST_CHECK;

/* Writes the SVG text to the file of this name in the form that its ending says, whole
 * or not at all; name NULL or "-": to standard output. ERROR_ENVIRONMENT where PNG or
 * PDF is asked for and rsvg-convert is not installed. */
int picture_write(const char *svg, const char *name, struct error *err) MUST_CHECK;

#endif
