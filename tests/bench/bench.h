/*
 * bench.h - what the files of the benchmark share.
 *
 * The parent process starts this program again for every measurement, so that each has a
 * fresh heap, its own peak memory and its own luck with physical pages: `bench child ...`
 * prints one JSON object. bench_main.c is the parent.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "engine.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

/* One model under measurement: S, A, M, T, F, and the same in bfloat16 as S-bf16 ...; C with
 * a context, R as TRM, G with gradient through all calls. */
struct bench_case {
    const char *name, *what;
    enum system_id system;
    int tokens, vocabulary, identifiers, puzzle_emb_ndim;
    int hidden_size, heads, H_layers, L_layers, H_cycles, L_cycles, batch;
    int halt_max_steps;
    enum engine_forward_dtype forward_dtype;
    int context_pairs, gradient_horizon; /* as in engine_config */
    bool ours_alone;                     /* no other implementation is beside it */
};

extern const struct bench_case bench_cases[];
extern const int bench_case_count;
/* NULL: no such case. */
const struct bench_case *bench_case_find(const char *name);

/* An engine with fresh weights and a few batches of random data. */
struct bench_model {
    struct engine *engine;
    struct engine_config config;
    struct engine_batch batches[4];
    int32_t *data; /* owned: what the batches point to */
    int next;
    int halt_max_steps;
    int32_t *min_halt_steps; /* owned: (B) */
    uint64_t draws;          /* training steps made: index of the exploration stream */
};

/* Fatal errors end the program with a message: it measures and keeps nothing. */
void bench_model_create(struct bench_model *model, const struct bench_case *c);
/* The same on rank 0 of several (exchange.h). */
void bench_model_create_shared(struct bench_model *model, const struct bench_case *c,
                               const struct exchange *exchange);
void bench_model_destroy(struct bench_model *model);
/* Seconds of one training step (the engine's, with exploration drawn as the worker does); of
 * one outer step of an evaluation that was begun just before. */
double bench_train_step(struct bench_model *model, struct engine_result *result);
double bench_evaluate_step(struct bench_model *model);
/* Floating point operations counted from the shapes (issue's and model.md's count): every
 * position through every layer pass, also where the engine computes less. */
void bench_flops(const struct engine_config *config, double *train, double *evaluate);

void bench_wait_until(double wall_s);
/* Pins this process to a core (-1: does not). */
void bench_pin(int core);
double bench_median(double *values, int count); /* sorts values */
_Noreturn void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- turns: several processes measure one after the other, over and over ---- */

enum bench_kind { BENCH_TRAINING, BENCH_EVALUATION, BENCH_KINDS };

/* Processes take turns by the wall clock. In each cycle every one of them has `length`
 * seconds of training, then every one half of that of evaluation. So what the machine's other
 * users do in some minute meets all of them. */
struct bench_schedule {
    double start, length; /* s; start: of the first turn, wall clock */
    int turn, turns, cycles;
};

/* Reads a schedule's words, and writes them. false: they are none. */
bool bench_schedule_read(struct bench_schedule *out, char *const *words, int count);
void bench_schedule_write(char *out, size_t size, const struct bench_schedule *schedule);
/* Waits for this process's turn in a cycle, and makes steps while it lasts. Returns steps a
 * second; adds their number to *steps. */
double bench_take_turn(struct bench_model *model, const struct bench_schedule *schedule,
                       int cycle, enum bench_kind kind, int *steps);

/* ---- children ---- */

/* Times one case; with profile also where a step's time goes. */
cJSON *bench_child_times(const struct bench_case *c, bool quick, bool profile);
/* Measures in phases that begin at wall-clock times common to several processes, each pinned
 * to core (-1: not pinned): sgemm, steps, sgemm, steps, ... */
cJSON *bench_child_phases(const struct bench_case *c, double start, double length, int core);
/* Training and outer steps in this process's turns, pinned to core (-1: not pinned): their
 * rates. */
cJSON *bench_child_turns(const struct bench_case *c, const struct bench_schedule *schedule,
                         int core);
/* On a rank of several: the same (NULL: not), what a training step exchanges, and sums of
 * gradients alone. NULL on ranks other than 0, which serve. */
cJSON *bench_child_ranks(const struct bench_case *c, const struct bench_schedule *schedule);
/* Trains a little, then writes a golden-1 case of one step at those weights to
 * PREFIX.safetensors and PREFIX.json, for another implementation to replay. */
cJSON *bench_child_export(const struct bench_case *c, const char *prefix);
/* A training step of BENCH_THREADS threads: its time, and how far its work is shared out (see
 * bench_threads.c). */
cJSON *bench_child_balance(const struct bench_case *c);
/* Milliseconds of a training step over one dimension: "batch", "tokens", ... */
cJSON *bench_child_growth(const char *dimension);

/* ---- profile ---- */

/* A list: name, calls, seconds, share, limit ("arithmetic" or "memory"), reached (share of that
 * limit); and the rate of sgemm at the step's own shapes. */
cJSON *bench_profile(struct bench_model *model, double sgemm_gflops, double *own_shapes_gflops);

/* ---- parents ---- */

/* Starts this program with the words given and returns what it prints. NULL: it failed. */
cJSON *bench_start(const char *words);
/* The same in two steps, so that several run at once. */
FILE *bench_open_child(const char *words);
cJSON *bench_read_child(FILE *child);
/* bench_open_child() as that many ranks of MPI. */
FILE *bench_open_ranks(int ranks, const char *words);
/* How long a phase in common (bench_child_phases) must be, given a training step's time. */
int bench_phase_seconds(double train_ms, bool quick);
/* The case's phases in one process of so many threads, not pinned. */
cJSON *bench_start_threads(const char *name, int threads, int phase_seconds);
/* The case's phases in two processes at once, pinned to the first two cores. */
void bench_start_two(cJSON *out[2], const char *name, int phase_seconds);
/* The configuration's name without "-bf16". */
void bench_case_base(char out[8], const struct bench_case *c);
int bench_peer(const char *const *names, int count, bool quick);
/* What one worker of two threads, two workers and, if built with MPI, two ranks reach, in
 * turns. */
int bench_pair(const char *const *names, int count, bool quick);
int bench_growth(const char *svg);
/* The time of an evaluation against the outer steps that its rows make. */
int bench_halting(const char *svg);
/* A training step with 1 to 8 threads. */
int bench_threads(const char *svg, const char *const *names, int count);
/* gnuplot's input, which draws into the file of that name; NULL: there is no gnuplot. Ended
 * by bench_plot_end(), which takes NULL too. */
FILE *bench_plot(const char *svg, int width, int height);
void bench_plot_end(FILE *plot, const char *svg);
/* Null jobs by hrmlab work, and by a bare loop with the same forks and syncs. */
void bench_scheduler(void);

#endif
