/*
 * exchange.h - messages between the processes that share an engine.
 *
 * The processes are numbered from 0, their ranks. model/ knows no transport: whoever
 * creates an engine for several ranks hands in these functions. Two messages from one
 * rank to another on the same channel arrive in the order in which they were sent. A
 * transport that fails ends the process and, with it, those of all ranks. Only the
 * thread that created the engine calls these functions.
 */
#ifndef MODEL_EXCHANGE_H
#define MODEL_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

enum exchange_channel {
    EXCHANGE_ORDERS,  /* from rank 0, along a tree: what to do next, and its data */
    EXCHANGE_REPORTS, /* to rank 0: progress of a step, and its end */
    EXCHANGE_VERDICT, /* from rank 0: whether the step counts */
    EXCHANGE_DATA,    /* between any two ranks: rows */
    EXCHANGE_SUMS,    /* between any two ranks: gradients, while a step goes on */
    EXCHANGE_CHANNELS
};

/* Of a swap that is started: the most bytes in one direction. */
enum { EXCHANGE_MOST_STARTED = 1 << 26 };

struct exchange {
    int rank, count;
    void *context; /* borrowed; the first argument of all functions */
    /* Returns when the data may be overwritten. */
    void (*send)(void *context, int to, enum exchange_channel channel, const void *data,
                 size_t bytes);
    /* Waits for the next message, which has exactly that many bytes. */
    void (*receive)(void *context, int from, enum exchange_channel channel, void *data,
                    size_t bytes);
    /* Sends `out` to rank `with` and receives `in` from it at the same time, both on
     * EXCHANGE_DATA. */
    void (*swap)(void *context, int with, const void *out, size_t out_bytes, void *in,
                 size_t in_bytes);
    /* The same on EXCHANGE_SUMS, of at most EXCHANGE_MOST_STARTED bytes each; returns
     * at once. Until has_swapped() has returned true the caller leaves both arrays
     * alone and starts no other swap; it may call the other functions. */
    void (*start_swap)(void *context, int with, const void *out, size_t out_bytes, void *in,
                       size_t in_bytes);
    /* Whether the swap that was started has ended. waits: returns when it has. */
    bool (*has_swapped)(void *context, bool waits);
    /* Whether a message of rank `from` waits to be received. */
    bool (*is_waiting)(void *context, int from, enum exchange_channel channel);
    /* Waits a moment, without taking a core from others. */
    void (*pause)(void *context);
};

#endif
