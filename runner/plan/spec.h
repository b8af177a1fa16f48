/*
 * spec.h - reads an experiment's JSON file and its base files into arms.
 *
 * Precedence: defaults < the workspace's settings.json < base files in order < set <
 * axes < --set on the command line.
 * grid: every combination. zip: a list of objects whose lists have equal length and
 * advance together. ablate: deviations from the base, one at a time (the base itself
 * is an arm too). exclude: a list of objects; a cell that matches all entries of one
 * is left out. Axes of evaluation settings belong in "evaluate"; in grid they are an
 * error that says so.
 */
#ifndef RUNNER_SPEC_H
#define RUNNER_SPEC_H

#include "error.h"
#include "settings.h"

struct spec_arm {
    char *label;          /* owned; "arch.name=hrm arch.halt_max_steps=4" or "base" */
    cJSON *axes;          /* owned; axis key -> value as given */
    struct config config; /* owned; resolved, without the seed's axis */
    /* index of the arm whose runs' weights its runs begin with, seed by seed; -1:
     * none */
    int base;
};

/* An evaluation as the spec asks for it (outer steps 0: as many as trained). */
struct spec_evaluation {
    struct config config; /* owned; only its evaluation settings count */
};

/* A comparison planned beforehand: the mean of the cells "to" minus that of "from". */
struct spec_contrast {
    char *name;      /* owned; no other of the spec has it */
    char *from, *to; /* owned; canonical JSON: object of setting -> value */
};

/* A safetensors file that train.init_from names. */
struct spec_weights {
    char hash[65]; /* SHA-256 of its content */
    char *path;    /* owned; absolute */
};

struct spec {
    char *name;        /* owned; [A-Za-z0-9._-], at most 100 */
    char *description; /* owned, may be empty */
    int priority;
    /* owned; without excluded cells; of equal arms only the first is listed, with
     * its label */
    struct spec_arm *arms;
    int arm_count;
    int cell_count; /* before cells are excluded and equal arms are merged */
    int excluded_count, collapsed_count;
    bool *exclude_used; /* owned: (exclude_count) whether the rule excludes a cell */
    int exclude_count;
    int base_count; /* arms at the end of the list that are there as bases only */
    /* owned; files that train.init_from names, by content */
    struct spec_weights *weights;
    int weights_count;
    int64_t *seeds; /* owned */
    int seed_count;
    struct spec_evaluation *evaluations; /* owned */
    int evaluation_count;
    struct spec_contrast *contrasts; /* owned; in the spec's order */
    int contrast_count;
    /* owned; canonical JSON of the spec with bases merged and --set applied;
     * spec_read() reads it to the same arms again; written to specs/ for rebuild */
    char *resolved;
};

enum { SPEC_MAX_CELLS = 100000, SPEC_MAX_NAME = 100, SPEC_MAX_BASE_DEPTH = 8 };

/* Reads path, with the workspace's own settings (NULL: none), and applies count
 * "key=value" overrides. Every fault is ERROR_FORMAT with one message: file, place,
 * what was expected, most similar known key. */
int spec_read(struct spec **out, const char *path, const char *workspace,
              const char *const *overrides, int count, struct error *err) MUST_CHECK;
/* Gives the spec another valid name, also in its resolved text. ERROR_NOMEM. */
int spec_rename(struct spec *spec, const char *name, struct error *err) MUST_CHECK;
void spec_destroy(struct spec *spec);

#endif
