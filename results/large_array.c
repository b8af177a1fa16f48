/* large_array.c - asks for pages of 2 MiB. */
#include "large_array.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 4096, LEAST = 4 << 20 }; /* bytes */

void *large_array_resize(void *old, size_t bytes)
{
    char *array = realloc(old, bytes);

    if (array != NULL && bytes >= LEAST) {
        /* from the beginning of malloc()'s own mapping, so that it stays one */
        size_t before = (uintptr_t)array % PAGE;

        /* a failure costs time alone */
        madvise(array - before, (before + bytes + PAGE - 1) / PAGE * PAGE, MADV_HUGEPAGE);
    }
    return array;
}
