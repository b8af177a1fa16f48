/*
 * table_export.c - prints tables as CSV, Markdown, LaTeX, JSON and lines of JSON.
 */
#include "table_internal.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 64 };

static bool is_number(const struct table_column *column)
{
    return column->type == TABLE_INT || column->type == TABLE_REAL;
}

/* Prints text with Markdown's special characters escaped. */
static void print_markdown_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|\\`*_<>[]~&", *text) != NULL)
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* Prints a line: before, text without control characters, after. -1: no memory. */
static int print_markdown_line(FILE *out, const char *text, const char *before,
                               const char *after)
{
    size_t size = strlen(text) + 1;
    char *clean = malloc(size);

    if (clean == NULL)
        return -1;
    fputs(before, out);
    print_markdown_text(out, text_strip_controls(clean, size, text));
    fprintf(out, "%s\n", after);
    free(clean);
    return 0;
}

int table_print_markdown(const struct table *table, FILE *out)
{
    int rc = 0;

    if (table->caption != NULL) {
        if (print_markdown_line(out, table->caption, "**", "**") != 0)
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
                fputs(is_number(column) ? "---:" : "---", out);
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
        rc = print_markdown_line(out, table->notes[i], i == 0 ? "\n" : "", "  ");
    return rc;
}

/* Prints text with LaTeX's special characters escaped. */
static void print_latex_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '\\':
            fputs("\\textbackslash{}", out);
            break;
        case '~':
            fputs("\\textasciitilde{}", out);
            break;
        case '^':
            fputs("\\textasciicircum{}", out);
            break;
        case '<':
        case '>':
        case '|':
            fprintf(out, "$%s$", *text == '|' ? "\\vert" : *text == '<' ? "<" : ">");
            break;
        case '-':
            fputs(text[1] == '-' ? "-{}" : "-", out); /* two would become a dash */
            break;
        default:
            if (strchr("&%$#_{}", *text) != NULL)
                fputc('\\', out);
            fputc(*text, out);
        }
}

static int print_latex_line(FILE *out, const char *text, const char *before, const char *after)
{
    size_t size = strlen(text) + 1;
    char *clean = malloc(size);

    if (clean == NULL)
        return -1;
    fputs(before, out);
    print_latex_text(out, text_strip_controls(clean, size, text));
    fputs(after, out);
    free(clean);
    return 0;
}

/* Prints a row of a tabular; row -1: the titles. */
static int print_latex_row(const struct table *table, int row, FILE *out)
{
    bool first = true;

    for (int i = 0; i < table->column_count; i++) {
        const struct table_column *column = &table->columns[i];

        if (column->machine_only)
            continue;
        char *text =
            row < 0 ? strdup(column->title) : cell_text(column, cell_at(table, row, i), false);

        if (text == NULL)
            return -1;
        if (!first)
            fputs(" & ", out);
        else if (text[0] == '[' || text[0] == '*')
            fputs("{}", out); /* otherwise it belongs to the end of the line before */
        first = false;
        /* The "-" of a number would become a hyphen. */
        if (row >= 0 && is_number(column) && text[0] == '-')
            fprintf(out, "$%s$", text);
        else
            print_latex_text(out, text);
        free(text);
    }
    fputs(" \\\\\n", out);
    return 0;
}

/* What a page holds; of a float that is longer, the rest is lost. */
enum { LATEX_PAGE_ROWS = 40 };

static void print_latex_columns(const struct table *table, FILE *out)
{
    for (int i = 0; i < table->column_count; i++)
        if (!table->columns[i].machine_only)
            fputc(is_number(&table->columns[i]) ? 'r' : 'l', out);
    fputs("}\n", out);
}

/* Prints the titles between rules. */
static int print_latex_head(const struct table *table, FILE *out)
{
    fputs("\\toprule\n", out);
    int rc = print_latex_row(table, -1, out);
    fputs("\\midrule\n", out);
    return rc;
}

/* Opens a longtable, which repeats the titles on each page. */
static int begin_latex_pages(const struct table *table, FILE *out)
{
    int rc = 0;

    fputs("% needs \\usepackage{booktabs,longtable}\n\\begin{longtable}{", out);
    print_latex_columns(table, out);
    if (table->caption != NULL)
        rc = print_latex_line(out, table->caption, "\\caption{", "} \\\\\n");
    if (rc == 0)
        rc = print_latex_head(table, out);
    fputs("\\endfirsthead\n", out);
    if (rc == 0)
        rc = print_latex_head(table, out);
    fputs("\\endhead\n", out);
    return rc;
}

static int begin_latex_float(const struct table *table, FILE *out)
{
    int rc = 0;

    fputs("% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n", out);
    if (table->caption != NULL)
        rc = print_latex_line(out, table->caption, "\\caption{", "}\n");
    fputs("\\begin{tabular}{", out);
    print_latex_columns(table, out);
    return rc == 0 ? print_latex_head(table, out) : rc;
}

/* Uses booktabs; notes are small lines below. */
int table_print_latex(const struct table *table, FILE *out)
{
    bool pages = table->row_count > LATEX_PAGE_ROWS;
    int rc = pages ? begin_latex_pages(table, out) : begin_latex_float(table, out);

    for (int row = 0; row < table->row_count && rc == 0; row++)
        rc = print_latex_row(table, row, out);
    fprintf(out, "\\bottomrule\n\\end{%s}\n", pages ? "longtable" : "tabular");
    for (int i = 0; i < table->note_count && rc == 0; i++)
        rc = print_latex_line(out, table->notes[i], "\n\\smallskip{\\small ", "}\n");
    if (!pages)
        fputs("\\end{table}\n", out);
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

int table_print_csv(const struct table *table, FILE *out, bool names)
{
    for (int row = names ? -1 : 0; row < table->row_count; row++) {
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
    } else if (column->type == TABLE_BOOL) {
        fputs(cell->integer != 0 ? "true" : "false", out);
    } else if (column->type == TABLE_INT) {
        fprintf(out, "%lld", (long long)cell->integer);
    } else {
        cell_print_exactly(number, sizeof number, cell->real);
        fputs(number, out);
    }
}

/* Prints a row as members of an object. */
static void print_json_members(const struct table *table, int row, FILE *out)
{
    bool first = true;

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
}

void table_print_json_lines(const struct table *table, const char *name, FILE *out)
{
    for (int row = 0; row < table->row_count; row++) {
        fputc('{', out);
        if (name != NULL) {
            fputs("\"table\": ", out);
            print_json_text(out, name);
            fputs(", ", out);
        }
        print_json_members(table, row, out);
        fputs("}\n", out);
    }
}

/* Prints the list of rows, one per line. */
static void print_json_rows(const struct table *table, FILE *out)
{
    fputc('[', out);
    for (int row = 0; row < table->row_count; row++) {
        fputs(row > 0 ? ",\n{" : "\n{", out);
        print_json_members(table, row, out);
        fputc('}', out);
    }
    fputs("\n]", out);
}

void table_print_json(struct table *const *tables, const char *const *members, int count,
                      FILE *out)
{
    bool first = true;

    fputs("{\"format\": \"hrmlab-table-2\"", out);
    for (int i = 0; i < count; i++) {
        fputs(",\n", out);
        print_json_text(out, members[i]);
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
