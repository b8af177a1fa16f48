/*
 * comparison_table.c - tables of differences, of an axis's values, and of matrices.
 */
#include "comparison_table.h"

#include "columns.h"
#include "error.h"
#include "file.h"
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE = 2 * NUMBER_TEXT_SIZE + 8, DIGITS = 3 };

static void add_comparison(struct table *table, const struct comparison *item)
{
    static const char *const KINDS[] = {
        [COMPARISON_DIFFERENCE] = "difference", [COMPARISON_INFERENCE] = "inference",
        [COMPARISON_TRAINING] = "training",     [COMPARISON_BOTH] = "both",
        [COMPARISON_DIRECT] = "direct",         [COMPARISON_ARCHITECTURE] = "architecture",
        [COMPARISON_PLANNED] = "planned"
    };
    const struct estimate *e = &item->estimate;
    enum verdict verdict = comparison_verdict(item);
    char interval[2 * NUMBER_TEXT_SIZE + 8] = "", low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];

    table_row(table);
    table_text(table, item->group);
    table_text(table, item->label);
    table_text(table, KINDS[item->kind]);
    table_real(table, item->base_mean);
    table_real(table, item->other_mean);
    table_real(table, e->value);
    if (isfinite(e->low))
        snprintf(interval, sizeof interval, "[%s, %s]", number_measure(low, e->low, DIGITS),
                 number_measure(high, e->high, DIGITS));
    table_text(table, interval[0] != '\0' ? interval : NULL);
    table_real(table, e->low);
    table_real(table, e->high);
    table_real(table, e->standard_error);
    table_real(table, e->p);
    table_real(table, item->p_holm);
    table_text(table, verdict_name(verdict));
    table_mark(table, verdict == VERDICT_HIGHER  ? TABLE_GOOD
                      : verdict == VERDICT_LOWER ? TABLE_BAD
                                                 : TABLE_FAINT);
    table_int(table, e->seeds);
    table_int(table, e->tasks);
    table_text(table, e->tasks_only ? "tasks only" : "seeds and tasks");
    table_text(table, item->paired_by_seed ? "seed and task" : "task");
}

/* Says so where trainings of different lengths are compared, which nobody may have
 * asked for: as many epochs of other data are another number of steps. */
static void add_steps_note(struct table *table, const struct comparison_list *list)
{
    int64_t least = INT64_MAX, most = 0;
    char note[160];

    for (int i = 0; i < list->count; i++) {
        const struct comparison *item = &list->items[i];

        if (item->least_steps == item->most_steps)
            continue;
        least = item->least_steps < least ? item->least_steps : least;
        most = item->most_steps > most ? item->most_steps : most;
    }
    if (most == 0)
        return;
    snprintf(
        note, sizeof note,
        "trainings of different lengths are compared, of %lld to %lld steps: the sides may "
        "differ by that alone",
        (long long)least, (long long)most);
    table_add_note(table, note);
}

static void add_basis_notes(struct table *table, const struct comparison_list *list)
{
    bool tasks_only = false, unpaired = false, uninformative = false, zero = true;
    int left_out = 0;
    char note[160];

    for (int i = 0; i < list->count; i++) {
        enum verdict verdict = comparison_verdict(&list->items[i]);

        uninformative = uninformative || verdict == VERDICT_NO_INFORMATION;
        zero = zero && verdict == VERDICT_EQUAL && fabs(list->items[i].base_mean) <= 0;
        tasks_only = tasks_only || list->items[i].estimate.tasks_only;
        unpaired = unpaired || !list->items[i].paired_by_seed;
        left_out = list->items[i].left_out > left_out ? list->items[i].left_out : left_out;
    }
    snprintf(
        note, sizeof note,
        "95 %% intervals, not corrected; p (Holm) and the verdict are corrected for the %d "
        "comparison%s of this table",
        list->count, list->count == 1 ? "" : "s");
    table_add_note(table, note);
    if (tasks_only)
        table_add_note(table, "over tasks only: with fewer than three seeds nothing is said of "
                              "how other seeds would come out");
    add_steps_note(table, list);
    if (unpaired)
        table_add_note(table, "not paired by seed where the arms do not share their seeds");
    if (uninformative)
        table_add_note(table, "no information: neither side is above copying the input or the "
                              "untrained model, whichever has more");
    if (zero)
        table_add_note(table, "nothing was solved anywhere: both sides have 0 on every task");
    if (left_out > 0) {
        snprintf(note, sizeof note, "up to %d task%s left out: not every cell has %s", left_out,
                 left_out == 1 ? " is" : "s are", left_out == 1 ? "it" : "them");
        table_add_note(table, note);
    }
}

int comparison_table(struct table **out, const struct comparison_list *list, struct error *err)
{
    bool groups = false, means = false;

    for (int i = 0; i < list->count; i++) {
        groups = groups || list->items[i].group[0] != '\0';
        means = means || isfinite(list->items[i].base_mean);
    }
    const struct table_column COLUMNS[] = {
        { .name = "group",
          .title = "arms",
          .type = TABLE_TEXT,
          .machine_only = !groups,
          .section = true },
        { .name = "comparison", .type = TABLE_TEXT },
        { .name = "kind", .type = TABLE_TEXT, .machine_only = true },
        { .name = "base_mean",
          .title = "from",
          .type = TABLE_REAL,
          .digits = 3,
          .machine_only = !means,
          .drop = 2 },
        { .name = "other_mean",
          .title = "to",
          .type = TABLE_REAL,
          .digits = 3,
          .machine_only = !means,
          .drop = 1 },
        { .name = "difference", .title = "diff", .type = TABLE_REAL, .digits = 3 },
        { .name = "interval",
          .title = "95 % interval",
          .type = TABLE_TEXT,
          .people_only = true,
          .whole = true },
        { .name = "low", .type = TABLE_REAL, .machine_only = true },
        { .name = "high", .type = TABLE_REAL, .machine_only = true },
        { .name = "standard_error", .type = TABLE_REAL, .machine_only = true },
        { .name = "p", .type = TABLE_REAL, .p = true, .drop = 5 },
        { .name = "p_holm", .title = "p (Holm)", .type = TABLE_REAL, .p = true, .drop = 3 },
        { .name = "verdict", .type = TABLE_TEXT },
        { .name = "seeds", .type = TABLE_INT, .fold = true, .drop = 4 },
        { .name = "tasks", .type = TABLE_INT, .fold = true, .drop = 4 },
        { .name = "interval_over",
          .title = "over",
          .type = TABLE_TEXT,
          .fold = true,
          .drop = 6 },
        { .name = "paired_by", .type = TABLE_TEXT, .machine_only = true },
    };
    int rc = table_create(out, COLUMNS, (int)(sizeof COLUMNS / sizeof *COLUMNS), err);

    if (rc != 0)
        return rc;
    for (int i = 0; i < list->count; i++)
        add_comparison(*out, &list->items[i]);
    if (list->count > 0)
        add_basis_notes(*out, list);
    if (list->impossible > 0) {
        char note[100];

        snprintf(note, sizeof note, "%d more %s impossible: the sides have no task in common",
                 list->impossible, list->impossible == 1 ? "is" : "are");
        table_add_note(*out, note);
    }
    return 0;
}

/* Says over which cells a value is compared with the first, where it is not all. */
static void add_pairs_note(struct table *table, const struct axis_value *first,
                           const struct axis_value *value, const char *key)
{
    char note[256];

    if (value->comparison < 0 || (value->cells == first->all && value->cells == value->all))
        return;
    snprintf(note, sizeof note,
             "%.60s: %.50s has %d cell%s and %.50s has %d; %d pair%s of them differ%s in this "
             "setting alone and %s compared",
             key, value->value, value->all, value->all == 1 ? "" : "s", first->value,
             first->all, value->cells, value->cells == 1 ? "" : "s",
             value->cells == 1 ? "s" : "", value->cells == 1 ? "is" : "are");
    table_add_note(table, note);
}

int axis_table(struct table **out, const struct axis_values *values, const char *key,
               enum metric metric, struct error *err)
{
    const struct table_column COLUMNS[] = {
        { .name = "axis", .type = TABLE_TEXT, .machine_only = true },
        { .name = "value", .title = key, .type = TABLE_TEXT },
        { .name = METRICS[metric].name,
          .title = METRICS[metric].title,
          .type = TABLE_REAL,
          .digits = 3 },
        { .name = "cells", .type = TABLE_INT },
    };
    int rc = table_create(out, COLUMNS, 4, err);
    char note[256];

    if (rc == 0 && values->own_steps)
        table_add_note(*out,
                       "each arm with the number of outer steps that it was trained with");
    if (rc == 0 && values->evaluations[0] != '\0') {
        snprintf(note, sizeof note, "means over the evaluations: %.200s", values->evaluations);
        table_add_note(*out, note);
    }
    if (rc == 0 && values->missing[0] != '\0') {
        snprintf(note, sizeof note, "without results: %.220s", values->missing);
        table_add_note(*out, note);
    }
    for (int i = 0; i < values->count && rc == 0; i++) {
        const struct axis_value *value = &values->items[i];

        table_row(*out);
        table_text(*out, key);
        table_text(*out, value->value);
        table_real(*out, value->mean);
        table_int(*out, value->cells);
        if (i > 0)
            add_pairs_note(*out, &values->items[0], value, key);
        if (i > 0 && value->comparison < 0) {
            snprintf(note, sizeof note, "%.60s=%.60s: no cell %s %.60s%s", key, value->value,
                     value->cells > 0 ? "has a task in common with" : "differs from one of",
                     values->items[0].value, value->cells > 0 ? "" : " in this setting alone");
            table_add_note(*out, note);
        }
    }
    return rc;
}

/* Makes a grid of a block, with cells such as "0.512 +-0.034", for the terminal. */
static int make_grid(struct table **out, const struct matrix_block *block,
                     const struct compare *compare, struct error *err)
{
    int count = block->eval_count + 1;
    struct table_column *columns = calloc((size_t)count, sizeof *columns);
    char(*names)[CELL_SIZE] = calloc((size_t)count, sizeof *names);
    char text[CELL_SIZE], mean[NUMBER_TEXT_SIZE], spread[NUMBER_TEXT_SIZE];
    int rc = columns == NULL || names == NULL ? error_no_memory(err, "a comparison") : 0;

    if (rc == 0) {
        columns[0] = (struct table_column){ .name = "trained \\ infer", .type = TABLE_INT };
        for (int i = 0; i < block->eval_count; i++) {
            snprintf(names[i], sizeof names[i], "%lld", (long long)block->eval_steps[i]);
            columns[i + 1] =
                (struct table_column){ .name = names[i], .type = TABLE_TEXT, .tight = true };
        }
        rc = table_create(out, columns, count, err);
    }
    for (int row = 0; row < block->train_count && rc == 0; row++) {
        table_row(*out);
        table_int(*out, block->train_steps[row]);
        for (int i = 0; i < block->eval_count; i++) {
            int at = row * block->eval_count + i, index = block->cells[at];
            const struct compare_cell *cell = index >= 0 ? &compare->cells[index] : NULL;

            if (cell == NULL)
                snprintf(text, sizeof text, "%s",
                         block->states[at] == RUN_DONE ? "-"
                                                       : run_state_name(block->states[at]));
            else if (isnan(cell->deviation))
                snprintf(text, sizeof text, "%s", number_measure(mean, cell->mean, DIGITS));
            else
                snprintf(text, sizeof text, "%s +-%s", number_measure(mean, cell->mean, DIGITS),
                         number_measure(spread, cell->deviation, DIGITS));
            table_text(*out, text);
        }
    }
    if (rc == 0) {
        char *caption = format_string("%s of %s (mean +- standard deviation over seeds; rows: "
                                      "outer steps trained, columns: at inference)",
                                      METRICS[compare->metric].title, block->label);

        table_set_caption(*out, caption);
        rc = caption == NULL ? error_no_memory(err, "a comparison") : 0;
        free(caption);
    }
    free(columns);
    free(names);
    return rc;
}

/* Makes a table with a row per cell of all blocks, for machine formats. */
static int make_cells(struct table **out, const struct matrix *matrix,
                      const struct compare *compare, struct error *err)
{
    const struct table_column COLUMNS[] = {
        { .name = "group", .type = TABLE_TEXT },
        { .name = "train_outer_steps", .type = TABLE_INT },
        { .name = "eval_outer_steps", .type = TABLE_INT },
        { .name = "metric", .type = TABLE_TEXT },
        { .name = "mean", .type = TABLE_REAL, .digits = 3 },
        { .name = "deviation", .type = TABLE_REAL, .digits = 3 },
        { .name = "seeds", .type = TABLE_INT },
    };
    int rc = table_create(out, COLUMNS, (int)(sizeof COLUMNS / sizeof *COLUMNS), err);

    for (int b = 0; b < matrix->block_count && rc == 0; b++) {
        const struct matrix_block *block = &matrix->blocks[b];

        for (int i = 0; i < block->train_count * block->eval_count; i++) {
            const struct compare_cell *cell =
                block->cells[i] >= 0 ? &compare->cells[block->cells[i]] : NULL;

            if (cell == NULL)
                continue;
            table_row(*out);
            table_text(*out, block->label);
            table_int(*out, cell->row->train_outer_steps);
            table_int(*out, cell->row->outer_steps);
            table_text(*out, METRICS[compare->metric].name);
            table_real(*out, cell->mean);
            table_real(*out, cell->deviation);
            table_int(*out, cell->seed_count);
        }
    }
    return rc;
}

int matrix_tables(struct table **tables, int *count, const struct matrix *matrix,
                  const struct compare *compare, const struct comparison_list *list,
                  const char *finding, bool for_people, struct error *err)
{
    int rc = 0;
    char note[240];

    *count = 0;
    for (int i = 0; i < matrix->block_count && rc == 0 && for_people; i++) {
        rc = make_grid(&tables[*count], &matrix->blocks[i], compare, err);
        *count += rc == 0;
    }
    if (rc == 0 && !for_people) {
        rc = make_cells(&tables[*count], matrix, compare, err);
        *count += rc == 0;
    }
    if (rc == 0 && matrix->variants > 1) {
        char *shown =
            format_string("shown: %s; %d other combination%s by --where", matrix->evaluation,
                          matrix->variants - 1, matrix->variants == 2 ? "" : "s");

        if (shown != NULL)
            table_add_note(tables[*count - 1], shown);
        else
            rc = error_no_memory(err, "a comparison");
        free(shown);
    }
    if (rc == 0 && matrix->missing[0] != '\0') {
        snprintf(note, sizeof note, "without results, by outer steps trained: %.190s",
                 matrix->missing);
        table_add_note(tables[*count - 1], note);
    }
    if (rc == 0) {
        rc = comparison_table(&tables[*count], list, err);
        *count += rc == 0;
    }
    if (rc == 0 && for_people)
        table_add_note(tables[*count - 1], "");
    if (rc == 0)
        table_add_note(tables[*count - 1], finding);
    return rc;
}
