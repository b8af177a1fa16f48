/* report_answers.c - a report's drawings of answers. */
#include "report_parts.h"

#include "error.h"
#include "file.h"
#include "task_query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN_RUNS = 2 };

/* The first run of the chosen arm with the highest mean, or the lowest; NULL: none. */
static const char *extreme_run(const struct report_source *source, bool highest)
{
    const struct cells *cells = source->figures->cells;
    const struct cell *found = NULL;

    for (int i = 0; i < cells->count; i++) {
        const struct cell *cell = &cells->items[i];

        if (!source->chosen[i] || isnan(cell->mean))
            continue;
        if (found == NULL || (highest ? cell->mean > found->mean : cell->mean < found->mean))
            found = cell;
    }
    return found != NULL ? found->row->hash : NULL;
}

/* Finds the first run of the best arm and of the worst. runs[i]: of rooms[i]; NULL: it
 * has no answers. */
static int find_runs(const struct task_answerer *runs[DRAWN_RUNS],
                     struct task_answerer rooms[DRAWN_RUNS], const struct report_source *source,
                     const char *task, struct error *err)
{
    const struct figure_source *figures = source->figures;
    int rc = 0;

    for (int r = 0; r < DRAWN_RUNS && rc == 0; r++) {
        const char *hash = extreme_run(source, r == 0);
        bool found = false;

        if (hash != NULL)
            rc = task_answerer_find(figures->store, &rooms[r], &found,
                                    figures->results->experiment, task, hash, err);
        runs[r] = found ? &rooms[r] : NULL;
    }
    if (rc == 0 && runs[0] != NULL && runs[1] != NULL &&
        strcmp(runs[0]->hash, runs[1]->hash) == 0)
        runs[1] = NULL;
    return rc;
}

static bool is_text(const struct document *document)
{
    return document_form(document) == DOCUMENT_MARKDOWN;
}

/* "Best arm: arch.halt_max_steps=16 seed 0". */
static int add_drawing(struct document *document, const char *which, const char *label,
                       char *const *drawing, struct error *err)
{
    char *title = format_string("%s: %s", which, label);

    if (title == NULL)
        return error_no_memory(err, "a report");
    if (is_text(document)) {
        document_paragraph(document, title);
        document_code(document, *drawing);
    } else {
        document_pictures(document, title, drawing, 1);
    }
    free(title);
    return 0;
}

/* The answers of the runs, task by task. drawings: (runs, tasks). */
static int add_drawings(struct document *document, const struct task_answerer *const *runs,
                        char *const *drawings, const char *const *tasks, int count,
                        struct error *err)
{
    int rc = 0;

    document_note(document,
                  is_text(document)
                      ? "Of some of the hardest and of the most contested tasks: input, "
                        "solution, and the answers with most votes; * is before wrong cells."
                      : "Of some of the hardest and of the most contested tasks: input, "
                        "solution, and the answers with most votes; wrong cells are marked.");
    for (int t = 0; t < count; t++) {
        document_subheading(document, tasks[t]);
        for (int r = 0; r < DRAWN_RUNS && rc == 0; r++) {
            char *const *drawing = &drawings[r * count + t];

            if (*drawing != NULL)
                rc = add_drawing(document, r == 0 ? "Best arm" : "Worst arm", runs[r]->label,
                                 drawing, err);
        }
    }
    return rc;
}

/* Has both runs draw all tasks. *any: there is a drawing. *whole: none is missing. */
static int draw(char **drawings, bool *any, bool *whole, bool text,
                const struct task_answerer *const *runs, const struct figure_source *figures,
                const char *const *tasks, int count, struct error *err)
{
    int rc = 0;

    *whole = true;
    for (int r = 0; r < DRAWN_RUNS && rc == 0; r++) {
        bool all = true;

        if (runs[r] != NULL)
            rc = figures->draw_answers(drawings + r * count, &all, text, figures->draw_context,
                                       runs[r]->directory, tasks, count, err);
        *whole = *whole && all;
    }
    *any = false;
    for (int i = 0; i < DRAWN_RUNS * count; i++)
        *any = *any || drawings[i] != NULL;
    return rc;
}

int report_answers(struct report_source *source, const char *const *tasks, int count,
                   struct error *err)
{
    const struct figure_source *figures = source->figures;
    const struct task_answerer *runs[DRAWN_RUNS];
    struct task_answerer rooms[DRAWN_RUNS];
    bool any = false, whole = true;

    if (figures->draw_answers == NULL || document_form(source->document) == DOCUMENT_PAGE ||
        count == 0)
        return 0;
    char **drawings = calloc((size_t)(DRAWN_RUNS * count), sizeof *drawings);
    int rc = drawings == NULL ? error_no_memory(err, "a report")
                              : find_runs(runs, rooms, source, tasks[0], err);

    if (rc == 0)
        rc = draw(drawings, &any, &whole, is_text(source->document), runs, figures, tasks,
                  count, err);
    if (rc == 0 && (any || !whole))
        document_heading(source->document, "Answers");
    if (rc == 0 && !whole)
        document_paragraph(source->document,
                           "Answers are missing here: they could not be drawn when this report "
                           "was made, and hrmlab report said why.");
    if (rc == 0 && any)
        rc = add_drawings(source->document, runs, drawings, tasks, count, err);
    for (int i = 0; drawings != NULL && i < DRAWN_RUNS * count; i++)
        free(drawings[i]);
    free(drawings);
    return rc;
}
