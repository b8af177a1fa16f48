/*
 * resume.h - finds the checkpoints of earlier attempts from which a training may
 * resume.
 *
 * A worker that resumes does not repeat the reports from before its checkpoint. So a
 * checkpoint counts only if its event is in the part of the journal that the database
 * has stored. Attempts that are quarantined, superseded or unknown to the database do
 * not count, nor does an attempt that itself resumed from a checkpoint that does not
 * count.
 */
#ifndef RUNNER_RESUME_H
#define RUNNER_RESUME_H

#include "error.h"
#include "recorder.h"

/* Adds "resume" to a train job's job.json: a list of {"attempt", "step"}. *unknown:
 * some lower attempts on disk are not in the database. */
int resume_add(cJSON *job_json, bool *unknown, struct store *store, const char *workspace,
               const struct record_attempt *attempt, struct error *err) MUST_CHECK;

/* Whether the attempt began at the start or resumed from a checkpoint that counts.
 * If not, the database lacks the events before it. */
int resume_is_recorded(bool *out, struct store *store, const char *workspace,
                       const struct recorder *recorder, struct error *err) MUST_CHECK;

#endif
