/* shim.h - the log in which shim.c says what a power cut could lose. */
#ifndef TESTS_FAULTS_SHIM_H
#define TESTS_FAULTS_SHIM_H

#include <stdint.h>

enum { SHIM_PATH = 512, SHIM_MAGIC = 0x51a4c0de };

enum shim_kind {
    SHIM_WRITE,    /* length bytes at offset; the old bytes follow the record */
    SHIM_TRUNCATE, /* from old_size to offset */
    SHIM_SYNC,     /* of a file, or of a directory: its names */
    SHIM_CREATE,
    SHIM_RENAME, /* path: the new name, other: the old; the kept old target's name follows */
    SHIM_UNLINK  /* the kept file's name follows */
};

struct shim_record {
    uint32_t magic, kind;
    int64_t time_ns; /* monotonic: orders the records of several processes */
    int64_t offset, length, old_size, old_length;
    char path[SHIM_PATH], other[SHIM_PATH];
};

#endif
