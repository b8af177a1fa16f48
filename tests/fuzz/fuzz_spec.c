/* fuzz_spec.c - a spec file: merging, axes, arms, evaluations; and its resolved form read back. */
#include "fuzz.h"

#include "error.h"
#include "spec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    struct spec *spec, *again;
    int rc = spec_read(&spec, fuzz_file(data, size), NULL, NULL, 0, &err);

    fuzz_expect_message(rc, &err);
    if (rc < 0)
        return 0;
    rc = spec_read(&again, fuzz_file((const uint8_t *)spec->resolved, strlen(spec->resolved)),
                   NULL, NULL, 0, &err);
    if (rc < 0 || again->arm_count != spec->arm_count)
        abort();
    spec_destroy(again);
    spec_destroy(spec);
    return 0;
}
