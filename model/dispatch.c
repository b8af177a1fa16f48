/* dispatch.c - picks the kernel set once, by HRMLAB_KERNELS or the CPU. */
#include "engine.h"
#include "error.h"
#include "kernels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct kernels *chosen;

static bool has_base(void)
{
    return true;
}

#if defined(__x86_64__)
/* CPU features that the compiler may use with -march=x86-64-v3 and -v4. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512_bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}
#endif

/* The last supported one is the best. */
static const struct {
    const struct kernels *set;
    bool (*supported)(void);
} SETS[] = {
    { &kernels_base, has_base },
#if defined(__x86_64__)
    { &kernels_avx2, has_avx2 },
    { &kernels_avx512, has_avx512 },
    { &kernels_avx512_bf16, has_avx512_bf16 },
#endif
};
enum { SET_COUNT = sizeof SETS / sizeof *SETS };

static const struct kernels *best_set(void)
{
    for (int i = SET_COUNT - 1; i > 0; i--)
        if (SETS[i].supported())
            return SETS[i].set;
    return SETS[0].set;
}

/* where: origin of the name, for the message. */
static int choose(const char *name, const char *where, struct error *err)
{
    if (name == NULL || *name == '\0') {
        chosen = best_set();
        return 0;
    }
    for (int i = 0; i < SET_COUNT; i++) {
        if (strcmp(SETS[i].set->name, name) != 0)
            continue;
        if (!SETS[i].supported())
            return error_set(err, ERROR_FORMAT,
                             "%s: this CPU lacks kernel set \"%s\"; the best it has is \"%s\"",
                             where, name, best_set()->name);
        chosen = SETS[i].set;
        return 0;
    }
    return error_set(
        err, ERROR_FORMAT,
        "%s: unknown kernel set \"%.40s\", expected base, avx2, avx512 or avx512_bf16", where,
        name);
}

int kernels_current(const struct kernels **out, struct error *err)
{
    *out = NULL;
    if (chosen == NULL) {
        int rc = choose(getenv("HRMLAB_KERNELS"), "HRMLAB_KERNELS", err);

        if (rc < 0)
            return rc;
    }
    *out = chosen;
    return 0;
}

const char *engine_kernel_set(void)
{
    const struct kernels *set;

    return kernels_current(&set, NULL) < 0 ? best_set()->name : set->name;
}

const char *engine_best_kernel_set(void)
{
    return best_set()->name;
}

const char *engine_kernel_set_name(int i)
{
    return i >= 0 && i < SET_COUNT ? SETS[i].set->name : NULL;
}

int engine_select_kernels(const char *name_or_null, struct error *err)
{
    if (name_or_null == NULL) {
        const char *name = getenv("HRMLAB_KERNELS");

        return choose(name, "HRMLAB_KERNELS", err);
    }
    return choose(name_or_null, "kernels", err);
}
