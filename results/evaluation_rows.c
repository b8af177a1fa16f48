/* evaluation_rows.c - orders rows of results by evaluation and step. */
#include "evaluation_rows.h"

#include "error.h"
#include "query.h"

#include <stdbool.h>
#include <stdlib.h>

static int compare_places(const void *a, const void *b)
{
    const struct result_row *x = *(const struct result_row *const *)a;
    const struct result_row *y = *(const struct result_row *const *)b;

    if (x->evaluation_id != y->evaluation_id)
        return x->evaluation_id < y->evaluation_id ? -1 : 1;
    return x->step < y->step ? -1 : x->step > y->step;
}

void evaluation_rows_release(struct evaluation_rows *rows)
{
    free(rows->rows);
    free(rows->first);
    id_list_release(&rows->evaluations);
}

int evaluation_rows_init(struct evaluation_rows *out, const struct results *results,
                         struct error *err)
{
    int count = results->row_count;
    bool sorted = true;

    *out = (struct evaluation_rows){ .row_count = count };
    out->rows = malloc(((size_t)count + 1) * sizeof *out->rows);
    out->first = malloc(((size_t)count + 1) * sizeof *out->first);
    if (!id_list_init(&out->evaluations, count) || out->rows == NULL || out->first == NULL)
        return error_no_memory(err, "results");
    for (int i = 0; i < count; i++) {
        out->rows[i] = &results->rows[i];
        sorted = sorted && (i == 0 || compare_places(&out->rows[i - 1], &out->rows[i]) <= 0);
    }
    if (!sorted)
        qsort(out->rows, (size_t)count, sizeof *out->rows, compare_places);
    for (int i = 0; i < count; i++) {
        int n = out->evaluations.count;

        if (n > 0 && out->evaluations.ids[n - 1] == out->rows[i]->evaluation_id)
            continue;
        out->first[n] = i;
        out->evaluations.ids[out->evaluations.count++] = out->rows[i]->evaluation_id;
    }
    out->first[out->evaluations.count] = count;
    return 0;
}
