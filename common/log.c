/* log.c - one message at a time to stderr, written whole; on a terminal in lines of its
 * width. */
#include "log.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LOG_LINE_SIZE = 2048 };

static const char *log_program = "hrmlab";
static enum log_level log_threshold = LOG_INFO;

void log_setup(const char *program, enum log_level level)
{
    log_program = program;
    log_threshold = level;
}

/* Columns of the terminal behind stderr; 0: it is none. */
static int terminal_width(void)
{
    struct winsize size = { 0 };

    return isatty(STDERR_FILENO) == 1 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0
               ? size.ws_col
               : 0;
}

/* Breaks text between words into lines of at most so many columns, where words
 * allow. */
static void break_lines(char *text, int width)
{
    char *line = text, *space = NULL;

    for (char *at = text; width > 0; at++) {
        if (*at != ' ' && *at != '\0')
            continue;
        if (space != NULL && text_columns(line, (size_t)(at - line)) > width) {
            *space = '\n';
            line = space + 1;
        }
        if (*at == '\0')
            return;
        space = at;
    }
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
    line[length] = '\0';
    break_lines(line, terminal_width());
    line[length++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written; /* a failure to write to stderr cannot be reported */
}
