/*
 * sealed_file.h - a safetensors file of a run, with a checksum in its metadata.
 */
#ifndef WORKER_SEALED_FILE_H
#define WORKER_SEALED_FILE_H

#include <stdbool.h>

#include "error.h"
#include "safetensors.h"

/* What the checksum covers besides the tensors. */
struct seal {
    const char *words; /* what the metadata say, as text */
    const char *run_hash;
};

/*
 * Writes path atomically and durably. tensors: wider types first. pairs: the metadata
 * besides "checksum", at most SEALED_PAIRS.
 */
enum { SEALED_PAIRS = 8 };
int sealed_file_write(const char *path, const struct safetensors_tensor *tensors, int count,
                      const struct safetensors_pair *pairs, int pair_count,
                      const struct seal *seal, struct error *err) MUST_CHECK;

/* A member of the metadata that is a text; "" if there is none. */
const char *sealed_file_text(const struct safetensors_file *file, const char *key);
/* Whether its metadata name the format and the run, and the checksum is right. */
bool sealed_file_is_sound(const struct safetensors_file *file, const char *format,
                          const struct seal *seal);
/* The data of the tensor of that name, type and number of elements; NULL: it is not
 * there. */
const void *sealed_file_data(const struct safetensors_file *file, const char *name,
                             enum safetensors_dtype dtype, size_t elements);

#endif
