/* page_parts.c - the frame of every page, and the tables of work that goes on. */
#include "page_parts.h"

#include "live_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_HASH = 12 };

static const char *const NAVIGATION[][2] = {
    { "/", "Experiments" },
    { "/queue", "Queue" },
    { "/compare", "Compare" },
};

int page_begin(struct document **out, const char *current, const char *title, struct error *err)
{
    const struct document_frame frame = {
        .style = "/page.css",
        .script = "/page.js",
        .links = NAVIGATION,
        .link_count = sizeof NAVIGATION / sizeof *NAVIGATION,
        .current = current,
    };

    return document_create_page(out, &frame, title, err);
}

int page_end(struct page_text *out, struct document *document, int rc, struct error *err)
{
    char *text = NULL;

    if (rc != 0) {
        document_destroy(document);
        return rc;
    }
    rc = document_finish(document, &text, err);
    if (rc == 0) {
        out->text = text;
        out->size = strlen(text);
        out->type = "text/html; charset=utf-8";
    }
    return rc;
}

int page_load_live(struct live_source **out, const struct page_source *source,
                   const char *experiment, struct error *err)
{
    struct live_source *live = calloc(1, sizeof *live);

    *out = live;
    if (live == NULL)
        return error_no_memory(err, "a page");
    live->workspace = source->workspace;
    live->store = source->store;
    live->live.experiment = experiment;
    return live_load(live, err);
}

void page_free_live(struct live_source *live)
{
    if (live != NULL)
        live_source_release(live);
    free(live);
}

bool page_is_live(const struct live_source *live)
{
    return live->live.counts.queued + live->live.counts.running > 0;
}

/* Adds a cell with the beginning of a run's hash that leads to its page. */
static void add_run_cell(struct document *document, const char *hash)
{
    char text[SHORT_HASH + 1];

    snprintf(text, sizeof text, "%.*s", SHORT_HASH, hash);
    document_link_cell(document, text, &(struct document_target){ "run", hash, NULL });
}

void page_add_live(struct document *document, const struct live *live)
{
    static const struct document_head HEADS[] = { { "job", DOCUMENT_TEXT },
                                                  { "run", DOCUMENT_TEXT },
                                                  { "how far it is", DOCUMENT_LINE } };
    char text[300];
    double share;

    live_describe_share(text, sizeof text, &share, live);
    document_progress(document, share, text);
    if (live->runner[0] != '\0')
        document_say(document, "The runner at work: %s.", live->runner);
    for (int i = 0; i < live->message_count; i++)
        document_paragraph(document, live->messages[i]);
    if (live->job_count == 0)
        return;
    document_table(document, "Running now", HEADS, sizeof HEADS / sizeof *HEADS);
    for (int i = 0; i < live->job_count; i++) {
        document_cell(document, live->jobs[i].label);
        add_run_cell(document, live->jobs[i].hash);
        live_describe_progress(text, sizeof text, live->jobs[i].progress);
        document_cell(document, text);
    }
    document_table_end(document);
    if (live->counts.running > live->job_count)
        document_say(document, "%d more are running.", live->counts.running - live->job_count);
}

void page_add_failures(struct document *document, const struct live *live)
{
    static const struct document_head HEADS[] = { { "job", DOCUMENT_TEXT },
                                                  { "run", DOCUMENT_TEXT },
                                                  { "cause", DOCUMENT_TEXT },
                                                  { "message", DOCUMENT_TEXT } };

    if (live->failure_count == 0)
        return;
    document_table(document,
                   live->counts.failed > live->failure_count ? "Failed, the last ones"
                                                             : "Failed",
                   HEADS, sizeof HEADS / sizeof *HEADS);
    for (int i = 0; i < live->failure_count; i++) {
        document_cell(document, live->failures[i].label);
        add_run_cell(document, live->failures[i].hash);
        document_cell(document, live->failures[i].cause);
        document_cell(document, live->failures[i].message);
    }
    document_table_end(document);
}
