/* set_avx512.c - the kernels for x86-64-v4: AVX-512. */
#define KERNEL_SUFFIX avx512
#include "kernels_body.h"
