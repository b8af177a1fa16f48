/*
 * recorder.h - follows one attempt's journal into the store.
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
    /* Negative: not known. */
    double loss, accuracy, steps_per_s, eta_s;
    double step_share;            /* of a long training step that goes on, in [0, 1] */
    double part_done, part_total; /* rows of an evaluation, results voted on */
};

/* The checkpoint that the attempt resumed from. attempt 0: it began from the start; -1:
 * unknown. */
struct recorder_resume {
    int attempt;
    int64_t step;
};

struct recorder {
    struct record_attempt attempt; /* offset and sequence go along */
    char *path;                    /* owned; the journal's */
    struct recorder_progress progress;
    struct recorder_resume resume;
    int64_t checkpoint_step; /* step of the last checkpoint event; -1: none */
    bool ended;              /* the end event has been read */
    enum outcome outcome;    /* of the error or end event; OUTCOME_NONE before */
    char message[256];       /* of the error, diverged or end event; "" */
    char error_text[300];    /* why the attempt must be quarantined; "" */
    /* because of a damaged line; the events before it count */
    bool damaged;
};

int recorder_init(struct recorder *recorder, const struct record_attempt *attempt,
                  const char *workspace, struct error *err) MUST_CHECK;
void recorder_release(struct recorder *recorder);

/*
 * For an attempt that an earlier runner followed, after recorder_init(): reads the
 * stored part of the journal again without applying it, so that progress, outcome,
 * message and ended are restored. If the journal no longer agrees with what is stored,
 * error_text is filled, as below.
 */
int recorder_restore(struct recorder *recorder, struct error *err) MUST_CHECK;

/*
 * Reads what is new and applies it, events and offset in one transaction. A bad line, a
 * journal that became shorter, anything after the end event, or a value that
 * contradicts an earlier attempt fills error_text and returns 0: the attempt is to be
 * quarantined. A torn last line is left for the next call. Errors of the database are
 * returned.
 */
int recorder_read(struct recorder *recorder, struct store *store, struct error *err) MUST_CHECK;

/* The same for all that is left, inside the caller's transaction, which it starts over
 * where what was read may not stay. */
int recorder_drain(struct recorder *recorder, struct store *store,
                   struct error *err) MUST_CHECK;

/* "loss nan at step 6", of a diverged event's body. */
void recorder_diverged_text(char *out, size_t size, const cJSON *body);

#endif
