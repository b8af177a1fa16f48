/*
 * test_halting.c - halting rules at inference: what each looks at; that all come from one pass, and
 * give the answers that rows get which leave the batch, or are evaluated by another process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "halt_rule.h"
#include "json.h"
#include "support/worker_runs.h"

static void rules_halt_where_their_definition_says(void **state)
{
    (void)state;
    static const struct {
        struct halt_rule rule;
        struct halt_signs signs;
        bool halts;
    } CASES[] = {
        { { HALT_MAX, 0, 0.0 }, { true, 9.0f, -9.0f, 0.0f, 99 }, false },
        { { HALT_Q, 0, 0.0 }, { false, -1.0f, -2.0f, 1.0f, 0 }, true },
        { { HALT_Q, 0, 0.0 }, { true, 1.0f, 1.0f, 0.0f, 9 }, false },
        { { HALT_Q_POSITIVE, 0, 0.0 }, { false, 0.5f, 2.0f, 1.0f, 0 }, true },
        { { HALT_Q_POSITIVE, 0, 0.0 }, { true, 0.0f, -2.0f, 0.0f, 9 }, false },
        { { HALT_STABLE, 2, 0.0 }, { false, -1.0f, 0.0f, 1.0f, 2 }, true },
        { { HALT_STABLE, 2, 0.0 }, { true, 1.0f, 0.0f, 0.0f, 1 }, false },
        { { HALT_RESIDUAL, 0, 0.1 }, { false, -1.0f, 0.0f, 0.09f, 0 }, true },
        { { HALT_RESIDUAL, 0, 0.1 }, { true, 1.0f, 0.0f, 0.11f, 9 }, false },
        { { HALT_SYSTEM, 0, 0.0 }, { true, -1.0f, 0.0f, 1.0f, 0 }, true },
        { { HALT_SYSTEM, 0, 0.0 }, { false, 1.0f, 0.0f, 0.0f, 9 }, false },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(halt_rule_halts(&CASES[i].rule, &CASES[i].signs), CASES[i].halts);
}

#define EVALUATION(steps, act, rule)                                                           \
    "{\"eval.halt_max_steps\":" steps ",\"eval.augmentations\":\"all\""                        \
    ",\"eval.act_inference\":" act ",\"eval.seed\":0,\"eval.split\":\"test\"" rule "}"
#define Q ",\"eval.halt_rule\":\"q\""
#define POSITIVE ",\"eval.halt_rule\":\"q_positive\""
#define STABLE ",\"eval.halt_rule\":\"stable\",\"eval.halt_patience\":2"
#define RESIDUAL ",\"eval.halt_rule\":\"residual\",\"eval.halt_epsilon\":0.25"

enum { RULES = 4, PLAIN = 2, EVALUATIONS = PLAIN + 2 * RULES };

/* Two of a fixed number of steps; then each rule in the same pass, and with rows that leave. */
static const char ALL[] = "[" EVALUATION("3", "false", "") "," EVALUATION("8", "false", "") //
    "," EVALUATION("8", "false", Q) "," EVALUATION("8", "false", POSITIVE)                  //
    "," EVALUATION("8", "false", STABLE) "," EVALUATION("8", "false", RESIDUAL)             //
    "," EVALUATION("8", "true", Q) "," EVALUATION("8", "true", POSITIVE)                    //
    "," EVALUATION("8", "true", STABLE) "," EVALUATION("8", "true", RESIDUAL) "]";
static const char *const ALONE[] = {
    "[" EVALUATION("8", "false", Q) "]",
    "[" EVALUATION("8", "false", STABLE) "]",
    "[" EVALUATION("8", "true", RESIDUAL) "]",
};
static const int ALONE_NUMBER[] = { PLAIN, PLAIN + 2, PLAIN + RULES + 3 };

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    if (!cJSON_IsNumber(item))
        fail_msg("%s is no number", key);
    return item->valuedouble;
}

/* The event of the evaluation, a member of list, at the last checkpoint. */
static const cJSON *find_event(const cJSON *journal, const cJSON *evaluation)
{
    const cJSON *event;

    cJSON_ArrayForEach(event, journal)
    {
        const cJSON *type = json_member(event, "type");
        const cJSON *checkpoint = json_member(event, "checkpoint");

        if (strcmp(type->valuestring, "evaluation") == 0 &&
            strcmp(checkpoint->valuestring, "last") == 0 &&
            cJSON_Compare(json_member(event, "evaluation"), evaluation, 1))
            return event;
    }
    fail_msg("an evaluation has no event");
    return NULL;
}

/* Where rows leave, those that stay are multiplied in other blocks of rows, in which OpenBLAS adds
 * in another order on some processors: the last bits of a row's numbers differ, and a few units of
 * float's rounding are left of that in the mean loss. Counts differ by far more, or not at all. */
#define ROUNDING (8 * (double)FLT_EPSILON)

/* within: relative. */
static void assert_same_numbers(const cJSON *a, const cJSON *b, double within)
{
    static const char *const NAMES[] = { "pass_at_1", "per_token_accuracy", "exact_rows",
                                         "lm_loss",   "mean_outer_steps",   "tasks",
                                         "rows_count" };

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (json_member(a, NAMES[i]) != NULL &&
            !(fabs(number(a, NAMES[i]) - number(b, NAMES[i])) <= within * number(a, NAMES[i])))
            fail_msg("%s: %.17g and %.17g", NAMES[i], number(a, NAMES[i]), number(b, NAMES[i]));
    assert_true(number(a, "rows_count") > 0);
}

static void every_rule_is_of_one_pass_and_gives_what_rows_that_leave_get(void **state)
{
    struct run_settings settings;
    struct run_setup setup;
    const cJSON *events[EVALUATIONS];

    (void)state;
    run_settings_init(&settings, run_task_folder, NULL);
    run_setup_init(&setup, settings.list, ALL);
    run_write_job(&setup, 1, NULL);
    assert_int_equal(run_attempt(&setup, 1), 0);
    cJSON *journal = run_journal(&setup, 1), *list = cJSON_Parse(ALL);
    for (int i = 0; i < EVALUATIONS; i++)
        events[i] = find_event(journal, cJSON_GetArrayItem(list, i));
    assert_true(number(events[0], "mean_outer_steps") == 3.0);
    assert_true(number(events[1], "mean_outer_steps") == 8.0);
    for (int rule = 0; rule < RULES; rule++)
        assert_same_numbers(events[PLAIN + rule], events[PLAIN + RULES + rule], ROUNDING);
    /* A stable answer takes at least two steps more than its first. */
    double stable = number(events[PLAIN + 2], "mean_outer_steps");
    assert_true(stable >= 3.0 && stable < 8.0);
    assert_true(number(events[PLAIN + 3], "mean_outer_steps") < 8.0);
    for (size_t i = 0; i < sizeof ALONE / sizeof *ALONE; i++) {
        setup.evaluations = ALONE[i];
        run_write_job(&setup, 2 + (int)i, "attempts/1/final.safetensors");
        assert_int_equal(run_attempt(&setup, 2 + (int)i), 0);
        cJSON *own = run_journal(&setup, 2 + (int)i), *alone = cJSON_Parse(ALONE[i]);
        assert_same_numbers(find_event(own, cJSON_GetArrayItem(alone, 0)),
                            events[ALONE_NUMBER[i]], 0.0);
        cJSON_Delete(alone);
        cJSON_Delete(own);
    }
    cJSON_Delete(list);
    cJSON_Delete(journal);
    run_setup_release(&setup);
}

static void a_rule_that_is_unknown_or_misplaced_is_refused(void **state)
{
    static const char *const BAD[] = {
        "[" EVALUATION("8", "false", ",\"eval.halt_rule\":\"soon\"") "]",
        "[" EVALUATION("8", "false", ",\"eval.halt_patience\":0") "]",
        "[" EVALUATION("8", "false", ",\"train.lr\":1") "]",
    };
    static const char *const SAID[] = { "eval.halt_rule", "eval.halt_patience", "members" };
    struct run_settings settings;

    (void)state;
    run_settings_init(&settings, run_task_folder, NULL);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct run_setup setup;

        run_setup_init(&setup, settings.list, BAD[i]);
        run_write_job(&setup, 1, NULL);
        assert_int_equal(run_attempt(&setup, 1), 2);
        char *path = run_path(&setup, 1, "log"), *log;
        size_t size;
        assert_int_equal(file_read(&log, &size, path, 1 << 20, NULL), 0);
        if (memmem(log, size, SAID[i], strlen(SAID[i])) == NULL)
            fail_msg("%s is not named: %.300s", SAID[i], log);
        free(log);
        free(path);
        run_setup_release(&setup);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_halt_where_their_definition_says),
        cmocka_unit_test(every_rule_is_of_one_pass_and_gives_what_rows_that_leave_get),
        cmocka_unit_test(a_rule_that_is_unknown_or_misplaced_is_refused),
    };

    return cmocka_run_group_tests_name("halting", tests, run_task_folder_make,
                                       run_task_folder_remove);
}
