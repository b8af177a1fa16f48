/*
 * columns.h - a list of columns that grows while a table is being made, and the columns
 * that tables of results share: the axes, the evaluation, the measures.
 */
#ifndef RESULTS_COLUMNS_H
#define RESULTS_COLUMNS_H

#include "error.h"
#include "query.h"
#include "table.h"

/* Zeroed: empty. Running out of memory is kept and told by columns_create_table(). */
struct columns {
    struct table_column *items; /* owned; names and titles borrowed or of texts */
    int count;
    char **texts; /* owned */
    int text_count;
    bool out_of_memory;
};

void columns_add(struct columns *columns, struct table_column column);
void columns_add_all(struct columns *columns, const struct table_column *items, int count);
/* A copy of the text that lives as long as the columns; "" when out of memory. */
const char *columns_text(struct columns *columns, const char *text);
/* A table of these columns; releases them. */
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
/* "lr" of "train.lr", unless another axis ends alike. */
const char *axes_short_name(const struct axes *axes, int axis);

/* A column per axis, and an arm's values in them; values NULL: empty cells. */
void columns_add_axes(struct columns *columns, const struct axes *axes);
void table_add_axes(struct table *table, const struct axes *axes, const cJSON *values);

/* The columns that name the arm and the evaluation; those that people need not see are
 * for programs. */
void columns_add_identity(struct columns *columns, const struct results *results,
                          const struct axes *axes);
/* Their cells. */
void table_add_identity(struct table *table, const struct results *results,
                        const struct axes *axes, const struct result_row *row);
/* The same where no arm is meant: a name in the place of the label. */
void table_add_no_identity(struct table *table, const struct results *results,
                           const struct axes *axes, const char *name);

/* The measures that people see; the first is --metric. */
struct shown {
    enum metric metrics[3];
    int count;
};

struct shown shown_metrics(enum metric first);
/* Columns for the shown measures first, then the others for programs. spread: with the
 * deviation beside each. */
void columns_add_metrics(struct columns *columns, const struct shown *shown, bool spread);
/* Their cells; deviations NULL: without. strong: the first measure is the best. */
void table_add_metrics(struct table *table, const struct shown *shown, const double *means,
                       const double *deviations, bool strong);

#endif
