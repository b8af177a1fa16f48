/*
 * resume.h - which checkpoints of earlier attempts a training may go on from.
 *
 * What a training said before a checkpoint is not said again by the attempt that goes on from it.
 * So only a checkpoint counts that the attempt's journal had announced within what the database
 * has taken from it. A stale attempt that went on unseen, one that is quarantined or superseded,
 * and one that the database does not know are none to go on from; nor is one that itself went on
 * from such a place.
 */
#ifndef RUNNER_RESUME_H
#define RUNNER_RESUME_H

#include "error.h"
#include "recorder.h"

/* Adds "resume" to a train job's job.json: a list of {"attempt", "step"}. *unknown: there are
 * attempts below this one on disk that the database does not know. */
int resume_add(cJSON *job_json, bool *unknown, struct store *store, const char *workspace,
               const struct record_attempt *attempt, struct error *err) MUST_CHECK;

/* Whether the attempt began anew or went on from such a checkpoint: if not, the database lacks
 * what came before. */
int resume_is_recorded(bool *out, struct store *store, const char *workspace,
                       const struct recorder *recorder, struct error *err) MUST_CHECK;

#endif
