/*
 * table_wrap.h - breaks texts between words, and shares the width of a line among the
 * columns of a table.
 *
 * Words are broken only where they are wider than the line or the column: a path after
 * a slash, in a column others too, after a hyphen, say, or anywhere.
 */
#ifndef RESULTS_TABLE_WRAP_H
#define RESULTS_TABLE_WRAP_H

#include <stdbool.h>
#include <stddef.h>

/* Columns that the longest word of text needs. A path that takes most of the limit (0:
 * no limit) counts with its widest part, a word beyond the limit with half of that. */
int wrap_longest_word(const char *text, int limit);

/* Bytes of the first line of text when it is broken between words at width (0: not
 * broken); a longer word begins a line of its own. */
size_t wrap_line_length(const char *text, int width);

/* The same in a column of a table, which no line is wider than. */
size_t wrap_cell_length(const char *text, int width);

/* The columns of a table on a terminal. All are borrowed; (count) each. */
struct wrap_columns {
    int count, rows;
    char *const *texts;         /* (rows, count), the titles among the rows */
    const int *natural, *least; /* width without line breaks; smallest width */
    const bool *hidden;
};

/* Chooses widths from the smallest up to those without line breaks that take room more
 * than the smallest ones together, so that the rows take few lines. -1: no memory. */
int wrap_share(int *widths, const struct wrap_columns *columns, int room);

#endif
