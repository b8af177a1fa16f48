/* fuzz_replay.c - the main() of a target without libFuzzer: every file given, once. */
#include "fuzz.h"

#include "error.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct error err;
        char *data;
        size_t size;

        if (file_read(&data, &size, argv[i], (size_t)64 << 20, &err) < 0) {
            fprintf(stderr, "%s\n", err.message);
            return 2;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        free(data);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
