/* sealed_file.c - checksums over metadata and tensors. */
#include "sealed_file.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "hash.h"
#include "json.h"

#define SIZE_LIMIT ((size_t)16 << 30)

/* SHA-256 of the texts that the kind covers, the run's hash and all tensors. */
static void checksum(char hex[HASH_HEX_SIZE], const char *const *texts, int text_count,
                     const char *run_hash, const struct safetensors_tensor *const *tensors,
                     int count)
{
    struct hash_state state;

    hash_init(&state);
    for (int i = 0; i < text_count; i++) {
        if (i > 0)
            hash_add(&state, "\n", 1);
        hash_add(&state, texts[i], strlen(texts[i]));
    }
    hash_add(&state, run_hash, strlen(run_hash));
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

/* The text of that key; "" if there is none. */
static const char *text_of(const struct safetensors_pair *pairs, int count, const char *key)
{
    for (int i = 0; i < count; i++)
        if (strcmp(pairs[i].key, key) == 0)
            return pairs[i].value;
    return "";
}

/* The checksum of a file to be written. ERROR_NOMEM. */
static int seal(char hex[HASH_HEX_SIZE], const struct sealed_kind *kind, const char *run_hash,
                const struct safetensors_tensor *tensors, int count,
                const struct safetensors_pair *pairs, int pair_count, struct error *err)
{
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    const char *texts[SEALED_PAIRS];
    int text_count = 0;

    if (list == NULL)
        return error_no_memory(err, "the predictions");
    for (int i = 0; i < count; i++)
        list[i] = &tensors[i];
    for (; text_count < SEALED_PAIRS && kind->covered[text_count] != NULL; text_count++)
        texts[text_count] = text_of(pairs, pair_count, kind->covered[text_count]);
    checksum(hex, texts, text_count, run_hash, list, count);
    free(list);
    return 0;
}

int sealed_file_write(const char *path, const struct sealed_kind *kind, const char *run_hash,
                      const struct safetensors_tensor *tensors, int count,
                      const struct safetensors_pair *pairs, int pair_count, struct error *err)
{
    struct safetensors_pair all[SEALED_PAIRS + 3] = { { "format", kind->format },
                                                      { "run_hash", run_hash } };
    char hex[HASH_HEX_SIZE], *header = NULL, *whole = NULL;
    size_t header_size = 0, size = 0;

    assert(pair_count <= SEALED_PAIRS);
    memcpy(all + 2, pairs, (size_t)pair_count * sizeof *pairs);
    all[pair_count + 2] = (struct safetensors_pair){ "checksum", hex };
    int rc = seal(hex, kind, run_hash, tensors, count, pairs, pair_count, err);
    if (rc == 0)
        rc = safetensors_build_header(&header, &header_size, &size, tensors, count, all,
                                      pair_count + 3, err);
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

/* *sound: its metadata name the kind and the run, and the checksum is right.
 * ERROR_NOMEM. */
static int check(bool *sound, const struct safetensors_file *file,
                 const struct sealed_kind *kind, const char *run_hash, struct error *err)
{
    int count = safetensors_count(file), text_count = 0;
    const struct safetensors_tensor **list = calloc((size_t)count + 1, sizeof(void *));
    const char *texts[SEALED_PAIRS];
    char hex[HASH_HEX_SIZE];

    *sound = false;
    if (list == NULL)
        return error_no_memory(err, "the predictions");
    for (int i = 0; i < count; i++)
        list[i] = safetensors_at(file, i);
    for (; text_count < SEALED_PAIRS && kind->covered[text_count] != NULL; text_count++)
        texts[text_count] = sealed_file_text(file, kind->covered[text_count]);
    checksum(hex, texts, text_count, run_hash, list, count);
    free(list);
    *sound = strcmp(sealed_file_text(file, "format"), kind->format) == 0 &&
             strcmp(sealed_file_text(file, "run_hash"), run_hash) == 0 &&
             strcmp(sealed_file_text(file, "checksum"), hex) == 0;
    return 0;
}

int sealed_file_read(struct safetensors_file **out, const char *path,
                     const struct sealed_kind *kind, const char *run_hash, struct error *err)
{
    bool sound;
    int rc = safetensors_read(out, path, SIZE_LIMIT, err);

    if (rc == ERROR_FORMAT)
        return error_set(err, ERROR_DAMAGED, "%s: it is no whole file of predictions", path);
    if (rc < 0)
        return rc;
    rc = check(&sound, *out, kind, run_hash, err);
    if (rc == 0 && !sound)
        rc = error_set(err, ERROR_DAMAGED,
                       "%s: not the predictions of this run, or its checksum does not match",
                       path);
    if (rc < 0) {
        safetensors_destroy(*out);
        *out = NULL;
    }
    return rc;
}

int sealed_file_contradicts(const char *path, struct error *err)
{
    return error_set(err, ERROR_DAMAGED, "%s: its parts contradict each other", path);
}

const void *sealed_file_data(const struct safetensors_file *file, const char *name,
                             enum safetensors_dtype dtype, size_t elements)
{
    const struct safetensors_tensor *tensor = safetensors_find(file, name);

    return tensor != NULL && tensor->dtype == dtype && tensor->elements == elements
               ? tensor->data
               : NULL;
}
