/* data_set.c - makes rows, groups and answers from tasks and variants on demand. */
#include "data_set_internal.h"

#include "context_check.h"
#include "error.h"
#include "work.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct data_task data_set_task_at(const struct data_set *set, int index)
{
    struct data_task task;

    set->source.kind->task(set->source.content, index, &task);
    return task;
}

/* The task's index in the source. */
static int split_task(const struct data_set *set, enum data_split split, int task)
{
    assert(task >= 0 && task < set->splits[split].count);
    return set->splits[split].tasks[task];
}

/* The range of a task's pairs that a split uses: the tests; or the demonstrations,
 * plus the tests of training tasks. Returns its length, *first its start. */
static int split_range(enum data_split split, const struct data_task *task, int *first)
{
    *first = split == SPLIT_TEST ? task->demonstrations : 0;
    if (split == SPLIT_TEST)
        return task->tests;
    return !task->trained     ? 0
           : task->evaluation ? task->demonstrations
                              : task->demonstrations + task->tests;
}

/* Number of pairs of a task in a split. Pairs that are trained on must have an
 * output. */
static int split_pairs(const struct data_set *set, enum data_split split, int index)
{
    struct data_task task = data_set_task_at(set, index);
    int first, range = split_range(split, &task, &first), count = 0;

    if (split == SPLIT_TEST || task.demonstrations >= range)
        return range;
    for (int i = 0; i < range; i++)
        count += set->source.kind->pair(set->source.content, index, i, NULL, NULL);
    return count;
}

/* The number of a split's pair among the task's pairs. */
static int pair_number(const struct data_set *set, enum data_split split, int index, int pair)
{
    const struct data_source *source = &set->source;
    struct data_task task = data_set_task_at(set, index);
    int first, range = split_range(split, &task, &first), at = 0;

    if (split == SPLIT_TEST)
        at = pair;
    else /* hidden tests are skipped */
        while (!source->kind->pair(source->content, index, at, NULL, NULL) || pair-- > 0)
            at++;
    assert(at < range);
    return first + at;
}

/* Such a pair; returns whether its output is known. Grids may be NULL. */
static bool split_pair(const struct data_set *set, enum data_split split, int index, int pair,
                       struct grid *input, struct grid *output)
{
    return set->source.kind->pair(set->source.content, index,
                                  pair_number(set, split, index, pair), input, output);
}

static int split_variants(const struct data_set *set, enum data_split split, int task_index)
{
    return split == SPLIT_TEST && !set->source.kind->tests_variants
               ? 1
               : set->variants[task_index].count;
}

/* Number of variants to draw besides the original. A task that is only tested
 * without variants has none. */
static int wanted_variants(const struct data_set *set, int task_index,
                           const struct config *config)
{
    const struct data_kind *kind = set->source.kind;

    if (kind->variant_count != NULL)
        return kind->variant_count(set->source.content, task_index) - 1;
    return kind->tests_variants || split_pairs(set, SPLIT_TRAIN, task_index) > 0
               ? (int)config_int(config, DATA_NUM_AUG)
               : 0;
}

static int draw_variants(struct data_set *set, int task_index, const struct config *config,
                         struct error *err)
{
    const struct data_kind *kind = set->source.kind;
    struct variants *variants = &set->variants[task_index];
    int wanted = wanted_variants(set, task_index, config);
    char name[DATA_NAME_SIZE];

    variants->count = 1;
    if (wanted == 0)
        return 0;
    /* The stream is named by the task's name, so that its variants do not depend on
     * the other tasks. */
    kind->task_name(set->source.content, task_index, name);
    struct random_stream stream =
        random_stream(config_data_seed(config), "augmentation", hash_xxh3(name, strlen(name)));
    variants->drawn = calloc((size_t)wanted, kind->variant_size);
    int drawn = variants->drawn == NULL ? ERROR_NOMEM
                                        : kind->draw(variants->drawn, set->source.content,
                                                     task_index, wanted, &stream);
    if (drawn < 0)
        return error_no_memory(err, "the data set");
    variants->count += drawn;
    return 0;
}

static const void *variant_at(const struct variants *variants, const struct data_kind *kind,
                              int variant)
{
    assert(variant > 0 && variant < variants->count);
    return (const char *)variants->drawn + (size_t)(variant - 1) * kind->variant_size;
}

static int lay_split(struct data_set *set, enum data_split split, struct error *err)
{
    struct split *s = &set->splits[split];
    int count = set->source.task_count;
    int64_t rows = 0;

    s->tasks = calloc((size_t)count, sizeof *s->tasks);
    s->row_start = calloc((size_t)count + 1, sizeof *s->row_start);
    if (s->tasks == NULL || s->row_start == NULL)
        return error_no_memory(err, "the data set");
    for (int i = 0; i < count; i++) {
        int pairs = split_pairs(set, split, i);
        if (pairs == 0 || (split == SPLIT_TEST && !data_set_task_at(set, i).evaluation))
            continue;
        s->row_start[s->count] = (int)rows;
        s->tasks[s->count++] = i;
        rows += (int64_t)split_variants(set, split, i) * pairs;
        if (rows > INT_MAX)
            return error_set(err, ERROR_FORMAT,
                             "data.num_aug: more than %d rows of data; lower it, or choose "
                             "fewer tasks",
                             INT_MAX);
    }
    s->row_start[s->count] = (int)rows;
    return 0;
}

static void count_up(struct data_set *set)
{
    struct data_info *info = &set->info;
    const struct split *groups = &set->splits[SPLIT_TRAIN];
    bool own = set->source.kind->has_identifiers;
    int identifiers = 1;

    for (int i = 0; i < set->source.task_count; i++) {
        struct data_task task = data_set_task_at(set, i);
        info->tasks_training += !task.evaluation;
        info->tasks_evaluation += task.evaluation;
        set->identifier[i] = own ? identifiers : 0;
        identifiers += own ? set->variants[i].count : 0;
        if (set->variants[i].count > info->most_variants)
            info->most_variants = set->variants[i].count;
        if (set->source.kind->has_context && task.demonstrations > info->most_demonstrations)
            info->most_demonstrations = task.demonstrations;
    }
    info->num_puzzle_identifiers =
        set->source.identifiers > 0 ? set->source.identifiers : identifiers;
    info->groups = groups->count;
    for (int g = 0; g < groups->count; g++) {
        info->puzzles += set->variants[groups->tasks[g]].count;
        info->epoch_examples += split_pairs(set, SPLIT_TRAIN, groups->tasks[g]);
    }
    info->examples = groups->row_start[groups->count];
    info->train_rows = info->examples;
    info->test_rows = set->splits[SPLIT_TEST].row_start[set->splits[SPLIT_TEST].count];
    info->mean_puzzle_examples = (double)info->examples / info->puzzles;
}

/* Fills the facts that need no counting. */
static void describe_source(struct data_set *set)
{
    const struct data_source *source = &set->source;
    struct data_info *info = &set->info;

    info->source = source->text;
    info->counts = source->counts;
    info->left_out = source->left_out;
    info->leaked = source->leaked;
    info->submits = source->kind->submits;
    info->unknown_variants =
        source->kind->knows_variants != NULL && !source->kind->knows_variants(source->content);
    info->files = source->files.files;
    info->file_count = source->files.count;
    info->canvas = source->side;
    info->seq_len = source->side * source->side;
    info->vocab_size = source->kind->vocabulary(source->side);
}

static int prepare(struct data_set *set, const struct config *config, bool with_variants,
                   struct error *err)
{
    size_t count = (size_t)set->source.task_count;
    int rc = 0;

    describe_source(set);
    set->translation = config_bool(config, DATA_TRANSLATION);
    set->context_pairs = config_context_pairs(config);
    set->padded = config_conditioning(config) == CONDITIONING_PADDED_ID;
    set->seed = config_data_seed(config);
    set->variants = calloc(count, sizeof *set->variants);
    set->identifier = calloc(count, sizeof *set->identifier);
    if (set->variants == NULL || set->identifier == NULL)
        return error_no_memory(err, "the data set");
    for (int i = 0; i < set->source.task_count && rc == 0; i++) {
        if (with_variants)
            rc = draw_variants(set, i, config, err);
        else
            set->variants[i].count = 1 + wanted_variants(set, i, config);
        if (rc == 0)
            rc = work_done(1, err);
    }
    for (int split = 0; split < 2 && rc == 0; split++)
        rc = lay_split(set, (enum data_split)split, err);
    if (rc == 0 && set->splits[SPLIT_TRAIN].count == 0)
        rc = error_set(err, ERROR_FORMAT, "the data hold no pair to train on");
    if (rc == 0)
        count_up(set);
    if (rc == 0 && config_text(config, DATA_BATCH_ORDER)[0] != '\0')
        rc = batch_order_open(&set->order, config_text(config, DATA_BATCH_ORDER),
                              set->info.examples, err);
    set->info.order_steps = set->order.steps;
    set->info.order_rows = set->order.rows;
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
    if (rc == 0)
        rc = context_check(&set->info, config, err);
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
    for (int i = 0; set->variants != NULL && i < set->source.task_count; i++)
        free(set->variants[i].drawn);
    for (int split = 0; split < 2; split++) {
        free(set->splits[split].tasks);
        free(set->splits[split].row_start);
    }
    free(set->variants);
    free(set->identifier);
    batch_order_close(&set->order);
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

double data_set_variant_bytes(const struct data_set *set)
{
    double bytes = 0;

    for (int i = 0; i < set->source.task_count; i++)
        bytes += (double)(set->variants[i].count - 1) * (double)set->source.kind->variant_size;
    return bytes;
}

int data_set_group_variants(const struct data_set *set, int group)
{
    return set->variants[set->splits[SPLIT_TRAIN].tasks[group]].count;
}

int data_set_group_pairs(const struct data_set *set, int group)
{
    return split_pairs(set, SPLIT_TRAIN, split_task(set, SPLIT_TRAIN, group));
}

void data_set_write_pair(const struct data_set *set, int task_index, int variant, int pair,
                         struct random_stream *stream, int32_t *inputs, int32_t *labels)
{
    const struct data_kind *kind = set->source.kind;
    struct grid input, output, input_variant, output_variant;

    if (!kind->pair(set->source.content, task_index, pair, &input, &output))
        output.rows = output.columns = 0;
    if (variant == 0) {
        kind->tokens(inputs, labels, &input, &output, set->source.side, stream);
        return;
    }
    const void *drawn = variant_at(&set->variants[task_index], kind, variant);
    kind->apply(&input_variant, &input, drawn);
    kind->apply(&output_variant, &output, drawn);
    kind->tokens(inputs, labels, &input_variant, &output_variant, set->source.side, stream);
}

/* Writes a pair of a split as tokens; its offset is drawn from stream unless that is
 * NULL. */
static void write_row(const struct data_set *set, enum data_split split, int task_index,
                      int variant, int pair, struct random_stream *stream, int32_t *inputs,
                      int32_t *labels, int32_t *identifier)
{
    const struct data_kind *kind = set->source.kind;

    if (kind->row != NULL) {
        kind->row(set->source.content, task_index, variant, pair, inputs, labels, identifier);
        return;
    }
    *identifier = kind->has_identifiers ? set->identifier[task_index] + variant : 0;
    data_set_write_pair(set, task_index, variant, pair_number(set, split, task_index, pair),
                        stream, inputs, labels);
}

int data_set_row_count(const struct data_set *set, enum data_split split)
{
    return set->splits[split].row_start[set->splits[split].count];
}

struct data_row data_set_locate(const struct data_set *set, enum data_split split, int row)
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
    int pairs = split_pairs(set, split, s->tasks[low]);
    int within = row - s->row_start[low];

    assert(pairs > 0);
    return (struct data_row){ .task = low,
                              .variant = within / pairs,
                              .test_index = within % pairs };
}

void data_set_row(const struct data_set *set, enum data_split split, int row,
                  struct data_row *meta, int32_t *inputs, int32_t *labels,
                  int32_t *puzzle_identifier)
{
    struct data_row place = data_set_locate(set, split, row);
    int task_index = set->splits[split].tasks[place.task];

    write_row(set, split, task_index, place.variant, place.test_index, NULL, inputs, labels,
              puzzle_identifier);
    if (meta != NULL)
        *meta = place;
}

int data_set_example_number(const struct data_set *set, int group, int variant, int pair)
{
    return set->splits[SPLIT_TRAIN].row_start[group] +
           variant * data_set_group_pairs(set, group) + pair;
}

/* Stream for the offsets of a variant's pairs and, with pair -1, for which pair
 * stays at (0, 0). It does not depend on the epoch: published data sets are written
 * once, too. */
static struct random_stream offset_stream(const struct data_set *set, int group, int variant,
                                          int pair)
{
    uint64_t name[3] = { (uint64_t)group, (uint64_t)variant, (uint64_t)(pair + 1) };

    return random_stream(set->seed, "offset", hash_xxh3(name, sizeof name));
}

bool data_set_offset(const struct data_set *set, int group, int variant, int pair,
                     struct random_stream *stream)
{
    struct random_stream choice = offset_stream(set, group, variant, -1);
    int fixed = (int)random_below(&choice, (uint64_t)data_set_group_pairs(set, group));

    *stream = offset_stream(set, group, variant, pair);
    return pair != fixed && set->translation;
}

void data_set_example(const struct data_set *set, int example, int32_t *inputs, int32_t *labels,
                      int32_t *puzzle_identifier)
{
    struct data_row place = data_set_locate(set, SPLIT_TRAIN, example);
    int group = place.task, variant = place.variant, pair = place.test_index;
    struct random_stream offset;
    bool moved = data_set_offset(set, group, variant, pair, &offset);

    write_row(set, SPLIT_TRAIN, split_task(set, SPLIT_TRAIN, group), variant, pair,
              moved ? &offset : NULL, inputs, labels, puzzle_identifier);
}

const struct batch_order *data_set_order(const struct data_set *set)
{
    return set->order.steps > 0 ? &set->order : NULL;
}

const char *data_set_identifier(const struct data_set *set, int identifier,
                                char room[DATA_IDENTIFIER_SIZE])
{
    const struct data_kind *kind = set->source.kind;
    int low = 0, high = set->source.task_count;
    char name[DATA_NAME_SIZE];

    if (kind->identifier != NULL)
        return kind->identifier(set->source.content, identifier);
    if (identifier == 0 || !kind->has_identifiers)
        return "<blank>";
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (set->identifier[middle] <= identifier)
            low = middle;
        else
            high = middle;
    }
    int variant = identifier - set->identifier[low];
    kind->task_name(set->source.content, low, name);
    if (variant == 0)
        memcpy(room, name, sizeof name);
    else
        kind->variant_name(room, name, variant_at(&set->variants[low], kind, variant));
    return room;
}

const struct data_source *data_set_source(const struct data_set *set)
{
    return &set->source;
}

int data_set_source_index(const struct data_set *set, enum data_split split, int task)
{
    return split_task(set, split, task);
}

int data_set_task_count(const struct data_set *set, enum data_split split)
{
    return set->splits[split].count;
}

const char *data_set_task_name(const struct data_set *set, enum data_split split, int task,
                               char room[DATA_NAME_SIZE])
{
    set->source.kind->task_name(set->source.content, split_task(set, split, task), room);
    return room;
}

int data_set_task_tests(const struct data_set *set, enum data_split split, int task)
{
    return split_pairs(set, split, split_task(set, split, task));
}

int data_set_task_variants(const struct data_set *set, enum data_split split, int task)
{
    return split_variants(set, split, split_task(set, split, task));
}

const struct grid *data_set_test_input(const struct data_set *set, enum data_split split,
                                       int task, int test, struct grid *room)
{
    split_pair(set, split, split_task(set, split, task), test, room, NULL);
    return room;
}

const struct grid *data_set_solution(const struct data_set *set, enum data_split split,
                                     int task, int test, struct grid *room)
{
    return split_pair(set, split, split_task(set, split, task), test, NULL, room) ? room : NULL;
}

/* Reads the answer of a row; its variant is not undone. */
static void read_answer(const struct data_set *set, int task_index,
                        const struct data_row *place, const int32_t *predictions,
                        struct grid *out)
{
    const struct data_source *source = &set->source;

    if (source->kind->row_answer != NULL)
        source->kind->row_answer(source->content, task_index, place->variant, place->test_index,
                                 predictions, out);
    else
        source->kind->answer(out, predictions, source->side);
}

void data_set_answer(const struct data_set *set, enum data_split split, int row,
                     const int32_t *predictions, struct grid *out)
{
    const struct data_kind *kind = set->source.kind;
    struct data_row place = data_set_locate(set, split, row);
    int task_index = split_task(set, split, place.task);
    struct grid answer = { 0 };

    if (place.variant == 0) {
        read_answer(set, task_index, &place, predictions, out);
        return;
    }
    read_answer(set, task_index, &place, predictions, &answer);
    kind->undo(out, &answer, variant_at(&set->variants[task_index], kind, place.variant));
}

int data_set_check_train_rows(const struct data_set *set, struct error *err)
{
    if (!set->info.unknown_variants)
        return 0;
    return error_set(err, ERROR_FORMAT,
                     "eval.split = train: data.path holds boards and their shuffles (%s), "
                     "which are not told, so that answers to them cannot be undone; use the "
                     "data that they were built from, with data.num_aug",
                     set->info.source);
}

bool data_set_has_paths(const struct data_set *set)
{
    return set->source.kind->is_shortest != NULL;
}

bool data_set_is_shortest(const struct data_set *set, enum data_split split, int row,
                          const struct grid *answer)
{
    struct data_row place = data_set_locate(set, split, row);
    struct grid question;

    split_pair(set, split, split_task(set, split, place.task), place.test_index, &question,
               NULL);
    return set->source.kind->is_shortest(&question, answer);
}

int data_set_rating(const struct data_set *set, enum data_split split, int task)
{
    const struct data_kind *kind = set->source.kind;

    return kind->rating == NULL
               ? -1
               : kind->rating(set->source.content, split_task(set, split, task));
}
