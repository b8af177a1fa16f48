/* scores_sizes.c - pass@2 apart for small and large solutions. */
#include "scores_internal.h"

#include <math.h>

enum { FIRST = METRIC_PASS_AT_2_CELLS_1, SIZES = METRIC_PASS_AT_2_CELLS_226 - FIRST + 1 };

struct size_sums {
    int tests[SIZES], solved[SIZES]; /* of the task at hand */
    double pass[SIZES];              /* sum over the tasks before */
    int tasks[SIZES];
};

static int size_of(const struct grid *solution)
{
    int cells = solution->rows * solution->columns;

    return cells <= 36 ? 0 : cells <= 100 ? 1 : cells <= 225 ? 2 : 3;
}

/* Adds the task whose tests were counted last. */
static void end_task(struct size_sums *sums)
{
    for (int size = 0; size < SIZES; size++) {
        if (sums->tests[size] > 0) {
            sums->pass[size] += (double)sums->solved[size] / sums->tests[size];
            sums->tasks[size]++;
        }
        sums->tests[size] = sums->solved[size] = 0;
    }
}

/* Whether there are test inputs of more than one size. */
static bool sizes_differ(const struct size_sums *sums)
{
    int sizes = 0;

    for (int size = 0; size < SIZES; size++)
        sizes += sums->tasks[size] > 0;
    return sizes > 1;
}

void scores_sum_sizes(const struct scores *s, const struct score_outcome *outcomes, int count,
                      struct score_result *out)
{
    struct size_sums sums = { .tests = { 0 } };

    for (int i = 0; i < count; i++) {
        struct grid room;
        int size = size_of(data_set_solution(s->set, s->split, outcomes[i].task,
                                             outcomes[i].test_index, &room));

        if (i > 0 && outcomes[i].task != outcomes[i - 1].task)
            end_task(&sums);
        sums.tests[size]++;
        sums.solved[size] += outcomes[i].rank == 1 || outcomes[i].rank == 2;
    }
    end_task(&sums);
    bool differ = sizes_differ(&sums);
    for (int size = 0; size < SIZES; size++)
        out->values[FIRST + size] =
            differ && sums.tasks[size] > 0 ? sums.pass[size] / sums.tasks[size] : (double)NAN;
}
