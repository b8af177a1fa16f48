/* mpi_exchange.c - point-to-point messages of MPI, which wait without taking a core. */
#include "mpi_exchange.h"

#ifdef HRMLAB_MPI

#include <assert.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"

/* MPI counts in int. */
enum { MOST_BYTES = 1 << 30 };

/* How long a waiting process polls before it sleeps, and how long it sleeps. */
static const double POLL_S = 0.002, SHORT_S = 1.0;
enum { NAP_NS = 50000, LONG_NAP_NS = 1000000 };

/* The swap that goes on; of this process. */
struct started {
    MPI_Request requests[2];
};

static void nap(double waited_s)
{
    if (waited_s < POLL_S)
        sched_yield();
    else
        nanosleep(&(struct timespec){ .tv_nsec = waited_s < SHORT_S ? NAP_NS : LONG_NAP_NS },
                  NULL);
}

static void finish(MPI_Request *requests, int count)
{
    double began_s = clock_monotonic_s();
    int done = 0;

    for (;;) {
        MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE);
        if (done)
            return;
        nap(clock_monotonic_s() - began_s);
    }
}

static int first_part(size_t bytes)
{
    return bytes < MOST_BYTES ? (int)bytes : MOST_BYTES;
}

static void mpi_send(void *unused, int to, enum exchange_channel channel, const void *data,
                     size_t bytes)
{
    const unsigned char *at = data;

    (void)unused;
    do {
        int part = first_part(bytes);
        MPI_Request request;

        MPI_Isend(at, part, MPI_BYTE, to, (int)channel, MPI_COMM_WORLD, &request);
        finish(&request, 1);
        at += part;
        bytes -= (size_t)part;
    } while (bytes > 0);
}

static void mpi_receive(void *unused, int from, enum exchange_channel channel, void *data,
                        size_t bytes)
{
    unsigned char *at = data;

    (void)unused;
    do {
        int part = first_part(bytes);
        MPI_Request request;

        MPI_Irecv(at, part, MPI_BYTE, from, (int)channel, MPI_COMM_WORLD, &request);
        finish(&request, 1);
        at += part;
        bytes -= (size_t)part;
    } while (bytes > 0);
}

static void mpi_swap(void *unused, int with, const void *out, size_t out_bytes, void *in,
                     size_t in_bytes)
{
    const unsigned char *from = out;
    unsigned char *to = in;

    (void)unused;
    do {
        int sent = first_part(out_bytes), got = first_part(in_bytes);
        MPI_Request requests[2];

        MPI_Irecv(to, got, MPI_BYTE, with, EXCHANGE_DATA, MPI_COMM_WORLD, &requests[0]);
        MPI_Isend(from, sent, MPI_BYTE, with, EXCHANGE_DATA, MPI_COMM_WORLD, &requests[1]);
        finish(requests, 2);
        from += sent;
        to += got;
        out_bytes -= (size_t)sent;
        in_bytes -= (size_t)got;
    } while (out_bytes > 0 || in_bytes > 0);
}

static void mpi_start_swap(void *context, int with, const void *out, size_t out_bytes, void *in,
                           size_t in_bytes)
{
    struct started *started = context;

    assert(out_bytes <= EXCHANGE_MOST_STARTED && in_bytes <= EXCHANGE_MOST_STARTED);
    MPI_Irecv(in, (int)in_bytes, MPI_BYTE, with, EXCHANGE_SUMS, MPI_COMM_WORLD,
              &started->requests[0]);
    MPI_Isend(out, (int)out_bytes, MPI_BYTE, with, EXCHANGE_SUMS, MPI_COMM_WORLD,
              &started->requests[1]);
}

static bool mpi_has_swapped(void *context, bool waits)
{
    struct started *started = context;
    int done = 0;

    if (waits) {
        finish(started->requests, 2);
        return true;
    }
    MPI_Testall(2, started->requests, &done, MPI_STATUSES_IGNORE);
    return done != 0;
}

static bool mpi_is_waiting(void *unused, int from, enum exchange_channel channel)
{
    int waiting = 0;

    (void)unused;
    MPI_Iprobe(from, (int)channel, MPI_COMM_WORLD, &waiting, MPI_STATUS_IGNORE);
    return waiting != 0;
}

static void mpi_pause(void *unused)
{
    (void)unused;
    nap(POLL_S);
}

/* Swaps a small and a large message with every other rank. */
static int meet_all(const struct exchange *x, struct error *err)
{
    enum { LARGE = 1 << 22 };
    unsigned char *out = calloc(1, LARGE), *in = calloc(1, LARGE);
    int most = 1, rc = 0;

    while (most < x->count)
        most *= 2;
    if (out == NULL || in == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for messages between ranks");
    for (int bits = 1; rc == 0 && bits < most; bits++) {
        int with = x->rank ^ bits;

        if (with >= x->count)
            continue;
        x->swap(x->context, with, out, 1, in, 1);
        x->swap(x->context, with, out, LARGE, in, LARGE);
    }
    free(out);
    free(in);
    return rc;
}

bool mpi_exchange_is_built(void)
{
    return true;
}

int mpi_exchange_open(struct exchange *out, struct error *err)
{
    static struct started started;
    int provided = 0;

    *out = (struct exchange){ .context = &started,
                              .send = mpi_send,
                              .receive = mpi_receive,
                              .swap = mpi_swap,
                              .start_swap = mpi_start_swap,
                              .has_swapped = mpi_has_swapped,
                              .is_waiting = mpi_is_waiting,
                              .pause = mpi_pause };
    /* The default handler of errors ends all processes. */
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &out->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &out->count);
    return meet_all(out, err);
}

void mpi_exchange_close(void)
{
    MPI_Finalize();
}

#else

bool mpi_exchange_is_built(void)
{
    return false;
}

int mpi_exchange_open(struct exchange *out, struct error *err)
{
    *out = (struct exchange){ .count = 1 };
    return error_set(err, ERROR_ENVIRONMENT, MPI_EXCHANGE_HOW);
}

void mpi_exchange_close(void)
{
}

#endif
