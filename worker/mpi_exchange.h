/*
 * mpi_exchange.h - messages between the ranks of a worker by MPI, where it is built
 * with it (make MPI=1). No other file knows MPI.
 */
#ifndef WORKER_MPI_EXCHANGE_H
#define WORKER_MPI_EXCHANGE_H

#include <stdbool.h>

#include "error.h"
#include "exchange.h"

/* Whether this program is built with MPI. */
bool mpi_exchange_is_built(void);

/* How to build it so, for messages. */
#define MPI_EXCHANGE_HOW                                                                       \
    "this hrmlab-worker is built without MPI; install libopenmpi-dev and openmpi-bin, and "    \
    "build it with: make MPI=1"

/*
 * Starts MPI in this process, which mpirun or srun has started, and sends a message to
 * every other rank and back, so that what they need of the system (connections, shared
 * memory) is there before the process is confined. ERROR_ENVIRONMENT: the program is
 * built without MPI. What MPI itself finds wrong ends the process with its message.
 */
int mpi_exchange_open(struct exchange *out, struct error *err) MUST_CHECK;
/* Ends MPI, when all ranks have come here. */
void mpi_exchange_close(void);

#endif
