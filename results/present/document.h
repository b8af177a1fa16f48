/*
 * document.h - headings, paragraphs, tables and pictures as one HTML page or as
 * Markdown.
 *
 * The page needs nothing but itself: no network, no script. Texts from outside stay
 * text in both forms. Adding never fails visibly: running out of memory is kept and
 * returned by document_finish().
 */
#ifndef RESULTS_DOCUMENT_H
#define RESULTS_DOCUMENT_H

#include <stdbool.h>

#include "error.h"

struct document;

enum document_form { DOCUMENT_HTML, DOCUMENT_MARKDOWN };

/* title: of the page and its first heading. */
int document_create(struct document **out, enum document_form form, const char *title,
                    struct error *err) MUST_CHECK;
/* Ends the document, frees it; *out is fresh text, the caller's to free. */
int document_finish(struct document *document, char **out, struct error *err) MUST_CHECK;
void document_destroy(struct document *document); /* NULL allowed */

/* A section; id: its name in links, letters and dashes. */
void document_section(struct document *document, const char *id, const char *title);
void document_heading(struct document *document, const char *title);
void document_paragraph(struct document *document, const char *text);
/* The same with printf's arguments. */
__attribute__((format(printf, 2, 3))) void document_say(struct document *document,
                                                        const char *format, ...);
/* In smaller print: how to read what stands above. */
void document_note(struct document *document, const char *text);
/* Commands or a file, as they are. */
void document_code(struct document *document, const char *text);
/* Links to the sections: as many as there are ids and titles. */
void document_contents(struct document *document, const char *const (*sections)[2], int count);

enum document_column { DOCUMENT_TEXT, DOCUMENT_NUMBER };
struct document_head {
    const char *title;
    enum document_column kind;
};
/* A table: its heads, then document_cell() from left to right, a row after the other,
 * as many as there are heads; then the end. */
void document_table(struct document *document, const struct document_head *heads, int count);
void document_cell(struct document *document, const char *text); /* NULL: empty */
/* Stands out: the best, what is shown. */
void document_strong_cell(struct document *document, const char *text);
void document_table_end(struct document *document);

/* A picture: the SVG text itself in HTML (of picture_draw(), not standalone), in
 * Markdown a link to the file of this name. */
void document_picture(struct document *document, const char *title, const char *svg,
                      const char *file_name);

#endif
