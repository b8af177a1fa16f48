/* planned.c - the comparisons that an experiment's spec planned beforehand. */
#include "compare.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct contrast {
    char *name, *from, *to; /* owned; the sides as JSON objects */
};

struct contrasts {
    struct contrast *items; /* owned */
    int count;
};

static void contrasts_release(struct contrasts *contrasts)
{
    for (int i = 0; i < contrasts->count; i++) {
        free(contrasts->items[i].name);
        free(contrasts->items[i].from);
        free(contrasts->items[i].to);
    }
    free(contrasts->items);
}

static int contrasts_load(struct contrasts *out, struct store *store, int64_t experiment_id,
                          struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT name, from_cells, to_cells FROM contrast"
                       " WHERE experiment_id = ?1 ORDER BY position",
                       "i", experiment_id);

    *out = (struct contrasts){ 0 };
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        struct contrast *items =
            realloc(out->items, ((size_t)out->count + 1) * sizeof *out->items);

        rc = 0;
        if (items != NULL) {
            out->items = items;
            items[out->count++] = (struct contrast){ sql_text_copy(s, 0), sql_text_copy(s, 1),
                                                     sql_text_copy(s, 2) };
        }
        if (items == NULL || items[out->count - 1].name == NULL ||
            items[out->count - 1].from == NULL || items[out->count - 1].to == NULL) {
            sql_end(&s);
            rc = error_no_memory(err, "the planned comparisons");
        }
    }
    return rc;
}

/* The settings of a side as conditions "key=value"; *out fresh, of *count texts. */
static int side_conditions(char ***out, int *count, const char *side, struct error *err)
{
    cJSON *object = NULL;
    int rc = json_parse(&object, side, strlen(side), "a planned comparison", err);

    *out = NULL;
    *count = 0;
    if (rc == 0) {
        *out = calloc((size_t)cJSON_GetArraySize(object) + 1, sizeof **out);
        rc = *out == NULL ? error_no_memory(err, "the planned comparisons") : 0;
    }
    for (const cJSON *item = rc == 0 ? object->child : NULL; item != NULL && rc == 0;
         item = item->next) {
        char *value = cJSON_IsString(item) ? strdup(item->valuestring) : json_canonical(item);

        (*out)[*count] = value != NULL ? format_string("%s=%s", item->string, value) : NULL;
        rc = (*out)[*count] == NULL ? error_no_memory(err, "the planned comparisons") : 0;
        *count += rc == 0;
        free(value);
    }
    cJSON_Delete(object);
    return rc;
}

/* Whether the rows from number i on that are of the row's arm have its evaluation. */
static bool has_evaluation(const struct results *found, int i, const struct result_row *row)
{
    const char *before = NULL;

    for (; i < found->row_count && found->rows[i].arm == row->arm; i++) {
        if (found->rows[i].evaluation == before)
            continue;
        before = found->rows[i].evaluation;
        if (strcmp(before, row->evaluation) == 0)
            return true;
    }
    return false;
}

/* Adds the cells of a side as terms that together weigh weight; none: no results. */
static int add_side(struct contrast_term *terms, int *count, const struct compare *compare,
                    const char *side, double weight, struct error *err)
{
    struct results *found = NULL;
    char **conditions;
    int condition_count, first = *count;
    int rc = side_conditions(&conditions, &condition_count, side, err);

    if (rc == 0)
        rc = results_load(&found, compare->store, compare->results->experiment,
                          (const char *const *)conditions, condition_count, RESULTS_BARE, err);
    for (int c = 0, i = 0; rc == 0 && c < compare->cell_count; c++) {
        const struct result_row *row = compare->cells[c].row;

        /* both are sorted by arm: arms that have no cell are passed over once */
        while (i < found->row_count && found->rows[i].arm < row->arm)
            i++;
        if (has_evaluation(found, i, row))
            terms[(*count)++] = (struct contrast_term){ c, weight };
    }
    for (int i = first; i < *count; i++)
        terms[i].weight /= *count - first;
    results_destroy(found);
    for (int i = 0; i < condition_count; i++)
        free(conditions[i]);
    free(conditions);
    return rc;
}

static int add_contrast(struct comparison_list *list, int *missing,
                        const struct compare *compare, const struct contrast *contrast,
                        struct error *err)
{
    struct contrast_term *terms = calloc(2 * (size_t)compare->cell_count + 1, sizeof *terms);
    struct error why = { 0 };
    int count = 0, from_count = 0;
    int rc = terms == NULL ? error_no_memory(err, "the planned comparisons")
                           : add_side(terms, &count, compare, contrast->from, -1, err);

    from_count = count;
    if (rc == 0)
        rc = add_side(terms, &count, compare, contrast->to, 1, err);
    if (rc == 0 && (from_count == 0 || from_count == count)) {
        (*missing)++;
    } else if (rc == 0) {
        rc = compare_add(list, compare, COMPARISON_PLANNED, "", contrast->name, terms, count,
                         NULL, &why);
        if (rc == ERROR_ABSENT) { /* no task or seed in common */
            (*missing)++;
            rc = 0;
        } else if (rc != 0) {
            *err = why;
        }
    }
    free(terms);
    return rc;
}

int compare_planned(struct comparison_list *list, int *missing, const struct compare *compare,
                    struct error *err)
{
    struct contrasts contrasts;
    int rc = contrasts_load(&contrasts, compare->store, compare->results->experiment_id, err);

    *missing = 0;
    for (int i = 0; i < contrasts.count && rc == 0; i++)
        rc = add_contrast(list, missing, compare, &contrasts.items[i], err);
    if (rc == 0)
        rc = comparison_list_correct(list, err);
    comparison_list_judge(list);
    contrasts_release(&contrasts);
    return rc;
}

int compare_count_planned(int64_t *count, const struct results *results, struct store *store,
                          struct error *err)
{
    return sql_int(store, count, NULL, err,
                   "SELECT count(*) FROM contrast WHERE experiment_id = ?1", "i",
                   results->experiment_id);
}
