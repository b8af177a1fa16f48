/*
 * document.h - writes headings, paragraphs, tables and pictures as one HTML page or as
 * Markdown.
 *
 * The page is self-contained: no network, no script. Texts are escaped in both forms.
 * Functions that add something do not report a lack of memory; document_finish() does.
 */
#ifndef RESULTS_DOCUMENT_H
#define RESULTS_DOCUMENT_H

#include <stdbool.h>

#include "error.h"

struct document;

enum document_form { DOCUMENT_HTML, DOCUMENT_MARKDOWN };

/* title: of the page, and its first heading. */
int document_create(struct document **out, enum document_form form, const char *title,
                    struct error *err) MUST_CHECK;
/* Ends the document and frees it; *out is newly allocated text, the caller's to
 * free. */
int document_finish(struct document *document, char **out, struct error *err) MUST_CHECK;
void document_destroy(struct document *document); /* NULL allowed */

/* Begins a section; id: its name in links, letters and dashes. */
void document_section(struct document *document, const char *id, const char *title);
void document_heading(struct document *document, const char *title);
void document_paragraph(struct document *document, const char *text);
/* Adds a paragraph, formatted as by printf(). */
__attribute__((format(printf, 2, 3))) void document_say(struct document *document,
                                                        const char *format, ...);
/* Adds a note in small print: how to read what is above. */
void document_note(struct document *document, const char *text);
/* Adds commands or a file verbatim. */
void document_code(struct document *document, const char *text);
/* Links to the sections: as many as there are ids and titles. */
void document_contents(struct document *document, const char *const (*sections)[2], int count);

enum document_column { DOCUMENT_TEXT, DOCUMENT_NUMBER };
struct document_head {
    const char *title;
    enum document_column kind;
};
/* Begins a table with its heads. Then document_cell() for each cell, row by row, and
 * the end. */
void document_table(struct document *document, const struct document_head *heads, int count);
void document_cell(struct document *document, const char *text); /* NULL: empty */
/* Adds a highlighted cell. */
void document_strong_cell(struct document *document, const char *text);
void document_table_end(struct document *document);

/* Adds a picture: in HTML the SVG text itself (of picture_draw(), not standalone),
 * in Markdown a link to the file of this name. */
void document_picture(struct document *document, const char *title, const char *svg,
                      const char *file_name);

#endif
