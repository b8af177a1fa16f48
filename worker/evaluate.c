/* evaluate.c - groups evaluations into inference passes and reports their results. */
#include "evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error.h"
#include "evaluate_pass.h"
#include "file.h"
#include "job.h"
#include "log.h"
#include "pool.h"
#include "predictions.h"
#include "puzzle_ids.h"
#include "report.h"
#include "row_sample.h"
#include "scores.h"
#include "step_answers.h"
#include "work.h"

enum { OUTCOMES_PER_EVENT = 5000, VALUES_PER_EVENT = 50000 };

/* The evaluations of one pass: they share the split, the puzzle ids, the weights, and
 * the rule by which rows leave the batch. */
struct pass {
    const struct halt_rule *leave; /* borrowed; NULL: all rows stay to the end */
    enum puzzle_ids ids;
    int64_t ids_seed; /* for PUZZLE_RANDOM; otherwise 0 */
    double noise;     /* on initial states; and its seed, else 0 */
    int64_t noise_seed;
    bool raw_weights; /* and not their averages */
    enum data_split split;
    int *members;                   /* indices of the job's evaluations, ascending */
    struct score_request *requests; /* one per member */
    bool *left_out;                 /* owned; one per member: its pool cannot be made */
    int count;
    /* outer steps to record: the most of the members with trajectories; 0: none */
    int trajectory_steps;
    int outer_steps, rollouts;     /* most of a member */
    bool keeps_steps;              /* the answers of all outer steps are kept in a
                                    * file */
    struct trajectory *trajectory; /* owned; NULL: none */
    double seconds;
    struct error why; /* why the first of them is left out; code 0: none is */
};

static void pass_release(struct pass *pass)
{
    free(pass->members);
    free(pass->requests);
    free(pass->left_out);
    trajectory_destroy(pass->trajectory);
    *pass = (struct pass){ 0 };
}

/* Returns the pass of an evaluation, without members. */
static struct pass pass_of(const struct job_evaluation *evaluation)
{
    enum puzzle_ids ids = (enum puzzle_ids)evaluation->puzzle_ids;

    return (struct pass){ .leave = evaluation->act_inference ? &evaluation->rule : NULL,
                          .ids = ids,
                          .ids_seed = ids == PUZZLE_RANDOM ? evaluation->seed : 0,
                          .noise = evaluation->init_noise,
                          .noise_seed = evaluation->init_noise > 0.0 ? evaluation->seed : 0,
                          .raw_weights = evaluation->raw_weights,
                          .split = evaluation->train_split ? SPLIT_TRAIN : SPLIT_TEST };
}

static bool same_pass(const struct pass *a, const struct pass *b)
{
    if (a->raw_weights != b->raw_weights || a->split != b->split || a->ids != b->ids ||
        a->ids_seed != b->ids_seed || (a->leave != NULL) != (b->leave != NULL) ||
        a->noise < b->noise || a->noise > b->noise || a->noise_seed != b->noise_seed)
        return false;
    return a->leave == NULL || halt_rule_same(a->leave, b->leave);
}

static bool belongs(const struct pass *pass, const struct job_evaluation *evaluation)
{
    const struct pass own = pass_of(evaluation);

    return same_pass(pass, &own);
}

/* Collects the selected evaluations that belong to this pass. */
static int pass_init(struct pass *out, const struct pass *kind,
                     const struct job_evaluation *evaluations, int count, const bool *selected,
                     struct error *err)
{
    *out = *kind;
    out->members = calloc((size_t)count + 1, sizeof *out->members);
    out->requests = calloc((size_t)count + 1, sizeof *out->requests);
    out->left_out = calloc((size_t)count + 1, sizeof *out->left_out);
    if (out->members == NULL || out->requests == NULL || out->left_out == NULL) {
        pass_release(out);
        return error_set(err, ERROR_NOMEM, "out of memory for the evaluations");
    }
    for (int i = 0; i < count; i++) {
        const struct job_evaluation *evaluation = &evaluations[i];

        if ((selected != NULL && !selected[i]) || !belongs(out, evaluation))
            continue;
        out->requests[out->count] = (struct score_request){
            .outer_steps = (int)evaluation->outer_steps,
            .rule = evaluation->rule,
            .augmentations = evaluation->augmentations,
            .eval_seed = (uint64_t)evaluation->seed,
            .rollouts = evaluation->rollouts,
            .choose = evaluation->choose,
            .pool = evaluation->pool,
        };
        out->members[out->count++] = i;
        if (evaluation->outer_steps > out->outer_steps)
            out->outer_steps = (int)evaluation->outer_steps;
        if (evaluation->rollouts > out->rollouts)
            out->rollouts = evaluation->rollouts;
        if (evaluation->trajectory && evaluation->outer_steps > out->trajectory_steps)
            out->trajectory_steps = (int)evaluation->outer_steps;
    }
    return 0;
}

/* Adds every recorded measure that the data have, by name, and the numbers of tasks
 * and rows behind them. False: no memory. */
static bool add_result(cJSON *body, const struct score_result *result, double seconds)
{
    for (int i = 0; i < METRIC_RECORDED; i++)
        if (!isnan(result->values[i]) &&
            cJSON_AddNumberToObject(body, METRICS[i].name, result->values[i]) == NULL)
            return false;
    return cJSON_AddNumberToObject(body, "tasks", result->tasks) != NULL &&
           cJSON_AddNumberToObject(body, "rows_count", result->rows) != NULL &&
           cJSON_AddNumberToObject(body, "seconds", seconds) != NULL;
}

/* Values of a list measure, beginning at first; null where there is none. Newly
 * allocated; NULL: no memory. */
static cJSON *vector_body(const struct evaluate_context *context,
                          const struct job_evaluation *evaluation, enum metric measure,
                          const double *values, int first, int count)
{
    cJSON *body = cJSON_CreateObject(), *list = NULL;
    bool ok = cJSON_AddNumberToObject(body, "step", (double)context->step) != NULL &&
              cJSON_AddRawToObject(body, "evaluation", evaluation->canonical) != NULL &&
              cJSON_AddStringToObject(body, "name", METRICS[measure].name) != NULL &&
              cJSON_AddNumberToObject(body, "first", first) != NULL &&
              (list = cJSON_AddArrayToObject(body, "values")) != NULL;

    for (int i = 0; ok && i < count; i++)
        ok = cJSON_AddItemToArray(list, isfinite(values[i]) ? cJSON_CreateNumber(values[i])
                                                            : cJSON_CreateNull());
    if (ok)
        return body;
    cJSON_Delete(body);
    return NULL;
}

/* Reports every list of the trajectory over the outer steps of the evaluation. */
static int say_trajectory(const struct evaluate_context *context,
                          const struct job_evaluation *evaluation,
                          const struct trajectory *trajectory, struct error *err)
{
    int steps = (int)evaluation->outer_steps, rc = 0;

    for (int m = METRIC_COUNT; rc == 0 && m < MEASURE_COUNT; m++) {
        enum metric measure = (enum metric)m;
        int count = trajectory_count(trajectory, measure, steps);
        double *values = calloc((size_t)count + 1, sizeof *values);

        if (values == NULL)
            return error_no_memory(err, "the trajectories");
        trajectory_read(trajectory, measure, steps, values);
        for (int i = 0; rc == 0 && i < count; i += VALUES_PER_EVENT)
            rc = report_event(
                context->report, "vector",
                vector_body(context, evaluation, measure, values + i, i + 1,
                            count - i < VALUES_PER_EVENT ? count - i : VALUES_PER_EVENT),
                false, err);
        free(values);
    }
    return rc;
}

static int say_result(const struct evaluate_context *context,
                      const struct job_evaluation *evaluation,
                      const struct score_result *result, double seconds, struct error *err)
{
    cJSON *body = cJSON_CreateObject();
    bool ok = cJSON_AddNumberToObject(body, "step", (double)context->step) != NULL &&
              cJSON_AddStringToObject(body, "checkpoint", context->checkpoint) != NULL &&
              cJSON_AddRawToObject(body, "evaluation", evaluation->canonical) != NULL &&
              add_result(body, result, seconds);

    if (!ok) {
        cJSON_Delete(body);
        body = NULL;
    }
    return report_event(context->report, "evaluation", body, true, err);
}

/* [task, test_index, rank or null, votes, predictions, per_token_accuracy] */
static cJSON *outcome_row(const struct evaluate_context *context, enum data_split split,
                          const struct score_outcome *outcome)
{
    cJSON *row = cJSON_CreateArray();
    char room[DATA_NAME_SIZE];
    const char *task = data_set_task_name(context->set, split, outcome->task, room);
    bool ok = cJSON_AddItemToArray(row, cJSON_CreateString(task)) &&
              cJSON_AddItemToArray(row, cJSON_CreateNumber(outcome->test_index)) &&
              cJSON_AddItemToArray(row, outcome->rank > 0 ? cJSON_CreateNumber(outcome->rank)
                                                          : cJSON_CreateNull()) &&
              cJSON_AddItemToArray(row, cJSON_CreateNumber(outcome->votes)) &&
              cJSON_AddItemToArray(row, cJSON_CreateNumber(outcome->predictions)) &&
              cJSON_AddItemToArray(row, cJSON_CreateNumber(outcome->per_token_accuracy));

    if (ok)
        return row;
    cJSON_Delete(row);
    return NULL;
}

static int say_outcomes(const struct evaluate_context *context,
                        const struct job_evaluation *evaluation, enum data_split split,
                        const struct score_outcome *outcomes, int count, struct error *err)
{
    int rc = 0;

    for (int first = 0; rc == 0 && first < count; first += OUTCOMES_PER_EVENT) {
        cJSON *body = cJSON_CreateObject(), *tasks = cJSON_AddArrayToObject(body, "tasks");
        bool ok = tasks != NULL &&
                  cJSON_AddRawToObject(body, "evaluation", evaluation->canonical) != NULL;

        for (int i = first; ok && i < count && i < first + OUTCOMES_PER_EVENT; i++)
            ok = cJSON_AddItemToArray(tasks, outcome_row(context, split, &outcomes[i]));
        if (!ok) {
            cJSON_Delete(body);
            body = NULL;
        }
        rc = report_event(context->report, "outcome", body, false, err);
    }
    return rc;
}

/* The member whose answers are submitted; -1 if there is none. Members with a
 * halting rule are taken only if there is no other. */
static int submission_member(const struct pass *pass)
{
    int best = -1;
    bool plain = false;

    for (int i = 0; i < pass->count; i++)
        plain = plain || (!pass->left_out[i] && pass->requests[i].rule.kind == HALT_MAX);
    for (int i = 0; i < pass->count; i++) {
        if (pass->left_out[i] || (plain && pass->requests[i].rule.kind != HALT_MAX))
            continue;
        int64_t votes = pass->requests[i].augmentations;
        int64_t best_votes = best >= 0 ? pass->requests[best].augmentations : -1;
        bool more =
            votes != best_votes && (votes == 0 || (best_votes != 0 && votes > best_votes));
        bool longer = votes == best_votes &&
                      pass->requests[i].outer_steps > pass->requests[best].outer_steps;

        if (best < 0 || more || longer)
            best = i;
    }
    return best;
}

static int write_submission(const struct evaluate_context *context, const struct scores *scores,
                            int request, struct error *err)
{
    cJSON *root = scores_submission(scores, request);
    char *text = root != NULL ? cJSON_PrintUnformatted(root) : NULL;
    int rc;

    if (text == NULL)
        rc = error_set(err, ERROR_NOMEM, "out of memory for the submission");
    else
        rc = file_write_atomic(context->submission_path, text, strlen(text), err);
    cJSON_free(text);
    cJSON_Delete(root);
    return rc;
}

/* Weights that are not finite, or nearly so large, give no result. */
static int check_finite(const struct evaluate_context *context,
                        const struct job_evaluation *evaluation,
                        const struct score_result *result, struct error *err)
{
    double loss = result->values[METRIC_LM_LOSS];

    if (isfinite(loss))
        return 0;
    if (context->divergent_loss != NULL)
        *context->divergent_loss = loss;
    return error_set(err, ERROR_FORMAT,
                     "the token loss of the trained model is %s after %lld outer steps: its "
                     "weights have diverged",
                     isnan(loss) ? "nan" : "inf", (long long)evaluation->outer_steps);
}

static int say_pass(const struct evaluate_context *context, const struct pass *pass,
                    struct scores *scores, const struct job_evaluation *evaluations,
                    struct error *err)
{
    int rc = 0;

    work_set_phase(WORK_VOTE, context->step, context->total_steps);
    for (int i = 0; rc == 0 && i < pass->count; i++) {
        const struct job_evaluation *evaluation = &evaluations[pass->members[i]];
        struct score_outcome *outcomes = NULL;
        struct score_result result;
        int count = 0;

        if (pass->left_out[i])
            continue;
        work_set_part(i, i + 1, pass->count);
        rc = scores_finish(scores, i, &result, &outcomes, &count, err);
        if (rc == 0)
            rc = check_finite(context, evaluation, &result, err);
        if (rc == 0 && i == 0 && context->outcomes && result.tasks == 0)
            log_warning("no test has a solution, so that there are no scores; the answers: %s",
                        context->submission_path != NULL ? context->submission_path
                                                         : "not written");
        if (rc == 0 && context->outcomes)
            rc = say_outcomes(context, evaluation, pass->split, outcomes, count, err);
        if (rc == 0 && evaluation->trajectory)
            rc = say_trajectory(context, evaluation, pass->trajectory, err);
        if (rc == 0)
            rc = say_result(context, evaluation, &result, pass->seconds, err);
        free(outcomes);
    }
    return rc;
}

/* Number of rows that the evaluation may use by its FLOPs, at least one. Depends
 * only on the run and the evaluation, so that adding an evaluation does not change
 * the rows of another one. */
static int allowed_rows(const struct evaluate_context *context, enum data_split split,
                        int64_t outer_steps)
{
    int count = data_set_row_count(context->set, split);
    double steps = outer_steps > 1 ? (double)outer_steps : 1.0;

    if (context->flops <= 0.0)
        return count;
    double most = context->flops / (context->row_step_flops * steps);

    return most < 1.0 ? 1 : most < count ? (int)most : count;
}

/* Chooses the rows of the pass: all, or a sample if its only evaluation is limited. */
static int choose_rows(struct evaluate_rows *out, const struct evaluate_context *context,
                       const struct pass *pass, struct error *err)
{
    int total = data_set_row_count(context->set, pass->split), rows = total, rc = 0;

    *out = (struct evaluate_rows){ .count = total };
    for (int i = 0; i < pass->count; i++) {
        int mine =
            allowed_rows(context, pass->split,
                         (int64_t)pass->requests[i].outer_steps * pass->requests[i].rollouts);

        rows = mine < rows ? mine : rows;
    }
    if (rows < total)
        rc = row_sample_draw(&out->numbers, &out->count, context->set, pass->split, rows,
                             context->seed, err);
    if (rc == 0 && out->numbers != NULL)
        log_info("evaluating the untrained model on %d of %d rows", out->count, total);
    return rc;
}

/* Runs the inference, and records trajectories if they are wanted. */
static int infer(const struct evaluate_context *context, struct pass *pass,
                 const struct evaluate_rows *rows, struct scores *scores, struct error *err)
{
    bool followed = pass->trajectory_steps > 0;
    struct puzzle_way way = { 0 };
    int rc = followed ? trajectory_create(&pass->trajectory, context->config,
                                          engine_measured_layers(context->engine),
                                          pass->trajectory_steps, err)
                      : 0;

    if (rc == 0 && followed)
        rc = engine_record_residuals(context->engine, true, err);
    if (rc < 0)
        return rc;
    engine_evaluate_raw(context->engine, pass->raw_weights);
    rc = puzzle_way_begin(&way, context->engine, context->set, context->settings, pass->ids,
                          (uint64_t)pass->ids_seed, err);
    for (int r = 0; r < pass->rollouts && rc == 0; r++) {
        scores_set_rollout(scores, r);
        rc = evaluate_pass(
            context, scores,
            &(struct evaluate_order){ .split = pass->split,
                                      .rows = *rows,
                                      .way = &way,
                                      .leave = pass->leave,
                                      .requests = pass->requests,
                                      .count = pass->count,
                                      .rollout = r,
                                      .noise = pass->noise,
                                      .noise_seed = (uint64_t)pass->noise_seed,
                                      .trajectory = r == 0 ? pass->trajectory : NULL,
                                      .trajectory_steps = pass->trajectory_steps,
                                      .keep_steps = pass->keeps_steps },
            err);
    }
    puzzle_way_end(&way, context->engine);
    engine_evaluate_raw(context->engine, false);
    if (followed) /* disabling needs no memory */
        error_ignore(engine_record_residuals(context->engine, false, NULL));
    return rc;
}

static const char RAW[] = " raw"; /* ends the name of a pass with such weights */

/* Which pass it is, in the files of a pool. */
static void name_pass(char out[PREDICTIONS_PASS_SIZE], const struct pass *pass)
{
    const struct halt_rule all = { .kind = HALT_MAX };
    const struct halt_rule *leave = pass->leave != NULL ? pass->leave : &all;

    snprintf(out, PREDICTIONS_PASS_SIZE, "%d %d %lld %d %d %.9g %.9g %lld%s", (int)pass->split,
             (int)pass->ids, (long long)pass->ids_seed,
             pass->leave != NULL ? (int)leave->kind : -1, leave->patience, leave->epsilon,
             pass->noise, (long long)pass->noise_seed, pass->raw_weights ? RAW : "");
}

bool evaluate_is_plain(const char *name)
{
    char plain[PREDICTIONS_PASS_SIZE];

    snprintf(plain, sizeof plain, "%d %d 0 -1 ", (int)SPLIT_TEST, (int)PUZZLE_OWN);
    return strncmp(name, plain, strlen(plain)) == 0 && strstr(name, RAW) == NULL;
}

int evaluate_check_pools(const struct pool *pool, const struct job *job, int64_t step,
                         struct error *err)
{
    int rc = 0;

    for (int i = 0; i < job->evaluation_count && rc == 0; i++) {
        const struct pass pass = pass_of(&job->evaluations[i]);
        char name[PREDICTIONS_PASS_SIZE];

        name_pass(name, &pass);
        if (job->evaluations[i].pool != 1)
            rc = pool_check_damaged(pool, name, step, err);
    }
    return rc;
}

static bool pools(const struct pass *pass)
{
    for (int i = 0; i < pass->count; i++)
        if (pass->requests[i].pool != 1)
            return true;
    return false;
}

/* Finds the earlier evaluations of the pass whose votes are counted, and the members
 * that have to be left out. */
static int find_history(const struct evaluate_context *context, struct pass *pass,
                        const char *name, struct scores *scores, struct error *err)
{
    struct score_history history = { 0 };
    struct error *why = &pass->why;
    const struct error *lost = context->lost_history;
    int rc = 0;

    if (lost != NULL && lost->code != 0)
        rc = error_set(why, ERROR_FORMAT, "%s", lost->message);
    else
        rc = pool_select(&history, context->pool, name, context->step, why);
    for (int i = 0; i < pass->count; i++)
        pass->left_out[i] = rc < 0 && pass->requests[i].pool != 1;
    if (rc == 0)
        rc = scores_set_history(scores, &history, pass->left_out, why);
    if (rc == 0 || rc == ERROR_FORMAT || rc == ERROR_DAMAGED)
        return 0;
    return error_set(err, why->code, "%s", why->message);
}

/* Lets votes count those of earlier evaluations, and keeps this one's for later
 * ones. */
static int use_pool(const struct evaluate_context *context, struct pass *pass,
                    struct scores *scores, struct error *err)
{
    char name[PREDICTIONS_PASS_SIZE];

    if (!pools(pass))
        return 0;
    name_pass(name, pass);
    int rc = find_history(context, pass, name, scores, err);
    if (rc == 0 && strcmp(context->checkpoint, "interim") == 0) {
        struct predictions own;

        rc = scores_predictions(&own, scores, err);
        if (rc == 0) {
            snprintf(own.pass, sizeof own.pass, "%s", name);
            own.step = context->step;
            rc = pool_add(context->pool, &own, !pass->keeps_steps, err);
        }
    }
    return rc;
}

/* Whether the answers of a pass over all rows are kept, by eval.keep_predictions. */
static bool keeps_steps(const struct evaluate_context *context, const struct pass *pass)
{
    static const double MOST = 16.0 * 1024 * 1024;
    const char *kept = config_choice(context->settings, EVAL_KEEP_PREDICTIONS);
    int rows = data_set_row_count(context->set, pass->split);

    if (context->pool == NULL || context->from_kept || strcmp(kept, "never") == 0)
        return false;
    return strcmp(kept, "always") == 0 ||
           step_answers_bytes(pass->outer_steps, pass->rollouts, rows) <= MOST;
}

/* Writes the file of the answers that the pass has noted. */
static int keep_steps(const struct evaluate_context *context, const struct pass *pass,
                      struct scores *scores, struct error *err)
{
    struct step_answers steps;
    int rc = scores_take_steps(&steps, scores, err);

    if (rc < 0)
        return rc;
    name_pass(steps.pass, pass);
    steps.step = context->step;
    snprintf(steps.weights_hash, sizeof steps.weights_hash, "%s", context->weights_hash);
    rc = pool_write_steps(context->pool, &steps, err);
    step_answers_release(&steps);
    return rc;
}

/* Takes the answers of an earlier evaluation of the same weights. */
static int take_kept(const struct evaluate_context *context, const struct pass *pass,
                     struct scores *scores, struct error *err)
{
    struct step_answers steps;
    struct pool_wanted wanted = {
        .step = context->step,
        .weights_hash = context->weights_hash,
        .outer_steps = pass->outer_steps,
        .rollouts = pass->rollouts,
    };

    if (pass->trajectory_steps > 0)
        return error_set(err, ERROR_FORMAT,
                         "eval.trajectory: what outer steps change in the states is not kept "
                         "with the predictions; hrmlab run SPEC makes the inference");
    name_pass(wanted.pass, pass);
    int rc = pool_find_steps(&steps, context->pool, &wanted, err);
    if (rc == 0)
        rc = scores_add_steps(scores, &steps, err);
    step_answers_release(&steps);
    return rc;
}

/* Finds the answers of all rows of the pass: by inference, or those kept. */
static int answer(const struct evaluate_context *context, struct pass *pass,
                  struct scores *scores, struct error *err)
{
    struct evaluate_rows rows = { 0 };
    int rc = choose_rows(&rows, context, pass, err);

    if (rc == 0 && rows.numbers != NULL)
        scores_take_some(scores);
    pass->keeps_steps = rows.numbers == NULL && keeps_steps(context, pass);
    if (rc == 0 && pass->keeps_steps)
        rc = scores_keep_steps(scores, pass->outer_steps, err);
    if (rc == 0)
        rc = context->from_kept ? take_kept(context, pass, scores, err)
                                : infer(context, pass, &rows, scores, err);
    if (rc == 0 && pass->keeps_steps)
        rc = keep_steps(context, pass, scores, err);
    free(rows.numbers);
    return rc;
}

/* Runs one pass and reports its results. */
static int run_pass(const struct evaluate_context *context, struct pass *pass,
                    const struct job_evaluation *evaluations, bool submit, struct error *err)
{
    struct scores *scores = NULL;
    double started = clock_monotonic_s();
    int rc =
        scores_create(&scores, context->set, pass->split, pass->requests, pass->count, err);

    if (rc == 0)
        rc = answer(context, pass, scores, err);
    if (rc == 0 && context->pool != NULL)
        rc = use_pool(context, pass, scores, err);
    pass->seconds = clock_monotonic_s() - started;
    if (rc == 0)
        rc = say_pass(context, pass, scores, evaluations, err);
    int submitted = submit ? submission_member(pass) : -1;
    if (rc == 0 && submitted >= 0)
        rc = write_submission(context, scores, submitted, err);
    scores_destroy(scores);
    return rc;
}

/* Whether evaluation number i is the first selected one of a pass other than
 * `plain`. */
static bool begins_pass(const struct pass *plain, const struct job_evaluation *evaluations,
                        int i, const bool *selected)
{
    const struct pass pass = pass_of(&evaluations[i]);

    if ((selected != NULL && !selected[i]) || pass.split != plain->split ||
        same_pass(&pass, plain))
        return false;
    for (int before = 0; before < i; before++)
        if ((selected == NULL || selected[before]) && belongs(&pass, &evaluations[before]))
            return false;
    return true;
}

/* Runs the passes of the selected evaluations. Of each split, the plain pass comes
 * first: its rows use their own puzzle ids and stay to the end, and its answers are
 * submitted if a submission is asked for. *why: why the first
 * evaluation is left out; unchanged where one was before. */
static int run_passes(const struct evaluate_context *context,
                      const struct job_evaluation *evaluations, int count, const bool *selected,
                      struct error *why, struct error *err)
{
    static const enum data_split SPLITS[] = { SPLIT_TEST, SPLIT_TRAIN };
    bool submit = context->submission_path != NULL && data_set_info(context->set)->submits;
    int rc = 0;

    for (int i = 0; rc == 0 && i < 2 * (count + 1); i++) {
        const struct pass plain = { .split = SPLITS[i / (count + 1)] };
        int member = i % (count + 1) - 1;
        struct pass kind = plain, pass;

        if (member >= 0) {
            if (!begins_pass(&plain, evaluations, member, selected))
                continue;
            kind = pass_of(&evaluations[member]);
        }
        rc = pass_init(&pass, &kind, evaluations, count, selected, err);
        if (rc < 0)
            break;
        if (pass.count > 0) {
            bool test = pass.split == SPLIT_TEST;

            rc = run_pass(context, &pass, evaluations, submit && test, err);
            submit = submit && !test;
        }
        if (why->code == 0)
            *why = pass.why;
        pass_release(&pass);
    }
    return rc;
}

int evaluate_run(const struct evaluate_context *context,
                 const struct job_evaluation *evaluations, int count, const bool *selected,
                 struct error *err)
{
    bool *chosen = calloc((size_t)count + 1, sizeof *chosen);
    bool *alone = calloc((size_t)count + 1, sizeof *alone);
    struct error why = { 0 };
    int rc = chosen == NULL || alone == NULL ? error_no_memory(err, "the evaluations") : 0;

    for (int i = 0; rc == 0 && i < count; i++) {
        enum data_split split = evaluations[i].train_split ? SPLIT_TRAIN : SPLIT_TEST;
        int64_t steps = evaluations[i].outer_steps * evaluations[i].rollouts;
        bool all =
            allowed_rows(context, split, steps) == data_set_row_count(context->set, split);
        bool wanted = selected == NULL || selected[i];

        chosen[i] = wanted && all;
        alone[i] = wanted && !all;
    }
    if (rc == 0)
        rc = run_passes(context, evaluations, count, chosen, &why, err);
    for (int i = 0; rc == 0 && i < count; i++) {
        if (!alone[i])
            continue;
        memset(chosen, 0, (size_t)count * sizeof *chosen);
        chosen[i] = true;
        rc = run_passes(context, evaluations, count, chosen, &why, err);
    }
    free(chosen);
    free(alone);
    if (rc == 0 && why.code != 0)
        rc = error_set(err, why.code, "%s", why.message);
    return rc;
}
