/*
 * table.h - a table of rows and its printing as aligned columns, JSON, CSV or Markdown.
 *
 * Cells are added from left to right: table_row(), then one table_text(), table_int(),
 * table_real() or table_empty() per column. These never fail visibly: running out of
 * memory is kept and returned by table_print(). Too many cells or a cell of another
 * type than its column's is a bug of the caller (assert). Cells that are not set are
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

enum output_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_MARKDOWN };

/* text is left aligned, numbers right */
enum table_type { TABLE_TEXT, TABLE_INT, TABLE_REAL };

enum table_mark { TABLE_PLAIN, TABLE_STRONG, TABLE_GOOD, TABLE_BAD, TABLE_FAINT };

struct table_column {
    /* in JSON and CSV: snake_case, its unit as ending ("time_seconds") */
    const char *name;
    const char *title; /* for people, in terminals and Markdown; NULL: name */
    enum table_type type;
    /* REAL: digits after the point for people; -1: %.4g (flops, times). JSON and CSV
     * always have the shortest text that reads back equal */
    int digits;
    bool machine_only; /* only in JSON and CSV */
    bool people_only;  /* only in terminals and Markdown */
    /* On a terminal: a value that all rows have is told once above the table */
    bool fold;
    /* On a terminal that is too narrow the columns of the largest number go first, and
     * are named below the table; 0: stays */
    int drop;
};

/* Copies the columns, their texts too. */
int table_create(struct table **out, const struct table_column *columns, int count,
                 struct error *err) MUST_CHECK;
void table_destroy(struct table *table); /* NULL allowed */

/* A line above the table for people ("arch.name=hrm"); copied. NULL: none. */
void table_set_caption(struct table *table, const char *caption);
/* A line below the table for people; several in the order of the calls. */
void table_add_note(struct table *table, const char *note);

void table_row(struct table *table);
void table_text(struct table *table, const char *text); /* copied; NULL: empty */
void table_int(struct table *table, int64_t value);
void table_real(struct table *table, double value); /* not finite: empty */
void table_empty(struct table *table);
/* Colours the cell added last; seen only where colours are on. */
void table_mark(struct table *table, enum table_mark mark);

int table_row_count(const struct table *table);

/*
 * Prints to out. color: whether terminal colours may be used (FORMAT_TABLE only).
 * Control characters in texts are left out (FORMAT_TABLE, FORMAT_MARKDOWN) or escaped
 * (JSON); CSV as in RFC 4180 but with '\n' line ends and control characters left out.
 * JSON is one object: {"format": "hrmlab-table-1", "rows": [{"name": value, ...}, ...],
 * "notes": [...]}. A table without rows prints its headings. ERROR_IO when out cannot
 * be written.
 */
int table_print(struct table *table, FILE *out, enum output_format format, bool color,
                struct error *err) MUST_CHECK;

/* Several tables as one document: for people one after the other; in JSON the first
 * one's rows as "rows" and those of the others under members[i] (members[0] is not
 * used); in CSV blocks with an empty line between. */
int table_print_all(struct table *const *tables, const char *const *members, int count,
                    FILE *out, enum output_format format, bool color,
                    struct error *err) MUST_CHECK;

#endif
