/*
 * export.h - all that is known of experiments, as tidy tables for other programs: a row
 * per observation, a column per variable, names that stay.
 */
#ifndef RESULTS_EXPORT_H
#define RESULTS_EXPORT_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "export_columns.h"
#include "query.h"
#include "table.h"

struct store;

/* "format" of export.json; the number rises when a column's name or meaning changes. */
#define EXPORT_FORMAT "hrmlab-export-1"

/* A run as one arm has it, or an evaluation of it; first: its first row. */
struct export_item {
    int experiment;               /* index into export.results */
    const struct result_row *row; /* its first; borrowed of the results */
    int64_t id;                   /* of the run, or of the evaluation */
    int place;                    /* where it came in the rows of all experiments */
};

struct export
{
    struct store *store;      /* borrowed */
    struct results **results; /* owned: one of each experiment, RESULTS_ALL */
    int experiment_count;
    enum setting_id *axes; /* owned: training settings in which arms differ */
    int axis_count;
    struct export_columns columns[EXPORT_TABLE_COUNT];
    struct export_item *arm_runs;    /* owned: each run once per arm */
    struct export_item *runs;        /* owned: each run once */
    struct export_item *evaluations; /* owned: each evaluation that has a result once */
    struct export_item *rows;        /* owned: all rows, by experiment, arm and run */
    int arm_run_count, run_count, evaluation_count, row_count;
};

/*
 * Loads what is exported. names: of experiments, also "last"; none: all of them.
 * wheres: conditions as for results_load(). ERROR_ABSENT: an experiment does not exist,
 * or there are none; ERROR_FORMAT: a bad condition.
 */
int export_open(struct export **out, struct store *store, char *const *names, int name_count,
                const char *const *wheres, int where_count, struct error *err) MUST_CHECK;
void export_close(struct export *export); /* NULL allowed */

/* The rows of a run in an arm, an item of arm_runs: how many, *first of them. */
int export_rows_of(const struct export *export, const struct export_item *item,
                   const struct export_item **first);

/* Writes a table to out as FORMAT_CSV or FORMAT_JSON_LINES. *rows: how many it has.
 * ERROR_IO, ERROR_NOSPACE: out cannot be written. */
int export_write(struct export *export, enum export_table table, FILE *out,
                 enum output_format format, int64_t *rows, struct error *err) MUST_CHECK;

#endif
