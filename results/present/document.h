/*
 * document.h - writes headings, paragraphs, tables and pictures as one HTML page, as
 * Markdown, or as a page of hrmlab-serve.
 *
 * The HTML page is self-contained: no network, no script. A page of hrmlab-serve has
 * style sheet, script and other pages by their addresses. Texts are escaped in all
 * forms. Functions that add something do not report a lack of memory; document_finish()
 * does.
 */
#ifndef RESULTS_DOCUMENT_H
#define RESULTS_DOCUMENT_H

#include <stdbool.h>

#include "error.h"

struct document;

enum document_form { DOCUMENT_HTML, DOCUMENT_MARKDOWN, DOCUMENT_PAGE };

/* What surrounds the content of a page of hrmlab-serve. */
struct document_frame {
    const char *style, *script;    /* addresses */
    const char *const (*links)[2]; /* address and title of the pages to navigate to */
    int link_count;
    const char *current; /* address of the link that leads to this page; NULL: none */
};

/* title: of the page, and its first heading. form: not DOCUMENT_PAGE. */
int document_create(struct document **out, enum document_form form, const char *title,
                    struct error *err) MUST_CHECK;
int document_create_page(struct document **out, const struct document_frame *frame,
                         const char *title, struct error *err) MUST_CHECK;
enum document_form document_form(const struct document *document);
/* The style sheet of both HTML forms, figures apart. */
const char *document_style(void);
/* Ends the document and frees it; *out is newly allocated text, the caller's to
 * free. */
int document_finish(struct document *document, char **out, struct error *err) MUST_CHECK;
void document_destroy(struct document *document); /* NULL allowed */

/* A heading, a paragraph or a note whose text is NULL was lost for lack of memory: then
 * document_finish() fails. */

/* Begins a section; id: its name in links, letters and dashes. */
void document_section(struct document *document, const char *id, const char *title);
void document_heading(struct document *document, const char *title);
void document_subheading(struct document *document, const char *title);
void document_paragraph(struct document *document, const char *text);
/* Adds a paragraph, formatted as by printf(). */
__attribute__((format(printf, 2, 3))) void document_say(struct document *document,
                                                        const char *format, ...);
/* Adds a note in small print: how to read what is above. */
void document_note(struct document *document, const char *text);
/* A page of hrmlab-serve, as for markup_path(). */
struct document_target {
    const char *page, *name, *detail;
};
/* Adds a paragraph that in a page of hrmlab-serve leads to the target. */
void document_link(struct document *document, const char *text,
                   const struct document_target *target);
/* Adds commands or a file verbatim. */
void document_code(struct document *document, const char *text);
/* Links to the sections: as many as there are ids and titles. */
void document_contents(struct document *document, const char *const (*sections)[2], int count);

/* A line is a text that is never broken. */
enum document_column { DOCUMENT_TEXT, DOCUMENT_LINE, DOCUMENT_NUMBER };
struct document_head {
    const char *title;
    enum document_column kind;
};
enum { DOCUMENT_COLUMNS = 64 }; /* at most so many */
/* Begins a table with its heads. Then document_cell() for each cell, row by row, and
 * the end. caption: what the table tells, above it in HTML. */
void document_table(struct document *document, const char *caption,
                    const struct document_head *heads, int count);
void document_cell(struct document *document, const char *text); /* NULL: empty */
/* Adds a highlighted cell. */
void document_strong_cell(struct document *document, const char *text);
/* Adds a cell that in a page of hrmlab-serve leads to the target; NULL: to none. */
void document_link_cell(struct document *document, const char *text,
                        const struct document_target *target);
void document_table_end(struct document *document);

/* Adds a picture: in HTML the SVG text itself (of picture_draw(), not standalone),
 * in Markdown a link to the file of this name, in a page of hrmlab-serve both, or with
 * NULL the SVG alone. */
void document_picture(struct document *document, const char *title, const char *svg,
                      const char *file_name);

/* Adds small pictures side by side, each SVG text like those above, under a title
 * (NULL: none); only in HTML. */
void document_pictures(struct document *document, const char *title, char *const *svgs,
                       int count);

/* Adds how much is done as a bar; share in [0, 1], text beside it. Only in a page of
 * hrmlab-serve. */
void document_progress(struct document *document, double share, const char *text);

/* Adds a form that leads to the address with its fields' values ("?name=value ...").
 * Only in a page of hrmlab-serve. */
struct document_field {
    const char *name, *title, *value;
    char *const *choices; /* proposed */
    int choice_count;
    bool closed; /* a list of the choices; otherwise any text may be written */
};
void document_form_of_fields(struct document *document, const char *address,
                             const struct document_field *fields, int field_count,
                             const char *button);

#endif
