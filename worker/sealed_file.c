/* sealed_file.c - checksums over metadata and tensors. */
#include "sealed_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hash.h"
#include "json.h"

/* SHA-256 of the words, the run's hash and all tensors. */
static void checksum(char hex[HASH_HEX_SIZE], const struct seal *seal,
                     const struct safetensors_tensor *const *tensors, int count)
{
    struct hash_state state;

    hash_init(&state);
    hash_add(&state, seal->words, strlen(seal->words));
    hash_add(&state, seal->run_hash, strlen(seal->run_hash));
    for (int i = 0; i < count; i++)
        hash_add(&state, tensors[i]->data, tensors[i]->bytes);
    hash_final_hex(&state, hex);
}

/* Header and tensors in one block. */
static char *join(const char *header, size_t header_size, size_t size,
                  const struct safetensors_tensor *tensors, int count)
{
    char *whole = malloc(size), *to = whole;

    if (whole == NULL)
        return NULL;
    memcpy(to, header, header_size);
    to += header_size;
    for (int i = 0; i < count; i++) {
        memcpy(to, tensors[i].data, tensors[i].bytes);
        to += tensors[i].bytes;
    }
    return whole;
}

int sealed_file_write(const char *path, const struct safetensors_tensor *tensors, int count,
                      const struct safetensors_pair *pairs, int pair_count,
                      const struct seal *seal, struct error *err)
{
    struct safetensors_pair all[SEALED_PAIRS + 1];
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    char hex[HASH_HEX_SIZE], *header = NULL, *whole = NULL;
    size_t header_size = 0, size = 0;

    assert(pair_count <= SEALED_PAIRS);
    if (list == NULL)
        return error_no_memory(err, "the predictions");
    for (int i = 0; i < count; i++)
        list[i] = &tensors[i];
    checksum(hex, seal, list, count);
    free(list);
    memcpy(all, pairs, (size_t)pair_count * sizeof *pairs);
    all[pair_count] = (struct safetensors_pair){ "checksum", hex };
    int rc = safetensors_build_header(&header, &header_size, &size, tensors, count, all,
                                      pair_count + 1, err);
    if (rc == 0) {
        whole = join(header, header_size, size, tensors, count);
        rc = whole == NULL ? error_no_memory(err, "the predictions")
                           : file_write_atomic(path, whole, size, err);
    }
    free(whole);
    free(header);
    return rc;
}

const char *sealed_file_text(const struct safetensors_file *file, const char *key)
{
    const cJSON *text = json_member(json_member(safetensors_header(file), "__metadata__"), key);

    return cJSON_IsString(text) ? text->valuestring : "";
}

bool sealed_file_is_sound(const struct safetensors_file *file, const char *format,
                          const struct seal *seal)
{
    int count = safetensors_count(file);
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    char hex[HASH_HEX_SIZE] = "";

    for (int i = 0; i < count && list != NULL; i++)
        list[i] = safetensors_at(file, i);
    if (list != NULL)
        checksum(hex, seal, list, count);
    free(list);
    return strcmp(sealed_file_text(file, "format"), format) == 0 &&
           strcmp(sealed_file_text(file, "run_hash"), seal->run_hash) == 0 &&
           strcmp(sealed_file_text(file, "checksum"), hex) == 0;
}

const void *sealed_file_data(const struct safetensors_file *file, const char *name,
                             enum safetensors_dtype dtype, size_t elements)
{
    const struct safetensors_tensor *tensor = safetensors_find(file, name);

    return tensor != NULL && tensor->dtype == dtype && tensor->elements == elements
               ? tensor->data
               : NULL;
}
