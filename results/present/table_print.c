/*
 * table_print.c - prints one or several tables in the chosen format.
 */
#include "table_internal.h"

#include "error.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool format_is_for_people(enum output_format format)
{
    return format == FORMAT_TABLE || format == FORMAT_MARKDOWN || format == FORMAT_LATEX;
}

static int assumed_width; /* of the terminal behind standard output's pager; 0: none */

void table_assume_width(int width)
{
    assumed_width = width;
}

int table_terminal_width(FILE *out)
{
    struct winsize size;

    if (out == stdout && assumed_width > 0)
        return assumed_width;
    if (isatty(fileno(out)) != 1 || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* Prints a table in any format except a single JSON object; name: of the table if
 * there are several. */
static int print_one(struct table *table, const char *name, FILE *out,
                     enum output_format format, bool color)
{
    switch (format) {
    case FORMAT_CSV:
        return table_print_csv(table, out, true);
    case FORMAT_JSON_LINES:
        table_print_json_lines(table, name, out);
        return 0;
    case FORMAT_MARKDOWN:
        return table_print_markdown(table, out);
    case FORMAT_LATEX:
        return table_print_latex(table, out);
    case FORMAT_JSON:
    case FORMAT_TABLE:
    case FORMAT_EVENTS:
        break;
    }
    return table_print_aligned(table, out, table_terminal_width(out), color);
}

/* Reports what kept the text from being written. */
static int error_of_output(FILE *out, struct error *err)
{
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    int error_number = errno;

    if (error_number == EPIPE) /* the reader, such as head, has closed the pipe */
        return 0;
    return error_set(err, error_code_from_errno(error_number), "cannot write the table: %s",
                     strerror(error_number));
}

int table_flush(struct table *table, FILE *out, enum output_format format, bool first,
                struct error *err)
{
    int rc = table->out_of_memory ? -1 : 0;

    assert(format == FORMAT_CSV || format == FORMAT_JSON_LINES);
    if (rc == 0 && format == FORMAT_CSV)
        rc = table_print_csv(table, out, first);
    else if (rc == 0)
        table_print_json_lines(table, NULL, out);
    if (rc != 0)
        return error_no_memory(err, "a table");
    table_clear(table);
    return error_of_output(out, err);
}

int table_print_all(struct table *const *tables, const char *const *members, int count,
                    FILE *out, enum output_format format, bool color, struct error *err)
{
    int rc = 0;

    assert(count == 1 || format != FORMAT_CSV);
    for (int i = 0; i < count; i++)
        if (tables[i]->out_of_memory)
            return error_set(err, ERROR_NOMEM, "no memory for a table");
    if (format == FORMAT_JSON)
        table_print_json(tables, members, count, out);
    for (int i = 0; i < count && rc == 0 && format != FORMAT_JSON; i++) {
        if (i > 0 && format != FORMAT_JSON_LINES)
            fputc('\n', out);
        rc = print_one(tables[i], count > 1 ? members[i] : NULL, out, format, color);
    }
    if (rc != 0)
        return error_set(err, ERROR_NOMEM, "no memory for a table");
    return error_of_output(out, err);
}

int table_print(struct table *table, FILE *out, enum output_format format, bool color,
                struct error *err)
{
    return table_print_all(&table, &(const char *){ "rows" }, 1, out, format, color, err);
}
