/* checkpoint.c - writes and loads the state of a training. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_header.h"
#include "engine.h"
#include "error.h"
#include "file.h"
#include "safetensors.h"

#define SIZE_LIMIT ((size_t)64 << 30)

/* The engine's states in the order of the file: wider types first, so that each is
 * aligned. */
struct listing {
    struct engine_state *states;
    int *indices; /* of the engine */
    int count;
    void *scratch; /* size of the largest state */
};

static void listing_release(struct listing *listing)
{
    free(listing->states);
    free(listing->indices);
    free(listing->scratch);
    *listing = (struct listing){ 0 };
}

static bool is_weights(const struct engine_state *state)
{
    return state->kind == ENGINE_PARAMETER || state->kind == ENGINE_BUFFER ||
           state->kind == ENGINE_AVERAGE;
}

static int listing_init(struct listing *out, const struct engine *engine, bool weights_only,
                        struct error *err)
{
    static const enum engine_dtype ORDER[] = { ENGINE_I64, ENGINE_F32, ENGINE_I32, ENGINE_U8 };
    size_t total = (size_t)engine_state_count(engine), largest = 1;

    *out = (struct listing){ .states = calloc(total + 1, sizeof *out->states),
                             .indices = calloc(total + 1, sizeof *out->indices) };
    for (size_t t = 0; out->states != NULL && out->indices != NULL && t < 4; t++)
        for (int i = 0; i < (int)total; i++) {
            struct engine_state *state = &out->states[out->count];

            engine_state_describe(engine, i, state);
            if (state->dtype != ORDER[t] || (weights_only && !is_weights(state)))
                continue;
            if (state->bytes > largest)
                largest = state->bytes;
            out->indices[out->count++] = i;
        }
    out->scratch = malloc(largest);
    if (out->states != NULL && out->indices != NULL && out->scratch != NULL)
        return 0;
    listing_release(out);
    return error_set(err, ERROR_NOMEM, "out of memory for a checkpoint (%zu MiB)",
                     largest >> 20);
}

static enum safetensors_dtype file_dtype(enum engine_dtype dtype)
{
    switch (dtype) {
    case ENGINE_F32:
        return SAFETENSORS_F32;
    case ENGINE_I32:
        return SAFETENSORS_I32;
    case ENGINE_I64:
        return SAFETENSORS_I64;
    case ENGINE_U8:
        return SAFETENSORS_U8;
    }
    return SAFETENSORS_DTYPE_COUNT;
}

/* Adds every tensor of the listing, or only the weights, to hash. */
static void hash_tensors(struct hash_state *hash, const struct engine *engine,
                         const struct listing *listing, bool weights_only)
{
    for (int i = 0; i < listing->count; i++) {
        const struct engine_state *state = &listing->states[i];

        if (weights_only && !is_weights(state))
            continue;
        engine_state_get(engine, listing->indices[i], listing->scratch);
        hash_add(hash, listing->scratch, state->bytes);
    }
}

static void hash_weights(char weights_hash[HASH_HEX_SIZE], const struct engine *engine,
                         const struct listing *listing)
{
    struct hash_state hash;

    hash_init(&hash);
    hash_tensors(&hash, engine, listing, true);
    hash_final_hex(&hash, weights_hash);
}

int checkpoint_weights_hash(char weights_hash[HASH_HEX_SIZE], const struct engine *engine,
                            struct error *err)
{
    struct listing listing;
    int rc = listing_init(&listing, engine, true, err);

    if (rc < 0)
        return rc;
    hash_weights(weights_hash, engine, &listing);
    listing_release(&listing);
    return 0;
}

static int build_header(char **header, size_t *size, const struct listing *listing,
                        const struct safetensors_pair *metadata, int pairs, struct error *err)
{
    struct safetensors_tensor *tensors = calloc((size_t)listing->count + 1, sizeof *tensors);
    size_t total = 0;
    int rc;

    if (tensors == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a checkpoint's header");
    for (int i = 0; i < listing->count; i++) {
        const struct engine_state *state = &listing->states[i];

        tensors[i].name = state->name;
        tensors[i].dtype = file_dtype(state->dtype);
        tensors[i].rank = state->rank;
        for (int k = 0; k < state->rank; k++)
            tensors[i].dims[k] = state->dims[k];
    }
    rc = safetensors_build_header(header, size, &total, tensors, listing->count, metadata,
                                  pairs, err);
    free(tensors);
    return rc;
}

/* Writes the header and every tensor to path and syncs the file. */
static int write_file(const char *path, const char *header, size_t header_size,
                      const struct engine *engine, const struct listing *listing,
                      struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc;

    if (fd < 0)
        return error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
    rc = file_write_all(fd, header, header_size, path, err);
    for (int i = 0; rc == 0 && i < listing->count; i++) {
        engine_state_get(engine, listing->indices[i], listing->scratch);
        rc = file_write_all(fd, listing->scratch, listing->states[i].bytes, path, err);
    }
    if (rc == 0 && fsync(fd) < 0)
        rc = error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
    if (close(fd) < 0 && rc == 0)
        rc = error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
    return rc;
}

/* The directory that contains path. Newly allocated. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? strndup(path, (size_t)(slash - path) + (slash == path))
                         : strdup(".");
}

/* Writes a temporary file, then renames it. */
static int replace_file(const char *path, const char *header, size_t header_size,
                        const struct engine *engine, const struct listing *listing,
                        struct error *err)
{
    char *aside = format_string("%s.new", path), *directory = directory_of(path);
    int rc = 0;

    if (aside == NULL || directory == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for a path");
    if (rc == 0) {
        rc = write_file(aside, header, header_size, engine, listing, err);
        if (rc == 0 && rename(aside, path) < 0)
            rc = error_set(err, error_code_from_errno(errno), "%s: %s", path, strerror(errno));
        if (rc < 0)
            unlink(aside);
    }
    if (rc == 0)
        rc = file_sync_directory(directory, err);
    free(directory);
    free(aside);
    return rc;
}

int checkpoint_write(char weights_hash[HASH_HEX_SIZE], const struct engine *engine,
                     const char *path, const char *run_hash, int64_t step, bool final,
                     const char *position, struct error *err)
{
    struct listing listing;
    struct hash_state state;
    char checksum[HASH_HEX_SIZE], step_text[32], *header = NULL;
    struct safetensors_pair metadata[CHECKPOINT_TEXT_COUNT];
    size_t header_size = 0;
    int rc = listing_init(&listing, engine, final, err);

    if (rc < 0)
        return rc;
    snprintf(step_text, sizeof step_text, "%lld", (long long)step);
    hash_weights(weights_hash, engine, &listing);
    const char *const texts[CHECKPOINT_TEXT_COUNT] = {
        [CHECKPOINT_TEXT_FORMAT] = CHECKPOINT_FORMAT,
        [CHECKPOINT_TEXT_RUN_HASH] = run_hash,
        [CHECKPOINT_TEXT_STEP] = step_text,
        [CHECKPOINT_TEXT_FINAL] = final ? "true" : "false",
        [CHECKPOINT_TEXT_POSITION] = position,
        [CHECKPOINT_TEXT_KERNEL_SET] = engine_kernel_set(),
        [CHECKPOINT_TEXT_WEIGHTS_HASH] = weights_hash,
        [CHECKPOINT_TEXT_CHECKSUM] = checksum,
    };
    checkpoint_checksum_begin(&state, texts);
    hash_tensors(&state, engine, &listing, false);
    hash_final_hex(&state, checksum);
    for (int i = 0; i < CHECKPOINT_TEXT_COUNT; i++)
        metadata[i] = (struct safetensors_pair){ checkpoint_text_keys[i], texts[i] };
    rc = build_header(&header, &header_size, &listing, metadata, CHECKPOINT_TEXT_COUNT, err);
    if (rc == 0)
        rc = replace_file(path, header, header_size, engine, &listing, err);
    free(header);
    listing_release(&listing);
    return rc;
}

/* Checks format, run and checksum; fills *out. */
int checkpoint_read_facts(struct checkpoint_facts *out, const struct safetensors_file *file,
                          const char *path, const char *run_hash, struct error *err)
{
    const char *texts[CHECKPOINT_TEXT_COUNT];
    struct hash_state state;
    char checksum[HASH_HEX_SIZE];
    int rc = checkpoint_header_texts(texts, safetensors_header(file), path, err);

    if (rc == 0 && strcmp(texts[CHECKPOINT_TEXT_RUN_HASH], run_hash) != 0)
        rc = error_set(err, ERROR_DAMAGED, "%s: belongs to run %.12s, not to %.12s", path,
                       texts[CHECKPOINT_TEXT_RUN_HASH], run_hash);
    if (rc == 0)
        rc = checkpoint_header_step(&out->step, texts[CHECKPOINT_TEXT_STEP], path, err);
    if (rc < 0)
        return rc;
    checkpoint_checksum_begin(&state, texts);
    for (int i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);

        hash_add(&state, tensor->data, tensor->bytes);
    }
    hash_final_hex(&state, checksum);
    if (strcmp(checksum, texts[CHECKPOINT_TEXT_CHECKSUM]) != 0)
        return error_set(err, ERROR_DAMAGED, "%s: its checksum does not match its content",
                         path);
    out->final = strcmp(texts[CHECKPOINT_TEXT_FINAL], "true") == 0;
    out->position = strdup(texts[CHECKPOINT_TEXT_POSITION]);
    snprintf(out->weights_hash, sizeof out->weights_hash, "%s",
             texts[CHECKPOINT_TEXT_WEIGHTS_HASH]);
    snprintf(out->kernel_set, sizeof out->kernel_set, "%s", texts[CHECKPOINT_TEXT_KERNEL_SET]);
    if (out->position == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a checkpoint's position");
    return 0;
}

static int check_tensor(const struct safetensors_file *file, const struct engine *engine,
                        int index, const char *path, struct error *err)
{
    struct engine_state description;
    const struct engine_state *state = &description;

    engine_state_describe(engine, index, &description);
    const struct safetensors_tensor *tensor = safetensors_find(file, state->name);

    if (tensor == NULL)
        return error_set(err, ERROR_DAMAGED, "%s: tensor %s is missing", path, state->name);
    bool fits = tensor->dtype == file_dtype(state->dtype) && tensor->rank == state->rank &&
                tensor->bytes == state->bytes;
    for (int k = 0; fits && k < state->rank; k++)
        fits = tensor->dims[k] == state->dims[k];
    if (!fits)
        return error_set(err, ERROR_DAMAGED,
                         "%s: tensor %s has another type or shape than this model's", path,
                         state->name);
    if (!engine_state_fits(engine, index, tensor->data))
        return error_set(err, ERROR_DAMAGED, "%s: tensor %s has a number that is out of bounds",
                         path, state->name);
    return 0;
}

int checkpoint_load(struct checkpoint_facts *out, struct engine *engine, const char *path,
                    const char *run_hash, enum checkpoint_part part, struct error *err)
{
    struct safetensors_file *file = NULL;
    struct listing listing = { 0 };
    int rc;

    *out = (struct checkpoint_facts){ 0 };
    rc = safetensors_read(&file, path, SIZE_LIMIT, err);
    if (rc == ERROR_FORMAT) {
        rc = ERROR_DAMAGED;
        if (err != NULL)
            err->code = ERROR_DAMAGED;
    }
    if (rc == 0)
        rc = checkpoint_read_facts(out, file, path, run_hash, err);
    if (rc == 0)
        rc = listing_init(&listing, engine, out->final || part == CHECKPOINT_WEIGHTS, err);
    for (int i = 0; rc == 0 && i < listing.count; i++)
        rc = check_tensor(file, engine, listing.indices[i], path, err);
    for (int i = 0; rc == 0 && i < listing.count; i++)
        engine_state_set(engine, listing.indices[i],
                         safetensors_find(file, listing.states[i].name)->data);
    listing_release(&listing);
    safetensors_destroy(file);
    if (rc < 0)
        checkpoint_facts_release(out);
    return rc;
}

void checkpoint_facts_release(struct checkpoint_facts *facts)
{
    free(facts->position);
    *facts = (struct checkpoint_facts){ 0 };
}
