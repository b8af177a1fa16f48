/* shell_word.c - text as one word of a shell's line. */
#include "shell_word.h"

void shell_put_word(FILE *out, const char *word)
{
    fputc('\'', out);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    fputc('\'', out);
}
