/*
 * text.h - text from outside on its way to a terminal.
 *
 * Control characters (C0, DEL, and C1 in their UTF-8 form, U+0080 to U+009F) and bytes
 * that are not UTF-8 can steer a terminal; none of them gets there.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies text without control characters to out, other bytes that are not UTF-8 as "?";
 * cut at a whole character where out is too small. Returns out. */
char *text_strip_controls(char *out, size_t size, const char *text);

/* Replaces what is described above by "?", in place, apart from the characters in keep.
 * Returns the new size, which is not larger; a final NUL is the caller's affair. */
size_t text_make_printable(char *text, size_t size, const char *keep);

/* UTF-8 without control characters. */
bool text_is_printable(const char *text);

/* The first byte that is not UTF-8; NULL: all are. */
const char *text_not_utf8(const char *text);

/* Length of the UTF-8 character at the start of text, which has size bytes. 0: these
 * bytes are not UTF-8 (overlong forms, surrogates and numbers beyond U+10FFFF are not),
 * or the character is cut off. *control (control may be NULL): it is a control
 * character. */
size_t text_character(bool *control, const char *text, size_t size);

/* Columns of a terminal that the first size bytes of text take; a byte that is not
 * UTF-8 takes one. Other characters than ASCII are as wide as the locale has them, or
 * 1. */
int text_columns(const char *text, size_t size);

/* How many of the bytes are whole characters: less than size where the last one is cut
 * off. */
size_t text_whole_characters(const char *text, size_t size);

/* Writes a time as people read it, in place: "2026-01-31T12:34:56.789Z" becomes
 * "2026-01-31 12:34:56Z". Whether text is a time of either form. */
bool text_shorten_time(char *text);

#endif
