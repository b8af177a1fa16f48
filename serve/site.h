/*
 * site.h - the table of pages: answers an address with a page, from the cache where it
 * is still good.
 */
#ifndef SERVE_SITE_H
#define SERVE_SITE_H

#include "error.h"
#include "page_cache.h"
#include "request.h"
#include "workspace.h"

struct site;
struct store;

/* store (for reading) and workspace are borrowed. */
int site_create(struct site **out, struct store *store, const struct workspace *workspace,
                struct error *err) MUST_CHECK;
void site_destroy(struct site *site); /* NULL allowed */

/* The page of an address, also where it says what is wrong with it. request: the
 * address as request_parse() has read it. NULL: no memory. Valid until the next
 * call. */
const struct page_text *site_answer(struct site *site, const char *address,
                                    const struct request *request);

#endif
