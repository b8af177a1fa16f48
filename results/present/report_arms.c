/* report_arms.c - a report's tables of arms, differences and tasks. */
#include "report_parts.h"

#include "arm_find.h"
#include "error.h"
#include "file.h"
#include "number.h"
#include "statistics.h"
#include "task_score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3, MOST_AXES = 12, LISTED_TASKS = 10, DRAWN_TASKS = 3, NAMED_ARMS = 12 };

/* ---- arms ---- */

/* Measures that stand beside the one that is asked for. */
static const enum metric OTHERS[] = { METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS };
enum { OTHER_COUNT = sizeof OTHERS / sizeof *OTHERS };

/* The mean of another measure over the finished seeds. */
static double mean_of(const struct cells *cells, const struct cell *cell, enum metric metric)
{
    double sum = 0;
    int known = 0;

    for (int i = 0; i < cell->planned; i++) {
        double value = result_value(cells->results, &cell->row[i], metric);

        if (strcmp(cell->row[i].checkpoint, "last") != 0 || !isfinite(value))
            continue;
        sum += value;
        known++;
    }
    return known > 0 ? sum / known : (double)NAN;
}

/* The mean of the processor time of training over the finished seeds. */
static double train_cpu_seconds_of(const struct cell *cell)
{
    double sum = 0;
    int known = 0;

    for (int i = 0; i < cell->planned; i++) {
        double value = cell->row[i].train_cpu_seconds;

        if (strcmp(cell->row[i].checkpoint, "last") != 0 || !isfinite(value))
            continue;
        sum += value;
        known++;
    }
    return known > 0 ? sum / known : (double)NAN;
}

/* Whether arms are named by labels: there is no training axis, or there are many. */
static bool shows_labels(const struct cells *cells)
{
    int count = 0;

    for (int a = 0; a < cells->axis_count; a++)
        count += !cells->axes[a].of_evaluation;
    return count == 0 || count > MOST_AXES;
}

/* Whether an axis has a column: those of training, and the split. */
static bool has_column(const struct cells *cells, int axis)
{
    return strcmp(cells->axes[axis].key, "eval.split") == 0 ||
           (!cells->axes[axis].of_evaluation && !shows_labels(cells));
}

/* Makes a column per training axis, or one column for all, and one of the split. */
static int arm_heads(struct document_head *heads, const struct cells *cells)
{
    int count = 0;

    if (shows_labels(cells))
        heads[count++] = (struct document_head){ "arm", DOCUMENT_TEXT };
    for (int a = 0; a < cells->axis_count; a++)
        if (has_column(cells, a))
            heads[count++] = (struct document_head){ axis_short_name(cells->axes[a].key),
                                                     cells->axes[a].numeric ? DOCUMENT_NUMBER
                                                                            : DOCUMENT_TEXT };
    return count;
}

/* The cell's value on an axis; "-": the setting has no effect on its arm. */
static const char *shown_value(const struct cells *cells, const struct cell *cell, int axis)
{
    return cell_has_effect(cells, cell, axis) ? cells->axes[axis].values[cell->at[axis]] : "-";
}

static void add_arm_cells(struct document *document, const struct cells *cells,
                          const struct cell *cell)
{
    if (shows_labels(cells))
        document_cell(document, cells->results->arms[cell->row->arm].label);
    for (int a = 0; a < cells->axis_count; a++)
        if (has_column(cells, a))
            document_cell(document, shown_value(cells, cell, a));
}

/* Adds a cell with the difference to the first arm and its interval. */
static int add_delta(struct report_source *source, const struct cell *cell,
                     const struct cell *baseline, struct error *err)
{
    const struct compare *compare = source->figures->compare;
    int mine = compare_cell_of(compare, cell), base = compare_cell_of(compare, baseline);
    const struct contrast_term terms[] = { { mine, 1 }, { base, -1 } };
    struct comparison_list list = { 0 };
    struct error why = { 0 };
    int rc = 0;

    if (cell == baseline || mine < 0 || base < 0) {
        document_cell(source->document, cell == baseline ? "baseline" : "");
        return 0;
    }
    rc = compare_add(&list, compare, COMPARISON_DIFFERENCE, "", "difference", terms, 2, NULL,
                     &why);
    if (rc == 0) {
        const struct estimate *e = &list.items[0].estimate;
        char value[NUMBER_TEXT_SIZE], low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];
        char text[3 * NUMBER_TEXT_SIZE + 8];

        number_signed(value, e->value, DIGITS);
        if (isfinite(e->low))
            snprintf(text, sizeof text, "%s [%s, %s]", value,
                     number_signed(low, e->low, DIGITS), number_signed(high, e->high, DIGITS));
        else
            snprintf(text, sizeof text, "%s", value);
        document_cell(source->document, text);
    } else if (rc == ERROR_ABSENT) { /* no task or seed in common */
        document_cell(source->document, "");
        rc = 0;
    } else {
        *err = why;
    }
    comparison_list_release(&list);
    return rc;
}

static int add_arm_row(struct report_source *source, const struct cell *cell,
                       const struct cell *baseline, bool best, struct error *err)
{
    struct document *document = source->document;
    const struct cells *cells = source->figures->cells;
    char text[NUMBER_TEXT_SIZE], flops[NUMBER_TEXT_SIZE + 8], seeds[40];
    int rc;

    add_arm_cells(document, cells, cell);
    snprintf(seeds, sizeof seeds, "%d of %d", cell->count, cell->planned);
    document_cell(document, seeds);
    number_measure(text, cell->mean, DIGITS);
    if (best)
        document_strong_cell(document, text);
    else
        document_cell(document, text);
    document_cell(document, number_measure(text, cell->deviation, DIGITS));
    rc = add_delta(source, cell, baseline, err);
    for (int i = 0; i < OTHER_COUNT; i++)
        if (OTHERS[i] != cells->metric)
            document_cell(document,
                          number_measure(text, mean_of(cells, cell, OTHERS[i]), DIGITS));
    snprintf(text, sizeof text, "%lld", (long long)cell->row->parameters);
    document_cell(document, cell->row->parameters > 0 ? text : "");
    snprintf(flops, sizeof flops, "%sFLOP", number_scaled(text, cell->flops));
    document_cell(document, isfinite(cell->flops) ? flops : "");
    document_cell(document, number_fixed(text, train_cpu_seconds_of(cell), 1));
    return rc;
}

/* The number of the chosen cell with the best mean; -1: there is one alone, or several
 * are equally good. */
static int best_cell(const struct report_source *source)
{
    const struct cell *items = source->figures->cells->items;
    enum measure_better better = METRICS[source->figures->cells->metric].better;
    int best = -1, count = 0;
    bool tie = false;

    for (int i = 0; i < source->figures->cells->count && better != MEASURE_NEITHER; i++) {
        if (!source->chosen[i])
            continue;
        count++;
        if (best < 0 || (better == MEASURE_HIGHER ? items[i].mean > items[best].mean
                                                  : items[i].mean < items[best].mean)) {
            best = i;
            tie = false;
        } else if (!(items[i].mean < items[best].mean) && !(items[i].mean > items[best].mean))
            tie = true;
    }
    return tie || count < 2 ? -1 : best;
}

/* The chosen cell of the arm that --baseline names, or the first chosen one; *out
 * NULL: none has a result. */
static int find_baseline(const struct cell **out, const struct report_source *source,
                         struct error *err)
{
    const struct figure_source *figures = source->figures;
    struct results *found = NULL;
    int arm = -1, rc = 0;

    *out = NULL;
    if (figures->baseline != NULL) {
        rc = arm_find(&found, figures->store, figures->results, figures->baseline, err);
        arm = rc == 0 ? found->rows[0].arm : -1;
        results_destroy(found);
    }
    for (int i = 0; i < figures->cells->count && rc == 0 && *out == NULL; i++)
        if (source->chosen[i] && (arm < 0 || figures->cells->items[i].row->arm == arm))
            *out = &figures->cells->items[i];
    if (rc == 0 && *out == NULL && arm >= 0)
        rc = error_set(err, ERROR_ABSENT, "--baseline %.200s: nothing of it has finished",
                       figures->baseline);
    return rc;
}

/* Whether a listed arm has too few seeds for intervals over seeds. */
static bool has_few_seeds(const struct report_source *source)
{
    const struct cells *cells = source->figures->cells;
    bool few = false;

    for (int i = 0; i < cells->count; i++)
        few = few || (source->listed[i] && cells->items[i].count < STATISTICS_LEAST_SEEDS);
    return few;
}

static void note_arms(struct report_source *source)
{
    const struct figure_source *figures = source->figures;
    const char *title = METRICS[figures->metric].title;
    char *text = format_string(
        "%s: mean and standard deviation over seeds%s%s. Difference: to %s, %s, "
        "with its 95 %% interval, not corrected for their number%s. Parameters: without "
        "the puzzle embedding. Training, CPU s: of one training.",
        title, source->listed_note[0] != '\0' ? "; " : "", source->listed_note,
        figures->baseline != NULL ? figures->baseline : "the first arm",
        figures->compare != NULL ? METRICS[figures->compare->metric].title
                                 : "where tasks can be paired",
        has_few_seeds(source) ? "; over tasks only where there are fewer than 3 seeds" : "");

    document_note(source->document, text);
    free(text);
}

/* Writes the scores without learning, per data set. */
static void say_baselines(struct report_source *source)
{
    enum metric metric = source->figures->metric;

    for (int i = 0; i < source->figures->baselines.count; i++) {
        const struct baseline *baseline = &source->figures->baselines.items[i];
        const char *data = baseline->data, *on = data[0] != '\0' ? " on " : "";
        char number[NUMBER_TEXT_SIZE];

        if (isfinite(baseline->copy[metric]))
            document_say(source->document, "Without learning%s%s: copying the input has %s %s.",
                         on, data, METRICS[metric].title,
                         number_measure(number, baseline->copy[metric], DIGITS));
        if (isfinite(baseline->untrained[metric]))
            document_say(source->document, "Before training%s%s: the models have %s %s.", on,
                         data, METRICS[metric].title,
                         number_measure(number, baseline->untrained[metric], DIGITS));
    }
}

/* Names the arms that are not listed, because nothing of them has finished. */
static int say_missing(struct report_source *source, struct error *err)
{
    const struct cells *cells = source->figures->cells;
    char *names = NULL;
    size_t size;
    FILE *out = open_memstream(&names, &size);
    int missing = 0;

    if (out == NULL)
        return error_no_memory(err, "a report");
    for (int i = 0, end; i < cells->count; i = end) {
        int arm = cells->items[i].row->arm;
        bool listed = false;

        for (end = i; end < cells->count && cells->items[end].row->arm == arm; end++)
            listed = listed || source->listed[end];
        if (!listed && missing++ < NAMED_ARMS)
            fprintf(out, "%s%s", missing > 1 ? "; " : "", cells->results->arms[arm].label);
    }
    if (fclose(out) != 0) {
        free(names);
        return error_no_memory(err, "a report");
    }
    if (missing > 0)
        document_say(source->document, "Not in the table, as nothing of %s has finished: %s%s.",
                     missing == 1 ? "it" : "them", names, missing > NAMED_ARMS ? "; ..." : "");
    free(names);
    return 0;
}

int report_arms(struct report_source *source, struct error *err)
{
    const struct cells *cells = source->figures->cells;
    struct document_head heads[MOST_AXES + 11];
    const struct cell *baseline = NULL;
    int count, best = best_cell(source), rc = find_baseline(&baseline, source, err);

    if (rc < 0)
        return rc;
    document_section(source->document, "arms", "Arms");
    if (baseline == NULL) {
        document_say(source->document, "No evaluation%s has finished yet.",
                     results_conditions(cells->results));
        return 0;
    }
    count = arm_heads(heads, cells);
    const struct document_head SCORE[] = {
        { "seeds", DOCUMENT_TEXT },
        { METRICS[cells->metric].title, DOCUMENT_NUMBER },
        { "sd", DOCUMENT_NUMBER },
        { "difference", DOCUMENT_NUMBER },
    };
    static const struct document_head COST[] = {
        { "parameters", DOCUMENT_NUMBER },
        { "training", DOCUMENT_NUMBER },
        { "CPU s", DOCUMENT_NUMBER },
    };

    memcpy(heads + count, SCORE, sizeof SCORE);
    count += (int)(sizeof SCORE / sizeof *SCORE);
    for (int i = 0; i < OTHER_COUNT; i++)
        if (OTHERS[i] != cells->metric)
            heads[count++] =
                (struct document_head){ METRICS[OTHERS[i]].title, DOCUMENT_NUMBER };
    memcpy(heads + count, COST, sizeof COST);
    count += (int)(sizeof COST / sizeof *COST);
    document_table(source->document, "Arms, each under one evaluation", heads, count);
    for (int i = 0; i < cells->count && rc == 0; i++)
        if (source->listed[i])
            rc = add_arm_row(source, &cells->items[i], baseline, i == best, err);
    if (rc < 0)
        return rc;
    document_table_end(source->document);
    note_arms(source);
    rc = say_missing(source, err);
    say_baselines(source);
    return rc;
}

/* ---- differences ---- */

/* Columns that not every table of comparisons needs. */
struct comparison_columns {
    bool groups; /* comparisons of several groups of arms */
    bool basis;  /* some are over tasks only, others over seeds too */
};

static struct comparison_columns needed_columns(const struct comparison_list *list)
{
    struct comparison_columns needed = { 0 };

    for (int i = 1; i < list->count; i++) {
        const struct comparison *first = &list->items[0], *item = &list->items[i];

        needed.groups = needed.groups || strcmp(first->group, item->group) != 0;
        needed.basis = needed.basis || first->estimate.tasks_only != item->estimate.tasks_only;
    }
    return needed;
}

static const char *basis_of(const struct comparison *item)
{
    return item->estimate.tasks_only ? "tasks only" : "seeds and tasks";
}

static void add_comparison(struct document *document, const struct comparison *item,
                           const struct comparison_columns *needed)
{
    const struct estimate *e = &item->estimate;
    enum verdict verdict = comparison_verdict(item);
    char text[NUMBER_TEXT_SIZE], low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];
    char interval[2 * NUMBER_TEXT_SIZE + 8];

    if (needed->groups)
        document_cell(document, item->group);
    document_cell(document, item->label);
    document_cell(document, number_measure(text, item->base_mean, DIGITS));
    document_cell(document, number_measure(text, item->other_mean, DIGITS));
    document_cell(document, number_signed(text, e->value, DIGITS));
    snprintf(interval, sizeof interval, "[%s, %s]", number_signed(low, e->low, DIGITS),
             number_signed(high, e->high, DIGITS));
    document_cell(document, isfinite(e->low) ? interval : "");
    document_cell(document, number_p(text, e->p));
    document_cell(document, number_p(text, item->p_holm));
    if (verdict == VERDICT_HIGHER || verdict == VERDICT_LOWER)
        document_strong_cell(document, verdict_name(verdict));
    else
        document_cell(document, verdict_name(verdict));
    if (needed->basis)
        document_cell(document, basis_of(item));
}

static int add_comparisons(struct document *document, const char *caption,
                           const struct comparison_list *list, enum metric metric,
                           struct error *err)
{
    static const struct document_head HEADS[] = {
        { "arms", DOCUMENT_TEXT },         { "comparison", DOCUMENT_TEXT },
        { "from", DOCUMENT_NUMBER },       { "to", DOCUMENT_NUMBER },
        { "difference", DOCUMENT_NUMBER }, { "95 % interval", DOCUMENT_NUMBER },
        { "p", DOCUMENT_NUMBER },          { "p (Holm)", DOCUMENT_NUMBER },
        { "verdict", DOCUMENT_TEXT },      { "over", DOCUMENT_TEXT },
    };
    enum { HEAD_COUNT = sizeof HEADS / sizeof *HEADS };
    struct comparison_columns needed = needed_columns(list);

    document_table(document, caption, needed.groups ? HEADS : HEADS + 1,
                   HEAD_COUNT - !needed.groups - !needed.basis);
    for (int i = 0; i < list->count; i++)
        add_comparison(document, &list->items[i], &needed);
    document_table_end(document);
    char impossible[80] = "";

    if (list->impossible > 0)
        snprintf(impossible, sizeof impossible,
                 " %d more %s impossible: the sides have no task in common.", list->impossible,
                 list->impossible == 1 ? "is" : "are");
    char *note = format_string(
        "%s%s%s. Intervals are not corrected; p (Holm) and the verdict are corrected for the "
        "%d comparison%s of this table. Inconclusive: this experiment cannot tell, not that "
        "there is no difference.%s",
        METRICS[metric].title, needed.basis ? "" : ", over ",
        needed.basis ? "" : basis_of(&list->items[0]), list->count, list->count == 1 ? "" : "s",
        impossible);
    int rc = note == NULL ? error_no_memory(err, "a report") : 0;

    document_note(document, note);
    free(note);
    return rc;
}

int report_comparisons(struct report_source *source, struct error *err)
{
    const struct figure_source *figures = source->figures;
    struct document *document = source->document;
    int rc = 0;

    document_section(document, "comparisons", "Comparisons");
    if (figures->comparisons.count == 0 && figures->planned.count == 0) {
        document_paragraph(document,
                           figures->comparisons.impossible > 0
                               ? "No two sides that could be compared have a task in common."
                               : "There is nothing to compare.");
        return 0;
    }
    if (figures->planned.count > 0) {
        document_heading(document, "Planned");
        rc = add_comparisons(document, "Differences that the spec planned", &figures->planned,
                             figures->compare->metric, err);
        if (rc == 0 && figures->comparisons.count > 0)
            document_heading(document, "All others");
    }
    if (rc == 0 && figures->comparisons.count > 0)
        rc = add_comparisons(document,
                             figure_averages_settings(figures)
                                 ? "Differences in one setting, means over the values of the "
                                   "others that both sides have"
                                 : "Differences that the axes allow",
                             &figures->comparisons, figures->compare->metric, err);
    return rc;
}

/* ---- tasks ---- */

static void add_task_cell(struct report_source *source, const char *task)
{
    document_link_cell(
        source->document, task,
        &(struct document_target){ "task", source->figures->results->experiment, task });
}

static void list_hardest(struct report_source *source, const struct task_score *scores,
                         int count)
{
    static const struct document_head HEADS[] = { { "task", DOCUMENT_TEXT },
                                                  { "mean over arms", DOCUMENT_NUMBER },
                                                  { "best arm", DOCUMENT_NUMBER } };
    struct document *document = source->document;
    char text[NUMBER_TEXT_SIZE];

    document_heading(document, "Hardest");
    document_table(document, "The tasks with the lowest means", HEADS, 3);
    for (int i = 0; i < count && i < LISTED_TASKS; i++) {
        add_task_cell(source, scores[i].task);
        document_cell(document, number_measure(text, scores[i].mean, DIGITS));
        document_cell(document, number_measure(text, scores[i].high, DIGITS));
    }
    document_table_end(document);
    if (count <= LISTED_TASKS)
        return;
    int alike = LISTED_TASKS;

    while (alike < count && !(scores[alike].mean > scores[LISTED_TASKS - 1].mean))
        alike++;
    if (alike > LISTED_TASKS)
        document_say(document, "%d more %s as hard as the last one listed.",
                     alike - LISTED_TASKS, alike - LISTED_TASKS == 1 ? "is" : "are");
}

static int list_contested(struct report_source *source, const struct task_score *scores,
                          int count, struct error *err)
{
    static const struct document_head HEADS[] = { { "task", DOCUMENT_TEXT },
                                                  { "worst arm", DOCUMENT_TEXT },
                                                  { "its share", DOCUMENT_NUMBER },
                                                  { "best arm", DOCUMENT_TEXT },
                                                  { "its share", DOCUMENT_NUMBER } };
    const struct cells *cells = source->figures->cells;
    struct document *document = source->document;
    char text[NUMBER_TEXT_SIZE];

    if (count == 0 || !(scores[0].high > scores[0].low))
        return 0;
    document_heading(document, "Most contested");
    document_table(document, "The tasks in which arms differ most", HEADS, 5);
    for (int i = 0; i < count && i < LISTED_TASKS && scores[i].high > scores[i].low; i++) {
        char *low = cells_label(cells, &cells->items[scores[i].low_cell], NULL, 0);
        char *high = cells_label(cells, &cells->items[scores[i].high_cell], NULL, 0);
        int rc = low == NULL || high == NULL ? error_no_memory(err, "a report") : 0;

        add_task_cell(source, scores[i].task);
        document_cell(document, low);
        document_cell(document, number_measure(text, scores[i].low, DIGITS));
        document_cell(document, high);
        document_cell(document, number_measure(text, scores[i].high, DIGITS));
        free(low);
        free(high);
        if (rc != 0)
            return rc;
    }
    document_table_end(document);
    return 0;
}

/* Appends the first tasks to those that are drawn, each once. */
static void choose_drawn(const char **drawn, int *drawn_count, const struct task_score *scores,
                         int count)
{
    for (int i = 0; i < count && i < DRAWN_TASKS; i++) {
        bool known = false;

        for (int k = 0; k < *drawn_count; k++)
            known = known || strcmp(drawn[k], scores[i].task) == 0;
        if (!known)
            drawn[(*drawn_count)++] = scores[i].task;
    }
}

int report_tasks(struct report_source *source, struct error *err)
{
    const struct compare *compare = source->figures->compare;
    int count = compare != NULL ? compare->task_count : 0, never = 0, always = 0, rc = 0;
    struct task_score *scores = calloc((size_t)count + 1, sizeof *scores);

    if (scores == NULL)
        return error_no_memory(err, "a report");
    document_section(source->document, "tasks", "Tasks");
    if (count == 0) {
        document_paragraph(source->document, "No outcomes of tasks are known.");
        free(scores);
        return 0;
    }
    const char *drawn[2 * DRAWN_TASKS];
    int drawn_count = 0;

    task_scores(scores, compare, source->figures->cells, source->chosen);
    qsort(scores, (size_t)count, sizeof *scores, task_score_compare_hard);
    while (count > 0 && isnan(scores[count - 1].mean))
        count--;
    for (int i = 0; i < count; i++) {
        never += scores[i].high <= 0;
        always += scores[i].low >= 1;
    }
    document_say(source->document,
                 "%s of %d task%s over the arms of the table above%s: %d %s 0 in every arm and "
                 "seed, %d %s 1 in all.",
                 METRICS[compare->metric].title, count, count == 1 ? "" : "s",
                 cells_find_axis(source->figures->cells, "eval.split") >= 0 ? ", test split"
                                                                            : "",
                 never, never == 1 ? "has" : "have", always, always == 1 ? "has" : "have");
    list_hardest(source, scores, count);
    choose_drawn(drawn, &drawn_count, scores, count);
    qsort(scores, (size_t)count, sizeof *scores, task_score_compare_contested);
    rc = list_contested(source, scores, count, err);
    choose_drawn(drawn, &drawn_count, scores, count);
    if (rc == 0)
        rc = report_answers(source, drawn, drawn_count, err);
    free(scores);
    return rc;
}
