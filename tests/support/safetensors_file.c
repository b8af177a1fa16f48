/* safetensors_file.c - whole safetensors files made of tensors in memory, and their metadata. */
#include "support/safetensors_file.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a tensor's data; its header entry has been built, so they do not overflow. */
static size_t data_bytes(const struct safetensors_tensor *tensor)
{
    size_t bytes = safetensors_dtype_size(tensor->dtype);

    for (int i = 0; i < tensor->rank; i++)
        bytes *= (size_t)tensor->dims[i];
    return bytes;
}

int safetensors_build(char **file, size_t *size, const struct safetensors_tensor *tensors,
                      int count, const struct safetensors_pair *metadata, int pairs,
                      struct error *err)
{
    char *header = NULL, *bytes;
    size_t header_size = 0, total = 0, at, length;
    int rc;

    *file = NULL;
    rc = safetensors_build_header(&header, &header_size, &total, tensors, count, metadata,
                                  pairs, err);
    if (rc < 0)
        return rc;
    bytes = realloc(header, total);
    if (bytes == NULL) {
        free(header);
        return error_set(err, ERROR_NOMEM, "cannot allocate a safetensors file of %zu bytes",
                         total);
    }
    at = header_size;
    for (int i = 0; i < count; i++) {
        length = data_bytes(&tensors[i]);
        if (length > 0)
            memcpy(bytes + at, tensors[i].data, length);
        at += length;
    }
    *file = bytes;
    *size = total;
    return 0;
}

int safetensors_write(int fd, const char *path, const struct safetensors_tensor *tensors,
                      int count, const struct safetensors_pair *metadata, int pairs,
                      struct error *err)
{
    char *header = NULL;
    size_t header_size = 0, total = 0, length;
    int rc;

    rc = safetensors_build_header(&header, &header_size, &total, tensors, count, metadata,
                                  pairs, err);
    if (rc < 0)
        return error_prefix(err, "%s", path);
    rc = file_write_all(fd, header, header_size, path, err);
    for (int i = 0; rc == 0 && i < count; i++) {
        length = data_bytes(&tensors[i]);
        rc = file_write_all(fd, tensors[i].data, length, path, err);
    }
    free(header);
    return rc;
}

const char *safetensors_metadata(const struct safetensors_file *file, const char *key)
{
    const cJSON *metadata = json_member(safetensors_header(file), "__metadata__");
    const cJSON *item = json_member(metadata, key);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}
