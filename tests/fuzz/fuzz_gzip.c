/*
 * fuzz_gzip.c - files packed by gzip.
 */
#include "fuzz.h"

#include "error.h"
#include "gzip_file.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 1 << 16 };

/* What is unpacked is within the limit and ends with a NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    char path[200], *text;
    size_t length;

    snprintf(path, sizeof path, "%s/input.gz", fuzz_directory("input.gz", data, size));
    int rc = gzip_file_read(&text, &length, path, LIMIT, &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0 && (length > LIMIT || text[length] != '\0'))
        abort();
    free(text);
    return 0;
}
