/*
 * sealed_file.h - a safetensors file of a run, with a checksum in its metadata.
 */
#ifndef WORKER_SEALED_FILE_H
#define WORKER_SEALED_FILE_H

#include "error.h"
#include "safetensors.h"

enum { SEALED_PAIRS = 8 };

/* A kind of such files. */
struct sealed_kind {
    const char *format; /* the metadata's "format" */
    /* Texts of the metadata that the checksum covers besides the tensors and the run,
     * in this order; NULL: no more. */
    const char *covered[SEALED_PAIRS];
};

/*
 * Writes path atomically and durably. tensors: wider types first. pairs: the metadata
 * besides "format", "run_hash" and "checksum", at most SEALED_PAIRS.
 */
int sealed_file_write(const char *path, const struct sealed_kind *kind, const char *run_hash,
                      const struct safetensors_tensor *tensors, int count,
                      const struct safetensors_pair *pairs, int pair_count,
                      struct error *err) MUST_CHECK;
/* A whole file of that kind and run, which the caller destroys. ERROR_DAMAGED: it is
 * none; ERROR_ABSENT, ERROR_IO, ERROR_NOMEM. */
int sealed_file_read(struct safetensors_file **out, const char *path,
                     const struct sealed_kind *kind, const char *run_hash,
                     struct error *err) MUST_CHECK;
/* ERROR_DAMAGED, of a file that was read whole and means nothing. */
int sealed_file_contradicts(const char *path, struct error *err) MUST_CHECK;

/* A member of the metadata that is a text; "" if there is none. */
const char *sealed_file_text(const struct safetensors_file *file, const char *key);
/* The data of the tensor of that name, type and number of elements; NULL: it is not
 * there. */
const void *sealed_file_data(const struct safetensors_file *file, const char *name,
                             enum safetensors_dtype dtype, size_t elements);

#endif
