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

/* Reports to *report from now on (borrowed); NULL: no longer. */
void work_open(struct report *report);

enum work_phase { WORK_LOAD, WORK_TRAIN, WORK_EVALUATE, WORK_VOTE };

/* Sets what later progress events report. step: training steps done, of total_steps. */
void work_set_phase(enum work_phase phase, int64_t step, int64_t total_steps);
/* The same, but keeps the other values. */
void work_set_step(int64_t step, int64_t total_steps);
/* How much of the phase is done: rows of an evaluation, results voted on. The engine's
 * next step takes it from done to next. */
void work_set_part(double done, double next, double total);
/* What else progress events say, until the next work_set_phase(). NaN: not known.
 *   loss, accuracy, exact_accuracy  means since the last progress event
 *   steps_per_s, eta_s              training steps a second; seconds to the end of
 * training */
void work_set_training(double loss, double accuracy, double exact_accuracy, double steps_per_s,
                       double eta_s);

/* Counts units of work. ERROR_STOPPED: SIGTERM or SIGINT has come; an error of the
 * journal. */
int work_done(int64_t units, struct error *err) MUST_CHECK;

/*
 * A training step begins; until work_end_step(), progress events say how far it is.
 */
void work_begin_step(void);
void work_end_step(void);

/*
 * The watch of the engine (engine.h, engine_watch) in training and evaluation. Abandons
 * a training step after a request to stop when more than half a second of it is
 * expected to be left, and an evaluation at once.
 */
bool work_watch(void *unused, int64_t done, int64_t total);

/* Fills err with why the engine's watch abandoned a step: a failure of the journal, or
 * a request to stop, with the message. Returns the code. */
int work_why_abandoned(struct error *err, const char *message) MUST_CHECK;

/* Share of the training step that was done when it was abandoned, in [0, 1]. */
double work_step_share(void);

#endif
