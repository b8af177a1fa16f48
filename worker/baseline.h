/*
 * baseline.h - scores that need no training: answering with the input.
 */
#ifndef WORKER_BASELINE_H
#define WORKER_BASELINE_H

#include "error.h"

struct data_set;
struct job;
struct report;

/* Writes a `baseline` event for the test split and, if the job evaluates it, for the
 * training split. */
int baseline_say(const struct job *job, const struct data_set *set, struct report *report,
                 struct error *err) MUST_CHECK;

#endif
