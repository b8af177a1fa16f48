/*
 * shell_word.h - text as one word of a shell's line.
 */
#ifndef COMMON_SHELL_WORD_H
#define COMMON_SHELL_WORD_H

#include <stdio.h>

/* Writes the word in single quotes. */
void shell_put_word(FILE *out, const char *word);

#endif
