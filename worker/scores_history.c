/* scores_history.c - predictions handed on from one evaluation of a training to the
 * next. */
#include "scores_internal.h"

#include "error.h"
#include "predictions.h"

#include <stdlib.h>
#include <string.h>

/* Whether earlier predictions have what a request reads. */
static bool has_slot(const struct predictions *earlier, const struct score_request *request)
{
    return earlier->rollouts >= request->rollouts &&
           predictions_slot(earlier, request->outer_steps, &request->rule) != NULL;
}

/* The first of the earlier predictions that lack what a request reads; NULL: none
 * do. */
static const struct predictions *first_lacking(const struct scores *s, int request,
                                               const struct score_history *history)
{
    for (int e = 0; e < history->count && s->requests[request].pool != 1; e++)
        if (history->items[e]->rows != s->row_count ||
            !has_slot(history->items[e], &s->requests[request]))
            return history->items[e];
    return NULL;
}

int scores_set_history(struct scores *s, const struct score_history *history, bool *lacking,
                       struct error *err)
{
    int rc = 0;

    s->history = *history;
    for (int i = 0; i < s->request_count; i++) {
        const struct predictions *first = first_lacking(s, i, history);

        lacking[i] = first != NULL;
        if (first != NULL && rc == 0)
            rc = error_set(err, ERROR_FORMAT,
                           "eval.pool_checkpoints: the evaluation after step %lld has kept "
                           "no answers at %d outer steps by this rule; train the run again "
                           "with this evaluation among those asked for",
                           (long long)first->step, s->requests[i].outer_steps);
    }
    return rc;
}

int scores_list_grids(struct grid_list *out, int *first, const struct scores *s,
                      struct error *err)
{
    int tests = s->first_test[data_set_task_count(s->set, s->split)];
    int64_t bytes = 0, at = 0;

    for (int t = 0; t < tests; t++) {
        first[t + 1] = first[t] + s->answers[t].count;
        for (int i = 0; i < s->answers[t].count; i++)
            bytes +=
                2 + (int64_t)s->answers[t].grids[i]->rows * s->answers[t].grids[i]->columns;
    }
    out->count = first[tests];
    out->cells = malloc((size_t)bytes + 1);
    out->starts = calloc((size_t)first[tests] + 1, sizeof *out->starts);
    if (out->cells == NULL || out->starts == NULL)
        return error_no_memory(err, "the predictions");
    for (int t = 0, number = 0; t < tests; t++)
        for (int i = 0; i < s->answers[t].count; i++) {
            const struct grid *grid = s->answers[t].grids[i];
            size_t cells = (size_t)grid->rows * grid->columns;

            out->cells[at] = grid->rows;
            out->cells[at + 1] = grid->columns;
            memcpy(out->cells + at + 2, grid->cells, cells);
            at += 2 + (int64_t)cells;
            out->starts[++number] = at;
        }
    return 0;
}

int scores_predictions(struct predictions *out, const struct scores *s, struct error *err)
{
    int tests = s->first_test[data_set_task_count(s->set, s->split)];
    int *first = calloc((size_t)tests + 1, sizeof *first);
    int rc = predictions_allocate(out, s->slot_count, s->row_count, s->rollouts, err);

    if (rc == 0 && first == NULL)
        rc = error_no_memory(err, "the predictions");
    if (rc == 0)
        rc = scores_list_grids(&out->grids, first, s, err);
    for (int i = 0; i < s->slot_count && rc == 0; i++) {
        struct prediction_slot *slot = &out->slots[i];

        slot->outer_steps = s->slots[i].outer_steps;
        slot->rule = s->slots[i].rule;
        for (int r = 0; r < s->rollouts; r++)
            for (int row = 0; row < s->row_count; row++) {
                size_t at = (size_t)r * (size_t)s->row_count + (size_t)row;
                const struct kept *kept = &s->slots[i].rows[at];
                ptrdiff_t test = scores_store(s, row) - s->answers;

                slot->answers[at] = kept->here ? first[test] + kept->answer : -1;
                slot->used[at] = kept->used;
                slot->q_halt[at] = kept->q_halt;
            }
    }
    free(first);
    if (rc < 0)
        predictions_release(out);
    return rc;
}
