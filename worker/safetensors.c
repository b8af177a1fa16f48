/* safetensors.c - reads and writes the safetensors format. */
#include "safetensors.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "safetensors_header.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_ALIGNMENT = 64 };

struct safetensors_file {
    /* owned; names and metadata live in it */
    cJSON *header;
    /* (count) in the order of the data; owned */
    struct safetensors_tensor *tensors;
    const struct safetensors_tensor **by_name; /* (count) sorted; owned */
    int count;
    /* owned; a copy of the data if it was misaligned in the file, else NULL */
    char *aligned;
    char *bytes; /* owned; the whole file if safetensors_read() read it, else NULL */
};

const float *safetensors_floats(const struct safetensors_tensor *tensor, float *scratch)
{
    const uint16_t *halves = tensor->data;

    if (tensor->dtype == SAFETENSORS_F32)
        return tensor->data;
    if (tensor->dtype != SAFETENSORS_BF16)
        return NULL;
    for (size_t i = 0; i < tensor->elements; i++) {
        uint32_t bits = (uint32_t)halves[i] << 16; /* the upper half of a float32 */

        memcpy(&scratch[i], &bits, sizeof bits);
    }
    return scratch;
}

static int compare_names(const void *a, const void *b)
{
    const struct safetensors_tensor *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* Copies the data if the header's length leaves it misaligned: elements are accessed
 * in place. */
static int align_data(struct safetensors_file *file, const char **data, size_t size,
                      const char *name, struct error *err)
{
    if ((uintptr_t)*data % SAFETENSORS_LENGTH_BYTES == 0 || size == 0)
        return 0;
    file->aligned = malloc(size);
    if (file->aligned == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory for %zu bytes", name, size);
    memcpy(file->aligned, *data, size);
    *data = file->aligned;
    return 0;
}

static int parse_tensors(struct safetensors_file *file, const char *data, size_t size,
                         const char *name, struct error *err)
{
    int rc =
        safetensors_tensors_read(&file->tensors, &file->count, file->header, size, name, err);

    if (rc < 0)
        return rc;
    file->by_name = calloc((size_t)file->count + 1, sizeof(const struct safetensors_tensor *));
    if (file->by_name == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory for the list of tensors", name);
    for (int i = 0; i < file->count; i++) {
        file->tensors[i].data = data + file->tensors[i].begin;
        file->by_name[i] = &file->tensors[i];
    }
    qsort(file->by_name, (size_t)file->count, sizeof *file->by_name, compare_names);
    return 0;
}

int safetensors_parse(struct safetensors_file **out, const void *data, size_t size,
                      const char *name, struct error *err)
{
    struct safetensors_file *file = NULL;
    const char *body = data;
    size_t used = 0;
    int rc;

    *out = NULL;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        return error_set(err, ERROR_NOMEM, "%s: no memory", name);
    rc = safetensors_header_parse(&file->header, &used, data, size, name, err);
    if (rc < 0)
        goto out;
    body += used;
    rc = align_data(file, &body, size - used, name, err);
    if (rc < 0)
        goto out;
    rc = parse_tensors(file, body, size - used, name, err);
    if (rc < 0)
        goto out;
    *out = file;
    file = NULL;
out:
    safetensors_destroy(file);
    return rc;
}

int safetensors_read(struct safetensors_file **out, const char *path, size_t limit,
                     struct error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    int rc;

    *out = NULL;
    rc = file_read(&bytes, &size, path, limit, err);
    if (rc < 0)
        return rc;
    rc = safetensors_parse(out, bytes, size, path, err);
    if (rc < 0) {
        free(bytes);
        return rc;
    }
    (*out)->bytes = bytes;
    return 0;
}

void safetensors_destroy(struct safetensors_file *file)
{
    if (file == NULL)
        return;
    cJSON_Delete(file->header);
    free(file->tensors);
    free(file->by_name);
    free(file->aligned);
    free(file->bytes);
    free(file);
}

int safetensors_count(const struct safetensors_file *file)
{
    return file->count;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors_file *file, int i)
{
    return &file->tensors[i];
}

const struct safetensors_tensor *safetensors_find(const struct safetensors_file *file,
                                                  const char *name)
{
    int low = 0, high = file->count;

    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(name, file->by_name[middle]->name);

        if (order == 0)
            return file->by_name[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const cJSON *safetensors_header(const struct safetensors_file *file)
{
    return file->header;
}

/* Computes the bytes of a tensor from its dtype and dims; false: overflow. */
static bool tensor_bytes(size_t *bytes, const struct safetensors_tensor *tensor)
{
    *bytes = safetensors_dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->dims[i] < 0 ||
            __builtin_mul_overflow(*bytes, (size_t)tensor->dims[i], bytes))
            return false;
    return true;
}

/* Adds tensor's entry to header and advances *offset by its bytes. */
static int header_add_tensor(cJSON *header, size_t *offset,
                             const struct safetensors_tensor *tensor, struct error *err)
{
    cJSON *entry, *shape, *offsets;
    size_t bytes, end;

    if (tensor->rank < 0 || tensor->rank > SAFETENSORS_MAX_RANK ||
        !tensor_bytes(&bytes, tensor) || __builtin_add_overflow(*offset, bytes, &end) ||
        (double)end > SAFETENSORS_LARGEST)
        return error_set(err, ERROR_FORMAT, "tensor \"%.200s\": the shape is too large",
                         tensor->name);
    if (json_member(header, tensor->name) != NULL || strcmp(tensor->name, "__metadata__") == 0)
        return error_set(err, ERROR_FORMAT,
                         "tensor \"%.200s\" is given twice or its name is taken", tensor->name);
    if (*offset % safetensors_dtype_size(tensor->dtype) != 0)
        return error_set(
            err, ERROR_FORMAT,
            "tensor \"%.200s\" would not be aligned for %s; give wider types first",
            tensor->name, safetensors_dtype_name(tensor->dtype));
    entry = cJSON_AddObjectToObject(header, tensor->name);
    if (entry == NULL ||
        cJSON_AddStringToObject(entry, "dtype", safetensors_dtype_name(tensor->dtype)) == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a safetensors header");
    shape = cJSON_AddArrayToObject(entry, "shape");
    for (int i = 0; shape != NULL && i < tensor->rank; i++)
        if (!cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->dims[i])))
            shape = NULL;
    offsets = cJSON_AddArrayToObject(entry, "data_offsets");
    if (shape == NULL || offsets == NULL ||
        !cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*offset)) ||
        !cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)end)))
        return error_set(err, ERROR_NOMEM, "no memory for a safetensors header");
    *offset = end;
    return 0;
}

static int header_add_metadata(cJSON *header, const struct safetensors_pair *metadata,
                               int pairs, struct error *err)
{
    cJSON *object;

    if (pairs == 0)
        return 0;
    object = cJSON_AddObjectToObject(header, "__metadata__");
    for (int i = 0; object != NULL && i < pairs; i++)
        if (cJSON_AddStringToObject(object, metadata[i].key, metadata[i].value) == NULL)
            object = NULL;
    return object == NULL ? error_set(err, ERROR_NOMEM, "no memory for a safetensors header")
                          : 0;
}

int safetensors_build_header(char **header, size_t *header_size, size_t *total,
                             const struct safetensors_tensor *tensors, int count,
                             const struct safetensors_pair *metadata, int pairs,
                             struct error *err)
{
    cJSON *json = NULL;
    char *text = NULL, *bytes = NULL;
    size_t data_size = 0;
    int rc;

    *header = NULL;
    json = cJSON_CreateObject();
    if (json == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a safetensors header");
    rc = header_add_metadata(json, metadata, pairs, err);
    for (int i = 0; rc == 0 && i < count; i++)
        rc = header_add_tensor(json, &data_size, &tensors[i], err);
    if (rc < 0)
        goto out;
    text = cJSON_PrintUnformatted(json);
    size_t length = text == NULL ? 0 : strlen(text);
    size_t padded = (SAFETENSORS_LENGTH_BYTES + length + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT *
                    DATA_ALIGNMENT;
    bytes = text == NULL ? NULL : malloc(padded);
    if (bytes == NULL) {
        rc = error_set(err, ERROR_NOMEM, "no memory for a safetensors header");
        goto out;
    }
    memset(bytes, ' ', padded);
    memcpy(bytes + SAFETENSORS_LENGTH_BYTES, text, length);
    for (int i = 0; i < SAFETENSORS_LENGTH_BYTES; i++)
        bytes[i] =
            (char)(unsigned char)((uint64_t)(padded - SAFETENSORS_LENGTH_BYTES) >> (8 * i) &
                                  0xff);
    *header = bytes;
    *header_size = padded;
    *total = padded + data_size;
out:
    cJSON_free(text);
    cJSON_Delete(json);
    return rc;
}
