/*
 * table_internal.h - the members of a table, for the files that print it.
 */
#ifndef RESULTS_TABLE_INTERNAL_H
#define RESULTS_TABLE_INTERNAL_H

#include "table.h"

struct cell {
    bool set;
    enum table_mark mark;
    int64_t integer; /* of INT and BOOL */
    double real;
    char *text; /* owned */
};

struct table {
    struct table_column *columns; /* owned, with names and titles */
    int column_count;
    struct cell *cells; /* owned: (row_capacity, column_count) */
    int row_count, row_capacity;
    int next; /* column of the next cell in the last row */
    char *caption;
    char **notes;
    int note_count;
    /* owned: (column_count) hidden on this terminal, or a heading */
    bool *hidden;
    /* the column that is used as headings on this terminal; -1: none */
    int section;
    bool out_of_memory; /* reported by table_print() */
};

static inline const struct cell *cell_at(const struct table *table, int row, int column)
{
    return &table->cells[(size_t)row * (size_t)table->column_count + (size_t)column];
}

/* Whether there are rows and none has a value in the column. */
bool table_column_is_empty(const struct table *table, int column);

/* A cell's text for people (exact: for programs), newly allocated, without control
 * characters; NULL: no memory. An empty cell is "". */
char *cell_text(const struct table_column *column, const struct cell *cell, bool exact);
/* The shortest decimal text that reads back as value, which is finite; 64 bytes do. */
void cell_print_exactly(char *out, size_t size, double value);

/* Prints aligned columns for people; width: columns of the terminal, 0: no limit.
 * -1: no memory. */
int table_print_aligned(struct table *table, FILE *out, int width, bool color);

/* Removes all rows. */
void table_clear(struct table *table);

/* Print other formats; -1: no memory. names: the columns' names come first. */
int table_print_csv(const struct table *table, FILE *out, bool names);
int table_print_markdown(const struct table *table, FILE *out);
int table_print_latex(const struct table *table, FILE *out);
/* Prints one object per row; name: of the table, added as a member; NULL: none. */
void table_print_json_lines(const struct table *table, const char *name, FILE *out);
/* Prints one object for all tables; members[i] names table i. */
void table_print_json(struct table *const *tables, const char *const *members, int count,
                      FILE *out);

#endif
