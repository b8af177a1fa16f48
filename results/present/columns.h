/*
 * columns.h - a list of columns under construction, and the columns that tables of
 * results share: axes, evaluation, measures.
 */
#ifndef RESULTS_COLUMNS_H
#define RESULTS_COLUMNS_H

#include "error.h"
#include "query.h"
#include "table.h"

/* Zeroed: empty. columns_create_table() reports a lack of memory. */
struct columns {
    struct table_column *items; /* owned; names and titles borrowed or of texts */
    int count;
    char **texts; /* owned */
    int text_count;
    bool out_of_memory;
};

void columns_add(struct columns *columns, struct table_column column);
void columns_add_all(struct columns *columns, const struct table_column *items, int count);
/* Copies a text for the lifetime of the columns; "" without memory. */
const char *columns_text(struct columns *columns, const char *text);
/* Creates a table with these columns and releases the list. */
int columns_create_table(struct table **out, struct columns *columns,
                         struct error *err) MUST_CHECK;

/* The settings that the arms differ in. */
struct axes {
    const char **keys;      /* owned list; the keys are borrowed of the results */
    enum table_type *types; /* owned; numbers where every arm has one */
    int count;
};

int axes_find(struct axes *out, const struct results *results, struct error *err) MUST_CHECK;
void axes_release(struct axes *axes);
/* "lr" for "train.lr", unless another axis has the same last part. */
const char *axes_short_name(const struct axes *axes, int axis);

/* Adds a column per axis; adds an arm's values to these columns (values NULL: empty
 * cells). */
void columns_add_axes(struct columns *columns, const struct axes *axes);
void table_add_axes(struct table *table, const struct axes *axes, const cJSON *values);

/* Adds the columns that identify arm and evaluation; those that are not needed on a
 * terminal are in machine formats only. */
void columns_add_identity(struct columns *columns, const struct results *results,
                          const struct axes *axes);
/* Adds the cells of these columns. */
void table_add_identity(struct table *table, const struct results *results,
                        const struct axes *axes, const struct result_row *row);
/* Adds the cells of a row that belongs to no arm: a name in place of the label. */
void table_add_no_identity(struct table *table, const struct results *results,
                           const struct axes *axes, const char *name);

/* The measures displayed on a terminal; the first is that of --metric. */
struct shown {
    enum metric metrics[3];
    int count;
};

struct shown shown_metrics(enum metric first);
/* Adds columns for the shown measures, then for the others (machine formats only).
 * spread: with the deviation beside each. */
void columns_add_metrics(struct columns *columns, const struct shown *shown, bool spread);
/* Adds the cells of these columns; deviations NULL: none. strong: the first measure
 * is the best. */
void table_add_metrics(struct table *table, const struct shown *shown, const double *means,
                       const double *deviations, bool strong);

#endif
