/*
 * report_parts.h - the sections of a report.
 */
#ifndef RESULTS_REPORT_PARTS_H
#define RESULTS_REPORT_PARTS_H

#include "document.h"
#include "error.h"
#include "figure.h"
#include "origin.h"

/* The data from which the sections are written. */
struct report_source {
    struct document *document;
    struct figure_source *figures;
    bool *chosen;   /* owned: one cell of each arm, by cells_choose() */
    bool *listed;   /* owned: the same, and of the training split, too */
    char note[300]; /* which cell was chosen */
    char listed_note[300];
    const char *spec; /* NULL: it does not exist */
    struct origin_spec origin;
    struct origin_builds builds;
};

/* Adds drawings of the answers to these tasks, by a run of the best of the chosen arms
 * and one of the worst. Nothing where answers cannot be drawn, or none are kept. */
int report_answers(struct report_source *source, const char *const *tasks, int count,
                   struct error *err) MUST_CHECK;

typedef int report_section_fn(struct report_source *source, struct error *err);

report_section_fn report_design, report_finding, report_arms, report_comparisons, report_tasks,
    report_published, report_cost, report_failures, report_origin, report_again;

#endif
