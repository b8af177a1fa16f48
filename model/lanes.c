/* lanes.c - buffers of gradients, and the tree along which they are added. */
#include "lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "kernels.h"
#include "team.h"

/* The node of the whole sum; its children are 2 and 3. */
enum { ROOT = 1 };

/* How far a lane is: rows from taken on no thread has taken, those from given on were
 * not given; it ends before end. */
struct lane {
    int taken, given, end;
    float *gradient; /* one of the buffers, from its first chunk on */
};

struct lanes {
    int first, count;
    struct lane_deal deal;
    size_t floats;
    const struct kernels *kernels; /* static table */
    void *block;                   /* the buffers, owned */
    float **buffers;               /* (buffer_count), owned; all of them */
    int buffer_count;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a chunk was given, a buffer is free, or all is
                             * abandoned */
    /* Guarded by the mutex: */
    float **free; /* (buffer_count), owned; the first free_count are free */
    int free_count;
    /* (2 * count), owned. The finished sums that wait for their neighbour: lane first +
     * l is node count + l, the parent of node i is node i / 2, and 1 is the root. */
    float **nodes;
    struct lane *table; /* (count), owned; lane first + l is entry l */
    int next;           /* the next lane to be begun, counted from first */
    bool abandoned;
};

static int buffers_needed(int count, int threads)
{
    int levels = 0;

    while (1 << levels < count)
        levels++;
    int needed = threads + levels;
    return needed < count ? needed : count;
}

static int allocate_buffers(struct lanes *lanes, struct block_sum *sum, struct error *err)
{
    size_t count = (size_t)lanes->buffer_count;
    struct block_item *items = calloc(count, sizeof *items);

    lanes->buffers = calloc(count, sizeof *lanes->buffers);
    lanes->free = calloc(count, sizeof *lanes->free);
    lanes->nodes = calloc(2 * (size_t)lanes->count, sizeof *lanes->nodes);
    lanes->table = calloc((size_t)lanes->count, sizeof *lanes->table);
    if (items == NULL || lanes->buffers == NULL || lanes->free == NULL ||
        lanes->nodes == NULL || lanes->table == NULL) {
        free(items);
        return error_set(err, ERROR_NOMEM, "cannot allocate the table of gradients");
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (struct block_item){ &lanes->buffers[i], lanes->floats, sizeof(float) };
    int rc = block_allocate(&lanes->block, sum, "gradients", items, lanes->buffer_count, err);
    free(items);
    return rc;
}

int lanes_create(struct lanes **out, struct lane_range range, struct lane_deal deal,
                 int threads, size_t floats, const struct kernels *kernels,
                 struct block_sum *sum, struct error *err)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);
    int count = range.count;

    assert(count >= 1 && (count & (count - 1)) == 0 && threads >= 1);
    *out = NULL;
    if (lanes == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate the table of gradients");
    pthread_mutex_init(&lanes->mutex, NULL);
    team_cond_init(&lanes->changed);
    lanes->first = range.first;
    lanes->count = count;
    lanes->deal = deal;
    lanes->floats = floats;
    lanes->kernels = kernels;
    lanes->buffer_count = buffers_needed(count, threads);
    int rc = allocate_buffers(lanes, sum, err);
    if (rc < 0) {
        lanes_destroy(lanes);
        return rc;
    }
    lanes_begin(lanes);
    *out = lanes;
    return 0;
}

void lanes_destroy(struct lanes *lanes)
{
    if (lanes == NULL)
        return;
    pthread_cond_destroy(&lanes->changed);
    pthread_mutex_destroy(&lanes->mutex);
    free(lanes->table);
    free(lanes->nodes);
    free(lanes->free);
    free(lanes->buffers);
    free(lanes->block);
    free(lanes);
}

int lanes_first_row(int count, int lane, int rows)
{
    assert(lane >= 0 && lane <= count);
    return (int)((int64_t)rows * lane / count);
}

/* The end of the chunk that begins at row first, of a lane that ends before end. */
static int chunk_end(const struct lane_deal *deal, int first, int end)
{
    int rows = deal->micro_rows - first % deal->micro_rows;

    if (rows > end - first)
        rows = end - first;
    return first + (rows < deal->chunk_rows ? rows : deal->chunk_rows);
}

int lanes_chunks(struct lane_deal deal, struct lane_range range)
{
    int chunks = 0;

    for (int lane = range.first; lane < range.first + range.count; lane++) {
        int first = lanes_first_row(deal.lanes, lane, deal.rows);
        int end = lanes_first_row(deal.lanes, lane + 1, deal.rows);

        for (; first < end; chunks++)
            first = chunk_end(&deal, first, end);
    }
    return chunks;
}

void lanes_begin(struct lanes *lanes)
{
    memset(lanes->nodes, 0, 2 * (size_t)lanes->count * sizeof *lanes->nodes);
    memcpy(lanes->free, lanes->buffers, (size_t)lanes->buffer_count * sizeof *lanes->free);
    lanes->free_count = lanes->buffer_count;
    for (int l = 0; l < lanes->count; l++) {
        struct lane *lane = &lanes->table[l];

        lane->taken = lane->given =
            lanes_first_row(lanes->deal.lanes, lanes->first + l, lanes->deal.rows);
        lane->end = lanes_first_row(lanes->deal.lanes, lanes->first + l + 1, lanes->deal.rows);
    }
    lanes->next = 0;
    lanes->abandoned = false;
}

static bool has_chunks(const struct lane *lane)
{
    return lane->taken < lane->end;
}

/* The lane that a thread works on next, counted from first: that of its last chunk, a
 * new one, or of those that others have begun the one with most rows left. -1: none, or
 * none before a buffer is free. */
static int choose_lane(const struct lanes *lanes, int last)
{
    int most = -1;

    if (last >= 0 && has_chunks(&lanes->table[last]))
        return last;
    if (lanes->next < lanes->count && lanes->free_count > 0)
        return lanes->next;
    for (int l = 0; l < lanes->next; l++) {
        const struct lane *lane = &lanes->table[l];

        if (has_chunks(lane) &&
            (most < 0 ||
             lane->end - lane->taken > lanes->table[most].end - lanes->table[most].taken))
            most = l;
    }
    return most;
}

static void take_from(struct lanes *lanes, int l, struct lane_chunk *chunk)
{
    struct lane *lane = &lanes->table[l];

    if (l == lanes->next) {
        lanes->next++;
        lane->gradient = lanes->free[--lanes->free_count];
    }
    *chunk = (struct lane_chunk){ .lane = lanes->first + l,
                                  .first = lane->taken,
                                  .end = chunk_end(&lanes->deal, lane->taken, lane->end),
                                  .gradient = lane->gradient };
    lane->taken = chunk->end;
}

bool lanes_take(struct lanes *lanes, struct lane_chunk *chunk)
{
    int last = chunk->lane - lanes->first, l;

    pthread_mutex_lock(&lanes->mutex);
    /* Threads take no further lane while the one that they are in has chunks. So a lane
     * that was begun and not ended has a thread in it, and frees a buffer when it ends:
     * finished sums alone take one buffer per level of the tree. */
    while ((l = choose_lane(lanes, last)) < 0 && lanes->next < lanes->count &&
           !lanes->abandoned)
        pthread_cond_wait(&lanes->changed, &lanes->mutex);
    bool taken = l >= 0 && !lanes->abandoned;
    bool begun = taken && l == lanes->next;
    if (taken)
        take_from(lanes, l, chunk);
    pthread_mutex_unlock(&lanes->mutex);
    /* before this thread gives the first chunk, which others await */
    if (begun)
        memset(chunk->gradient, 0, lanes->floats * sizeof *chunk->gradient);
    return taken;
}

bool lanes_await(struct lanes *lanes, const struct lane_chunk *chunk,
                 bool (*goes_on)(void *context), void *context)
{
    const struct lane *lane = &lanes->table[chunk->lane - lanes->first];
    bool going = true;

    pthread_mutex_lock(&lanes->mutex);
    while (going && !lanes->abandoned && lane->given < chunk->first) {
        team_cond_wait(&lanes->changed, &lanes->mutex);
        pthread_mutex_unlock(&lanes->mutex);
        going = goes_on(context);
        pthread_mutex_lock(&lanes->mutex);
    }
    going = going && !lanes->abandoned;
    pthread_mutex_unlock(&lanes->mutex);
    return going;
}

/* Stores a node's sum for its neighbour, or takes the neighbour's: NULL: stored. */
static float *exchange(struct lanes *lanes, int node, float *sum)
{
    float *other = lanes->nodes[node ^ 1];

    if (other == NULL)
        lanes->nodes[node] = sum;
    else
        lanes->nodes[node ^ 1] = NULL;
    return other;
}

/* Adds a finished lane to its neighbours, but for the last addition; called with the
 * mutex, which it releases while it adds. */
static void add_lane(struct lanes *lanes, int lane, float *gradient)
{
    int node = lanes->count + lane - lanes->first;

    for (; node > ROOT + 2; node /= 2) {
        float *other = exchange(lanes, node, gradient);

        if (other == NULL)
            return;
        pthread_mutex_unlock(&lanes->mutex);
        lanes->kernels->add(gradient, other, lanes->floats);
        pthread_mutex_lock(&lanes->mutex);
        lanes->free[lanes->free_count++] = other;
        pthread_cond_broadcast(&lanes->changed);
    }
    lanes->nodes[node] = gradient;
}

void lanes_give(struct lanes *lanes, const struct lane_chunk *chunk)
{
    struct lane *lane = &lanes->table[chunk->lane - lanes->first];

    pthread_mutex_lock(&lanes->mutex);
    assert(lane->given == chunk->first);
    lane->given = chunk->end;
    pthread_cond_broadcast(&lanes->changed);
    if (lane->given == lane->end)
        add_lane(lanes, chunk->lane, chunk->gradient);
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_abandon(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    lanes->abandoned = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_add_last(struct lanes *lanes, size_t first, size_t end)
{
    float *const *halves = lanes->nodes + 2 * ROOT;

    if (lanes->count == 1)
        return;
    assert(halves[0] != NULL && halves[1] != NULL);
    lanes->kernels->add(halves[0] + first, halves[1] + first, end - first);
}

float *lanes_sum(const struct lanes *lanes)
{
    float *sum = lanes->nodes[lanes->count == 1 ? ROOT : 2 * ROOT];

    assert(sum != NULL);
    return sum;
}

float *lanes_any(const struct lanes *lanes)
{
    return lanes->buffers[0];
}
