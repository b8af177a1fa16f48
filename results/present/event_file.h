/*
 * event_file.h - event files, as TensorBoard and others read them: scalars by training
 * step, and what the hyperparameters of a run are.
 *
 * A file is a list of records, each a message "Event" of TensorFlow's event.proto
 * framed by its length and checksums (CRC-32C). What hyperparameters and metrics there
 * are stands in the messages of TensorBoard's plugin hparams.
 */
#ifndef RESULTS_EVENT_FILE_H
#define RESULTS_EVENT_FILE_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"

/* A scalar of a series. */
struct event_scalar {
    const char *tag; /* the series: "train/lm_loss" */
    double value;    /* written with single precision */
};

/* A hyperparameter's value. */
struct event_parameter {
    const char *name;
    enum { EVENT_ABSENT, EVENT_NUMBER, EVENT_TEXT, EVENT_BOOL } kind;
    double number;    /* of NUMBER and BOOL */
    const char *text; /* of TEXT */
};

/* How a run ended, by the numbers of the plugin. */
enum event_status { EVENT_UNKNOWN, EVENT_SUCCESS, EVENT_FAILURE, EVENT_RUNNING };

/* times: seconds since 1970. All return ERROR_IO or ERROR_NOSPACE where out cannot be
 * written, and ERROR_NOMEM. */

/* Begins a file. */
int event_file_begin(FILE *out, double time, struct error *err) MUST_CHECK;
/* The values of series at a training step. */
int event_file_scalars(FILE *out, double time, int64_t step, const struct event_scalar *items,
                       int count, struct error *err) MUST_CHECK;
/* The hyperparameters of the run whose file it is. group: runs of one group differ in
 * the seed alone. */
int event_file_start(FILE *out, double time, const char *group,
                     const struct event_parameter *items, int count,
                     struct error *err) MUST_CHECK;
int event_file_end(FILE *out, double time, enum event_status status,
                   struct error *err) MUST_CHECK;

/* One hyperparameter with its values, and the tags of the metrics to compare by: for
 * the file at the top, which describes all runs. */
struct event_axis {
    const char *name, *meaning;
    const struct event_parameter *values; /* borrowed; of one kind, not ABSENT */
    int count;
};
int event_file_experiment(FILE *out, double time, const struct event_axis *axes, int axis_count,
                          const char *const *tags, int tag_count, struct error *err) MUST_CHECK;

#endif
