/*
 * markup.h - escapes text for XML, HTML and addresses.
 */
#ifndef RESULTS_MARKUP_H
#define RESULTS_MARKUP_H

#include <stdio.h>

/* Writes text escaped for use between tags and in quoted attributes: & < > " '
 * become entities; tabs and line ends become spaces; other control characters, and
 * those that XML does not allow, are removed; bytes that are not UTF-8 become "?".
 * NULL: nothing. */
void markup_text(FILE *out, const char *text);

/* Likewise, but line ends stay, for <pre>. */
void markup_lines(FILE *out, const char *text);

/* "/page", "/page/name" or "/page/name/detail", whatever is not NULL, with the parts
 * percent-encoded; newly allocated, NULL: no memory. */
char *markup_path(const char *page, const char *name, const char *detail);

#endif
