/*
 * scores.c - stores predictions per outer step, counts votes at the end.
 *
 * Requests that read the same outer step by the same rule share a slot. Per row a slot
 * stores the number of the answer among its test's distinct answers, the halting logit
 * and the row's accuracies. Rows may arrive in any order, but votes and means are
 * summed in stored order, or in the order in which variants are drawn.
 */
#include "scores.h"

#include "answer_store.h"
#include "arc_task.h"
#include "error.h"
#include "predictions.h"
#include "scores_internal.h"
#include "step_answers.h"
#include "voting.h"
#include "work.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENGINE_NO_LABEL = -100 };

static int find_slot(struct scores *s, const struct score_request *request)
{
    for (int i = 0; i < s->slot_count; i++)
        if (s->slots[i].outer_steps == request->outer_steps &&
            halt_rule_same(&s->slots[i].rule, &request->rule))
            return i;
    s->slots[s->slot_count].outer_steps = request->outer_steps;
    s->slots[s->slot_count].rule = request->rule;
    s->slots[s->slot_count].rows =
        calloc((size_t)s->rollouts * (size_t)s->row_count + 1, sizeof(struct kept));
    return s->slot_count++;
}

/* Computes where each task's rows and tests begin, and allocates a store per test.
 * False: no memory. */
static bool lay_tests(struct scores *s, int tasks)
{
    for (int t = 0; t < tasks; t++) {
        int tests = data_set_task_tests(s->set, s->split, t);
        s->first_row[t + 1] =
            s->first_row[t] + tests * data_set_task_variants(s->set, s->split, t);
        s->first_test[t + 1] = s->first_test[t] + tests;
    }
    s->answers = calloc((size_t)s->first_test[tasks] + 1, sizeof *s->answers);
    return s->answers != NULL;
}

int scores_create(struct scores **out, const struct data_set *set, enum data_split split,
                  const struct score_request *requests, int count, struct error *err)
{
    struct scores *s = calloc(1, sizeof *s);
    int tasks = data_set_task_count(set, split);

    *out = NULL;
    if (s == NULL)
        return error_no_memory(err, "the scores");
    s->set = set;
    s->split = split;
    s->row_count = data_set_row_count(set, split);
    s->request_count = count;
    s->requests = calloc((size_t)count + 1, sizeof *s->requests);
    s->slot_of = calloc((size_t)count + 1, sizeof *s->slot_of);
    s->slots = calloc((size_t)count + 1, sizeof *s->slots);
    s->first_row = calloc((size_t)tasks + 1, sizeof *s->first_row);
    s->first_test = calloc((size_t)tasks + 1, sizeof *s->first_test);
    bool complete = s->requests != NULL && s->slot_of != NULL && s->slots != NULL &&
                    s->first_row != NULL && s->first_test != NULL && lay_tests(s, tasks);
    s->rollouts = 1;
    for (int i = 0; i < count; i++)
        s->rollouts = requests[i].rollouts > s->rollouts ? requests[i].rollouts : s->rollouts;
    for (int i = 0; i < count && complete; i++) {
        s->requests[i] = requests[i];
        s->slot_of[i] = find_slot(s, &requests[i]);
        complete = s->slots[s->slot_of[i]].rows != NULL;
    }
    if (!complete) {
        scores_destroy(s);
        return error_no_memory(err, "the scores");
    }
    *out = s;
    return 0;
}

void scores_set_rollout(struct scores *s, int rollout)
{
    assert(rollout >= 0 && rollout < s->rollouts);
    s->rollout = rollout;
}

void scores_take_some(struct scores *s)
{
    s->some = true;
}

void scores_destroy(struct scores *s)
{
    if (s == NULL)
        return;
    for (int i = 0; i < s->slot_count; i++)
        free(s->slots[i].rows);
    int tests = s->answers == NULL ? 0 : s->first_test[data_set_task_count(s->set, s->split)];
    for (int i = 0; i < tests; i++)
        answer_store_release(&s->answers[i]);
    if (s->steps != NULL)
        step_answers_release(s->steps);
    free(s->steps);
    free(s->answers);
    free(s->slots);
    free(s->slot_of);
    free(s->requests);
    free(s->first_row);
    free(s->first_test);
    free(s);
}

void scores_count_tokens(int32_t *known, int32_t *right, const int32_t *predictions,
                         const int32_t *labels, int count)
{
    *known = *right = 0;
    for (int i = 0; i < count; i++) {
        *known += labels[i] != ENGINE_NO_LABEL;
        *right += labels[i] != ENGINE_NO_LABEL && labels[i] == predictions[i];
    }
}

/* The store of the test to which a row belongs. */
struct answer_store *scores_store(const struct scores *s, int row)
{
    int low = 0, high = data_set_task_count(s->set, s->split);

    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (s->first_row[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    int tests = s->first_test[low + 1] - s->first_test[low];
    return &s->answers[s->first_test[low] + (row - s->first_row[low]) % tests];
}

/* Where the answer of the row that is being added belongs. */
static struct kept *place_of(const struct scores *s, int request, int row)
{
    assert(request >= 0 && request < s->request_count && row >= 0 && row < s->row_count);
    size_t at = (size_t)s->rollout * (size_t)s->row_count + (size_t)row;

    return &s->slots[s->slot_of[request]].rows[at];
}

int scores_add_answer(struct scores *s, int request, int row, const struct score_answer *answer,
                      struct error *err)
{
    struct kept *kept = place_of(s, request, row);

    if (kept->here) /* another request of the same outer step has added it */
        return 0;
    int number = answer_store_add(scores_store(s, row), answer->grid, err);
    if (number < 0)
        return number;
    kept->here = true;
    kept->answer = number;
    kept->q_halt = (double)answer->q_halt;
    kept->labelled = answer->known > 0;
    kept->accuracy = kept->labelled ? (double)answer->right / answer->known : 0.0;
    kept->exact = kept->accuracy >= 1.0;
    kept->shortest =
        data_set_has_paths(s->set) && data_set_is_shortest(s->set, s->split, row, answer->grid);
    kept->lm_loss = answer->lm_loss;
    kept->used = answer->used;
    return 0;
}

void scores_read(struct score_reading *out, const struct scores *s, int row,
                 const int32_t *predictions, const int32_t *labels)
{
    data_set_answer(s->set, s->split, row, predictions, &out->grid);
    scores_count_tokens(&out->known, &out->right, predictions, labels,
                        data_set_info(s->set)->seq_len);
}

int scores_add(struct scores *s, int request, int row, const int32_t *predictions,
               const int32_t *labels, float q_halt, double lm_loss, int used, struct error *err)
{
    struct score_reading read;

    if (place_of(s, request, row)->here)
        return 0;
    scores_read(&read, s, row, predictions, labels);
    return scores_add_answer(s, request, row,
                             &(struct score_answer){ .grid = &read.grid,
                                                     .known = read.known,
                                                     .right = read.right,
                                                     .q_halt = q_halt,
                                                     .lm_loss = lm_loss,
                                                     .used = used },
                             err);
}

static int row_of(const struct scores *s, int task, int variant, int test)
{
    return s->first_row[task] + variant * data_set_task_tests(s->set, s->split, task) + test;
}

/*
 * Chooses the variants that vote on a test: all, in order of arrival; or the original
 * and a seeded random choice of others, in order of drawing. Returns how many.
 */
static int choose_variants(const struct scores *s, const struct score_request *request,
                           int task, int test, int *chosen)
{
    int count = data_set_task_variants(s->set, s->split, task);

    for (int i = 0; i < count; i++)
        chosen[i] = i;
    if (request->augmentations == 0 || request->augmentations >= count)
        return count;
    char name[160], room[DATA_NAME_SIZE];
    snprintf(name, sizeof name, "%s/%d", data_set_task_name(s->set, s->split, task, room),
             test);
    struct random_stream stream =
        random_stream(request->eval_seed, "augmentation sample", hash_xxh3(name, strlen(name)));
    random_shuffle(&stream, chosen + 1, count - 1);
    return (int)request->augmentations;
}

/* The rows of one evaluation of a slot, as votes need them. */
struct answers {
    const struct kept *kept; /* this evaluation; or NULL: */
    const struct predictions *earlier;
    const struct prediction_slot *slot; /* of it */
    int rows, rollouts;                 /* of the arrays; that count */
    enum rollout_choice choose;
};

/* Whether the row was predicted in this rollout; q_halt and steps of it. */
static bool look_at(double *q_halt, int *used, const struct answers *from, int row, int rollout)
{
    size_t at = (size_t)rollout * (size_t)from->rows + (size_t)row;

    if (from->kept != NULL) {
        *q_halt = from->kept[at].q_halt;
        *used = from->kept[at].used;
        return from->kept[at].here;
    }
    assert(from->slot != NULL);
    *q_halt = from->slot->q_halt[at];
    *used = from->slot->used[at];
    return from->slot->answers[at] >= 0;
}

/* The rollout of a row that is chosen; -1: the row was not predicted. */
static int choose_rollout(const struct answers *from, int row)
{
    double best_q = 0.0, q;
    int best = -1, best_used = 0, used;

    for (int r = 0; r < from->rollouts; r++) {
        if (!look_at(&q, &used, from, row, r))
            continue;
        if (best < 0 || (from->choose == CHOOSE_Q ? q > best_q : used < best_used)) {
            best = r;
            best_q = q;
            best_used = used;
        }
    }
    return best;
}

/* The next rollout of a row that counts, after `after` (-1: the first); -1: no more. */
static int next_rollout(const struct answers *from, int row, int after)
{
    double q;
    int used;

    if (from->choose != CHOOSE_VOTE && from->rollouts > 1)
        return after < 0 ? choose_rollout(from, row) : -1;
    for (int r = after + 1; r < from->rollouts; r++)
        if (look_at(&q, &used, from, row, r))
            return r;
    return -1;
}

static const struct kept *kept_at(const struct answers *from, int row, int rollout)
{
    return &from->kept[(size_t)rollout * (size_t)from->rows + (size_t)row];
}

static struct answers answers_of(const struct scores *s, int request)
{
    const struct score_request *asked = &s->requests[request];

    return (struct answers){ .kept = s->slots[s->slot_of[request]].rows,
                             .rows = s->row_count,
                             .rollouts = asked->rollouts > 1 ? asked->rollouts : 1,
                             .choose = asked->choose };
}

/* Counts the votes of one evaluation, variant by variant and rollout by rollout. */
static int count_votes(const struct scores *s, const struct answers *from, int task, int test,
                       const int *chosen, int count, struct ballot *ballot, struct error *err)
{
    const struct answer_store *store = &s->answers[s->first_test[task] + test];
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        int row = row_of(s, task, chosen[i], test);

        for (int r = next_rollout(from, row, -1); r >= 0 && rc == 0;
             r = next_rollout(from, row, r)) {
            size_t at = (size_t)r * (size_t)from->rows + (size_t)row;
            struct grid grid;

            if (from->kept != NULL) {
                rc = ballot_add(ballot, store->grids[from->kept[at].answer],
                                from->kept[at].q_halt, err);
                continue;
            }
            assert(from->slot != NULL);
            grid_list_get(&grid, &from->earlier->grids, from->slot->answers[at]);
            rc = ballot_add(ballot, &grid, from->slot->q_halt[at], err);
        }
    }
    return rc;
}

/* The votes of the earlier evaluations of the request's pool, oldest first. */
static int count_earlier(const struct scores *s, int request, int task, int test,
                         const int *chosen, int count, struct ballot *ballot, struct error *err)
{
    const struct score_request *asked = &s->requests[request];
    int64_t wanted = asked->pool == 0 ? s->history.count : asked->pool - 1;
    int first = wanted < s->history.count ? s->history.count - (int)wanted : 0, rc = 0;

    for (int e = first; e < s->history.count && wanted > 0 && rc == 0; e++) {
        struct answers from = answers_of(s, request);

        from.kept = NULL;
        from.earlier = s->history.items[e];
        from.slot = predictions_slot(from.earlier, asked->outer_steps, &asked->rule);
        rc = count_votes(s, &from, task, test, chosen, count, ballot, err);
    }
    return rc;
}

static int hold_vote(const struct scores *s, int request, int task, int test, int *chosen,
                     struct ballot *ballot, struct error *err)
{
    const struct answers own = answers_of(s, request);
    int count = choose_variants(s, &s->requests[request], task, test, chosen);

    *ballot = (struct ballot){ 0 };
    int rc = count_earlier(s, request, task, test, chosen, count, ballot, err);
    if (rc == 0)
        rc = count_votes(s, &own, task, test, chosen, count, ballot, err);
    if (rc < 0)
        ballot_release(ballot);
    else
        ballot_rank(ballot);
    return rc;
}

/* Allocates room for the variants of any task. */
static int *variant_room(const struct scores *s)
{
    int most = 1;

    for (int t = 0; t < data_set_task_count(s->set, s->split); t++)
        if (data_set_task_variants(s->set, s->split, t) > most)
            most = data_set_task_variants(s->set, s->split, t);
    return malloc((size_t)most * sizeof(int));
}

static double test_accuracy(const struct scores *s, const struct answers *from, int task,
                            int test)
{
    double sum = 0.0;
    int count = 0;

    for (int v = 0; v < data_set_task_variants(s->set, s->split, task); v++) {
        int row = row_of(s, task, v, test);
        for (int r = next_rollout(from, row, -1); r >= 0; r = next_rollout(from, row, r)) {
            const struct kept *kept = kept_at(from, row, r);
            if (kept->labelled) {
                sum += kept->accuracy;
                count++;
            }
        }
    }
    return count > 0 ? sum / count : 0.0;
}

static int count_scored_tests(const struct scores *s)
{
    struct grid room;
    int count = 0;

    for (int t = 0; t < data_set_task_count(s->set, s->split); t++)
        for (int test = 0; test < data_set_task_tests(s->set, s->split, t); test++)
            count += data_set_solution(s->set, s->split, t, test, &room) != NULL;
    return count;
}

/* The measure of exact rows for puzzles of this rating. */
static enum metric rating_metric(int rating)
{
    return rating < 1     ? METRIC_EXACT_RATING_0
           : rating < 10  ? METRIC_EXACT_RATING_1
           : rating < 100 ? METRIC_EXACT_RATING_10
                          : METRIC_EXACT_RATING_100;
}

/* Adds one prediction of a row to the measures that only some kinds of data have. */
static void add_special(const struct kept *kept, int rating, struct score_result *out,
                        int counts[METRIC_RECORDED])
{
    enum metric metric = rating_metric(rating);

    counts[METRIC_SHORTEST_PATHS]++;
    counts[metric] += rating >= 0;
    out->values[metric] += kept->exact;
    out->values[METRIC_SHORTEST_PATHS] += kept->shortest;
}

/* Whether any rollout predicts the row exactly right. */
static bool any_exact(const struct answers *from, int row)
{
    for (int r = 0; r < from->rollouts; r++)
        if (kept_at(from, row, r)->here && kept_at(from, row, r)->exact)
            return true;
    return false;
}

/* Measures that only some kinds of data, or of evaluations, have. */
static void sum_special(const struct scores *s, const struct answers *from,
                        struct score_result *out)
{
    enum { RATINGS = METRIC_EXACT_RATING_100 + 1 };
    int counts[METRIC_RECORDED] = { 0 }, rows = 0;

    for (int t = 0; t < data_set_task_count(s->set, s->split); t++) {
        int rating = data_set_rating(s->set, s->split, t);
        for (int row = s->first_row[t]; row < s->first_row[t + 1]; row++) {
            int first = next_rollout(from, row, -1);
            if (first < 0 || !kept_at(from, row, first)->labelled)
                continue;
            rows++;
            out->values[METRIC_EXACT_ANY_ROLLOUT] += any_exact(from, row);
            for (int r = first; r >= 0; r = next_rollout(from, row, r))
                add_special(kept_at(from, row, r), rating, out, counts);
        }
    }
    for (int m = METRIC_EXACT_RATING_0; m < RATINGS; m++)
        out->values[m] = counts[m] > 0 ? out->values[m] / counts[m] : (double)NAN;
    int paths = data_set_has_paths(s->set) ? counts[METRIC_SHORTEST_PATHS] : 0;
    out->values[METRIC_SHORTEST_PATHS] =
        paths > 0 ? out->values[METRIC_SHORTEST_PATHS] / paths : (double)NAN;
    out->values[METRIC_EXACT_ANY_ROLLOUT] = from->rollouts > 1 && rows > 0
                                                ? out->values[METRIC_EXACT_ANY_ROLLOUT] / rows
                                                : (double)NAN;
}

/* Adds one prediction of a row to the sums. */
static void add_row(const struct kept *kept, bool original, struct score_result *out)
{
    out->values[METRIC_PER_TOKEN_ACCURACY] += kept->accuracy;
    out->values[METRIC_EXACT_ROWS] += kept->exact;
    out->values[METRIC_LM_LOSS] += kept->lm_loss;
    out->values[METRIC_MEAN_OUTER_STEPS] += kept->used;
    if (original)
        out->values[METRIC_PER_TOKEN_ACCURACY_ORIGINAL] += kept->accuracy;
}

/* Means over the rows, in the stored order; of a row over the rollouts that count. */
static void sum_rows(const struct scores *s, const struct answers *from,
                     struct score_result *out)
{
    int originals = 0, predictions = 0;

    for (int t = 0; t < data_set_task_count(s->set, s->split); t++)
        for (int v = 0; v < data_set_task_variants(s->set, s->split, t); v++)
            for (int test = 0; test < data_set_task_tests(s->set, s->split, t); test++) {
                int row = row_of(s, t, v, test), first = next_rollout(from, row, -1);
                if (first < 0 || !kept_at(from, row, first)->labelled)
                    continue;
                out->rows++;
                for (int r = first; r >= 0; r = next_rollout(from, row, r)) {
                    add_row(kept_at(from, row, r), v == 0, out);
                    predictions++;
                    originals += v == 0;
                }
            }
    double rows = predictions > 0 ? predictions : 1;
    out->values[METRIC_PER_TOKEN_ACCURACY] /= rows;
    out->values[METRIC_EXACT_ROWS] /= rows;
    out->values[METRIC_LM_LOSS] /= rows;
    out->values[METRIC_MEAN_OUTER_STEPS] /= rows;
    out->values[METRIC_PER_TOKEN_ACCURACY_ORIGINAL] /= originals > 0 ? originals : 1;
}

enum { K_COUNT = 6 };
static const int PASS_K[K_COUNT] = { 1, 2, 5, 10, 100, 1000 };

/* Sums over tasks. */
struct task_sums {
    double pass[K_COUNT], strict[K_COUNT];
    double oracle, distinct, margin, entropy;
};

/* Adds the outcomes of one task's scored tests. */
static void add_task(struct task_sums *sums, const struct score_outcome *outcomes, int tests)
{
    double distinct = 0.0, margin = 0.0, entropy = 0.0;
    int found = 0;

    for (int k = 0; k < K_COUNT; k++) {
        int solved = 0;
        for (int i = 0; i < tests; i++)
            solved += outcomes[i].rank > 0 && outcomes[i].rank <= PASS_K[k];
        sums->pass[k] += (double)solved / tests;
        sums->strict[k] += solved == tests;
    }
    for (int i = 0; i < tests; i++) {
        found += outcomes[i].rank > 0;
        distinct += outcomes[i].distinct;
        margin += outcomes[i].margin;
        entropy += outcomes[i].entropy;
    }
    sums->oracle += (double)found / tests;
    sums->distinct += distinct / tests;
    sums->margin += margin / tests;
    sums->entropy += entropy / tests;
}

static void set_task_means(struct score_result *out, const struct task_sums *sums)
{
    double tasks = out->tasks > 0 ? out->tasks : 1;

    out->values[METRIC_PASS_AT_1] = sums->pass[0] / tasks;
    out->values[METRIC_PASS_AT_2] = sums->pass[1] / tasks;
    out->values[METRIC_PASS_AT_5] = sums->pass[2] / tasks;
    out->values[METRIC_PASS_AT_10] = sums->pass[3] / tasks;
    out->values[METRIC_PASS_AT_100] = sums->pass[4] / tasks;
    out->values[METRIC_PASS_AT_1000] = sums->pass[5] / tasks;
    out->values[METRIC_PASS_AT_1_STRICT] = sums->strict[0] / tasks;
    out->values[METRIC_PASS_AT_2_STRICT] = sums->strict[1] / tasks;
    out->values[METRIC_ORACLE] = sums->oracle / tasks;
    out->values[METRIC_DISTINCT_ANSWERS] = sums->distinct / tasks;
    out->values[METRIC_VOTE_MARGIN] = sums->margin / tasks;
    out->values[METRIC_VOTE_ENTROPY] = sums->entropy / tasks;
}

/* (votes of the first answer - votes of the second) / all votes, of a ranked ballot. */
static double vote_margin(const struct ballot *ballot)
{
    int second = ballot->count > 1 ? ballot->answers[1].votes : 0;

    return ballot->count > 0 ? (double)(ballot->answers[0].votes - second) / ballot->votes
                             : 0.0;
}

/* Entropy of the votes, in nats. */
static double vote_entropy(const struct ballot *ballot)
{
    double entropy = 0.0;

    for (int i = 0; i < ballot->count; i++) {
        double share = (double)ballot->answers[i].votes / ballot->votes;
        entropy -= share < 1.0 ? share * log(share) : 0.0;
    }
    return entropy;
}

static bool has_rows(const struct scores *s, const struct answers *from, int task, int test)
{
    for (int v = 0; v < data_set_task_variants(s->set, s->split, task); v++)
        if (next_rollout(from, row_of(s, task, v, test), -1) >= 0)
            return true;
    return false;
}

/* Votes on every scored test of a task and writes the outcomes to out. Returns how
 * many, or an error. */
static int vote_task(const struct scores *s, int request, int task, int *chosen,
                     struct score_outcome *out, struct error *err)
{
    const struct answers own = answers_of(s, request);
    int made = 0;

    for (int test = 0; test < data_set_task_tests(s->set, s->split, task); test++) {
        struct grid room;
        const struct grid *solution = data_set_solution(s->set, s->split, task, test, &room);
        struct ballot ballot;
        if (solution == NULL || (s->some && !has_rows(s, &own, task, test)))
            continue;
        int rc = hold_vote(s, request, task, test, chosen, &ballot, err);
        if (rc < 0)
            return rc;
        int rank = ballot_place(&ballot, solution);
        out[made++] = (struct score_outcome){
            .task = task,
            .test_index = test,
            .rank = rank,
            .votes = rank > 0 ? ballot.answers[rank - 1].votes : 0,
            .predictions = ballot.votes,
            .per_token_accuracy = test_accuracy(s, &own, task, test),
            .distinct = ballot.count,
            .margin = vote_margin(&ballot),
            .entropy = vote_entropy(&ballot),
        };
        ballot_release(&ballot);
    }
    return made;
}

int scores_finish(struct scores *s, int request, struct score_result *result,
                  struct score_outcome **outcomes, int *outcome_count, struct error *err)
{
    struct task_sums sums = { .oracle = 0.0 };
    int *chosen = variant_room(s), made = 0, rc = 0;
    struct score_outcome *list = calloc((size_t)count_scored_tests(s) + 1, sizeof *list);

    *outcomes = NULL;
    *outcome_count = 0;
    *result = (struct score_result){ 0 };
    if (chosen == NULL || list == NULL)
        rc = error_no_memory(err, "the scores");
    for (int t = 0; t < data_set_task_count(s->set, s->split) && rc >= 0; t++) {
        rc = work_done(1, err);
        if (rc == 0)
            rc = vote_task(s, request, t, chosen, list + made, err);
        if (rc > 0) {
            add_task(&sums, list + made, rc);
            made += rc;
            result->tasks++;
        }
    }
    free(chosen);
    if (rc < 0) {
        free(list);
        return rc;
    }
    const struct answers own = answers_of(s, request);
    sum_rows(s, &own, result);
    set_task_means(result, &sums);
    sum_special(s, &own, result);
    scores_sum_sizes(s, list, made, result);
    *outcomes = list;
    *outcome_count = made;
    return 0;
}

static cJSON *attempt_json(const struct ballot *ballot, int attempt)
{
    /* [[0,0],[0,0]], so that the file is valid */
    struct grid nothing = { .rows = 2, .columns = 2 };
    int last = ballot->count - 1;

    if (ballot->count == 0)
        return grid_to_json(&nothing);
    const struct grid *grid = ballot->answers[attempt <= last ? attempt : last].grid;
    return grid_to_json(grid->rows == 0 ? &nothing : grid);
}

cJSON *scores_submission(const struct scores *s, int request)
{
    cJSON *root = cJSON_CreateObject();
    int *chosen = variant_room(s);
    bool failed = root == NULL || chosen == NULL;

    for (int t = 0; t < data_set_task_count(s->set, s->split) && !failed; t++) {
        char name[DATA_NAME_SIZE];
        cJSON *tests =
            cJSON_AddArrayToObject(root, data_set_task_name(s->set, s->split, t, name));
        for (int test = 0; test < data_set_task_tests(s->set, s->split, t) && !failed; test++) {
            struct ballot ballot;
            cJSON *item = cJSON_CreateObject();
            failed = item == NULL || !cJSON_AddItemToArray(tests, item) ||
                     hold_vote(s, request, t, test, chosen, &ballot, NULL) < 0;
            if (failed)
                break;
            failed = !cJSON_AddItemToObject(item, "attempt_1", attempt_json(&ballot, 0)) ||
                     !cJSON_AddItemToObject(item, "attempt_2", attempt_json(&ballot, 1));
            ballot_release(&ballot);
        }
    }
    free(chosen);
    if (failed) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}

int scores_copy_baseline(const struct data_set *set, enum data_split split,
                         struct score_result *result, struct error *err)
{
    size_t T = (size_t)data_set_info(set)->seq_len;
    int32_t *inputs = malloc(2 * T * sizeof *inputs), *labels, identifier;
    double pass = 0.0;

    *result = (struct score_result){ 0 };
    if (inputs == NULL)
        return error_no_memory(err, "the scores");
    labels = inputs + T;
    for (int t = 0, row = 0; t < data_set_task_count(set, split); t++) {
        int tests = data_set_task_tests(set, split, t), scored = 0, solved = 0;
        for (int test = 0; test < tests; test++) {
            struct grid input, output;
            const struct grid *solution = data_set_solution(set, split, t, test, &output);
            int32_t known, right;
            if (solution == NULL)
                continue;
            data_set_row(set, split, row + test, NULL, inputs, labels, &identifier);
            scores_count_tokens(&known, &right, inputs, labels, (int)T);
            double accuracy = known > 0 ? (double)right / known : 0.0;
            result->values[METRIC_PER_TOKEN_ACCURACY] += accuracy;
            result->values[METRIC_EXACT_ROWS] += accuracy >= 1.0;
            result->rows++;
            scored++;
            solved += grid_equal(data_set_test_input(set, split, t, test, &input), solution);
        }
        row += tests * data_set_task_variants(set, split, t);
        if (scored > 0) {
            pass += (double)solved / scored;
            result->tasks++;
        }
    }
    free(inputs);
    if (result->rows > 0) {
        result->values[METRIC_PER_TOKEN_ACCURACY] /= result->rows;
        result->values[METRIC_EXACT_ROWS] /= result->rows;
        result->values[METRIC_PASS_AT_1] = result->values[METRIC_PASS_AT_2] =
            pass / result->tasks;
    }
    result->values[METRIC_PER_TOKEN_ACCURACY_ORIGINAL] =
        result->values[METRIC_PER_TOKEN_ACCURACY];
    return 0;
}
