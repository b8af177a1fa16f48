/*
 * rank_service.h - what the workers of ranks other than 0 do: they limit themselves as
 * rank 0's job asks and serve its engine.
 */
#ifndef WORKER_RANK_SERVICE_H
#define WORKER_RANK_SERVICE_H

#include <stdbool.h>

#include "error.h"
#include "exchange.h"
#include "job.h"

/* Ranks other than 0: confines this process, which then writes no file, limits it, and
 * serves until rank 0 ends the service. */
int rank_serve(const struct exchange *exchange, struct error *err) MUST_CHECK;

/* Rank 0; exchange NULL: one process, and nothing is done. Tells the others the limits
 * of the job. */
void rank_begin_service(const struct exchange *exchange, const struct job *job);
/* Lets the others return; begun: whether rank_begin_service() was called. */
void rank_end_service(const struct exchange *exchange, bool begun);

/* Pins this process to its rank's share of a job's cores and limits memory (GiB; 0:
 * none), files and core dumps. OpenBLAS allocates its buffers, one for each thread,
 * during GEMMs and waits for ever if it cannot, so they are made before memory is
 * limited; those of threads beyond the first do not count. */
int rank_limit_process(const struct exchange *exchange, const int *cpus, int cpu_count,
                       double memory_gb, int threads, struct error *err) MUST_CHECK;

#endif
