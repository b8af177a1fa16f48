/*
 * checkpoint_header.h - what a checkpoint says of itself in the __metadata__ of its
 * safetensors header, and what its checksum covers.
 *
 * The worker writes and loads checkpoints; the runner checks that they are still whole.
 */
#ifndef COMMON_CHECKPOINT_HEADER_H
#define COMMON_CHECKPOINT_HEADER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "hash.h"

#define CHECKPOINT_FORMAT "hrmlab-checkpoint-1"
#define CHECKPOINT_FINAL_NAME "final.safetensors" /* in an attempt's directory */

/* The texts of the metadata, in the order in which the checksum covers them; the
 * checksum itself comes last. */
enum checkpoint_text {
    CHECKPOINT_TEXT_FORMAT,
    CHECKPOINT_TEXT_RUN_HASH,
    CHECKPOINT_TEXT_STEP,
    CHECKPOINT_TEXT_FINAL, /* "true" or "false" */
    CHECKPOINT_TEXT_POSITION,
    CHECKPOINT_TEXT_KERNEL_SET,
    CHECKPOINT_TEXT_WEIGHTS_HASH,
    CHECKPOINT_TEXT_CHECKSUM,
    CHECKPOINT_TEXT_COUNT,
    CHECKPOINT_TEXT_COVERED = CHECKPOINT_TEXT_CHECKSUM
};

extern const char *const checkpoint_text_keys[CHECKPOINT_TEXT_COUNT];

/* Finds the texts in a header (safetensors_header.h); they point into it.
 * ERROR_DAMAGED: one is missing or is not text, or the format is not CHECKPOINT_FORMAT.
 * path begins the message. */
int checkpoint_header_texts(const char *texts[CHECKPOINT_TEXT_COUNT], const cJSON *header,
                            const char *path, struct error *err) MUST_CHECK;

/* Parses CHECKPOINT_TEXT_STEP, the number of training steps done. ERROR_DAMAGED: the
 * text is not a number. */
int checkpoint_header_step(int64_t *out, const char *text, const char *path,
                           struct error *err) MUST_CHECK;

/* Starts a checksum, the SHA-256 of the covered texts with a newline after each and
 * then of the data that follows the header; the caller adds the data. */
void checkpoint_checksum_begin(struct hash_state *state,
                               const char *const texts[CHECKPOINT_TEXT_COVERED]);

#endif
