/*
 * safetensors_header.h - the beginning of a safetensors file: 8 bytes of little-endian
 * header length, then the header, a JSON object. The tensors' data follows.
 *
 * What the header says of the tensors is worker/safetensors.h's to check.
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
 * Reads the header of a file of which size bytes, at least the whole header, are at
 * data. *header is an object, the caller's to cJSON_Delete; *data_at: bytes before the
 * data. ERROR_FORMAT: no safetensors file, or one that is cut off within its header;
 * ERROR_NOMEM. name, the file's path, opens the message.
 */
int safetensors_header_parse(cJSON **header, size_t *data_at, const void *data, size_t size,
                             const char *name, struct error *err) MUST_CHECK;

/* The same of an open file, from its beginning, without reading its data; ERROR_IO,
 * too. */
int safetensors_header_read(cJSON **header, size_t *data_at, int fd, const char *name,
                            struct error *err) MUST_CHECK;

#endif
