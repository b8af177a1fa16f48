/* batches.c - the order of training, reproducible from three numbers. */
#include "batches.h"

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
    int64_t total_steps; /* of the schedule; also the most that are given */
    int64_t interval;    /* epochs of one stream; INT64_MAX: one endless stream */
    int64_t epochs;      /* of the whole training; INT64_MAX: until total_steps */

    /* The position. */
    int64_t step;      /* full batches given */
    int64_t epoch;     /* the one being visited */
    int64_t visit;     /* groups visited in it */
    bool interval_due; /* a stream has ended; the next call returns BATCHES_INTERVAL */

    int *order;          /* owned: (groups) of epoch order_epoch */
    int64_t order_epoch; /* -1: none yet */
    int *pairs;          /* owned: room for the longest group */
};

/* floor(epochs * groups * mean / B), or train.max_steps. */
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

/* Examples that an epoch certainly visits, cuts at batch ends aside. */
static int64_t epoch_examples(const struct data_set *set)
{
    int64_t count = 0;

    for (int g = 0; g < data_set_info(set)->groups; g++)
        count += data_set_group_pairs(set, g);
    return count;
}

static int check_stream(const struct batches *b, const struct config *config, struct error *err)
{
    int64_t examples = epoch_examples(b->set);
    int64_t epochs = b->interval < b->epochs ? b->interval : b->epochs;

    if (examples == 0 || (epochs < INT64_MAX / examples && examples * epochs < b->rows))
        return error_set(err, ERROR_FORMAT,
                         "a stream of %" PRId64 " epochs of %" PRId64
                         " examples holds not even one batch of train.global_batch_size = %d; "
                         "lower it, or raise %s",
                         epochs, examples, b->rows,
                         config_int(config, TRAIN_EVAL_INTERVAL) > 0 ? "train.eval_interval"
                                                                     : "train.epochs");
    if (b->total_steps == 0)
        return error_set(err, ERROR_FORMAT,
                         "train.epochs = %" PRId64 " gives no training step; raise it",
                         config_int(config, TRAIN_EPOCHS));
    return 0;
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
    b->interval = config_int(config, TRAIN_EVAL_INTERVAL);
    if (b->interval == 0)
        b->interval = INT64_MAX;
    b->epochs =
        config_int(config, TRAIN_MAX_STEPS) > 0 ? INT64_MAX : config_int(config, TRAIN_EPOCHS);
    b->order_epoch = -1;
    for (int g = 0; g < info->groups; g++)
        if (data_set_group_pairs(set, g) > longest)
            longest = data_set_group_pairs(set, g);
    b->order = malloc((size_t)info->groups * sizeof *b->order);
    b->pairs = malloc((size_t)longest * sizeof *b->pairs);
    int rc = b->order == NULL || b->pairs == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for the batch order")
                 : check_stream(b, config, err);
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
    free(batches->order);
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

    if (b->order_epoch == b->epoch)
        return;
    struct random_stream stream = random_stream(b->seed, "batch order", (uint64_t)b->epoch);
    for (int g = 0; g < groups; g++)
        b->order[g] = g;
    random_shuffle(&stream, b->order, groups);
    b->order_epoch = b->epoch;
}

/* Which pair of a variant stays at (0, 0), and the offsets of the others: fixed for the
 * whole training, as in the published data sets, which are written once. */
static struct random_stream offset_stream(const struct batches *b, int group, int variant,
                                          int pair)
{
    uint64_t name[3] = { (uint64_t)group, (uint64_t)variant, (uint64_t)(pair + 1) };

    return random_stream(b->seed, "offset", hash_xxh3(name, sizeof name));
}

/* One visit: a variant of the group, its pairs in random order into the rows from at
 * on. Returns the rows filled so far. */
static int visit_group(struct batches *b, int group, int at, int32_t *inputs, int32_t *labels,
                       int32_t *identifiers)
{
    size_t T = (size_t)data_set_info(b->set)->seq_len;
    int groups = data_set_info(b->set)->groups, count = data_set_group_pairs(b->set, group);
    struct random_stream stream =
        random_stream(b->seed, "batch visit", (uint64_t)(b->epoch * groups + b->visit));
    int variant = (int)random_below(&stream, (uint64_t)data_set_group_variants(b->set, group));
    struct random_stream choice = offset_stream(b, group, variant, -1);
    int fixed = (int)random_below(&choice, (uint64_t)count);

    for (int i = 0; i < count; i++)
        b->pairs[i] = i;
    random_shuffle(&stream, b->pairs, count);
    for (int i = 0; i < count && at < b->rows; i++, at++) {
        int pair = b->pairs[i];
        struct random_stream offset = offset_stream(b, group, variant, pair);
        data_set_training_row(b->set, group, variant, pair, pair == fixed, &offset,
                              inputs + (size_t)at * T, labels + (size_t)at * T,
                              identifiers + at);
    }
    return at;
}

enum batches_next batches_next(struct batches *b, int32_t *inputs, int32_t *labels,
                               int32_t *puzzle_identifiers)
{
    int groups = data_set_info(b->set)->groups, at = 0;

    if (b->interval_due) {
        b->interval_due = false;
        return b->step < b->total_steps && b->epoch < b->epochs ? BATCHES_INTERVAL
                                                                : BATCHES_END;
    }
    if (b->step >= b->total_steps || b->epoch >= b->epochs)
        return BATCHES_END;
    while (at < b->rows) {
        order_epoch(b);
        at = visit_group(b, b->order[b->visit], at, inputs, labels, puzzle_identifiers);
        if (++b->visit < groups)
            continue;
        b->visit = 0;
        b->epoch++;
        if (b->epoch % b->interval != 0 && b->epoch < b->epochs)
            continue;
        /* The stream ends here: its incomplete last batch is dropped. */
        b->interval_due = true;
        if (at < b->rows)
            return batches_next(b, inputs, labels, puzzle_identifiers);
    }
    b->step++;
    return BATCHES_READY;
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
