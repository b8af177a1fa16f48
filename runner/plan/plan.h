/*
 * plan.h - reduces a spec to the fewest trainings.
 *
 * Cells that differ only in evaluation settings share a run. A run is identified by
 * config_run_hash() with the data hash that `hrmlab-worker describe` returns. What
 * does not depend on the seed is computed once per arm, because an arm may have a
 * thousand seeds.
 */
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "error.h"
#include "seeded.h"
#include "spec.h"

struct plan_evaluation {
    /* owned; canonical text of the resolved evaluation settings: the object in
     * job.json's evaluations, with all keys */
    char *canonical;
    int64_t outer_steps, augmentations /* 0 = all */, eval_seed;
    int64_t rollouts; /* passes over every row; 0 is taken as 1 */
    bool act_inference;
    bool train_split;
};

/* What all seeds of an arm share. */
struct plan_arm {
    char data_hash[65];
    /* owned; a sentence: tasks trained on, tested on and left out */
    char *data_counts;
    int64_t tasks_tested;         /* evaluation tasks; 0: not known */
    int64_t variants;             /* most of a task in its data; 0: not known */
    bool random_ids;              /* each row can have the id of another task */
    bool unknown_variants;        /* answers to training rows cannot be undone */
    int64_t leaked;               /* evaluation tasks of which a copy is trained on */
    struct seeded_text canonical; /* owned; canonical training form */
    struct seeded_text
        job_config; /* owned; canonical text of the settings that belong to the run */
    int64_t parameters, puzzle_parameters, total_steps;
    double epochs;          /* of the whole training; 0: not known */
    double train_flops;     /* of the whole training */
    double engine_bytes;    /* memory of the model and its activations in training */
    double eval_step_flops; /* FLOPs of one outer step of all test rows */
    /* expected FLOPs of training and evaluations */
    double cost;
    struct plan_evaluation *evaluations; /* owned; distinct by canonical */
    int evaluation_count;
};

/* A run of the plan. Arms that share it have equal training settings and equal
 * evaluations. */
struct plan_run {
    char hash[65];
    int arm;  /* the first arm that it serves: index of spec->arms and arms */
    int base; /* number of the run whose weights it begins with; -1: none */
    int64_t seed;
    /* not owned; set if the run was queued before its data or the engine changed;
     * NULL: the arm's data hash, this engine */
    const char *data_hash, *numeric_version;
};

struct plan_dropped {
    int arm;
    char *evaluation; /* owned */
    char *reason;     /* owned */
};

struct plan {
    struct spec *spec;     /* owned: plan_destroy() frees it */
    char spec_hash[65];    /* SHA-256 of spec->resolved */
    struct plan_arm *arms; /* owned; as spec->arms */
    struct plan_run *runs; /* owned; distinct by hash, in order of first use */
    int run_count;
    /* owned; (arm, seed): index of runs; see plan_run_of() */
    int *run_of;
    int64_t cell_count;           /* arms x seeds x their evaluations */
    struct plan_dropped *dropped; /* owned */
    int dropped_count;
};

/* The arm with the run's settings, apart from the seed. */
static inline const struct plan_arm *plan_arm_of(const struct plan *plan,
                                                 const struct plan_run *run)
{
    return &plan->arms[run->arm];
}

/* The index of an arm's run, given the index of the seed in spec->seeds. */
static inline int plan_run_of(const struct plan *plan, int arm, int seed)
{
    return plan->run_of[(size_t)arm * (size_t)plan->spec->seed_count + (size_t)seed];
}

/* The canonical text of the run's settings (its arm's canonical or job_config), with
 * the hash of its base. Newly allocated; NULL: no memory. */
char *plan_run_text(const struct plan *plan, const struct plan_run *run,
                    const struct seeded_text *text);

/*
 * Builds the plan; takes ownership of spec, also on failure. worker_program: path of
 * hrmlab-worker, which answers all questions about the data and the engine's shapes in
 * one call. workspace: where it caches facts about data; NULL: nowhere.
 */
int plan_create(struct plan **out, struct spec *spec, const char *worker_program,
                const char *workspace, struct error *err) MUST_CHECK;
/* Gives the plan's spec another valid name. ERROR_NOMEM. */
int plan_rename(struct plan *plan, const char *name, struct error *err) MUST_CHECK;
void plan_destroy(struct plan *plan);

#endif
