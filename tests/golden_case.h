/*
 * golden_case.h - replays one golden-1 case with the engine and compares every tensor in it.
 */
#ifndef TESTS_GOLDEN_CASE_H
#define TESTS_GOLDEN_CASE_H

#include "golden_compare.h"
#include "golden_config.h"

struct error;

/*
 * Replays the case in file. base: where param0 tensors are taken from that file lacks, or
 * NULL. Every tensor of file is compared or used as input, else it counts as a failure; so do
 * tensors that ought to be there. report is added to. 0 when the replay ran (look at
 * report->failures), a negative error when the case cannot be run at all.
 */
int golden_case_replay(struct golden_report *report, const struct golden_config *config,
                       const struct safetensors_file *file, const struct safetensors_file *base,
                       struct error *err);

/* The same for path (NAME.safetensors, or NAME.json beside it), the other files read from the
 * same folder. A model that is not supported is a failure with a message, not an error. */
int golden_case_run(struct golden_report *report, const char *path, struct error *err);

#endif
