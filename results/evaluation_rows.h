/*
 * evaluation_rows.h - the rows of results by evaluation, to be filled while tables are
 * read in the order of their ids.
 */
#ifndef RESULTS_EVALUATION_ROWS_H
#define RESULTS_EVALUATION_ROWS_H

#include "error.h"
#include "id_range.h"

struct result_row;
struct results;

/* Several arms may ask for the same evaluation, and it has a row for each step. */
struct evaluation_rows {
    struct result_row **rows; /* owned; by evaluation, then by step */
    int row_count;
    struct id_list evaluations; /* owned */
    /* owned: (evaluations + 1) number of each one's first row, and of the end */
    int *first;
};

/* results must outlive *out. ERROR_NOMEM; release it then, too. */
int evaluation_rows_init(struct evaluation_rows *out, const struct results *results,
                         struct error *err) MUST_CHECK;
void evaluation_rows_release(struct evaluation_rows *rows);

#endif
