/*
 * page_parts.h - what pages are made of, and what is common to them.
 */
#ifndef SERVE_PAGE_PARTS_H
#define SERVE_PAGE_PARTS_H

#include <stdbool.h>

#include "document.h"
#include "error.h"
#include "page_cache.h"
#include "request.h"
#include "workspace.h"

struct live;
struct live_source;
struct results;
struct store;

/* What a page is made from; all borrowed. */
struct page_source {
    struct store *store; /* within a transaction */
    const struct workspace *workspace;
    const struct request *request;
};

/* Fills out->text, type, unsteady and, where it is not 200, status. ERROR_ABSENT: there
 * is no such thing; ERROR_FORMAT: the address is wrong. */
typedef int page_fn(struct page_text *out, const struct page_source *source, struct error *err);

page_fn page_experiments, page_experiment, page_figure, page_run, page_task, page_queue,
    page_compare;

/* Begins a document with navigation; current: address of the page in it, or NULL. */
int page_begin(struct document **out, const char *current, const char *title,
               struct error *err) MUST_CHECK;
/* Ends and frees the document; its text becomes the page's. rc: of what was added to
 * it; the function's value unless that is 0. document NULL: page_begin() failed with
 * rc. */
int page_end(struct page_text *out, struct document *document, int rc,
             struct error *err) MUST_CHECK;

/* Loads how far the experiment (borrowed; NULL: all) is; *out newly allocated, to be
 * freed after an error, too. */
int page_load_live(struct live_source **out, const struct page_source *source,
                   const char *experiment, struct error *err) MUST_CHECK;
void page_free_live(struct live_source *live); /* NULL allowed */
/* Whether it changes by itself: something is queued or runs. */
bool page_is_live(const struct live_source *live);

/* Adds how far work is: a bar, who is at work, what is running. */
void page_add_live(struct document *document, const struct live *live);
/* Adds which jobs failed last, and why. */
void page_add_failures(struct document *document, const struct live *live);

/* Adds a form that leads to the comparison of two arms: of the experiment's, which are
 * chosen from a list, or of any. */
int page_add_comparing(struct document *document, struct store *store,
                       const struct results *results, struct error *err) MUST_CHECK;

#endif
