/* safetensors_tensor.c - takes the tensors out of a header and checks each. */
#include "safetensors_tensor.h"

#include "error.h"
#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} DTYPES[SAFETENSORS_DTYPE_COUNT] = {
    [SAFETENSORS_F32] = { "F32", 4 }, [SAFETENSORS_F64] = { "F64", 8 },
    [SAFETENSORS_I32] = { "I32", 4 }, [SAFETENSORS_I64] = { "I64", 8 },
    [SAFETENSORS_U8] = { "U8", 1 },   [SAFETENSORS_BF16] = { "BF16", 2 },
};

size_t safetensors_dtype_size(enum safetensors_dtype dtype)
{
    return DTYPES[dtype].size;
}

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
    return DTYPES[dtype].name;
}

/* Reads an exact integer in [0, 2^53); false: it is none. */
static bool item_to_size(size_t *out, const cJSON *item)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0.0) ||
        item->valuedouble > SAFETENSORS_LARGEST ||
        item->valuedouble != floor(item->valuedouble))
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

/* Fills tensor from its header entry; its data must lie within size bytes. */
static int parse_tensor(struct safetensors_tensor *tensor, const cJSON *entry, size_t size,
                        const char *file, struct error *err)
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
    tensor->begin = begin;
    return 0;
}

static int compare_places(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Sorts the tensors by place and checks that they cover the data without gaps or
 * overlaps. */
static int check_cover(struct safetensors_tensor *tensors, int count, size_t size,
                       const char *name, struct error *err)
{
    size_t next = 0;

    qsort(tensors, (size_t)count, sizeof *tensors, compare_places);
    for (int i = 0; i < count; i++) {
        const struct safetensors_tensor *tensor = &tensors[i];

        if (tensor->begin != next)
            return error_set(
                err, ERROR_FORMAT,
                "%s: tensor \"%.200s\" starts at byte %zu of the data, expected %zu: "
                "tensors %s",
                name, tensor->name, tensor->begin, next,
                tensor->begin < next ? "overlap" : "leave a hole");
        next += tensor->bytes;
    }
    if (next != size)
        return error_set(err, ERROR_FORMAT,
                         "%s: %zu bytes of data belong to no tensor; the file is damaged", name,
                         size - next);
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

int safetensors_tensors_read(struct safetensors_tensor **out, int *count, const cJSON *header,
                             size_t size, const char *name, struct error *err)
{
    struct safetensors_tensor *tensors =
        calloc((size_t)cJSON_GetArraySize(header) + 1, sizeof *tensors);
    int rc = tensors == NULL
                 ? error_set(err, ERROR_NOMEM, "%s: no memory for the list of tensors", name)
                 : check_metadata(json_member(header, "__metadata__"), name, err);
    int found = 0;

    *out = NULL;
    *count = 0;
    for (const cJSON *entry = header->child; entry != NULL && rc == 0; entry = entry->next)
        if (strcmp(entry->string, "__metadata__") != 0)
            rc = parse_tensor(&tensors[found++], entry, size, name, err);
    if (rc == 0)
        rc = check_cover(tensors, found, size, name, err);
    if (rc < 0) {
        free(tensors);
        return rc;
    }
    *out = tensors;
    *count = found;
    return 0;
}
