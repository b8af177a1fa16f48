/*
 * finding.c - describes a matrix of outer steps and its differences in words.
 */
#include "finding.h"

#include "error.h"
#include "number.h"
#include "text_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 3 };

static void write_estimate(FILE *out, const struct comparison *item)
{
    const struct estimate *e = &item->estimate;
    char value[NUMBER_TEXT_SIZE], low[NUMBER_TEXT_SIZE], high[NUMBER_TEXT_SIZE];

    number_signed(value, e->value, DIGITS);
    if (isnan(e->low))
        fprintf(out, "%s (one task: no interval)", value);
    else
        fprintf(out, "%s [%s, %s]", value, number_signed(low, e->low, DIGITS),
                number_signed(high, e->high, DIGITS));
}

/* The block's comparison of this kind at the largest fixed number of steps; NULL:
 * none. */
static const struct comparison *find_item(const struct comparison_list *list,
                                          enum comparison_kind kind, const char *group)
{
    const struct comparison *found = NULL;

    for (int i = 0; i < list->count; i++)
        if (list->items[i].kind == kind && strcmp(list->items[i].group, group) == 0)
            found = &list->items[i]; /* rows ascend: the last one has the most steps */
    return found;
}

static const char NO_INFORMATION[] =
    "no information: neither is above what comes without learning";

/* Writes " gave +0.100 [0.050, 0.150], a gain", or that there is no difference. */
static void write_effect(FILE *out, const struct comparison *item)
{
    static const char *const WORDS[] = { [VERDICT_INCONCLUSIVE] = "inconclusive",
                                         [VERDICT_HIGHER] = "a gain",
                                         [VERDICT_LOWER] = "a loss",
                                         [VERDICT_NO_INFORMATION] = NO_INFORMATION };
    enum verdict verdict = comparison_verdict(item);

    if (verdict == VERDICT_EQUAL) {
        fprintf(out, " made no difference on any task");
        return;
    }
    fprintf(out, " gave ");
    write_estimate(out, item);
    fprintf(out, ", %s", WORDS[verdict]);
}

/* The block's comparison of this kind at that number of steps on the other side; NULL:
 * none. */
static const struct comparison *find_fixed(const struct comparison_list *list,
                                           enum comparison_kind kind, const char *group,
                                           int64_t fixed)
{
    for (int i = 0; i < list->count; i++)
        if (list->items[i].kind == kind && list->items[i].fixed == fixed &&
            strcmp(list->items[i].group, group) == 0)
            return &list->items[i];
    return NULL;
}

static bool is_gain(const struct comparison *item)
{
    return item != NULL && comparison_verdict(item) == VERDICT_HIGHER;
}

/* Writes which of training and inference matters more. Refinement in one place that is
 * no gain by itself has earned nothing, even if the other place is worse. */
static void write_direct(FILE *out, const struct comparison *item,
                         const struct comparison_list *list)
{
    static const char *const WORDS[] = {
        [VERDICT_INCONCLUSIVE] = "which of the two matters more is inconclusive",
        [VERDICT_HIGHER] = "refinement in training earned more than refinement at inference",
        [VERDICT_LOWER] = "refinement at inference earned more than refinement in training",
        [VERDICT_EQUAL] =
            "refinement in training only and at inference only are equal on every "
            "task",
        [VERDICT_NO_INFORMATION] = "which of the two matters more cannot be told: neither is "
                                   "above what comes without learning"
    };
    enum verdict verdict = comparison_verdict(item);
    const struct comparison *training =
        find_fixed(list, COMPARISON_TRAINING, item->group, item->from);
    const struct comparison *inference =
        find_fixed(list, COMPARISON_INFERENCE, item->group, item->from);

    if (verdict == VERDICT_HIGHER && !is_gain(training))
        fprintf(out, "; refinement in training only scored higher than at inference only, but "
                     "by itself it is no gain");
    else if (verdict == VERDICT_LOWER && !is_gain(inference))
        fprintf(out, "; refinement at inference only scored higher than in training only, but "
                     "by itself it is no gain");
    else
        fprintf(out, "; %s", WORDS[verdict]);
    if (verdict == VERDICT_EQUAL)
        return;
    fprintf(out, " (training only minus inference only ");
    write_estimate(out, item);
    fprintf(out, ")");
}

static void write_block(FILE *out, const struct matrix_block *block,
                        const struct comparison_list *list, char between)
{
    const struct comparison *training = find_item(list, COMPARISON_TRAINING, block->label);
    const struct comparison *inference = find_item(list, COMPARISON_INFERENCE, block->label);
    const struct comparison *direct = find_item(list, COMPARISON_DIRECT, block->label);
    const struct comparison *both = find_item(list, COMPARISON_BOTH, block->label);

    if (training == NULL && inference == NULL)
        return;
    fprintf(out, "%cFor %s:", between, block->label);
    if (training != NULL) {
        fprintf(out, " training with %lld outer steps instead of %lld (inference at %lld)",
                (long long)training->to, (long long)training->from, (long long)training->fixed);
        write_effect(out, training);
    }
    if (inference != NULL) {
        fprintf(out, "%s inference with %lld outer steps instead of %lld (trained with %lld)",
                training != NULL ? ";" : "", (long long)inference->to,
                (long long)inference->from, (long long)inference->fixed);
        write_effect(out, inference);
    }
    if (both != NULL) {
        fprintf(out, "; both together");
        write_effect(out, both);
    }
    if (direct != NULL)
        write_direct(out, direct, list);
    fprintf(out, ".");
}

static void write_architectures(FILE *out, const struct comparison_list *list, char between)
{
    static const char *const WORDS[] = { [VERDICT_INCONCLUSIVE] = "inconclusive",
                                         [VERDICT_HIGHER] = "the first is better",
                                         [VERDICT_LOWER] = "the second is better",
                                         [VERDICT_NO_INFORMATION] = NO_INFORMATION };

    for (int i = 0; i < list->count; i++) {
        const struct comparison *item = &list->items[i];
        enum verdict verdict = comparison_verdict(item);

        if (item->kind != COMPARISON_ARCHITECTURE)
            continue;
        fprintf(out, "%c%s, over all cells: ", between, item->label);
        if (verdict == VERDICT_EQUAL) {
            fprintf(out, "no difference on any task.");
            continue;
        }
        write_estimate(out, item);
        fprintf(out, ", %s.", WORDS[verdict]);
    }
}

/* The cells of a matrix that share the largest mean. */
struct best_cells {
    double mean, least; /* the largest and the smallest mean; NaN: none */
    int count, all;     /* number of cells with the largest mean; number of all cells */
    const struct matrix_block *block;
    const struct compare_cell *cell; /* the first of them */
};

static bool is_equal(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static struct best_cells find_best(const struct matrix *matrix, const struct compare *compare)
{
    struct best_cells best = { .mean = (double)NAN, .least = (double)NAN };

    for (int b = 0; b < matrix->block_count; b++) {
        const struct matrix_block *block = &matrix->blocks[b];

        for (int i = 0; i < block->train_count * block->eval_count; i++) {
            const struct compare_cell *cell =
                block->cells[i] >= 0 ? &compare->cells[block->cells[i]] : NULL;

            if (cell == NULL || isnan(cell->mean)) /* NaN: its tests are hidden */
                continue;
            best.all++;
            if (!(best.least <= cell->mean))
                best.least = cell->mean;
            if (best.cell != NULL && is_equal(cell->mean, best.mean)) {
                best.count++;
            } else if (best.cell == NULL || cell->mean > best.mean) {
                best.mean = cell->mean;
                best.count = 1;
                best.block = block;
                best.cell = cell;
            }
        }
    }
    return best;
}

/* Writes by how much a mean exceeds the scores without learning. */
static void write_above(FILE *out, double mean, const struct baseline *baseline,
                        enum metric metric)
{
    double copy = baseline != NULL ? baseline->copy[metric] : (double)NAN;
    double untrained = baseline != NULL ? baseline->untrained[metric] : (double)NAN;

    char value[NUMBER_TEXT_SIZE], above[NUMBER_TEXT_SIZE];

    if (isfinite(copy))
        fprintf(out, "; copying the input has %s (%s)", number_measure(value, copy, DIGITS),
                number_signed(above, mean - copy, DIGITS));
    if (isfinite(untrained))
        fprintf(out, "; the untrained model has %s (%s)",
                number_measure(value, untrained, DIGITS),
                number_signed(above, mean - untrained, DIGITS));
    fprintf(out, ".");
}

static void write_best(FILE *out, const struct best_cells *best,
                       const struct baseline *baseline, enum metric metric, char between)
{
    char value[NUMBER_TEXT_SIZE];

    number_measure(value, best->mean, DIGITS);
    if (best->count > 1)
        fprintf(out, "%c%d of %d cells share the largest value, %s", between, best->count,
                best->all, value);
    else
        fprintf(out, "%cThe best cell (%s, trained with %lld, inference with %lld) has %s",
                between, best->block->label, (long long)best->cell->row->train_outer_steps,
                (long long)best->cell->row->outer_steps, value);
    write_above(out, best->mean, baseline, metric);
}

/* Whether there is nothing to conclude; if so, writes why. */
static bool write_nothing_to_tell(FILE *out, const struct best_cells *best,
                                  const struct baseline *baseline, enum metric metric)
{
    const struct measure *measure = &METRICS[metric];
    char value[NUMBER_TEXT_SIZE];

    number_measure(value, best->mean, DIGITS);
    if (is_equal(best->mean, 0) && is_equal(best->least, 0) &&
        measure->better == MEASURE_HIGHER) {
        fprintf(out,
                " Nothing was solved anywhere: %s is 0 in %s, so that nothing can be said of "
                "what matters",
                measure->title, best->all == 1 ? "the one cell" : "every cell");
    } else if (best->all > 1 && is_equal(best->mean, best->least)) {
        fprintf(out, " All %d cells have the same value, %s: no cell is better than another",
                best->all, value);
    } else if (best->mean <= baseline_floor(baseline, metric)) {
        fprintf(out,
                " No information: no cell is above what comes without learning, the largest "
                "has %s",
                value);
    } else {
        return false;
    }
    write_above(out, best->mean, baseline, metric);
    return true;
}

/* The fewest and the most seeds of the comparisons. */
static void count_seeds(int *fewest, int *most, const struct comparison_list *list)
{
    *fewest = *most = 0;
    for (int i = 0; i < list->count; i++) {
        int seeds = list->items[i].estimate.seeds;

        *fewest = i == 0 || seeds < *fewest ? seeds : *fewest;
        *most = seeds > *most ? seeds : *most;
    }
}

void finding_seeds(char out[FINDING_SEEDS_SIZE], const struct comparison_list *list)
{
    int fewest, most;
    char from[24] = "";

    count_seeds(&fewest, &most, list);
    if (fewest != most)
        snprintf(from, sizeof from, "%d to ", fewest);
    snprintf(out, FINDING_SEEDS_SIZE, "%s%d seed%s%s", from, most, most == 1 ? "" : "s",
             most < STATISTICS_LEAST_SEEDS
                 ? ", over tasks only: how other seeds would come out is not covered"
             : fewest < STATISTICS_LEAST_SEEDS
                 ? ", over tasks only where there are fewer than 3"
                 : "");
}

/* Writes how many seeds and tasks there are, and what the intervals do not cover. */
static void write_basis(FILE *out, const struct compare *compare,
                        const struct comparison_list *list)
{
    int fewest, most, tasks = 0;

    count_seeds(&fewest, &most, list);
    for (int i = 0; i < list->count; i++)
        if (list->items[i].estimate.tasks > tasks)
            tasks = list->items[i].estimate.tasks;
    fprintf(out, "Finding (%s, %d task%s, ", METRICS[compare->metric].title, tasks,
            tasks == 1 ? "" : "s");
    if (fewest != most)
        fprintf(out, "%d to ", fewest);
    fprintf(out, "%d seed%s). Differences come with 95 %% intervals", most,
            most == 1 ? "" : "s");
    if (most < STATISTICS_LEAST_SEEDS)
        fprintf(out,
                " over tasks only (fewer than %d seeds: how others would come out is not "
                "covered)",
                STATISTICS_LEAST_SEEDS);
    else if (fewest < STATISTICS_LEAST_SEEDS)
        fprintf(out, ", over tasks only where fewer than %d seeds are shared,",
                STATISTICS_LEAST_SEEDS);
    fprintf(out, " and are judged after Holm's correction for %d comparison%s.", list->count,
            list->count == 1 ? "" : "s");
}

int finding_write(char **out, const struct matrix *matrix, const struct compare *compare,
                  const struct comparison_list *list, char between, struct error *err)
{
    struct best_cells best = find_best(matrix, compare);
    const struct baseline *baseline = best.cell != NULL && compare->baselines != NULL
                                          ? baselines_of(compare->baselines, best.cell->row)
                                          : NULL;
    size_t size = 0;
    FILE *text = text_stream_open(out, &size);

    if (text == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a finding");
    if (list->count > 0)
        write_basis(text, compare, list);
    else
        fprintf(text, "Finding (%s): %s.", METRICS[compare->metric].title,
                list->impossible > 0
                    ? "no two sides that could be compared have a task in common"
                    : "nothing to compare has finished");
    if (best.cell != NULL && !write_nothing_to_tell(text, &best, baseline, compare->metric)) {
        for (int i = 0; i < matrix->block_count; i++)
            write_block(text, &matrix->blocks[i], list, between);
        write_architectures(text, list, between);
        write_best(text, &best, baseline, compare->metric, between);
    }
    return fclose(text) == 0 ? 0 : error_set(err, ERROR_NOMEM, "no memory for a finding");
}
