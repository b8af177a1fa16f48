/*
 * safetensors_file.h - whole safetensors files made of tensors in memory, and their metadata.
 */
#ifndef TESTS_SUPPORT_SAFETENSORS_FILE_H
#define TESTS_SUPPORT_SAFETENSORS_FILE_H

#include "safetensors.h"

/* The whole file in one malloc'ed buffer. Errors: those of safetensors_build_header(). */
int safetensors_build(char **file, size_t *size, const struct safetensors_tensor *tensors,
                      int count, const struct safetensors_pair *metadata, int pairs,
                      struct error *err);

/* The whole file into fd (header, then each tensor's data); path is for messages. */
int safetensors_write(int fd, const char *path, const struct safetensors_tensor *tensors,
                      int count, const struct safetensors_pair *metadata, int pairs,
                      struct error *err);

/* A text of __metadata__, NULL when absent. Borrowed. */
const char *safetensors_metadata(const struct safetensors_file *file, const char *key);

#endif
