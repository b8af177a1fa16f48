/*
 * fault.h - a place whose programs meet a fault of faults/shim.c, and what must be true afterwards.
 * Faults of the test's own making fail the test.
 */
#ifndef TESTS_SUPPORT_FAULT_H
#define TESTS_SUPPORT_FAULT_H

#include "random.h"
#include "support/place.h"

#include <stdbool.h>
#include <sys/types.h>

struct fault {
    struct place place;
    char mark[60], log[60], boot[60];
};

extern const char *fault_retries;         /* "retries.max=50" */
extern char *fault_undisturbed;           /* what PLACE_STATE says when nothing happens */
extern struct random_stream fault_stream; /* for moments and places */

/* All points instead of some (HRMLAB_LONG). */
bool fault_is_long(void);

void fault_begin(struct fault *f);
void fault_end(struct fault *f);

/* The programs started from here on meet the fault; at NULL: none. */
void fault_arm(const struct fault *f, const char *program, int n, const char *action);
void fault_disarm(void);
/* True when the fault happened: the program made that many calls. */
bool fault_struck(const struct fault *f);

pid_t fault_start_run(const struct fault *f);
/* The run once more, without faults: it must end as expected; or as if nothing had been. */
void fault_expect_end(const struct fault *f, const char *what, int n, const char *expected);
void fault_expect_recovery(const struct fault *f, const char *what, int n);
void fault_learn_undisturbed(void);

/* The number in a file. */
int fault_read_number(const char *path);

/* Fixtures: of a group; of a case with real workers. */
int fault_set_up(void **state);
int fault_tear_down(void **state);
int fault_use_real_worker(void **state);
int fault_use_null_worker_again(void **state);

#endif
