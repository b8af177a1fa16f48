/* checkpoint.c - writes and loads a training's state. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "error.h"
#include "file.h"
#include "safetensors.h"

#define FORMAT "hrmlab-checkpoint-1"
#define SIZE_LIMIT ((size_t)64 << 30)

/* The engine's states in the order of the file: wider types first, so that each is aligned. */
struct listing {
    struct engine_state *states;
    int *indices; /* of the engine */
    int count;
    void *scratch; /* as large as the largest */
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
    return state->kind == ENGINE_PARAMETER || state->kind == ENGINE_BUFFER;
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

/* The texts of the metadata, in the order in which the checksum covers them. */
enum { FORMAT_TEXT, RUN_HASH, STEP, FINAL, POSITION, KERNEL_SET, WEIGHTS_HASH, COVERED };
enum { CHECKSUM = COVERED, TEXT_COUNT };
static const char *const KEYS[TEXT_COUNT] = { "format",       "run_hash", "step",
                                              "final",        "position", "kernel_set",
                                              "weights_hash", "checksum" };

static void start_checksum(struct hash_state *state, const char *const texts[COVERED])
{
    hash_init(state);
    for (int i = 0; i < COVERED; i++) {
        hash_add(state, texts[i], strlen(texts[i]));
        hash_add(state, "\n", 1);
    }
}

/* Adds every tensor of the listing, or the weights among them, to hash. */
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

/* The header and every tensor into path, synced. */
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

/* The directory that path is in. Fresh. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? strndup(path, (size_t)(slash - path) + (slash == path))
                         : strdup(".");
}

/* Writes aside, then puts in place. */
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
    struct safetensors_pair metadata[TEXT_COUNT];
    size_t header_size = 0;
    int rc = listing_init(&listing, engine, final, err);

    if (rc < 0)
        return rc;
    snprintf(step_text, sizeof step_text, "%lld", (long long)step);
    hash_weights(weights_hash, engine, &listing);
    const char *const texts[TEXT_COUNT] = {
        FORMAT,       run_hash,
        step_text,    final ? "true" : "false",
        position,     engine_kernel_set(),
        weights_hash, checksum,
    };
    start_checksum(&state, texts);
    hash_tensors(&state, engine, &listing, false);
    hash_final_hex(&state, checksum);
    for (int i = 0; i < TEXT_COUNT; i++)
        metadata[i] = (struct safetensors_pair){ .key = KEYS[i], .value = texts[i] };
    rc = build_header(&header, &header_size, &listing, metadata, TEXT_COUNT, err);
    if (rc == 0)
        rc = replace_file(path, header, header_size, engine, &listing, err);
    free(header);
    listing_release(&listing);
    return rc;
}

/* A metadata text that must be there. */
static int need_metadata(const char **out, const struct safetensors_file *file, const char *key,
                         const char *path, struct error *err)
{
    *out = safetensors_metadata(file, key);
    if (*out == NULL)
        return error_set(err, ERROR_DAMAGED, "%s: no %s in its metadata", path, key);
    return 0;
}

static int parse_step(int64_t *out, const char *text, const char *path, struct error *err)
{
    char *rest = NULL;

    errno = 0;
    *out = strtoll(text, &rest, 10);
    if (errno != 0 || *text == '\0' || *rest != '\0' || *out < 0)
        return error_set(err, ERROR_DAMAGED, "%s: step \"%.20s\" is not a count", path, text);
    return 0;
}

/* Format, run and checksum; fills *out. */
static int read_facts(struct checkpoint_facts *out, const struct safetensors_file *file,
                      const char *path, const char *run_hash, struct error *err)
{
    const char *texts[TEXT_COUNT] = { 0 };
    struct hash_state state;
    char checksum[HASH_HEX_SIZE];
    int rc = 0;

    for (int i = 0; rc == 0 && i < TEXT_COUNT; i++)
        rc = need_metadata(&texts[i], file, KEYS[i], path, err);
    if (rc == 0 && strcmp(texts[FORMAT_TEXT], FORMAT) != 0)
        rc = error_set(err, ERROR_DAMAGED, "%s: format \"%.40s\", expected \"%s\"", path,
                       texts[FORMAT_TEXT], FORMAT);
    if (rc == 0 && strcmp(texts[RUN_HASH], run_hash) != 0)
        rc = error_set(err, ERROR_DAMAGED, "%s: belongs to run %.12s, not to %.12s", path,
                       texts[RUN_HASH], run_hash);
    if (rc == 0)
        rc = parse_step(&out->step, texts[STEP], path, err);
    if (rc < 0)
        return rc;
    start_checksum(&state, texts);
    for (int i = 0; i < safetensors_count(file); i++) {
        const struct safetensors_tensor *tensor = safetensors_at(file, i);

        hash_add(&state, tensor->data, tensor->bytes);
    }
    hash_final_hex(&state, checksum);
    if (strcmp(checksum, texts[CHECKSUM]) != 0)
        return error_set(err, ERROR_DAMAGED, "%s: its checksum does not match its content",
                         path);
    out->final = strcmp(texts[FINAL], "true") == 0;
    out->position = strdup(texts[POSITION]);
    snprintf(out->weights_hash, sizeof out->weights_hash, "%s", texts[WEIGHTS_HASH]);
    snprintf(out->kernel_set, sizeof out->kernel_set, "%s", texts[KERNEL_SET]);
    if (out->position == NULL)
        return error_set(err, ERROR_NOMEM, "out of memory for a checkpoint's position");
    return 0;
}

static int check_tensor(const struct safetensors_file *file, const struct engine_state *state,
                        const char *path, struct error *err)
{
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
        rc = read_facts(out, file, path, run_hash, err);
    if (rc == 0)
        rc = listing_init(&listing, engine, out->final || part == CHECKPOINT_WEIGHTS, err);
    for (int i = 0; rc == 0 && i < listing.count; i++)
        rc = check_tensor(file, &listing.states[i], path, err);
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
