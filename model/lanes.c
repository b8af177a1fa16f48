/* lanes.c - buffers of gradients, and the tree along which they are added. */
#include "lanes.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "kernels.h"

struct lanes {
    int first, count;
    size_t floats;
    const struct kernels *kernels; /* static table */
    void *block;                   /* the buffers, owned */
    float **buffers;               /* (buffer_count), owned; all of them */
    int buffer_count;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    /* Guarded by the mutex: */
    float **free; /* (buffer_count), owned; the first free_count are free */
    int free_count;
    /* (2 * count), owned. The finished sums that wait for their neighbour: lane first +
     * l is node count + l, the parent of node i is node i / 2, and 1 is the root. */
    float **nodes;
    int next; /* the next lane to be taken, counted from first */
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
    if (items == NULL || lanes->buffers == NULL || lanes->free == NULL ||
        lanes->nodes == NULL) {
        free(items);
        return error_set(err, ERROR_NOMEM, "cannot allocate the table of gradients");
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (struct block_item){ &lanes->buffers[i], lanes->floats, sizeof(float) };
    int rc = block_allocate(&lanes->block, sum, "gradients", items, lanes->buffer_count, err);
    free(items);
    return rc;
}

int lanes_create(struct lanes **out, struct lane_range range, int threads, size_t floats,
                 const struct kernels *kernels, struct block_sum *sum, struct error *err)
{
    struct lanes *lanes = calloc(1, sizeof *lanes);
    int count = range.count;

    assert(count >= 1 && (count & (count - 1)) == 0 && threads >= 1);
    *out = NULL;
    if (lanes == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate the table of gradients");
    pthread_mutex_init(&lanes->mutex, NULL);
    pthread_cond_init(&lanes->freed, NULL);
    lanes->first = range.first;
    lanes->count = count;
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
    pthread_cond_destroy(&lanes->freed);
    pthread_mutex_destroy(&lanes->mutex);
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

void lanes_begin(struct lanes *lanes)
{
    memset(lanes->nodes, 0, 2 * (size_t)lanes->count * sizeof *lanes->nodes);
    memcpy(lanes->free, lanes->buffers, (size_t)lanes->buffer_count * sizeof *lanes->free);
    lanes->free_count = lanes->buffer_count;
    lanes->next = 0;
    lanes->abandoned = false;
}

int lanes_take(struct lanes *lanes, float **gradient)
{
    int lane = -1;

    pthread_mutex_lock(&lanes->mutex);
    /* The threads that hold buffers free at least one when they end their lanes:
     * finished sums alone take one buffer per level of the tree. */
    while (!lanes->abandoned && lanes->next < lanes->count && lanes->free_count == 0)
        pthread_cond_wait(&lanes->freed, &lanes->mutex);
    if (!lanes->abandoned && lanes->next < lanes->count) {
        lane = lanes->first + lanes->next++;
        *gradient = lanes->free[--lanes->free_count];
    }
    pthread_mutex_unlock(&lanes->mutex);
    if (lane >= 0)
        memset(*gradient, 0, lanes->floats * sizeof **gradient);
    return lane;
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

void lanes_give(struct lanes *lanes, int lane, float *gradient)
{
    int node = lanes->count + lane - lanes->first;

    pthread_mutex_lock(&lanes->mutex);
    for (; node > 1; node /= 2) {
        float *other = exchange(lanes, node, gradient);

        if (other == NULL)
            break;
        pthread_mutex_unlock(&lanes->mutex);
        lanes->kernels->add(gradient, other, lanes->floats);
        pthread_mutex_lock(&lanes->mutex);
        lanes->free[lanes->free_count++] = other;
        pthread_cond_broadcast(&lanes->freed);
    }
    if (node == 1)
        lanes->nodes[1] = gradient;
    pthread_mutex_unlock(&lanes->mutex);
}

void lanes_abandon(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->mutex);
    lanes->abandoned = true;
    pthread_cond_broadcast(&lanes->freed);
    pthread_mutex_unlock(&lanes->mutex);
}

float *lanes_sum(const struct lanes *lanes)
{
    assert(lanes->nodes[1] != NULL);
    return lanes->nodes[1];
}

float *lanes_any(const struct lanes *lanes)
{
    return lanes->buffers[0];
}
