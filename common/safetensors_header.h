/*
 * safetensors_header.h - the beginning of a safetensors file: 8 bytes of little-endian
 * header length, then the header, a JSON object. The tensors' data follows.
 *
 * safetensors_tensor.h checks what the header says about the tensors.
 */
#ifndef COMMON_SAFETENSORS_HEADER_H
#define COMMON_SAFETENSORS_HEADER_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { SAFETENSORS_LENGTH_BYTES = 8 };
#define SAFETENSORS_HEADER_LIMIT ((size_t)64 << 20) /* bytes of the JSON header */

/*
 * Reads the header of a file whose first size bytes, at least the whole header, are at
 * data. *header is an object, the caller's to cJSON_Delete; *data_at is the offset of
 * the tensors' data. ERROR_FORMAT: not a safetensors file, or cut off within its
 * header; ERROR_NOMEM. name, the file's path, begins the message.
 */
int safetensors_header_parse(cJSON **header, size_t *data_at, const void *data, size_t size,
                             const char *name, struct error *err) MUST_CHECK;

/* The same for an open file, from its beginning; the tensors' data is not read, but the
 * file must end where they do. Also ERROR_FORMAT: not a regular file (open it with
 * O_NONBLOCK: a FIFO would hang the caller); ERROR_IO. */
int safetensors_header_read(cJSON **header, size_t *data_at, int fd, const char *name,
                            struct error *err) MUST_CHECK;

#endif
