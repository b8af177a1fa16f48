/*
 * csv.h - comma-separated files, row by row, as RFC 4180 writes them.
 *
 * The file is streamed: memory is one buffer, whatever the size of the file. Fields may
 * stand in double quotes (a quote inside is doubled; commas and line ends inside are
 * data); lines end with LF or CR LF; a UTF-8 byte order mark at the start is skipped;
 * spaces are data.
 */
#ifndef WORKER_CSV_H
#define WORKER_CSV_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CSV_MAX_FIELDS = 16, CSV_MAX_ROW = 1 << 16 /* bytes */ };

struct csv {
    int fd;
    const char *path;  /* borrowed */
    char *buffer;      /* owned */
    size_t start, end; /* the part of the buffer that was not returned as rows yet */
    int64_t row;       /* rows read so far, a header included */
    bool at_end;       /* the file was read to its end */
};

struct csv_field {
    /* in the buffer, valid until the next row is read; not NUL-terminated */
    const char *text;
    size_t length;
};

struct csv_row {
    /* from 1, a header included; equals the line number unless quoted fields hold
     * line ends */
    int64_t number;
    int count;
    struct csv_field fields[CSV_MAX_FIELDS];
};

/* path must live as long as the reader. */
int csv_open(struct csv *out, const char *path, struct error *err) MUST_CHECK;
void csv_close(struct csv *csv);

/* Reads a row: 1, or 0 at the end of the file, or an error: ERROR_FORMAT names file and
 * row for a row of more than CSV_MAX_ROW bytes or CSV_MAX_FIELDS fields, a quote that
 * is not closed, and text beside a quoted field. */
int csv_next(struct csv *csv, struct csv_row *row, struct error *err) MUST_CHECK;

#endif
