/*
 * large_array.h - memory for arrays with an item for each of 100 000 rows.
 */
#ifndef RESULTS_LARGE_ARRAY_H
#define RESULTS_LARGE_ARRAY_H

#include <stddef.h>

/* As realloc(). A large array is in pages of 2 MiB where the system has them: it takes
 * a fault per page to get memory, and on a virtual machine 20 us, so that 50 MB in
 * pages of 4 KiB cost 0.2 s. */
void *large_array_resize(void *old, size_t bytes);
/* As calloc(), likewise. */
void *large_array_zeroed(size_t count, size_t size);
/* Likewise, for what is allocated in small pieces from here on, up to that many bytes
 * in all, and kept: SQLite's pages, for one. Takes none of it. */
void large_heap(size_t bytes);

#endif
