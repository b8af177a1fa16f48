/* figure_source.c - loads the data from which an experiment's figures are drawn. */
#include "figure.h"

#include "error.h"
#include "file.h"
#include "measure_rows.h"
#include "origin.h"
#include "query.h"
#include "run_facts.h"

#include <stdlib.h>
#include <string.h>

/* Finds what is known of all runs, and lists them. */
static int load_runs(struct figure_source *out, struct error *err)
{
    const struct arm_range all = { out->results->experiment_id, INT64_MIN, INT64_MAX };
    int rc = run_ids_of(&out->runs, out->store, out->results, err);

    out->facts = out->results->facts;
    if (rc == 0 && out->facts == NULL) { /* conditions left some out */
        rc = run_facts_load(&out->own_facts, out->store, &all, false, err);
        out->facts = &out->own_facts;
    }
    return rc;
}

/* Joins the conditions; fresh or NULL. */
static char *join_conditions(const char *const *wheres, int count)
{
    char *text = strdup("");

    for (int i = 0; i < count && text != NULL; i++) {
        char *longer = format_string("%s%s%s", text, i > 0 ? ", " : "", wheres[i]);

        free(text);
        text = longer;
    }
    return text;
}

char *figure_subject(const struct figure_source *source)
{
    return format_string("%s%s%s", source->results->experiment,
                         source->where_count > 0 ? ", where " : "", source->conditions);
}

int figure_source_open(struct figure_source *out, struct store *store, const char *experiment,
                       const char *const *wheres, int where_count, enum metric metric,
                       const struct figure *figure, struct error *err)
{
    enum results_scope scope = figure != NULL ? RESULTS_BARE : RESULTS_ROWS;

    *out = (struct figure_source){
        .store = store, .metric = metric, .wheres = wheres, .where_count = where_count
    };
    /* the others are of a report's arms and figures: one query reads all four */
    const enum metric metrics[] = { metric, METRIC_PER_TOKEN_ACCURACY, METRIC_EXACT_ROWS,
                                    METRIC_MEAN_OUTER_STEPS };
    int rc = results_load(&out->results, store, experiment, wheres, where_count, scope, err);

    out->conditions = join_conditions(wheres, where_count);
    if (rc == 0 && out->conditions == NULL)
        rc = error_no_memory(err, "a figure");
    if (rc == 0)
        rc = figure_need(out, metrics, figure != NULL ? 1 : sizeof metrics / sizeof *metrics,
                         err);
    if (rc == 0)
        rc = cells_create(&out->cells, store, out->results, metric, err);
    if (rc == 0)
        rc = load_runs(out, err);
    if (rc == 0)
        rc = origin_data(&out->data, store, &out->runs, err);
    if (rc != 0)
        figure_source_close(out);
    return rc;
}

int figure_need(struct figure_source *source, const enum metric *metrics, int count,
                struct error *err)
{
    enum metric missing[METRIC_COUNT];
    int missing_count = 0, rc = 0;

    for (int i = 0; i < count; i++)
        if (source->results->values[metrics[i]] == NULL)
            missing[missing_count++] = metrics[i];
    /* no more at a time than are searched for: to read all takes longer */
    for (int i = 0; i < missing_count && rc == 0; i += MEASURE_COLUMNS_MOST)
        rc = results_load_metrics(
            source->results, source->store, missing + i,
            missing_count - i < MEASURE_COLUMNS_MOST ? missing_count - i : MEASURE_COLUMNS_MOST,
            err);
    return rc;
}

void figure_source_close(struct figure_source *source)
{
    comparison_list_release(&source->comparisons);
    comparison_list_release(&source->planned);
    matrix_destroy(source->matrix);
    compare_destroy(source->compare);
    baselines_release(&source->baselines);
    cells_destroy(source->cells);
    results_destroy(source->results);
    run_facts_release(&source->own_facts);
    id_list_release(&source->runs);
    free(source->conditions);
    free(source->data);
    *source = (struct figure_source){ 0 };
}

/* Whether the experiment merely does not allow what was tried. */
static bool is_refusal(int rc)
{
    return rc == ERROR_FORMAT || rc == ERROR_ABSENT;
}

bool figure_averages_settings(const struct figure_source *source)
{
    return source->matrix == NULL && source->cells->axis_count > 1;
}

int figure_compare(struct figure_source *source, struct error *err)
{
    const struct cells *cells = source->cells;
    int rc;

    if (source->compare != NULL)
        return 0;
    rc = compare_create(&source->compare, source->store, source->results, source->metric, err);
    const enum metric metrics[] = { source->metric,
                                    rc == 0 ? source->compare->metric : source->metric };

    if (rc == 0)
        rc = baselines_load_some(&source->baselines, source->store, source->results, metrics,
                                 metrics[0] == metrics[1] ? 1 : 2, err);
    if (rc != 0)
        return rc;
    source->compare->baselines = &source->baselines;
    rc = compare_planned(&source->planned, &source->planned_missing, source->compare, err);
    if (rc != 0)
        return rc;
    if (cells_find_axis(cells, "arch.halt_max_steps") >= 0 &&
        cells_find_axis(cells, "eval.halt_max_steps") >= 0) {
        rc = matrix_create(&source->matrix, source->compare, err);
        if (rc == 0)
            rc = matrix_compare(&source->comparisons, source->matrix, source->compare, err);
        comparison_list_judge(&source->comparisons);
        return is_refusal(rc) ? 0 : rc;
    }
    for (int a = 0; a < cells->axis_count && rc == 0; a++) {
        struct axis_values values = { 0 };

        rc = compare_axis(&values, &source->comparisons, source->compare, cells->axes[a].key,
                          err);
        rc = is_refusal(rc) ? 0 : rc;
        axis_values_release(&values);
    }
    if (rc == 0)
        rc = comparison_list_correct(&source->comparisons, err);
    comparison_list_judge(&source->comparisons);
    return rc;
}
