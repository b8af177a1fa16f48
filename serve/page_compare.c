/* page_compare.c - two arms side by side: the difference of a measure, and what
 * differs. */
#include "page_parts.h"

#include "arm_find.h"
#include "baselines.h"
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

/* The arms that the fields propose. */
struct choices {
    char *items[500]; /* owned */
    int count;
};

static void add_choice(void *context, const char *name, const char *meaning)
{
    struct choices *choices = context;
    char *copy = strdup(name);

    (void)meaning;
    if (copy != NULL && choices->count < (int)(sizeof choices->items / sizeof *choices->items))
        choices->items[choices->count++] = copy;
    else
        free(copy);
}

static int add_fields(struct document *document, struct store *store, const char *a,
                      const char *b, const char *metric, struct error *err)
{
    const struct document_field fields[] = { { "a", "from", a },
                                             { "b", "to", b },
                                             { "metric", "measure", metric } };
    struct choices *choices = calloc(1, sizeof *choices);
    int rc = choices == NULL ? error_no_memory(err, "a page")
                             : name_query(store, NAME_FULL_ARM, add_choice, choices, err);

    if (rc == 0)
        document_form_of_fields(document, "/compare", fields, sizeof fields / sizeof *fields,
                                choices->items, choices->count, "Compare");
    for (int i = 0; choices != NULL && i < choices->count; i++)
        free(choices->items[i]);
    free(choices);
    return rc;
}

/* The results of a's experiment, with those of b. *names: by which they are found
 * there. */
static int load(struct results **out, const char *names[2], struct store *store,
                const char *const given[2], struct error *err)
{
    char experiment[EXPERIMENT_NAME_SIZE] = "";
    const char *arm;
    int rc = arm_split_name(experiment, &arm, store, given[0], err);

    if (rc == 0)
        rc = results_load(out, store, experiment[0] != '\0' ? experiment : NULL, NULL, 0,
                          RESULTS_BARE, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = arm_add_foreign(&names[i], *out, store, given[i], err);
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
        rc = load(&results, names, store, given, err);
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

/* In what the arms differ besides. */
static int add_diff(struct document *document, struct store *store, const char *const given[2],
                    struct error *err)
{
    static const enum metric SHOWN[] = { METRIC_PASS_AT_2, METRIC_PER_TOKEN_ACCURACY,
                                         METRIC_EXACT_ROWS };
    const struct diff_form form = { SHOWN, sizeof SHOWN / sizeof *SHOWN, false, 4 };
    struct diff_side sides[2] = { 0 };
    struct table *table = NULL;
    int rc = 0;

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
    struct document *document = NULL;
    struct error why = { 0 };
    int rc = page_begin(&document, "/compare", "Compare two arms", err);

    if (rc == 0)
        rc = add_fields(document, source->store, given[0], given[1], metric, err);
    if (rc == 0 && given[0][0] != '\0' && given[1][0] != '\0') {
        rc = add_difference(document, source->store, given, metric, &why);
        if (rc == 0)
            rc = add_diff(document, source->store, given, &why);
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
