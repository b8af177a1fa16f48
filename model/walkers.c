/* walkers.c - makes walkers, keeps them in step with the engine, and runs them. */
#include "walkers.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine_internal.h"
#include "memory.h"
#include "ranks.h"
#include "shape_widths.h"

/* All members before this one are shared. */
static const size_t SHARED_BYTES = offsetof(struct engine, gradients);

/* The number of threads that find work in training. */
static int count_train_walkers(const struct engine *engine)
{
    const struct lane_range lanes = ranks_lanes(engine);
    int most = lanes.count * SHAPE_THREADS_OF_A_LANE;
    int chunks = lanes_chunks(ranks_lane_deal(engine), lanes);

    if (chunks < most)
        most = chunks;
    if (engine->config.inference_only || most < 1)
        return 1;
    return engine->config.threads < most ? engine->config.threads : most;
}

int walkers_create(struct engine *engine, struct error *err)
{
    const struct engine_config *c = &engine->config;
    size_t count = (size_t)c->threads;

    engine->progress = &engine->own_progress;
    engine->train_walkers = count_train_walkers(engine);
    engine->walkers = calloc(count, sizeof(struct engine *));
    if (engine->walkers == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the table of threads");
    engine->walkers[0] = engine;
    for (size_t i = 1; i < count; i++) {
        engine->walkers[i] = calloc(1, sizeof *engine);
        if (engine->walkers[i] == NULL)
            return error_set(err, ERROR_NOMEM, "no memory for the data of a thread");
        engine->walkers[i]->member = (int)i;
    }
    return engine->sum.only_counted ? 0 : team_create(&engine->team, c->threads, err);
}

void walkers_destroy(struct engine *engine)
{
    team_destroy(engine->team);
    engine->team = NULL;
    for (int i = 1; engine->walkers != NULL && i < engine->config.threads; i++)
        free(engine->walkers[i]);
    free(engine->walkers);
    engine->walkers = NULL;
}

void engine_advance_sum(struct engine *engine)
{
    float *sum = NULL;

    if (engine->gradient_sum == NULL || engine->member != 0)
        return;
    int pieces = lanes_early_pieces(engine->lanes, &sum);
    gradient_sum_advance(engine->gradient_sum, sum, pieces);
}

/* Tells rank 0, or on rank 0 the watch, how far all threads are, unless it knows. */
static void report_progress(struct engine *engine)
{
    struct step_progress *progress = engine->progress;
    bool orders = ranks_orders(engine->config.exchange), stop = false;
    int64_t before = progress->reported;

    if (orders)
        atomic_fetch_add(&progress->done, ranks_listen(engine->ranks));
    int64_t done = atomic_load(&progress->done);
    if (done == before)
        return;
    progress->reported = done;
    if (engine->ranks != NULL && !orders)
        stop = ranks_report(engine->ranks, done - before);
    else if (engine->watch != NULL)
        stop = engine->watch(engine->watch_context, done, engine->work_total);
    if (stop)
        atomic_store(&progress->stopped, true);
    if (stop && orders)
        ranks_stop(engine->ranks);
}

bool engine_goes_on(struct engine *engine, int work)
{
    atomic_fetch_add(&engine->progress->done, work);
    if (engine->member == 0) {
        engine_advance_sum(engine);
        report_progress(engine);
    }
    return !atomic_load(&engine->progress->stopped);
}

/* What one call of walkers_run() needs. */
struct run {
    struct engine *engine;
    void (*work)(void *context, int member);
    void *context;
};

static void run_work(void *context, int member)
{
    const struct run *run = context;

    run->work(run->context, member);
}

static void run_wait(void *context)
{
    const struct run *run = context;

    if (atomic_load(&run->engine->progress->stopped))
        return;
    engine_advance_sum(run->engine);
    report_progress(run->engine);
}

void walkers_refresh(struct engine *engine)
{
    for (int i = 1; i < engine->config.threads; i++)
        memcpy((void *)engine->walkers[i], engine, SHARED_BYTES);
}

/* Ends a step together with the other ranks. false: it is abandoned. */
static bool meet_ranks(struct engine *engine)
{
    const struct exchange *exchange = engine->config.exchange;
    bool orders = ranks_orders(exchange);

    if (!orders)
        ranks_end(engine->ranks);
    while (!(orders ? ranks_have_ended(engine->ranks) : ranks_have_verdict(engine->ranks))) {
        exchange->pause(exchange->context);
        engine_advance_sum(engine);
        if (orders)
            report_progress(engine);
    }
    return ranks_conclude(engine->ranks, atomic_load(&engine->progress->stopped));
}

bool walkers_run(struct engine *engine, int members, void (*work)(void *context, int member),
                 void *context)
{
    struct run run = { engine, work, context };

    walkers_refresh(engine);
    ranks_begin_step(engine->ranks);
    team_run(engine->team, members, run_work, run_wait, &run);
    run_wait(&run);
    if (engine->ranks != NULL)
        return meet_ranks(engine);
    return !atomic_load(&engine->progress->stopped);
}

void walkers_share(struct engine *engine, void (*work)(void *context, int member),
                   void *context)
{
    team_run(engine->team, engine->config.threads, work, NULL, context);
}

/* Items that the threads share out. */
struct items {
    int count, threads;
    void (*work)(void *context, int item);
    void *context;
};

static void work_part(void *context, int member)
{
    const struct items *items = context;
    int64_t count = items->count;
    int end = (int)(count * (member + 1) / items->threads);

    for (int i = (int)(count * member / items->threads); i < end; i++)
        items->work(items->context, i);
}

void engine_share(struct engine *engine, int count, void (*work)(void *context, int item),
                  void *context)
{
    struct items items = { count, engine->config.threads, work, context };

    walkers_share(engine, work_part, &items);
}
