/*
 * compare.c - loads outcomes of cells per seed and task, and estimates contrasts.
 */
#include "compare.h"

#include "error.h"
#include "evaluation_rows.h"
#include "task_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LEVEL = 0.05;

void compare_destroy(struct compare *compare)
{
    if (compare == NULL)
        return;
    for (int i = 0; i < compare->cell_count; i++) {
        free(compare->cells[i].seeds);
        free(compare->cells[i].values);
        free(compare->cells[i].seed_means);
    }
    for (int i = 0; i < compare->task_count; i++)
        free(compare->tasks[i]);
    free(compare->tasks);
    free(compare->cells);
    free(compare);
}

/* Whether both lists of tasks are equal, which is the usual case. */
static bool same_tasks(const struct compare *compare, const struct task_values *values)
{
    if (compare->task_count != values->count)
        return false;
    for (int i = 0; i < values->count; i++)
        if (strcmp(compare->tasks[i], values->tasks[i]) != 0)
            return false;
    return true;
}

/* Moves column i of every cell to column to[i], for a longer list of tasks. */
static int move_columns(struct compare *compare, const int *to, int count, struct error *err)
{
    for (int c = 0; c < compare->cell_count; c++) {
        struct compare_cell *cell = &compare->cells[c];
        size_t size = (size_t)cell->seed_count * (size_t)count;
        double *values = malloc((size + 1) * sizeof *values);

        if (values == NULL)
            return error_no_memory(err, "a comparison");
        for (size_t i = 0; i < size; i++)
            values[i] = (double)NAN;
        for (int s = 0; s < cell->seed_count; s++)
            for (int t = 0; t < compare->task_count; t++)
                values[(size_t)s * (size_t)count + (size_t)to[t]] =
                    cell->values[(size_t)s * (size_t)compare->task_count + (size_t)t];
        free(cell->values);
        cell->values = values;
    }
    return 0;
}

/* Appends the tasks that the list lacks. */
static int add_tasks(struct compare *compare, struct task_values *values, struct error *err)
{
    int most = compare->task_count + values->count, count = 0, i = 0, j = 0;
    char **tasks = calloc((size_t)most + 1, sizeof *tasks);
    /* marks the names in the list that are new copies */
    char **fresh = calloc((size_t)most + 1, sizeof *fresh);
    int *to = calloc((size_t)compare->task_count + 1, sizeof *to);
    int fresh_count = 0;
    int rc =
        tasks == NULL || fresh == NULL || to == NULL ? error_no_memory(err, "a comparison") : 0;

    while (rc == 0 && (i < compare->task_count || j < values->count)) {
        int order = i == compare->task_count ? 1
                    : j == values->count     ? -1
                                             : strcmp(compare->tasks[i], values->tasks[j]);

        if (order <= 0) {
            to[i] = count;
            tasks[count++] = compare->tasks[i++];
            j += order == 0;
        } else {
            fresh[fresh_count] = strdup(values->tasks[j++]);
            if (fresh[fresh_count] == NULL)
                rc = error_no_memory(err, "a comparison");
            else
                tasks[count++] = fresh[fresh_count++];
        }
    }
    if (rc == 0 && fresh_count > 0)
        rc = move_columns(compare, to, count, err);
    if (rc == 0) {
        free(compare->tasks);
        compare->tasks = tasks;
        compare->task_count = count;
        tasks = NULL;
    } else {
        for (i = 0; i < fresh_count; i++)
            free(fresh[i]);
    }
    free(tasks);
    free(fresh);
    free(to);
    return rc;
}

/* Where the outcomes of a row belong. */
struct seed_place {
    int cell; /* -1: nowhere */
    int seed; /* number in the cell */
};

/* Writes the outcomes of a seed. */
static void put_seed(struct compare *compare, const struct seed_place *place,
                     const struct task_values *values)
{
    size_t tasks = (size_t)compare->task_count;
    double *mine = compare->cells[place->cell].values + (size_t)place->seed * tasks;
    int j = 0;

    if (values->count == compare->task_count) { /* which has them all: the same */
        memcpy(mine, values->values, tasks * sizeof *mine);
        return;
    }
    for (int t = 0; t < compare->task_count && j < values->count; t++)
        if (strcmp(compare->tasks[t], values->tasks[j]) == 0)
            mine[t] = values->values[j++];
}

/* Computes each seed's mean over tasks, then mean and deviation over seeds. */
static int summarise(struct compare_cell *cell, int tasks, struct error *err)
{
    double *means = malloc((size_t)cell->seed_count * sizeof *means);

    if (means == NULL)
        return error_no_memory(err, "a comparison");
    for (int s = 0; s < cell->seed_count; s++) {
        double sum = 0;
        int count = 0;

        for (int t = 0; t < tasks; t++) {
            double value = cell->values[(size_t)s * (size_t)tasks + (size_t)t];

            if (!isnan(value)) {
                sum += value;
                count++;
            }
        }
        means[s] = count > 0 ? sum / count : (double)NAN;
    }
    cell->mean = statistics_mean(means, cell->seed_count);
    cell->deviation = statistics_deviation(means, cell->seed_count);
    cell->seed_means = means;
    return 0;
}

/* Makes the cells with their seeds, which have no outcomes yet. places: (rows). */
static int make_cells(struct compare *compare, struct seed_place *places, struct error *err)
{
    const struct results *results = compare->results;
    struct compare_cell *cell = NULL;

    for (int i = 0; i < results->row_count; i++) {
        const struct result_row *row = &results->rows[i];

        places[i] = (struct seed_place){ -1, 0 };
        if (strcmp(row->checkpoint, "last") != 0)
            continue;
        if (cell == NULL || cell->row->arm != row->arm ||
            strcmp(cell->row->evaluation, row->evaluation) != 0) {
            cell = &compare->cells[compare->cell_count++];
            *cell = (struct compare_cell){ .row = row };
        }
        places[i] = (struct seed_place){ compare->cell_count - 1, cell->seed_count++ };
    }
    for (int c = 0; c < compare->cell_count; c++) {
        size_t seeds = (size_t)compare->cells[c].seed_count;

        compare->cells[c].seeds = malloc(seeds * sizeof *compare->cells[c].seeds);
        /* tasks are added as they are met */
        compare->cells[c].values = malloc(sizeof *compare->cells[c].values);
        if (compare->cells[c].seeds == NULL || compare->cells[c].values == NULL)
            return error_no_memory(err, "a comparison");
    }
    for (int i = 0; i < results->row_count; i++)
        if (places[i].cell >= 0)
            compare->cells[places[i].cell].seeds[places[i].seed] = results->rows[i].seed;
    return 0;
}

/* Reads the outcomes of all cells. */
static int read_outcomes(struct compare *compare, const struct seed_place *places,
                         struct error *err)
{
    struct evaluation_rows rows;
    struct task_reader reader;
    struct task_values values = { 0 };
    int rc = evaluation_rows_init(&rows, compare->results, err);

    if (rc == 0)
        rc =
            task_reader_begin(&reader, compare->store, &rows.evaluations, compare->metric, err);
    while (rc == 0 && (rc = task_reader_step(&reader, &values, err)) > 0) {
        bool known = same_tasks(compare, &values);

        rc = 0;
        for (int i = rows.first[reader.place]; i < rows.first[reader.place + 1]; i++) {
            const struct seed_place *place = &places[rows.rows[i] - compare->results->rows];

            if (place->cell < 0)
                continue;
            if (!known)
                rc = add_tasks(compare, &values, err);
            if (rc < 0)
                break;
            known = true;
            put_seed(compare, place, &values);
        }
        if (rc < 0)
            task_reader_end(&reader);
    }
    task_values_release(&values);
    evaluation_rows_release(&rows);
    return rc;
}

/* Makes the cells, and reads their outcomes. */
static int load_cells(struct compare *compare, struct error *err)
{
    const struct results *results = compare->results;
    struct seed_place *places = malloc(((size_t)results->row_count + 1) * sizeof *places);
    int rc = places == NULL ? error_no_memory(err, "a comparison")
                            : make_cells(compare, places, err);

    if (rc == 0 && compare->cell_count == 0)
        rc = error_set(err, ERROR_ABSENT,
                       "experiment \"%s\" has no finished evaluation%s to compare (%d runs, %d "
                       "done)",
                       results->experiment, results_conditions(results), results->runs.total,
                       results->runs.of[RUN_DONE]);
    if (rc == 0)
        rc = read_outcomes(compare, places, err);
    free(places);
    return rc;
}

int compare_create(struct compare **out, struct store *store, const struct results *results,
                   enum metric metric, struct error *err)
{
    struct compare *compare = calloc(1, sizeof *compare);
    int rc;

    *out = NULL;
    if (compare != NULL)
        compare->cells = calloc((size_t)results->row_count + 1, sizeof *compare->cells);
    if (compare == NULL || compare->cells == NULL) {
        compare_destroy(compare);
        return error_no_memory(err, "a comparison");
    }
    compare->store = store;
    compare->results = results;
    compare->metric = METRICS[metric].paired != METRIC_COUNT ? METRICS[metric].paired : metric;
    rc = load_cells(compare, err);
    for (int i = 0; i < compare->cell_count && rc == 0; i++)
        rc = summarise(&compare->cells[i], compare->task_count, err);
    if (rc != 0) {
        compare_destroy(compare);
        return rc;
    }
    *out = compare;
    return 0;
}

void compare_describe_measure(char *text, size_t size, const struct compare *compare,
                              enum metric asked)
{
    const struct measure *used = &METRICS[compare->metric];

    text[0] = '\0';
    if (compare->metric != asked)
        snprintf(text, size,
                 "%s is a mean over rows, which are not recorded one by one; compared per task "
                 "is %s (%s)",
                 METRICS[asked].name, used->name, used->meaning);
}

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* The number of the seed in the cell; -1: it has none. near: where it may be. */
static int seed_index(const struct compare_cell *cell, int64_t seed, int near)
{
    if (near < cell->seed_count && cell->seeds[near] == seed)
        return near;
    const int64_t *found =
        bsearch(&seed, cell->seeds, (size_t)cell->seed_count, sizeof seed, compare_seeds);

    return found != NULL ? (int)(found - cell->seeds) : -1;
}

/* Writes the seeds that all of these cells have, ascending, to out, which has room
 * for the seeds of the first cell. Returns their number. *fewest: the smallest
 * number of seeds of a cell. */
static int common_seeds(int64_t *out, int *fewest, const struct compare *compare,
                        const struct contrast_term *terms, int count)
{
    const struct compare_cell *first = &compare->cells[terms[0].cell];
    int common = 0;

    *fewest = first->seed_count;
    for (int i = 1; i < count; i++)
        if (compare->cells[terms[i].cell].seed_count < *fewest)
            *fewest = compare->cells[terms[i].cell].seed_count;
    for (int s = 0; s < first->seed_count; s++) {
        bool everywhere = true;

        for (int i = 1; i < count && everywhere; i++)
            everywhere = seed_index(&compare->cells[terms[i].cell], first->seeds[s], s) >= 0;
        if (everywhere)
            out[common++] = first->seeds[s];
    }
    return common;
}

/* Fills a block of the estimate: the weighted sum of the terms, at the seeds that all
 * of them have. values: (seeds, tasks), owned by the caller. */
static int fill_block(struct statistics_block *block, double **values,
                      const struct compare *compare, const struct contrast_term *terms,
                      int count, const int64_t *seeds, int seed_count, struct error *err)
{
    size_t tasks = (size_t)compare->task_count;

    *values = calloc((size_t)seed_count * tasks + 1, sizeof **values);
    if (*values == NULL)
        return error_no_memory(err, "a comparison");
    for (int i = 0; i < count; i++) {
        const struct compare_cell *cell = &compare->cells[terms[i].cell];

        for (int s = 0; s < seed_count; s++) {
            const double *from = cell->values + (size_t)seed_index(cell, seeds[s], s) * tasks;

            for (size_t t = 0; t < tasks; t++)
                (*values)[(size_t)s * tasks + t] += terms[i].weight * from[t];
        }
    }
    *block = (struct statistics_block){ *values, seed_count };
    return 0;
}

/* Removes the tasks (columns) for which any block has a NaN. Returns the number of
 * tasks that remain. common (tasks): whether each task remains. */
static int keep_common_tasks(double **values, bool *common,
                             const struct statistics_block *blocks, int count, int tasks)
{
    int kept = 0;

    for (int t = 0; t < tasks; t++) {
        bool whole = true;

        for (int b = 0; b < count && whole; b++)
            for (int s = 0; s < blocks[b].seeds && whole; s++)
                whole = !isnan(values[b][(size_t)s * (size_t)tasks + (size_t)t]);
        common[t] = whole;
        if (!whole)
            continue;
        for (int b = 0; b < count; b++)
            for (int s = 0; s < blocks[b].seeds; s++)
                values[b][(size_t)s * (size_t)tasks + (size_t)kept] =
                    values[b][(size_t)s * (size_t)tasks + (size_t)t];
        kept++;
    }
    /* Rows become contiguous again. */
    for (int b = 0; b < count; b++)
        for (int s = 1; s < blocks[b].seeds; s++)
            memmove(values[b] + (size_t)s * (size_t)kept, values[b] + (size_t)s * (size_t)tasks,
                    (size_t)kept * sizeof **values);
    return kept;
}

/* Makes one block of all terms when seeds are paired, else one block per arm. terms are
 * sorted by arm. Returns the number of blocks or a negative error. */
static int make_blocks(struct statistics_block *blocks, double **values,
                       const struct compare *compare, const struct contrast_term *terms,
                       int count, bool paired, int64_t *seeds, struct error *err)
{
    int made = 0, start = 0, fewest;

    while (start < count) {
        int end = start + 1;

        while (end < count && (paired || compare->cells[terms[end].cell].row->arm ==
                                             compare->cells[terms[start].cell].row->arm))
            end++;
        int common = common_seeds(seeds, &fewest, compare, terms + start, end - start);

        if (common == 0)
            return error_set(
                err, ERROR_ABSENT,
                "the evaluations compared of arm \"%s\" have no seed in common",
                compare->results->arms[compare->cells[terms[start].cell].row->arm].label);
        int rc = fill_block(&blocks[made], &values[made], compare, terms + start, end - start,
                            seeds, common, err);

        if (rc != 0)
            return rc;
        made++;
        start = end;
    }
    return made;
}

static int compare_terms(const void *a, const void *b)
{
    const struct contrast_term *x = a, *y = b;

    return x->cell < y->cell ? -1 : x->cell > y->cell; /* cells are sorted by arm */
}

/* The mean of one seed of a cell over the common tasks; NaN: it has no value there. */
static double common_mean(const struct compare *compare, const struct compare_cell *cell,
                          int seed, const bool *common)
{
    const double *values = cell->values + (size_t)seed * (size_t)compare->task_count;
    double sum = 0;
    int count = 0;

    for (int t = 0; t < compare->task_count; t++)
        if (common[t] && !isnan(values[t])) {
            sum += values[t];
            count++;
        }
    return count > 0 ? sum / count : (double)NAN;
}

/* Computes the means of both sides over the common tasks and the compared seeds (NULL:
 * all seeds of a cell), so that their difference is the estimate. */
static void add_means(struct comparison *out, const struct compare *compare,
                      const struct contrast_term *terms, int count, const int64_t *seeds,
                      int seed_count, const bool *common)
{
    for (int i = 0; i < count; i++) {
        const struct compare_cell *cell = &compare->cells[terms[i].cell];
        int used = seeds != NULL ? seed_count : cell->seed_count;
        double mean = 0;

        for (int s = 0; s < used; s++)
            mean += common_mean(compare, cell,
                                seeds != NULL ? seed_index(cell, seeds[s], s) : s, common) /
                    used;
        *(terms[i].weight > 0 ? &out->other_mean : &out->base_mean) +=
            fabs(terms[i].weight) * mean;
        *(terms[i].weight > 0 ? &out->other_floor : &out->base_floor) +=
            fabs(terms[i].weight) *
            (compare->baselines == NULL
                 ? (double)NAN
                 : baseline_floor(baselines_of(compare->baselines, cell->row),
                                  compare->metric));
    }
}

/* Notes the lengths of the trainings compared. */
static void note_steps(struct comparison *out, const struct compare *compare,
                       const struct contrast_term *terms, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t steps = compare->cells[terms[i].cell].row->total_steps;

        out->least_steps = i == 0 || steps < out->least_steps ? steps : out->least_steps;
        out->most_steps = steps > out->most_steps ? steps : out->most_steps;
    }
}

/* The number of tasks that some of the cells have, but that are not common to all. */
static int count_left_out(const struct compare *compare, const struct contrast_term *terms,
                          int count, const bool *common)
{
    int left_out = 0;

    for (int t = 0; t < compare->task_count; t++) {
        bool known = false;

        for (int i = 0; i < count && !known && !common[t]; i++) {
            const struct compare_cell *cell = &compare->cells[terms[i].cell];

            for (int s = 0; s < cell->seed_count && !known; s++)
                known =
                    !isnan(cell->values[(size_t)s * (size_t)compare->task_count + (size_t)t]);
        }
        left_out += known;
    }
    return left_out;
}

/* Fills everything but the texts of *out. terms are sorted by arm. */
static int estimate_contrast(struct comparison *out, const struct compare *compare,
                             const struct contrast_term *terms, int count, struct error *err)
{
    int most = 1, fewest, rc;
    double **values = calloc((size_t)count, sizeof *values);
    struct statistics_block *blocks = calloc((size_t)count, sizeof *blocks);

    for (int i = 0; i < count; i++)
        if (compare->cells[terms[i].cell].seed_count > most)
            most = compare->cells[terms[i].cell].seed_count;
    int64_t *seeds = calloc((size_t)most, sizeof *seeds);
    bool *in_common = calloc((size_t)compare->task_count + 1, sizeof *in_common);

    if (values == NULL || blocks == NULL || seeds == NULL || in_common == NULL) {
        rc = error_no_memory(err, "a comparison");
        goto out;
    }
    int common = common_seeds(seeds, &fewest, compare, terms, count);

    note_steps(out, compare, terms, count);
    out->paired_by_seed = common > 0 && (common >= STATISTICS_LEAST_SEEDS || common == fewest);
    rc = make_blocks(blocks, values, compare, terms, count, out->paired_by_seed, seeds, err);
    if (rc < 0)
        goto out;
    int made = rc;

    /* Without pairing, the means are over all seeds of each cell. */
    const int64_t *compared = out->paired_by_seed ? seeds : NULL;
    int tasks = keep_common_tasks(values, in_common, blocks, made, compare->task_count);

    add_means(out, compare, terms, count, compared, common, in_common);
    rc = 0;
    out->left_out = count_left_out(compare, terms, count, in_common);
    if (tasks == 0)
        rc = error_set(err, ERROR_ABSENT, "%s: the evaluations compared have no task in common",
                       out->label);
    else if (statistics_estimate(&out->estimate, blocks, made, tasks) != 0)
        rc = error_no_memory(err, "a comparison");
out:
    for (int i = 0; values != NULL && i < count; i++)
        free(values[i]);
    free(values);
    free(blocks);
    free(seeds);
    free(in_common);
    return rc;
}

int compare_add(struct comparison_list *list, const struct compare *compare,
                enum comparison_kind kind, const char *group, const char *label,
                const struct contrast_term *terms, int count, struct comparison **added,
                struct error *err)
{
    struct comparison *items =
        realloc(list->items, ((size_t)list->count + 1) * sizeof *list->items);
    struct contrast_term *sorted = calloc((size_t)count, sizeof *sorted);
    double positive = 0, negative = 0;
    int rc;

    if (items != NULL)
        list->items = items;
    if (items == NULL || sorted == NULL) {
        free(sorted);
        return error_no_memory(err, "a comparison");
    }
    struct comparison *item = &items[list->count];

    *item = (struct comparison){ .kind = kind, .p_holm = (double)NAN };
    item->group = strdup(group);
    item->label = strdup(label);
    memcpy(sorted, terms, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_terms);
    rc = item->group == NULL || item->label == NULL
             ? error_no_memory(err, "a comparison")
             : estimate_contrast(item, compare, sorted, count, err);
    for (int i = 0; i < count; i++)
        *(terms[i].weight > 0 ? &positive : &negative) += fabs(terms[i].weight);
    if (fabs(positive - 1) > 1e-9 || fabs(negative - 1) > 1e-9)
        item->base_mean = item->other_mean = item->base_floor = item->other_floor = (double)NAN;
    free(sorted);
    if (rc != 0) {
        free(item->group);
        free(item->label);
        return rc;
    }
    list->count++;
    if (added != NULL)
        *added = item;
    return 0;
}

int compare_add_possible(struct comparison_list *list, const struct compare *compare,
                         enum comparison_kind kind, const char *group, const char *label,
                         const struct contrast_term *terms, int count,
                         struct comparison **added, struct error *err)
{
    struct error why = { 0 };

    if (added != NULL)
        *added = NULL;
    int rc = compare_add(list, compare, kind, group, label, terms, count, added, &why);

    if (rc == ERROR_ABSENT) {
        list->impossible++;
        return 0;
    }
    if (rc != 0)
        *err = why;
    return rc;
}

int comparison_list_correct(struct comparison_list *list, struct error *err)
{
    double *p = calloc((size_t)list->count + 1, sizeof *p);
    int rc = p == NULL ? error_no_memory(err, "a comparison") : 0;

    for (int i = 0; i < list->count && rc == 0; i++)
        p[i] = list->items[i].estimate.p;
    if (rc == 0 && statistics_holm(p, p, list->count) != 0)
        rc = error_no_memory(err, "a comparison");
    for (int i = 0; i < list->count && rc == 0; i++)
        list->items[i].p_holm = p[i];
    free(p);
    return rc;
}

void comparison_list_release(struct comparison_list *list)
{
    for (int i = 0; i < list->count; i++) {
        free(list->items[i].group);
        free(list->items[i].label);
    }
    free(list->items);
    *list = (struct comparison_list){ 0 };
}

double baseline_floor(const struct baseline *baseline, enum metric metric)
{
    if (baseline == NULL || METRICS[metric].better != MEASURE_HIGHER)
        return (double)NAN;
    double copy = baseline->copy[metric], untrained = baseline->untrained[metric];

    return isnan(copy) || untrained > copy ? untrained : copy;
}

void comparison_list_judge(struct comparison_list *list)
{
    /* comparisons with NaN (an unknown mean or floor) are false */
    for (int i = 0; i < list->count; i++) {
        struct comparison *item = &list->items[i];

        item->uninformative =
            item->base_mean <= item->base_floor && item->other_mean <= item->other_floor;
    }
}

/* Whether a sum of shares such as 1/3 is 0 up to rounding. */
static bool is_zero(double value)
{
    return fabs(value) < 1e-12;
}

enum verdict comparison_verdict(const struct comparison *comparison)
{
    const struct estimate *e = &comparison->estimate;

    if (is_zero(e->value) && (is_zero(e->standard_error) || isnan(e->low)))
        return VERDICT_EQUAL;
    if (comparison->uninformative)
        return VERDICT_NO_INFORMATION;
    if (isnan(e->p) || !(comparison->p_holm < LEVEL) || (e->low <= 0 && e->high >= 0))
        return VERDICT_INCONCLUSIVE;
    return e->value > 0 ? VERDICT_HIGHER : VERDICT_LOWER;
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const NAMES[] = { [VERDICT_INCONCLUSIVE] = "inconclusive",
                                         [VERDICT_HIGHER] = "higher",
                                         [VERDICT_LOWER] = "lower",
                                         [VERDICT_EQUAL] = "equal",
                                         [VERDICT_NO_INFORMATION] = "no information" };

    return NAMES[verdict];
}
