/*
 * blas_environment.h - sets the environment variables that OpenBLAS reads.
 *
 * OpenBLAS reads its environment before main() begins. So a process that inherited
 * OPENBLAS_*, OMP_* and the like executes itself once more, with the wanted variables
 * in place of the inherited ones. Wanted are OPENBLAS_NUM_THREADS and OMP_NUM_THREADS
 * of 1 (the engine's own threads call OpenBLAS each for itself), and OPENBLAS_CORETYPE
 * when HRMLAB_BLAS_CORE asks for a core, or OpenBLAS has chosen one that is too old for
 * the CPU; nothing else of those families.
 */
#ifndef WORKER_BLAS_ENVIRONMENT_H
#define WORKER_BLAS_ENVIRONMENT_H

#include <cjson/cJSON.h>

#include "error.h"

struct blas_environment {
    cJSON *used;      /* owned; object: the variables OpenBLAS has read */
    cJSON *inherited; /* owned; object: the variables that were replaced or removed */
};

/*
 * Call first in main(). If the environment is not the wanted one, executes
 * /proc/self/exe with argv again and does not return. Otherwise fills *out, and takes
 * the note that an earlier execution left for this one out of the environment.
 * ERROR_ENVIRONMENT: the program cannot execute itself.
 */
int blas_environment_enforce(struct blas_environment *out, char **argv,
                             struct error *err) MUST_CHECK;
/*
 * The core to ask for where OpenBLAS, by itself, has chosen one without AVX2 for a CPU
 * that has it. NULL: its choice is good. OpenBLAS does so with CPUs that are newer than
 * itself: Debian 12's (0.3.21) takes an Emerald Rapids for a Prescott, whose sgemm has
 * a third of the rate.
 *   kernel_set  the best that the CPU supports (engine_best_kernel_set())
 */
const char *blas_environment_core(const char *chosen, const char *kernel_set);
/* Accepts a zeroed struct. */
void blas_environment_release(struct blas_environment *environment);

#endif
