/* step_answers.c - answers after each outer step, and what requests take of them. */
#include "step_answers.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "scores.h"

void step_answers_release(struct step_answers *a)
{
    free(a->known);
    free(a->loss);
    free(a->answers);
    free(a->right);
    free(a->q_halt);
    free(a->q_continue);
    free(a->change);
    free(a->halts);
    free(a->same);
    grid_list_release(&a->grids);
    *a = (struct step_answers){ 0 };
}

int step_answers_allocate(struct step_answers *out, int outer_steps, int rollouts, int rows,
                          struct error *err)
{
    size_t count = (size_t)outer_steps * (size_t)rollouts * (size_t)rows + 1;

    *out = (struct step_answers){
        .outer_steps = outer_steps,
        .rollouts = rollouts,
        .rows = rows,
        .known = calloc((size_t)rows + 1, sizeof *out->known),
        .loss = calloc(count, sizeof *out->loss),
        .answers = malloc(count * sizeof *out->answers),
        .right = calloc(count, sizeof *out->right),
        .q_halt = calloc(count, sizeof *out->q_halt),
        .q_continue = calloc(count, sizeof *out->q_continue),
        .change = calloc(count, sizeof *out->change),
        .halts = calloc(count, sizeof *out->halts),
        .same = calloc(count, sizeof *out->same),
    };
    if (out->known == NULL || out->loss == NULL || out->answers == NULL || out->right == NULL ||
        out->q_halt == NULL || out->q_continue == NULL || out->change == NULL ||
        out->halts == NULL || out->same == NULL) {
        step_answers_release(out);
        return error_no_memory(err, "the predictions");
    }
    memset(out->answers, 0xff, count * sizeof *out->answers); /* -1 */
    return 0;
}

double step_answers_bytes(int outer_steps, int rollouts, int rows)
{
    static const struct step_answers *const A;
    const double each = sizeof *A->loss + sizeof *A->answers + sizeof *A->right +
                        3 * sizeof *A->q_halt + sizeof *A->halts + sizeof *A->same;

    return each * outer_steps * rollouts * rows;
}

size_t step_answers_at(const struct step_answers *a, int step, int rollout, int row)
{
    return ((size_t)(step - 1) * (size_t)a->rollouts + (size_t)rollout) * (size_t)a->rows +
           (size_t)row;
}

int step_answers_taken(const struct step_answers *a, const struct score_request *request,
                       int rollout, int row)
{
    int unchanged = 0;

    for (int step = 1; step <= request->outer_steps && step <= a->outer_steps; step++) {
        size_t at = step_answers_at(a, step, rollout, row);

        if (a->answers[at] < 0)
            return 0;
        unchanged = a->same[at] ? unchanged + 1 : 0;
        const struct halt_signs signs = { .system = a->halts[at] != 0,
                                          .q_halt = a->q_halt[at],
                                          .q_continue = a->q_continue[at],
                                          .change = a->change[at],
                                          .unchanged = unchanged };
        if (scores_takes(request, step, &signs))
            return step;
    }
    return 0;
}

/* Fills a slot with what the request takes of every row. */
static void fill_slot(struct prediction_slot *slot, const struct step_answers *a,
                      const struct score_request *request)
{
    slot->outer_steps = request->outer_steps;
    slot->rule = request->rule;
    for (int r = 0; r < a->rollouts; r++)
        for (int row = 0; row < a->rows; row++) {
            size_t to = (size_t)r * (size_t)a->rows + (size_t)row;
            int step = step_answers_taken(a, request, r, row);

            slot->answers[to] = -1;
            if (step == 0)
                continue;
            size_t at = step_answers_at(a, step, r, row);
            slot->answers[to] = a->answers[at];
            slot->used[to] = step;
            slot->q_halt[to] = (double)a->q_halt[at];
        }
}

/* Copies the grids. False: no memory. */
static bool copy_grids(struct grid_list *out, const struct grid_list *from)
{
    size_t bytes = (size_t)from->starts[from->count];

    out->count = from->count;
    out->cells = malloc(bytes + 1);
    out->starts = malloc(((size_t)from->count + 1) * sizeof *out->starts);
    if (out->cells == NULL || out->starts == NULL)
        return false;
    memcpy(out->cells, from->cells, bytes);
    memcpy(out->starts, from->starts, ((size_t)from->count + 1) * sizeof *out->starts);
    return true;
}

int step_answers_predictions(struct predictions *out, const struct step_answers *a,
                             const struct score_request *requests, int count, struct error *err)
{
    int rc = predictions_allocate(out, count, a->rows, a->rollouts, err), used = 0;

    if (rc == 0 && !copy_grids(&out->grids, &a->grids))
        rc = error_no_memory(err, "the predictions");
    if (rc < 0) {
        predictions_release(out);
        return rc;
    }
    memcpy(out->pass, a->pass, sizeof out->pass);
    out->step = a->step;
    for (int i = 0; i < count; i++)
        if (requests[i].outer_steps <= a->outer_steps &&
            predictions_slot(out, requests[i].outer_steps, &requests[i].rule) == NULL)
            fill_slot(&out->slots[used++], a, &requests[i]);
    for (int i = used; i < count; i++) { /* no request reads them */
        free(out->slots[i].answers);
        free(out->slots[i].used);
        free(out->slots[i].q_halt);
    }
    out->slot_count = used;
    return 0;
}
