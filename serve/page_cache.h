/*
 * page_cache.h - rendered pages, so that many who look at a page cost one rendering.
 *
 * A page is good as long as the database has not changed and nothing on it changes by
 * itself; and for a while in any case: a second, and many times the processor time of
 * the rendering, so that it takes a small share of one core however many look.
 */
#ifndef SERVE_PAGE_CACHE_H
#define SERVE_PAGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Content with its headers. */
struct page_text {
    unsigned status;  /* of HTTP */
    const char *type; /* static: the Content-Type */
    char *text;       /* owned */
    size_t size;
    char tag[24];  /* the ETag: equal if and, practically, only if the texts are */
    bool unsteady; /* it changes although the database does not */
};

struct page_cache;

struct page_cache *page_cache_create(void);        /* NULL: no memory */
void page_cache_destroy(struct page_cache *cache); /* NULL allowed */

/* The page of this address if it is still good; NULL: it is to be rendered. version: of
 * the database; now: monotonic seconds. Valid until the next call. */
const struct page_text *page_cache_find(struct page_cache *cache, const char *address,
                                        int64_t version, double now);

/* Takes the text over, with its tag, for an older one or instead of the page that was
 * not asked for longest. cost_s: the processor time of the rendering; now: monotonic
 * seconds at its end. Returns it as above; NULL: no memory, and the text is freed. */
const struct page_text *page_cache_store(struct page_cache *cache, const char *address,
                                         struct page_text *text, int64_t version, double cost_s,
                                         double now);

#endif
