/* task_score.c - how hard each task is for the arms of an experiment. */
#include "task_score.h"

#include <math.h>
#include <string.h>

int compare_cell_of(const struct compare *compare, const struct cell *cell)
{
    int low = 0, high = compare != NULL ? compare->cell_count : 0;

    /* Both lists are in the order of the rows, and name the first one of a group: the
     * comparison's the first that is finished. */
    while (low < high) {
        int middle = low + (high - low) / 2;

        if (compare->cells[middle].row < cell->row)
            low = middle + 1;
        else
            high = middle;
    }
    return compare != NULL && low < compare->cell_count &&
                   compare->cells[low].row < cell->row + cell->planned
               ? low
               : -1;
}

double task_score_mean(const struct compare *compare, int cell, int task)
{
    const struct compare_cell *from = &compare->cells[cell];
    double sum = 0;
    int known = 0;

    for (int s = 0; s < from->seed_count; s++) {
        double value = from->values[(size_t)s * (size_t)compare->task_count + (size_t)task];

        sum += isnan(value) ? 0 : value;
        known += !isnan(value);
    }
    return known > 0 ? sum / known : (double)NAN;
}

void task_scores(struct task_score *scores, const struct compare *compare,
                 const struct cells *cells, const bool *chosen)
{
    for (int t = 0; t < compare->task_count; t++) {
        struct task_score *score = &scores[t];
        int known = 0;

        *score = (struct task_score){ .task = compare->tasks[t], .low_cell = -1 };
        for (int i = 0; i < cells->count; i++) {
            int cell = chosen[i] ? compare_cell_of(compare, &cells->items[i]) : -1;
            double mean = cell >= 0 ? task_score_mean(compare, cell, t) : (double)NAN;

            if (isnan(mean))
                continue;
            if (known == 0 || mean < score->low) {
                score->low = mean;
                score->low_cell = i;
            }
            if (known == 0 || mean > score->high) {
                score->high = mean;
                score->high_cell = i;
            }
            score->mean += mean;
            known++;
        }
        score->cells = known;
        score->mean = known > 0 ? score->mean / known : (double)NAN;
    }
}

int task_score_compare_hard(const void *a, const void *b)
{
    const struct task_score *x = a, *y = b;

    if (isnan(x->mean) || isnan(y->mean))
        return (int)isnan(x->mean) - (int)isnan(y->mean);
    if (x->mean != y->mean)
        return x->mean < y->mean ? -1 : 1;
    return strcmp(x->task, y->task);
}

int task_score_compare_contested(const void *a, const void *b)
{
    const struct task_score *x = a, *y = b;
    double spread_x = x->high - x->low, spread_y = y->high - y->low;

    if (spread_x != spread_y)
        return spread_x > spread_y ? -1 : 1;
    return strcmp(x->task, y->task);
}
