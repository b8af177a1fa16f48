/* csv.c - reads rows from a buffer that is refilled from the file. */
#include "csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_SIZE = 2 * CSV_MAX_ROW };

/* Reads until the buffer is full or the file ends. */
static int fill(struct csv *csv, struct error *err)
{
    memmove(csv->buffer, csv->buffer + csv->start, csv->end - csv->start);
    csv->end -= csv->start;
    csv->start = 0;
    while (!csv->at_end && csv->end < BUFFER_SIZE) {
        ssize_t got = read(csv->fd, csv->buffer + csv->end, BUFFER_SIZE - csv->end);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, ERROR_IO, "read %s: %s", csv->path, strerror(errno));
        csv->end += (size_t)got;
        csv->at_end = got == 0;
    }
    return 0;
}

int csv_open(struct csv *out, const char *path, struct error *err)
{
    struct stat status;

    *out = (struct csv){ .path = path };
    /* O_NONBLOCK: a FIFO must not hang us before fstat() tells. */
    out->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (out->fd < 0)
        return error_set(err, error_code_from_errno(errno), "open %s: %s", path,
                         strerror(errno));
    if (fstat(out->fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        close(out->fd);
        return error_set(err, ERROR_FORMAT, "%s: expected a regular file", path);
    }
    out->buffer = malloc(BUFFER_SIZE);
    int rc = out->buffer == NULL ? error_no_memory(err, "a CSV file") : fill(out, err);
    if (rc < 0)
        csv_close(out);
    else if (out->end >= 3 && memcmp(out->buffer, "\xEF\xBB\xBF", 3) == 0)
        out->start = 3;
    return rc;
}

void csv_close(struct csv *csv)
{
    close(csv->fd);
    free(csv->buffer);
    csv->buffer = NULL;
}

/* Finds the end of the next row: its length without the line end, and *ending, the
 * length of the line end. False if the buffer ends first. A line end within quotes
 * belongs to a field. */
static bool find_row(const struct csv *csv, size_t *length, size_t *ending)
{
    const char *from = csv->buffer + csv->start, *end = csv->buffer + csv->end, *at = from;
    bool quoted = false;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        for (const char *q = at; (q = memchr(q, '"', (size_t)(stop - q))) != NULL; q++)
            quoted = !quoted;
        if (newline == NULL)
            break;
        if (!quoted) {
            bool carriage = newline > from && newline[-1] == '\r';
            *length = (size_t)(newline - from) - carriage;
            *ending = 1 + (size_t)carriage;
            return true;
        }
        at = newline + 1;
    }
    if (!csv->at_end || quoted)
        return false;
    *length = (size_t)(end - from);
    *ending = 0;
    return true;
}

/* Decodes a quoted field in place; at points behind the opening quote. Returns the
 * position behind the closing quote, or NULL if the field is not closed. */
static char *unquote(char *at, char *end, struct csv_field *field)
{
    char *to = at;

    field->text = at;
    for (; at < end; at++) {
        if (*at == '"' && (at + 1 == end || at[1] != '"')) {
            field->length = (size_t)(to - field->text);
            return at + 1;
        }
        at += *at == '"';
        *to++ = *at;
    }
    return NULL;
}

static int row_error(const struct csv *csv, const char *what, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: row %lld: %s", csv->path, (long long)csv->row,
                     what);
}

/* Cuts the length bytes at the start of the buffer into fields. */
static int cut(struct csv *csv, struct csv_row *row, size_t length, struct error *err)
{
    char *at = csv->buffer + csv->start, *end = at + length;

    row->count = 0;
    row->number = csv->row;
    for (;;) {
        if (row->count == CSV_MAX_FIELDS)
            return row_error(csv, "more than 16 columns", err);
        struct csv_field *field = &row->fields[row->count++];
        if (at < end && *at == '"') {
            at = unquote(at + 1, end, field);
            if (at == NULL)
                return row_error(csv, "a quote is not closed", err);
            if (at < end && *at != ',')
                return row_error(csv, "text behind a quoted field; expected a comma", err);
        } else {
            char *comma = memchr(at, ',', (size_t)(end - at));
            char *stop = comma != NULL ? comma : end;
            if (memchr(at, '"', (size_t)(stop - at)) != NULL)
                return row_error(csv, "a quote inside a field that does not begin with one",
                                 err);
            if (memchr(at, '\r', (size_t)(stop - at)) != NULL)
                return row_error(
                    csv, "a carriage return inside it; expected line ends of LF or CR LF", err);
            *field = (struct csv_field){ .text = at, .length = (size_t)(stop - at) };
            at = stop;
        }
        if (at == end)
            return 1;
        at++; /* the comma */
    }
}

int csv_next(struct csv *csv, struct csv_row *row, struct error *err)
{
    size_t length = 0, ending = 0;
    bool found = csv->start < csv->end && find_row(csv, &length, &ending);

    if (!found) {
        int rc = fill(csv, err);
        if (rc < 0)
            return rc;
        if (csv->start == csv->end)
            return 0;
        found = find_row(csv, &length, &ending);
    }
    csv->row++;
    if (!found && csv->end < BUFFER_SIZE)
        return row_error(csv, "a quote is not closed", err);
    if (!found || length > CSV_MAX_ROW)
        return row_error(csv, "more than 65536 bytes; is a quote not closed?", err);
    int rc = cut(csv, row, length, err);
    csv->start += length + ending;
    return rc;
}
