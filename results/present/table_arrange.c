/*
 * table_arrange.c - sorts and selects rows and columns of a table.
 */
#include "table_arrange.h"

#include "table_internal.h"

#include "error.h"
#include "json.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 16 };

static double number_of(const struct cell *cell, enum table_type type)
{
    return type == TABLE_REAL ? cell->real : (double)cell->integer;
}

static int unknown_column(const struct table *table, const char *option, const char *word,
                          struct error *err)
{
    const char **names = calloc((size_t)table->column_count, sizeof *names);
    char list[700] = "";
    size_t used = 0;

    if (names == NULL)
        return error_no_memory(err, "a table");
    for (int i = 0; i < table->column_count; i++) {
        names[i] = table->columns[i].name;
        if (used + strlen(names[i]) + 3 < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     used > 0 ? ", " : "", names[i]);
    }
    const char *nearest = json_nearest_name(word, names, table->column_count);
    int rc = error_set(err, ERROR_FORMAT, "--%s %s: no such column%s%s%s; there are %s", option,
                       word, nearest != NULL ? " (did you mean \"" : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "", list);
    free(names);
    return rc;
}

/* Finds a column by name, otherwise the first one with that title. */
static int find_column(const struct table *table, const char *word)
{
    for (int i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, word) == 0)
            return i;
    for (int i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].title, word) == 0)
            return i;
    return -1;
}

/* Finds the columns in a comma-separated list, in its order. signs: -1 for a word
 * after a minus; NULL: a minus is not allowed. Returns their number, or a negative
 * error. */
static int find_columns(int columns[MOST_KEYS], int *signs, const struct table *table,
                        const char *option, const char *list, struct error *err)
{
    int count = 0;

    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        bool minus = signs != NULL && at[0] == '-';
        char word[100];

        snprintf(word, sizeof word, "%.*s", (int)length - minus, at + minus);
        if (count == MOST_KEYS)
            return error_set(err, ERROR_FORMAT, "--%s: at most %d columns", option, MOST_KEYS);
        if (word[0] != '\0') {
            columns[count] = find_column(table, word);
            if (columns[count] < 0)
                return unknown_column(table, option, word, err);
            if (signs != NULL)
                signs[count] = minus ? -1 : 1;
            count++;
        }
        at += length + (at[length] == ',');
    }
    if (count == 0)
        return error_set(err, ERROR_FORMAT,
                         "--%s: expected names of columns with commas between", option);
    return count;
}

struct sort_row {
    const struct table *table;
    const int *columns, *signs;
    int count, row;
};

/* Whether a text is a number, as some values of a setting are: 8 and "all". */
static bool read_number(double *out, const char *text)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

/* Numbers by their size, before words. */
static int compare_texts(const char *a, const char *b)
{
    double x = 0, y = 0;
    bool one = read_number(&x, a), other = read_number(&y, b);

    if (one != other)
        return one ? -1 : 1;
    if (one && (x < y || x > y))
        return x < y ? -1 : 1;
    return strcmp(a, b);
}

static int compare_cells(const struct cell *a, const struct cell *b, enum table_type type)
{
    if (type == TABLE_TEXT)
        return compare_texts(a->text, b->text);
    double x = number_of(a, type), y = number_of(b, type);
    return x < y ? -1 : x > y;
}

static int compare_rows(const void *a, const void *b)
{
    const struct sort_row *x = a, *y = b;

    for (int k = 0; k < x->count; k++) {
        int at = x->columns[k];
        const struct cell *one = cell_at(x->table, x->row, at);
        const struct cell *other = cell_at(x->table, y->row, at);
        int order = one->set && other->set
                        ? x->signs[k] * compare_cells(one, other, x->table->columns[at].type)
                        : (int)other->set - (int)one->set;

        if (order != 0)
            return order;
    }
    return x->row - y->row;
}

int table_sort(struct table *table, const char *keys, struct error *err)
{
    size_t width = (size_t)table->column_count, rows = (size_t)table->row_count;
    int columns[MOST_KEYS], signs[MOST_KEYS];
    int count = find_columns(columns, signs, table, "sort", keys, err);
    struct sort_row *order = calloc(rows + 1, sizeof *order);
    struct cell *cells = calloc(rows * width + 1, sizeof *cells);
    int rc = count < 0                        ? count
             : order == NULL || cells == NULL ? error_no_memory(err, "a table")
                                              : 0;

    if (rc == 0) {
        for (int i = 0; i < table->row_count; i++)
            order[i] = (struct sort_row){ table, columns, signs, count, i };
        qsort(order, rows, sizeof *order, compare_rows);
        for (size_t i = 0; i < rows; i++)
            memcpy(cells + i * width, cell_at(table, order[i].row, 0), width * sizeof *cells);
        free(table->cells);
        table->cells = cells;
        table->row_capacity = table->row_count;
        cells = NULL;
    }
    free(order);
    free(cells);
    return rc;
}

/* Frees the columns and cells that are not selected. */
static void release_others(struct table *table, const int *columns, int count)
{
    for (int i = 0; i < table->column_count; i++) {
        bool chosen = false;

        for (int k = 0; k < count; k++)
            chosen = chosen || columns[k] == i;
        if (chosen)
            continue;
        free((void *)(uintptr_t)table->columns[i].name);
        free((void *)(uintptr_t)table->columns[i].title);
        for (int row = 0; row < table->row_count; row++)
            free(cell_at(table, row, i)->text);
    }
}

int table_choose(struct table *table, const char *names, struct error *err)
{
    int columns[MOST_KEYS] = { 0 };
    int count = find_columns(columns, NULL, table, "columns", names, err);
    size_t rows = (size_t)table->row_count, width = count > 0 ? (size_t)count : 1;
    struct table_column *chosen = calloc(width, sizeof *chosen);
    struct cell *cells = calloc(rows * width + 1, sizeof *cells);
    int rc = count < 0                         ? count
             : chosen == NULL || cells == NULL ? error_no_memory(err, "a table")
                                               : 0;

    for (int i = 0; i < count && rc == 0; i++)
        for (int k = 0; k < i && rc == 0; k++)
            if (columns[k] == columns[i])
                rc = error_set(err, ERROR_FORMAT, "--columns: %s is named twice",
                               table->columns[columns[i]].name);
    if (rc != 0) {
        free(chosen);
        free(cells);
        return rc;
    }
    for (int i = 0; i < count; i++) {
        chosen[i] = table->columns[columns[i]];
        chosen[i].machine_only = chosen[i].people_only = false;
        chosen[i].fold = chosen[i].section = false;
        chosen[i].drop = 0;
        for (size_t row = 0; row < rows; row++)
            cells[row * width + (size_t)i] = *cell_at(table, (int)row, columns[i]);
    }
    release_others(table, columns, count);
    free(table->columns);
    free(table->cells);
    table->columns = chosen;
    table->column_count = count;
    table->cells = cells;
    table->row_capacity = table->row_count;
    return 0;
}

static bool holds(double value, enum filter_relation relation, double number)
{
    switch (relation) {
    case FILTER_EQ:
        return !(value < number) && !(value > number);
    case FILTER_NE:
        return value < number || value > number;
    case FILTER_LE:
        return value <= number;
    case FILTER_GE:
        return value >= number;
    case FILTER_LT:
        return value < number;
    case FILTER_GT:
        return value > number;
    }
    return false;
}

void table_keep(struct table *table, const char *column, enum filter_relation relation,
                double number)
{
    size_t width = (size_t)table->column_count;
    int at = find_column(table, column), left = 0;

    assert(at >= 0 && table->columns[at].type != TABLE_TEXT);
    for (int row = 0; row < table->row_count; row++) {
        struct cell *cells = table->cells + (size_t)row * width;

        if (cells[at].set &&
            holds(number_of(&cells[at], table->columns[at].type), relation, number)) {
            memmove(table->cells + (size_t)left * width, cells, width * sizeof *cells);
            left++;
        } else {
            for (size_t i = 0; i < width; i++)
                free(cells[i].text);
        }
    }
    table->row_count = left;
}
