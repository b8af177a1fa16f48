/* trajectory.c - sums measures per outer step over the rows of all batches. */
#include "trajectory.h"

#include "error.h"
#include "participation.h"
#include "system_facts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LABEL = -100, BINS = MEASURE_BINS, STATES = 2 };

/* What is known of one row of the batch. */
struct standing {
    double accuracy, loss, q_halt, changed;
    int last_change;      /* outer step of its last change of answer */
    bool labelled, exact; /* exact: every labelled token is right */
    /* exact at an earlier step; exact at this step for the first time */
    bool was_exact, became_exact;
    /* passed the halting test; passed it at this step for the first time */
    bool would_halt, halts_now;
};

/* What a residual is of. */
enum moved { MOVES_Z_H, MOVES_Z_L, MOVES_LAYER };

/* Groups of rows over which residuals are summed. */
enum { ALL_ROWS, EXACT_ROWS, WRONG_ROWS, GROUPS };

/* One of ten equal intervals of [0, 1] for the probability predicted by q_halt. */
struct bin {
    double probability; /* sum over its rows */
    int64_t rows, exact;
};

struct trajectory {
    int steps, seq_len, rows, width;
    int calls, layers, moves;   /* module calls, measured layers, both together */
    const int32_t *labels;      /* borrowed: (rows, T) */
    int64_t row_count;          /* labelled rows in finished batches */
    struct standing *standings; /* owned: (B) */
    int32_t *answers;           /* owned: (B, T) of the step before */
    float *moved;               /* owned: (B, moves) residuals of this step */
    /* owned: (B, D) zH, and zL of systems that have it, averaged over the positions;
     * sums of them per step. NULL: none */
    float *means[STATES];
    struct participation *spread[STATES];
    /* owned: (MEASURE_COUNT - METRIC_COUNT, steps), those per step */
    double *sums;
    double *residuals[GROUPS]; /* owned: (steps, moves) each */
    struct bin *bins;          /* owned: (steps, BINS) */
    enum moved *kinds;         /* owned: (moves) */
};

static double *sum_of(const struct trajectory *t, enum metric measure, int step)
{
    return &t->sums[(size_t)(measure - METRIC_COUNT) * (size_t)t->steps + (size_t)step - 1];
}

/* Finds which module calls of an outer step write zL, and whether there are layers. */
static bool find_calls(struct trajectory *t, const struct engine_config *config, int layers)
{
    const struct system_facts *facts = system_facts(config->system);
    const struct system_sizes sizes = {
        .layers = { [MODULE_H] = config->H_layers, [MODULE_L] = config->L_layers },
        .H_cycles = config->H_cycles,
        .L_cycles = config->L_cycles,
    };

    t->calls = (int)system_calls(facts, &sizes);
    t->layers = layers;
    t->moves = t->calls + layers;
    t->kinds = calloc((size_t)t->moves, sizeof *t->kinds);
    for (int i = 0; t->kinds != NULL && i < t->moves; i++)
        t->kinds[i] = i >= t->calls                           ? MOVES_LAYER
                      : system_call_is_fast(facts, &sizes, i) ? MOVES_Z_L
                                                              : MOVES_Z_H;
    return t->kinds != NULL;
}

/* Number of residuals of an outer step that are of this kind. */
static int count_moves(const struct trajectory *t, enum moved kind)
{
    int count = 0;

    for (int i = 0; i < t->moves; i++)
        count += t->kinds[i] == kind;
    return count;
}

/* Room for the means of the states that the system has, and for their sums. */
static int prepare_spread(struct trajectory *t, const struct engine_config *config,
                          struct error *err)
{
    size_t B = (size_t)config->batch_size;
    int rc = 0;

    t->width = config->hidden_size;
    for (int state = 0; state < STATES && rc == 0; state++) {
        if (count_moves(t, state == 1 ? MOVES_Z_L : MOVES_Z_H) == 0)
            continue;
        t->means[state] = calloc(B * (size_t)t->width + 1, sizeof *t->means[state]);
        rc = t->means[state] == NULL
                 ? error_no_memory(err, "the trajectories")
                 : participation_create(&t->spread[state], t->steps, t->width, err);
    }
    return rc;
}

int trajectory_create(struct trajectory **out, const struct engine_config *config, int layers,
                      int steps, struct error *err)
{
    size_t B = (size_t)config->batch_size, T = (size_t)config->seq_len, N = (size_t)steps;
    struct trajectory *t = calloc(1, sizeof *t);

    assert(steps >= 1);
    *out = NULL;
    if (t == NULL || !find_calls(t, config, layers)) {
        trajectory_destroy(t);
        return error_no_memory(err, "the trajectories");
    }
    t->steps = steps;
    t->seq_len = config->seq_len;
    t->standings = calloc(B, sizeof *t->standings);
    t->answers = calloc(B * T, sizeof *t->answers);
    t->moved = calloc(B * (size_t)t->moves, sizeof *t->moved);
    t->sums = calloc((size_t)(MEASURE_COUNT - METRIC_COUNT) * N, sizeof *t->sums);
    bool complete = true;
    for (int g = 0; g < GROUPS; g++) {
        t->residuals[g] = calloc(N * (size_t)t->moves, sizeof *t->residuals[g]);
        complete = complete && t->residuals[g] != NULL;
    }
    t->bins = calloc(N * BINS, sizeof *t->bins);
    int rc = t->standings == NULL || t->answers == NULL || t->moved == NULL ||
                     t->sums == NULL || !complete || t->bins == NULL
                 ? error_no_memory(err, "the trajectories")
                 : prepare_spread(t, config, err);
    if (rc < 0)
        trajectory_destroy(t);
    else
        *out = t;
    return rc;
}

void trajectory_destroy(struct trajectory *t)
{
    if (t == NULL)
        return;
    free(t->standings);
    free(t->answers);
    free(t->moved);
    free(t->sums);
    for (int g = 0; g < GROUPS; g++)
        free(t->residuals[g]);
    for (int state = 0; state < STATES; state++) {
        free(t->means[state]);
        participation_destroy(t->spread[state]);
    }
    free(t->bins);
    free(t->kinds);
    free(t);
}

void trajectory_begin(struct trajectory *t, const int32_t *labels, int rows)
{
    t->labels = labels;
    t->rows = rows;
    for (int r = 0; r < rows; r++) {
        const int32_t *label = labels + (size_t)r * (size_t)t->seq_len;
        bool labelled = false;

        for (int i = 0; i < t->seq_len && !labelled; i++)
            labelled = label[i] != NO_LABEL;
        t->standings[r] = (struct standing){ .labelled = labelled };
        t->row_count += labelled;
    }
}

/* Compares a row's answer with its labels and with its answer of the step before. */
static void compare_answer(struct trajectory *t, int row, int step, const int32_t *answer)
{
    struct standing *standing = &t->standings[row];
    const int32_t *label = t->labels + (size_t)row * (size_t)t->seq_len;
    int32_t *before = t->answers + (size_t)row * (size_t)t->seq_len;
    int known = 0, right = 0, changed = 0;

    for (int i = 0; i < t->seq_len; i++) {
        known += label[i] != NO_LABEL;
        right += label[i] != NO_LABEL && label[i] == answer[i];
        changed += before[i] != answer[i];
    }
    memcpy(before, answer, (size_t)t->seq_len * sizeof *before);
    standing->accuracy = known > 0 ? (double)right / known : 0.0;
    standing->exact = known > 0 && right == known;
    standing->changed = step > 1 ? (double)changed / t->seq_len : 0.0;
    if (step > 1 && changed > 0)
        standing->last_change = step;
}

static void take_slot(struct trajectory *t, int step, const struct trajectory_outputs *outputs,
                      int slot)
{
    int row = outputs->origin[slot];
    struct standing *standing = &t->standings[row];

    standing->was_exact = standing->was_exact || standing->exact;
    compare_answer(t, row, step, outputs->predictions + (size_t)slot * (size_t)t->seq_len);
    standing->became_exact = standing->exact && !standing->was_exact;
    standing->loss = outputs->loss[slot];
    standing->q_halt = (double)outputs->q_halt[slot];
    standing->halts_now = outputs->halt_test[slot] != 0 && !standing->would_halt;
    standing->would_halt = standing->would_halt || standing->halts_now;
    float *moved = t->moved + (size_t)row * (size_t)t->moves;
    memcpy(moved, outputs->residuals + (size_t)slot * (size_t)t->calls,
           (size_t)t->calls * sizeof *moved);
    if (t->layers > 0)
        memcpy(moved + t->calls, outputs->layer_residuals + (size_t)slot * (size_t)t->layers,
               (size_t)t->layers * sizeof *moved);
    for (int state = 0; state < STATES; state++)
        if (t->means[state] != NULL && outputs->means[state] != NULL)
            memcpy(t->means[state] + (size_t)row * (size_t)t->width,
                   outputs->means[state] + (size_t)slot * (size_t)t->width,
                   (size_t)t->width * sizeof *t->means[state]);
}

/* Counts a row that has left the batch: its last values remain. */
static void take_left(struct trajectory *t, int row)
{
    struct standing *standing = &t->standings[row];

    standing->was_exact = standing->was_exact || standing->exact;
    standing->became_exact = standing->halts_now = false;
    standing->changed = 0.0;
    memset(t->moved + (size_t)row * (size_t)t->moves, 0, (size_t)t->moves * sizeof *t->moved);
}

/* Whether the answer is wrong at this step and all before, and has not changed
 * during the last quarter of the steps (at least the last one). */
static bool is_stuck(const struct standing *standing, int step)
{
    int quarter = step / 4 > 1 ? step / 4 : 1;

    return !standing->exact && !standing->was_exact && step > 1 &&
           standing->last_change <= step - quarter;
}

static void add_calibration(struct trajectory *t, const struct standing *standing, int step)
{
    double probability = 1.0 / (1.0 + exp(-standing->q_halt));
    int place = isfinite(probability) ? (int)(probability * BINS) : 0;
    struct bin *bin =
        &t->bins[(size_t)(step - 1) * BINS + (size_t)(place < BINS ? place : BINS - 1)];

    bin->probability += probability;
    bin->rows++;
    bin->exact += standing->exact;
}

/* -log of the probability that q_halt gives to what is the case, exact or not. */
static double q_halt_loss(const struct standing *standing)
{
    double against = standing->exact ? -standing->q_halt : standing->q_halt;

    return against > 0.0 ? against + log1p(exp(-against)) : log1p(exp(against));
}

static void add_row(struct trajectory *t, int row, int step)
{
    const struct standing *standing = &t->standings[row];
    bool lost = standing->was_exact && !standing->exact, stuck = is_stuck(standing, step);

    *sum_of(t, VECTOR_TOKEN_ACCURACY, step) += standing->accuracy;
    *sum_of(t, VECTOR_EXACT_ROWS, step) += standing->exact;
    *sum_of(t, VECTOR_LM_LOSS, step) += standing->loss;
    *sum_of(t, VECTOR_Q_HALT, step) += standing->q_halt;
    *sum_of(t, VECTOR_Q_ACCURACY, step) += (standing->q_halt > 0.0) == standing->exact;
    *sum_of(t, VECTOR_Q_HALT_LOSS, step) += q_halt_loss(standing);
    *sum_of(t, VECTOR_CHANGED, step) += standing->changed;
    *sum_of(t, VECTOR_FIRST_EXACT, step) += standing->became_exact;
    *sum_of(t, VECTOR_LOST, step) += lost;
    *sum_of(t, VECTOR_STUCK, step) += stuck;
    *sum_of(t, VECTOR_WANDERING, step) += !standing->exact && !lost && !stuck;
    *sum_of(t, VECTOR_HALTED, step) += standing->halts_now;
    for (int i = 0; i < t->moves; i++) {
        size_t at = (size_t)(step - 1) * (size_t)t->moves + (size_t)i;
        double moved = (double)t->moved[(size_t)row * (size_t)t->moves + (size_t)i];

        t->residuals[ALL_ROWS][at] += moved;
        t->residuals[standing->exact ? EXACT_ROWS : WRONG_ROWS][at] += moved;
    }
    for (int state = 0; state < STATES; state++)
        if (t->spread[state] != NULL)
            participation_add(t->spread[state], step - 1,
                              t->means[state] + (size_t)row * (size_t)t->width);
    add_calibration(t, standing, step);
}

void trajectory_take(struct trajectory *t, int step, const struct trajectory_outputs *outputs)
{
    assert(step >= 1 && step <= t->steps);
    for (int row = 0, slot = 0; row < t->rows; row++) {
        if (slot < outputs->slots && outputs->origin[slot] == row)
            take_slot(t, step, outputs, slot++);
        else
            take_left(t, row);
        if (t->standings[row].labelled)
            add_row(t, row, step);
    }
}

static enum moved kind_of(enum metric measure)
{
    if (METRICS[measure].shape == MEASURE_PER_LAYER)
        return MOVES_LAYER;
    return measure == VECTOR_RESIDUAL_L || measure == VECTOR_RESIDUAL_L_EXACT ||
                   measure == VECTOR_RESIDUAL_L_WRONG || measure == VECTOR_PARTICIPATION_L
               ? MOVES_Z_L
               : MOVES_Z_H;
}

static int group_of(enum metric measure)
{
    if (measure == VECTOR_RESIDUAL_H_EXACT || measure == VECTOR_RESIDUAL_L_EXACT ||
        measure == VECTOR_RESIDUAL_LAYER_EXACT)
        return EXACT_ROWS;
    return measure == VECTOR_RESIDUAL_H_WRONG || measure == VECTOR_RESIDUAL_L_WRONG ||
                   measure == VECTOR_RESIDUAL_LAYER_WRONG
               ? WRONG_ROWS
               : ALL_ROWS;
}

int trajectory_count(const struct trajectory *t, enum metric measure, int steps)
{
    switch (METRICS[measure].shape) {
    case MEASURE_PER_STEP:
        return kind_of(measure) == MOVES_Z_L && t->spread[1] == NULL ? 0 : steps;
    case MEASURE_PER_CALL:
    case MEASURE_PER_LAYER:
        return steps * count_moves(t, kind_of(measure));
    case MEASURE_PER_BIN:
        return BINS;
    case MEASURE_NUMBER:
        break;
    }
    return 0;
}

static void read_residuals(const struct trajectory *t, enum metric measure, int steps,
                           double *out)
{
    int group = group_of(measure);

    for (int step = 1; step <= steps; step++) {
        double exact = *sum_of(t, VECTOR_EXACT_ROWS, step), all = (double)t->row_count;
        double rows = group == ALL_ROWS ? all : group == EXACT_ROWS ? exact : all - exact;

        for (int i = 0; i < t->moves; i++)
            if (t->kinds[i] == kind_of(measure))
                *out++ = rows > 0.0 ? t->residuals[group][(step - 1) * t->moves + i] / rows
                                    : (double)NAN;
    }
}

/* Expected calibration error: mean over the rows of the distance, within a bin,
 * between the mean predicted probability and the share of exact rows. */
static double calibration_error(const struct trajectory *t, int step)
{
    double error = 0.0;

    for (int i = 0; i < BINS; i++) {
        const struct bin *bin = &t->bins[(size_t)(step - 1) * BINS + (size_t)i];
        error += fabs(bin->probability - (double)bin->exact);
    }
    return t->row_count > 0 ? error / (double)t->row_count : (double)NAN;
}

static void read_bins(const struct trajectory *t, enum metric measure, int steps, double *out)
{
    for (int i = 0; i < BINS; i++) {
        const struct bin *bin = &t->bins[(size_t)(steps - 1) * BINS + (size_t)i];

        if (measure == VECTOR_Q_BIN_ROWS)
            out[i] = t->row_count > 0 ? (double)bin->rows / (double)t->row_count : (double)NAN;
        else if (bin->rows == 0)
            out[i] = (double)NAN;
        else
            out[i] = (measure == VECTOR_Q_BIN_EXACT ? (double)bin->exact : bin->probability) /
                     (double)bin->rows;
    }
}

static void read_spread(const struct trajectory *t, enum metric measure, int steps, double *out)
{
    const struct participation *spread = t->spread[kind_of(measure) == MOVES_Z_L];

    for (int step = 1; step <= steps && spread != NULL; step++)
        out[step - 1] = participation_ratio(spread, step - 1);
}

void trajectory_read(const struct trajectory *t, enum metric measure, int steps, double *out)
{
    assert(steps >= 1 && steps <= t->steps);
    if (METRICS[measure].shape == MEASURE_PER_CALL ||
        METRICS[measure].shape == MEASURE_PER_LAYER) {
        read_residuals(t, measure, steps, out);
        return;
    }
    if (METRICS[measure].shape == MEASURE_PER_BIN) {
        read_bins(t, measure, steps, out);
        return;
    }
    if (measure == VECTOR_PARTICIPATION_H || measure == VECTOR_PARTICIPATION_L) {
        read_spread(t, measure, steps, out);
        return;
    }
    for (int step = 1; step <= steps; step++)
        out[step - 1] = measure == VECTOR_Q_ERROR ? calibration_error(t, step)
                        : t->row_count == 0       ? (double)NAN
                                            : *sum_of(t, measure, step) / (double)t->row_count;
    if (measure == VECTOR_CHANGED || measure == VECTOR_STUCK)
        out[0] = (double)NAN; /* the first step has no step before it */
}
