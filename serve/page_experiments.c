/* page_experiments.c - the experiments of the workspace; all about one of them. */
#include "page_parts.h"

#include "error.h"
#include "experiment_report.h"
#include "figure.h"
#include "live_load.h"
#include "markup.h"
#include "origin.h"
#include "picture.h"
#include "run_list.h"
#include "status_query.h"
#include "table.h"
#include "table_document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int page_experiments(struct page_text *out, const struct page_source *source, struct error *err)
{
    struct document *document = NULL;
    struct live_source *live = NULL;
    struct table *table = NULL;
    int rc = page_load_live(&live, source, NULL, err);

    if (rc == 0)
        rc = status_table(source->store, &table, NULL, live_worker_rate(&live->live), err);
    if (rc == 0)
        rc = page_begin(&document, "/", "Experiments", err);
    if (rc == 0) {
        document_note(document, source->workspace->path);
        page_add_live(document, &live->live);
        rc = document_add_table(document, table, "Experiments, in the order of queueing", NULL,
                                err);
        out->unsteady = page_is_live(live);
    }
    table_destroy(table);
    page_free_live(live);
    return page_end(out, document, rc, err);
}

/* ---- one experiment ---- */

enum { MOST_RUNS = 1000 };

static int add_runs(struct document *document, struct store *store, const char *experiment,
                    struct error *err)
{
    struct table *table = NULL;
    int rc = run_list(&table, store, experiment, MOST_RUNS, err);

    document_section(document, "runs", "Runs");
    if (rc == 0)
        rc = document_add_table(document, table, "Runs by arm and seed", experiment, err);
    table_destroy(table);
    return rc;
}

static int add_report(struct document *document, const struct page_source *source,
                      const char *experiment, struct error *err)
{
    struct figure_source figures = { 0 };
    struct report report;
    char *spec = NULL, *prefix = markup_path("figure", experiment, NULL);
    int rc = prefix == NULL ? error_no_memory(err, "a page")
                            : figure_source_open(&figures, source->store, experiment, NULL, 0,
                                                 METRIC_PASS_AT_2, NULL, err);

    if (rc == 0)
        rc = origin_spec_text(&spec, source->store, source->workspace->path,
                              figures.results->experiment_id, err);
    if (rc == 0) {
        rc = report_write(&report, document, &figures, spec, prefix, err);
        report_release(&report);
    }
    if (rc == 0)
        rc = page_add_comparing(document, source->store, figures.results, err);
    figure_source_close(&figures);
    free(spec);
    free(prefix);
    return rc;
}

int page_experiment(struct page_text *out, const struct page_source *source, struct error *err)
{
    struct document *document = NULL;
    struct live_source *live = NULL;
    char name[EXPERIMENT_NAME_SIZE];
    int rc = experiment_find(source->store, name, source->request->parts[1], err);

    if (rc == 0)
        rc = page_load_live(&live, source, name, err);
    if (rc == 0)
        rc = page_begin(&document, NULL, name, err);
    if (rc == 0) {
        out->unsteady = page_is_live(live);
        page_add_live(document, &live->live);
        page_add_failures(document, &live->live);
        rc = add_report(document, source, name, err);
    }
    if (rc == 0)
        rc = add_runs(document, source->store, name, err);
    page_free_live(live);
    return page_end(out, document, rc, err);
}

/* /figure/EXPERIMENT/NAME.svg */
int page_figure(struct page_text *out, const struct page_source *source, struct error *err)
{
    const char *const *parts = source->request->parts;
    const struct figure *figure = NULL;
    struct figure_source figures = { 0 };
    struct picture picture;
    size_t length = strlen(parts[2]);
    char name[64];
    int rc = 0;

    if (length < 5 || length >= sizeof name || strcmp(parts[2] + length - 4, ".svg") != 0)
        return error_set(err, ERROR_ABSENT, "%.60s: expected FIGURE.svg", parts[2]);
    snprintf(name, sizeof name, "%.*s", (int)length - 4, parts[2]);
    rc = figure_find(&figure, name, err);
    if (rc == ERROR_FORMAT)
        rc = ERROR_ABSENT;
    if (rc == 0)
        rc = figure_source_open(&figures, source->store, parts[1], NULL, 0, METRIC_PASS_AT_2,
                                figure, err);
    if (rc == 0) {
        figures.axis = request_value(source->request, "axis");
        figures.rows = request_value(source->request, "rows");
        figures.cols = request_value(source->request, "cols");
        rc = figure_make(&picture, figure, &figures, err);
    }
    if (rc == 0) {
        rc = picture_draw(&out->text, &picture, true, err);
        picture_release(&picture);
    }
    figure_source_close(&figures);
    if (rc == 0) {
        out->size = strlen(out->text);
        out->type = "image/svg+xml";
    }
    return rc;
}
