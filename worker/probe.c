/* probe.c - measures one sgemm and prints it with the provenance. */
#include "probe.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "engine.h"
#include "error.h"
#include "provenance.h"
#include "sandbox.h"

enum { SGEMM_SIZE = 512, SGEMM_REPEATS = 20 };

int probe_print(const struct blas_environment *environment, struct error *err)
{
    struct sandbox sandbox;
    char *text = NULL;
    cJSON *out;
    int rc = 0;

    sandbox_probe(&sandbox);
    out = provenance_create(environment, &sandbox);
    if (cJSON_AddStringToObject(out, "format", "hrmlab-probe-1") != NULL &&
        cJSON_AddNumberToObject(out, "cores", (double)sysconf(_SC_NPROCESSORS_ONLN)) != NULL &&
        cJSON_AddNumberToObject(out, "sgemm_size", SGEMM_SIZE) != NULL &&
        cJSON_AddNumberToObject(
            out, "sgemm_gflops",
            engine_measure_sgemm(SGEMM_SIZE, SGEMM_REPEATS, clock_monotonic_s)) != NULL)
        text = cJSON_Print(out);
    if (text == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for the answer");
    else if (puts(text) < 0 || fflush(stdout) != 0)
        rc = error_set(err, ERROR_IO, "cannot write to standard output");
    cJSON_free(text);
    cJSON_Delete(out);
    return rc;
}
