/* data_set.c - rows, groups and answers made from tasks and variants on the fly. */
#include "data_set.h"

#include "augmentation.h"
#include "canvas.h"
#include "data_source.h"
#include "error.h"
#include "sudoku.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LABEL = -100 };

/* The variants of a task, the original (number 0) not stored. */
struct variants {
    int count;                     /* the original included */
    struct variant *arc;           /* owned */
    struct sudoku_shuffle *sudoku; /* owned */
};

/* The rows of a split: tasks in order, of each all variants, of each all its pairs. */
struct split {
    int *tasks; /* owned: index into source.tasks */
    int count;
    int *row_start; /* owned: (count + 1) */
};

struct data_set {
    struct data_source source;
    struct data_info info;
    struct variants *variants; /* owned: per task */
    int *identifier;           /* owned: per task, that of the original */
    struct split splits[2];    /* SPLIT_TRAIN: the groups */
    bool translation;
    int side;
};

static const struct arc_task *task_at(const struct data_set *set, int task)
{
    return &set->source.tasks.tasks[task];
}

static const struct arc_task *split_task(const struct data_set *set, enum data_split split,
                                         int task)
{
    assert(task >= 0 && task < set->splits[split].count);
    return task_at(set, set->splits[split].tasks[task]);
}

/* Pairs trained on: demonstrations, and the known tests of training tasks. */
static int training_pairs(const struct arc_task *task)
{
    int count = task->demonstrations;

    for (int i = 0; !task->evaluation && i < task->tests; i++)
        count += task->pairs[task->demonstrations + i].has_output;
    return count;
}

static const struct arc_pair *training_pair(const struct arc_task *task, int pair)
{
    for (int i = 0; i < task->demonstrations + task->tests; i++)
        if (task->pairs[i].has_output && pair-- == 0)
            return &task->pairs[i];
    assert(false && "no such pair");
    return NULL;
}

/* Pairs of a task in a split. */
static int split_pairs(enum data_split split, const struct arc_task *task)
{
    return split == SPLIT_TEST ? task->tests : training_pairs(task);
}

static const struct arc_pair *split_pair(enum data_split split, const struct arc_task *task,
                                         int pair)
{
    return split == SPLIT_TEST ? &task->pairs[task->demonstrations + pair]
                               : training_pair(task, pair);
}

/* Sudoku is tested unshuffled. */
static int split_variants(const struct data_set *set, enum data_split split, int task_index)
{
    return set->source.sudoku && split == SPLIT_TEST ? 1 : set->variants[task_index].count;
}

static int draw_variants(struct data_set *set, int task_index, const struct config *config,
                         struct error *err)
{
    const struct arc_task *task = task_at(set, task_index);
    struct variants *variants = &set->variants[task_index];
    int wanted = (int)config_int(config, DATA_NUM_AUG);
    /* By the task's name, so that a task's variants do not depend on the other tasks. */
    struct random_stream stream =
        random_stream((uint64_t)config_int(config, TRAIN_SEED), "augmentation",
                      hash_xxh3(task->name, strlen(task->name)));

    variants->count = 1;
    if (wanted == 0)
        return 0;
    if (set->source.sudoku) {
        variants->sudoku = calloc((size_t)wanted, sizeof *variants->sudoku);
        if (variants->sudoku == NULL)
            return error_no_memory(err, "the data set");
        for (int i = 0; i < wanted; i++)
            sudoku_shuffle_draw(&variants->sudoku[i], set->side, &stream);
        variants->count += wanted;
        return 0;
    }
    variants->arc = calloc((size_t)wanted, sizeof *variants->arc);
    int drawn = variants->arc == NULL ? ERROR_NOMEM
                                      : augmentation_draw(variants->arc, task, wanted, &stream);
    if (drawn < 0)
        return error_no_memory(err, "the data set");
    variants->count += drawn;
    return 0;
}

static int lay_split(struct data_set *set, enum data_split split, struct error *err)
{
    struct split *s = &set->splits[split];
    int count = set->source.tasks.count, rows = 0;

    s->tasks = calloc((size_t)count, sizeof *s->tasks);
    s->row_start = calloc((size_t)count + 1, sizeof *s->row_start);
    if (s->tasks == NULL || s->row_start == NULL)
        return error_no_memory(err, "the data set");
    for (int i = 0; i < count; i++) {
        const struct arc_task *task = task_at(set, i);
        int pairs = split_pairs(split, task);
        if (pairs == 0 || (split == SPLIT_TEST && !task->evaluation))
            continue;
        s->row_start[s->count] = rows;
        s->tasks[s->count++] = i;
        rows += split_variants(set, split, i) * pairs;
    }
    s->row_start[s->count] = rows;
    return 0;
}

static void count_up(struct data_set *set)
{
    struct data_info *info = &set->info;
    int identifiers = 1;

    for (int i = 0; i < set->source.tasks.count; i++) {
        const struct arc_task *task = task_at(set, i);
        info->tasks_training += !task->evaluation;
        info->tasks_evaluation += task->evaluation;
        set->identifier[i] = set->source.sudoku ? 0 : identifiers;
        identifiers += set->source.sudoku ? 0 : set->variants[i].count;
    }
    info->num_puzzle_identifiers = identifiers;
    const struct split *groups = &set->splits[SPLIT_TRAIN];
    info->groups = groups->count;
    for (int g = 0; g < groups->count; g++)
        info->puzzles += set->variants[groups->tasks[g]].count;
    info->examples = groups->row_start[groups->count];
    info->train_rows = info->examples;
    info->test_rows = set->splits[SPLIT_TEST].row_start[set->splits[SPLIT_TEST].count];
    info->mean_puzzle_examples = (double)info->examples / info->puzzles;
}

static int prepare(struct data_set *set, const struct config *config, bool with_variants,
                   struct error *err)
{
    struct data_info *info = &set->info;
    size_t count = (size_t)set->source.tasks.count;
    int rc = 0;

    info->source = set->source.text;
    info->left_out = set->source.left_out;
    info->is_arc = !set->source.sudoku;
    info->inputs = set->source.tasks.inputs;
    info->input_count = set->source.tasks.input_count;
    set->side = (int)config_int(config, set->source.sudoku ? DATA_SUDOKU_SIDE : DATA_CANVAS);
    set->translation = config_bool(config, DATA_TRANSLATION);
    info->canvas = set->side;
    info->seq_len = set->side * set->side;
    info->vocab_size = set->source.sudoku ? set->side + 2 : ARC_VOCABULARY;
    set->variants = calloc(count, sizeof *set->variants);
    set->identifier = calloc(count, sizeof *set->identifier);
    if (set->variants == NULL || set->identifier == NULL)
        return error_no_memory(err, "the data set");
    for (int i = 0; i < set->source.tasks.count && rc == 0; i++) {
        if (with_variants)
            rc = draw_variants(set, i, config, err);
        else
            set->variants[i].count = 1 + (int)config_int(config, DATA_NUM_AUG);
    }
    for (int split = 0; split < 2 && rc == 0; split++)
        rc = lay_split(set, (enum data_split)split, err);
    if (rc == 0 && set->splits[SPLIT_TRAIN].count == 0)
        rc = error_set(err, ERROR_FORMAT, "the data hold no pair to train on");
    if (rc == 0)
        count_up(set);
    return rc;
}

int data_set_open(struct data_set **out, const struct config *config, bool with_variants,
                  struct error *err)
{
    struct data_set *set = calloc(1, sizeof *set);
    int rc;

    *out = NULL;
    if (set == NULL)
        return error_no_memory(err, "the data set");
    rc = data_source_read(&set->source, config, err);
    if (rc == 0)
        rc = prepare(set, config, with_variants, err);
    if (rc < 0) {
        data_set_close(set);
        return rc;
    }
    *out = set;
    return 0;
}

void data_set_close(struct data_set *set)
{
    if (set == NULL)
        return;
    for (int i = 0; set->variants != NULL && i < set->source.tasks.count; i++) {
        free(set->variants[i].arc);
        free(set->variants[i].sudoku);
    }
    for (int split = 0; split < 2; split++) {
        free(set->splits[split].tasks);
        free(set->splits[split].row_start);
    }
    free(set->variants);
    free(set->identifier);
    data_source_release(&set->source);
    free(set);
}

const struct data_info *data_set_info(const struct data_set *set)
{
    return &set->info;
}

const char *data_set_hash(const struct data_set *set)
{
    return set->source.hash;
}

int data_set_group_variants(const struct data_set *set, int group)
{
    return set->variants[set->splits[SPLIT_TRAIN].tasks[group]].count;
}

int data_set_group_pairs(const struct data_set *set, int group)
{
    return training_pairs(split_task(set, SPLIT_TRAIN, group));
}

/* A grid as the model sees it in this variant. */
static void vary(const struct data_set *set, struct grid *out, const struct grid *in,
                 int task_index, int variant)
{
    const struct variants *variants = &set->variants[task_index];

    assert(variant >= 0 && variant < variants->count);
    if (variant == 0) {
        *out = *in;
    } else if (set->source.sudoku) {
        out->rows = in->rows;
        out->columns = in->columns;
        sudoku_shuffle_apply(out->cells, in->cells, set->side, &variants->sudoku[variant - 1]);
    } else {
        variant_apply(out, in, &variants->arc[variant - 1]);
    }
}

/* Labels of PAD count nowhere. */
static void mask_labels(int32_t *labels, int count)
{
    for (int i = 0; i < count; i++)
        if (labels[i] == TOKEN_PAD)
            labels[i] = NO_LABEL;
}

static void sudoku_tokens(int32_t *tokens, const struct grid *grid)
{
    for (int i = 0; i < grid->rows * grid->columns; i++)
        tokens[i] = 1 + grid->cells[i];
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Writes a pair as tokens; offsets drawn from stream unless it is NULL. */
static void write_row(const struct data_set *set, const struct arc_pair *pair, int task_index,
                      int variant, struct random_stream *stream, int32_t *inputs,
                      int32_t *labels)
{
    struct grid input, output = { 0 };
    int row = 0, column = 0;

    vary(set, &input, &pair->input, task_index, variant);
    if (pair->has_output)
        vary(set, &output, &pair->output, task_index, variant);
    if (set->source.sudoku) {
        sudoku_tokens(inputs, &input);
        sudoku_tokens(labels, &output);
        return;
    }
    if (stream != NULL) {
        int rows = larger(input.rows, output.rows);
        int columns = larger(input.columns, output.columns);
        row = (int)random_below(stream, (uint64_t)(set->side - rows + 1));
        column = (int)random_below(stream, (uint64_t)(set->side - columns + 1));
    }
    canvas_place(inputs, &input, row, column, set->side);
    canvas_place(labels, &output, row, column, set->side);
    if (!pair->has_output) /* an empty grid would have left nothing but PAD anyway */
        memset(labels, 0, (size_t)set->info.seq_len * sizeof *labels);
    mask_labels(labels, set->info.seq_len);
}

static int32_t identifier(const struct data_set *set, int task_index, int variant)
{
    return set->source.sudoku ? 0 : set->identifier[task_index] + variant;
}

void data_set_training_row(const struct data_set *set, int group, int variant, int pair,
                           bool fixed, struct random_stream *stream, int32_t *inputs,
                           int32_t *labels, int32_t *puzzle_identifier)
{
    int task_index = set->splits[SPLIT_TRAIN].tasks[group];

    write_row(set, training_pair(task_at(set, task_index), pair), task_index, variant,
              fixed || !set->translation ? NULL : stream, inputs, labels);
    *puzzle_identifier = identifier(set, task_index, variant);
}

int data_set_row_count(const struct data_set *set, enum data_split split)
{
    return set->splits[split].row_start[set->splits[split].count];
}

/* Where row lies: task of the split, variant, pair. */
static struct data_row locate(const struct data_set *set, enum data_split split, int row)
{
    const struct split *s = &set->splits[split];
    int low = 0, high = s->count;

    assert(row >= 0 && row < s->row_start[s->count]);
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (s->row_start[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    int pairs = split_pairs(split, task_at(set, s->tasks[low]));
    int within = row - s->row_start[low];
    return (struct data_row){ .task = low,
                              .variant = within / pairs,
                              .test_index = within % pairs };
}

void data_set_row(const struct data_set *set, enum data_split split, int row,
                  struct data_row *meta, int32_t *inputs, int32_t *labels,
                  int32_t *puzzle_identifier)
{
    struct data_row place = locate(set, split, row);
    int task_index = set->splits[split].tasks[place.task];

    write_row(set, split_pair(split, task_at(set, task_index), place.test_index), task_index,
              place.variant, NULL, inputs, labels);
    *puzzle_identifier = identifier(set, task_index, place.variant);
    if (meta != NULL)
        *meta = place;
}

int data_set_task_count(const struct data_set *set, enum data_split split)
{
    return set->splits[split].count;
}

const char *data_set_task_name(const struct data_set *set, enum data_split split, int task)
{
    return split_task(set, split, task)->name;
}

int data_set_task_tests(const struct data_set *set, enum data_split split, int task)
{
    return split_pairs(split, split_task(set, split, task));
}

int data_set_task_variants(const struct data_set *set, enum data_split split, int task)
{
    return split_variants(set, split, set->splits[split].tasks[task]);
}

const struct grid *data_set_test_input(const struct data_set *set, enum data_split split,
                                       int task, int test)
{
    return &split_pair(split, split_task(set, split, task), test)->input;
}

const struct grid *data_set_solution(const struct data_set *set, enum data_split split,
                                     int task, int test)
{
    const struct arc_pair *pair = split_pair(split, split_task(set, split, task), test);

    return pair->has_output ? &pair->output : NULL;
}

/* The inverse of sudoku_shuffle_apply(); cells that are no digits stay what they are. */
static void sudoku_undo(struct grid *out, const struct grid *in, int side,
                        const struct sudoku_shuffle *shuffle)
{
    uint8_t inverse[10] = { 0 };

    for (int digit = 0; digit <= side; digit++)
        inverse[shuffle->map[digit]] = (uint8_t)digit;
    *out = *in;
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++) {
            uint8_t cell = in->cells[i * side + j];
            int r = shuffle->row[i], c = shuffle->column[j];
            int at = shuffle->transpose ? c * side + r : r * side + c;
            out->cells[at] = cell <= side ? inverse[cell] : cell;
        }
}

void data_set_answer(const struct data_set *set, enum data_split split, int row,
                     const int32_t *predictions, struct grid *out)
{
    struct data_row place = locate(set, split, row);
    const struct variants *variants = &set->variants[set->splits[split].tasks[place.task]];
    struct grid cropped = { 0 };

    if (set->source.sudoku) { /* the whole grid; PAD, which is no digit, becomes 255 */
        cropped.rows = cropped.columns = (uint8_t)set->side;
        for (int i = 0; i < set->info.seq_len; i++)
            cropped.cells[i] = (uint8_t)(predictions[i] - 1);
        if (place.variant == 0)
            *out = cropped;
        else
            sudoku_undo(out, &cropped, set->side, &variants->sudoku[place.variant - 1]);
        return;
    }
    canvas_crop(&cropped, predictions, set->side);
    if (place.variant == 0)
        *out = cropped;
    else
        variant_undo(out, &cropped, &variants->arc[place.variant - 1]);
}
