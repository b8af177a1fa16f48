/* site.c - finds a page's function, calls it in a transaction, keeps the result. */
#include "site.h"

#include "assets.h"
#include "clock.h"
#include "document.h"
#include "error.h"
#include "file.h"
#include "page_parts.h"
#include "store.h"
#include "svg.h"

#include <stdlib.h>
#include <string.h>

struct site {
    struct store *store;
    const struct workspace *workspace;
    struct page_cache *cache;
    struct page_text failure; /* the page of the last error */
};

/* ---- files that are compiled in ---- */

static int fill_asset(struct page_text *out, char *text, const char *type, struct error *err)
{
    if (text == NULL)
        return error_no_memory(err, "a page");
    out->text = text;
    out->size = strlen(text);
    out->type = type;
    return 0;
}

static int page_style(struct page_text *out, const struct page_source *source,
                      struct error *err)
{
    (void)source;
    return fill_asset(out,
                      format_string("%s%s%s%s", document_style(), svg_style(), svg_heat_style(),
                                    ASSET_PAGE_CSS),
                      "text/css; charset=utf-8", err);
}

static int page_script(struct page_text *out, const struct page_source *source,
                       struct error *err)
{
    (void)source;
    return fill_asset(out, strdup(ASSET_PAGE_JS), "text/javascript; charset=utf-8", err);
}

/* ---- the table ---- */

static const struct page {
    const char *name; /* first part of the address; "": there is none */
    int parts;        /* of the address */
    const char *form; /* for people */
    page_fn *make;
} PAGES[] = {
    { "", 0, "/", page_experiments },
    { "experiment", 2, "/experiment/NAME", page_experiment },
    { "figure", 3, "/figure/EXPERIMENT/FIGURE.svg", page_figure },
    { "run", 2, "/run/HASH", page_run },
    { "task", 3, "/task/EXPERIMENT/TASK", page_task },
    { "queue", 1, "/queue", page_queue },
    { "compare", 1, "/compare?a=ARM&b=ARM", page_compare },
    { "page.css", 1, NULL, page_style },
    { "page.js", 1, NULL, page_script },
};

static const struct page *find_page(const struct request *request)
{
    const char *name = request->part_count > 0 ? request->parts[0] : "";

    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++)
        if (strcmp(PAGES[i].name, name) == 0 && PAGES[i].parts == request->part_count)
            return &PAGES[i];
    return NULL;
}

/* ---- errors ---- */

static const struct {
    enum error_code code;
    unsigned status;
    const char *title;
} STATES[] = {
    { ERROR_ABSENT, 404, "There is no such page" },
    { ERROR_FORMAT, 400, "The address is wrong" },
    { ERROR_BUSY, 503, "The database is busy" },
    { ERROR_NOMEM, 503, "Out of memory" },
    { ERROR_DATABASE, 503, "The database cannot be read" },
};

static int add_page_list(struct document *document, struct error *err)
{
    char *list = strdup("");

    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES && list != NULL; i++)
        if (PAGES[i].form != NULL) {
            char *longer =
                format_string("%s%s%s", list, list[0] != '\0' ? ", " : "", PAGES[i].form);

            free(list);
            list = longer;
        }
    if (list == NULL)
        return error_no_memory(err, "a page");
    document_say(document, "Pages: %s.", list);
    free(list);
    return 0;
}

/* The page that tells of an error. */
static const struct page_text *answer_error(struct site *site, int code, const char *message)
{
    struct document *document = NULL;
    struct error err = { 0 };
    const char *title = "Something went wrong";
    unsigned status = 500;

    for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
        if (STATES[i].code == (enum error_code)code) {
            status = STATES[i].status;
            title = STATES[i].title;
        }
    free(site->failure.text);
    site->failure = (struct page_text){ .status = status };
    int rc = page_begin(&document, NULL, title, &err);
    if (rc == 0) {
        document_paragraph(document, message);
        rc = add_page_list(document, &err);
    }
    return page_end(&site->failure, document, rc, &err) == 0 ? &site->failure : NULL;
}

/* ---- pages ---- */

static int make_page(struct page_text *out, struct site *site, const struct page *page,
                     const struct request *request, struct error *err)
{
    const struct page_source source = { site->store, site->workspace, request };
    int rc = store_begin(site->store, err);

    *out = (struct page_text){ .status = 200 };
    if (rc == 0)
        rc = page->make(out, &source, err);
    store_rollback(site->store); /* nothing was written */
    return rc;
}

const struct page_text *site_answer(struct site *site, const char *address,
                                    const struct request *request)
{
    const struct page *page = find_page(request);
    const struct page_text *found;
    struct page_text made;
    struct error err = { 0 };
    int64_t version = 0;

    if (page == NULL)
        return answer_error(site, ERROR_ABSENT, address);
    /* style and script are the program's own */
    if (page->form != NULL && store_is_replaced(site->store))
        return answer_error(site, ERROR_DATABASE,
                            "The database was replaced or removed since hrmlab serve was "
                            "started, as by hrmlab rebuild: start it again.");
    int rc = store_data_version(site->store, &version, &err);
    found =
        rc == 0 ? page_cache_find(site->cache, address, version, clock_monotonic_s()) : NULL;
    if (found != NULL)
        return found;
    double began = clock_thread_s();
    if (rc == 0)
        rc = make_page(&made, site, page, request, &err);
    if (rc != 0)
        return answer_error(site, rc, err.message);
    return page_cache_store(site->cache, address, &made, version, clock_thread_s() - began,
                            clock_monotonic_s());
}

int site_create(struct site **out, struct store *store, const struct workspace *workspace,
                struct error *err)
{
    struct site *site = calloc(1, sizeof *site);

    *out = site;
    if (site != NULL)
        site->cache = page_cache_create();
    if (site == NULL || site->cache == NULL) {
        free(site);
        *out = NULL;
        return error_no_memory(err, "the pages");
    }
    site->store = store;
    site->workspace = workspace;
    return 0;
}

void site_destroy(struct site *site)
{
    if (site == NULL)
        return;
    page_cache_destroy(site->cache);
    free(site->failure.text);
    free(site);
}
