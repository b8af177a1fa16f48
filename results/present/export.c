/* export.c - chooses what is exported: experiments, their runs and evaluations. */
#include "export.h"

#include "error.h"
#include "export_rows.h"
#include "sql.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

void export_close(struct export *export)
{
    if (export == NULL)
        return;
    for (int i = 0; i < export->experiment_count; i++)
        results_destroy(export->results[i]);
    for (int t = 0; t < EXPORT_TABLE_COUNT; t++)
        export_columns_release(&export->columns[t]);
    free(export->results);
    free(export->axes);
    free(export->arm_runs);
    free(export->runs);
    free(export->evaluations);
    free(export->rows);
    free(export);
}

/* Loads an experiment with all measures, unless it is loaded already. */
static int add_experiment(struct export *export, const char *name, const char *const *wheres,
                          int where_count, struct error *err)
{
    char meant[EXPERIMENT_NAME_SIZE];
    int rc = experiment_find(export->store, meant, name, err);

    for (int i = 0; i < export->experiment_count && rc == 0; i++)
        if (strcmp(export->results[i]->experiment, meant) == 0)
            return 0;
    struct results **list =
        rc < 0 ? NULL
               : realloc(export->results,
                         ((size_t) export->experiment_count + 1) * sizeof(struct results *));

    if (rc == 0 && list == NULL)
        rc = error_no_memory(err, "an export");
    if (rc < 0)
        return rc;
    export->results = list;
    rc = results_load(&list[export->experiment_count], export->store, meant, wheres,
                      where_count, RESULTS_ALL, err);
    if (rc < 0)
        return rc;
    struct results *results = list[export->experiment_count++];

    for (int i = METRIC_RECORDED; i < METRIC_COUNT && rc == 0; i++)
        rc = results_load_metric(results, export->store, (enum metric)i, err);
    return rc;
}

/* The names of all experiments, in the order in which they were queued; the caller
 * frees them and the list. */
static int list_experiments(struct store *store, char ***out, int *count, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT name FROM experiment ORDER BY queued_at, experiment_id", "");

    *out = NULL;
    *count = 0;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        char **list = realloc(*out, ((size_t)*count + 1) * sizeof(char *));

        rc = 0;
        if (list != NULL) {
            *out = list;
            list[*count] = sql_text_copy(s, 0);
        }
        if (list == NULL || list[*count] == NULL) {
            sql_end(&s);
            return error_no_memory(err, "an export");
        }
        (*count)++;
    }
    return rc < 0 || *count > 0 ? rc : error_unknown_experiment(store, NULL, err);
}

static int add_all_experiments(struct export *export, const char *const *wheres,
                               int where_count, struct error *err)
{
    char **names;
    int count;
    int rc = list_experiments(export->store, &names, &count, err);

    for (int i = 0; i < count && rc == 0; i++)
        rc = add_experiment(export, names[i], wheres, where_count, err);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return rc;
}

/* The settings that are an axis of an arm, in the order of the table of settings. */
static int find_axes(struct export *export, struct error *err)
{
    bool is_axis[SETTING_COUNT] = { false };

    for (int e = 0; e < export->experiment_count; e++)
        for (int a = 0; a < export->results[e]->arm_count; a++)
            for (const cJSON *item = export->results[e]->arms[a].axes->child; item != NULL;
                 item = item->next) {
                int id = setting_find(item->string);
                if (id >= 0 && export_has_setting((enum setting_id)id))
                    is_axis[id] = true;
            }
    export->axes = calloc(SETTING_COUNT, sizeof *export->axes);
    if (export->axes == NULL)
        return error_no_memory(err, "an export");
    for (int id = 0; id < SETTING_COUNT; id++)
        if (is_axis[id])
            export->axes[export->axis_count++] = (enum setting_id)id;
    return 0;
}

/* ---- each run and evaluation once ---- */

static int compare_integers(int64_t x, int64_t y)
{
    return x < y ? -1 : x > y;
}

/* By experiment, arm, run, and where it came. */
static int compare_in_arms(const void *a, const void *b)
{
    const struct export_item *x = a, *y = b;
    int order = compare_integers(x->experiment, y->experiment);

    if (order == 0)
        order = compare_integers(x->row->arm, y->row->arm);
    if (order == 0)
        order = compare_integers(x->id, y->id);
    return order != 0 ? order : compare_integers(x->place, y->place);
}

static int compare_ids(const void *a, const void *b)
{
    const struct export_item *x = a, *y = b;
    int order = compare_integers(x->id, y->id);

    return order != 0 ? order : compare_integers(x->place, y->place);
}

static int compare_places(const void *a, const void *b)
{
    return compare_integers(((const struct export_item *)a)->place,
                            ((const struct export_item *)b)->place);
}

typedef bool same_fn(const struct export_item *a, const struct export_item *b);

static bool same_id(const struct export_item *a, const struct export_item *b)
{
    return a->id == b->id;
}

static bool same_in_arm(const struct export_item *a, const struct export_item *b)
{
    return a->id == b->id && a->experiment == b->experiment && a->row->arm == b->row->arm;
}

/* Keeps the first of items that are the same, in the order in which they came. */
static int keep_first(struct export_item *items, int count,
                      int (*compare)(const void *, const void *), same_fn *same)
{
    int kept = 0;

    if (count == 0)
        return 0;
    qsort(items, (size_t)count, sizeof *items, compare);
    for (int i = 0; i < count; i++)
        if (kept == 0 || !same(&items[kept - 1], &items[i]))
            items[kept++] = items[i];
    qsort(items, (size_t)kept, sizeof *items, compare_places);
    return kept;
}

/* Lists every row's run, or the evaluation of every row that has a result. */
static int list_items(const struct export *export, struct export_item **out, bool evaluations,
                      struct error *err)
{
    size_t room = 1;
    int count = 0;

    for (int e = 0; e < export->experiment_count; e++)
        room += (size_t) export->results[e]->row_count;
    *out = malloc(room * sizeof **out);
    if (*out == NULL)
        return error_no_memory(err, "an export");
    for (int e = 0; e < export->experiment_count; e++)
        for (int i = 0; i < export->results[e]->row_count; i++) {
            const struct result_row *row = &export->results[e]->rows[i];

            if (evaluations && row->checkpoint[0] == '\0')
                continue;
            (*out)[count] =
                (struct export_item){ e, row, evaluations ? row->evaluation_id : row->run_id,
                                      count };
            count++;
        }
    return count;
}

static int find_items(struct export *export, struct error *err)
{
    int rc = list_items(export, &export->arm_runs, false, err);

    if (rc >= 0) {
        export->arm_run_count = keep_first(export->arm_runs, rc, compare_in_arms, same_in_arm);
        rc = list_items(export, &export->rows, false, err);
    }
    if (rc >= 0) {
        export->row_count = rc;
        qsort(export->rows, (size_t)rc, sizeof *export->rows, compare_in_arms);
        rc = list_items(export, &export->runs, false, err);
    }
    if (rc >= 0) {
        export->run_count = keep_first(export->runs, rc, compare_ids, same_id);
        rc = list_items(export, &export->evaluations, true, err);
    }
    if (rc >= 0)
        export->evaluation_count = keep_first(export->evaluations, rc, compare_ids, same_id);
    return rc < 0 ? rc : 0;
}

int export_rows_of(const struct export *export, const struct export_item *item,
                   const struct export_item **first)
{
    const struct export_item wanted = { item->experiment, item->row, item->id, -1 };
    int low = 0, high = export->row_count, count = 0;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (compare_in_arms(&export->rows[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = &export->rows[low];
    while (low + count < export->row_count && same_in_arm(&export->rows[low + count], item))
        count++;
    return count;
}

int export_open(struct export **out, struct store *store, char *const *names, int name_count,
                const char *const *wheres, int where_count, struct error *err)
{
    struct export *export = calloc(1, sizeof *export);
    int rc = 0;

    *out = NULL;
    if (export == NULL)
        return error_no_memory(err, "an export");
    export->store = store;
    for (int i = 0; i < name_count && rc == 0; i++)
        rc = add_experiment(export, names[i], wheres, where_count, err);
    if (rc == 0 && name_count == 0)
        rc = add_all_experiments(export, wheres, where_count, err);
    if (rc == 0)
        rc = find_axes(export, err);
    if (rc == 0)
        rc = find_items(export, err);
    for (int t = 0; t < EXPORT_TABLE_COUNT && rc == 0; t++)
        rc = export_columns_make(&export->columns[t], (enum export_table)t, export->axes,
                                 export->axis_count, err);
    if (rc < 0) {
        export_close(export);
        return rc;
    }
    *out = export;
    return 0;
}

int export_write(struct export *export, enum export_table table, FILE *out,
                 enum output_format format, int64_t *rows, struct error *err)
{
    struct export_sink sink = { .out = out, .format = format };
    int rc = export_columns_table(&sink.table, &export->columns[table], err);

    if (rc == 0)
        rc = EXPORT_ROWS[table](export, &sink, err);
    if (rc == 0) /* CSV has the names of its columns also without rows */
        rc = export_sink_flush(&sink, err);
    *rows = sink.rows;
    table_destroy(sink.table);
    return rc;
}
