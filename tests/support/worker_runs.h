/*
 * worker_runs.h - for tests: writes jobs for the real hrmlab-worker, starts it, reads what it
 * left. The program is HRMLAB_WORKER, or build/asan/hrmlab-worker.
 */
#ifndef TESTS_WORKER_RUNS_H
#define TESTS_WORKER_RUNS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <sys/types.h>

#include "settings.h"

/* A few small ARC tasks, training/ and evaluation/ below a fresh directory of /tmp: grids of 3 x 3,
 * outputs are inputs with colours exchanged. The path is put into out. */
void run_make_tasks(char out[64]);
/* The same as setup and teardown of a test, in run_task_folder. */
extern char run_task_folder[64];
int run_task_folder_make(void **state);
int run_task_folder_remove(void **state);
/* Changes one cell of one of them. */
void run_change_tasks(const char *directory);

/* Settings of a small and quick run on those tasks, in front of more ("key=value",
 * NULL-terminated; at most 16). */
struct run_settings {
    char path[96];
    const char *list[40];
};
void run_settings_init(struct run_settings *out, const char *tasks, const char *const *more);

struct run_setup {
    char directory[128]; /* runs/HASH of a workspace of its own, below /tmp */
    char workspace[64];
    char run_hash[65], data_hash[65];
    struct config config;    /* resolved */
    const char *evaluations; /* JSON list */
    cJSON *described;        /* what `describe` says of the configuration */
};

/* A workspace for one run of the given "key=value" settings (NULL-terminated list). Ends the
 * test when something is wrong. */
void run_setup_init(struct run_setup *setup, const char *const *settings,
                    const char *evaluations);
/* Removes the workspace. */
void run_setup_release(struct run_setup *setup);

/* Makes attempts/N with its job.json. checkpoint NULL: kind train, else evaluate. */
void run_write_job(const struct run_setup *setup, int attempt, const char *checkpoint);
/* The path of name in attempts/N; fresh. */
char *run_path(const struct run_setup *setup, int attempt, const char *name);

/* Starts `hrmlab-worker run attempts/N`, its output to attempts/N/log. */
pid_t run_start(const struct run_setup *setup, int attempt);
/* Waits at most two minutes; the exit code, or 128 + signal. */
int run_wait(pid_t pid);
/* run_start and run_wait. */
int run_attempt(const struct run_setup *setup, int attempt);
/* The pid of the worker that began the attempt, 0 when keeper has it no more. By its begin event:
 * at its end a keeper under AddressSanitizer has another child, which looks for leaks, and would
 * wait for ever for it if it were killed. */
pid_t run_worker_pid(const struct run_setup *setup, int attempt, pid_t keeper);

/* Every whole event of the attempt's journal as a list; checks hashes and order. A missing
 * journal is an empty list. */
cJSON *run_journal(const struct run_setup *setup, int attempt);
/* The last event of a type, NULL when there is none. */
const cJSON *run_last_event(const cJSON *journal, const char *type);
int run_count_events(const cJSON *journal, const char *type);
/* Waits until the attempt's journal has an event of this type with step >= step. False: it has
 * ended without one; the other function fails then. */
bool run_reaches(const struct run_setup *setup, int attempt, const char *type, double step);
void run_wait_event(const struct run_setup *setup, int attempt, const char *type, double step);
/* A text of the attempt's last event of a type; ends the test when absent. Fresh. */
char *run_event_text(const struct run_setup *setup, int attempt, const char *type,
                     const char *member);

/* Runs the program with these arguments (NULL-terminated), input as its standard input;
 * standard output (and, when wanted, standard error) as fresh texts. The exit code. */
int run_program(const char *const *arguments, const char *input, char **out, char **errors);

void run_pause_ms(int ms);

#endif
