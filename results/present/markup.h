/*
 * markup.h - text from outside inside XML and HTML.
 */
#ifndef RESULTS_MARKUP_H
#define RESULTS_MARKUP_H

#include <stdio.h>

/* Writes text so that it is nothing but text, between tags and inside a quoted
 * attribute: & < > " ' as entities; tabs and line ends as spaces; other control
 * characters, and those that XML does not allow, left out; bytes that are not UTF-8 as
 * "?". NULL: nothing. */
void markup_text(FILE *out, const char *text);

/* The same with line ends as they are, for <pre>. */
void markup_lines(FILE *out, const char *text);

#endif
