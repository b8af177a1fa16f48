/* block.c - one aligned block of memory laid out from one table of arrays. */
#include "block.h"

#include "error.h"
#include "kernels.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

size_t size_product(size_t a, size_t b)
{
    size_t product;

    if (a == SIZE_MAX || b == SIZE_MAX || __builtin_mul_overflow(a, b, &product))
        return SIZE_MAX;
    return product;
}

/* Pointers of any object type share one representation here; memcpy keeps aliasing
 * rules. */
static void set_pointer(void *pointer, void *value)
{
    memcpy(pointer, &value, sizeof value);
}

static size_t item_bytes(const struct block_item *item)
{
    size_t bytes = size_product(item->count, item->size);

    if (bytes > SIZE_MAX - BLOCK_ALIGNMENT)
        return SIZE_MAX;
    return (bytes + BLOCK_ALIGNMENT - 1) / BLOCK_ALIGNMENT * BLOCK_ALIGNMENT;
}

/* Asks the kernel for large pages for a large block, because GEMM and attention touch
 * more small pages than the processor's TLB holds. */
static void ask_for_large_pages(char *base, size_t bytes)
{
    enum { LARGE_PAGE = 2 << 20, PAGE = 4096 };
    size_t before = (PAGE - (uintptr_t)base % PAGE) % PAGE;

    if (bytes >= 2 * (size_t)LARGE_PAGE)
        madvise(base + before, (bytes - before) / PAGE * PAGE, MADV_HUGEPAGE);
}

int block_allocate(void **block, struct block_sum *sum, const char *name,
                   const struct block_item *items, int count, struct error *err)
{
    size_t total = KERNEL_SLACK * sizeof(float) + BLOCK_ALIGNMENT;
    char *base;

    *block = NULL;
    for (int i = 0; i < count; i++) {
        set_pointer(items[i].pointer, NULL);
        if (__builtin_add_overflow(total, item_bytes(&items[i]), &total))
            total = SIZE_MAX - BLOCK_ALIGNMENT;
    }
    if (sum->only_counted && total < SIZE_MAX / 2) {
        sum->bytes += total;
        return 0;
    }
    /* calloc and not aligned_alloc: fresh pages are zero without being written. */
    *block = total < SIZE_MAX / 2 ? calloc(1, total) : NULL;
    if (*block == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for %zu MiB of the %s", total >> 20,
                         name);
    sum->bytes += total;
    base = *block;
    ask_for_large_pages(base, total);
    base += BLOCK_ALIGNMENT - (uintptr_t)base % BLOCK_ALIGNMENT;
    for (int i = 0; i < count; i++) {
        if (items[i].count == 0)
            continue;
        set_pointer(items[i].pointer, base);
        base += item_bytes(&items[i]);
    }
    return 0;
}
