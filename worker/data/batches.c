/* batches.c - the order of training, reproducible from three numbers. */
#include "batches.h"

#include "batch_order.h"
#include "context.h"
#include "error.h"
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct batches {
    const struct data_set *set; /* borrowed */
    uint64_t seed;
    int rows;            /* B */
    int64_t total_steps; /* of the schedule; also the most batches given out */
    int64_t interval;    /* epochs per stream; INT64_MAX: a single endless stream */
    int64_t epochs;      /* epochs in total; INT64_MAX: until total_steps */

    /* The position: */
    int64_t step;      /* full batches given */
    int64_t epoch;     /* the current epoch */
    int64_t visit;     /* groups visited in it */
    bool interval_due; /* a stream has ended; the next call returns BATCHES_INTERVAL */

    const struct batch_order *order; /* borrowed; NULL: drawn */
    int *shuffled;                   /* owned: (groups) of epoch shuffled_epoch */
    int64_t shuffled_epoch;          /* -1: none yet */
    int *pairs;                      /* owned: room for the longest group's pairs */
    int *examples;                   /* owned: (B) of the present batch */
    uint64_t *visits;                /* owned: (B) the visits that they are of */
};

/* Steps of a training: floor(epochs * groups * mean / B), or train.max_steps. */
int64_t batches_count_steps(const struct config *config, int groups,
                            double mean_puzzle_examples)
{
    int64_t max_steps = config_int(config, TRAIN_MAX_STEPS);
    double batch = (double)config_int(config, TRAIN_GLOBAL_BATCH_SIZE);

    if (max_steps > 0)
        return max_steps;
    return (int64_t)floor((double)config_int(config, TRAIN_EPOCHS) * groups *
                          mean_puzzle_examples / batch);
}

/* Epochs of one stream: those between two evaluations, or all of them. */
static int64_t stream_epochs(const struct config *config)
{
    int64_t interval = config_int(config, TRAIN_EVAL_INTERVAL);
    int64_t epochs =
        config_int(config, TRAIN_MAX_STEPS) > 0 ? INT64_MAX : config_int(config, TRAIN_EPOCHS);

    return interval > 0 && interval < epochs ? interval : epochs;
}

/* Each stream fills a batch. Examples are lost only where a batch has ended, so that
 * those of its epochs are enough for the first one. */
static int check_stream(const struct data_info *info, const struct config *config,
                        struct error *err)
{
    int64_t rows = config_int(config, TRAIN_GLOBAL_BATCH_SIZE), epochs = stream_epochs(config);
    int64_t examples = info->epoch_examples;

    if (examples == 0 || (epochs < INT64_MAX / examples && examples * epochs < rows))
        return error_set(err, ERROR_FORMAT,
                         "a stream of %" PRId64 " epochs of %" PRId64
                         " examples holds not even one batch of train.global_batch_size = "
                         "%" PRId64 "; lower it, or raise %s",
                         epochs, examples, rows,
                         config_int(config, TRAIN_EVAL_INTERVAL) > 0 ? "train.eval_interval"
                                                                     : "train.epochs");
    return 0;
}

static int check_order(const struct data_info *info, const struct config *config,
                       struct error *err)
{
    int64_t rows = config_int(config, TRAIN_GLOBAL_BATCH_SIZE);
    int64_t steps = config_int(config, TRAIN_MAX_STEPS);

    if (info->order_rows != rows)
        return error_set(err, ERROR_FORMAT,
                         "data.batch_order: its batches have %d rows, but "
                         "train.global_batch_size is %" PRId64,
                         info->order_rows, rows);
    if (steps > info->order_steps)
        return error_set(err, ERROR_FORMAT,
                         "data.batch_order: it has %d batches, but train.max_steps is %" PRId64,
                         info->order_steps, steps);
    return 0;
}

int batches_check(const struct data_info *info, const struct config *config, struct error *err)
{
    int rc = info->order_steps > 0   ? check_order(info, config, err)
             : config_trains(config) ? check_stream(info, config, err)
                                     : 0;

    if (rc == 0 && config_trains(config) &&
        batches_count_steps(config, info->groups, info->mean_puzzle_examples) < 1)
        rc = error_set(err, ERROR_FORMAT,
                       "train.epochs = %" PRId64 " gives no training step; raise it",
                       config_int(config, TRAIN_EPOCHS));
    return rc;
}

/* Counts the intervals of a prescribed order in steps: an interval has as many steps
 * as its epochs' examples fill. */
static void count_intervals(struct batches *b)
{
    double examples = (double)data_set_info(b->set)->epoch_examples;

    if (b->interval < INT64_MAX) {
        double steps = (double)b->interval * examples / b->rows;
        b->interval = steps < 1 ? 1 : steps < 1e15 ? (int64_t)steps : INT64_MAX;
    }
}

int batches_create(struct batches **out, const struct data_set *set,
                   const struct config *config, struct error *err)
{
    const struct data_info *info = data_set_info(set);
    struct batches *b = calloc(1, sizeof *b);
    int longest = 1;

    *out = NULL;
    if (b == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the batch order");
    b->set = set;
    b->seed = config_data_seed(config);
    b->rows = (int)config_int(config, TRAIN_GLOBAL_BATCH_SIZE);
    b->total_steps = batches_count_steps(config, info->groups, info->mean_puzzle_examples);
    b->order = data_set_order(set);
    b->interval = config_int(config, TRAIN_EVAL_INTERVAL);
    if (b->interval == 0)
        b->interval = INT64_MAX;
    b->epochs =
        config_int(config, TRAIN_MAX_STEPS) > 0 ? INT64_MAX : config_int(config, TRAIN_EPOCHS);
    b->shuffled_epoch = -1;
    for (int g = 0; g < info->groups; g++)
        if (data_set_group_pairs(set, g) > longest)
            longest = data_set_group_pairs(set, g);
    b->shuffled = malloc((size_t)info->groups * sizeof *b->shuffled);
    b->examples = malloc((size_t)b->rows * sizeof *b->examples);
    b->visits = malloc((size_t)b->rows * sizeof *b->visits);
    b->pairs = malloc((size_t)longest * sizeof *b->pairs);
    int rc = b->shuffled == NULL || b->pairs == NULL || b->examples == NULL || b->visits == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for the batch order")
                 : batches_check(info, config, err);
    if (rc == 0 && b->order != NULL)
        count_intervals(b);
    if (rc < 0) {
        batches_destroy(b);
        return rc;
    }
    *out = b;
    return 0;
}

void batches_destroy(struct batches *batches)
{
    if (batches == NULL)
        return;
    free(batches->shuffled);
    free(batches->examples);
    free(batches->visits);
    free(batches->pairs);
    free(batches);
}

int64_t batches_total_steps(const struct batches *batches)
{
    return batches->total_steps;
}

static void order_epoch(struct batches *b)
{
    int groups = data_set_info(b->set)->groups;

    if (b->shuffled_epoch == b->epoch)
        return;
    struct random_stream stream = random_stream(b->seed, "batch order", (uint64_t)b->epoch);
    for (int g = 0; g < groups; g++)
        b->shuffled[g] = g;
    random_shuffle(&stream, b->shuffled, groups);
    b->shuffled_epoch = b->epoch;
}

/* Visits a group: draws a variant and writes its pairs in random order into rows
 * from at on. Returns the number of rows filled so far. */
static int visit_group(struct batches *b, int group, int at, int *examples)
{
    int groups = data_set_info(b->set)->groups, count = data_set_group_pairs(b->set, group);
    uint64_t visit = (uint64_t)(b->epoch * groups + b->visit);
    struct random_stream stream = random_stream(b->seed, "batch visit", visit);
    int variant = (int)random_below(&stream, (uint64_t)data_set_group_variants(b->set, group));

    for (int i = 0; i < count; i++)
        b->pairs[i] = i;
    random_shuffle(&stream, b->pairs, count);
    for (int i = 0; i < count && at < b->rows; i++, at++) {
        examples[at] = data_set_example_number(b->set, group, variant, b->pairs[i]);
        b->visits[at] = visit;
    }
    return at;
}

/* The next batch of data.batch_order. Its epochs are counted by steps, and each of its
 * rows is a visit. */
static enum batches_next next_in_order(struct batches *b, int *examples)
{
    if (b->interval_due) {
        b->interval_due = false;
        return BATCHES_INTERVAL;
    }
    if (b->step >= b->total_steps || b->step >= b->order->steps)
        return BATCHES_END;
    for (int i = 0; i < b->rows; i++) {
        examples[i] = batch_order_at(b->order, b->step, i);
        b->visits[i] = (uint64_t)(b->step * b->rows + i);
    }
    b->step++;
    b->interval_due =
        b->step % b->interval == 0 && b->step < b->total_steps && b->step < b->order->steps;
    return BATCHES_READY;
}

enum batches_next batches_next_examples(struct batches *b, int *examples)
{
    int groups = data_set_info(b->set)->groups, at = 0;

    if (b->order != NULL)
        return next_in_order(b, examples);
    if (b->interval_due) {
        b->interval_due = false;
        return b->step < b->total_steps && b->epoch < b->epochs ? BATCHES_INTERVAL
                                                                : BATCHES_END;
    }
    if (b->step >= b->total_steps || b->epoch >= b->epochs)
        return BATCHES_END;
    while (at < b->rows) {
        order_epoch(b);
        at = visit_group(b, b->shuffled[b->visit], at, examples);
        if (++b->visit < groups)
            continue;
        b->visit = 0;
        b->epoch++;
        if (b->epoch % b->interval != 0 && b->epoch < b->epochs)
            continue;
        /* The stream ends here: its incomplete last batch is dropped. */
        b->interval_due = true;
        if (at < b->rows)
            return batches_next_examples(b, examples);
    }
    b->step++;
    return BATCHES_READY;
}

enum batches_next batches_next(struct batches *b, int32_t *inputs, int32_t *labels,
                               int32_t *puzzle_identifiers)
{
    size_t T = (size_t)data_set_info(b->set)->seq_len;
    size_t C = (size_t)context_length(b->set);
    enum batches_next next = batches_next_examples(b, b->examples);

    for (int i = 0; i < b->rows && next == BATCHES_READY; i++) {
        int32_t *row = inputs + (size_t)i * (C + T);

        if (C > 0)
            context_of_example(b->set, b->examples[i], b->visits[i], row);
        data_set_example(b->set, b->examples[i], row + C, labels + (size_t)i * T,
                         puzzle_identifiers + i);
    }
    return next;
}

cJSON *batches_save(const struct batches *b)
{
    cJSON *position = cJSON_CreateObject();

    if (position == NULL ||
        cJSON_AddNumberToObject(position, "step", (double)b->step) == NULL ||
        cJSON_AddNumberToObject(position, "epoch", (double)b->epoch) == NULL ||
        cJSON_AddNumberToObject(position, "visit", (double)b->visit) == NULL ||
        cJSON_AddBoolToObject(position, "interval_due", b->interval_due) == NULL) {
        cJSON_Delete(position);
        return NULL;
    }
    return position;
}

int batches_restore(struct batches *b, const cJSON *position, struct error *err)
{
    static const char where[] = "checkpoint's place in the data";
    int64_t step = 0, epoch = 0, visit = 0;
    bool due = false;
    int rc = json_get_int(&step, position, "step", where, err);

    if (rc == 0)
        rc = json_get_int(&epoch, position, "epoch", where, err);
    if (rc == 0)
        rc = json_get_int(&visit, position, "visit", where, err);
    if (rc == 0)
        rc = json_get_bool(&due, position, "interval_due", where, err);
    if (rc == 0 && (step < 0 || step > b->total_steps || epoch < 0 || visit < 0 ||
                    visit >= data_set_info(b->set)->groups))
        rc = error_set(err, ERROR_DAMAGED, "%s: out of bounds", where);
    if (rc < 0)
        return ERROR_DAMAGED;
    b->step = step;
    b->epoch = epoch;
    b->visit = visit;
    b->interval_due = due;
    return 0;
}
