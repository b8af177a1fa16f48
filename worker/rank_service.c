/* rank_service.c - limits of a rank's process, and its service. */
#include "rank_service.h"

#include "engine.h"
#include "keeper.h"
#include "log.h"
#include "sandbox.h"

#include <stdio.h>
#include <unistd.h>

/* The first message of rank 0. */
struct limits {
    bool begins; /* false: the job cannot begin, and there is nothing to serve */
    double memory_gb;
    int threads;
    int cpu_count;
    int cpus[1024];
};

static void broadcast(const struct exchange *exchange, struct limits *limits)
{
    for (int bit = 1; bit < exchange->count; bit *= 2) {
        if (exchange->rank >= 2 * bit)
            continue;
        if (exchange->rank >= bit)
            exchange->receive(exchange->context, exchange->rank - bit, EXCHANGE_ORDERS, limits,
                              sizeof *limits);
        else if (exchange->rank + bit < exchange->count)
            exchange->send(exchange->context, exchange->rank + bit, EXCHANGE_ORDERS, limits,
                           sizeof *limits);
    }
}

/* The rank's share of the cores; there may be fewer cores than ranks. */
static int share_of(const int **share, const struct exchange *exchange, const int *cpus,
                    int cpu_count)
{
    int count = cpu_count / exchange->count;

    *share = cpu_count > 0
                 ? cpus + (count > 0 ? exchange->rank * count : exchange->rank % cpu_count)
                 : NULL;
    return count > 0 || cpu_count == 0 ? count : 1;
}

/* GiB of addresses that this process has; 0: not known. */
static double address_space_gb(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    double pages = 0.0;

    if (file != NULL && fscanf(file, "%lf", &pages) != 1)
        pages = 0.0;
    if (file != NULL)
        fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE) / 1073741824.0;
}

int rank_limit_process(const struct exchange *exchange, const int *cpus, int cpu_count,
                       double memory_gb, int threads, struct error *err)
{
    if (exchange != NULL)
        cpu_count = share_of(&cpus, exchange, cpus, cpu_count);
    int rc = keeper_pin_worker(cpus, cpu_count, err);

    if (rc == 0 && memory_gb > 0.0) {
        engine_warm_up_blas(1);
        double before = address_space_gb();
        engine_warm_up_blas(threads);
        memory_gb += address_space_gb() - before;
    }
    return rc == 0 ? keeper_limit_worker(memory_gb, err) : rc;
}

int rank_serve(const struct exchange *exchange, struct error *err)
{
    struct limits limits;
    struct sandbox sandbox;
    char words[SANDBOX_WORDS];

    sandbox_enter_rank(&sandbox, NULL);
    sandbox_describe(words, sizeof words, &sandbox);
    if (!sandbox_is_whole(&sandbox))
        log_warning("the sandbox of rank %d is incomplete here: %s", exchange->rank, words);
    broadcast(exchange, &limits);
    if (!limits.begins)
        return 0;
    int rc = rank_limit_process(exchange, limits.cpus, limits.cpu_count, limits.memory_gb,
                                limits.threads, err);

    return rc < 0 ? rc : engine_serve(exchange, err);
}

void rank_begin_service(const struct exchange *exchange, const struct job *job)
{
    enum { MOST = sizeof((struct limits *)0)->cpus / sizeof(int) };
    struct limits limits = { .begins = true,
                             .memory_gb = config_real(&job->config, RESOURCES_MEMORY_GB),
                             .threads = (int)config_int(&job->config, RESOURCES_THREADS),
                             .cpu_count = job->cpu_count < MOST ? job->cpu_count : MOST };

    if (exchange == NULL)
        return;
    for (int i = 0; i < limits.cpu_count; i++)
        limits.cpus[i] = job->cpus[i];
    broadcast(exchange, &limits);
}

void rank_end_service(const struct exchange *exchange, bool begun)
{
    struct limits nothing = { .begins = false };

    if (exchange == NULL)
        return;
    if (begun)
        engine_dismiss(exchange);
    else
        broadcast(exchange, &nothing);
}
