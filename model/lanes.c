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
    int pieces;      /* how many of its last chunk's early pieces were given */
    float *gradient; /* one of the buffers, from its first chunk on */
};

struct lanes {
    int first, count;
    struct lane_deal deal;
    const struct pieces *pieces;   /* borrowed */
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
    /* (pieces->early + 1, 2 * count), owned. Of each early piece, and of the others
     * together: the finished sums that wait for their neighbour: lane first + l is node
     * count + l, the parent of node i is node i / 2, and 1 is the root. */
    float **nodes;
    int *added;         /* (count), owned: how many of them were added at each node */
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

static size_t node_count(const struct lanes *lanes)
{
    return ((size_t)lanes->pieces->early + 1) * 2 * (size_t)lanes->count;
}

static int allocate_buffers(struct lanes *lanes, struct block_sum *sum, struct error *err)
{
    size_t count = (size_t)lanes->buffer_count;
    struct block_item *items = calloc(count, sizeof *items);

    lanes->buffers = calloc(count, sizeof *lanes->buffers);
    lanes->free = calloc(count, sizeof *lanes->free);
    lanes->nodes = calloc(node_count(lanes), sizeof *lanes->nodes);
    lanes->added = calloc((size_t)lanes->count, sizeof *lanes->added);
    lanes->table = calloc((size_t)lanes->count, sizeof *lanes->table);
    if (items == NULL || lanes->buffers == NULL || lanes->free == NULL ||
        lanes->nodes == NULL || lanes->added == NULL || lanes->table == NULL) {
        free(items);
        return error_set(err, ERROR_NOMEM, "no memory for the table of gradients");
    }
    for (size_t i = 0; i < count; i++)
        items[i] =
            (struct block_item){ &lanes->buffers[i], lanes->pieces->floats, sizeof(float) };
    int rc = block_allocate(&lanes->block, sum, "gradients", items, lanes->buffer_count, err);
    free(items);
    return rc;
}

int lanes_create(struct lanes **out, struct lane_range range, struct lane_deal deal,
                 int threads, const struct pieces *pieces, const struct kernels *kernels,
                 struct block_sum *sum, struct error *err)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);
    int count = range.count;

    assert(count >= 1 && (count & (count - 1)) == 0 && threads >= 1);
    *out = NULL;
    if (lanes == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of gradients");
    pthread_mutex_init(&lanes->mutex, NULL);
    team_cond_init(&lanes->changed);
    lanes->first = range.first;
    lanes->count = count;
    lanes->deal = deal;
    lanes->pieces = pieces;
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
    free(lanes->added);
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
    memset(lanes->nodes, 0, node_count(lanes) * sizeof *lanes->nodes);
    memset(lanes->added, 0, (size_t)lanes->count * sizeof *lanes->added);
    memcpy(lanes->free, lanes->buffers, (size_t)lanes->buffer_count * sizeof *lanes->free);
    lanes->free_count = lanes->buffer_count;
    for (int l = 0; l < lanes->count; l++) {
        struct lane *lane = &lanes->table[l];

        lane->pieces = 0;
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
        memset(chunk->gradient, 0, lanes->pieces->floats * sizeof *chunk->gradient);
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

/* What waits at the nodes of the tree of an early piece; of pieces->early: of all
 * others. */
static float **nodes_of(const struct lanes *lanes, int piece)
{
    return lanes->nodes + (ptrdiff_t)2 * lanes->count * piece;
}

/* Stores a node's sum for its neighbour, or takes the neighbour's: NULL: stored. */
static float *exchange(float **nodes, int node, float *sum)
{
    float *other = nodes[node ^ 1];

    if (other == NULL)
        nodes[node] = sum;
    else
        nodes[node ^ 1] = NULL;
    return other;
}

/* Adds the floats from first to end - 1 of the pieces after the early ones. */
static void add_others(const struct lanes *lanes, float *to, const float *from, size_t first,
                       size_t end)
{
    const struct pieces *pieces = lanes->pieces;

    for (int p = pieces->early; p < pieces->count; p++) {
        struct float_range range = pieces->ranges[p];

        range.first = range.first > first ? range.first : first;
        range.end = range.end < end ? range.end : end;
        if (range.first < range.end)
            lanes->kernels->add(to + range.first, from + range.first, range.end - range.first);
    }
}

static void add_piece(const struct lanes *lanes, int piece, float *to, const float *from)
{
    const struct pieces *pieces = lanes->pieces;
    size_t first = pieces->ranges[piece].first;

    if (piece == pieces->early)
        add_others(lanes, to, from, 0, pieces->floats);
    else
        lanes->kernels->add(to + first, from + first, pieces->ranges[piece].end - first);
}

/* Adds a piece of a finished lane to its neighbours'; called with the mutex, which it
 * releases while it adds. The sum of two nodes is in the first one's buffer, for all
 * pieces. The last addition of the pieces after the early ones is left. */
static void give_piece(struct lanes *lanes, const struct lane_chunk *chunk, int piece)
{
    float **nodes = nodes_of(lanes, piece), *sum = chunk->gradient;
    int node = lanes->count + chunk->lane - lanes->first;
    int last = piece == lanes->pieces->early ? ROOT + 2 : ROOT;

    for (; node > last; node /= 2) {
        float *other = exchange(nodes, node, sum);

        if (other == NULL)
            return;
        float *from = node % 2 == 0 ? other : sum;
        sum = node % 2 == 0 ? sum : other;
        pthread_mutex_unlock(&lanes->mutex);
        add_piece(lanes, piece, sum, from);
        pthread_mutex_lock(&lanes->mutex);
        if (++lanes->added[node / 2] <= lanes->pieces->early)
            continue;
        lanes->free[lanes->free_count++] = from;
        pthread_cond_broadcast(&lanes->changed);
    }
    nodes[node] = sum;
}

void lanes_give_piece(struct lanes *lanes, const struct lane_chunk *chunk, int piece)
{
    struct lane *lane = &lanes->table[chunk->lane - lanes->first];

    pthread_mutex_lock(&lanes->mutex);
    if (chunk->end == lane->end && piece == lane->pieces) {
        lane->pieces++;
        give_piece(lanes, chunk, piece);
    }
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_give(struct lanes *lanes, const struct lane_chunk *chunk)
{
    struct lane *lane = &lanes->table[chunk->lane - lanes->first];

    pthread_mutex_lock(&lanes->mutex);
    assert(lane->given == chunk->first);
    lane->given = chunk->end;
    pthread_cond_broadcast(&lanes->changed);
    if (lane->given == lane->end)
        for (int piece = lane->pieces; piece <= lanes->pieces->early; piece++)
            give_piece(lanes, chunk, piece);
    pthread_mutex_unlock(&lanes->mutex);
}

int lanes_early_pieces(struct lanes *lanes, float **sum)
{
    int piece = 0;

    pthread_mutex_lock(&lanes->mutex);
    for (; piece < lanes->pieces->early; piece++) {
        float *whole = nodes_of(lanes, piece)[ROOT];

        if (whole == NULL)
            break;
        *sum = whole;
    }
    pthread_mutex_unlock(&lanes->mutex);
    return piece;
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
    float *const *halves = nodes_of(lanes, lanes->pieces->early) + 2 * ROOT;

    if (lanes->count == 1)
        return;
    assert(halves[0] != NULL && halves[1] != NULL);
    add_others(lanes, halves[0], halves[1], first, end);
}

float *lanes_sum(const struct lanes *lanes)
{
    float *sum = nodes_of(lanes, lanes->pieces->early)[lanes->count == 1 ? ROOT : 2 * ROOT];

    assert(sum != NULL);
    return sum;
}

float *lanes_any(const struct lanes *lanes)
{
    return lanes->buffers[0];
}
