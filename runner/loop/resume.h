/*
 * resume.h - which checkpoints of earlier attempts a training may resume from.
 *
 * A worker that resumes does not report again what was reported before its checkpoint.
 * So a checkpoint counts only if its event is in the part of the journal that the
 * database has stored. Attempts that are quarantined, superseded or unknown to the
 * database do not count, nor does an attempt that itself resumed from a checkpoint that
 * does not count.
 */
#ifndef RUNNER_RESUME_H
#define RUNNER_RESUME_H

#include "error.h"
#include "recorder.h"

/* Adds "resume" to a train job's job.json: a list of {"attempt", "step"}. *unknown:
 * there are attempts below this one on disk that the database does not know. */
int resume_add(cJSON *job_json, bool *unknown, struct store *store, const char *workspace,
               const struct record_attempt *attempt, struct error *err) MUST_CHECK;

/* Whether the attempt began from the start or resumed from such a checkpoint. If not,
 * the database lacks the events before it. */
int resume_is_recorded(bool *out, struct store *store, const char *workspace,
                       const struct recorder *recorder, struct error *err) MUST_CHECK;

#endif
