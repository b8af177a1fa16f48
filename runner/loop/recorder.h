/*
 * recorder.h - follows the journal of one attempt and stores its events.
 */
#ifndef RUNNER_RECORDER_H
#define RUNNER_RECORDER_H

#include "error.h"
#include "record.h"

#include <stddef.h>

struct store;

/* The last progress event of the journal. */
struct recorder_progress {
    char phase[16];
    int64_t step, total_steps, heartbeat;
    /* Negative: unknown. */
    double loss, accuracy, steps_per_s, eta_s;
    /* completed share of a long training step, in [0, 1] */
    double step_share;
    double part_done, part_total; /* rows of an evaluation, tests voted on */
};

/* The checkpoint from which the attempt resumed. attempt 0: it began at the start;
 * -1: unknown. */
struct recorder_resume {
    int attempt;
    int64_t step;
};

/* What is known before the first progress event. */
void recorder_progress_init(struct recorder_progress *progress);
/* The last progress event of a journal that another process records; as above where
 * there is none among its last lines, or no journal. */
int recorder_peek(struct recorder_progress *out, const char *path,
                  struct error *err) MUST_CHECK;

struct recorder {
    struct record_attempt attempt; /* its offset and sequence advance */
    char *path;                    /* owned; the journal's */
    struct recorder_progress progress;
    struct recorder_resume resume;
    int64_t checkpoint_step; /* step of the last checkpoint event; -1: none */
    bool ended;              /* whether the end event was read */
    enum outcome outcome;    /* of the error or end event; OUTCOME_NONE before */
    char message[256];       /* of the error, diverged or end event; "" */
    char error_text[300];    /* why the attempt must be quarantined; "" */
    /* quarantined because of a damaged line; the events before it count */
    bool damaged;
};

int recorder_init(struct recorder *recorder, const struct record_attempt *attempt,
                  const char *workspace, struct error *err) MUST_CHECK;
void recorder_release(struct recorder *recorder);

/*
 * For an attempt that an earlier runner followed; call it after recorder_init(). Reads
 * the stored part of the journal again without applying it, which restores progress,
 * outcome, message and ended. If the journal no longer agrees with what is stored,
 * error_text is filled, as below.
 */
int recorder_restore(struct recorder *recorder, struct error *err) MUST_CHECK;

/*
 * Reads and applies what is new; events and offset are stored in one transaction. A
 * bad line, a journal that became shorter, any line after the end event, or a value
 * that contradicts an earlier attempt fills error_text and returns 0: the attempt is
 * to be quarantined. An incomplete last line is left for the next call. Errors of the
 * database are returned.
 */
int recorder_read(struct recorder *recorder, struct store *store, struct error *err) MUST_CHECK;

/* Likewise, for the whole rest of the journal and within the caller's transaction,
 * which is rolled back and begun again if the events read may not be stored. */
int recorder_drain(struct recorder *recorder, struct store *store,
                   struct error *err) MUST_CHECK;

/* The text of a diverged event's body, such as "loss nan at step 6". */
void recorder_diverged_text(char *out, size_t size, const cJSON *body);

#endif
