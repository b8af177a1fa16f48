/*
 * run_facts.h - what is known of the trainings of an experiment's runs: their states
 * and costs, each run once.
 */
#ifndef RESULTS_RUN_FACTS_H
#define RESULTS_RUN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "id_range.h"
#include "query.h"
#include "text_set.h"

struct store;

struct run_fact {
    int64_t run_id, seed;
    int64_t config_id; /* of its settings but the seed; 0: none */
    /* without and of the puzzle embedding; 0: unknown, or none */
    int64_t parameters, puzzle_parameters;
    int64_t total_steps; /* planned training steps; 0: unknown */
    char hash[65];
    const char *data_hash; /* one of run_facts.data_hashes */
    /* done if one of its trainings is; otherwise the state of its last training */
    enum run_state state;
    bool failed;    /* its last training failed, diverged or was cancelled */
    char cause[24]; /* of RUN_FAILED: "out of memory"; "": unknown */
    /* NaN: unknown */
    double train_flops;
    double cpu_seconds; /* of all attempts to train it, summed over cores */
    /* wall time, of the last attempt to train it that reported them */
    double train_seconds, evaluation_seconds;
};

struct run_facts {
    struct run_fact *items; /* owned; by run_id, ascending */
    int count;
    struct text_set data_hashes; /* owned */
};

/* Arms of an experiment, by arm_id. */
struct arm_range {
    int64_t experiment_id, first, last;
};

/* The numbers of the experiment's runs, whatever the conditions of the results: from
 * what they keep, else from the database. ERROR_NOMEM, database errors; release it
 * then, too. */
int run_ids_of(struct id_list *out, struct store *store, const struct results *results,
               struct error *err) MUST_CHECK;

/* The same of an experiment by its name; none: there is no such experiment. */
int run_ids_named(struct id_list *out, struct store *store, const char *experiment,
                  struct error *err) MUST_CHECK;

/* Loads the runs of these arms; costs: what attempts took, too. An empty list: there
 * are none. ERROR_NOMEM, database errors. */
int run_facts_load(struct run_facts *out, struct store *store, const struct arm_range *arms,
                   bool costs, struct error *err) MUST_CHECK;
void run_facts_release(struct run_facts *facts);

/* The facts of a run; NULL: it is not in the list, or not in the database. near: where
 * in the list it may be. */
const struct run_fact *run_facts_find(const struct run_facts *facts, int64_t run_id, int near);

/* A job's state, as one of a run, from its state and cause in the database; its cause,
 * "" without one, into cause where it failed, else "". */
enum run_state run_state_of_job(char cause[24], const char *state, const char *job_cause);

#endif
