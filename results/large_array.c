/* large_array.c - asks for pages of 2 MiB. */
#include "large_array.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, LEAST = 4 << 20 }; /* bytes */

/* A failure costs time alone. */
static void use_large_pages(char *array, size_t bytes)
{
    /* from the beginning of malloc()'s own mapping, so that it stays one */
    size_t before = (uintptr_t)array % PAGE;

    madvise(array - before, (before + bytes + PAGE - 1) / PAGE * PAGE, MADV_HUGEPAGE);
}

void *large_array_resize(void *old, size_t bytes)
{
    char *array = realloc(old, bytes);

    if (array != NULL && bytes >= LEAST)
        use_large_pages(array, bytes);
    return array;
}

void *large_array_zeroed(size_t count, size_t size)
{
    char *array = calloc(count, size); /* a large one is not touched */

    if (array != NULL && count * size >= LEAST)
        use_large_pages(array, count * size);
    return array;
}

void large_heap(size_t bytes)
{
#ifdef __GLIBC__
    /* a piece that is of the heap, and not a mapping of its own */
    enum { PIECE = 100 << 10, MOST = 4, USUAL_PAD = 128 << 10 };
    char *before = sbrk(0);
    void *pieces[MOST] = { NULL };

    if (bytes < LEAST || bytes > INT_MAX)
        return;
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, (int)bytes);
    for (int i = 0; i < MOST && sbrk(0) == (void *)before; i++)
        pieces[i] = malloc(PIECE);
    mallopt(M_TOP_PAD, USUAL_PAD);
    for (int i = 0; i < MOST; i++)
        free(pieces[i]);
    char *after = sbrk(0);
    if (after > before)
        use_large_pages(before, (size_t)(after - before));
#else
    (void)bytes;
#endif
}
