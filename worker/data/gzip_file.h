/*
 * gzip_file.h - files packed by gzip, and JSON files of data, packed or plain.
 */
#ifndef WORKER_GZIP_FILE_H
#define WORKER_GZIP_FILE_H

#include "error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Reads and unpacks a whole file of one or more gzip members, of which neither the
 * packed nor the unpacked size is more than limit. *data is malloc'ed, NUL-terminated
 * one byte past *size, and the caller's to free. ERROR_FORMAT names file and byte: not
 * gzip, damaged, cut off, something else behind it, too large. Memory is never more
 * than the file and twice what is unpacked of it.
 */
int gzip_file_read(char **data, size_t *size, const char *path, size_t limit,
                   struct error *err) MUST_CHECK;

/* Whether the name ends with ".gz". */
bool gzip_file_is_named(const char *path);

/* json_read_file() of a data file, packed where its name says so. */
int gzip_json_read(cJSON **out, const char *path, struct error *err) MUST_CHECK;

#endif
