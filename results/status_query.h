/*
 * status_query.h - how far experiments are, which runs there are, and where their files
 * stand.
 */
#ifndef RESULTS_STATUS_QUERY_H
#define RESULTS_STATUS_QUERY_H

#include "error.h"
#include "job_state.h"
#include "table.h"

#include <stdint.h>

struct store;

struct status_counts {
    int total, queued, running, done, failed, cancelled;
};

/* Counts the newest job of each kind of each run; experiment NULL: of all
 * experiments. */
int status_count(struct store *store, struct status_counts *out, const char *experiment,
                 struct error *err) MUST_CHECK;

/* How many of the jobs that status_count() counts as failed have each cause; and how
 * many of those done have diverged. */
int status_causes(struct store *store, int counts[OUTCOME_COUNT], const char *experiment,
                  struct error *err) MUST_CHECK;

/* Why an experiment's queued jobs are waiting. */
struct status_ahead {
    int64_t at_work; /* other experiments' jobs that are starting or running */
    int64_t first;   /* other experiments' queued jobs with a higher priority */
    char names[160]; /* of these experiments, "a, b"; truncated if too long */
};
int status_ahead(struct store *store, struct status_ahead *out, const char *experiment,
                 struct error *err) MUST_CHECK;

/* Expected FLOPs per second of one worker, from the trainings that were done last; 0:
 * none was. */
int status_measured_rate(struct store *store, double *rate, struct error *err) MUST_CHECK;

/* A table with a row per experiment; experiment, unless NULL, is the only one shown.
 * rate: of one worker, for the time that is left; 0: the measured one. */
int status_table(struct store *store, struct table **out, const char *experiment, double rate,
                 struct error *err) MUST_CHECK;

/* The run whose hash begins with prefix, or with "last" the one tried last: its
 * hash, and the directory of its last attempt ("": none). */
int status_find_run(struct store *store, const char *prefix, char hash[65], char directory[160],
                    struct error *err) MUST_CHECK;
/* Whether a job of the run is queued or running, so that more results may come. */
int status_run_is_open(struct store *store, bool *open, const char *hash,
                       struct error *err) MUST_CHECK;

/* A trained run and the file of its final checkpoint, relative to the workspace. */
struct status_checkpoint {
    char hash[65];
    char file[200];
};
int status_checkpoints(struct store *store, struct status_checkpoint **out, int *count,
                       struct error *err) MUST_CHECK;

/* The file of a run's final checkpoint, relative to the workspace. ERROR_ABSENT: the
 * run is not trained. */
int status_find_checkpoint(struct store *store, char file[200], const char *hash,
                           struct error *err) MUST_CHECK;

/* The attempt that completed a run's training. */
struct status_final {
    int64_t run_id, job_id, attempt_id;
    char directory[160], kernel_set[32], weights_hash[65];
    enum outcome outcome; /* done or diverged */
    char message[128];    /* of a diverged one: the loss and the step */
};
/* Finds it, for verify to repeat. ERROR_ABSENT: the run is not trained; ERROR_FORMAT:
 * the run is mixed: its results come from more than one kernel set. */
int status_find_final(struct store *store, struct status_final *out, const char *hash,
                      struct error *err) MUST_CHECK;

/* SQLite's journal mode: "wal", or another one on a network file system or if the
 * directory is read-only. */
int status_journal_mode(struct store *store, char out[16], struct error *err) MUST_CHECK;

#endif
