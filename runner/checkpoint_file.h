/*
 * checkpoint_file.h - checks that a final checkpoint exists and is complete.
 */
#ifndef RUNNER_CHECKPOINT_FILE_H
#define RUNNER_CHECKPOINT_FILE_H

#include <stdbool.h>

/* Whether the file exists and its safetensors header describes exactly as many bytes
 * as follow it. The worker checks the content: every tensor is under a checksum. */
bool checkpoint_file_is_whole(const char *path);

/* Likewise, and the checksum matches the content: reads the whole file. */
bool checkpoint_file_is_sound(const char *path);

#endif
