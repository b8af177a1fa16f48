/*
 * table.c - rows of typed cells and their texts.
 */
#include "table_internal.h"

#include "error.h"
#include "number.h"
#include "text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 };

int table_create(struct table **out, const struct table_column *columns, int count,
                 struct error *err)
{
    struct table *table = calloc(1, sizeof *table);

    assert(count > 0);
    *out = NULL;
    if (table != NULL) {
        table->columns = calloc((size_t)count, sizeof *table->columns);
        table->hidden = calloc((size_t)count, sizeof *table->hidden);
    }
    if (table == NULL || table->columns == NULL || table->hidden == NULL) {
        table_destroy(table);
        return error_set(err, ERROR_NOMEM, "no memory for a table");
    }
    table->column_count = count;
    table->section = -1;
    for (int i = 0; i < count; i++) {
        table->columns[i] = columns[i];
        table->columns[i].name = strdup(columns[i].name);
        table->columns[i].title =
            strdup(columns[i].title != NULL ? columns[i].title : columns[i].name);
        if (table->columns[i].name == NULL || table->columns[i].title == NULL)
            table->out_of_memory = true;
    }
    if (table->out_of_memory) {
        table_destroy(table);
        return error_set(err, ERROR_NOMEM, "no memory for a table");
    }
    *out = table;
    return 0;
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < (size_t)table->row_count * (size_t)table->column_count; i++)
        free(table->cells[i].text);
    table->row_count = 0;
}

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    free(table->hidden);
    for (int i = 0; i < table->column_count; i++) {
        free((void *)(uintptr_t)table->columns[i].name);
        free((void *)(uintptr_t)table->columns[i].title);
    }
    table_clear(table);
    for (int i = 0; i < table->note_count; i++)
        free(table->notes[i]);
    free(table->notes);
    free(table->caption);
    free(table->cells);
    free(table->columns);
    free(table);
}

void table_set_caption(struct table *table, const char *caption)
{
    free(table->caption);
    table->caption = caption != NULL ? strdup(caption) : NULL;
    if (caption != NULL && table->caption == NULL)
        table->out_of_memory = true;
}

void table_add_note(struct table *table, const char *note)
{
    char **notes =
        realloc(table->notes, ((size_t)table->note_count + 1) * sizeof *table->notes);

    if (notes != NULL)
        table->notes = notes;
    if (notes == NULL || note == NULL) {
        table->out_of_memory = true;
        return;
    }
    notes[table->note_count] = strdup(note);
    if (notes[table->note_count] == NULL)
        table->out_of_memory = true;
    else
        table->note_count++;
}

void table_row(struct table *table)
{
    if (table->row_count == table->row_capacity && !table->out_of_memory) {
        int capacity = table->row_capacity > 0 ? 2 * table->row_capacity : 16;
        struct cell *cells = realloc(
            table->cells, (size_t)capacity * (size_t)table->column_count * sizeof *cells);

        if (cells == NULL) {
            table->out_of_memory = true;
        } else {
            table->cells = cells;
            table->row_capacity = capacity;
        }
    }
    table->next = 0;
    if (table->out_of_memory)
        return;
    memset(table->cells + (size_t)table->row_count * (size_t)table->column_count, 0,
           (size_t)table->column_count * sizeof *table->cells);
    table->row_count++;
}

/* The next cell of the last row, which must be of this type; NULL: no memory. */
static struct cell *next_cell(struct table *table, enum table_type type)
{
    if (table->out_of_memory)
        return NULL;
    assert(table->row_count > 0 && table->next < table->column_count);
    assert(table->columns[table->next].type == type);
    return &table->cells[(size_t)(table->row_count - 1) * (size_t)table->column_count +
                         (size_t)table->next++];
}

void table_text(struct table *table, const char *text)
{
    struct cell *cell = next_cell(table, TABLE_TEXT);

    if (cell == NULL || text == NULL)
        return;
    cell->text = strdup(text);
    cell->set = cell->text != NULL;
    if (!cell->set)
        table->out_of_memory = true;
}

void table_made_text(struct table *table, const char *text)
{
    table_text(table, text);
    if (text == NULL)
        table->out_of_memory = true;
}

void table_int(struct table *table, int64_t value)
{
    struct cell *cell = next_cell(table, TABLE_INT);

    if (cell != NULL) {
        cell->set = true;
        cell->integer = value;
    }
}

void table_bool(struct table *table, bool value)
{
    struct cell *cell = next_cell(table, TABLE_BOOL);

    if (cell != NULL) {
        cell->set = true;
        cell->integer = value;
    }
}

void table_real(struct table *table, double value)
{
    struct cell *cell = next_cell(table, TABLE_REAL);

    if (cell != NULL) {
        cell->set = isfinite(value);
        cell->real = value;
    }
}

void table_empty(struct table *table)
{
    if (!table->out_of_memory)
        next_cell(table, table->columns[table->next].type);
}

void table_mark(struct table *table, enum table_mark mark)
{
    if (table->out_of_memory)
        return;
    assert(table->row_count > 0 && table->next > 0);
    table
        ->cells[(size_t)(table->row_count - 1) * (size_t)table->column_count +
                (size_t)table->next - 1]
        .mark = mark;
}

int table_row_count(const struct table *table)
{
    return table->row_count;
}

bool table_is_empty(const struct table *table)
{
    return table->row_count == 0 && !table->out_of_memory;
}

void cell_print_exactly(char *out, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

bool table_column_is_empty(const struct table *table, int column)
{
    bool empty = table->row_count > 0;

    for (int row = 0; row < table->row_count && empty; row++)
        empty = !cell_at(table, row, column)->set;
    return empty;
}

char *cell_text(const struct table_column *column, const struct cell *cell, bool exact)
{
    char number[NUMBER_SIZE] = "";

    if (!cell->set)
        return strdup("");
    if (column->type == TABLE_TEXT) {
        size_t size = strlen(cell->text) + 1;
        char *text = malloc(size);

        if (text != NULL)
            text_strip_controls(text, size, cell->text);
        if (text != NULL && !exact)
            text_shorten_time(text);
        return text;
    }
    if (column->type == TABLE_BOOL)
        return strdup(cell->integer != 0 ? "true" : "false");
    if (column->type == TABLE_INT)
        snprintf(number, sizeof number, "%lld", (long long)cell->integer);
    else if (exact)
        cell_print_exactly(number, sizeof number, cell->real);
    else if (column->p)
        number_p(number, cell->real);
    else if (column->digits < 0 || fabs(cell->real) >= 1e15)
        snprintf(number, sizeof number, "%.4g", cell->real);
    else
        number_measure(number, cell->real,
                       column->digits); /* rounded as in reports and figures */
    return strdup(number);
}
