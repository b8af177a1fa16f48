/*
 * work.h - reports the work of this process to its runner: heartbeat and progress;
 * receives requests to stop.
 *
 * Code that may take long calls work_done() after each piece of work: a file read, a
 * task augmented, a layer computed, a test input voted on. The call raises the
 * heartbeat, writes a `progress` event when one is due, and returns whether the process
 * has been asked to stop. So the heartbeat stops when work stops, and not because a
 * training step is long.
 *
 * The state is global, because signals are. Without work_open() (`describe`, `data`)
 * nothing is reported, and requests to stop are not returned.
 */
#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct report;

/* Reports to *report from now on (borrowed), of the attempt in directory (borrowed);
 * NULL ends reporting. */
void work_open(struct report *report, const char *directory);

/* ERROR_STOPPED: a newer attempt has taken the place of this one, whose results nobody
 * wants any more. Looked at with each progress event, and to be called before a
 * checkpoint is written. */
int work_check_fence(struct error *err) MUST_CHECK;

enum work_phase { WORK_LOAD, WORK_TRAIN, WORK_EVALUATE, WORK_VOTE };

/* Sets what later progress events report. step: training steps done, of total_steps. */
void work_set_phase(enum work_phase phase, int64_t step, int64_t total_steps);
/* Likewise, but leaves the other values unchanged. */
void work_set_step(int64_t step, int64_t total_steps);
/* Sets how much of the phase is done: rows of an evaluation, tests voted on. The
 * next engine step advances it from done to next. */
void work_set_part(double done, double next, double total);
/* Sets further members of progress events until the next work_set_phase(). NaN:
 * unknown.
 *   loss, accuracy, exact_accuracy  means since the last progress event
 *   steps_per_s, eta_s              training steps per second; seconds to the end of
 * training */
void work_set_training(double loss, double accuracy, double exact_accuracy, double steps_per_s,
                       double eta_s);

/* Counts units of work. ERROR_STOPPED: SIGTERM or SIGINT was received. Other errors
 * are those of the journal. */
int work_done(int64_t units, struct error *err) MUST_CHECK;

/*
 * Begins a training step; progress events report its completed share until
 * work_end_step().
 */
void work_begin_step(void);
void work_end_step(void);

/*
 * The watch (engine.h, engine_watch) of training and evaluation. After a stop request
 * it abandons a training step if more than half a second of it is expected to remain,
 * and an evaluation at once.
 */
bool work_watch(void *unused, int64_t done, int64_t total);

/* Fills err with the reason why the watch abandoned a step: a failure of the
 * journal, or a request to stop, with the message. Returns the code. */
int work_why_abandoned(struct error *err, const char *message) MUST_CHECK;

/* Completed share of the abandoned training step, in [0, 1]. */
double work_step_share(void);

#endif
