/* checkpoint_header.c - the metadata of a checkpoint, and its checksum. */
#include "checkpoint_header.h"

#include "error.h"
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const checkpoint_text_keys[CHECKPOINT_TEXT_COUNT] = {
    [CHECKPOINT_TEXT_FORMAT] = "format",
    [CHECKPOINT_TEXT_RUN_HASH] = "run_hash",
    [CHECKPOINT_TEXT_STEP] = "step",
    [CHECKPOINT_TEXT_FINAL] = "final",
    [CHECKPOINT_TEXT_POSITION] = "position",
    [CHECKPOINT_TEXT_KERNEL_SET] = "kernel_set",
    [CHECKPOINT_TEXT_WEIGHTS_HASH] = "weights_hash",
    [CHECKPOINT_TEXT_CHECKSUM] = "checksum",
};

int checkpoint_header_texts(const char *texts[CHECKPOINT_TEXT_COUNT], const cJSON *header,
                            const char *path, struct error *err)
{
    const cJSON *metadata = json_member(header, "__metadata__");

    for (int i = 0; i < CHECKPOINT_TEXT_COUNT; i++) {
        const cJSON *text = json_member(metadata, checkpoint_text_keys[i]);

        if (!cJSON_IsString(text))
            return error_set(err, ERROR_DAMAGED, "%s: no %s in its metadata", path,
                             checkpoint_text_keys[i]);
        texts[i] = text->valuestring;
    }
    if (strcmp(texts[CHECKPOINT_TEXT_FORMAT], CHECKPOINT_FORMAT) != 0)
        return error_set(err, ERROR_DAMAGED, "%s: format \"%.40s\", expected \"%s\"", path,
                         texts[CHECKPOINT_TEXT_FORMAT], CHECKPOINT_FORMAT);
    return 0;
}

int checkpoint_header_step(int64_t *out, const char *text, const char *path, struct error *err)
{
    char *end = NULL;

    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || *out < 0)
        return error_set(err, ERROR_DAMAGED, "%s: step \"%.20s\" is not a count", path, text);
    return 0;
}

void checkpoint_checksum_begin(struct hash_state *state,
                               const char *const texts[CHECKPOINT_TEXT_COVERED])
{
    hash_init(state);
    for (int i = 0; i < CHECKPOINT_TEXT_COVERED; i++) {
        hash_add(state, texts[i], strlen(texts[i]));
        hash_add(state, "\n", 1);
    }
}
