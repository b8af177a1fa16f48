/* test_trajectory.c - what is recorded per outer step is what each step's outputs say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "random.h"
#include "support/reference_network.h"
#include "support/small_network.h"
#include "support/worker_runs.h"
#include "trajectory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 23, STEPS = 9, TOKENS = 7, CALLS = 6, LAYERS = 3, WIDTH = 14 };

static struct engine_config config_of(enum system_id system, int batch)
{
    const struct small_network sizes = {
        .batch = batch, .tokens = TOKENS, .vocabulary = 6, .identifiers = 4, .width = WIDTH
    };
    struct engine_config c = small_network(system, sizes);

    c.puzzle_emb_ndim = 17;
    c.H_layers = 2;
    c.L_layers = 2;
    c.num_heads = 3;
    c.intermediate_size = 19;
    c.pos_encodings = ENGINE_LEARNED;
    return c;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    assert_non_null(memory);
    return memory;
}

/* ---- made-up outputs ---- */

/* Of every row and outer step, row by row. */
static struct {
    int32_t labels[ROWS][TOKENS];
    int32_t answers[ROWS][STEPS][TOKENS];
    float q[ROWS][STEPS], residuals[ROWS][STEPS][CALLS], means[2][ROWS][STEPS][WIDTH];
    double loss[ROWS][STEPS];
    uint8_t halt[ROWS][STEPS];
    int leaves[ROWS]; /* the step after which it is not computed any more */
} made;

static void make_outputs(bool leaving)
{
    struct random_stream stream = random_stream(3, "outputs", leaving);

    for (int r = 0; r < ROWS; r++) {
        made.leaves[r] = leaving ? 1 + (int)random_below(&stream, STEPS + 2) : STEPS;
        for (int i = 0; i < TOKENS; i++)
            made.labels[r][i] =
                r % 5 == 4 || i == 0 ? ENGINE_IGNORE_LABEL : (int32_t)random_below(&stream, 2);
        for (int s = 0; s < STEPS; s++) {
            bool stays = s > 0 && (random_below(&stream, 2) == 0 || r % 6 == 0);

            for (int i = 0; i < TOKENS; i++)
                made.answers[r][s][i] = stays ? made.answers[r][s - 1][i]
                                        : random_below(&stream, 12) != 0 && i > 0 && r % 5 != 4
                                            ? made.labels[r][i]
                                            : (int32_t)random_below(&stream, 2);
            if (r % 3 == 0) /* never right */
                made.answers[r][s][1] = 5;
            made.q[r][s] = (float)(8.0 * (random_uniform(&stream) - 0.5));
            made.loss[r][s] = random_uniform(&stream);
            made.halt[r][s] = random_below(&stream, 5) == 0;
            for (int c = 0; c < CALLS; c++)
                made.residuals[r][s][c] = (float)random_uniform(&stream);
            for (int i = 0; i < 2 * WIDTH; i++)
                made.means[i / WIDTH][r][s][i % WIDTH] =
                    (float)(100.0 + (1.0 + i % 5) * random_uniform(&stream));
        }
    }
}

/* The rows in batches of that size through a trajectory. */
static struct trajectory *follow(int batch)
{
    struct engine_config config = config_of(SYSTEM_HRM, batch);
    struct trajectory *t;
    struct error err = { 0 };
    int32_t answers[ROWS * TOKENS];
    float q[ROWS], residuals[ROWS * CALLS], means[2][ROWS * WIDTH];
    double loss[ROWS];
    uint8_t halt[ROWS];
    int origin[ROWS];

    assert_int_equal(trajectory_create(&t, &config, 0, STEPS, &err), 0);
    for (int first = 0; first < ROWS; first += batch) {
        int rows = ROWS - first < batch ? ROWS - first : batch;

        trajectory_begin(t, made.labels[first], rows);
        for (int s = 0; s < STEPS; s++) {
            int slots = 0;

            for (int r = first; r < first + rows; r++) {
                if (s >= made.leaves[r])
                    continue;
                memcpy(answers + slots * TOKENS, made.answers[r][s], sizeof made.answers[r][s]);
                memcpy(residuals + slots * CALLS, made.residuals[r][s],
                       sizeof made.residuals[r][s]);
                for (int z = 0; z < 2; z++)
                    memcpy(means[z] + slots * WIDTH, made.means[z][r][s],
                           sizeof made.means[z][r][s]);
                q[slots] = made.q[r][s];
                loss[slots] = made.loss[r][s];
                halt[slots] = made.halt[r][s];
                origin[slots++] = r - first;
            }
            trajectory_take(t, s + 1,
                            &(struct trajectory_outputs){ .predictions = answers,
                                                          .q_halt = q,
                                                          .loss = loss,
                                                          .halt_test = halt,
                                                          .residuals = residuals,
                                                          .origin = origin,
                                                          .slots = slots,
                                                          .means = { means[0], means[1] } });
        }
    }
    return t;
}

/* The step, from 0, whose outputs the row has at step s: its last one when it has left. */
static int at(int row, int s)
{
    return s < made.leaves[row] ? s : made.leaves[row] - 1;
}

static bool is_exact(int row, int s)
{
    for (int i = 0; i < TOKENS; i++)
        if (made.labels[row][i] != ENGINE_IGNORE_LABEL &&
            made.labels[row][i] != made.answers[row][at(row, s)][i])
            return false;
    return true;
}

static bool was_exact_before(int row, int s)
{
    for (int k = 0; k < s; k++)
        if (is_exact(row, k))
            return true;
    return false;
}

static bool same_answer(int row, int s, int other)
{
    return memcmp(made.answers[row][at(row, s)], made.answers[row][at(row, other)],
                  sizeof made.answers[0][0]) == 0;
}

/* Never right, and the same answer at the ends of the last quarter and all between. */
static bool is_stuck(int row, int s)
{
    int quarter = (s + 1) / 4 > 1 ? (s + 1) / 4 : 1;
    bool same = s > 0;

    for (int k = s - quarter; k < s && same; k++)
        same = k >= 0 && same_answer(row, k, s);
    return same && !is_exact(row, s) && !was_exact_before(row, s);
}

static bool halts_first(int row, int s)
{
    for (int k = 0; k < s; k++)
        if (k < made.leaves[row] && made.halt[row][k])
            return false;
    return s < made.leaves[row] && made.halt[row][s];
}

/* A row's part in the measure at a step, from the definition. */
static double part(enum metric measure, int row, int s)
{
    int changed = 0, right = 0, known = 0;
    bool exact = is_exact(row, s), before = was_exact_before(row, s);

    for (int i = 0; i < TOKENS; i++) {
        int32_t answer = made.answers[row][at(row, s)][i];

        changed += s > 0 && answer != made.answers[row][at(row, s - 1)][i];
        known += made.labels[row][i] != ENGINE_IGNORE_LABEL;
        right += made.labels[row][i] == answer;
    }
    const double parts[MEASURE_COUNT] = {
        [VECTOR_TOKEN_ACCURACY] = (double)right / known,
        [VECTOR_EXACT_ROWS] = exact,
        [VECTOR_LM_LOSS] = made.loss[row][at(row, s)],
        [VECTOR_Q_HALT] = (double)made.q[row][at(row, s)],
        [VECTOR_Q_ACCURACY] = (made.q[row][at(row, s)] > 0.0f) == exact,
        [VECTOR_Q_HALT_LOSS] =
            -log(1.0 / (1.0 + exp((exact ? -1.0 : 1.0) * (double)made.q[row][at(row, s)]))),
        [VECTOR_CHANGED] = (double)changed / TOKENS,
        [VECTOR_FIRST_EXACT] = exact && !before,
        [VECTOR_LOST] = !exact && before,
        [VECTOR_STUCK] = is_stuck(row, s),
        [VECTOR_WANDERING] = !exact && !before && !is_stuck(row, s),
        [VECTOR_HALTED] = halts_first(row, s),
    };
    return parts[measure];
}

static double mean(enum metric measure, int s)
{
    double sum = 0.0;
    int rows = 0;

    for (int r = 0; r < ROWS; r++)
        if (r % 5 != 4) { /* labelled */
            sum += part(measure, r, s);
            rows++;
        }
    return sum / rows;
}

static void each_step_is_counted_as_its_definition_says(void **state)
{
    double values[STEPS];

    (void)state;
    for (int leaving = 0; leaving < 2; leaving++) {
        make_outputs(leaving == 1);
        struct trajectory *t = follow(8);

        for (int m = VECTOR_TOKEN_ACCURACY; m <= VECTOR_HALTED; m++) {
            if (m == VECTOR_Q_ERROR)
                continue;
            assert_int_equal(trajectory_count(t, (enum metric)m, STEPS), STEPS);
            trajectory_read(t, (enum metric)m, STEPS, values);
            for (int s = 0; s < STEPS; s++) {
                if (s == 0 && (m == VECTOR_CHANGED || m == VECTOR_STUCK))
                    assert_true(isnan(values[0]));
                else if (!(fabs(values[s] - mean((enum metric)m, s)) < 1e-12))
                    fail_msg("%s at step %d: %.9g, expected %.9g", METRICS[m].name, s + 1,
                             values[s], mean((enum metric)m, s));
            }
        }
        trajectory_destroy(t);
    }
}

/* Over the rows that are exact after the step, and over the others. The third of the six calls
 * writes zH, and so does the sixth. */
static void residuals_of_exact_and_wrong_rows_are_told_apart(void **state)
{
    double got[2][STEPS * CALLS];

    (void)state;
    make_outputs(true);
    struct trajectory *t = follow(7);
    assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_H_EXACT, STEPS), 2 * STEPS);
    assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_L_WRONG, STEPS), 4 * STEPS);
    trajectory_read(t, VECTOR_RESIDUAL_H_EXACT, STEPS, got[1]);
    trajectory_read(t, VECTOR_RESIDUAL_H_WRONG, STEPS, got[0]);
    for (int s = 0; s < STEPS; s++) {
        double sums[2] = { 0 };
        int rows[2] = { 0 };

        for (int r = 0; r < ROWS; r++) {
            if (r % 5 == 4) /* without labels */
                continue;
            rows[is_exact(r, s)]++;
            if (s < made.leaves[r])
                sums[is_exact(r, s)] += (double)made.residuals[r][s][5];
        }
        for (int exact = 0; exact < 2; exact++)
            assert_true(rows[exact] > 0 &&
                        fabs(got[exact][2 * s + 1] - sums[exact] / rows[exact]) < 1e-6);
    }
    trajectory_destroy(t);
}

static void kinds_of_rows_add_up_to_all(void **state)
{
    static const enum metric KINDS[] = { VECTOR_EXACT_ROWS, VECTOR_LOST, VECTOR_STUCK,
                                         VECTOR_WANDERING };
    double values[STEPS], sums[STEPS] = { 0 };
    int some = 0;

    (void)state;
    make_outputs(false);
    struct trajectory *t = follow(ROWS);
    for (int k = 0; k < 4; k++) {
        trajectory_read(t, KINDS[k], STEPS, values);
        for (int s = 1; s < STEPS; s++)
            sums[s] += values[s];
        some += values[STEPS - 1] > 0;
    }
    for (int s = 1; s < STEPS; s++)
        assert_true(fabs(sums[s] - 1.0) < 1e-12);
    assert_true(some >= 3); /* the outputs have several kinds */
    trajectory_destroy(t);
}

/* Ten bins of the probability that q_halt states, against the share of exact rows in them. */
static void calibration_is_that_of_ten_bins(void **state)
{
    double rows[MEASURE_BINS] = { 0 }, sums[MEASURE_BINS] = { 0 }, exact[MEASURE_BINS] = { 0 };
    double got[3][MEASURE_BINS], errors[STEPS], error = 0.0, all = 0.0;

    (void)state;
    make_outputs(false);
    struct trajectory *t = follow(4);
    for (int r = 0; r < ROWS; r++) {
        double p = 1.0 / (1.0 + exp(-(double)made.q[r][STEPS - 1]));
        int bin = (int)floor(p * 10.0);

        if (r % 5 == 4)
            continue;
        rows[bin]++;
        sums[bin] += p;
        exact[bin] += is_exact(r, STEPS - 1);
        all++;
    }
    trajectory_read(t, VECTOR_Q_BIN_ROWS, STEPS, got[0]);
    trajectory_read(t, VECTOR_Q_BIN_MEAN, STEPS, got[1]);
    trajectory_read(t, VECTOR_Q_BIN_EXACT, STEPS, got[2]);
    for (int b = 0; b < MEASURE_BINS; b++) {
        assert_true(fabs(got[0][b] - rows[b] / all) < 1e-12);
        assert_true(rows[b] > 0 ? fabs(got[1][b] - sums[b] / rows[b]) < 1e-12
                                : isnan(got[1][b]));
        assert_true(rows[b] > 0 ? fabs(got[2][b] - exact[b] / rows[b]) < 1e-12
                                : isnan(got[2][b]));
        if (rows[b] > 0)
            error += rows[b] / all * fabs(sums[b] / rows[b] - exact[b] / rows[b]);
    }
    trajectory_read(t, VECTOR_Q_ERROR, STEPS, errors);
    assert_true(error > 0.05 && fabs(errors[STEPS - 1] - error) < 1e-12);
    trajectory_destroy(t);
}

/* (sum of the covariance's eigenvalues)^2 / sum of their squares, which are trace(C)^2 and
 * trace(C C), over the labelled rows' states at the step. */
static double naive_ratio(int state, int s)
{
    double mean[WIDTH] = { 0 }, trace = 0.0, squares = 0.0;
    int rows = 0;

    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < WIDTH && r % 5 != 4; i++, rows += i == WIDTH)
            mean[i] += (double)made.means[state][r][at(r, s)][i];
    for (int i = 0; i < WIDTH * WIDTH; i++) {
        int a = i / WIDTH, b = i % WIDTH;
        double c = 0.0;

        for (int r = 0; r < ROWS; r++)
            if (r % 5 != 4)
                c += ((double)made.means[state][r][at(r, s)][a] - mean[a] / rows) *
                     ((double)made.means[state][r][at(r, s)][b] - mean[b] / rows);
        trace += a == b ? c : 0.0;
        squares += c * c;
    }
    return trace * trace / squares;
}

static void participation_ratios_are_those_of_the_states_of_labelled_rows(void **state)
{
    double got[2][STEPS];

    (void)state;
    make_outputs(true);
    struct trajectory *t = follow(6);
    trajectory_read(t, VECTOR_PARTICIPATION_H, STEPS, got[0]);
    trajectory_read(t, VECTOR_PARTICIPATION_L, STEPS, got[1]);
    for (int z = 0; z < 2; z++)
        for (int s = 0; s < STEPS; s++)
            if (!(fabs(got[z][s] - naive_ratio(z, s)) < 1e-9))
                fail_msg("step %d: %.9g, expected %.9g", s + 1, got[z][s], naive_ratio(z, s));
    trajectory_destroy(t);
}

/* Bit for bit, whatever the batch size, and a prefix of more steps is what fewer have. */
static void batch_size_and_further_steps_change_no_bit(void **state)
{
    double whole[STEPS * CALLS], other[STEPS * CALLS];

    (void)state;
    make_outputs(true);
    struct trajectory *t = follow(ROWS), *u = follow(5);
    for (int m = METRIC_COUNT; m < MEASURE_COUNT; m++) {
        enum metric measure = (enum metric)m;
        int count = trajectory_count(t, measure, STEPS);

        trajectory_read(t, measure, STEPS, whole);
        trajectory_read(u, measure, STEPS, other);
        assert_memory_equal(whole, other, (size_t)count * sizeof *whole);
        if (METRICS[m].shape == MEASURE_PER_BIN)
            continue;
        int fewer = trajectory_count(t, measure, 4);
        trajectory_read(t, measure, 4, other);
        assert_memory_equal(whole, other, (size_t)fewer * sizeof *whole);
    }
    trajectory_destroy(t);
    trajectory_destroy(u);
}

/* ---- an engine's outputs ---- */

struct data {
    int32_t *inputs, *labels, *identifiers;
    double *z_H, *z_L;
};

static void make_data(struct data *out, const struct engine_config *config)
{
    size_t B = (size_t)config->batch_size, T = (size_t)config->seq_len;
    size_t z = B * (T + (size_t)reference_prefix(config)) * (size_t)config->hidden_size;
    struct random_stream stream = random_stream(4, "data", 0);

    *out = (struct data){ allocate(B * T, sizeof(int32_t)), allocate(B * T, sizeof(int32_t)),
                          allocate(B, sizeof(int32_t)), allocate(z, sizeof(double)),
                          allocate(z, sizeof(double)) };
    for (size_t i = 0; i < B * T; i++) {
        out->inputs[i] = (int32_t)random_below(&stream, 6);
        out->labels[i] = i / T == 2 ? ENGINE_IGNORE_LABEL : (int32_t)random_below(&stream, 6);
    }
    for (size_t b = 0; b < B; b++)
        out->identifiers[b] = (int32_t)(b % 3);
}

/* Every row starts from the initial vectors. */
static void start_reference(struct data *data, const struct engine_config *config,
                            const struct reference_parameters *parameters)
{
    size_t D = (size_t)config->hidden_size;
    size_t n =
        (size_t)config->batch_size * (size_t)(config->seq_len + reference_prefix(config)) * D;
    const double *init_H = reference_find(parameters, "inner.H_init");
    const double *init_L = reference_find(parameters, "inner.L_init");

    for (size_t i = 0; i < n; i++) {
        data->z_H[i] = init_H[i % D];
        data->z_L[i] = init_L != NULL ? init_L[i % D] : 0.0;
    }
}

/* The state of an HRM-like outer step that call i writes: L, L, H, L, L, H. */
static bool writes_L(const struct engine_config *config, int call)
{
    return config->system != SYSTEM_TRANSFORMER && call % 3 != 2;
}

/* Means over the labelled rows of the residuals of the network in double. */
static void expect_residuals(const struct trajectory *t, const struct engine_config *config,
                             const double *residuals, int steps)
{
    int calls = reference_calls(config), B = config->batch_size, places[2] = { 0 };
    double got[2][STEPS * CALLS];

    trajectory_read(t, VECTOR_RESIDUAL_H, steps, got[0]);
    trajectory_read(t, VECTOR_RESIDUAL_L, steps, got[1]);
    for (int s = 0; s < steps; s++)
        for (int c = 0; c < calls; c++) {
            int state = writes_L(config, c);
            double sum = 0.0, value = got[state][places[state]++];

            for (int b = 0; b < B; b++)
                if (b != 2)
                    sum += residuals[(s * B + b) * calls + c];
            if (!(fabs(value - sum / (B - 1)) < 2e-5 * (1.0 + value)))
                fail_msg("step %d, call %d: %.9g, expected %.9g", s + 1, c + 1, value,
                         sum / (B - 1));
        }
    assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_H, steps), places[0]);
    assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_L, steps), places[1]);
}

/* The same of the layers of a network of one call. */
static void expect_layers(const struct trajectory *t, const struct engine_config *config,
                          const double *layers, int steps)
{
    int L = config->H_layers, B = config->batch_size;
    double got[STEPS * LAYERS];

    assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_LAYER, steps), steps * L);
    trajectory_read(t, VECTOR_RESIDUAL_LAYER, steps, got);
    for (int s = 0; s < steps; s++)
        for (int l = 0; l < L; l++) {
            double sum = 0.0, value = got[s * L + l];

            for (int b = 0; b < B; b++)
                if (b != 2)
                    sum += layers[(s * B + b) * L + l];
            if (!(fabs(value - sum / (B - 1)) < 2e-5 * (1.0 + value)))
                fail_msg("step %d, layer %d: %.9g, expected %.9g", s + 1, l + 1, value,
                         sum / (B - 1));
        }
}

/* Means over all positions of the states that the engine has. */
static void expect_means(const struct engine *engine, const struct engine_config *config)
{
    static const enum engine_output STATES[2][2] = { { ENGINE_Z_H, ENGINE_MEAN_Z_H },
                                                     { ENGINE_Z_L, ENGINE_MEAN_Z_L } };
    int B = config->batch_size, D = config->hidden_size;

    for (int z = 0; z < 2; z++) {
        size_t size = engine_output_size(engine, STATES[z][0]);
        size_t of_means = engine_output_size(engine, STATES[z][1]);

        assert_int_equal(of_means, size == 0 ? 0 : (size_t)(B * D) * sizeof(float));
        if (size == 0)
            continue;
        float *state = allocate(1, size), *got = allocate(1, of_means);
        int S = (int)(size / of_means);
        engine_read(engine, STATES[z][0], state);
        engine_read(engine, STATES[z][1], got);
        for (int i = 0; i < B * D; i++) {
            double sum = 0.0;

            for (int s = 0; s < S; s++)
                sum += (double)state[(i / D * S + s) * D + i % D];
            assert_true(fabs((double)got[i] - sum / S) < 1e-6);
        }
        free(state);
        free(got);
    }
}

/* direct: a transformer of one call, whose layers are measured. */
static void check_engine(enum system_id system, bool direct)
{
    enum { B = 5, LAST = 3 };
    struct engine_config config = config_of(system, B);
    struct reference_parameters parameters;
    struct engine *engine;
    struct engine_result result;
    struct trajectory *t;
    struct error err = { 0 };
    struct data data;
    int calls = reference_calls(&config), origin[B] = { 0, 1, 2, 3, 4 };
    int32_t answers[B * TOKENS];
    float q[B], moved[B * CALLS];
    float layers_moved[B * LAYERS];
    double loss[B], residuals[LAST * B * CALLS], layers[LAST * B * LAYERS];
    uint8_t halt[B];

    if (direct) {
        config.H_cycles = calls = 1;
        config.H_layers = LAYERS;
    }
    assert_int_equal(engine_create(&engine, &config, &err), 0);
    engine_initialise(engine, 5);
    assert_true(reference_parameters_load(&parameters, engine));
    make_data(&data, &config);
    start_reference(&data, &config, &parameters);
    struct reference_input input = { data.inputs, data.labels, data.identifiers, data.z_H,
                                     data.z_L };
    const struct engine_batch batch = { data.inputs, data.labels, data.identifiers };
    assert_int_equal(engine_record_residuals(engine, true, &err), 0);
    assert_int_equal(trajectory_create(&t, &config, engine_measured_layers(engine), LAST, &err),
                     0);
    engine_evaluate_begin(engine, &batch, B);
    trajectory_begin(t, data.labels, B);
    for (int s = 0; s < LAST; s++) {
        assert_int_equal(engine_evaluate_step(engine, &result), 0);
        engine_read(engine, ENGINE_PREDICTIONS, answers);
        engine_read(engine, ENGINE_Q_HALT, q);
        engine_read(engine, ENGINE_ROW_LOSS, loss);
        engine_read(engine, ENGINE_HALT_TEST, halt);
        engine_read(engine, ENGINE_RESIDUALS, moved);
        engine_read(engine, ENGINE_LAYER_RESIDUALS, layers_moved);
        expect_means(engine, &config);
        trajectory_take(t, s + 1,
                        &(struct trajectory_outputs){ .predictions = answers,
                                                      .q_halt = q,
                                                      .loss = loss,
                                                      .halt_test = halt,
                                                      .residuals = moved,
                                                      .layer_residuals = layers_moved,
                                                      .origin = origin,
                                                      .slots = B });
        reference_residuals(&config, &parameters, &input,
                            residuals + (size_t)s * B * (size_t)calls,
                            direct ? layers + (size_t)s * B * LAYERS : NULL);
    }
    expect_residuals(t, &config, residuals, LAST);
    if (direct)
        expect_layers(t, &config, layers, LAST);
    else
        assert_int_equal(trajectory_count(t, VECTOR_RESIDUAL_LAYER, LAST), 0);
    trajectory_destroy(t);
    engine_destroy(engine);
    reference_parameters_release(&parameters);
    free(data.inputs);
    free(data.labels);
    free(data.identifiers);
    free(data.z_H);
    free(data.z_L);
}

static void residuals_are_those_of_a_network_in_double(void **state)
{
    (void)state;
    check_engine(SYSTEM_HRM, false);
    check_engine(SYSTEM_TRANSFORMER, false);
    check_engine(SYSTEM_TRANSFORMER, true);
    check_engine(SYSTEM_TRM, false);
}

/* ---- the whole worker ---- */

#define EVALUATION(steps, act, more)                                                           \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":\"all\""                        \
    ",\"eval.act_inference\":" act ",\"eval.seed\":0,\"eval.split\":\"test\"" more "}"
#define FOLLOWED ",\"eval.trajectory\":true"

static const char EVALUATIONS[] =
    "[" EVALUATION("3", "false", "") "," EVALUATION("3", "false", FOLLOWED) "," EVALUATION(
        "2", "false", "") "," EVALUATION("3", "true", "") "," EVALUATION("3", "true",
                                                                         FOLLOWED) "]";
enum { PLAIN_3, FOLLOWED_3, PLAIN_2, ACT_PLAIN, ACT_FOLLOWED, EVALUATION_COUNT };

/* The evaluation event of the last checkpoint of that number in the job. */
static const cJSON *result_of(const cJSON *journal, int number)
{
    const cJSON *event;

    cJSON_ArrayForEach(event, journal)
    {
        if (strcmp(json_member(event, "type")->valuestring, "evaluation") != 0 ||
            strcmp(json_member(event, "checkpoint")->valuestring, "last") != 0)
            continue;
        cJSON *list = cJSON_Parse(EVALUATIONS);
        bool same = cJSON_Compare(json_member(event, "evaluation"),
                                  cJSON_GetArrayItem(list, number), true);
        cJSON_Delete(list);
        if (same)
            return event;
    }
    fail_msg("no result of evaluation %d", number);
    return NULL;
}

/* The last value of a list of the evaluation at the end of training; *steps: how many. */
static double value_of(const cJSON *journal, int number, const char *name, int position)
{
    const cJSON *event, *wanted = json_member(result_of(journal, number), "evaluation");
    double step = json_member(result_of(journal, number), "step")->valuedouble;

    cJSON_ArrayForEach(event, journal)
    {
        if (strcmp(json_member(event, "type")->valuestring, "vector") == 0 &&
            fabs(json_member(event, "step")->valuedouble - step) < 0.5 &&
            strcmp(json_member(event, "name")->valuestring, name) == 0 &&
            cJSON_Compare(json_member(event, "evaluation"), wanted, true))
            return cJSON_GetArrayItem(json_member(event, "values"), position - 1)->valuedouble;
    }
    fail_msg("no %s of evaluation %d", name, number);
    return 0.0;
}

static void expect_same_numbers(const cJSON *journal, int one, int other)
{
    for (int m = 0; m < METRIC_RECORDED; m++) {
        const cJSON *a = measure_member(result_of(journal, one), (enum metric)m);
        const cJSON *b = measure_member(result_of(journal, other), (enum metric)m);

        assert_true((a == NULL) == (b == NULL)); /* not all data have every measure */
        if (a != NULL)
            assert_memory_equal(&a->valuedouble, &b->valuedouble, sizeof a->valuedouble);
    }
}

static void expect_equal(double a, const cJSON *event, const char *name)
{
    double b = json_member(event, name)->valuedouble;

    assert_memory_equal(&a, &b, sizeof a);
}

static void following_changes_no_result_and_agrees_with_it(void **state)
{
    static const char *const MORE[] = { "train.max_steps=20", NULL };
    struct run_settings settings;
    struct run_setup setup;
    char tasks[64];

    (void)state;
    run_make_tasks(tasks);
    run_settings_init(&settings, tasks, MORE);
    run_setup_init(&setup, settings.list, EVALUATIONS);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1);
    expect_same_numbers(journal, PLAIN_3, FOLLOWED_3);
    expect_same_numbers(journal, ACT_PLAIN, ACT_FOLLOWED);
    for (int steps = 2; steps <= 3; steps++) {
        const cJSON *result = result_of(journal, steps == 3 ? PLAIN_3 : PLAIN_2);

        expect_equal(value_of(journal, FOLLOWED_3, "step_token_accuracy", steps), result,
                     "per_token_accuracy");
        expect_equal(value_of(journal, FOLLOWED_3, "step_exact_rows", steps), result,
                     "exact_rows");
        expect_equal(value_of(journal, FOLLOWED_3, "step_lm_loss", steps), result, "lm_loss");
    }
    expect_equal(value_of(journal, ACT_FOLLOWED, "step_token_accuracy", 3),
                 result_of(journal, ACT_PLAIN), "per_token_accuracy");
    assert_true(value_of(journal, FOLLOWED_3, "residual_h", 1) > 0.0);
    /* of two checkpoints, two evaluations each; layers are those of direct transformers */
    int lists = MEASURE_COUNT - METRIC_COUNT -
                (VECTOR_RESIDUAL_LAYER_WRONG - VECTOR_RESIDUAL_LAYER + 1);
    assert_int_equal(run_count_events(journal, "vector"), 4 * lists);
    cJSON_Delete(journal);
    run_setup_release(&setup);
    assert_int_equal(file_remove_tree(tasks, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_is_counted_as_its_definition_says),
        cmocka_unit_test(residuals_of_exact_and_wrong_rows_are_told_apart),
        cmocka_unit_test(kinds_of_rows_add_up_to_all),
        cmocka_unit_test(calibration_is_that_of_ten_bins),
        cmocka_unit_test(participation_ratios_are_those_of_the_states_of_labelled_rows),
        cmocka_unit_test(batch_size_and_further_steps_change_no_bit),
        cmocka_unit_test(residuals_are_those_of_a_network_in_double),
        cmocka_unit_test(following_changes_no_result_and_agrees_with_it),
    };

    return cmocka_run_group_tests_name("trajectory", tests, NULL, NULL);
}
