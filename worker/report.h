/*
 * report.h - the worker's events (docs/formats.md), written to its journal.
 *
 * Each function returns what journal_append() does: ERROR_NOSPACE when the disk is
 * full, ERROR_NOMEM, ERROR_IO. cJSON arguments called body or values are taken over;
 * NULL means that building them failed with ERROR_NOMEM. The others are only read.
 */
#ifndef WORKER_REPORT_H
#define WORKER_REPORT_H

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "job_state.h"
#include "journal.h"

struct report {
    struct journal_writer journal;
    double said_at_s;  /* monotonic time of the last progress event, in seconds */
    int64_t heartbeat; /* units of work done so far (work.h) */
};

/* Creates the journal, which must not exist. */
int report_open(struct report *report, const char *path, struct error *err) MUST_CHECK;
void report_close(struct report *report);
/* Syncs the journal so that all events so far survive a power failure. Call it
 * before writing a checkpoint. */
int report_sync(struct report *report, struct error *err) MUST_CHECK;

/* Appends an event whose members the caller provides. */
int report_event(struct report *report, const char *type, cJSON *body, bool sync,
                 struct error *err) MUST_CHECK;

#define REPORT_UNKNOWN ((double)NAN)

struct report_progress {
    const char *phase; /* "load", "train", "evaluate", "vote" */
    int64_t step, total_steps;
    /* Omitted if not finite: */
    double loss, accuracy, exact_accuracy;
    double steps_per_s, eta_s;
    /* completed share of a long training step, in [0, 1] */
    double step_share;
    double part_done, part_total; /* rows of an evaluation, tests voted on */
};

/* Whether a progress event is due: one second after the last one. */
bool report_progress_due(const struct report *report);
int report_progress(struct report *report, const struct report_progress *progress,
                    struct error *err) MUST_CHECK;

int report_resume(struct report *report, int64_t step, const char *from,
                  struct error *err) MUST_CHECK;
int report_metric(struct report *report, int64_t step, cJSON *values,
                  struct error *err) MUST_CHECK;
int report_checkpoint(struct report *report, int64_t step, const char *file,
                      const char *weights_hash, bool final, struct error *err) MUST_CHECK;
int report_diverged(struct report *report, int64_t step, double loss,
                    struct error *err) MUST_CHECK;
int report_error(struct report *report, enum outcome cause, const char *message,
                 struct error *err) MUST_CHECK;

struct report_end {
    enum outcome status; /* done, diverged, stopped or failed */
    int64_t step;
    const char *weights_hash; /* NULL: none */
    double seconds;           /* wall time of the attempt */
    /* wall time of the run's training steps, earlier attempts included */
    double train_seconds;
    double evaluation_seconds; /* likewise, of the run's evaluations */
    /* at which step it was stopped and which checkpoint counts; NULL: none */
    const char *message;
};
int report_end(struct report *report, const struct report_end *end,
               struct error *err) MUST_CHECK;

#endif
