/*
 * text_stream.h - a stream that writes a text into memory, as open_memstream() does,
 * and that tells when memory did not suffice: with glibc's, what is written while an
 * allocation fails is missing from the text, and nothing says so.
 */
#ifndef COMMON_TEXT_STREAM_H
#define COMMON_TEXT_STREAM_H

#include <stddef.h>
#include <stdio.h>

/* Begins a text; NULL: no memory. *text and *size (without the final NUL) are set by
 * fclose(), NULL and 0 until then. Where anything found no memory, fclose() fails, and
 * *text stays NULL; otherwise it is the caller's to free. Only for writing, without
 * seeking. */
FILE *text_stream_open(char **text, size_t *size);

#endif
