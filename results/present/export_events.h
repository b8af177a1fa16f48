/*
 * export_events.h - an export as event files: one of each run in each arm, and one that
 * describes the axes of all.
 */
#ifndef RESULTS_EXPORT_EVENTS_H
#define RESULTS_EXPORT_EVENTS_H

#include <stdio.h>

#include "error.h"
#include "export.h"

/* Names of files relative to the folder of the export, fresh; NULL: no memory. */
char *export_events_top_name(void);
/* EXPERIMENT/ARM/seed-N-HASH12/events.out.tfevents.0.hrmlab, with characters that a
 * path cannot have replaced. */
char *export_events_name(const struct export *export, const struct export_item *item);

/* Writes the file at the top: the axes with their values, and the measures shown first
 * with the tags of all evaluations. */
int export_events_top(const struct export *export, FILE *out, struct error *err) MUST_CHECK;

/*
 * Writes the file of a run in an arm (an item of arm_runs): every metric of training
 * and every measure of its evaluations, by training step. Times are those of the events
 * in the journals below workspace; without journals all are the start of the run.
 */
int export_events_run(const struct export *export, const struct export_item *item,
                      const char *workspace, FILE *out, struct error *err) MUST_CHECK;

#endif
