/* experiment_report.c - a report's order of sections, its figures, design and
 * finding. */
#include "experiment_report.h"

#include "error.h"
#include "file.h"
#include "finding.h"
#include "mark.h"
#include "number.h"
#include "picture.h"
#include "report_parts.h"
#include "settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, LISTED_SEEDS = 5 };

/* ---- question and design ---- */

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* How many of the sorted seeds, from the first on, follow each other without a gap. */
static int consecutive(const int64_t *seeds, int count)
{
    int end = 1;

    while (end < count && seeds[end] == seeds[end - 1] + 1)
        end++;
    return end;
}

/* Writes "seed 0", "seeds 0, 1, 2" or "seeds 0 to 99, 1000"; what has no room:
 * "...". */
static void write_seeds(char *out, size_t size, const int64_t *seeds, int count)
{
    enum { ROOM = 2 * 20 + sizeof ",  to , ..." };
    size_t used = (size_t)snprintf(out, size, count == 1 ? "seed" : "seeds");

    for (int i = 0, end; i < count; i = end) {
        int together = consecutive(seeds + i, count - i);
        bool range = together > LISTED_SEEDS;
        const char *comma = i > 0 ? "," : "";

        end = range ? i + together : i + 1;
        if (size - used < ROOM) {
            snprintf(out + used, size - used, ", ...");
            return;
        }
        if (range)
            used += (size_t)snprintf(out + used, size - used, "%s %lld to %lld", comma,
                                     (long long)seeds[i], (long long)seeds[end - 1]);
        else
            used += (size_t)snprintf(out + used, size - used, "%s %lld", comma,
                                     (long long)seeds[i]);
    }
}

/* Describes the seeds of all runs in ascending order. */
static int describe_seeds(char *out, size_t size, const struct results *results,
                          struct error *err)
{
    int64_t *seeds = calloc((size_t)results->row_count + 1, sizeof *seeds);
    int count = 0;

    if (seeds == NULL)
        return error_no_memory(err, "a report");
    for (int i = 0; i < results->row_count; i++)
        seeds[i] = results->rows[i].seed;
    qsort(seeds, (size_t)results->row_count, sizeof *seeds, compare_seeds);
    for (int i = 0; i < results->row_count; i++)
        if (i == 0 || seeds[i] != seeds[i - 1])
            seeds[count++] = seeds[i];
    write_seeds(out, size, seeds, count);
    free(seeds);
    return 0;
}

static int64_t scored_tasks(const struct results *results)
{
    int64_t most = 0;

    for (int i = 0; i < results->row_count; i++)
        most = results->rows[i].tasks > most ? results->rows[i].tasks : most;
    return most;
}

/* Joins the values of an axis: "1, 2, 4". */
static char *join_values(const struct cell_axis *axis)
{
    char *text = strdup("");

    for (int i = 0; i < axis->count && text != NULL; i++) {
        char *next = format_string("%s%s%s", text, i > 0 ? ", " : "", axis->values[i]);

        free(text);
        text = next;
    }
    return text;
}

/* The number of arms that have rows: conditions may have left some out. */
static int count_arms(const struct results *results)
{
    int count = 0;

    for (int i = 0; i < results->row_count; i++)
        count += i == 0 || results->rows[i].arm != results->rows[i - 1].arm;
    return count;
}

/* Says so where trainings have different lengths. */
static void say_lengths(struct document *document, const struct results *results)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < results->row_count; i++) {
        least = results->rows[i].total_steps < least ? results->rows[i].total_steps : least;
        most = results->rows[i].total_steps > most ? results->rows[i].total_steps : most;
    }
    if (least < most)
        document_say(document, "Trainings have %lld to %lld steps.", (long long)least,
                     (long long)most);
}

/* The source of the data, if all arms have the same. */
static const char *data_source(const struct report_source *source)
{
    static const char *const KEYS[] = { "data.path", "data.generator_seed" };

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (cells_find_axis(source->figures->cells, KEYS[i]) >= 0)
            return "differs between arms, see below";
    return source->figures->data[0] != '\0' ? source->figures->data : "not known yet";
}

int report_design(struct report_source *source, struct error *err)
{
    static const struct document_head HEADS[] = { { "setting", DOCUMENT_TEXT },
                                                  { "values", DOCUMENT_TEXT },
                                                  { "means", DOCUMENT_TEXT } };
    struct document *document = source->document;
    const struct cells *cells = source->figures->cells;
    const struct results *results = source->figures->results;
    char seeds[200], missing[160], done[40] = "done";
    int arms = count_arms(results);

    document_section(document, "design", "Design");
    if (source->figures->where_count > 0)
        document_say(document,
                     "This report is of what meets %s; cost, failures and provenance are of "
                     "the whole experiment.",
                     source->figures->conditions);
    if (results->runs.of[RUN_DONE] < results->runs.total)
        snprintf(done, sizeof done, "%d of them done", results->runs.of[RUN_DONE]);
    else if (results->runs.total > 1)
        snprintf(done, sizeof done, "all done");
    int rc = describe_seeds(seeds, sizeof seeds, results, err);

    if (rc != 0)
        return rc;
    document_say(document, "%d arm%s, %s: %d run%s, %s. Data: %s; %lld task%s scored.", arms,
                 arms == 1 ? "" : "s", seeds, results->runs.total,
                 results->runs.total == 1 ? "" : "s", done, data_source(source),
                 (long long)scored_tasks(results), scored_tasks(results) == 1 ? "" : "s");
    run_counts_describe(missing, sizeof missing, &results->runs);
    if (missing[0] != '\0')
        document_say(document, "Not complete: %s.", missing);
    say_lengths(document, results);
    if (cells->axis_count == 0) {
        document_paragraph(document, "Nothing varies but the seed.");
        return 0;
    }
    document_paragraph(document, "What differs:");
    document_table(document, "Settings in which the arms differ", HEADS, 3);
    for (int i = 0; i < cells->axis_count; i++) {
        const struct cell_axis *axis = &cells->axes[i];
        int id = setting_find(axis->key);
        char *values = join_values(axis);

        if (values == NULL)
            return error_no_memory(err, "a report");
        document_cell(document, axis->key);
        document_cell(document, values);
        document_cell(document, id >= 0 ? settings_table[id].meaning : "");
        free(values);
    }
    document_table_end(document);
    return 0;
}

/* ---- the finding ---- */

/* Writes "arch.name: trm - hrm: +0.031 [-0.004, +0.066], inconclusive." */
static void say_difference(struct document *document, const struct comparison *item)
{
    const struct estimate *e = &item->estimate;
    char value[NUMBER_TEXT_SIZE], low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];
    const char *verdict = verdict_name(comparison_verdict(item));

    number_signed(value, e->value, DIGITS);
    if (isfinite(e->low))
        document_say(document, "%s: %s [%s, %s], %s.", item->label, value,
                     number_signed(low, e->low, DIGITS), number_signed(high, e->high, DIGITS),
                     verdict);
    else
        document_say(document, "%s: %s, %s (one task: no interval).", item->label, value,
                     verdict);
}

/* How many differences are shown: higher or lower after the correction. */
static int count_shown(const struct comparison_list *list)
{
    int shown = 0;

    for (int i = 0; i < list->count; i++) {
        enum verdict verdict = comparison_verdict(&list->items[i]);

        shown += verdict == VERDICT_HIGHER || verdict == VERDICT_LOWER;
    }
    return shown;
}

/* Writes how many differences are shown, and each of these; of few, all. none: ends the
 * sentence if there is none. */
static void say_shown(struct document *document, const char *what, const char *none,
                      const struct compare *compare, const struct comparison_list *list)
{
    static const char LISTED[] = " (intervals: 95 %, not corrected):";
    char seeds[FINDING_SEEDS_SIZE];
    int shown = count_shown(list);

    finding_seeds(seeds, list);
    document_say(document,
                 "%s (%s, %d task%s, %s): of %d difference%s %d %s shown after Holm's "
                 "correction%s",
                 what, METRICS[compare->metric].title, compare->task_count,
                 compare->task_count == 1 ? "" : "s", seeds, list->count,
                 list->count == 1 ? "" : "s", shown, shown == 1 ? "is" : "are",
                 shown == 0 && none != NULL ? none : LISTED);
    for (int i = 0; i < list->count; i++) {
        enum verdict verdict = comparison_verdict(&list->items[i]);

        if (verdict == VERDICT_HIGHER || verdict == VERDICT_LOWER || list->count <= 3)
            say_difference(document, &list->items[i]);
    }
}

/* A paragraph per line of the text, which is changed. */
static void say_lines(struct document *document, char *text)
{
    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');

        if (end != NULL)
            *end = '\0';
        document_paragraph(document, line);
        line = end != NULL ? end + 1 : NULL;
    }
}

/* The planned comparisons first, each with its verdict. */
static void say_planned(struct document *document, const struct figure_source *figures)
{
    if (figures->planned.count + figures->planned_missing == 0)
        return;
    if (figures->planned.count > 0)
        say_shown(document, "Planned beforehand, and corrected for these alone", NULL,
                  figures->compare, &figures->planned);
    for (int i = 0; i < figures->planned.count && figures->planned.count > 3; i++) {
        enum verdict verdict = comparison_verdict(&figures->planned.items[i]);

        if (verdict != VERDICT_HIGHER && verdict != VERDICT_LOWER)
            say_difference(document, &figures->planned.items[i]);
    }
    if (figures->planned_missing > 0)
        document_say(document, "%d planned comparison%s no results%s.",
                     figures->planned_missing,
                     figures->planned_missing == 1 ? " has" : "s have",
                     figures->where_count > 0 ? ", or none that meet the conditions" : "");
}

/* Why no difference is shown. */
static const char *why_none(const struct figure_source *figures)
{
    const struct cells *cells = figures->cells;
    double least = (double)INFINITY, most = -(double)INFINITY;

    for (int i = 0; i < cells->count; i++)
        if (cells->items[i].count > 0) {
            least = fmin(least, cells->items[i].mean);
            most = fmax(most, cells->items[i].mean);
        }
    if (most <= 0 && METRICS[cells->metric].better == MEASURE_HIGHER)
        return ": nothing was solved anywhere, so that nothing can be said of what matters.";
    if (most - least < 1e-12)
        return ": all arms have the same value.";
    return ": this experiment cannot tell its arms apart.";
}

int report_finding(struct report_source *source, struct error *err)
{
    struct figure_source *figures = source->figures;
    struct document *document = source->document;
    char *text = NULL;
    struct error why = { 0 };
    int rc = figure_compare(figures, &why);

    document_section(document, "finding", "Finding");
    if (rc == ERROR_FORMAT || rc == ERROR_ABSENT) {
        document_say(document, "Nothing can be compared: %s.", why.message);
        return 0;
    }
    if (rc != 0) {
        *err = why;
        return rc;
    }
    say_planned(document, figures);
    if (figures->matrix != NULL) {
        rc = finding_write(&text, figures->matrix, figures->compare, &figures->comparisons,
                           '\n', err);
        if (rc == 0)
            say_lines(document, text);
        if (rc == 0 && figures->matrix->variants > 1)
            document_say(document, "Of the evaluations, this is about those with %s.",
                         figures->matrix->evaluation);
        if (rc == 0 && figures->planned.count > 0)
            document_note(document, "A planned difference is corrected for the planned ones "
                                    "alone: it may be shown there and inconclusive among all.");
        free(text);
        return rc;
    }
    if (figures->comparisons.count == 0)
        document_paragraph(document,
                           figures->comparisons.impossible > 0
                               ? "No two sides that could be compared have a task in common."
                               : "There are no two arms to compare.");
    else
        say_shown(document, figures->planned.count > 0 ? "Each setting alone" : "Finding",
                  count_shown(&figures->planned) > 0 ? "." : why_none(figures),
                  figures->compare, &figures->comparisons);
    if (figures->comparisons.count > 0 && figure_averages_settings(figures))
        document_note(document,
                      "A difference in one setting is the mean over the values of the "
                      "others that both sides have.");
    return 0;
}

/* ---- figures ---- */

static int keep_picture(struct report *report, const char *file_name, char **svg,
                        struct error *err)
{
    struct report_picture *pictures =
        realloc(report->pictures, ((size_t)report->picture_count + 1) * sizeof *pictures);

    if (pictures == NULL)
        return error_no_memory(err, "a report");
    report->pictures = pictures;
    pictures[report->picture_count] =
        (struct report_picture){ .file_name = strdup(file_name), .svg = *svg };
    *svg = NULL;
    return pictures[report->picture_count++].file_name == NULL
               ? error_no_memory(err, "a report")
               : 0;
}

/* The address of a figure in a page of hrmlab-serve, or its file's name; of a figure
 * against a setting, with that. Newly allocated; NULL: no memory. */
static char *picture_name(const struct figure *figure, const char *axis, const char *prefix,
                          bool page)
{
    if (page)
        return format_string("%s/%s.svg%s%s", prefix, figure->name,
                             axis != NULL ? "?axis=" : "", axis != NULL ? axis : "");
    return format_string("%s-%s%s%s.svg", prefix, figure->name, axis != NULL ? "-" : "",
                         axis != NULL ? axis : "");
}

/* Adds a figure, if it is possible. *drawn: it is; else unchanged. */
static int add_figure(struct report *report, bool *drawn, struct report_source *source,
                      const struct figure *figure, const char *prefix, struct error *err)
{
    enum document_form form = document_form(source->document);
    struct picture picture;
    char *svg = NULL,
         *name = picture_name(figure, source->figures->axis, prefix, form == DOCUMENT_PAGE);
    int rc = name == NULL ? error_no_memory(err, "a report")
                          : figure_make(&picture, figure, source->figures, err);

    if (rc != 0) {
        free(name);
        if (rc == ERROR_FORMAT) { /* there is too much for one figure */
            const char *axis = source->figures->axis;
            char *note =
                format_string("%s%s%s is not drawn: %s", figure->name, axis != NULL ? " " : "",
                              axis != NULL ? axis : "", err->message);

            rc = note == NULL ? error_no_memory(err, "a report") : 0;
            if (rc == 0)
                document_note(source->document, note);
            free(note);
        }
        /* the figure is not possible for this experiment; `hrmlab plot` gives the
         * reason */
        return rc == ERROR_ABSENT ? 0 : rc;
    }
    rc = picture_draw(&svg, &picture, form == DOCUMENT_MARKDOWN, err);
    if (rc == 0)
        document_picture(source->document, picture.title, svg, name);
    if (rc == 0 && form == DOCUMENT_MARKDOWN)
        rc = keep_picture(report, name, &svg, err);
    *drawn = true;
    picture_release(&picture);
    free(svg);
    free(name);
    return rc;
}

enum { MOST_VALUES = 200 };

/* Whether the axis is of numbers that can be told apart, and no other figure has it. */
static bool needs_figure(const struct cell_axis *axis)
{
    static const char *const KEYS[] = { "arch.halt_max_steps", "arch.H_cycles", "arch.L_cycles",
                                        "data.num_aug" };

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(axis->key, KEYS[i]) == 0)
            return false;
    return !axis->of_evaluation && axis->numeric && axis->count <= MOST_VALUES;
}

/* Adds figures against settings of training that have no figure of their own, as the
 * width of a model. */
static int add_axes(struct report *report, bool *drawn, struct report_source *source,
                    const char *prefix, struct error *err)
{
    struct figure_source *figures = source->figures;
    const struct figure *figure;
    int rc = figure_find(&figure, "axis", err);

    for (int a = 0; a < figures->cells->axis_count && rc == 0; a++) {
        if (!needs_figure(&figures->cells->axes[a]))
            continue;
        figures->axis = figures->cells->axes[a].key;
        rc = add_figure(report, drawn, source, figure, prefix, err);
        figures->axis = NULL;
    }
    return rc;
}

static int add_figures(struct report *report, struct report_source *source, const char *prefix,
                       struct error *err)
{
    bool drawn = false;

    document_section(source->document, "figures", "Figures");
    int rc = add_axes(report, &drawn, source, prefix, err);

    for (const struct figure *figure = FIGURES; figure->name != NULL && rc == 0; figure++)
        if (!figure->asked)
            rc = add_figure(report, &drawn, source, figure, prefix, err);
    if (!drawn)
        document_paragraph(source->document, "There is nothing to draw yet.");
    return rc;
}

/* ---- the report ---- */

static const char *const SECTIONS[][2] = {
    { "finding", "Finding" },
    { "design", "Design" },
    { "arms", "Arms" },
    { "figures", "Figures" },
    { "comparisons", "Comparisons" },
    { "tasks", "Tasks" },
    { "published", "Published" },
    { "cost", "Cost" },
    { "failures", "Failures" },
    { "origin", "Provenance" },
    { "again", "To do it again" },
    /* of a page of hrmlab-serve, which adds them */
    { "compare", "Compare two arms" },
    { "runs", "Runs" },
};
enum { ALL_SECTIONS = sizeof SECTIONS / sizeof *SECTIONS, PAGE_SECTIONS = 2 };

static int write_sections(struct report *report, struct report_source *source,
                          const char *prefix, struct error *err)
{
    static report_section_fn *const BEFORE[] = { report_finding, report_design, report_arms };
    static report_section_fn *const AFTER[] = { report_comparisons, report_tasks,
                                                report_published,   report_cost,
                                                report_failures,    report_origin,
                                                report_again };
    int rc = 0;

    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE && rc == 0; i++)
        rc = BEFORE[i](source, err);
    if (rc == 0)
        rc = add_figures(report, source, prefix, err);
    for (size_t i = 0; i < sizeof AFTER / sizeof *AFTER && rc == 0; i++)
        rc = AFTER[i](source, err);
    return rc;
}

static void say_line(void *context, const char *line)
{
    document_note(context, line);
}

/* Notes and tags of the experiment, its arms and runs. */
static int add_marks(struct report_source *source, struct error *err)
{
    return mark_each_line(source->figures->store, source->figures->results->experiment,
                          say_line, source->document, err);
}

int report_write(struct report *out, struct document *document, struct figure_source *figures,
                 const char *spec, const char *prefix, struct error *err)
{
    static const char *const SPLIT = "eval.split";
    struct report_source source = { .document = document, .figures = figures, .spec = spec };
    int rc = origin_spec(&source.origin, figures->store, figures->results->experiment_id, err);

    *out = (struct report){ 0 };
    if (rc != 0)
        return rc;
    rc = origin_builds(&source.builds, figures->store, &figures->runs, err);
    source.chosen = calloc((size_t)figures->cells->count + 1, sizeof *source.chosen);
    source.listed = calloc((size_t)figures->cells->count + 1, sizeof *source.listed);
    if (rc == 0 && (source.chosen == NULL || source.listed == NULL))
        rc = error_no_memory(err, "a report");
    if (rc == 0) {
        cells_choose(source.listed, figures->cells, &SPLIT, 1, source.listed_note);
        cells_choose(source.chosen, figures->cells, NULL, 0, source.note);
        if (source.origin.description[0] != '\0')
            document_paragraph(document, source.origin.description);
        rc = add_marks(&source, err);
        document_contents(document, SECTIONS,
                          document_form(document) == DOCUMENT_PAGE
                              ? ALL_SECTIONS
                              : ALL_SECTIONS - PAGE_SECTIONS);
    }
    if (rc == 0)
        rc = write_sections(out, &source, prefix, err);
    free(source.chosen);
    free(source.listed);
    origin_spec_release(&source.origin);
    origin_builds_release(&source.builds);
    if (rc != 0)
        report_release(out);
    return rc;
}

int report_make(struct report *out, struct figure_source *figures, const char *spec,
                enum document_form form, const char *prefix, struct error *err)
{
    struct document *document;
    int rc = document_create(&document, form, figures->results->experiment, err);

    *out = (struct report){ 0 };
    if (rc == 0)
        rc = report_write(out, document, figures, spec, prefix, err);
    if (rc != 0) {
        document_destroy(document);
        return rc;
    }
    rc = document_finish(document, &out->text, err);
    if (rc != 0)
        report_release(out);
    return rc;
}

void report_release(struct report *report)
{
    for (int i = 0; i < report->picture_count; i++) {
        free(report->pictures[i].file_name);
        free(report->pictures[i].svg);
    }
    free(report->pictures);
    free(report->text);
    *report = (struct report){ 0 };
}
