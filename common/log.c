/* log.c - one line at a time to stderr, written whole. */
#include "log.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LOG_LINE_SIZE = 2048 };

static const char *log_program = "hrmlab";
static enum log_level log_threshold = LOG_INFO;

void log_setup(const char *program, enum log_level level)
{
    log_program = program;
    log_threshold = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = { "error: ", "warning: ", "", "debug: " };
    char line[LOG_LINE_SIZE];
    va_list arguments;

    if (level > log_threshold)
        return;
    int used = snprintf(line, sizeof line, "%s: %s", log_program, words[level]);
    if (used < 0 || (size_t)used >= sizeof line - 1)
        return;
    va_start(arguments, format);
    int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    if (more < 0)
        return;
    size_t length = (size_t)used + (size_t)more;
    if (length > sizeof line - 2)
        length = sizeof line - 2;
    length = text_make_printable(line, length, "");
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* a failure to write to stderr cannot be reported */
}
