/* measure.c - the table of measures. */
#include "measure.h"

#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* outer steps of a row; the greatest eval.halt_max_steps */
enum { MOST_OUTER_STEPS = 1024 };

#define SHARE .unit = "share", .least = 0, .most = 1
/* Recorded since the first release. */
#define ALWAYS .always = true
#define OVER_ROWS .over = MEASURE_OVER_ROWS, .per_task = MEASURE_NOT_PER_TASK
#define OVER_TASKS .over = MEASURE_OVER_TASKS

#define PASS(k, meaning_)                                                                      \
    {                                                                                          \
        .name = "pass_at_" #k, .title = "pass@" #k, .meaning = meaning_, SHARE, OVER_TASKS,    \
        .better = MEASURE_HIGHER, .per_task = MEASURE_SOLVED_SHARE, .of_copy = (k) <= 2,       \
        .rank = k, .paired = METRIC_PASS_AT_##k, ALWAYS                                        \
    }
#define STRICT(k)                                                                              \
    {                                                                                          \
        .name = "pass_at_" #k "_strict", .title = "strict@" #k,                                \
        .meaning = "share of tasks whose test inputs are all solved within " #k " answers",    \
        SHARE, OVER_TASKS, .better = MEASURE_HIGHER, .per_task = MEASURE_ALL_SOLVED,           \
        .rank = k, .paired = METRIC_PASS_AT_##k##_STRICT, ALWAYS                               \
    }
#define SHARE_SOLVED "mean over tasks of the share of test inputs solved within "

#define EXACT_RATING(from, title_, words)                                                      \
    {                                                                                          \
        .name = "exact_rating_" #from, .title = title_, SHARE, OVER_ROWS,                      \
        .meaning = "exact_rows of the puzzles whose rating is " words,                         \
        .better = MEASURE_HIGHER, .paired = METRIC_COUNT                                       \
    }

#define PASS_CELLS(from, title_, words)                                                        \
    {                                                                                          \
        .name = "pass_at_2_cells_" #from, .title = title_, SHARE, OVER_TASKS,                  \
        .meaning = "pass_at_2 of the test inputs whose solution has " words " cells",          \
        .better = MEASURE_HIGHER, .paired = METRIC_COUNT                                       \
    }

#define RESIDUAL_LAYER(suffix, title_, meaning_)                                               \
    {                                                                                          \
        .name = "residual_layer" suffix, .title = title_, .unit = "ratio", .least = 0,         \
        .most = (double)INFINITY, .meaning = meaning_, OVER_ROWS, .better = MEASURE_NEITHER,   \
        .shape = MEASURE_PER_LAYER, .paired = METRIC_COUNT                                     \
    }

const struct measure METRICS[MEASURE_COUNT] = {
    [METRIC_PASS_AT_2] = PASS(2, SHARE_SOLVED "2 answers"),
    [METRIC_PER_TOKEN_ACCURACY] = { .name = "per_token_accuracy",
                                    .title = "token acc",
                                    .meaning = "mean over test rows of the share of right "
                                               "tokens, EOS included, before any vote",
                                    SHARE,
                                    OVER_ROWS,
                                    .better = MEASURE_HIGHER,
                                    .of_copy = true,
                                    .paired = METRIC_TASK_TOKEN_ACCURACY,
                                    ALWAYS },
    [METRIC_PASS_AT_1] = PASS(1, SHARE_SOLVED "1 answer"),
    [METRIC_PASS_AT_5] = PASS(5, SHARE_SOLVED "5 answers"),
    [METRIC_PASS_AT_10] = PASS(10, SHARE_SOLVED "10 answers"),
    [METRIC_PASS_AT_100] = PASS(100, SHARE_SOLVED "100 answers"),
    [METRIC_PASS_AT_1000] = PASS(1000, SHARE_SOLVED "1000 answers"),
    [METRIC_PASS_AT_1_STRICT] = STRICT(1),
    [METRIC_PASS_AT_2_STRICT] = STRICT(2),
    [METRIC_PER_TOKEN_ACCURACY_ORIGINAL] = { .name = "per_token_accuracy_original",
                                             .title = "token acc orig",
                                             .meaning = "per_token_accuracy over the rows of "
                                                        "the unchanged variant alone",
                                             SHARE,
                                             OVER_ROWS,
                                             .better = MEASURE_HIGHER,
                                             .paired = METRIC_COUNT,
                                             ALWAYS },
    [METRIC_EXACT_ROWS] = { .name = "exact_rows",
                            .old_name = "exact_accuracy",
                            .title = "exact rows",
                            .meaning = "share of test rows of which every token is right, "
                                       "before any vote",
                            SHARE,
                            OVER_ROWS,
                            .better = MEASURE_HIGHER,
                            .of_copy = true,
                            .paired = METRIC_TASK_EXACT_VOTES,
                            ALWAYS },
    [METRIC_LM_LOSS] = { .name = "lm_loss",
                         .title = "token loss",
                         .unit = "nats",
                         .least = 0,
                         .most = (double)INFINITY,
                         .meaning = "mean over test rows of the mean cross-entropy per token",
                         OVER_ROWS,
                         .better = MEASURE_LOWER,
                         .paired = METRIC_COUNT,
                         ALWAYS },
    [METRIC_MEAN_OUTER_STEPS] = { .name = "mean_outer_steps",
                                  .title = "steps used",
                                  .unit = "outer steps",
                                  .least = 0,
                                  .most = MOST_OUTER_STEPS,
                                  .meaning = "mean over test rows of the outer steps used",
                                  OVER_ROWS,
                                  .better = MEASURE_NEITHER,
                                  .paired = METRIC_COUNT,
                                  ALWAYS },
    [METRIC_ORACLE] = { .name = "oracle",
                        .title = "oracle",
                        .meaning = "mean over tasks of the share of test inputs whose solution "
                                   "is among the answers voted over, at any rank",
                        SHARE,
                        OVER_TASKS,
                        .better = MEASURE_HIGHER,
                        .paired = METRIC_COUNT },
    [METRIC_DISTINCT_ANSWERS] = { .name = "distinct_answers",
                                  .title = "answers",
                                  .unit = "answers",
                                  .least = 0,
                                  .most = (double)INFINITY,
                                  .meaning = "mean over tasks of the mean over test inputs of "
                                             "how many different answers were voted over",
                                  OVER_TASKS,
                                  .better = MEASURE_NEITHER,
                                  .paired = METRIC_COUNT },
    [METRIC_VOTE_MARGIN] = { .name = "vote_margin",
                             .title = "margin",
                             .meaning = "mean over tasks of the mean over test inputs of "
                                        "(votes of the first answer - votes of the second) / "
                                        "votes",
                             SHARE,
                             OVER_TASKS,
                             .better = MEASURE_NEITHER,
                             .paired = METRIC_COUNT },
    [METRIC_VOTE_ENTROPY] = { .name = "vote_entropy",
                              .title = "vote entropy",
                              .unit = "nats",
                              .least = 0,
                              .most = (double)INFINITY,
                              .meaning = "mean over tasks of the mean over test inputs of the "
                                         "entropy of the votes' shares",
                              OVER_TASKS,
                              .better = MEASURE_NEITHER,
                              .paired = METRIC_COUNT },
    [METRIC_EXACT_ANY_ROLLOUT] = { .name = "exact_any_rollout",
                                   .title = "any rollout",
                                   .meaning = "share of test rows that at least one of "
                                              "eval.rollouts predicts exactly right",
                                   SHARE,
                                   OVER_ROWS,
                                   .better = MEASURE_HIGHER,
                                   .paired = METRIC_COUNT },
    [METRIC_SHORTEST_PATHS] = { .name = "shortest_paths",
                                .title = "shortest paths",
                                .meaning = "share of test rows whose cells drawn as a path are "
                                           "a shortest path from start to goal, whatever the "
                                           "other cells are",
                                SHARE,
                                OVER_ROWS,
                                .better = MEASURE_HIGHER,
                                .paired = METRIC_COUNT },
    [METRIC_EXACT_RATING_0] = EXACT_RATING(0, "exact r 0", "0"),
    [METRIC_EXACT_RATING_1] = EXACT_RATING(1, "exact r 1-9", "1 to 9"),
    [METRIC_EXACT_RATING_10] = EXACT_RATING(10, "exact r 10-99", "10 to 99"),
    [METRIC_EXACT_RATING_100] = EXACT_RATING(100, "exact r 100", "100 or more"),
    [METRIC_PASS_AT_2_CELLS_1] = PASS_CELLS(1, "p@2 <= 36", "1 to 36"),
    [METRIC_PASS_AT_2_CELLS_37] = PASS_CELLS(37, "p@2 37-100", "37 to 100"),
    [METRIC_PASS_AT_2_CELLS_101] = PASS_CELLS(101, "p@2 101-225", "101 to 225"),
    [METRIC_PASS_AT_2_CELLS_226] = PASS_CELLS(226, "p@2 >= 226", "226 or more"),
    [METRIC_TASK_TOKEN_ACCURACY] = { .name = "task_token_accuracy",
                                     .title = "task token acc",
                                     .meaning = "mean over tasks of the mean over test inputs "
                                                "of the per-token accuracy of their rows",
                                     SHARE,
                                     OVER_TASKS,
                                     .better = MEASURE_HIGHER,
                                     .per_task = MEASURE_TOKENS,
                                     .paired = METRIC_TASK_TOKEN_ACCURACY },
    [METRIC_TASK_EXACT_VOTES] = { .name = "task_exact_votes",
                                  .title = "task exact votes",
                                  .meaning = "mean over tasks of the mean over test inputs of "
                                             "the share of votes that are for the solution",
                                  SHARE,
                                  OVER_TASKS,
                                  .better = MEASURE_HIGHER,
                                  .per_task = MEASURE_VOTES,
                                  .paired = METRIC_TASK_EXACT_VOTES },
    [VECTOR_TOKEN_ACCURACY] = { .name = "step_token_accuracy",
                                .title = "token acc",
                                SHARE,
                                .meaning =
                                    "per_token_accuracy of the answers after each outer step",
                                OVER_ROWS,
                                .better = MEASURE_HIGHER,
                                .shape = MEASURE_PER_STEP,
                                .paired = METRIC_COUNT },
    [VECTOR_EXACT_ROWS] = { .name = "step_exact_rows",
                            .title = "exact rows",
                            SHARE,
                            .meaning = "exact_rows of the answers after each outer step",
                            OVER_ROWS,
                            .better = MEASURE_HIGHER,
                            .shape = MEASURE_PER_STEP,
                            .paired = METRIC_COUNT },
    [VECTOR_LM_LOSS] = { .name = "step_lm_loss",
                         .title = "token loss",
                         .unit = "nats",
                         .least = 0,
                         .most = (double)INFINITY,
                         .meaning = "lm_loss of the answers after each outer step",
                         OVER_ROWS,
                         .better = MEASURE_LOWER,
                         .shape = MEASURE_PER_STEP,
                         .paired = METRIC_COUNT },
    [VECTOR_Q_HALT] = { .name = "step_q_halt",
                        .title = "q_halt",
                        .unit = "logit",
                        .least = -(double)INFINITY,
                        .most = (double)INFINITY,
                        .meaning = "mean over test rows of the logit q_halt",
                        OVER_ROWS,
                        .better = MEASURE_NEITHER,
                        .shape = MEASURE_PER_STEP,
                        .paired = METRIC_COUNT },
    [VECTOR_Q_ERROR] = { .name = "step_q_error",
                         .title = "q error",
                         SHARE,
                         .meaning = "expected calibration error of sigmoid(q_halt) as the "
                                    "probability that the row is exact, in ten bins",
                         OVER_ROWS,
                         .better = MEASURE_LOWER,
                         .shape = MEASURE_PER_STEP,
                         .paired = METRIC_COUNT },
    [VECTOR_Q_ACCURACY] = { .name = "step_q_accuracy",
                            .title = "q acc",
                            SHARE,
                            .meaning = "share of test rows of which q_halt > 0 says rightly "
                                       "whether they are exact",
                            OVER_ROWS,
                            .better = MEASURE_HIGHER,
                            .shape = MEASURE_PER_STEP,
                            .paired = METRIC_COUNT },
    [VECTOR_Q_HALT_LOSS] = { .name = "step_q_halt_loss",
                             .title = "q loss",
                             .unit = "nats",
                             .least = 0,
                             .most = (double)INFINITY,
                             .meaning = "mean over test rows of the binary cross-entropy of "
                                        "sigmoid(q_halt) as the probability that the row is "
                                        "exact",
                             OVER_ROWS,
                             .better = MEASURE_LOWER,
                             .shape = MEASURE_PER_STEP,
                             .paired = METRIC_COUNT },
    [VECTOR_CHANGED] = { .name = "step_changed",
                         .title = "changed",
                         SHARE,
                         .meaning = "mean over test rows of the share of tokens that differ "
                                    "from the answer one outer step before",
                         OVER_ROWS,
                         .better = MEASURE_NEITHER,
                         .shape = MEASURE_PER_STEP,
                         .paired = METRIC_COUNT },
    [VECTOR_FIRST_EXACT] = { .name = "step_first_exact",
                             .title = "first exact",
                             SHARE,
                             .meaning = "share of test rows that are exact for the first time",
                             OVER_ROWS,
                             .better = MEASURE_NEITHER,
                             .shape = MEASURE_PER_STEP,
                             .paired = METRIC_COUNT },
    [VECTOR_LOST] = { .name = "step_lost",
                      .title = "lost",
                      SHARE,
                      .meaning = "share of test rows that were exact after an earlier outer "
                                 "step and are not now",
                      OVER_ROWS,
                      .better = MEASURE_LOWER,
                      .shape = MEASURE_PER_STEP,
                      .paired = METRIC_COUNT },
    [VECTOR_STUCK] = { .name = "step_stuck",
                       .title = "stuck",
                       SHARE,
                       .meaning =
                           "share of test rows that were never exact and whose answer has not "
                           "changed over the last quarter of the outer steps so far",
                       OVER_ROWS,
                       .better = MEASURE_LOWER,
                       .shape = MEASURE_PER_STEP,
                       .paired = METRIC_COUNT },
    [VECTOR_WANDERING] = { .name = "step_wandering",
                           .title = "wandering",
                           SHARE,
                           .meaning = "share of test rows that were never exact and whose "
                                      "answer still changes",
                           OVER_ROWS,
                           .better = MEASURE_LOWER,
                           .shape = MEASURE_PER_STEP,
                           .paired = METRIC_COUNT },
    [VECTOR_HALTED] = { .name = "step_halted",
                        .title = "halt",
                        SHARE,
                        .meaning = "share of test rows that pass the system's halting test for "
                                   "the first time",
                        OVER_ROWS,
                        .better = MEASURE_NEITHER,
                        .shape = MEASURE_PER_STEP,
                        .paired = METRIC_COUNT },
    [VECTOR_PARTICIPATION_H] = { .name = "participation_h",
                                 .title = "part. zH",
                                 .unit = "dimensions",
                                 .least = 0,
                                 .most = (double)INFINITY,
                                 .meaning =
                                     "participation ratio of zH, averaged over a row's "
                                     "positions, over the test rows: (sum of the "
                                     "covariance's eigenvalues)^2 / sum of their squares",
                                 OVER_ROWS,
                                 .better = MEASURE_NEITHER,
                                 .shape = MEASURE_PER_STEP,
                                 .paired = METRIC_COUNT },
    [VECTOR_PARTICIPATION_L] = { .name = "participation_l",
                                 .title = "part. zL",
                                 .unit = "dimensions",
                                 .least = 0,
                                 .most = (double)INFINITY,
                                 .meaning = "the same of zL",
                                 OVER_ROWS,
                                 .better = MEASURE_NEITHER,
                                 .shape = MEASURE_PER_STEP,
                                 .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_H] = { .name = "residual_h",
                            .title = "residual zH",
                            .unit = "ratio",
                            .least = 0,
                            .most = (double)INFINITY,
                            .meaning = "mean over test rows of the forward residual of each "
                                       "module call that writes zH: norm of the change of zH / "
                                       "norm of zH before the call",
                            OVER_ROWS,
                            .better = MEASURE_NEITHER,
                            .shape = MEASURE_PER_CALL,
                            .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_L] = { .name = "residual_l",
                            .title = "residual zL",
                            .unit = "ratio",
                            .least = 0,
                            .most = (double)INFINITY,
                            .meaning = "the same of zL",
                            OVER_ROWS,
                            .better = MEASURE_NEITHER,
                            .shape = MEASURE_PER_CALL,
                            .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_H_EXACT] = { .name = "residual_h_exact",
                                  .title = "zH, exact",
                                  .unit = "ratio",
                                  .least = 0,
                                  .most = (double)INFINITY,
                                  .meaning = "residual_h over the rows that are exact after "
                                             "the same outer step",
                                  OVER_ROWS,
                                  .better = MEASURE_NEITHER,
                                  .shape = MEASURE_PER_CALL,
                                  .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_L_EXACT] = { .name = "residual_l_exact",
                                  .title = "zL, exact",
                                  .unit = "ratio",
                                  .least = 0,
                                  .most = (double)INFINITY,
                                  .meaning = "residual_l over the rows that are exact after "
                                             "the same outer step",
                                  OVER_ROWS,
                                  .better = MEASURE_NEITHER,
                                  .shape = MEASURE_PER_CALL,
                                  .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_H_WRONG] = { .name = "residual_h_wrong",
                                  .title = "zH, wrong",
                                  .unit = "ratio",
                                  .least = 0,
                                  .most = (double)INFINITY,
                                  .meaning = "residual_h over the rows that are not exact "
                                             "after the same outer step",
                                  OVER_ROWS,
                                  .better = MEASURE_NEITHER,
                                  .shape = MEASURE_PER_CALL,
                                  .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_L_WRONG] = { .name = "residual_l_wrong",
                                  .title = "zL, wrong",
                                  .unit = "ratio",
                                  .least = 0,
                                  .most = (double)INFINITY,
                                  .meaning = "residual_l over the rows that are not exact "
                                             "after the same outer step",
                                  OVER_ROWS,
                                  .better = MEASURE_NEITHER,
                                  .shape = MEASURE_PER_CALL,
                                  .paired = METRIC_COUNT },
    [VECTOR_RESIDUAL_LAYER] =
        RESIDUAL_LAYER("", "residual layer",
                       "mean over test rows of the forward residual of each layer of a direct "
                       "transformer, whose outer step is one module call"),
    [VECTOR_RESIDUAL_LAYER_EXACT] =
        RESIDUAL_LAYER("_exact", "layer, exact",
                       "residual_layer over the rows that are exact after the same outer step"),
    [VECTOR_RESIDUAL_LAYER_WRONG] = RESIDUAL_LAYER(
        "_wrong", "layer, wrong",
        "residual_layer over the rows that are not exact after the same outer step"),
    [VECTOR_Q_BIN_ROWS] = { .name = "q_bin_rows",
                            .title = "rows",
                            SHARE,
                            .meaning = "share of test rows whose sigmoid(q_halt) after the "
                                       "evaluation's last outer step lies in the bin",
                            OVER_ROWS,
                            .better = MEASURE_NEITHER,
                            .shape = MEASURE_PER_BIN,
                            .paired = METRIC_COUNT },
    [VECTOR_Q_BIN_MEAN] = { .name = "q_bin_mean",
                            .title = "mean q",
                            SHARE,
                            .meaning = "mean of sigmoid(q_halt) over the rows of the bin",
                            OVER_ROWS,
                            .better = MEASURE_NEITHER,
                            .shape = MEASURE_PER_BIN,
                            .paired = METRIC_COUNT },
    [VECTOR_Q_BIN_EXACT] = { .name = "q_bin_exact",
                             .title = "exact",
                             SHARE,
                             .meaning = "share of the rows of the bin that are exact",
                             OVER_ROWS,
                             .better = MEASURE_NEITHER,
                             .shape = MEASURE_PER_BIN,
                             .paired = METRIC_COUNT },
};

/* Short names that are understood as --metric. */
static const struct {
    const char *name;
    enum metric metric;
} SHORT_NAMES[] = {
    { "exact", METRIC_EXACT_ROWS },
    { "per_token", METRIC_PER_TOKEN_ACCURACY },
    { "token", METRIC_PER_TOKEN_ACCURACY },
    { "loss", METRIC_LM_LOSS },
    { "outer_steps", METRIC_MEAN_OUTER_STEPS },
};

static bool is_called(const struct measure *measure, const char *name)
{
    return strcmp(name, measure->name) == 0 || strcmp(name, measure->title) == 0 ||
           (measure->old_name != NULL && strcmp(name, measure->old_name) == 0);
}

int metric_find(enum metric *out, const char *name, struct error *err)
{
    const char *names[METRIC_COUNT];
    char list[600] = "";
    size_t used = 0;

    *out = METRIC_PASS_AT_2;
    if (name == NULL)
        return 0;
    for (int i = 0; i < METRIC_COUNT; i++) {
        names[i] = METRICS[i].name;
        if (is_called(&METRICS[i], name)) {
            *out = (enum metric)i;
            return 0;
        }
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     i == 0 ? "" : ", ", METRICS[i].name);
    }
    for (size_t i = 0; i < sizeof SHORT_NAMES / sizeof *SHORT_NAMES; i++)
        if (strcmp(name, SHORT_NAMES[i].name) == 0) {
            *out = SHORT_NAMES[i].metric;
            return 0;
        }
    const char *nearest = json_nearest_name(name, names, METRIC_COUNT);

    return error_set(err, ERROR_FORMAT,
                     "--metric %.60s: unknown metric%s%s%s; expected one of %s", name,
                     nearest != NULL ? " (did you mean \"" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "\"?)" : "", list);
}

int metric_decimals(enum metric metric)
{
    return metric == METRIC_MEAN_OUTER_STEPS ? 2 : 3;
}

enum metric measure_of_name(const char *name)
{
    int i = 0;

    while (i < MEASURE_COUNT && strcmp(METRICS[i].name, name) != 0)
        i++;
    return (enum metric)i;
}

enum metric measure_memo_find(struct measure_memo *memo, const char *name)
{
    enum metric *next = &memo->after[memo->before];

    if (*next == MEASURE_COUNT || strcmp(METRICS[*next].name, name) != 0)
        *next = measure_of_name(name);
    memo->before = *next;
    return *next;
}

const cJSON *measure_member(const cJSON *event, enum metric metric)
{
    const cJSON *member = json_member(event, METRICS[metric].name);

    if (member == NULL && METRICS[metric].old_name != NULL)
        member = json_member(event, METRICS[metric].old_name);
    return cJSON_IsNumber(member) ? member : NULL;
}

int measure_check(enum metric metric, double value, const char *where, struct error *err)
{
    const struct measure *measure = &METRICS[metric];

    if (value >= measure->least && value <= measure->most)
        return 0;
    return error_set(err, ERROR_DAMAGED, "%s: %s is %g, which is not from %g to %g", where,
                     measure->name, value, measure->least, measure->most);
}

int measure_check_position(enum metric measure, int64_t position, int64_t outer_steps,
                           const char *where, struct error *err)
{
    static const int64_t MOST_CALLS = 1 << 16; /* or layers, of an outer step */
    int64_t most = 0;

    switch (METRICS[measure].shape) {
    case MEASURE_PER_STEP:
        most = outer_steps;
        break;
    case MEASURE_PER_CALL:
    case MEASURE_PER_LAYER:
        most = outer_steps * MOST_CALLS;
        break;
    case MEASURE_PER_BIN:
        most = MEASURE_BINS;
        break;
    case MEASURE_NUMBER:
        break;
    }
    if (position >= 1 && position <= most)
        return 0;
    return error_set(err, ERROR_DAMAGED, "%s: %s has no position %lld", where,
                     METRICS[measure].name, (long long)position);
}
