/* page_compare.c - two arms side by side: the difference of a measure, and what
 * differs. */
#include "page_parts.h"

#include "arm_find.h"
#include "baselines.h"
#include "columns.h"
#include "compare.h"
#include "comparison_table.h"
#include "diff_query.h"
#include "error.h"
#include "file.h"
#include "measure.h"
#include "name_query.h"
#include "query.h"
#include "table.h"
#include "table_document.h"

#include <stdlib.h>
#include <string.h>

/* What a field proposes. */
struct choices {
    char *items[1000]; /* owned */
    int count;
    const char *left_out; /* beginning of names that are not added; NULL: none */
    bool failed;          /* a name is missing for lack of memory */
};

static void add_choice(void *context, const char *name, const char *meaning)
{
    struct choices *choices = context;
    const char *left_out = choices->left_out;

    (void)meaning;
    if (left_out != NULL && strncmp(name, left_out, strlen(left_out)) == 0)
        return;
    if (choices->count == (int)(sizeof choices->items / sizeof *choices->items))
        return;
    char *copy = strdup(name);

    if (copy != NULL)
        choices->items[choices->count++] = copy;
    else
        choices->failed = true;
}

static void free_choices(struct choices *choices)
{
    for (int i = 0; choices != NULL && i < choices->count; i++)
        free(choices->items[i]);
    free(choices);
}

/* The measures of which arms can be compared. */
static void list_measures(struct choices *out)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        if (METRICS[m].paired != METRIC_COUNT)
            add_choice(out, METRICS[m].name, "");
}

/* given: the two arms. closed: they are among the choices. */
static int add_fields(struct document *document, struct choices *arms,
                      const char *const given[2], const char *metric, bool closed,
                      struct error *err)
{
    struct choices *measures = calloc(1, sizeof *measures);

    if (measures != NULL)
        list_measures(measures);
    if (measures == NULL || measures->failed) {
        free_choices(measures);
        return error_no_memory(err, "a page");
    }
    const struct document_field fields[] = {
        { "a", "from", given[0], arms->items, arms->count, closed },
        { "b", "to", given[1], arms->items, arms->count, closed },
        { "metric", "measure", metric, measures->items, measures->count, true }
    };

    document_form_of_fields(document, "/compare", fields, sizeof fields / sizeof *fields,
                            "Compare");
    free_choices(measures);
    return 0;
}

/* The arms of the experiment first, then those of all others. */
static int list_arms(struct choices *out, struct store *store, const struct results *results,
                     struct error *err)
{
    char *prefix = results == NULL ? NULL : format_string("%s:", results->experiment);
    int rc = results != NULL && prefix == NULL ? error_no_memory(err, "a page") : 0;

    for (int i = 0; rc == 0 && results != NULL && i < results->arm_count; i++) {
        char *name = format_string("%s%s", prefix, results->arms[i].label);

        if (name != NULL)
            add_choice(out, name, "");
        else
            out->failed = true;
        free(name);
    }
    out->left_out = prefix;
    if (rc == 0)
        rc = name_query(store, NAME_FULL_ARM, add_choice, out, err);
    out->left_out = NULL;
    free(prefix);
    return rc == 0 && out->failed ? error_no_memory(err, "a page") : rc;
}

int page_add_comparing(struct document *document, struct store *store,
                       const struct results *results, struct error *err)
{
    struct choices *arms = calloc(1, sizeof *arms);
    int rc =
        arms == NULL ? error_no_memory(err, "a page") : list_arms(arms, store, results, err);

    document_section(document, "compare", "Compare two arms");
    if (rc == 0 && arms->count < 2)
        document_paragraph(document, "There is only one arm.");
    else if (rc == 0)
        rc = add_fields(document, arms, (const char *const[]){ arms->items[0], arms->items[1] },
                        METRICS[METRIC_PASS_AT_2].name, true, err);
    free_choices(arms);
    return rc;
}

static int add_difference(struct document *document, struct store *store,
                          const char *const given[2], const char *metric_name,
                          struct error *err)
{
    struct results *results = NULL;
    struct compare *compare = NULL;
    struct baselines baselines = { 0 };
    struct comparison_list list = { 0 };
    struct table *table = NULL;
    const char *names[2] = { NULL, NULL };
    enum metric metric;
    int rc = metric_find(&metric, metric_name, err);

    if (rc == 0)
        rc = arm_load_two(&results, names, store, NULL, given, NULL, 0, err);
    if (rc == 0)
        rc = compare_create(&compare, store, results, metric, err);
    if (rc == 0)
        rc = baselines_load_some(&baselines, store, results, &compare->metric, 1, err);
    if (rc == 0) {
        compare->baselines = &baselines;
        rc = compare_arms(&list, compare, names[0], names[1], err);
    }
    comparison_list_judge(&list);
    if (rc == 0)
        rc = comparison_table(&table, &list, err);
    if (rc == 0) {
        table_set_caption(table, METRICS[compare->metric].title);
        document_section(document, "difference", "Difference");
        rc = document_add_table(document, table, "Difference", NULL, err);
    }
    if (rc == 0 && compare->metric != metric)
        document_say(document,
                     "%s is a mean over rows, which are not recorded one by one; compared per "
                     "task is %s.",
                     METRICS[metric].name, METRICS[compare->metric].name);
    table_destroy(table);
    comparison_list_release(&list);
    baselines_release(&baselines);
    compare_destroy(compare);
    results_destroy(results);
    return rc;
}

/* In what the arms differ besides; of their results first in this measure. */
static int add_diff(struct document *document, struct store *store, const char *const given[2],
                    const char *metric_name, struct error *err)
{
    struct diff_side sides[2] = { 0 };
    struct table *table = NULL;
    enum metric metric = METRIC_PASS_AT_2;
    int rc = metric_find(&metric, metric_name, err);
    const struct shown shown = shown_metrics(metric);
    const struct diff_form form = {
        .metrics = shown.metrics, .metric_count = shown.count, .people = true, .page = true
    };

    for (int i = 0; i < 2 && rc == 0; i++)
        rc = diff_find_arm(&sides[i], store, NULL, given[i], err);
    if (rc == 0)
        rc = diff_table(&table, store, &sides[0], &sides[1], &form, err);
    if (rc == 0) {
        document_section(document, "differs", "What differs");
        rc = document_add_table(document, table, "What differs", NULL, err);
    }
    table_destroy(table);
    diff_side_release(&sides[0]);
    diff_side_release(&sides[1]);
    return rc;
}

static const char *value_of(const struct page_source *source, const char *name,
                            const char *otherwise)
{
    const char *value = request_value(source->request, name);

    return value != NULL && value[0] != '\0' ? value : otherwise;
}

int page_compare(struct page_text *out, const struct page_source *source, struct error *err)
{
    const char *const given[2] = { value_of(source, "a", ""), value_of(source, "b", "") };
    const char *metric = value_of(source, "metric", METRICS[METRIC_PASS_AT_2].name);
    struct choices *arms = calloc(1, sizeof *arms);
    struct document *document = NULL;
    struct error why = { 0 };
    int rc = page_begin(&document, "/compare", "Compare two arms", err);

    if (arms == NULL)
        rc = rc == 0 ? error_no_memory(err, "a page") : rc;
    if (rc == 0)
        rc = list_arms(arms, source->store, NULL, err);
    if (rc == 0)
        rc = add_fields(document, arms, given, metric, false, err);
    free_choices(arms);
    if (rc == 0 && given[0][0] != '\0' && given[1][0] != '\0') {
        rc = add_difference(document, source->store, given, metric, &why);
        if (rc == 0)
            rc = add_diff(document, source->store, given, metric, &why);
        if (rc == ERROR_ABSENT || rc == ERROR_FORMAT) {
            out->status = rc == ERROR_ABSENT ? 404 : 400;
            document_paragraph(document, why.message);
            rc = 0;
        } else if (rc != 0) {
            *err = why;
        }
    }
    if (rc == 0)
        document_note(document,
                      "An arm is named EXPERIMENT:ARM, by its label or by its settings "
                      "(arch.name=hrm ...), as for hrmlab compare.");
    return page_end(out, document, rc, err);
}
