/* table_document.c - a table's columns, rows and notes, written into a document. */
#include "table_document.h"

#include "error.h"
#include "table_internal.h"

#include <stdlib.h>
#include <string.h>

enum { WHOLE_HASH = 64, SHORT_HASH = 12 };

/* Columns, by their names for programs, whose cells name something with a page of its
 * own, and that page. */
static const char *const PAGES[][2] = {
    { "experiment", "experiment" }, { "hash", "run" }, { "run", "run" }, { "run_hash", "run" }
};

/* The page of what a cell names. false: it has none. */
static bool find_target(struct document_target *out, const struct table_column *column,
                        const struct cell *cell, const char *experiment)
{
    if (column->type != TABLE_TEXT || cell->text == NULL || cell->text[0] == '\0')
        return false;
    if (experiment != NULL && strcmp(column->name, "task") == 0) {
        *out = (struct document_target){ "task", experiment, cell->text };
        return true;
    }
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++)
        if (strcmp(PAGES[i][0], column->name) == 0) {
            *out = (struct document_target){ PAGES[i][1], cell->text, NULL };
            return true;
        }
    return false;
}

/* Cuts a whole hash to what is enough to know it by; the link around it is to all of
 * it. */
static void shorten_hash(char *text)
{
    if (strlen(text) == WHOLE_HASH && strspn(text, "0123456789abcdef") == WHOLE_HASH)
        text[SHORT_HASH] = '\0';
}

static int add_cell(struct document *document, const struct table_column *column,
                    const struct cell *cell, const char *experiment, struct error *err)
{
    struct document_target target;
    bool linked = find_target(&target, column, cell, experiment);
    char *text = cell_text(column, cell, false);
    int rc = text == NULL ? error_no_memory(err, "a table") : 0;

    if (rc == 0 && linked)
        shorten_hash(text);
    if (rc == 0 && (cell->mark == TABLE_STRONG || cell->mark == TABLE_GOOD))
        document_strong_cell(document, text);
    else if (rc == 0)
        document_link_cell(document, text, linked ? &target : NULL);
    free(text);
    return rc;
}

int document_add_table(struct document *document, const struct table *table,
                       const char *caption, const char *experiment, struct error *err)
{
    struct document_head heads[DOCUMENT_COLUMNS];
    int shown[DOCUMENT_COLUMNS], count = 0, left_out = 0, rc = 0;

    if (table->out_of_memory)
        return error_no_memory(err, "a table");
    if (table->row_count == 0) {
        document_paragraph(document, "There are none.");
        return 0;
    }
    for (int c = 0; c < table->column_count; c++) {
        const struct table_column *column = &table->columns[c];
        bool number = column->type == TABLE_INT || column->type == TABLE_REAL;

        if (column->machine_only || (column->fold && table_column_is_empty(table, c)))
            continue;
        if (count == DOCUMENT_COLUMNS) {
            left_out++;
            continue;
        }
        heads[count] =
            (struct document_head){ column->title[0] != '\0' ? column->title : column->name,
                                    number ? DOCUMENT_NUMBER : DOCUMENT_TEXT };
        shown[count++] = c;
    }
    document_table(document, table->caption != NULL ? table->caption : caption, heads, count);
    for (int r = 0; r < table->row_count && rc == 0; r++)
        for (int c = 0; c < count && rc == 0; c++)
            rc = add_cell(document, &table->columns[shown[c]], cell_at(table, r, shown[c]),
                          experiment, err);
    if (rc != 0)
        return rc;
    document_table_end(document);
    if (left_out > 0)
        document_say(document, "%d more columns have no room here.", left_out);
    for (int i = 0; i < table->note_count; i++)
        document_note(document, table->notes[i]);
    return 0;
}
