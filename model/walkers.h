/*
 * walkers.h - the copies of an engine with which its threads work through a batch.
 */
#ifndef MODEL_WALKERS_H
#define MODEL_WALKERS_H

#include <stdbool.h>

#include "error.h"

struct engine;

/* Starts the threads and makes the walkers that engine->config asks for. ERROR_NOMEM,
 * ERROR_ENVIRONMENT: as team_create(). */
int walkers_create(struct engine *engine, struct error *err) MUST_CHECK;
void walkers_destroy(struct engine *engine);

/* Copies into every walker what it shares with the engine. */
void walkers_refresh(struct engine *engine);
/*
 * Calls work(context, member) for the first `members` walkers at the same time, having
 * copied into each what it shares with the engine. The member's walker is
 * engine->walkers[member]. Meanwhile the watch is called, by the caller's thread alone,
 * after its own layers and, while it waits for other threads or ranks, after theirs.
 * Returns when all ranks have ended their parts. false: the watch has asked to abandon
 * the step.
 */
bool walkers_run(struct engine *engine, int members, void (*work)(void *context, int member),
                 void *context);
/* The same without a watch, for work that counts no units. */
void walkers_share(struct engine *engine, void (*work)(void *context, int member),
                   void *context);

#endif
