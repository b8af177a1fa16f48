/*
 * experiment_report.h - an experiment as one document: question, design, finding,
 * figures, tables, what it cost, what failed, where it came from and how to do it
 * again.
 */
#ifndef RESULTS_EXPERIMENT_REPORT_H
#define RESULTS_EXPERIMENT_REPORT_H

#include "document.h"
#include "error.h"
#include "figure.h"

/* A picture that stands in a file beside the document. */
struct report_picture {
    char *file_name, *svg; /* owned */
};

struct report {
    char *text;                      /* owned */
    struct report_picture *pictures; /* owned; of Markdown only: HTML has them inside */
    int picture_count;
};

/* spec: the text of the spec that was queued; NULL: it is not there any more. prefix:
 * what the pictures' file names begin with. */
int report_make(struct report *out, struct figure_source *source, const char *spec,
                enum document_form form, const char *prefix, struct error *err) MUST_CHECK;
void report_release(struct report *report);

#endif
