/*
 * compare.h - differences between cells, paired by task and seed. A cell is one arm
 * under one evaluation.
 */
#ifndef RESULTS_COMPARE_H
#define RESULTS_COMPARE_H

#include "baselines.h"
#include "error.h"
#include "query.h"
#include "statistics.h"

struct store;

/* An arm under an evaluation, with its seeds' outcomes per task. */
struct compare_cell {
    const struct result_row
        *row; /* its first row: arm, evaluation, outer steps, ...; borrowed */
    int seed_count;
    int64_t *seeds;     /* owned; ascending */
    double *values;     /* owned; (seeds, tasks of the comparison), NaN: task absent */
    double *seed_means; /* owned; (seeds): means over tasks */
    double mean;        /* mean of the seed_means */
    double deviation;   /* of the seed_means; NaN: fewer than two */
};

struct compare {
    struct store *store;           /* borrowed */
    const struct results *results; /* borrowed */
    enum metric metric;
    /* borrowed; set by the caller before comparing; NULL: unknown */
    const struct baselines *baselines;
    char **tasks; /* owned; the union over the cells, sorted */
    int task_count;
    /* owned; in the order of the rows; only those with a result */
    struct compare_cell *cells;
    int cell_count;
};

/* Loads the outcomes of every finished row. ERROR_FORMAT: the metric has no value
 * per task; ERROR_ABSENT: nothing has finished. store and results must outlive *out. */
int compare_create(struct compare **out, struct store *store, const struct results *results,
                   enum metric metric, struct error *err) MUST_CHECK;
void compare_destroy(struct compare *compare); /* NULL allowed */

/* Says which measure is compared in place of the one asked for; "": it is that one. */
void compare_describe_measure(char *text, size_t size, const struct compare *compare,
                              enum metric asked);

struct contrast_term {
    int cell;
    double weight;
};

enum comparison_kind {
    COMPARISON_DIFFERENCE,
    COMPARISON_INFERENCE,    /* more outer steps at inference, same training */
    COMPARISON_TRAINING,     /* more outer steps in training, same inference */
    COMPARISON_BOTH,         /* along the diagonal */
    COMPARISON_DIRECT,       /* effect of training minus effect of inference */
    COMPARISON_ARCHITECTURE, /* a block against the first */
    COMPARISON_PLANNED,      /* named by the spec */
};

enum verdict {
    VERDICT_INCONCLUSIVE,
    VERDICT_HIGHER,
    VERDICT_LOWER,
    VERDICT_EQUAL,         /* no difference on any task */
    VERDICT_NO_INFORMATION /* neither side is above its score without learning */
};

struct comparison {
    enum comparison_kind kind;
    char *group; /* owned; the block; "": there is only one */
    char *label; /* owned; "trained 4: inference 4 - 1" */
    struct estimate estimate;
    /* Means over the tasks and seeds compared, of the side subtracted and of the side
     * subtracted from: other_mean - base_mean is the estimate where all arms share
     * their seeds. NaN: more than two sides. */
    double base_mean, other_mean;
    /* Means of baseline_floor() of the cells' data; NaN: unknown. */
    double base_floor, other_floor;
    double p_holm;                   /* corrected over the list */
    int64_t least_steps, most_steps; /* of the trainings compared; 0: unknown */
    bool paired_by_seed;
    bool uninformative; /* set by comparison_list_judge() */
    int left_out;       /* number of tasks that some of its cells have and some lack */
    /* of a matrix: the outer steps compared, and those of the other side */
    int64_t from, to, fixed;
};

struct comparison_list {
    struct comparison *items; /* owned */
    int count;
    int impossible; /* number left out by compare_add_possible() */
};

/*
 * Adds the sum of weight x cell to the list; cells with a negative weight are
 * subtracted. Seeds are paired if the cells share at least STATISTICS_LEAST_SEEDS of
 * them or all seeds of the smaller side; otherwise the arms' seeds count as
 * independent. Tasks are always paired. ERROR_ABSENT: the cells have no task, or those
 * of one arm no seed, in common. On success *added (may be NULL) is the new item, valid
 * until the next call.
 */
int compare_add(struct comparison_list *list, const struct compare *compare,
                enum comparison_kind kind, const char *group, const char *label,
                const struct contrast_term *terms, int count, struct comparison **added,
                struct error *err) MUST_CHECK;
/* The same for one of many: where compare_add() has ERROR_ABSENT, the list gets none
 * and counts it as impossible. *added (may be NULL) is NULL then. */
int compare_add_possible(struct comparison_list *list, const struct compare *compare,
                         enum comparison_kind kind, const char *group, const char *label,
                         const struct contrast_term *terms, int count,
                         struct comparison **added, struct error *err) MUST_CHECK;
/* Computes p_holm of every item. */
int comparison_list_correct(struct comparison_list *list, struct error *err) MUST_CHECK;
/* The higher of the scores of copying the input and of the untrained model: the
 * level that needs no learning. NaN: neither is known (or baseline is NULL), or the
 * measure is not better when it is higher. */
double baseline_floor(const struct baseline *baseline, enum metric metric);
/* Marks the comparisons of which neither side exceeds the floor of its data. */
void comparison_list_judge(struct comparison_list *list);
void comparison_list_release(struct comparison_list *list);

/* Higher or lower only if the interval excludes 0, the corrected p is below 0.05,
 * and the comparison is informative. */
enum verdict comparison_verdict(const struct comparison *comparison);
const char *verdict_name(enum verdict verdict);

/* ---- planned beforehand ---- */

/* Adds the comparisons that the spec planned ("contrasts"), in its order, corrected
 * over these alone and judged: from the mean of one side's cells to that of the
 * other's. An empty list: it planned none. *missing: number of those that have no
 * results yet, or none that meet the conditions of compare->results. */
int compare_planned(struct comparison_list *list, int *missing, const struct compare *compare,
                    struct error *err) MUST_CHECK;
/* Counts them without loading any result. */
int compare_count_planned(int64_t *count, const struct results *results, struct store *store,
                          struct error *err) MUST_CHECK;

/* ---- two arms ---- */

/*
 * Adds second arm minus first arm for the evaluations that both have or, if each has
 * one, for these two. An arm is named by its label, the beginning of a run's hash, or
 * conditions "key=value ...". ERROR_ABSENT or ERROR_FORMAT: the name matches no arm or
 * several, or nothing can be paired.
 */
int compare_arms(struct comparison_list *list, const struct compare *compare, const char *first,
                 const char *second, struct error *err) MUST_CHECK;

/* Finds a cell of the arm that the name means, as above: of several the first that
 * is marked in preferred (cells of compare), or the first. ERROR_ABSENT: nothing of it
 * has finished. */
int compare_find_cell(int *out, const struct compare *compare, const char *name,
                      const bool *preferred, struct error *err) MUST_CHECK;

/* Adds every other arm minus one arm, likewise; arms that cannot be compared with it
 * are left out. ERROR_ABSENT: none can be. */
int compare_baseline(struct comparison_list *list, const struct compare *compare,
                     const char *baseline, struct error *err) MUST_CHECK;

/* ---- one axis ---- */

struct axis_value {
    char *value; /* owned; as text */
    /* number of cells with this value that have a partner of the first value; of the
     * first value, of any other (without any: all of them) */
    int cells;
    int all;     /* number of cells with this value */
    double mean; /* of those cells' means; NaN: none */
    /* index in the list; -1: this is the first value, or no cell has a partner, or one
     * without a task in common */
    int comparison;
};
struct axis_values {
    struct axis_value *items; /* owned */
    int count;
    /* every arm was evaluated at its own trained number of outer steps only */
    bool own_steps;
    /* the evaluations averaged over: "eval.seed (0, 1)"; "": there is only one */
    char evaluations[300];
    char missing[400]; /* values without results: "100: 1 run diverged"; "": none */
};

/* Counts the runs without results per value of a training setting, each run once:
 * "100: 1 run diverged, 200: 2 runs failed". out is unchanged if all have results. */
int compare_missing(char *out, size_t size, const struct compare *compare, const char *key,
                    struct error *err) MUST_CHECK;

/*
 * Compares every value of key (a training or an evaluation setting) with the first:
 * each cell with the cell that differs in key alone, averaged over the other axes and
 * evaluations. For arch.halt_max_steps the partner may also differ in the outer steps
 * at inference, if every arm was evaluated at its own trained number only.
 * ERROR_FORMAT: fewer than two values have results; the message says how the runs of
 * the other values ended, or which axes the experiment has. ERROR_ABSENT: no value has
 * tasks in common with the first.
 */
int compare_axis(struct axis_values *values, struct comparison_list *list,
                 const struct compare *compare, const char *key, struct error *err) MUST_CHECK;
/* Always ERROR_FORMAT, with the axes that can be compared and their values. */
int compare_offer(const struct results *results, struct error *err) MUST_CHECK;
void axis_values_release(struct axis_values *values);

/* Whether two rows have the same value of key because they are of one arm and, where it
 * is a setting of evaluations, of one evaluation; where it is no axis, of runs that
 * share their settings. False: it may be the same. */
bool result_axis_is_shared(const struct results *results, const struct result_row *a,
                           const struct result_row *b, const char *key);
/* What stands for the value of a setting that has no effect. */
#define VALUE_INACTIVE "inactive"

/* The value of key, a training or an evaluation setting, in a row of results; newly
 * allocated; VALUE_INACTIVE: the setting has no effect there. */
int result_axis_value(char **out, struct store *store, const struct results *results,
                      const struct result_row *row, const char *key,
                      struct error *err) MUST_CHECK;
/* The value of key in a cell; newly allocated; VALUE_INACTIVE: the setting has no
 * effect there. */
int cell_axis_value(char **out, const struct compare *compare, int cell, const char *key,
                    struct error *err) MUST_CHECK;
/* What identifies a cell apart from key: the arm's other axes and the other
 * evaluation settings. Newly allocated; NULL: no memory. */
char *cell_without(const struct compare *compare, int cell, const char *key);

/* ---- train-time against inference-time outer steps ---- */

struct matrix_block {
    char *label; /* owned; the other training axes, "all arms" without any */
    int train_count, eval_count;
    int64_t *train_steps, *eval_steps; /* owned; ascending */
    int *cells;                        /* owned; (train, eval), -1: absent */
    /* owned; (train, eval): what became of an evaluation that an absent cell waits for;
     * RUN_DONE: the experiment does not ask for the cell */
    enum run_state *states;
};
struct matrix {
    struct matrix_block *blocks; /* owned */
    int block_count;
    char missing[400]; /* trained outer steps without results: "8: 2 runs failed"; "" */
    /* owned; the other evaluation settings of the cells shown: "eval.augmentations=all
     * ..." */
    char *evaluation;
    /* number of combinations of the other evaluation settings; whether trajectories are
     * recorded is none of these, as it changes no result */
    int variants;
};

/* Arranges the cells by outer steps in training and at inference. If cells differ in
 * other evaluation settings too, the combination with the most augmentations is
 * used. ERROR_FORMAT: outer steps vary neither in training nor at inference. */
int matrix_create(struct matrix **out, const struct compare *compare,
                  struct error *err) MUST_CHECK;
void matrix_destroy(struct matrix *matrix); /* NULL allowed */
/* Cell index or -1. */
int matrix_cell(const struct matrix_block *block, int64_t train_steps, int64_t eval_steps);
/* Adds, per block, the differences between outer steps at inference, in training, in
 * both, and training against inference; then each block against the first. Those
 * without a task in common are left out. */
int matrix_compare(struct comparison_list *list, const struct matrix *matrix,
                   const struct compare *compare, struct error *err) MUST_CHECK;

#endif
