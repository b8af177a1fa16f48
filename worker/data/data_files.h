/*
 * data_files.h - the files and directories that a data set was read from, and the
 * stamps by which a change of any of them is noticed without reading it again.
 */
#ifndef WORKER_DATA_FILES_H
#define WORKER_DATA_FILES_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

/* A directory counts too: its stamp changes when a file is added to it or removed. */
struct data_file {
    char *path; /* owned; absolute */
    int64_t size, mtime_ns, ctime_ns, inode;
};

struct data_files {
    struct data_file *files; /* owned: (count) */
    int count;
};

/* Adds path with its stamps of now; call it before the file is read. ERROR_IO when it
 * cannot be looked at. */
int data_files_add(struct data_files *files, const char *path, struct error *err) MUST_CHECK;
void data_files_release(struct data_files *files);

/* Whether the file at this path still has these stamps. */
bool data_file_unchanged(const struct data_file *file);

#endif
