/* safetensors.c - reads, validates and writes the safetensors format. */
#include "safetensors.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "safetensors_header.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_ALIGNMENT = 64 };
/* 2^53 - 1: the largest integer that a JSON number holds exactly */
#define MAX_EXACT_INTEGER 9007199254740991.0

static const struct {
    const char *name;
    size_t size;
} DTYPES[SAFETENSORS_DTYPE_COUNT] = {
    [SAFETENSORS_F32] = { "F32", 4 }, [SAFETENSORS_F64] = { "F64", 8 },
    [SAFETENSORS_I32] = { "I32", 4 }, [SAFETENSORS_I64] = { "I64", 8 },
    [SAFETENSORS_U8] = { "U8", 1 },   [SAFETENSORS_BF16] = { "BF16", 2 },
};

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

size_t safetensors_dtype_size(enum safetensors_dtype dtype)
{
    return DTYPES[dtype].size;
}

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
    return DTYPES[dtype].name;
}

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

/* Reads an exact integer in [0, 2^53); false: it is none. */
static bool item_to_size(size_t *out, const cJSON *item)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0) ||
        item->valuedouble > MAX_EXACT_INTEGER || item->valuedouble != floor(item->valuedouble))
        return false;
    *out = (size_t)item->valuedouble;
    return true;
}

static int parse_dtype(struct safetensors_tensor *tensor, const cJSON *entry, const char *file,
                       struct error *err)
{
    const char *name;
    char where[ERROR_MESSAGE_SIZE / 2];

    snprintf(where, sizeof where, "%s: tensor \"%.200s\"", file, tensor->name);
    int rc = json_get_string(&name, entry, "dtype", where, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < SAFETENSORS_DTYPE_COUNT; i++)
        if (strcmp(DTYPES[i].name, name) == 0) {
            tensor->dtype = (enum safetensors_dtype)i;
            return 0;
        }
    return error_set(err, ERROR_FORMAT,
                     "%s: dtype is \"%.20s\", expected F32, BF16, F64, I32, I64 or U8", where,
                     name);
}

static int parse_shape(struct safetensors_tensor *tensor, const cJSON *entry, const char *file,
                       struct error *err)
{
    const cJSON *shape = json_member(entry, "shape"), *item;

    if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > SAFETENSORS_MAX_RANK)
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.200s\": shape must be a list of at most %d sizes",
                         file, tensor->name, SAFETENSORS_MAX_RANK);
    tensor->elements = 1;
    cJSON_ArrayForEach(item, shape)
    {
        size_t size;

        if (!item_to_size(&size, item))
            return error_set(
                err, ERROR_FORMAT,
                "%s: tensor \"%.200s\": shape[%d] must be a whole number, 0 or more", file,
                tensor->name, tensor->rank);
        if (__builtin_mul_overflow(tensor->elements, size, &tensor->elements))
            return error_set(err, ERROR_FORMAT, "%s: tensor \"%.200s\": the shape is too large",
                             file, tensor->name);
        tensor->dims[tensor->rank++] = (int64_t)size;
    }
    if (__builtin_mul_overflow(tensor->elements, DTYPES[tensor->dtype].size, &tensor->bytes))
        return error_set(err, ERROR_FORMAT, "%s: tensor \"%.200s\": the shape is too large",
                         file, tensor->name);
    return 0;
}

/* Fills tensor from its header entry; its data must lie within the size bytes at
 * data. */
static int parse_tensor(struct safetensors_tensor *tensor, const cJSON *entry, const char *data,
                        size_t size, const char *file, struct error *err)
{
    const cJSON *offsets = json_member(entry, "data_offsets");
    size_t begin, end;
    int rc;

    tensor->name = entry->string;
    if (!cJSON_IsObject(entry))
        return error_set(err, ERROR_FORMAT, "%s: tensor \"%.200s\" must be an object, not %s",
                         file, tensor->name, json_type_name(entry));
    rc = parse_dtype(tensor, entry, file, err);
    if (rc < 0)
        return rc;
    rc = parse_shape(tensor, entry, file, err);
    if (rc < 0)
        return rc;
    if (!cJSON_IsArray(offsets) || cJSON_GetArraySize(offsets) != 2 ||
        !item_to_size(&begin, cJSON_GetArrayItem(offsets, 0)) ||
        !item_to_size(&end, cJSON_GetArrayItem(offsets, 1)) || begin > end)
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.200s\": data_offsets must be [begin, end]", file,
                         tensor->name);
    if (end > size)
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.200s\" ends at byte %zu of the data, but there are "
                         "only %zu; the file is cut short or damaged",
                         file, tensor->name, end, size);
    if (end - begin != tensor->bytes)
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.200s\" has %zu bytes of data, its shape needs %zu",
                         file, tensor->name, end - begin, tensor->bytes);
    if (begin % DTYPES[tensor->dtype].size != 0)
        return error_set(err, ERROR_FORMAT,
                         "%s: tensor \"%.200s\" starts at byte %zu, not aligned for %s", file,
                         tensor->name, begin, DTYPES[tensor->dtype].name);
    tensor->data = data + begin;
    return 0;
}

static int compare_data(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;

    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int compare_names(const void *a, const void *b)
{
    const struct safetensors_tensor *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* Sorts the tensors by data and checks that they cover it without gaps or overlaps. */
static int check_cover(struct safetensors_file *file, const char *data, size_t size,
                       const char *name, struct error *err)
{
    const char *next = data;

    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_data);
    for (int i = 0; i < file->count; i++) {
        const struct safetensors_tensor *tensor = &file->tensors[i];
        const char *begin = tensor->data;

        if (begin != next)
            return error_set(
                err, ERROR_FORMAT,
                "%s: tensor \"%.200s\" starts at byte %td of the data, expected %td: "
                "tensors %s",
                name, tensor->name, begin - data, next - data,
                begin < next ? "overlap" : "leave a hole");
        next = begin + tensor->bytes;
    }
    if (next != data + size)
        return error_set(err, ERROR_FORMAT,
                         "%s: %td bytes of data belong to no tensor; the file is damaged", name,
                         data + size - next);
    return 0;
}

static int check_metadata(const cJSON *metadata, const char *name, struct error *err)
{
    const cJSON *item;

    if (metadata == NULL)
        return 0;
    if (!cJSON_IsObject(metadata))
        return error_set(err, ERROR_FORMAT, "%s: __metadata__ must be an object", name);
    cJSON_ArrayForEach(item, metadata)
    {
        if (!cJSON_IsString(item))
            return error_set(err, ERROR_FORMAT,
                             "%s: __metadata__ \"%.100s\" must be text, not %s", name,
                             item->string, json_type_name(item));
    }
    return 0;
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
        return error_set(err, ERROR_NOMEM, "%s: cannot allocate %zu bytes", name, size);
    memcpy(file->aligned, *data, size);
    *data = file->aligned;
    return 0;
}

static int parse_tensors(struct safetensors_file *file, const char *data, size_t size,
                         const char *name, struct error *err)
{
    size_t most = (size_t)cJSON_GetArraySize(file->header) + 1;
    const cJSON *entry;
    int rc;

    file->tensors = calloc(most, sizeof *file->tensors);
    file->by_name = calloc(most, sizeof(const struct safetensors_tensor *));
    if (file->tensors == NULL || file->by_name == NULL)
        return error_set(err, ERROR_NOMEM, "%s: cannot allocate the list of tensors", name);
    cJSON_ArrayForEach(entry, file->header)
    {
        if (strcmp(entry->string, "__metadata__") == 0)
            continue;
        rc = parse_tensor(&file->tensors[file->count], entry, data, size, name, err);
        if (rc < 0)
            return rc;
        file->count++;
    }
    rc = check_cover(file, data, size, name, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensors[i];
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
        return error_set(err, ERROR_NOMEM, "%s: cannot allocate", name);
    rc = safetensors_header_parse(&file->header, &used, data, size, name, err);
    if (rc < 0)
        goto out;
    rc = check_metadata(json_member(file->header, "__metadata__"), name, err);
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
    *bytes = DTYPES[tensor->dtype].size;
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
        (double)end > MAX_EXACT_INTEGER)
        return error_set(err, ERROR_FORMAT, "tensor \"%.200s\": the shape is too large",
                         tensor->name);
    if (json_member(header, tensor->name) != NULL || strcmp(tensor->name, "__metadata__") == 0)
        return error_set(err, ERROR_FORMAT,
                         "tensor \"%.200s\" is given twice or its name is taken", tensor->name);
    if (*offset % DTYPES[tensor->dtype].size != 0)
        return error_set(
            err, ERROR_FORMAT,
            "tensor \"%.200s\" would not be aligned for %s; give wider types first",
            tensor->name, DTYPES[tensor->dtype].name);
    entry = cJSON_AddObjectToObject(header, tensor->name);
    if (entry == NULL ||
        cJSON_AddStringToObject(entry, "dtype", DTYPES[tensor->dtype].name) == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate a safetensors header");
    shape = cJSON_AddArrayToObject(entry, "shape");
    for (int i = 0; shape != NULL && i < tensor->rank; i++)
        if (!cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensor->dims[i])))
            shape = NULL;
    offsets = cJSON_AddArrayToObject(entry, "data_offsets");
    if (shape == NULL || offsets == NULL ||
        !cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)*offset)) ||
        !cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)end)))
        return error_set(err, ERROR_NOMEM, "cannot allocate a safetensors header");
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
    return object == NULL ? error_set(err, ERROR_NOMEM, "cannot allocate a safetensors header")
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
        return error_set(err, ERROR_NOMEM, "cannot allocate a safetensors header");
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
        rc = error_set(err, ERROR_NOMEM, "cannot allocate a safetensors header");
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
