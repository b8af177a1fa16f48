/* provenance.c - collects what docs/formats.md lists under provenance. */
#include "provenance.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "engine.h"
#include "settings.h"

/* The Makefile defines these for this file only (build_info.h). */
#ifndef HRMLAB_VERSION
#define HRMLAB_VERSION "unknown"
#endif
#ifndef HRMLAB_COMMIT
#define HRMLAB_COMMIT "unknown"
#endif
#ifndef HRMLAB_CFLAGS
#define HRMLAB_CFLAGS "unknown"
#endif

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Reads the processor's name; "unknown" if /proc/cpuinfo has none. */
static void read_cpu_name(char *out, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[512];

    snprintf(out, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, "model name", strlen("model name")) == 0 && colon != NULL) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, size, "%s", colon[1] == ' ' ? colon + 2 : colon + 1);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

const char *provenance_version(void)
{
    return HRMLAB_VERSION;
}

cJSON *provenance_create(const struct blas_environment *environment,
                         const struct sandbox *sandbox)
{
    cJSON *out = cJSON_CreateObject();
    struct utsname system = { 0 };
    char cpu[256], words[SANDBOX_WORDS];

    uname(&system);
    read_cpu_name(cpu, sizeof cpu);
    cJSON_AddStringToObject(out, "engine_version", HRMLAB_VERSION);
    cJSON_AddStringToObject(out, "numeric_version", ENGINE_NUMERIC_VERSION);
    cJSON_AddStringToObject(out, "git_commit", HRMLAB_COMMIT);
    cJSON_AddStringToObject(out, "compiler", COMPILER);
    cJSON_AddStringToObject(out, "cflags", HRMLAB_CFLAGS);
    cJSON_AddStringToObject(out, "kernel_set", engine_kernel_set());
    cJSON_AddStringToObject(out, "blas", engine_blas_config());
    cJSON_AddStringToObject(out, "blas_core", engine_blas_core());
    cJSON_AddStringToObject(out, "cpu", cpu);
    cJSON_AddStringToObject(out, "host", system.nodename);
    cJSON_AddStringToObject(out, "kernel", system.release);
    if (sandbox != NULL) {
        sandbox_describe(words, sizeof words, sandbox);
        cJSON_AddStringToObject(out, "sandbox", words);
    }
    cJSON_AddNumberToObject(out, "threads", 1);
    cJSON_AddItemToObject(out, "environment", cJSON_Duplicate(environment->used, true));
    if (!cJSON_AddItemToObject(out, "inherited",
                               cJSON_Duplicate(environment->inherited, true))) {
        cJSON_Delete(out);
        return NULL;
    }
    return out;
}
