/*
 * safetensors.h - the safetensors format: a validated reader over bytes in memory, a
 * writer.
 *
 * A file is 8 bytes of little-endian header length, a JSON header, raw little-endian
 * data. The reader trusts nothing: after a successful safetensors_parse() all that
 * safetensors_tensors_read() checks holds, and the accessors cannot fail.
 */
#ifndef WORKER_SAFETENSORS_H
#define WORKER_SAFETENSORS_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "safetensors_tensor.h"

struct safetensors_pair {
    const char *key, *value;
};

struct safetensors_file; /* opaque */

/*
 * Parses size bytes at data, which stay the caller's and must outlive *out; data itself
 * must be aligned to 8 bytes (malloc'ed is). name, a file's path, opens every message.
 * ERROR_FORMAT names the fault, the tensor and what was expected; ERROR_NOMEM. On
 * failure *out is NULL.
 */
int safetensors_parse(struct safetensors_file **out, const void *data, size_t size,
                      const char *name, struct error *err) MUST_CHECK;

/* Reads a whole file of at most limit bytes and parses it; the object owns the
 * bytes. */
int safetensors_read(struct safetensors_file **out, const char *path, size_t limit,
                     struct error *err) MUST_CHECK;

/* Frees the object, and the bytes if it owns them. NULL is allowed. */
void safetensors_destroy(struct safetensors_file *file);

/* Number of tensors; the i-th tensor in the order of the data; the tensor of this
 * exact name, or NULL. */
int safetensors_count(const struct safetensors_file *file);
const struct safetensors_tensor *safetensors_at(const struct safetensors_file *file, int i);
const struct safetensors_tensor *safetensors_find(const struct safetensors_file *file,
                                                  const char *name);

/* The elements of an F32 or BF16 tensor as float32: its own data, or scratch
 * (elements), which they are widened into. NULL: it has another type. */
const float *safetensors_floats(const struct safetensors_tensor *tensor, float *scratch);

/* The JSON header, an object that contains __metadata__. Borrowed. */
const cJSON *safetensors_header(const struct safetensors_file *file);

/*
 * Builds the 8 length bytes and the JSON header for count tensors whose data will
 * follow in the given order, padded with spaces so that the data starts at a multiple
 * of 64. *header is malloc'ed; *total is the size of the whole file. Tensor data is
 * not read. List wider dtypes first so that all elements are aligned. ERROR_FORMAT: a
 * tensor would be misaligned for its dtype, or two names are equal.
 */
int safetensors_build_header(char **header, size_t *header_size, size_t *total,
                             const struct safetensors_tensor *tensors, int count,
                             const struct safetensors_pair *metadata, int pairs,
                             struct error *err) MUST_CHECK;

#endif
