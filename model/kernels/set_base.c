/* set_base.c - the kernels for any x86-64 (or other) processor. */
#define KERNEL_SUFFIX base
#include "kernels_body.h"
