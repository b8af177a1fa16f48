/* fuzz_checkpoint.c - safetensors, as a worker and as the runner read it. */
#include "fuzz.h"

#include "checkpoint_file.h"
#include "error.h"
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    struct safetensors_file *file;
    uint64_t *aligned = malloc(size + 8);

    if (aligned == NULL)
        return 0;
    memcpy(aligned, data, size);
    int rc = safetensors_parse(&file, aligned, size, "input", &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0) {
        volatile unsigned char sum = 0;
        for (int i = 0; i < safetensors_count(file); i++) {
            const struct safetensors_tensor *t = safetensors_at(file, i);
            for (size_t b = 0; b < t->bytes; b++)
                sum = (unsigned char)(sum + ((const unsigned char *)t->data)[b]);
        }
        safetensors_destroy(file);
    }
    free(aligned);
    checkpoint_file_is_whole(fuzz_file(data, size));
    return 0;
}
