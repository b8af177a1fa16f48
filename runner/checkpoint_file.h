/*
 * checkpoint_file.h - is a final checkpoint still there, and whole?
 */
#ifndef RUNNER_CHECKPOINT_FILE_H
#define RUNNER_CHECKPOINT_FILE_H

#include <stdbool.h>

/* The file exists, and its safetensors header describes exactly as many bytes as follow
 * it. Its content is the worker's to check: every tensor is under a checksum. */
bool checkpoint_file_is_whole(const char *path);

/* The same, and its checksum is that of its content: reads all of it. */
bool checkpoint_file_is_sound(const char *path);

#endif
