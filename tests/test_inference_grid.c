/*
 * test_inference_grid.c - outer steps in training x at inference, 5 x 7, under five halting rules
 * and three pools: 5 trainings and 5 inference passes, and each cell is what a process finds that
 * evaluates it alone, bit for bit. With HRMLAB_LONG only; HRMLAB_EVERY=1 compares every cell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "json.h"
#include "support/place.h"
#include "support/worker_runs.h"

enum { TRAININGS = 5, CELLS = 7 * 5 * 3 };

static const char SPEC[] =
    "{\"name\": \"grid\", \"set\": {\"data.canvas\": 6, \"data.num_aug\": 1,"
    " \"arch.hidden_size\": 16, \"arch.num_heads\": 2, \"arch.H_layers\": 1,"
    " \"arch.L_layers\": 1, \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16,"
    " \"train.epochs\": 4, \"train.eval_interval\": 1, \"train.global_batch_size\": 8,"
    " \"train.lr\": 0.01, \"train.lr_warmup_steps\": 5, \"train.untrained_share\": 0},"
    " \"grid\": {\"arch.halt_max_steps\": [1, 2, 3, 4, 6]},"
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2, 3, 4, 5, 6, 8],"
    "  \"eval.halt_rule\": [\"max\", \"q\", \"q_positive\", \"stable\", \"residual\"],"
    "  \"eval.halt_epsilon\": 0.3, \"eval.pool_checkpoints\": [1, 2, \"all\"]}}";

/* The last evaluation, and its outcomes, of those settings in a journal. Fresh text, without
 * the event's place and the time that it took. */
static char *find_event(const cJSON *journal, const char *type, const cJSON *cell)
{
    static const char *const OWN[] = { "h", "n", "t", "seconds" };
    const cJSON *event, *found = NULL;

    cJSON_ArrayForEach(
        event, journal) if (strcmp(json_member(event, "type")->valuestring, type) == 0 &&
                            cJSON_Compare(json_member(event, "evaluation"), cell, 1)) found =
        event;
    assert_non_null(found);
    cJSON *copy = cJSON_Duplicate(found, 1);
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, OWN[i]);
    char *text = json_canonical(copy);
    cJSON_Delete(copy);
    return text;
}

static void expect_same(const cJSON *a, const cJSON *b, const cJSON *cell)
{
    static const char *const TYPES[] = { "evaluation", "outcome" };

    for (int i = 0; i < 2; i++) {
        char *one = find_event(a, TYPES[i], cell), *other = find_event(b, TYPES[i], cell);

        assert_string_equal(one, other);
        free(one);
        free(other);
    }
}

/* Writes the job of an attempt that evaluates one cell. */
static void write_job(const struct run_setup *run, int attempt, const cJSON *trained,
                      const cJSON *cell)
{
    struct error err = { 0 };
    cJSON *job = cJSON_Duplicate(trained, 1), *list = cJSON_CreateArray();
    char *folder = run_path(run, attempt, ""), *path = run_path(run, attempt, "job.json");

    cJSON_AddItemToArray(list, cJSON_Duplicate(cell, 1));
    cJSON_ReplaceItemInObjectCaseSensitive(job, "kind", cJSON_CreateString("evaluate"));
    cJSON_ReplaceItemInObjectCaseSensitive(job, "attempt", cJSON_CreateNumber(attempt));
    cJSON_ReplaceItemInObjectCaseSensitive(job, "evaluations", list);
    cJSON_ReplaceItemInObjectCaseSensitive(job, "checkpoint",
                                           cJSON_CreateString("attempts/1/final.safetensors"));
    cJSON_DeleteItemFromObjectCaseSensitive(job, "resume");
    char *text = cJSON_Print(job);
    assert_int_equal(file_make_directories(folder, &err), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    cJSON_free(text);
    cJSON_Delete(job);
    free(folder);
    free(path);
}

/* Evaluates every so many cells of a training alone, beginning with the first-th. Returns how
 * many. */
static int compare_alone(const struct run_setup *run, int first, int every)
{
    struct error err = { 0 };
    char *path = run_path(run, 1, "job.json");
    cJSON *trained = NULL, *journal = run_journal(run, 1);
    int made = 0;

    assert_int_equal(json_read_file(&trained, path, 1 << 24, &err), 0);
    const cJSON *cells = json_member(trained, "evaluations");
    assert_int_equal(cJSON_GetArraySize(cells), CELLS);
    for (int i = first; i < CELLS; i += every) {
        const cJSON *cell = cJSON_GetArrayItem(cells, i);

        write_job(run, 2 + made, trained, cell);
        assert_int_equal(run_attempt(run, 2 + made), 0);
        cJSON *own = run_journal(run, 2 + made++);
        assert_int_equal(run_count_events(own, "evaluation"), 1);
        expect_same(journal, own, cell);
        cJSON_Delete(own);
    }
    cJSON_Delete(journal);
    cJSON_Delete(trained);
    free(path);
    return made;
}

static void a_grid_of_5_by_7_costs_5_trainings_and_5_passes(void **state)
{
    const char *each = getenv("HRMLAB_EVERY");
    int every = each != NULL && atoi(each) > 0 ? atoi(each) : 8, compared = 0;
    struct place place;
    struct error err = { 0 };

    (void)state;
    if (getenv("HRMLAB_LONG") == NULL) {
        print_message("# skip: only with HRMLAB_LONG\n");
        skip();
    }
    place_make(&place);
    assert_int_equal(file_write_atomic(place.spec, SPEC, strlen(SPEC), &err), 0);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    place_expect(&place,
                 "SELECT count(*) || ' ' || sum(kind = 'train') || ' ' ||"
                 " (SELECT count(*) FROM attempt) FROM job",
                 "5 5 5");
    place_expect(&place, "SELECT count(*) FROM evaluation_result WHERE checkpoint = 'last'",
                 "525");
    /* the results of one pass have its duration in common */
    place_expect(&place,
                 "SELECT count(DISTINCT run_id || ' ' || seconds) FROM evaluation_result"
                 " JOIN evaluation USING (evaluation_id) WHERE checkpoint = 'last'",
                 "5");
    for (int i = 0; i < TRAININGS; i++) {
        struct run_setup run = { 0 };
        char sql[80];

        snprintf(sql, sizeof sql, "SELECT hash FROM run ORDER BY run_id LIMIT 1 OFFSET %d", i);
        char *hash = place_ask(&place, sql);
        snprintf(run.directory, sizeof run.directory, "%s/runs/%s", place.workspace, hash);
        compared += compare_alone(&run, i % every, every);
        free(hash);
    }
    print_message("# %d of %d cells compared\n", compared, TRAININGS * CELLS);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_of_5_by_7_costs_5_trainings_and_5_passes),
    };

    return cmocka_run_group_tests_name("inference_grid", tests, NULL, NULL);
}
