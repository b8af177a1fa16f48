/*
 * table_document.h - a table as part of a document.
 */
#ifndef RESULTS_TABLE_DOCUMENT_H
#define RESULTS_TABLE_DOCUMENT_H

#include "document.h"
#include "error.h"
#include "table.h"

/*
 * Adds the table's columns for people, at most DOCUMENT_COLUMNS of them, and its notes.
 * caption: if the table has none; without rows, says so instead. In a page of
 * hrmlab-serve, experiments, hashes of runs (cut short) and tasks of the experiment
 * (NULL: none is known) lead to their pages.
 */
int document_add_table(struct document *document, const struct table *table,
                       const char *caption, const char *experiment,
                       struct error *err) MUST_CHECK;

#endif
