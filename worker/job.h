/*
 * job.h - job.json: the description of an attempt, read and checked as a whole.
 */
#ifndef WORKER_JOB_H
#define WORKER_JOB_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "halt_rule.h"
#include "hash.h"
#include "init_from.h"
#include "scores.h"
#include "settings.h"

struct data_set;

enum job_kind { JOB_TRAIN, JOB_EVALUATE };

/* One evaluation of the job. */
struct job_evaluation {
    int64_t outer_steps;   /* >= 1 */
    int64_t augmentations; /* predictions voted over; 0: all */
    int64_t seed;          /* of the subsample */
    bool act_inference;
    struct halt_rule rule;
    int puzzle_ids; /* enum puzzle_ids */
    bool train_split;
    bool trajectory; /* record every outer step */
    int64_t pool;    /* evaluations whose votes are counted together; 0: all */
    int rollouts;
    double init_noise;
    enum rollout_choice choose;
    bool raw_weights; /* those that the optimizer updates, not their averages */
    char *canonical;  /* owned; canonical form of the settings, as in job.json */
};

/* An earlier attempt from whose checkpoints the job may resume, up to a step. */
struct job_resume {
    int attempt;
    int64_t step;
};

/* The weights that a training begins with. */
struct job_base {
    enum init_kind kind; /* INIT_SEED: those that the seed draws, and no file */
    char *file;          /* owned; relative to the workspace */
    /* of INIT_RUN: the run, the content of its data, its settings (resolved) */
    char run_hash[HASH_HEX_SIZE], data_hash[HASH_HEX_SIZE];
    struct config config; /* owned */
};

struct job {
    char *directory; /* owned; the attempt's */
    enum job_kind kind;
    char run_hash[HASH_HEX_SIZE];
    char data_hash[HASH_HEX_SIZE];
    int attempt;
    struct config config;               /* owned; resolved */
    struct job_evaluation *evaluations; /* owned; distinct */
    int evaluation_count;
    /* owned; relative to the run's directory; NULL unless JOB_EVALUATE */
    char *checkpoint;
    struct job_base base;
    int *cpus; /* owned */
    int cpu_count;
    /* the job is by a release whose jobs did not list attempts */
    bool resumes_from_any;
    struct job_resume *resume; /* owned */
    int resume_count;
};

/*
 * Reads DIRECTORY/job.json. Everything is checked, down to the run hash, which must be
 * that of the configuration and the data hash. ERROR_FORMAT and ERROR_ABSENT name the
 * file, the member and what was expected. On failure *out is zeroed.
 */
int job_read(struct job *out, const char *directory, struct error *err) MUST_CHECK;
/* Accepts a zeroed job. */
void job_release(struct job *job);

/* Whether training may resume from the checkpoint that this attempt wrote at this
 * step: true if the runner has stored everything that the attempt reported before
 * it. */
bool job_may_resume(const struct job *job, int attempt, int64_t step);

/* The path of name ("attempts/1/final.safetensors") in the run's directory. Newly
 * allocated. */
char *job_run_path(const struct job *job, const char *name);
/* The path of name ("weights/HASH.safetensors") in the workspace. Newly allocated. */
char *job_workspace_path(const struct job *job, const char *name);
/* The path of name in the attempt's own directory. Newly allocated. */
char *job_own_path(const struct job *job, const char *name);

/* Opens the job's data with their rows, for a look at a run that has been trained.
 * ERROR_FORMAT: their content is not what it was then. The caller closes *out, also
 * after a failure. */
int job_open_data(struct data_set **out, const struct job *job, struct error *err) MUST_CHECK;

#endif
