/*
 * finding.c - a matrix of outer steps and its differences put into words.
 */
#include "finding.h"

#include "error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_estimate(FILE *out, const struct comparison *item)
{
    const struct estimate *e = &item->estimate;

    if (isnan(e->low))
        fprintf(out, "%+.3f (one task: no interval)", e->value);
    else
        fprintf(out, "%+.3f [%.3f, %.3f]", e->value, e->low, e->high);
}

/* The item of this kind in the block with the largest fixed side, NULL when there is
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

static const char *effect_word(const struct comparison *item)
{
    switch (comparison_verdict(item)) {
    case VERDICT_HIGHER:
        return "a gain";
    case VERDICT_LOWER:
        return "a loss";
    case VERDICT_INCONCLUSIVE:
    default:
        return "inconclusive";
    }
}

static void write_block(FILE *out, const struct matrix_block *block,
                        const struct comparison_list *list)
{
    const struct comparison *training = find_item(list, COMPARISON_TRAINING, block->label);
    const struct comparison *inference = find_item(list, COMPARISON_INFERENCE, block->label);
    const struct comparison *direct = find_item(list, COMPARISON_DIRECT, block->label);
    const struct comparison *both = find_item(list, COMPARISON_BOTH, block->label);

    if (training == NULL && inference == NULL)
        return;
    fprintf(out, " %s:", block->label);
    if (training != NULL) {
        fprintf(out,
                " training with %lld outer steps instead of %lld (inference at %lld) gave ",
                (long long)training->to, (long long)training->from, (long long)training->fixed);
        write_estimate(out, training);
        fprintf(out, ", %s", effect_word(training));
    }
    if (inference != NULL) {
        fprintf(out,
                "%s inference with %lld outer steps instead of %lld (trained with %lld) gave ",
                training != NULL ? ";" : "", (long long)inference->to,
                (long long)inference->from, (long long)inference->fixed);
        write_estimate(out, inference);
        fprintf(out, ", %s", effect_word(inference));
    }
    if (both != NULL) {
        fprintf(out, "; both together ");
        write_estimate(out, both);
        fprintf(out, ", %s", effect_word(both));
    }
    if (direct != NULL) {
        static const char *const WORDS[] = {
            [VERDICT_INCONCLUSIVE] = "which of the two matters more is inconclusive",
            [VERDICT_HIGHER] =
                "refinement in training earned more than refinement at inference",
            [VERDICT_LOWER] = "refinement at inference earned more than refinement in training"
        };

        fprintf(out, "; %s (training only minus inference only ",
                WORDS[comparison_verdict(direct)]);
        write_estimate(out, direct);
        fprintf(out, ")");
    }
    fprintf(out, ".");
}

static void write_architectures(FILE *out, const struct comparison_list *list)
{
    static const char *const WORDS[] = { [VERDICT_INCONCLUSIVE] = "inconclusive",
                                         [VERDICT_HIGHER] = "the first is better",
                                         [VERDICT_LOWER] = "the second is better" };

    for (int i = 0; i < list->count; i++) {
        const struct comparison *item = &list->items[i];

        if (item->kind != COMPARISON_ARCHITECTURE)
            continue;
        fprintf(out, " %s, over all cells: ", item->label);
        write_estimate(out, item);
        fprintf(out, ", %s.", WORDS[comparison_verdict(item)]);
    }
}

static void write_best(FILE *out, const struct matrix *matrix, const struct compare *compare,
                       const struct baselines *baselines)
{
    const struct matrix_block *best_block = NULL;
    const struct compare_cell *best = NULL;
    double copy = baselines->copy[compare->metric];
    double untrained = baselines->untrained[compare->metric];

    for (int b = 0; b < matrix->block_count; b++) {
        const struct matrix_block *block = &matrix->blocks[b];

        for (int i = 0; i < block->train_count * block->eval_count; i++) {
            const struct compare_cell *cell =
                block->cells[i] >= 0 ? &compare->cells[block->cells[i]] : NULL;

            if (cell != NULL && (best == NULL || cell->mean > best->mean)) {
                best = cell;
                best_block = block;
            }
        }
    }
    if (best == NULL)
        return;
    fprintf(out, " The best cell (%s, trained with %lld, inference with %lld) has %.3f",
            best_block->label, (long long)best->row->train_outer_steps,
            (long long)best->row->outer_steps, best->mean);
    if (isfinite(copy))
        fprintf(out, "; copying the input has %.3f (%+.3f)", copy, best->mean - copy);
    if (isfinite(untrained))
        fprintf(out, "; the untrained model has %.3f (%+.3f)", untrained,
                best->mean - untrained);
    fprintf(out, ".");
}

/* Seeds, tasks, and what the intervals leave out. */
static void write_basis(FILE *out, const struct compare *compare,
                        const struct comparison_list *list)
{
    int fewest = 0, most = 0, tasks = 0;

    for (int i = 0; i < list->count; i++) {
        const struct estimate *e = &list->items[i].estimate;

        fewest = i == 0 || e->seeds < fewest ? e->seeds : fewest;
        most = e->seeds > most ? e->seeds : most;
        tasks = e->tasks > tasks ? e->tasks : tasks;
    }
    fprintf(out, "Finding (%s, %d tasks, ", METRICS[compare->metric].title, tasks);
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
        fprintf(out, ", over tasks only where fewer than %d seeds are shared",
                STATISTICS_LEAST_SEEDS);
    fprintf(out, " and are judged after Holm's correction for %d comparison%s.", list->count,
            list->count == 1 ? "" : "s");
}

int finding_write(char **out, const struct matrix *matrix, const struct compare *compare,
                  const struct comparison_list *list, const struct baselines *baselines,
                  struct error *err)
{
    size_t size = 0;
    FILE *text = open_memstream(out, &size);
    bool fails;

    if (text == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for a finding");
    if (list->count > 0)
        write_basis(text, compare, list);
    else
        fprintf(text, "Finding (%s): nothing to compare has finished.",
                METRICS[compare->metric].title);
    for (int i = 0; i < matrix->block_count; i++)
        write_block(text, &matrix->blocks[i], list);
    write_architectures(text, list);
    write_best(text, matrix, compare, baselines);
    fails = ferror(text) != 0;
    /* It reports success also where its last move of the text found no memory. */
    if (fclose(text) != 0 || fails || *out == NULL || strlen(*out) != size) {
        free(*out);
        *out = NULL;
        return error_set(err, ERROR_NOMEM, "no memory for a finding");
    }
    return 0;
}
