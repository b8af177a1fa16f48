/*
 * test_share.c - shares of tasks and of pairs: how many, which, and what they leave as it is; tasks
 * that are evaluated by their context alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "support/data_room.h"

#define BUILTIN "builtin:arc-style"

static struct data_set *open_set(const char *const *pairs)
{
    struct data_set *set;
    const char *message = open_with(&set, BUILTIN, pairs);

    if (message != NULL)
        fail_msg("%s", message);
    return set;
}

static bool has_task(const struct data_set *set, enum data_split split, const char *name)
{
    char room_of_name[DATA_NAME_SIZE];

    for (int t = 0; t < data_set_task_count(set, split); t++)
        if (strcmp(data_set_task_name(set, split, t, room_of_name), name) == 0)
            return true;
    return false;
}

/* All tasks of a split of one set are among those of another. */
static void expect_part(const struct data_set *part, const struct data_set *whole,
                        enum data_split split)
{
    char name[DATA_NAME_SIZE];

    for (int t = 0; t < data_set_task_count(part, split); t++)
        assert_true(has_task(whole, split, data_set_task_name(part, split, t, name)));
}

/* 37 families with three training and three evaluation tasks each. */
static void a_share_of_tasks_is_part_of_a_larger_one(void **state)
{
    (void)state;
    static const char *const SHARES[] = { "0", "0.1", "0.5", "1" };
    static const int TRAINED[] = { 111, 111 + 11, 111 + 56, 222 };
    struct data_set *sets[4], *only;

    for (int i = 0; i < 4; i++) {
        sets[i] = open_set((const char *[]){ "data.tasks_per_family", "6", "data.task_share",
                                             SHARES[i], NULL });
        assert_int_equal(data_set_info(sets[i])->groups, TRAINED[i]);
        assert_int_equal(data_set_info(sets[i])->tasks_evaluation, 111);
        if (i > 0)
            expect_part(sets[i - 1], sets[i], SPLIT_TRAIN);
    }
    expect_words(
        BUILTIN,
        (const char *[]){ "data.tasks_per_family", "6", "data.task_share", "0.1", NULL },
        "left out: 100 training tasks by data.task_share");
    only = open_set((const char *[]){ "data.tasks_per_family", "6", "data.subset",
                                      "evaluation-only", NULL });
    assert_string_equal(data_set_hash(only), data_set_hash(sets[0]));
    assert_string_not_equal(data_set_hash(only), data_set_hash(sets[1]));
    data_set_close(only);
    only = open_set((const char *[]){ "data.tasks_per_family", "6", NULL });
    assert_string_equal(data_set_hash(only), data_set_hash(sets[3]));
    data_set_close(only);
    for (int i = 0; i < 4; i++)
        data_set_close(sets[i]);
}

/* The tasks tested are the same whatever the training tasks are. */
static void a_number_of_tests_does_not_depend_on_what_is_trained(void **state)
{
    (void)state;
    struct data_set *few = open_set(
        (const char *[]){ "data.tasks_per_family", "6", "data.test_tasks", "5",
                          "data.task_share", "0.1", "data.train_sets", "training", NULL });
    struct data_set *all =
        open_set((const char *[]){ "data.tasks_per_family", "6", "data.test_tasks", "20",
                                   "data.train_sets", "training", NULL });

    assert_int_equal(data_set_task_count(few, SPLIT_TEST), 5);
    assert_int_equal(data_set_task_count(all, SPLIT_TEST), 20);
    assert_int_equal(data_set_info(few)->groups, 11);
    assert_int_equal(data_set_info(all)->groups, 111);
    expect_part(few, all, SPLIT_TEST);
    expect_words(BUILTIN,
                 (const char *[]){ "data.tasks_per_family", "6", "data.test_tasks", "5", NULL },
                 "106 evaluation tasks by data.test_tasks");
    data_set_close(few);
    data_set_close(all);
}

static int pairs_of(const struct data_set *set)
{
    int count = 0;

    for (int g = 0; g < data_set_info(set)->groups; g++) {
        assert_true(data_set_group_pairs(set, g) > 0);
        count += data_set_group_pairs(set, g);
    }
    return count;
}

static void a_share_of_pairs_leaves_one_of_each_task_and_all_tests(void **state)
{
    (void)state;
    struct data_set *all = open_set((const char *[]){ NULL });
    struct data_set *half = open_set((const char *[]){ "data.pair_share", "0.5", NULL });
    struct data_set *least = open_set((const char *[]){ "data.pair_share", "0", NULL });

    assert_int_equal(data_set_info(half)->groups, data_set_info(all)->groups);
    assert_int_equal(data_set_info(half)->test_rows, data_set_info(all)->test_rows);
    assert_int_equal(pairs_of(least), data_set_info(least)->groups);
    assert_true(pairs_of(half) < pairs_of(all) && pairs_of(half) > pairs_of(least));
    for (int row = 0; row < data_set_row_count(all, SPLIT_TEST); row++) {
        int32_t x[2][900], y[2][900], id[2];

        data_set_row(all, SPLIT_TEST, row, NULL, x[0], y[0], &id[0]);
        data_set_row(half, SPLIT_TEST, row, NULL, x[1], y[1], &id[1]);
        assert_memory_equal(x[0], x[1], sizeof x[0]);
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        assert_int_equal(id[0], id[1]);
    }
    expect_words(BUILTIN, (const char *[]){ "data.pair_share", "0.5", NULL },
                 "training pairs left out by data.pair_share");
    data_set_close(all);
    data_set_close(half);
    data_set_close(least);
}

/* Tests without a solution are not trained on, so that none is what is left of a task. */
static void hidden_tests_are_no_training_pairs(void **state)
{
    static const char *const HIDDEN_TASKS[] = { HIDDEN(1), HIDDEN(2), HIDDEN(3),
                                                HIDDEN(4), HIDDEN(5), HIDDEN(6) };
    char name[40];

    (void)state;
    put("evaluation/tested.json", TASK(7));
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "training/hidden%d.json", i);
        put(name, HIDDEN_TASKS[i]);
    }
    expect_tasks(room, (const char *[]){ "data.pair_share", "0", NULL }, 7, 1);
    expect_words(room, (const char *[]){ "data.pair_share", "0", NULL }, "7 tasks trained on");
}

/* Tasks of which nothing is trained on have their demonstrations as context. */
static void tasks_never_trained_on_have_a_context(void **state)
{
    (void)state;
    struct data_set *set = open_set((const char *[]){
        "data.tasks_per_family", "2", "data.canvas", "10", "arch.conditioning", "context",
        "data.context_pairs", "1", "data.train_sets", "training", "data.num_aug", "1", NULL });
    char name[DATA_NAME_SIZE];
    int32_t context[200];

    assert_int_equal(data_set_info(set)->groups, data_set_info(set)->tasks_training);
    assert_true(data_set_row_count(set, SPLIT_TEST) > 0);
    for (int t = 0; t < data_set_task_count(set, SPLIT_TEST); t++)
        assert_false(has_task(set, SPLIT_TRAIN, data_set_task_name(set, SPLIT_TEST, t, name)));
    for (int row = 0; row < data_set_row_count(set, SPLIT_TEST); row++) {
        context_of_row(set, SPLIT_TEST, row, context);
        assert_true(context[0] >= 2 && context[100] >= 2); /* both canvases have a grid */
    }
    data_set_close(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_tasks_is_part_of_a_larger_one),
        cmocka_unit_test(a_number_of_tests_does_not_depend_on_what_is_trained),
        cmocka_unit_test(a_share_of_pairs_leaves_one_of_each_task_and_all_tests),
        cmocka_unit_test_setup_teardown(hidden_tests_are_no_training_pairs, make_room,
                                        remove_room),
        cmocka_unit_test(tasks_never_trained_on_have_a_context),
    };

    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
