/*
 * safetensors_tensor.h - the tensors that the header of a safetensors file describes.
 */
#ifndef COMMON_SAFETENSORS_TENSOR_H
#define COMMON_SAFETENSORS_TENSOR_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* 2^53 - 1: the largest integer that a JSON number holds exactly */
#define SAFETENSORS_LARGEST 9007199254740991.0

enum safetensors_dtype {
    SAFETENSORS_F32,
    SAFETENSORS_F64,
    SAFETENSORS_I32,
    SAFETENSORS_I64,
    SAFETENSORS_U8,
    SAFETENSORS_BF16, /* read, never written by us: published models have some */
    SAFETENSORS_DTYPE_COUNT
};

enum { SAFETENSORS_MAX_RANK = 8 };

/* Bytes of one element, and "F32" etc. */
size_t safetensors_dtype_size(enum safetensors_dtype dtype);
const char *safetensors_dtype_name(enum safetensors_dtype dtype);

struct safetensors_tensor {
    /* borrowed from the file object; in a list to write: the caller's */
    const char *name;
    enum safetensors_dtype dtype;
    int rank; /* 0 to SAFETENSORS_MAX_RANK; rank 0 has one element */
    int64_t dims[SAFETENSORS_MAX_RANK];
    size_t elements;  /* product of dims; computed by the writer */
    size_t bytes;     /* elements * size of dtype; computed by the writer */
    size_t begin;     /* place in the data that was read; unused by the writer */
    const void *data; /* borrowed: in the buffer read; aligned for dtype; NULL: only the
                         header was read */
};

/*
 * Lists the tensors of a header, an object (safetensors_header.h), which size bytes of
 * data follow, in the order of the data. *out is the caller's to free; names belong to
 * the header. ERROR_FORMAT, or afterwards every tensor's dtype, dimensions, offsets and
 * alignment are right, the tensors cover the data without a hole or an overlap, and the
 * metadata are text. name, the file's path, opens every message; it names the tensor
 * and what was expected. ERROR_NOMEM.
 */
int safetensors_tensors_read(struct safetensors_tensor **out, int *count, const cJSON *header,
                             size_t size, const char *name, struct error *err) MUST_CHECK;

#endif
