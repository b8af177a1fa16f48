/* set_avx512_bf16.c - the kernels for x86-64-v4 with AVX512-BF16. */
#define KERNEL_SUFFIX avx512_bf16
#include "kernels_body.h"
