/*
 * data_files.h - the files and directories that a data set was read from, and the
 * stamps by which a change of any of them is noticed without reading it again.
 */
#ifndef WORKER_DATA_FILES_H
#define WORKER_DATA_FILES_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

/* A file or a directory. A directory's stamps change when an entry is added or
 * removed. */
struct data_file {
    char *path; /* owned; absolute */
    int64_t size, mtime_ns, ctime_ns, inode;
};

struct data_files {
    struct data_file *files; /* owned: (count) */
    int count;
};

/* Adds path with its current stamps; call it before reading the file. Returns
 * ERROR_IO if its stamps cannot be read. */
int data_files_add(struct data_files *files, const char *path, struct error *err) MUST_CHECK;
void data_files_release(struct data_files *files);

/* Whether the file at this path still has these stamps. */
bool data_file_unchanged(const struct data_file *file);

#endif
