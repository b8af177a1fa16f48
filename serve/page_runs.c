/* page_runs.c - everything about a run; a task's outcomes, and the answers to it that
 * are kept as files; the queue. */
#include "page_parts.h"

#include "curve_query.h"
#include "error.h"
#include "file.h"
#include "grid_picture.h"
#include "job_list.h"
#include "json.h"
#include "live_load.h"
#include "live_query.h"
#include "picture.h"
#include "query.h"
#include "run_tables.h"
#include "status_query.h"
#include "table.h"
#include "table_document.h"
#include "task_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void link_experiment(struct document *document, const char *name)
{
    document_link(document, name, &(struct document_target){ "experiment", name, NULL });
}

/* ---- a run ---- */

enum { MOST_TESTS = 500 };

/* Adds the run's training loss as a drawing; nothing if there is none. */
static int add_curve(struct document *document, struct store *store, const char *hash,
                     struct error *err)
{
    struct curve_point points[LIVE_POINTS];
    struct picture picture = { 0 };
    char *svg = NULL;
    int64_t run_id;
    int count = 0, rc = run_find_id(store, &run_id, hash, err);

    if (rc == 0)
        rc = live_curve(store, points, &count, run_id, err);
    if (rc != 0 || count < 2)
        return rc;
    struct chart *chart =
        chart_create(CHART_LINES, NULL, "training step", "token loss in training, nats");
    int series = chart != NULL ? chart_add_series(chart, "", 0) : 0;

    if (chart != NULL)
        chart_join_points(chart, series, false);
    for (int i = 0; i < count && chart != NULL; i++) {
        struct chart_point point = chart_point_at((double)points[i].step, points[i].value);

        chart_add_point(chart, series, &point);
    }
    rc = picture_add(&picture, chart, err);
    if (rc == 0)
        rc = picture_describe(&picture, "Training loss", NULL, err);
    if (rc == 0)
        rc = picture_draw(&svg, &picture, false, err);
    if (rc == 0)
        document_picture(document, "Training loss", svg, NULL);
    picture_release(&picture);
    free(svg);
    return rc;
}

/* experiment: one of the run's, "": it has none. */
static int add_outcomes(struct document *document, struct store *store, const char *hash,
                        const char *experiment, struct error *err)
{
    struct table *table = NULL;
    int rc = run_outcomes(&table, store, hash, MOST_TESTS, err);

    if (rc == 0 && table != NULL) {
        document_section(document, "tasks", "Tasks");
        rc = document_add_table(document, table, "Tasks",
                                experiment[0] != '\0' ? experiment : NULL, err);
    }
    table_destroy(table);
    return rc;
}

int page_run(struct page_text *out, const struct page_source *source, struct error *err)
{
    static const char *const TITLES[RUN_TABLES][3] = {
        { "facts", "Facts", "What is known of the run" },
        { "settings", "Settings", "Settings in effect" },
        { "attempts", "Attempts", "Attempts to execute its jobs" },
        { "evaluations", "Evaluations", "Results by training step and evaluation" },
    };
    /* what people look for first */
    static const int ORDER[RUN_TABLES] = { 0, 3, 2, 1 };
    struct table *tables[RUN_TABLES] = { NULL };
    struct document *document = NULL;
    char hash[65], directory[160], title[40], experiment[EXPERIMENT_NAME_SIZE] = "";
    int rc = status_find_run(source->store, source->request->parts[1], hash, directory, err);

    if (rc == 0)
        rc = run_tables(source->store, tables, hash, true, err);
    if (rc == 0)
        rc = run_experiment(source->store, experiment, hash, err);
    if (rc == 0) {
        snprintf(title, sizeof title, "Run %.12s", hash);
        rc = page_begin(&document, NULL, title, err);
    }
    if (rc == 0 && experiment[0] != '\0')
        link_experiment(document, experiment);
    for (int i = 0; i < RUN_TABLES && rc == 0; i++) {
        const char *const *words = TITLES[ORDER[i]];

        document_section(document, words[0], words[1]);
        rc = document_add_table(document, tables[ORDER[i]], words[2], NULL, err);
        if (rc == 0 && i == 0)
            rc = add_curve(document, source->store, hash, err);
    }
    if (rc == 0)
        rc = add_outcomes(document, source->store, hash, experiment, err);
    if (rc == 0)
        document_note(document, "hrmlab show RUN lists its files, hrmlab logs RUN prints what "
                                "the worker said.");
    for (int i = 0; i < RUN_TABLES; i++)
        table_destroy(tables[i]);
    return page_end(out, document, rc, err);
}

/* ---- a task ---- */

enum { MOST_OUTCOMES = 1000, MOST_ANSWERERS = 24, MOST_GRIDS = 16 };

/* Draws both answers to every test of the task, once where they are the same; *count:
 * of them. A grid that cannot be drawn is left out. */
static int draw_answers(char *svgs[MOST_GRIDS], int *count, const cJSON *tests,
                        struct error *err)
{
    static const char *const NAMES[] = { "attempt_1", "attempt_2" };
    const cJSON *test;
    int number = 1, rc = 0;

    *count = 0;
    cJSON_ArrayForEach(test, tests)
    {
        const cJSON *first = json_member(test, NAMES[0]), *second = json_member(test, NAMES[1]);
        int answers = cJSON_Compare(first, second, true) ? 1 : 2;

        for (int i = 0; i < answers && rc == 0 && *count < MOST_GRIDS; i++) {
            char title[60];

            snprintf(title, sizeof title, "test %d, answer %d", number, i + 1);
            rc = grid_picture(&svgs[*count], json_member(test, NAMES[i]), title, err);
            *count += rc == 0;
            rc = rc == ERROR_FORMAT ? 0 : rc;
        }
        number++;
    }
    return rc;
}

/* Adds the answers of a run, from its submission.json. *found: it has any. */
static int add_answers(struct document *document, const struct page_source *source,
                       const struct task_answerer *answerer, const char *task, bool *found,
                       struct error *err)
{
    char *svgs[MOST_GRIDS] = { NULL };
    char *path =
        format_string("%s/%s/submission.json", source->workspace->path, answerer->directory);
    cJSON *root = NULL;
    struct error why = { 0 };
    int count = 0;
    int rc = path == NULL ? error_no_memory(err, "a page")
                          : json_read_file(&root, path, JSON_DATA_LIMIT, &why);

    if (path != NULL && rc != 0)
        /* absent: of no ARC run, or deleted by gc */
        rc = rc == ERROR_NOMEM ? error_no_memory(err, "a page") : 0;
    else if (rc == 0)
        rc = draw_answers(svgs, &count, json_member(root, task), err);
    if (rc == 0 && count > 0) {
        *found = true;
        document_heading(document, answerer->label);
        document_pictures(document, NULL, svgs, count);
    }
    for (int i = 0; i < count; i++)
        free(svgs[i]);
    cJSON_Delete(root);
    free(path);
    return rc;
}

static int add_all_answers(struct document *document, const struct page_source *source,
                           const char *experiment, const char *task, struct error *err)
{
    struct task_answerer *answerers = calloc(MOST_ANSWERERS, sizeof *answerers);
    bool found = false;
    int count = 0, rc = answerers == NULL ? error_no_memory(err, "a page") : 0;

    document_section(document, "answers", "Answers");
    if (rc == 0)
        rc = task_answerers(source->store, answerers, MOST_ANSWERERS, &count, experiment, task,
                            err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = add_answers(document, source, &answerers[i], task, &found, err);
    if (rc == 0 && !found)
        document_paragraph(document, "No answers are kept as files: only ARC tasks have a "
                                     "submission.json.");
    if (rc == 0 && count == MOST_ANSWERERS)
        document_say(document, "Of the runs, the first %d are shown.", MOST_ANSWERERS);
    if (rc == 0 && found)
        document_note(document,
                      "From left to right, test by test, the answers with most votes, "
                      "at most two.");
    if (rc == 0)
        document_note(document, "hrmlab show RUN --task NAME --steps draws input, solution and "
                                "the answer after each outer step.");
    free(answerers);
    return rc;
}

int page_task(struct page_text *out, const struct page_source *source, struct error *err)
{
    const char *task = source->request->parts[2];
    struct document *document = NULL;
    struct table *table = NULL;
    char name[EXPERIMENT_NAME_SIZE];
    int rc = experiment_find(source->store, name, source->request->parts[1], err);

    if (rc == 0)
        rc = task_outcomes(&table, source->store, name, task, MOST_OUTCOMES, err);
    if (rc == 0)
        rc = page_begin(&document, NULL, task, err);
    if (rc == 0) {
        link_experiment(document, name);
        document_section(document, "outcomes", "Outcomes");
        rc = document_add_table(document, table, "Outcomes by arm, seed, evaluation and test",
                                NULL, err);
    }
    if (rc == 0)
        rc = add_all_answers(document, source, name, task, err);
    table_destroy(table);
    return page_end(out, document, rc, err);
}

/* ---- the queue ---- */

enum { MOST_QUEUED = 200 };

int page_queue(struct page_text *out, const struct page_source *source, struct error *err)
{
    struct document *document = NULL;
    struct live_source *live = NULL;
    struct table *running = NULL, *queued = NULL;
    int rc = page_load_live(&live, source, NULL, err);

    if (rc == 0)
        rc = job_list_running(&running, source->store, err);
    if (rc == 0)
        rc = job_list_queued(&queued, source->store, MOST_QUEUED, err);
    if (rc == 0)
        rc = page_begin(&document, "/queue", "Queue", err);
    if (rc == 0) {
        out->unsteady = true; /* a runner may come and go */
        page_add_live(document, &live->live);
        if (live->live.runner[0] == '\0' && live->live.message_count == 0)
            document_paragraph(document, "No runner is at work.");
        document_section(document, "places", "Where jobs run");
        rc = document_add_table(document, running, "Jobs and the machines they run on", NULL,
                                err);
    }
    if (rc == 0) {
        document_section(document, "failures", "Failures");
        page_add_failures(document, &live->live);
        if (live->live.failure_count == 0)
            document_paragraph(document, "No job has failed.");
        document_section(document, "queued", "Queued"); /* last: it may be long */
        rc = document_add_table(document, queued, "In the order in which they would start",
                                NULL, err);
    }
    table_destroy(running);
    table_destroy(queued);
    page_free_live(live);
    return page_end(out, document, rc, err);
}
