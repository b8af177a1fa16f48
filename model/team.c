/* team.c - threads that wait for work on a condition variable. */
#include "team.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A thread's stack holds the kernels' arrays (at most 64 KiB a call) and OpenBLAS's. */
enum { STACK_BYTES = 2 << 20, WAIT_NS = 50 * 1000 * 1000 };

struct member {
    struct team *team;
    pthread_t thread;
    int number;
};

struct team {
    int size, started;      /* threads that exist: started - 1 */
    struct member *members; /* (size), owned */
    pthread_mutex_t mutex;
    pthread_cond_t begin, end;
    /* Guarded by the mutex: */
    uint64_t round; /* calls of team_run() so far */
    int working;    /* members of this round that have not returned */
    bool quits;
    /* Constant during a round: */
    int count;
    void (*work)(void *context, int member);
    void *context;
};

static void *member_main(void *argument)
{
    struct member *self = argument;
    struct team *team = self->team;
    uint64_t done = 0;

    pthread_mutex_lock(&team->mutex);
    for (;;) {
        while (!team->quits && team->round == done)
            pthread_cond_wait(&team->begin, &team->mutex);
        if (team->quits)
            break;
        done = team->round;
        if (self->number >= team->count)
            continue;
        pthread_mutex_unlock(&team->mutex);
        team->work(team->context, self->number);
        pthread_mutex_lock(&team->mutex);
        if (--team->working == 0)
            pthread_cond_signal(&team->end);
    }
    pthread_mutex_unlock(&team->mutex);
    return NULL;
}

/* Starts a member's thread with all signals blocked, so that they reach the
 * caller's. */
static int start_member(struct team *team, int number, const pthread_attr_t *attributes)
{
    struct member *member = &team->members[number];
    sigset_t all, before;

    *member = (struct member){ .team = team, .number = number };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&member->thread, attributes, member_main, member);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static int start_members(struct team *team, struct error *err)
{
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);

    if (rc == 0)
        rc = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (; rc == 0 && team->started < team->size; team->started++) {
        rc = start_member(team, team->started, &attributes);
        if (rc != 0)
            break;
    }
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "cannot start thread %d of %d: %s; set resources.threads lower",
                         team->started + 1, team->size, strerror(rc));
    return 0;
}

int team_create(struct team **out, int size, struct error *err)
{
    struct team *team = calloc(1, sizeof *team);

    assert(size >= 1);
    *out = NULL;
    if (team != NULL)
        team->members = calloc((size_t)size, sizeof *team->members);
    if (team == NULL || team->members == NULL) {
        free(team);
        return error_set(err, ERROR_NOMEM, "no memory for the table of threads");
    }
    team->size = size;
    team->started = 1;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->begin, NULL);
    team_cond_init(&team->end);
    int rc = start_members(team, err);
    if (rc < 0) {
        team_destroy(team);
        return rc;
    }
    *out = team;
    return 0;
}

void team_destroy(struct team *team)
{
    if (team == NULL)
        return;
    pthread_mutex_lock(&team->mutex);
    team->quits = true;
    pthread_cond_broadcast(&team->begin);
    pthread_mutex_unlock(&team->mutex);
    for (int i = 1; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->end);
    pthread_cond_destroy(&team->begin);
    pthread_mutex_destroy(&team->mutex);
    free(team->members);
    free(team);
}

void team_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

void team_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(cond, mutex, &until);
}

void team_run(struct team *team, int members, void (*work)(void *context, int member),
              void (*wait)(void *context), void *context)
{
    assert(members >= 1 && members <= team->size);
    if (members == 1) {
        work(context, 0);
        return;
    }
    pthread_mutex_lock(&team->mutex);
    team->work = work;
    team->context = context;
    team->count = members;
    team->working = members - 1;
    team->round++;
    pthread_cond_broadcast(&team->begin);
    pthread_mutex_unlock(&team->mutex);
    work(context, 0);
    pthread_mutex_lock(&team->mutex);
    while (team->working > 0) {
        team_cond_wait(&team->end, &team->mutex);
        if (wait == NULL || team->working == 0)
            continue;
        pthread_mutex_unlock(&team->mutex);
        wait(context);
        pthread_mutex_lock(&team->mutex);
    }
    pthread_mutex_unlock(&team->mutex);
}

size_t team_part(size_t total, int members, int member)
{
    enum { GRAIN = 64 };
    size_t grains = (total + GRAIN - 1) / GRAIN;
    size_t first = grains * (size_t)member / (size_t)members * GRAIN;

    return first < total ? first : total;
}
