/*
 * block.h - one aligned block of memory laid out from one table of arrays.
 */
#ifndef MODEL_BLOCK_H
#define MODEL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum { BLOCK_ALIGNMENT = 64 };

/* One array of a block: the address of the pointer variable to set, and the number and
 * size of its elements. count 0: the pointer becomes NULL. */
struct block_item {
    void *pointer;
    size_t count, size;
};

/* What blocks amount to. only_counted: block_allocate() allocates nothing and sets all
 * pointers to NULL. */
struct block_sum {
    size_t bytes;
    bool only_counted;
};

/*
 * Allocates zeroed memory for all items, each aligned to 64 bytes, with KERNEL_SLACK
 * floats behind the last, and sets every item's pointer. *block is freed with free().
 * ERROR_NOMEM: the message has name and MiB, and *block and all pointers are NULL. Adds
 * its size to *sum.
 */
int block_allocate(void **block, struct block_sum *sum, const char *name,
                   const struct block_item *items, int count, struct error *err) MUST_CHECK;

/* a * b, or SIZE_MAX when that overflows or a or b is SIZE_MAX. */
size_t size_product(size_t a, size_t b);

#endif
