/*
 * checkpoint.h - the state of a training in a safetensors file.
 *
 * A checkpoint is trusted only as a whole: checksum, run hash and every tensor's name,
 * type and shape are checked before the engine is touched. The layout is in
 * docs/formats.md.
 */
#ifndef WORKER_CHECKPOINT_H
#define WORKER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "hash.h"

struct engine;
struct safetensors_file;

enum checkpoint_part {
    CHECKPOINT_EVERYTHING, /* parameters, buffers, optimizer, carry */
    CHECKPOINT_WEIGHTS     /* parameters, buffers, averages */
};

/* The metadata of a checkpoint. */
struct checkpoint_facts {
    int64_t step;   /* training steps done */
    bool final;     /* the training has ended; the file has weights only */
    char *position; /* owned; JSON text: position of the training */
    char weights_hash[HASH_HEX_SIZE];
    char kernel_set[16]; /* of the process that wrote it */
};

void checkpoint_facts_release(struct checkpoint_facts *facts);

/* The metadata of an open checkpoint of that run, whose checksum is checked; path is
 * for messages. ERROR_DAMAGED, ERROR_NOMEM. */
int checkpoint_read_facts(struct checkpoint_facts *out, const struct safetensors_file *file,
                          const char *path, const char *run_hash, struct error *err) MUST_CHECK;

/*
 * Writes path atomically and durably: the whole state, or with final only the weights.
 * position: JSON text. weights_hash: SHA-256 of the parameters, buffers and averages.
 * ERROR_NOSPACE, ERROR_IO, ERROR_NOMEM; on failure nothing has changed.
 */
int checkpoint_write(char weights_hash[HASH_HEX_SIZE], const struct engine *engine,
                     const char *path, const char *run_hash, int64_t step, bool final,
                     const char *position, struct error *err) MUST_CHECK;

/* Computes the hash that checkpoint_write() would return. */
int checkpoint_weights_hash(char weights_hash[HASH_HEX_SIZE], const struct engine *engine,
                            struct error *err) MUST_CHECK;

/*
 * Loads path into the engine, and its metadata into *out. ERROR_DAMAGED: the file is
 * not a checkpoint, fails its checksum, or does not fit the run or the engine;
 * ERROR_ABSENT, ERROR_IO, ERROR_NOMEM. The engine is changed only on success. With
 * CHECKPOINT_EVERYTHING a final checkpoint, which has only weights, loads these.
 */
int checkpoint_load(struct checkpoint_facts *out, struct engine *engine, const char *path,
                    const char *run_hash, enum checkpoint_part part,
                    struct error *err) MUST_CHECK;

#endif
