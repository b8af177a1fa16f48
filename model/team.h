/*
 * team.h - a fixed number of threads that run one function together.
 *
 * The caller of team_run() is member 0; the others are threads of the team, which sleep
 * between two calls and block all signals.
 */
#ifndef MODEL_TEAM_H
#define MODEL_TEAM_H

#include <pthread.h>
#include <stddef.h>

#include "error.h"

struct team;

/* Starts size - 1 threads; a team of 1 has none. ERROR_ENVIRONMENT: no thread could be
 * started; the message has the number of threads. team_destroy() ends them; NULL is
 * allowed. */
int team_create(struct team **out, int size, struct error *err) MUST_CHECK;
void team_destroy(struct team *team);

/*
 * Calls work(context, member) once for each member from 0 to members - 1 <= size - 1,
 * at the same time, and returns when all have returned. What was written before is
 * visible to every member, and what they write to the caller.
 *   wait  called about every 50 ms by the caller's thread while it waits for others;
 *         NULL: nothing
 */
void team_run(struct team *team, int members, void (*work)(void *context, int member),
              void (*wait)(void *context), void *context);

/* A condition variable for team_cond_wait(), which waits for a signal, at most 50
 * ms. */
void team_cond_init(pthread_cond_t *cond);
void team_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/* The part of `total` units that member `member` of `members` does: begins at the
 * returned unit and ends before that of member + 1. Parts begin at multiples of
 * 64. */
size_t team_part(size_t total, int members, int member);

#endif
