/*
 * place.h - a workspace of a test's own, with programs started in it and questions asked of it.
 * Faults of the test's own making (no directory, no database) fail the test.
 */
#ifndef TESTS_SUPPORT_PLACE_H
#define TESTS_SUPPORT_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

/* HRMLAB_PROGRAM, HRMLAB_WORKER, HRMLAB_FAKE_WORKER, or those of build/asan. */
const char *place_hrmlab(void);
const char *place_worker(void);
const char *place_fake_worker(void);

struct place {
    char directory[40];
    char workspace[60], spec[60];
};

/* A directory below /tmp with the spec of two small trainings (HRM, transformer) in it. */
void place_make(struct place *place);
/* HRMLAB_KEEP=1 leaves it there. */
void place_remove(struct place *place);

/* The release build's programs from now on, and as worker a null one (fake_worker.c), which
 * follows the protocol in the way that mode says, or (NULL) the real one. */
void place_use_release(const char *mode);
/* A null worker as worker from now on, which misbehaves in the way that mode says (fake_worker.c);
 * for "describe" and others it asks the worker that was named before. */
void place_use_fake(const char *mode);
/* Makes the place and runs its spec with such a worker, arch.name=hrm and this setting; the exit
 * code is to be exit_code. Then HRMLAB_WORKER is as it was. */
void place_run_fake(struct place *place, const char *mode, const char *setting, int exit_code);
/* The path of faults/shim.c's library. */
const char *place_shim(void);

/* Starts hrmlab with the words given (NULL-terminated), output appended to DIR/out. */
pid_t place_start(const struct place *place, const char *first, ...) __attribute__((sentinel));
/* Runs hrmlab with the words given (NULL-terminated) to its end; standard output and standard error
 * as fresh texts. The exit code, or 128 and the signal. */
int place_run(const struct place *place, const char *const *words, char **out, char **errors);
/* The same; it is to end with that code. Its output, or where the code is not 0 its messages,
 * fresh. */
char *place_text(const struct place *place, int code, const char *const *words);
/* The words stand in the text. */
void place_expect_words(const char *text, const char *words);
/* Its exit code, or 128 and the signal. */
int place_finish(pid_t pid);
/* True when its output so far has these words. */
bool place_output_has(const struct place *place, const char *words);
void place_sleep_ms(int milliseconds);

/* The first column of the first row, fresh text; "" when there is none. */
char *place_ask(const struct place *place, const char *sql);
/* A question: all results, weights included, and that every run is done exactly once. Nothing in it
 * may depend on faults. */
extern const char PLACE_STATE[];
void place_expect(const struct place *place, const char *sql, const char *expected);
/* SQL for its effect, by sqlite3 itself; it must change something. */
void place_change(const struct place *place, const char *sql);
/* Waits until the question has that answer; false: not within a minute. */
bool place_wait_for(const struct place *place, const char *sql, const char *expected);

/* Sends a signal to the keepers and workers of the workspace. Returns to how many. */
int place_signal_workers(const struct place *place, int signal);
/* Kills (-9) every process whose command line names the place's directory, until there is none. */
void place_kill_all(const struct place *place);
/* True when no such process is left, within ten seconds. */
bool place_becomes_quiet(const struct place *place);

#endif
