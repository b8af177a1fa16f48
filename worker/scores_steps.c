/* scores_steps.c - notes every row's answer after every outer step, and scores what was
 * noted earlier. */
#include "scores_internal.h"

#include "error.h"
#include "step_answers.h"

#include <stdlib.h>

int scores_keep_steps(struct scores *s, int outer_steps, struct error *err)
{
    struct step_answers *steps = malloc(sizeof *steps);
    int rc = steps == NULL
                 ? error_no_memory(err, "the predictions")
                 : step_answers_allocate(steps, outer_steps, s->rollouts, s->row_count, err);

    if (rc == 0)
        s->steps = steps;
    else
        free(steps);
    return rc;
}

int scores_note_step(struct scores *s, int row, const struct score_step *step,
                     struct error *err)
{
    struct step_answers *to = s->steps;
    size_t at = step_answers_at(to, step->step, s->rollout, row);
    int number = answer_store_add(scores_store(s, row), &step->answer->grid, err);

    if (number < 0)
        return number;
    to->answers[at] = number; /* of its test until scores_take_steps() */
    to->known[row] = step->answer->known;
    to->right[at] = step->answer->right;
    to->loss[at] = step->lm_loss;
    to->q_halt[at] = step->signs->q_halt;
    to->q_continue[at] = step->signs->q_continue;
    to->change[at] = step->signs->change;
    to->halts[at] = step->signs->system;
    to->same[at] = step->signs->unchanged > 0;
    return 0;
}

int scores_take_steps(struct step_answers *out, struct scores *s, struct error *err)
{
    int tests = s->first_test[data_set_task_count(s->set, s->split)];
    int *first = calloc((size_t)tests + 1, sizeof *first);
    struct step_answers *steps = s->steps;
    int rc = first == NULL ? error_no_memory(err, "the predictions")
                           : scores_list_grids(&steps->grids, first, s, err);

    *out = (struct step_answers){ 0 };
    for (int row = 0; row < s->row_count && rc == 0; row++) {
        ptrdiff_t test = scores_store(s, row) - s->answers;

        for (int step = 1; step <= steps->outer_steps; step++)
            for (int r = 0; r < s->rollouts; r++) {
                int32_t *number = &steps->answers[step_answers_at(steps, step, r, row)];

                *number = *number < 0 ? -1 : first[test] + *number;
            }
    }
    free(first);
    if (rc < 0)
        return rc;
    *out = *steps;
    free(steps);
    s->steps = NULL;
    return 0;
}

/* Adds what one request takes of a row. */
static int add_row(struct scores *s, int request, const struct step_answers *from, int row,
                   struct error *err)
{
    int step = step_answers_taken(from, &s->requests[request], s->rollout, row);
    struct grid grid;

    if (step == 0)
        return 0;
    size_t at = step_answers_at(from, step, s->rollout, row);
    grid_list_get(&grid, &from->grids, from->answers[at]);
    return scores_add_answer(s, request, row,
                             &(struct score_answer){ .grid = &grid,
                                                     .known = from->known[row],
                                                     .right = from->right[at],
                                                     .q_halt = from->q_halt[at],
                                                     .lm_loss = from->loss[at],
                                                     .used = step },
                             err);
}

int scores_add_steps(struct scores *s, const struct step_answers *from, struct error *err)
{
    int rc = 0;

    for (int r = 0; r < s->rollouts && rc == 0; r++) {
        scores_set_rollout(s, r);
        for (int row = 0; row < s->row_count && rc == 0; row++)
            for (int i = 0; i < s->request_count && rc == 0; i++)
                if (r == 0 || r < s->requests[i].rollouts)
                    rc = add_row(s, i, from, row, err);
    }
    return rc;
}
