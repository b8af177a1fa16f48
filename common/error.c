/* error.c - filling in the one message, and what it means to the process. */
#include "error.h"

#include "exit_code.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Replaces control characters, so that a message stays one line on a terminal even when
 * it quotes a file name. */
static void keep_printable(char *text)
{
    text[text_make_printable(text, strlen(text), "")] = '\0';
}

void error_fill(struct error *err, enum error_code code, const char *format, ...)
{
    int saved = errno;
    va_list arguments;

    if (err == NULL)
        return;
    err->code = code;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    keep_printable(err->message);
    errno = saved;
}

int error_prefix(struct error *err, const char *format, ...)
{
    char prefix[ERROR_MESSAGE_SIZE], rest[ERROR_MESSAGE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    if (err == NULL)
        return ERROR_IO;
    snprintf(rest, sizeof rest, "%s", err->message);
    snprintf(err->message, sizeof err->message, "%.*s: %.*s", (int)sizeof prefix / 4, prefix,
             (int)sizeof rest / 4 * 3 - 8, rest);
    keep_printable(err->message);
    return err->code;
}

enum error_code error_code_from_errno(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return ERROR_NOSPACE;
    case ENOMEM:
        return ERROR_NOMEM;
    case ENOENT:
        return ERROR_ABSENT;
    default:
        return ERROR_IO;
    }
}

int error_exit_code(enum error_code code)
{
    switch (code) {
    case ERROR_FORMAT:
    case ERROR_ABSENT:
        return EXIT_BAD_INPUT;
    case ERROR_STOPPED:
        return EXIT_STOPPED;
    case ERROR_NOMEM:
    case ERROR_IO:
    case ERROR_DATABASE:
    case ERROR_BUSY:
    case ERROR_SPAWN:
    case ERROR_ENVIRONMENT:
    case ERROR_NOSPACE:
    case ERROR_DAMAGED:
        return EXIT_ENVIRONMENT;
    }
    return EXIT_ENVIRONMENT;
}
