/* rank_group.c - threads and queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rank_group.h"

#include "engine.h"
#include "error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct message {
    struct message *next;
    size_t bytes;
    unsigned char data[];
};

struct queue {
    struct message *first, **last;
};

struct member {
    struct rank_group *group;
    pthread_t thread;
    struct exchange exchange;
    /* The swap that goes on, of swap_bytes to swap_in; NULL: none. */
    int swap_with;
    void *swap_in;
    size_t swap_bytes;
    int swaps, early_swaps;
    bool at_end; /* of its part of a step: it has waited, or told others the verdict */
};

struct rank_group {
    int count;
    struct member members[RANK_GROUP_MOST];
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    struct queue queues[RANK_GROUP_MOST][RANK_GROUP_MOST][EXCHANGE_CHANNELS];
};

static void group_send(void *context, int to, enum exchange_channel channel, const void *data,
                       size_t bytes)
{
    struct member *member = context;
    struct rank_group *group = member->group;
    struct queue *queue = &group->queues[member->exchange.rank][to][channel];
    struct message *message = malloc(sizeof *message + bytes);

    if (message == NULL)
        abort();
    if (channel == EXCHANGE_ORDERS || channel == EXCHANGE_VERDICT)
        member->at_end = channel == EXCHANGE_VERDICT;
    message->next = NULL;
    message->bytes = bytes;
    memcpy(message->data, data, bytes);
    pthread_mutex_lock(&group->mutex);
    *queue->last = message;
    queue->last = &message->next;
    pthread_cond_broadcast(&group->arrived);
    pthread_mutex_unlock(&group->mutex);
}

static void group_receive(void *context, int from, enum exchange_channel channel, void *data,
                          size_t bytes)
{
    const struct member *member = context;
    struct rank_group *group = member->group;
    struct queue *queue = &group->queues[from][member->exchange.rank][channel];

    pthread_mutex_lock(&group->mutex);
    while (queue->first == NULL)
        pthread_cond_wait(&group->arrived, &group->mutex);
    struct message *message = queue->first;
    queue->first = message->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    pthread_mutex_unlock(&group->mutex);
    if (message->bytes != bytes)
        abort(); /* sender and receiver are at different places */
    memcpy(data, message->data, bytes);
    free(message);
}

static void group_swap(void *context, int with, const void *out, size_t out_bytes, void *in,
                       size_t in_bytes)
{
    group_send(context, with, EXCHANGE_DATA, out, out_bytes);
    group_receive(context, with, EXCHANGE_DATA, in, in_bytes);
}

static bool group_is_waiting(void *context, int from, enum exchange_channel channel)
{
    const struct member *member = context;
    struct rank_group *group = member->group;

    pthread_mutex_lock(&group->mutex);
    bool waiting = group->queues[from][member->exchange.rank][channel].first != NULL;
    pthread_mutex_unlock(&group->mutex);
    return waiting;
}

static void group_start_swap(void *context, int with, const void *out, size_t out_bytes,
                             void *in, size_t in_bytes)
{
    struct member *member = context;

    if (member->swap_in != NULL)
        abort(); /* one at a time */
    group_send(context, with, EXCHANGE_SUMS, out, out_bytes);
    member->swaps++;
    member->early_swaps += !member->at_end;
    member->swap_with = with;
    member->swap_in = in;
    member->swap_bytes = in_bytes;
}

static bool group_has_swapped(void *context, bool waits)
{
    struct member *member = context;

    if (!waits && !group_is_waiting(context, member->swap_with, EXCHANGE_SUMS))
        return false;
    group_receive(context, member->swap_with, EXCHANGE_SUMS, member->swap_in,
                  member->swap_bytes);
    member->swap_in = NULL;
    return true;
}

static void group_pause(void *context)
{
    struct member *member = context;

    member->at_end = true;
    nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

static void *serve(void *context)
{
    const struct member *member = context;
    struct error err;

    if (engine_serve(&member->exchange, &err) < 0)
        abort();
    return NULL;
}

struct rank_group *rank_group_start(int count)
{
    struct rank_group *group = calloc(1, sizeof *group);

    assert_non_null(group);
    assert_in_range(count, 1, RANK_GROUP_MOST);
    group->count = count;
    pthread_mutex_init(&group->mutex, NULL);
    pthread_cond_init(&group->arrived, NULL);
    for (int from = 0; from < count; from++)
        for (int to = 0; to < count; to++)
            for (int c = 0; c < EXCHANGE_CHANNELS; c++) {
                struct queue *queue = &group->queues[from][to][c];
                queue->last = &queue->first;
            }
    for (int r = 0; r < count; r++) {
        struct member *member = &group->members[r];

        member->group = group;
        member->exchange = (struct exchange){ .rank = r,
                                              .count = count,
                                              .context = member,
                                              .send = group_send,
                                              .receive = group_receive,
                                              .swap = group_swap,
                                              .start_swap = group_start_swap,
                                              .has_swapped = group_has_swapped,
                                              .is_waiting = group_is_waiting,
                                              .pause = group_pause };
        if (r > 0)
            assert_int_equal(pthread_create(&member->thread, NULL, serve, member), 0);
    }
    return group;
}

const struct exchange *rank_group_exchange(const struct rank_group *group)
{
    return &group->members[0].exchange;
}

void rank_group_count_swaps(const struct rank_group *group, int *all, int *early)
{
    *all = group->members[0].swaps;
    *early = group->members[0].early_swaps;
}

void rank_group_end(struct rank_group *group)
{
    engine_dismiss(rank_group_exchange(group));
    for (int r = 1; r < group->count; r++)
        pthread_join(group->members[r].thread, NULL);
    for (int from = 0; from < group->count; from++)
        for (int to = 0; to < group->count; to++)
            for (int c = 0; c < EXCHANGE_CHANNELS; c++)
                if (group->queues[from][to][c].first != NULL)
                    fail_msg("a message from rank %d to %d on channel %d was left over", from,
                             to, c);
    pthread_cond_destroy(&group->arrived);
    pthread_mutex_destroy(&group->mutex);
    free(group);
}
