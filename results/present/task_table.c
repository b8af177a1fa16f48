/* task_table.c - the tables of `hrmlab tasks`. */
#include "task_table.h"

#include "error.h"
#include "file.h"
#include "task_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_note(struct table *table, char *note)
{
    table_add_note(table, note);
    free(note);
}

static int add_score(struct table *table, const struct task_score *score,
                     const struct cells *cells, struct error *err)
{
    char *low = cells_label(cells, &cells->items[score->low_cell], NULL, 0);
    char *high = cells_label(cells, &cells->items[score->high_cell], NULL, 0);
    bool differ = score->high > score->low;
    int rc = low == NULL || high == NULL ? error_no_memory(err, "a table of tasks") : 0;

    table_row(table);
    table_text(table, score->task);
    table_real(table, score->mean);
    table_real(table, score->low);
    table_text(table, differ ? low : NULL);
    table_real(table, score->high);
    table_text(table, differ ? high : NULL);
    table_int(table, score->cells);
    free(low);
    free(high);
    return rc;
}

int task_table(struct table **out, const struct compare *compare, const struct cells *cells,
               const bool *chosen, const char *note, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "task", .type = TABLE_TEXT },
        { .name = "mean", .type = TABLE_REAL, .digits = 3 },
        { .name = "worst", .type = TABLE_REAL, .digits = 3 },
        { .name = "worst_arm", .title = "worst arm", .type = TABLE_TEXT, .drop = 2 },
        { .name = "best", .type = TABLE_REAL, .digits = 3 },
        { .name = "best_arm", .title = "best arm", .type = TABLE_TEXT, .drop = 1 },
        { .name = "arms", .type = TABLE_INT, .fold = true },
    };
    int never = 0, always = 0, known = 0;
    struct task_score *scores = calloc((size_t)compare->task_count + 1, sizeof *scores);
    int rc = scores == NULL ? error_no_memory(err, "a table of tasks")
                            : table_create(out, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);

    if (rc == 0) {
        task_scores(scores, compare, cells, chosen);
        qsort(scores, (size_t)compare->task_count, sizeof *scores, task_score_compare_hard);
    }
    for (int i = 0; i < compare->task_count && rc == 0 && !isnan(scores[i].mean); i++) {
        rc = add_score(*out, &scores[i], cells, err);
        known++;
        never += scores[i].high <= 0;
        always += scores[i].low >= 1;
    }
    if (rc == 0) {
        table_set_caption(*out, METRICS[compare->metric].title);
        add_note(*out,
                 format_string("%d task%s: %d %s 0 in every arm and seed, %d %s 1 "
                               "in all%s%s",
                               known, known == 1 ? "" : "s", never, never == 1 ? "has" : "have",
                               always, always == 1 ? "has" : "have",
                               note[0] != '\0' ? "; " : "", note));
    }
    free(scores);
    return rc;
}

/* ---- two arms ---- */

struct task_pair {
    const char *task;
    double first, second;
};

static int compare_gain(const void *a, const void *b)
{
    const struct task_pair *x = a, *y = b;
    double gain_x = x->second - x->first, gain_y = y->second - y->first;

    if (gain_x != gain_y)
        return gain_x > gain_y ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->task, y->task);
}

static void add_pair(struct table *table, const struct task_pair *pair)
{
    double gain = pair->second - pair->first;

    table_row(table);
    table_text(table, pair->task);
    table_real(table, pair->first);
    table_real(table, pair->second);
    table_real(table, gain);
    if (gain > 0 || gain < 0)
        table_mark(table, gain > 0 ? TABLE_GOOD : TABLE_BAD);
}

/* "arch.name=hrm, 3 seeds, infer 4". */
static char *describe_cell(const struct compare *compare, const struct compare_cell *cell)
{
    return format_string("%s, %d seed%s, outer steps at inference %lld",
                         compare->results->arms[cell->row->arm].label, cell->seed_count,
                         cell->seed_count == 1 ? "" : "s", (long long)cell->row->outer_steps);
}

static int describe_pair(struct table *table, const struct compare *compare, int first,
                         int second, struct error *err)
{
    char *one = describe_cell(compare, &compare->cells[first]);
    char *other = describe_cell(compare, &compare->cells[second]);
    char *caption = one == NULL || other == NULL
                        ? NULL
                        : format_string("%s; first: %s; second: %s",
                                        METRICS[compare->metric].title, one, other);
    int rc = caption == NULL ? error_no_memory(err, "a table of tasks") : 0;

    if (rc == 0)
        table_set_caption(table, caption);
    free(one);
    free(other);
    free(caption);
    return rc;
}

int task_pair_table(struct table **out, const struct compare *compare, int first, int second,
                    struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "task", .type = TABLE_TEXT },
        { .name = "first", .type = TABLE_REAL, .digits = 3 },
        { .name = "second", .type = TABLE_REAL, .digits = 3 },
        { .name = "difference", .type = TABLE_REAL, .digits = 3 },
    };
    struct task_pair *pairs = calloc((size_t)compare->task_count + 1, sizeof *pairs);
    int count = 0, gained = 0, lost = 0, unsolved = 0;
    int rc = pairs == NULL ? error_no_memory(err, "a table of tasks")
                           : table_create(out, COLUMNS, 4, err);

    for (int t = 0; t < compare->task_count && rc == 0; t++) {
        struct task_pair pair = { compare->tasks[t], task_score_mean(compare, first, t),
                                  task_score_mean(compare, second, t) };

        if (isnan(pair.first) || isnan(pair.second))
            continue;
        pairs[count++] = pair;
        gained += pair.second > pair.first;
        lost += pair.second < pair.first;
        unsolved += pair.first <= 0 && pair.second <= 0;
    }
    if (rc == 0)
        qsort(pairs, (size_t)count, sizeof *pairs, compare_gain);
    for (int i = 0; i < count && rc == 0; i++)
        add_pair(*out, &pairs[i]);
    if (rc == 0)
        rc = describe_pair(*out, compare, first, second, err);
    if (rc == 0)
        add_note(*out,
                 format_string("%d task%s: %d gained, %d lost, %d equal, of which %d %s 0 "
                               "in both; hrmlab compare tells what chance explains",
                               count, count == 1 ? "" : "s", gained, lost,
                               count - gained - lost, unsolved, unsolved == 1 ? "is" : "are"));
    free(pairs);
    return rc;
}
