/* page_cache.c - a small table of pages by address. */
#include "page_cache.h"

#include "hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES = 64 };
static const size_t MOST_BYTES = (size_t)32 << 20;

/* A page is not rendered again before a second, and so many times the processor time
 * that it took, have passed: at most a fiftieth of a core for each page that is looked
 * at, but what is seen is never older than MOST_S. */
static const double LEAST_S = 1.0, TIMES = 50.0, MOST_S = 30.0;

struct cached {
    char *address; /* owned; NULL: free */
    struct page_text page;
    int64_t version;
    double good_until, asked_at;
};

struct page_cache {
    struct cached pages[PAGES];
    size_t bytes; /* of all texts */
};

struct page_cache *page_cache_create(void)
{
    return calloc(1, sizeof(struct page_cache));
}

static void forget(struct page_cache *cache, struct cached *cached)
{
    cache->bytes -= cached->page.size;
    free(cached->address);
    free(cached->page.text);
    *cached = (struct cached){ 0 };
}

void page_cache_destroy(struct page_cache *cache)
{
    for (int i = 0; cache != NULL && i < PAGES; i++)
        forget(cache, &cache->pages[i]);
    free(cache);
}

static struct cached *find(struct page_cache *cache, const char *address)
{
    for (int i = 0; i < PAGES; i++)
        if (cache->pages[i].address != NULL && strcmp(cache->pages[i].address, address) == 0)
            return &cache->pages[i];
    return NULL;
}

const struct page_text *page_cache_find(struct page_cache *cache, const char *address,
                                        int64_t version, double now)
{
    struct cached *cached = find(cache, address);

    if (cached == NULL)
        return NULL;
    cached->asked_at = now;
    bool same = cached->version == version && !cached->page.unsteady;
    return same || now < cached->good_until ? &cached->page : NULL;
}

/* The place of an address: its own, a free one, or that of the page that nobody has
 * asked for longest. */
static struct cached *place_for(struct page_cache *cache, const char *address)
{
    struct cached *oldest = &cache->pages[0], *own = find(cache, address);

    for (int i = 0; i < PAGES && own == NULL; i++) {
        if (cache->pages[i].address == NULL)
            own = &cache->pages[i];
        else if (cache->pages[i].asked_at < oldest->asked_at)
            oldest = &cache->pages[i];
    }
    return own != NULL ? own : oldest;
}

/* Forgets others, the longest unasked first, until all that stay fit. */
static void make_room(struct page_cache *cache, const struct cached *stays)
{
    while (cache->bytes > MOST_BYTES) {
        struct cached *oldest = NULL;

        for (int i = 0; i < PAGES; i++) {
            struct cached *cached = &cache->pages[i];

            if (cached->address != NULL && cached != stays &&
                (oldest == NULL || cached->asked_at < oldest->asked_at))
                oldest = cached;
        }
        if (oldest == NULL)
            return;
        forget(cache, oldest);
    }
}

const struct page_text *page_cache_store(struct page_cache *cache, const char *address,
                                         struct page_text *text, int64_t version, double cost_s,
                                         double now)
{
    struct cached *cached = place_for(cache, address);
    double fresh_s = LEAST_S + TIMES * cost_s;
    char *copy = strdup(address);

    if (copy == NULL) {
        free(text->text);
        return NULL;
    }
    forget(cache, cached);
    snprintf(text->tag, sizeof text->tag, "\"%016llx\"",
             (unsigned long long)hash_xxh3(text->text, text->size));
    *cached = (struct cached){ .address = copy,
                               .page = *text,
                               .version = version,
                               .good_until = now + (fresh_s < MOST_S ? fresh_s : MOST_S),
                               .asked_at = now };
    cache->bytes += text->size;
    make_room(cache, cached);
    return &cached->page;
}
