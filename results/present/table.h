/*
 * table.h - a table of rows, printed for people (aligned columns, Markdown, LaTeX) or
 * for programs (CSV, JSON, a JSON object per line).
 *
 * Cells are added from left to right: table_row(), then one table_text(), table_int(),
 * table_bool(), table_real() or table_empty() per column. These functions do not
 * report a lack of memory; table_print() does. Too many cells, or a cell of another
 * type than its column's, is a bug of the caller (assert). Cells that are not set are
 * empty (JSON: null).
 *
 *     static const struct table_column COLUMNS[] = {
 *         { .name = "arm", .type = TABLE_TEXT },
 *         { .name = "pass_at_2", .title = "pass@2", .type = TABLE_REAL, .digits = 3 },
 *     };
 *     rc = table_create(&table, COLUMNS, 2, err);
 *     ...
 *     table_row(table);
 *     table_text(table, "base");
 *     table_real(table, 0.25);
 *     rc = table_print(table, stdout, options->format, color, err);
 */
#ifndef RESULTS_TABLE_H
#define RESULTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

struct table;

enum output_format {
    FORMAT_TABLE,
    FORMAT_CSV,
    FORMAT_JSON,
    FORMAT_JSON_LINES,
    FORMAT_MARKDOWN,
    FORMAT_LATEX,
    FORMAT_EVENTS /* of export alone: event files of TensorBoard; no table is printed
                   * so */
};

/* text and "true", "false" are left aligned, numbers right */
enum table_type { TABLE_TEXT, TABLE_INT, TABLE_REAL, TABLE_BOOL };

enum table_mark { TABLE_PLAIN, TABLE_STRONG, TABLE_GOOD, TABLE_BAD, TABLE_FAINT };

struct table_column {
    /* for programs: snake_case, its unit as ending ("time_seconds") */
    const char *name;
    const char *title; /* for people; NULL: name */
    enum table_type type;
    /* REAL: decimals for people (number_measure()); -1: %.4g (flops, times). Programs
     * always get the shortest text that reads back as an equal number */
    int digits;
    bool p;            /* REAL: people read it as number_p() writes it */
    bool machine_only; /* only for programs */
    bool people_only;  /* only for people */
    /* on a terminal: if all rows have the same value, it is printed once above the
     * table. People see nothing of it if all rows are empty */
    bool fold;
    /* On a terminal: consecutive rows with the same value are printed below it, as a
     * heading */
    bool section;
    /* on a terminal that is too narrow, columns are hidden, those with the largest
     * number first, and named below the table; 0: never hidden */
    int drop;
    /* a text that is wrapped gets so many columns, if it has them, before others are
     * hidden; 0: ten */
    int least;
    bool whole; /* a text that is not wrapped: "[-0.225, -0.053]" */
    bool tight; /* a text that may be as narrow as its longest word: "0.225 +-0.053" */
};

/* Copies the columns and their texts. */
int table_create(struct table **out, const struct table_column *columns, int count,
                 struct error *err) MUST_CHECK;
void table_destroy(struct table *table); /* NULL allowed */

/* A line above the table for people ("arch.name=hrm"); copied. NULL: none. */
void table_set_caption(struct table *table, const char *caption);
/* A line below the table for people; several in the order of the calls. NULL: there was
 * no memory for it, which table_print() reports. */
void table_add_note(struct table *table, const char *note);

void table_row(struct table *table);
void table_text(struct table *table, const char *text); /* copied; NULL: empty */
/* A text that the caller has made, and frees; NULL: there was no memory for it, which
 * table_print() reports. */
void table_made_text(struct table *table, const char *text);
void table_int(struct table *table, int64_t value);
void table_bool(struct table *table, bool value);
void table_real(struct table *table, double value); /* not finite: empty */
void table_empty(struct table *table);
/* Colours the cell added last; seen only where colours are on. */
void table_mark(struct table *table, enum table_mark mark);

int table_row_count(const struct table *table);
/* No row was added, nor lost for lack of memory. */
bool table_is_empty(const struct table *table);

/* Width in columns of the terminal behind out; 0: out is not a terminal. */
int table_terminal_width(FILE *out);
/* Standard output is a pager's pipe, and the terminal behind it has so many columns. */
void table_assume_width(int width);

/* Prints text in lines of at most width columns (0: 92), broken between words;
 * strong: in colour. -1: no memory. */
int table_print_paragraph(FILE *out, const char *text, int width, bool strong);

/* Whether a format is read by people. */
bool format_is_for_people(enum output_format format);

/*
 * Prints to out. color: whether terminal colours may be used (FORMAT_TABLE only). On a
 * terminal, lines fit its width: texts wrap between words and columns with a drop
 * number are hidden; nothing is truncated, and a word is broken only where all of that
 * is not enough. Control characters in texts are removed or (JSON) escaped. CSV is that
 * of RFC 4180 but with lines that end in LF. JSON is one object: {"format":
 * "hrmlab-table-2", "rows": [{"name": value, ...}, ...], "notes": [...]}. A table
 * without rows prints its headings. ERROR_IO: out cannot be written.
 */
int table_print(struct table *table, FILE *out, enum output_format format, bool color,
                struct error *err) MUST_CHECK;

/* Prints the rows as CSV or as a JSON object per line and removes them, so that a table
 * of any length takes little memory. first: in CSV, the names of the columns come
 * before them. Any other format is a bug of the caller (assert). ERROR_IO as above. */
int table_flush(struct table *table, FILE *out, enum output_format format, bool first,
                struct error *err) MUST_CHECK;

/* Several tables as one document: for people one after the other; in JSON the rows of
 * each under members[i], all of which differ, that of the first as "rows" by custom; in
 * lines of JSON each object has its table's name (members[i]) as "table". CSV is one
 * table only (assert). */
int table_print_all(struct table *const *tables, const char *const *members, int count,
                    FILE *out, enum output_format format, bool color,
                    struct error *err) MUST_CHECK;

#endif
