/* fuzz_settings.c - expressions of the command line: --set KEY=VALUE and --where. */
#include "fuzz.h"

#include "error.h"
#include "filter.h"
#include "spec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char base[] = "{\"name\": \"f\", \"grid\": {\"arch.H_cycles\": [1, 2]}}";
    struct error err = { 0 };
    struct filter filter;
    struct spec *spec;
    char *text = malloc(size + 1);

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    int rc = filter_parse(&filter, text, "--where", NULL, &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0) {
        free(filter_sql(&filter, 1));
        filter_release(&filter);
    }
    const char *const sets[] = { text };
    rc = spec_read(&spec, fuzz_file((const uint8_t *)base, sizeof base - 1), NULL, sets, 1,
                   &err);
    fuzz_expect_message(rc, &err);
    if (rc == 0)
        spec_destroy(spec);
    free(text);
    return 0;
}
