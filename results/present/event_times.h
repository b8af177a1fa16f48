/*
 * event_times.h - when a run reached its training steps, as its journals say.
 */
#ifndef RESULTS_EVENT_TIMES_H
#define RESULTS_EVENT_TIMES_H

#include <stdint.h>

#include "error.h"

struct store;

enum event_kind { EVENT_OF_METRIC, EVENT_OF_EVALUATION };

/* Times are seconds since 1970. */
struct event_times {
    struct event_moment {
        enum event_kind kind;
        int64_t step;
        int place; /* in the journals: of two with one step the later counts */
        double time;
    } * items; /* owned; by kind, step, place */
    int count;
    double first, last; /* start of the first attempt, end of the last; 0: not
                         * started */
};

/* Reads the journals of the run's attempts, which are below workspace; one that is gone
 * or damaged is passed over. ERROR_NOMEM, database errors. */
int event_times_load(struct event_times *out, struct store *store, int64_t run_id,
                     const char *workspace, struct error *err) MUST_CHECK;
void event_times_release(struct event_times *times);

/* When an event of that kind and step was written; of the nearest step before where
 * there is none; the first time where there is none either. */
double event_times_at(const struct event_times *times, enum event_kind kind, int64_t step);

#endif
