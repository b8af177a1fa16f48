/* measure_rows.c - reads and writes measures as rows of measure_value, checked by
 * the table of measures. */
#include "measure_rows.h"

#include "error.h"
#include "file.h"
#include "sql.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

int measure_list_read(struct measure_item out[METRIC_RECORDED], int *count, const cJSON *event,
                      struct error *err)
{
    int rc = 0;

    *count = 0;
    for (int i = 0; i < METRIC_RECORDED && rc == 0; i++) {
        const cJSON *member = measure_member(event, (enum metric)i);

        if (member != NULL) {
            rc = measure_check((enum metric)i, member->valuedouble, "event evaluation", err);
            out[(*count)++] =
                (struct measure_item){ .metric = (enum metric)i, .value = member->valuedouble };
        } else if (METRICS[i].always) {
            rc = error_set(err, ERROR_DAMAGED, "an evaluation event without %s",
                           METRICS[i].name);
        }
    }
    return rc;
}

int measure_rows_find(struct store *store, double *value, bool *found, int64_t evaluation_id,
                      int64_t step, const struct measure_item *item, struct error *err)
{
    sqlite3_stmt *s;
    int rc = sql_query(store, &s, err,
                       "SELECT value FROM measure_value WHERE evaluation_id = ?1 AND step = ?2"
                       " AND name = ?3 AND position = ?4",
                       "iiti", evaluation_id, step, METRICS[item->metric].name, item->position);

    *found = false;
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) { /* at most one row */
        rc = 0;
        *found = true;
        *value = sqlite3_column_double(s, 0);
    }
    return rc;
}

/* Whether evaluation_result has the measure as a column (schema.sql). */
static bool is_column(enum metric metric)
{
    return metric == METRIC_PASS_AT_2 || metric == METRIC_PASS_AT_1 ||
           metric == METRIC_PER_TOKEN_ACCURACY || metric == METRIC_EXACT_ROWS ||
           metric == METRIC_MEAN_OUTER_STEPS;
}

char *measure_columns(const enum metric *metrics, int count)
{
    char *columns = strdup("");

    for (int i = 0; i < count && columns != NULL; i++) {
        const char *name = METRICS[metrics[i]].name;
        char *longer =
            is_column(metrics[i])
                ? format_string("%s, x.%s", columns, name)
                : format_string("%s, (SELECT m.value FROM measure_value m WHERE"
                                " m.evaluation_id = x.evaluation_id AND m.step = x.step"
                                " AND m.name = '%s' AND m.position = 0)",
                                columns, name);

        free(columns);
        columns = longer;
    }
    return columns;
}

int measure_rows_write(struct store *store, int64_t evaluation_id, int64_t step,
                       const struct measure_list *list, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < list->count && rc == 0; i++)
        rc = sql_run(store, err,
                     "INSERT OR REPLACE INTO measure_value (evaluation_id, step, name,"
                     " position, value) VALUES (?1, ?2, ?3, ?4, ?5)",
                     "iitir", evaluation_id, step, METRICS[list->items[i].metric].name,
                     list->items[i].position, list->items[i].value);
    return rc;
}
