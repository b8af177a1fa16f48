/*
 * plan.h - from a spec to the fewest trainings that answer it.
 *
 * Cells that differ only in evaluation settings share a run. A run is identified by
 * config_run_hash() with the data hash that `hrmlab-worker describe` gives.
 */
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "spec.h"

struct plan_evaluation {
    char *
        canonical; /* owned; canonical text of the complete resolved evaluation settings, that is
                        the object of job.json's evaluations with all five keys */
    int64_t outer_steps, augmentations /* 0 = all */, eval_seed;
    bool act_inference;
    bool train_split;
};

struct plan_run {
    char hash[65];
    char data_hash[65];
    char *canonical;      /* owned; canonical training form */
    cJSON *job_config;    /* owned; config_to_json() */
    struct config config; /* owned; resolved, with the seed */
    int64_t seed;
    int64_t parameters, puzzle_parameters, total_steps;
    double train_flops;                  /* of the whole training */
    double cost;                         /* expected FLOPs of training and evaluations */
    struct plan_evaluation *evaluations; /* owned; distinct by canonical */
    int evaluation_count;
};

struct plan_cell {            /* (arm, run, evaluation) */
    int arm, run, evaluation; /* indices: spec->arms, runs, runs[run].evaluations */
};

struct plan_dropped {
    int arm;
    char *evaluation; /* owned */
    char *reason;     /* owned */
};

struct plan {
    struct spec *spec;     /* owned: plan_destroy ends it */
    char spec_hash[65];    /* SHA-256 of spec->resolved */
    struct plan_run *runs; /* owned; distinct by hash, in order of first use */
    int run_count;
    struct plan_cell *cells; /* owned */
    int cell_count;
    struct plan_dropped *dropped; /* owned */
    int dropped_count;
};

/*
 * Builds the plan; takes spec over even on failure. worker_program: path of hrmlab-worker,
 * which is asked once for everything that needs the data or the engine's shapes.
 */
int plan_create(struct plan **out, struct spec *spec, const char *worker_program,
                struct error *err);
void plan_destroy(struct plan *plan);

#endif
