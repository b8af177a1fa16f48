/* fuzz_job.c - job.json, as the worker reads it. */
#include "fuzz.h"

#include "error.h"
#include "job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    struct job job;
    const char *directory = fuzz_directory("job.json", data, size);
    int rc = job_read(&job, directory, &err);

    fuzz_expect_message(rc, &err);
    if (rc == 0)
        job_release(&job);
    return 0;
}
