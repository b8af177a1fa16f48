/*
 * checkpoint_file.h - checks that a final checkpoint exists and is complete.
 */
#ifndef RUNNER_CHECKPOINT_FILE_H
#define RUNNER_CHECKPOINT_FILE_H

#include <stdbool.h>

#include "error.h"

/* *whole: the file exists and its safetensors header describes exactly as many bytes as
 * follow it. The worker checks the content: every tensor is under a checksum. The only
 * error is ERROR_NOMEM: then nothing is known. */
int checkpoint_file_check(bool *whole, const char *path, struct error *err) MUST_CHECK;

/* *sound: likewise, and the checksum matches the content. Reads the whole file. */
int checkpoint_file_verify(bool *sound, const char *path, struct error *err) MUST_CHECK;

#endif
