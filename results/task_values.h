/*
 * task_values.h - the values of evaluations per task, worked out from the outcomes of
 * test inputs.
 */
#ifndef RESULTS_TASK_VALUES_H
#define RESULTS_TASK_VALUES_H

#include <stdbool.h>

#include "error.h"
#include "id_range.h"
#include "measure.h"

struct store;

/* An evaluation's value per task at the last checkpoint, by task name. */
struct task_values {
    char **tasks;   /* owned; (room), in memcmp order */
    double *values; /* owned */
    int count, room;
};
void task_values_release(struct task_values *values);

/* Reads one evaluation after the other. */
struct task_reader {
    struct id_query query;
    enum metric metric;
    int place;  /* number of the evaluation in the list */
    bool ahead; /* the query is at the next evaluation's first row */
};

/* evaluations must outlive the reader. ERROR_FORMAT: the measure has no value per
 * task. */
int task_reader_begin(struct task_reader *out, struct store *store,
                      const struct id_list *evaluations, enum metric metric,
                      struct error *err) MUST_CHECK;
/* 1: *out has the values of evaluation number reader->place, in the memory that it had
 * before (a zeroed one is empty); 0: there are no more that have outcomes; negative: an
 * error. Ended by anything but 1. */
int task_reader_step(struct task_reader *reader, struct task_values *out,
                     struct error *err) MUST_CHECK;
void task_reader_end(struct task_reader *reader); /* to stop earlier */

#endif
