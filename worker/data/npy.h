/*
 * npy.h - reads arrays of integers from NumPy files by mapping them, and writes such
 * files.
 *
 * Read: versions 1.0 and 2.0, C order, one or two dimensions, types |u1, <i4 and <i8;
 * the size of the file must be that of its array. Written: version 1.0, as NumPy
 * writes it.
 */
#ifndef WORKER_NPY_H
#define WORKER_NPY_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum npy_type { NPY_U1, NPY_I4, NPY_I8 };
enum { NPY_HEADER_SIZE = 128 }; /* bytes of a file written here before its array */

struct npy {
    char *path; /* owned */
    enum npy_type type;
    int dimensions;      /* 1 or 2 */
    int64_t shape[2];    /* shape[1] is 1 where there is one dimension */
    void *map;           /* owned: the whole file; NULL: it is empty */
    size_t map_size;     /* bytes */
    const uint8_t *data; /* in map: the array, row-major */
};

/* Maps the file; other processes must leave it as it is until npy_close(). ERROR_FORMAT
 * names the file, the byte and what was expected there. */
int npy_open(struct npy *out, const char *path, struct error *err) MUST_CHECK;
void npy_close(struct npy *npy);

/* The number at index, in row-major order. */
int64_t npy_at(const struct npy *npy, int64_t index);

/* The offset of that number in the file, in bytes. */
int64_t npy_offset(const struct npy *npy, int64_t index);

/* Writes the header of a file. columns 0: one dimension. */
void npy_header(char out[NPY_HEADER_SIZE], enum npy_type type, int64_t rows, int64_t columns);
/* Appends count values. False: writing failed. */
bool npy_write(FILE *out, enum npy_type type, const int32_t *values, size_t count);

#endif
