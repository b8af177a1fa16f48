/* outcomes.c - reads outcomes of tasks; arithmetic of its own, but for the estimate of
 * statistics.c, which test_statistics.c checks. */
#include "outcomes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

int outcomes_arm(const struct outcomes *outcomes, const char *system, int trained)
{
    for (int a = 0; a < outcomes->arms; a++)
        if (strcmp(outcomes->systems[a], system) == 0 && outcomes->trained[a] == trained)
            return a;
    fail_msg("no arm %s with %d steps", system, trained);
    return -1;
}

int outcomes_step(const struct outcomes *outcomes, int inference)
{
    for (int s = 0; s < outcomes->steps; s++)
        if (outcomes->inference[s] == inference)
            return s;
    fail_msg("no evaluation with %d steps", inference);
    return -1;
}

/* The index of a name, added if new. */
static int task_index(struct outcomes *out, const char *name)
{
    int at = 0;

    while (at < out->tasks && strcmp(out->names[at], name) != 0)
        at++;
    if (at == out->tasks) {
        assert_true(at < MOST_TASKS);
        snprintf(out->names[out->tasks++], sizeof out->names[0], "%s", name);
    }
    return at;
}

static int step_index(struct outcomes *out, int steps)
{
    int at = 0;

    while (at < out->steps && out->inference[at] != steps)
        at++;
    if (at == out->steps) {
        assert_true(at < MOST_STEPS);
        out->inference[out->steps++] = steps;
    }
    return at;
}

static int arm_index(struct outcomes *out, const char *system, int trained)
{
    int at = 0;

    while (at < out->arms &&
           (strcmp(out->systems[at], system) != 0 || out->trained[at] != trained))
        at++;
    if (at == out->arms) {
        assert_true(at < MOST_ARMS);
        snprintf(out->systems[at], sizeof out->systems[at], "%s", system);
        out->trained[out->arms++] = trained;
    }
    return at;
}

void outcomes_load(struct outcomes *out, struct sqlite3 *db)
{
    sqlite3_stmt *s;

    *out = (struct outcomes){ 0 };
    for (int a = 0; a < MOST_ARMS; a++)
        for (int e = 0; e < MOST_STEPS; e++)
            for (int r = 0; r < MOST_SEEDS; r++)
                for (int t = 0; t < MOST_TASKS; t++)
                    out->solved[a][e][r][t] = (double)NAN;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT json_extract(a.axes, '$.\"arch.name\"'),"
                           " json_extract(a.axes, '$.\"arch.halt_max_steps\"'), v.outer_steps,"
                           " r.seed, o.task, avg(coalesce(o.rank <= 2, 0))"
                           " FROM arm a JOIN arm_run USING (arm_id) JOIN run r USING (run_id)"
                           " JOIN job j ON j.run_id = r.run_id AND j.kind = 'train'"
                           "  AND j.state = 'done' AND j.cause IS NULL"
                           " JOIN evaluation v ON v.run_id = r.run_id"
                           " JOIN task_outcome o USING (evaluation_id)"
                           " GROUP BY a.position, v.outer_steps, r.seed, o.task",
                           -1, &s, NULL),
        SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        int arm =
            arm_index(out, (const char *)sqlite3_column_text(s, 0), sqlite3_column_int(s, 1));
        int step = step_index(out, sqlite3_column_int(s, 2)), seed = sqlite3_column_int(s, 3);
        int task = task_index(out, (const char *)sqlite3_column_text(s, 4));

        assert_true(seed >= 0 && seed < MOST_SEEDS);
        out->seeds = seed >= out->seeds ? seed + 1 : out->seeds;
        out->solved[arm][step][seed][task] = sqlite3_column_double(s, 5);
    }
    sqlite3_finalize(s);
    assert_true(out->arms > 0 && out->tasks > 0);
}

double outcomes_score(const struct outcomes *outcomes, int arm, int step, int seed)
{
    double sum = 0;

    for (int t = 0; t < outcomes->tasks; t++)
        sum += outcomes->solved[arm][step][seed][t];
    return sum / outcomes->tasks;
}

int outcomes_done(const struct outcomes *outcomes, int arm)
{
    int done = 0;

    for (int r = 0; r < outcomes->seeds; r++)
        done += isfinite(outcomes->solved[arm][0][r][0]);
    return done;
}

double outcomes_mean(const struct outcomes *outcomes, int arm, int step)
{
    double sum = 0;

    for (int r = 0; r < outcomes->seeds; r++)
        if (isfinite(outcomes->solved[arm][step][r][0]))
            sum += outcomes_score(outcomes, arm, step, r);
    return sum / outcomes_done(outcomes, arm);
}

double outcomes_deviation(const struct outcomes *outcomes, int arm, int step)
{
    double mean = outcomes_mean(outcomes, arm, step), squares = 0;

    for (int r = 0; r < outcomes->seeds; r++)
        if (isfinite(outcomes->solved[arm][step][r][0]))
            squares += pow(outcomes_score(outcomes, arm, step, r) - mean, 2);
    return sqrt(squares / (outcomes_done(outcomes, arm) - 1));
}

struct outcome_difference outcomes_difference(const struct outcomes *outcomes,
                                              const struct outcome_term *terms, int count)
{
    struct outcome_difference out = { .p_holm = (double)NAN };
    double values[MOST_SEEDS * MOST_TASKS], minus = 0, plus = 0;
    int used = 0, seeds = 0;

    for (int i = 0; i < count; i++) {
        plus += terms[i].weight > 0 ? terms[i].weight : 0;
        minus -= terms[i].weight < 0 ? terms[i].weight : 0;
    }
    for (int r = 0; r < outcomes->seeds; r++) {
        bool everywhere = true;

        for (int i = 0; i < count; i++)
            everywhere =
                everywhere && isfinite(outcomes->solved[terms[i].arm][terms[i].step][r][0]);
        if (!everywhere)
            continue;
        seeds++;
        for (int t = 0; t < outcomes->tasks; t++) {
            values[used] = 0;
            for (int i = 0; i < count; i++) {
                double value = outcomes->solved[terms[i].arm][terms[i].step][r][t];

                values[used] += terms[i].weight * value;
                *(terms[i].weight > 0 ? &out.to : &out.from) +=
                    fabs(terms[i].weight) / (terms[i].weight > 0 ? plus : minus) * value;
            }
            used++;
        }
    }
    out.from /= used;
    out.to /= used;
    assert_true(seeds >= STATISTICS_LEAST_SEEDS); /* as pairing by seed asks for */
    const struct statistics_block block = { values, seeds };

    assert_int_equal(statistics_estimate(&out.estimate, &block, 1, outcomes->tasks), 0);
    return out;
}

void outcomes_correct(struct outcome_difference *differences, int count)
{
    /* Holm: the k-th smallest of n times n - k + 1, and never below the one before */
    double before = 0;
    bool done[MOST_TERMS] = { false };

    for (int k = 0; k < count; k++) {
        int smallest = -1;

        for (int i = 0; i < count; i++)
            if (!done[i] &&
                (smallest < 0 || differences[i].estimate.p < differences[smallest].estimate.p))
                smallest = i;
        double corrected = differences[smallest].estimate.p * (count - k);

        corrected = corrected > before ? corrected : before;
        before = corrected > 1 ? 1 : corrected;
        differences[smallest].p_holm = before;
        done[smallest] = true;
    }
}

const char *outcomes_verdict(const struct outcome_difference *difference)
{
    const struct estimate *e = &difference->estimate;

    if (e->value == 0 && e->low == 0 && e->high == 0)
        return "equal";
    if (difference->p_holm < 0.05 && e->low > 0)
        return "higher";
    return difference->p_holm < 0.05 && e->high < 0 ? "lower" : "inconclusive";
}
