/*
 * experiment_report.h - writes an experiment as one document: question, design,
 * finding, figures, tables, cost, failures, origin, and the commands to repeat it.
 */
#ifndef RESULTS_EXPERIMENT_REPORT_H
#define RESULTS_EXPERIMENT_REPORT_H

#include "document.h"
#include "error.h"
#include "figure.h"

/* A picture in a file beside the document. */
struct report_picture {
    char *file_name, *svg; /* owned */
};

struct report {
    char *text;                      /* owned */
    struct report_picture *pictures; /* owned; of Markdown only: HTML contains them */
    int picture_count;
};

/* spec: the text of the queued spec; NULL: it no longer exists. prefix: of the
 * pictures' file names. */
int report_make(struct report *out, struct figure_source *source, const char *spec,
                enum document_form form, const char *prefix, struct error *err) MUST_CHECK;
void report_release(struct report *report);

/* Adds question, contents and sections to a document that was begun with the
 * experiment's name as its title. *out: pictures only, of Markdown. prefix: as above,
 * of a page of hrmlab-serve the address above that of the pictures. */
int report_write(struct report *out, struct document *document, struct figure_source *source,
                 const char *spec, const char *prefix, struct error *err) MUST_CHECK;

#endif
