/* puzzle_ids.c - chooses the puzzle embedding of each row at inference. */
#include "puzzle_ids.h"

#include <stdlib.h>
#include <string.h>

#include "augmentation.h"
#include "error.h"
#include "hash.h"
#include "id_exchange.h"
#include "random.h"

/* The largest number of ids, one per variant, of a task. */
static int most_variants(const struct data_set *set)
{
    int most = 0;

    for (int split = 0; split < 2; split++)
        for (int t = 0; t < data_set_task_count(set, (enum data_split)split); t++) {
            int variants = data_set_task_variants(set, (enum data_split)split, t);

            most = variants > most ? variants : most;
        }
    return most;
}

static int too_few_tasks(int ids, int most, struct error *err)
{
    return error_set(err, ERROR_FORMAT,
                     "%d puzzle ids, up to %d of one task, do not give every row the id of "
                     "another task; expected more tasks",
                     ids, most);
}

int puzzle_ids_check(const struct data_info *info, struct error *err)
{
    int ids = info->num_puzzle_identifiers - 1;

    return 2 * info->most_variants > ids ? too_few_tasks(ids, info->most_variants, err) : 0;
}

/* Draws a shift that gives every id one of another task where the ids of each task are
 * consecutive: at least as many ids as a task has, and at most all ids minus that
 * many. */
static int draw_shift(struct puzzle_way *way, const struct data_set *set, uint64_t seed,
                      struct error *err)
{
    int ids = data_set_info(set)->num_puzzle_identifiers - 1, most = most_variants(set);
    struct random_stream stream = random_stream(seed, "puzzle ids", 0);

    if (most < 1 || 2 * most > ids)
        return too_few_tasks(ids, most, err);
    way->modulo = ids;
    way->shift = most + (int)random_below(&stream, (uint64_t)(ids - 2 * most + 1));
    return 0;
}

/* Which task an id is of, by the name without its variant. */
static uint64_t owner_of(const struct data_set *set, int32_t id)
{
    char room[DATA_IDENTIFIER_SIZE], base[ARC_NAME_SIZE];
    const char *name = data_set_identifier(set, id, room);
    struct variant variant;

    if (variant_parse(&variant, base, name))
        name = base;
    return hash_xxh3(name, strlen(name));
}

/* The tasks of all ids but the blank one, newly allocated; NULL: no memory. */
static uint64_t *list_owners(const struct data_set *set)
{
    int ids = data_set_info(set)->num_puzzle_identifiers - 1;
    uint64_t *owners = calloc((size_t)ids + 1, sizeof *owners);

    for (int32_t id = 1; owners != NULL && id <= ids; id++)
        owners[id - 1] = owner_of(set, id);
    return owners;
}

static int draw_bijection(struct puzzle_way *way, const struct data_set *set,
                          const uint64_t *owners, uint64_t seed, struct error *err)
{
    int ids = data_set_info(set)->num_puzzle_identifiers - 1, most = 0;
    struct random_stream stream = random_stream(seed, "random ids", 0);

    way->map = calloc((size_t)ids + 1, sizeof *way->map);
    if (way->map == NULL)
        return error_no_memory(err, "the exchange of puzzle ids");
    if (id_exchange_draw(way->map, &most, owners, ids, &stream))
        return 0;
    return most == 0 && ids > 0 ? error_no_memory(err, "the exchange of puzzle ids")
                                : too_few_tasks(ids, most, err);
}

static bool shift_is_right(const struct puzzle_way *way, const uint64_t *owners)
{
    for (int i = 0; i < way->modulo; i++)
        if (owners[i] == owners[(i + way->shift) % way->modulo])
            return false;
    return true;
}

/* Gives every id one of another task: by a shift if it is wanted and does so (in a
 * directory of others the ids of a task need not be consecutive), else by a
 * bijection. */
static int draw_exchange(struct puzzle_way *way, const struct data_set *set, bool shift,
                         uint64_t seed, struct error *err)
{
    uint64_t *owners = list_owners(set);
    int rc = owners == NULL ? error_no_memory(err, "the exchange of puzzle ids") : 0;

    if (rc == 0 && shift)
        rc = draw_shift(way, set, seed, err);
    if (rc == 0 && !(shift && shift_is_right(way, owners)))
        rc = draw_bijection(way, set, owners, seed, err);
    free(owners);
    return rc;
}

/* Adds the embeddings of all ids that are trained on to sum. Returns their number.
 * tokens: room for an example. */
static int add_trained(double *sum, float *row, const struct engine *engine,
                       const struct data_set *set, size_t E, int32_t *tokens)
{
    int count = 0, T = data_set_info(set)->seq_len;

    for (int g = 0; g < data_set_task_count(set, SPLIT_TRAIN); g++)
        for (int v = 0; v < data_set_group_variants(set, g); v++, count++) {
            int32_t id;

            data_set_example(set, data_set_example_number(set, g, v, 0), tokens, tokens + T,
                             &id);
            engine_puzzle_get(engine, id, row);
            for (size_t e = 0; e < E; e++)
                sum[e] += (double)row[e];
        }
    return count;
}

/* Replaces the blank embedding by the mean of the trained ones. */
static int put_mean(struct puzzle_way *way, struct engine *engine, const struct data_set *set,
                    size_t E, struct error *err)
{
    double *sum = calloc(E, sizeof *sum);
    float *row = calloc(E, sizeof *row);
    int32_t *tokens = calloc(2 * (size_t)data_set_info(set)->seq_len, sizeof *tokens);

    way->saved = calloc(E, sizeof *way->saved);
    if (sum == NULL || row == NULL || tokens == NULL || way->saved == NULL) {
        free(sum);
        free(tokens);
        free(row);
        free(way->saved);
        way->saved = NULL;
        return error_no_memory(err, "a puzzle embedding");
    }
    int count = add_trained(sum, row, engine, set, E, tokens);
    for (size_t e = 0; e < E; e++)
        row[e] = (float)(sum[e] / (count > 0 ? count : 1));
    engine_puzzle_get(engine, 0, way->saved);
    engine_puzzle_set(engine, 0, row);
    free(tokens);
    free(sum);
    free(row);
    return 0;
}

int puzzle_way_begin(struct puzzle_way *way, struct engine *engine, const struct data_set *set,
                     const struct config *config, enum puzzle_ids ids, uint64_t seed,
                     struct error *err)
{
    bool random = config_conditioning(config) == CONDITIONING_RANDOM_ID;

    *way = (struct puzzle_way){ .blank = config_blank_ids(config) || ids == PUZZLE_BLANK ||
                                         ids == PUZZLE_MEAN };
    if (ids == PUZZLE_MEAN && !config_blank_ids(config))
        return put_mean(way, engine, set, (size_t)config_puzzle_ndim(config), err);
    if (ids == PUZZLE_RANDOM)
        return draw_exchange(way, set, true, seed, err);
    if (ids == PUZZLE_OWN && random)
        return draw_exchange(way, set,
                             strcmp(config_choice(config, ARCH_RANDOM_ID_MAP), "shift") == 0,
                             config_data_seed(config), err);
    return 0;
}

void puzzle_way_end(struct puzzle_way *way, struct engine *engine)
{
    if (way->saved != NULL)
        engine_puzzle_set(engine, 0, way->saved);
    free(way->saved);
    free(way->map);
    *way = (struct puzzle_way){ 0 };
}

int32_t puzzle_way_id(const struct puzzle_way *way, int32_t id)
{
    if (way->blank || id == 0)
        return 0;
    if (way->map != NULL)
        return 1 + way->map[id - 1];
    return way->modulo > 0 ? 1 + (id - 1 + way->shift) % way->modulo : id;
}
