/*
 * table.c - rows of typed cells, and their printing for people and for programs.
 */
#include "table.h"

#include "error.h"
#include "text.h"

#include <assert.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NUMBER_SIZE = 64 };

struct cell {
    bool set;
    enum table_mark mark;
    int64_t integer;
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
    bool *hidden;       /* owned: (column_count) not on this terminal */
    bool out_of_memory; /* kept for table_print */
};

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

void table_destroy(struct table *table)
{
    if (table == NULL)
        return;
    free(table->hidden);
    for (int i = 0; i < table->column_count; i++) {
        free((void *)(uintptr_t)table->columns[i].name);
        free((void *)(uintptr_t)table->columns[i].title);
    }
    for (size_t i = 0; i < (size_t)table->row_count * (size_t)table->column_count; i++)
        free(table->cells[i].text);
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

    if (notes == NULL) {
        table->out_of_memory = true;
        return;
    }
    table->notes = notes;
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

/* The next cell of the last row, of this column type; NULL when memory has run out. */
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

void table_int(struct table *table, int64_t value)
{
    struct cell *cell = next_cell(table, TABLE_INT);

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

static const struct cell *cell_at(const struct table *table, int row, int column)
{
    return &table->cells[(size_t)row * (size_t)table->column_count + (size_t)column];
}

/* The shortest decimal text that reads back as value, which is finite. */
static void print_exactly(char *out, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* A cell's text for people (exact: for programs), fresh and without control characters;
 * NULL when out of memory. An empty cell is "". */
static char *cell_text(const struct table_column *column, const struct cell *cell, bool exact)
{
    char number[NUMBER_SIZE] = "";

    if (!cell->set)
        return strdup("");
    if (column->type == TABLE_TEXT) {
        size_t size = strlen(cell->text) + 1;
        char *text = malloc(size);

        return text != NULL ? text_strip_controls(text, size, cell->text) : NULL;
    }
    if (column->type == TABLE_INT)
        snprintf(number, sizeof number, "%lld", (long long)cell->integer);
    else if (exact)
        print_exactly(number, sizeof number, cell->real);
    else if (column->digits < 0 || fabs(cell->real) >= 1e15)
        snprintf(number, sizeof number, "%.4g", cell->real);
    else
        snprintf(number, sizeof number, "%.*f", column->digits, cell->real);
    return strdup(number);
}

static const char *mark_color(enum table_mark mark)
{
    static const char *const COLORS[] = { [TABLE_PLAIN] = NULL,
                                          [TABLE_STRONG] = "bold",
                                          [TABLE_GOOD] = "green",
                                          [TABLE_BAD] = "red",
                                          [TABLE_FAINT] = "halfbright" };

    return COLORS[mark];
}

/* Adds the columns for people, texts to be wrapped when narrow; of_column[i] is the
 * i-th one's index. Returns how many, or -1. */
static bool is_seen(const struct table *table, int column)
{
    return !table->columns[column].machine_only && !table->hidden[column];
}

static int add_columns(struct libscols_table *view, const struct table *table, int *of_column,
                       bool narrow, bool color)
{
    int count = 0;

    for (int i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];
        int flags = column->type != TABLE_TEXT ? SCOLS_FL_RIGHT : narrow ? SCOLS_FL_WRAP : 0;
        struct libscols_column *added;

        if (!is_seen(table, i))
            continue;
        added = scols_table_new_column(view, column->title, 0, flags);
        /* A title that could not be allocated is left out: nothing else depends on
         * it. */
        if (added == NULL || scols_cell_get_data(scols_column_get_header(added)) == NULL)
            return -1;
        if (color)
            scols_cell_set_color(scols_column_get_header(added), "bold");
        of_column[count++] = i;
    }
    return count;
}

static int add_lines(struct libscols_table *view, const struct table *table,
                     const int *of_column, int count, bool color)
{
    for (int row = 0; row < table->row_count; row++) {
        struct libscols_line *line = scols_table_new_line(view, NULL);

        if (line == NULL)
            return -1;
        for (int i = 0; i < count; i++) {
            const struct cell *cell = cell_at(table, row, of_column[i]);
            char *text = cell_text(&table->columns[of_column[i]], cell, false);

            bool failed = text == NULL || scols_line_set_data(line, (size_t)i, text) != 0;
            free(text);
            if (failed)
                return -1;
            if (color && cell->mark != TABLE_PLAIN)
                scols_cell_set_color(scols_line_get_cell(line, (size_t)i),
                                     mark_color(cell->mark));
        }
    }
    return 0;
}

/* text behind its next occurrence of part, or NULL. Of other characters than ASCII
 * libsmartcols makes what the locale allows: they are not looked for. */
static const char *behind(const char *text, const char *part)
{
    for (const char *at = part; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return text;
    const char *found = strstr(text, part);
    return found != NULL ? found + strlen(part) : NULL;
}

/* When an allocation fails, libsmartcols leaves out or cuts what it prints and reports
 * no error. */
static bool is_whole(const char *text, const struct table *table, const int *of_column,
                     int count)
{
    for (int i = 0; i < count && text != NULL; i++)
        text = behind(text, table->columns[of_column[i]].title);
    for (int row = 0; row < table->row_count && text != NULL; row++)
        for (int i = 0; i < count && text != NULL; i++) {
            char *cell = cell_text(&table->columns[of_column[i]],
                                   cell_at(table, row, of_column[i]), false);

            text = cell != NULL ? behind(text, cell) : NULL;
            free(cell);
        }
    return text != NULL;
}

static int print_line_of_text(FILE *out, const char *text, const char *before,
                              const char *after)
{
    size_t size = strlen(text) + 1;
    char *clean = malloc(size);

    if (clean == NULL)
        return -1;
    fprintf(out, "%s%s%s\n", before, text_strip_controls(clean, size, text), after);
    free(clean);
    return 0;
}

/* Rows only, through libsmartcols, which has widths and wrapping. -1: out of memory. */
static int print_aligned(const struct table *table, FILE *out, bool color)
{
    struct libscols_table *view = scols_new_table();
    int *of_column = calloc((size_t)table->column_count, sizeof *of_column);
    bool terminal = isatty(fileno(out)) == 1;
    char *text = NULL;
    int rc = -1;

    if (view == NULL || of_column == NULL)
        goto out;
    scols_table_enable_colors(view, color);
    if (scols_table_set_column_separator(view, "  ") != 0)
        goto out;
    if (!terminal)
        scols_table_set_termforce(view, SCOLS_TERMFORCE_NEVER);
    int count = add_columns(view, table, of_column, terminal, color);

    if (count < 0 || add_lines(view, table, of_column, count, color) != 0)
        goto out;
    if (table->row_count > 0) {
        if (scols_print_table_to_string(view, &text) != 0 || text == NULL ||
            (!terminal && !is_whole(text, table, of_column, count)))
            goto out;
        fputs(text, out);
        fputc('\n', out);
    } else { /* libsmartcols prints nothing then */
        for (int i = 0; i < count; i++)
            fprintf(out, "%s%s", i > 0 ? "  " : "", table->columns[of_column[i]].title);
        fputc('\n', out);
    }
    rc = 0;
out:
    free(text);
    free(of_column);
    scols_unref_table(view);
    return rc;
}

/* Columns of the terminal behind out; 0: it is none. */
static int terminal_width(FILE *out)
{
    struct winsize size;

    if (isatty(fileno(out)) != 1 || ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

/* Whether all rows have one value there; *text: that, fresh. */
static int find_constant(bool *constant, char **text, const struct table *table, int column)
{
    *text = NULL;
    *constant = table->row_count > 1;
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

/* Appends "word" to the list in *line, fresh; -1: no memory. */
static int append_word(char **line, const char *start, const char *word, const char *value)
{
    char *longer = NULL;

    if (asprintf(&longer, "%s%s%s%s%s", *line != NULL ? *line : start,
                 *line != NULL ? ", " : "", word, value != NULL ? " " : "",
                 value != NULL ? value : "") < 0)
        return -1;
    free(*line);
    *line = longer;
    return 0;
}

/* Hides columns that may be folded and have one value; *line tells of them. */
static int fold_columns(char **line, struct table *table)
{
    for (int i = 0; i < table->column_count; i++) {
        bool constant;
        char *text;

        if (!table->columns[i].fold || !is_seen(table, i))
            continue;
        int rc = find_constant(&constant, &text, table, i);
        if (rc == 0 && constant) {
            table->hidden[i] = true;
            rc = append_word(line, "in all rows: ", table->columns[i].title, text);
        }
        free(text);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* What the seen columns take, separators included; -1: no memory. */
static int natural_width(const struct table *table)
{
    int width = 0;

    for (int i = 0; i < table->column_count; i++) {
        size_t most = strlen(table->columns[i].title);

        if (!is_seen(table, i))
            continue;
        for (int row = 0; row < table->row_count; row++) {
            char *cell = cell_text(&table->columns[i], cell_at(table, row, i), false);

            if (cell == NULL)
                return -1;
            most = strlen(cell) > most ? strlen(cell) : most;
            free(cell);
        }
        width += (int)most + 2;
    }
    return width;
}

/* Hides the columns that matter least until the rest fits; *line names them. */
static int drop_columns(char **line, struct table *table, int width)
{
    for (;;) {
        int natural = natural_width(table), last = -1;

        for (int i = 0; i < table->column_count; i++)
            if (is_seen(table, i) && table->columns[i].drop > 0 &&
                (last < 0 || table->columns[i].drop >= table->columns[last].drop))
                last = i;
        if (natural < 0)
            return -1;
        if (natural <= width + 2 || last < 0)
            return 0;
        table->hidden[last] = true;
        if (append_word(line, "not shown at this width: ", table->columns[last].name, NULL) !=
            0)
            return -1;
    }
}

/* For people: the caption, what all rows have in common, the rows, notes. */
static int print_for_terminal(struct table *table, FILE *out, bool color)
{
    int rc = 0, width = terminal_width(out);
    char *folded = NULL, *dropped = NULL;

    if (width > 0) {
        rc = fold_columns(&folded, table);
        if (rc == 0)
            rc = drop_columns(&dropped, table, width);
    }
    if (rc == 0 && table->caption != NULL)
        rc = print_line_of_text(out, table->caption, color ? "\033[1m" : "",
                                color ? "\033[0m" : "");
    if (rc == 0 && folded != NULL)
        rc = print_line_of_text(out, folded, "", "");
    if (rc == 0)
        rc = print_aligned(table, out, color);
    if (rc == 0 && dropped != NULL)
        rc = print_line_of_text(out, dropped, "", "");
    for (int i = 0; i < table->note_count && rc == 0; i++)
        rc = print_line_of_text(out, table->notes[i], "", "");
    free(folded);
    free(dropped);
    return rc;
}

/* text with Markdown's own characters escaped. */
static void print_markdown_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|\\`*_<>[]", *text) != NULL)
            fputc('\\', out);
        fputc(*text, out);
    }
}

static int print_markdown(const struct table *table, FILE *out)
{
    int rc = 0;

    if (table->caption != NULL) {
        if (print_line_of_text(out, table->caption, "**", "**") != 0)
            return -1;
        fputc('\n', out);
    }
    for (int row = -2; row < table->row_count; row++) {
        for (int i = 0; i < table->column_count; i++) {
            const struct table_column *column = &table->columns[i];

            if (column->machine_only)
                continue;
            fputs("| ", out);
            if (row == -2) {
                print_markdown_text(out, column->title);
            } else if (row == -1) {
                fputs(column->type == TABLE_TEXT ? "---" : "---:", out);
            } else {
                char *text = cell_text(column, cell_at(table, row, i), false);

                if (text == NULL)
                    return -1;
                print_markdown_text(out, text);
                free(text);
            }
            fputc(' ', out);
        }
        fputs("|\n", out);
    }
    for (int i = 0; i < table->note_count && rc == 0; i++)
        rc = print_line_of_text(out, table->notes[i], i == 0 ? "\n" : "", "  ");
    return rc;
}

static void print_csv_text(FILE *out, const char *text)
{
    if (strpbrk(text, ",\" ") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static int print_csv(const struct table *table, FILE *out)
{
    for (int row = -1; row < table->row_count; row++) {
        bool first = true;

        for (int i = 0; i < table->column_count; i++) {
            if (table->columns[i].people_only)
                continue;
            if (!first)
                fputc(',', out);
            first = false;
            if (row < 0) {
                print_csv_text(out, table->columns[i].name);
                continue;
            }
            char *text = cell_text(&table->columns[i], cell_at(table, row, i), true);

            if (text == NULL)
                return -1;
            print_csv_text(out, text);
            free(text);
        }
        fputc('\n', out);
    }
    return 0;
}

static void print_json_text(FILE *out, const char *text)
{
    size_t left = strlen(text);

    fputc('"', out);
    while (left > 0) {
        bool control;
        size_t length = text_character(&control, text, left);

        if (length == 0) { /* not UTF-8 */
            fputs("\\ufffd", out);
            length = 1;
        } else if (control) { /* U+0000 to U+009F: its last byte is its number */
            fprintf(out, "\\u%04x", (unsigned char)text[length - 1]);
        } else {
            if (*text == '"' || *text == '\\')
                fputc('\\', out);
            fwrite(text, 1, length, out);
        }
        text += length;
        left -= length;
    }
    fputc('"', out);
}

static void print_json_cell(FILE *out, const struct table_column *column,
                            const struct cell *cell)
{
    char number[NUMBER_SIZE];

    if (!cell->set) {
        fputs("null", out);
    } else if (column->type == TABLE_TEXT) {
        print_json_text(out, cell->text);
    } else if (column->type == TABLE_INT) {
        fprintf(out, "%lld", (long long)cell->integer);
    } else {
        print_exactly(number, sizeof number, cell->real);
        fputs(number, out);
    }
}

/* The list of rows, one a line. */
static void print_json_rows(const struct table *table, FILE *out)
{
    fputc('[', out);
    for (int row = 0; row < table->row_count; row++) {
        bool first = true;

        fputs(row > 0 ? ",\n{" : "\n{", out);
        for (int i = 0; i < table->column_count; i++) {
            if (table->columns[i].people_only)
                continue;
            if (!first)
                fputs(", ", out);
            first = false;
            print_json_text(out, table->columns[i].name);
            fputs(": ", out);
            print_json_cell(out, &table->columns[i], cell_at(table, row, i));
        }
        fputc('}', out);
    }
    fputs("\n]", out);
}

static void print_json(struct table *const *tables, const char *const *members, int count,
                       FILE *out)
{
    bool first = true;

    fputs("{\"format\": \"hrmlab-table-1\"", out);
    for (int i = 0; i < count; i++) {
        fputs(",\n", out);
        print_json_text(out, i == 0 ? "rows" : members[i]);
        fputs(": ", out);
        print_json_rows(tables[i], out);
    }
    fputs(",\n\"notes\": [", out);
    for (int i = 0; i < count; i++)
        for (int n = 0; n < tables[i]->note_count; n++) {
            fputs(first ? "" : ", ", out);
            first = false;
            print_json_text(out, tables[i]->notes[n]);
        }
    fputs("]}\n", out);
}

int table_print_all(struct table *const *tables, const char *const *members, int count,
                    FILE *out, enum output_format format, bool color, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < count; i++)
        if (tables[i]->out_of_memory)
            return error_set(err, ERROR_NOMEM, "no memory for a table");
    if (format == FORMAT_JSON)
        print_json(tables, members, count, out);
    for (int i = 0; i < count && rc == 0 && format != FORMAT_JSON; i++) {
        if (i > 0)
            fputc('\n', out);
        if (format == FORMAT_CSV)
            rc = print_csv(tables[i], out);
        else if (format == FORMAT_MARKDOWN)
            rc = print_markdown(tables[i], out);
        else
            rc = print_for_terminal(tables[i], out, color);
    }
    if (rc != 0)
        return error_set(err, ERROR_NOMEM, "no memory for a table");
    if (fflush(out) != 0 || ferror(out)) {
        int error_number = errno;

        if (error_number == EPIPE) /* the reader, head for instance, has seen enough */
            return 0;
        return error_set(err, error_code_from_errno(error_number), "cannot write the table: %s",
                         strerror(error_number));
    }
    return 0;
}

int table_print(struct table *table, FILE *out, enum output_format format, bool color,
                struct error *err)
{
    return table_print_all(&table, NULL, 1, out, format, color, err);
}
