/*
 * table_terminal.c - prints a table with aligned columns within the width of the
 * terminal.
 *
 * A line that is too long is shortened in three steps: columns with one value in all
 * rows are printed once above the table; the least important columns are hidden and
 * named below it; texts wrap between words. Words are broken only where the line is too
 * long all the same.
 */
#include "table_internal.h"

#include "file.h"
#include "table_wrap.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEPARATOR = 2,      /* columns of space between two columns */
    LEAST_WRAPPED = 10, /* the smallest width of a column of texts: "1 diverged" */
    /* of lines around the table if the width of the terminal is unknown */
    PARAGRAPH_WIDTH = 92,
    PIPE_WIDTH = 120, /* beyond it texts wrap if there is no terminal */
};

/* The visible columns and their texts. */
struct view {
    int count;
    int *of_column;       /* owned: (count) index of the table's column */
    int *natural, *least; /* owned: (count) width without line breaks; smallest width */
    int *width;           /* owned: (count); of a hidden column unused */
    char **texts;         /* owned: (rows + 1, count), the titles first */
    int rows;             /* titles aside */
};

static bool is_seen(const struct table *table, int column)
{
    return !table->columns[column].machine_only && !table->hidden[column];
}

static bool is_number(const struct table_column *column)
{
    return column->type == TABLE_INT || column->type == TABLE_REAL;
}

static void view_release(struct view *view)
{
    for (int i = 0; view->texts != NULL && i < (view->rows + 1) * view->count; i++)
        free(view->texts[i]);
    free(view->texts);
    free(view->of_column);
    free(view->natural);
    free(view->least);
    free(view->width);
}

/* Computes the widths of column i with and without line breaks. */
static void measure_column(struct view *view, const struct table *table, int i, int limit)
{
    int word = 0, natural = 0;

    for (int row = 0; row <= view->rows; row++) {
        const char *text = view->texts[row * view->count + i];
        int width = text_columns(text, strlen(text)), longest = wrap_longest_word(text, limit);

        natural = width > natural ? width : natural;
        word = longest > word ? longest : word;
    }
    view->natural[i] = view->least[i] = natural;
    const struct table_column *column = &table->columns[view->of_column[i]];

    if (column->tight)
        view->least[i] = word;
    else if (!is_number(column) && !column->whole) {
        int least = column->least > 0 ? column->least : LEAST_WRAPPED;

        least = word > least ? word : least;
        view->least[i] = natural < least ? natural : least;
    }
}

/* Collects texts and widths of all visible columns. */
static int view_make(struct view *view, const struct table *table, int width)
{
    size_t columns = (size_t)table->column_count;

    *view = (struct view){ .rows = table->row_count };
    view->of_column = calloc(columns, sizeof *view->of_column);
    view->natural = calloc(columns, sizeof *view->natural);
    view->least = calloc(columns, sizeof *view->least);
    view->width = calloc(columns, sizeof *view->width);
    view->texts = calloc(((size_t)view->rows + 1) * columns, sizeof(char *));
    if (view->of_column == NULL || view->natural == NULL || view->least == NULL ||
        view->width == NULL || view->texts == NULL)
        return -1;
    for (int i = 0; i < table->column_count; i++)
        if (is_seen(table, i))
            view->of_column[view->count++] = i;
    for (int row = -1; row < view->rows; row++)
        for (int i = 0; i < view->count; i++) {
            int at = view->of_column[i];
            char *text = row < 0
                             ? strdup(table->columns[at].title)
                             : cell_text(&table->columns[at], cell_at(table, row, at), false);

            if (text == NULL)
                return -1;
            view->texts[(row + 1) * view->count + i] = text;
        }
    for (int i = 0; i < view->count; i++)
        measure_column(view, table, i, width);
    return 0;
}

/* The smallest width of a line. */
static int least_line(const struct view *view, const struct table *table)
{
    int total = -SEPARATOR;

    for (int i = 0; i < view->count; i++)
        if (is_seen(table, view->of_column[i]))
            total += view->least[i] + SEPARATOR;
    return total;
}

/* Chooses widths that fit, if possible. width 0: no terminal. -1: no memory. */
static int find_widths(struct view *view, const struct table *table, int width)
{
    bool *hidden = calloc((size_t)view->count + 1, sizeof *hidden);
    const struct wrap_columns columns = { .count = view->count,
                                          .rows = view->rows + 1,
                                          .texts = view->texts,
                                          .natural = view->natural,
                                          .least = view->least,
                                          .hidden = hidden };

    for (int i = 0; hidden != NULL && i < view->count; i++)
        hidden[i] = !is_seen(table, view->of_column[i]);
    int rc = hidden == NULL
                 ? -1
                 : wrap_share(view->width, &columns,
                              (width > 0 ? width : PIPE_WIDTH) - least_line(view, table));

    free(hidden);
    return rc;
}

/* Whether all rows have the same value in the column; *text is the value, newly
 * allocated. */
static int find_constant(bool *constant, char **text, const struct table *table, int column)
{
    *text = NULL;
    *constant = table->row_count > 0;
    for (int row = 0; row < table->row_count && *constant; row++) {
        char *cell = cell_text(&table->columns[column], cell_at(table, row, column), false);

        if (cell == NULL)
            return -1;
        *constant = cell[0] != '\0' && (*text == NULL || strcmp(cell, *text) == 0);
        if (*text == NULL)
            *text = cell;
        else
            free(cell);
    }
    return 0;
}

/* Appends "word value" to the line, which begins with start. */
static int append_word(char **line, const char *start, const char *word, const char *value)
{
    char *longer =
        format_string("%s%s%s%s%s", *line != NULL ? *line : start, *line != NULL ? ", " : "",
                      word, value != NULL ? " " : "", value != NULL ? value : "");

    if (longer == NULL)
        return -1;
    free(*line);
    *line = longer;
    return 0;
}

/* Hides a column that may be folded if all rows have the same value; *line describes
 * it. Of one that is empty nothing is said. */
static int fold_column(char **line, struct table *table, int column)
{
    bool constant;
    char *text;

    if (!table->columns[column].fold || !is_seen(table, column))
        return 0;
    if (table_column_is_empty(table, column)) {
        table->hidden[column] = true;
        return 0;
    }
    int rc = find_constant(&constant, &text, table, column);
    if (rc == 0 && constant) {
        table->hidden[column] = true;
        rc = append_word(line, table->row_count > 1 ? "in all rows: " : "",
                         table->columns[column].title, text);
    }
    free(text);
    return rc;
}

/* Folds columns. In a table with one row every column is constant: then only if
 * there is no room. */
static int fold_columns(char **line, struct table *table)
{
    int rc = 0;

    for (int i = 0; i < table->column_count && rc == 0; i++)
        if (table->row_count > 1 || table_column_is_empty(table, i))
            rc = fold_column(line, table, i);
    return rc;
}

/* Whether several columns for people have the column's title. */
static bool shares_title(const struct table *table, int column)
{
    for (int i = 0; i < table->column_count; i++)
        if (i != column && !table->columns[i].machine_only &&
            strcmp(table->columns[i].title, table->columns[column].title) == 0)
            return true;
    return false;
}

/* Appends the title of a hidden column, "sd of exact rows" if others are called "sd"
 * too: such a column follows the one that it describes. */
static int append_title(char **line, const struct table *table, int column)
{
    const char *title = table->columns[column].title;
    char *longer = column > 0 && shares_title(table, column)
                       ? format_string("%s of %s", title, table->columns[column - 1].title)
                       : strdup(title);
    int rc = longer == NULL ? -1 : append_word(line, "not shown at this width: ", longer, NULL);

    free(longer);
    return rc;
}

/* Hides the least important columns until the others fit: *dropped names them, or
 * *folded has their only value. */
static int drop_columns(char **dropped, char **folded, const struct view *view,
                        struct table *table, int width)
{
    while (width > 0 && least_line(view, table) > width) {
        int last = -1;

        for (int i = 0; i < table->column_count; i++)
            if (is_seen(table, i) && table->columns[i].drop > 0 &&
                (last < 0 || table->columns[i].drop >= table->columns[last].drop))
                last = i;
        if (last < 0)
            return 0;
        if (fold_column(folded, table, last) != 0)
            return -1;
        if (table->hidden[last])
            continue;
        table->hidden[last] = true;
        if (append_title(dropped, table, last) != 0)
            return -1;
    }
    return 0;
}

/* If the line is still too long, the columns of the longest words break them. */
static void break_words(const struct view *view, const struct table *table, int width)
{
    while (width > 0 && least_line(view, table) > width) {
        int widest = -1;

        for (int i = 0; i < view->count; i++) {
            const struct table_column *column = &table->columns[view->of_column[i]];

            if (is_seen(table, view->of_column[i]) && !is_number(column) && !column->whole &&
                !column->tight && view->least[i] > LEAST_WRAPPED &&
                (widest < 0 || view->least[i] > view->least[widest]))
                widest = i;
        }
        if (widest < 0)
            return;
        view->least[widest]--;
    }
}

/* Makes the first column that can be a heading of rows one. */
static void find_section(struct table *table)
{
    for (int i = 0; i < table->column_count && table->section < 0; i++)
        if (table->columns[i].section && is_seen(table, i)) {
            table->section = i;
            table->hidden[i] = true;
        }
}

static const char *color_of(enum table_mark mark)
{
    static const char *const COLORS[] = { [TABLE_PLAIN] = "",
                                          [TABLE_STRONG] = "\033[1m",
                                          [TABLE_GOOD] = "\033[32m",
                                          [TABLE_BAD] = "\033[31m",
                                          [TABLE_FAINT] = "\033[2m" };

    return COLORS[mark];
}

/* Prints one row of the view (0: the titles) in as many lines as its texts need.
 * rest: room for a text per column. */
static void print_row(const struct view *view, const struct table *table, int row,
                      const char **rest, FILE *out, bool color)
{
    bool more = true;

    for (int i = 0; i < view->count; i++)
        rest[i] = view->texts[row * view->count + i];
    while (more) {
        int pending = 0; /* spaces that are printed when something follows them */
        bool first = true;

        more = false;
        for (int i = 0; i < view->count; i++) {
            int at = view->of_column[i];

            if (!is_seen(table, at))
                continue;
            bool number = is_number(&table->columns[at]);
            enum table_mark mark = row == 0 ? TABLE_STRONG : cell_at(table, row - 1, at)->mark;
            const char *start = color ? color_of(mark) : "";
            size_t length = wrap_cell_length(rest[i], number ? 0 : view->width[i]);
            int used = text_columns(rest[i], length), padding = view->width[i] - used;

            padding = padding > 0 ? padding : 0;
            pending += (first ? 0 : SEPARATOR) + (number ? padding : 0);
            first = false;
            if (length > 0) {
                fprintf(out, "%*s%s%.*s%s", pending, "", start, (int)length, rest[i],
                        start[0] != '\0' ? "\033[0m" : "");
                pending = 0;
            }
            pending += number ? 0 : padding;
            rest[i] += length;
            rest[i] += strspn(rest[i], " ");
            more = more || *rest[i] != '\0';
        }
        fputc('\n', out);
    }
}

int table_print_paragraph(FILE *out, const char *text, int width, bool strong)
{
    size_t size = strlen(text) + 1;
    char *clean = malloc(size);

    if (clean == NULL)
        return -1;
    const char *rest = text_strip_controls(clean, size, text);
    do {
        size_t length = wrap_line_length(rest, width > 0 ? width : PARAGRAPH_WIDTH);

        fprintf(out, "%s%.*s%s\n", strong ? "\033[1m" : "", (int)length, rest,
                strong ? "\033[0m" : "");
        rest += length;
        rest += strspn(rest, " ");
    } while (*rest != '\0');
    free(clean);
    return 0;
}

/* Prints the heading of row unless the row before has the same. -1: no memory. */
static int print_heading(const struct table *table, int row, FILE *out, int width, bool color)
{
    const struct table_column *column = &table->columns[table->section];
    char *text = cell_text(column, cell_at(table, row, table->section), false);
    char *before =
        row == 0 ? NULL : cell_text(column, cell_at(table, row - 1, table->section), false);
    int rc = text == NULL || (row > 0 && before == NULL) ? -1 : 0;

    if (rc == 0 && (row == 0 || strcmp(text, before) != 0))
        rc = table_print_paragraph(out, text, width, color);
    free(text);
    free(before);
    return rc;
}

static int print_rows(const struct view *view, const struct table *table, FILE *out, int width,
                      bool color)
{
    const char **rest = calloc((size_t)view->count + 1, sizeof *rest);
    int rc = rest == NULL ? -1 : 0;

    for (int row = 0; row <= view->rows && rc == 0; row++) {
        if (row > 0 && table->section >= 0)
            rc = print_heading(table, row - 1, out, width, color);
        if (rc == 0)
            print_row(view, table, row, rest, out, color);
    }
    free(rest);
    return rc;
}

int table_print_aligned(struct table *table, FILE *out, int width, bool color)
{
    struct view view = { 0 };
    char *folded = NULL, *dropped = NULL;
    int rc = width > 0 ? fold_columns(&folded, table) : 0;

    if (rc == 0 && width > 0)
        find_section(table);
    if (rc == 0)
        rc = view_make(&view, table, width);
    if (rc == 0)
        rc = drop_columns(&dropped, &folded, &view, table, width);
    if (rc == 0)
        break_words(&view, table, width);
    if (rc == 0)
        rc = find_widths(&view, table, width);
    if (rc == 0 && table->caption != NULL)
        rc = table_print_paragraph(out, table->caption, width, color);
    if (rc == 0 && folded != NULL)
        rc = table_print_paragraph(out, folded, width, false);
    if (rc == 0)
        rc = print_rows(&view, table, out, width, color);
    if (rc == 0 && dropped != NULL)
        rc = table_print_paragraph(out, dropped, width, false);
    for (int i = 0; i < table->note_count && rc == 0; i++)
        rc = table_print_paragraph(out, table->notes[i], width, false);
    view_release(&view);
    free(folded);
    free(dropped);
    return rc;
}
