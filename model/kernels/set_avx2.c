/* set_avx2.c - the kernels for x86-64-v3: AVX2 and FMA. */
#define KERNEL_SUFFIX avx2
#include "kernels_body.h"
