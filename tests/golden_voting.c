/* golden_voting.c - recorded pools of predictions against worker/voting. */
#include "golden_dataset.h"

#include "arc_task.h"
#include "augmentation.h"
#include "error.h"
#include "json.h"
#include "voting.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TESTS = 4096, K_COUNT = 6 };
static const int PASS_K[K_COUNT] = { 1, 2, 5, 10, 100, 1000 };

/* One test input of the pool, with the predictions that belong to it in order of arrival. */
struct pool_test {
    int puzzle; /* index of its puzzle */
    const char *name;
    struct grid input, output;
    const cJSON **predictions; /* owned */
    int count;
};

struct pool {
    struct pool_test *tests; /* owned */
    int count, puzzles;
};

static void pool_release(struct pool *pool)
{
    for (int i = 0; i < pool->count; i++)
        free(pool->tests[i].predictions);
    free(pool->tests);
}

/* Puzzles in the order of the file, their tests in order. */
static bool read_tests(struct golden_tally *tally, struct pool *pool, const cJSON *puzzles)
{
    const cJSON *puzzle, *test;

    pool->tests = calloc(MAX_TESTS, sizeof *pool->tests);
    cJSON_ArrayForEach(puzzle, puzzles)
    {
        cJSON_ArrayForEach(test, json_member(puzzle, "test"))
        {
            if (pool->tests == NULL || pool->count == MAX_TESTS)
                return false;
            struct pool_test *t = &pool->tests[pool->count++];
            t->puzzle = pool->puzzles;
            t->name = puzzle->string;
            if (!golden_grid(tally, &t->input, json_member(test, "input"), "test input") ||
                !golden_grid(tally, &t->output, json_member(test, "output"), "test output"))
                return false;
        }
        pool->puzzles++;
    }
    return true;
}

static double get_real(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : 0.0;
}

/* What the recorded prediction says of augmentation: name, frame and inverse agree with ours. */
static void check_prediction(struct golden_tally *tally, const cJSON *item,
                             const struct grid *input, const struct grid *prediction)
{
    static const char *const frames[2] = { "input_in_augmented_frame",
                                           "prediction_in_augmented_frame" };
    const struct grid *plain[2] = { input, prediction };
    const cJSON *name = json_member(item, "name");
    struct variant variant;
    char base[ARC_NAME_SIZE];

    if (!cJSON_IsString(name) || !variant_parse(&variant, base, name->valuestring)) {
        golden_equal(tally, false, "name of a prediction");
        return;
    }
    const cJSON *given = json_member(item, "base_name");
    golden_equal(tally, cJSON_IsString(given) && strcmp(given->valuestring, base) == 0,
                 "base_name of a prediction");
    for (int i = 0; i < 2; i++) {
        struct grid framed, back;
        if (json_member(item, frames[i]) == NULL ||
            !golden_grid(tally, &framed, json_member(item, frames[i]), frames[i]))
            continue;
        variant_undo(&back, &framed, &variant);
        golden_equal(tally, grid_equal(&back, plain[i]), frames[i]);
    }
}

/* Hands each prediction to the test of its puzzle whose input it has. */
static bool read_predictions(struct golden_tally *tally, struct pool *pool, const cJSON *list)
{
    const cJSON *item;
    int total = cJSON_GetArraySize(list);

    cJSON_ArrayForEach(item, list)
    {
        struct grid input, prediction;
        const cJSON *base = json_member(item, "base_name");
        struct pool_test *owner = NULL;
        if (!cJSON_IsString(base) ||
            !golden_grid(tally, &input, json_member(item, "input_after_inverse"), "input") ||
            !golden_grid(tally, &prediction, json_member(item, "prediction_after_inverse"),
                         "prediction"))
            return false;
        check_prediction(tally, item, &input, &prediction);
        for (int i = 0; i < pool->count && owner == NULL; i++)
            if (strcmp(pool->tests[i].name, base->valuestring) == 0 &&
                grid_equal(&pool->tests[i].input, &input))
                owner = &pool->tests[i];
        golden_equal(tally, owner != NULL, "a prediction without a test");
        if (owner == NULL)
            continue;
        if (owner->predictions == NULL)
            owner->predictions = calloc((size_t)total, sizeof *owner->predictions);
        if (owner->predictions == NULL)
            return false;
        owner->predictions[owner->count++] = item;
    }
    return true;
}

/* The vote of one test over the predictions at positions (NULL: all in order). */
static bool vote(struct ballot *ballot, const struct pool_test *test, const cJSON *positions)
{
    struct golden_tally ignored = { 0 };
    const cJSON *position = positions != NULL ? positions->child : NULL;
    int count = positions != NULL ? cJSON_GetArraySize(positions) : test->count;

    *ballot = (struct ballot){ 0 };
    for (int i = 0; i < count; i++, position = position != NULL ? position->next : NULL) {
        int at = positions != NULL ? position->valueint : i;
        struct grid grid;
        if (at < 0 || at >= test->count)
            return false;
        const cJSON *item = test->predictions[at];
        golden_grid(&ignored, &grid, json_member(item, "prediction_after_inverse"), "");
        if (ballot_add(ballot, &grid, get_real(item, "q_halt_logit"), NULL) < 0)
            return false;
    }
    ballot_rank(ballot);
    return true;
}

static void check_ranked(struct golden_tally *tally, const struct ballot *ballot,
                         const cJSON *ranked)
{
    const cJSON *entry = ranked != NULL ? ranked->child : NULL;

    golden_equal(tally, cJSON_GetArraySize(ranked) == ballot->count, "number of answers");
    for (int i = 0; i < ballot->count && entry != NULL; i++, entry = entry->next) {
        const struct vote_answer *answer = &ballot->answers[i];
        const cJSON *hash = json_member(entry, "hash"),
                    *shape = json_member(entry, "grid_shape");
        char hex[HASH_HEX_SIZE];
        golden_near(tally, json_member(entry, "votes"), answer->votes, 0.0, "votes");
        golden_near(tally, json_member(entry, "mean_q"), answer->q_sum / answer->votes, 1e-12,
                    "mean_q");
        grid_hash(hex, answer->grid);
        golden_equal(tally, cJSON_IsString(hash) && strcmp(hash->valuestring, hex) == 0,
                     "hash of an answer");
        if (json_member(entry, "grid") != NULL)
            golden_same_grid(tally, json_member(entry, "grid"), answer->grid, "answer");
        if (shape != NULL) {
            golden_near(tally, cJSON_GetArrayItem(shape, 0), answer->grid->rows, 0.0, "shape");
            golden_near(tally, cJSON_GetArrayItem(shape, 1), answer->grid->columns, 0.0,
                        "shape");
        }
    }
}

static void check_submission(struct golden_tally *tally, const struct ballot *ballot,
                             const cJSON *submission, const struct pool_test *test, int number)
{
    const cJSON *entry = cJSON_GetArrayItem(json_member(submission, test->name), number);

    if (ballot->count == 0)
        return;
    golden_same_grid(tally, json_member(entry, "attempt_1"), ballot->answers[0].grid,
                     "attempt_1");
    golden_same_grid(tally, json_member(entry, "attempt_2"),
                     ballot->answers[ballot->count > 1].grid, "attempt_2");
}

/*
 * Votes on every test and compares answers, pass@k and the submission (which may be NULL).
 * samples: lists of positions, one per test that has more than limit predictions (0: no limit).
 */
static void check_votes(struct golden_tally *tally, const struct pool *pool,
                        const cJSON *ranked, const cJSON *result, const cJSON *submission,
                        const cJSON *samples, int limit)
{
    double *solved = calloc((size_t)pool->puzzles * K_COUNT + 1, sizeof *solved);
    int *tests = calloc((size_t)pool->puzzles + 1, sizeof *tests);
    const cJSON *list = ranked != NULL ? ranked->child : NULL;
    const cJSON *sample = samples != NULL ? samples->child : NULL;

    for (int i = 0; i < pool->count && solved != NULL && tests != NULL; i++) {
        const struct pool_test *test = &pool->tests[i];
        struct ballot ballot;
        bool cut = limit > 0 && test->count > limit;
        int number = tests[test->puzzle]++;
        golden_equal(tally,
                     vote(&ballot, test, cut ? sample : NULL) && (!cut || sample != NULL),
                     "sampled_positions");
        if (cut && sample != NULL) {
            golden_equal(tally, cJSON_GetArraySize(sample) == limit, "length of a sample");
            sample = sample->next;
        }
        if (test->count > 0) {
            check_ranked(tally, &ballot, list);
            list = list != NULL ? list->next : NULL;
        }
        if (submission != NULL)
            check_submission(tally, &ballot, submission, test, number);
        int place = ballot_place(&ballot, &test->output);
        for (int k = 0; k < K_COUNT; k++)
            solved[test->puzzle * K_COUNT + k] += place > 0 && place <= PASS_K[k];
        ballot_release(&ballot);
    }
    golden_equal(tally, list == NULL && sample == NULL, "more lists than tests");
    for (int k = 0; k < K_COUNT && solved != NULL && tests != NULL; k++) {
        char name[16];
        double sum = 0.0;
        snprintf(name, sizeof name, "pass@%d", PASS_K[k]);
        for (int p = 0; p < pool->puzzles; p++)
            sum += tests[p] > 0 ? solved[p * K_COUNT + k] / tests[p] : 0.0;
        golden_near(tally, json_member(result, name), sum / pool->puzzles, 1e-12, name);
    }
    free(solved);
    free(tests);
}

void golden_voting(struct golden_tally *tally, const cJSON *section)
{
    const cJSON *item, *ablation;

    cJSON_ArrayForEach(item, json_member(section, "pools"))
    {
        struct pool pool = { 0 };
        if (read_tests(tally, &pool, json_member(item, "test_puzzles")) &&
            read_predictions(tally, &pool, json_member(item, "predictions"))) {
            check_votes(tally, &pool, json_member(item, "ranked_per_test_with_predictions"),
                        json_member(item, "result"), json_member(item, "submission"), NULL, 0);
            cJSON_ArrayForEach(ablation, json_member(item, "augmentation_ablation"))
            {
                int limit = (int)get_real(ablation, "max_augmentations_per_task");
                golden_equal(tally, limit > 0, "max_augmentations_per_task");
                check_votes(tally, &pool,
                            json_member(ablation, "ranked_per_test_with_predictions"),
                            json_member(ablation, "result"), NULL,
                            json_member(ablation, "sampled_positions"), limit);
            }
        } else {
            golden_equal(tally, false, "a malformed pool");
        }
        pool_release(&pool);
    }
}
