/* test_public_layouts.c - the rows of the table in docs/data.md: the files of ARC as they are
 * published, and the counts that come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/data_room.h"

#include "error.h"
#include "file.h"
#include "json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PLACEHOLDERS = 240 }; /* tasks of the contest's test file */

static bool have_data; /* the shared data are there: ROOM/combined is made */

static void need_data(void)
{
    if (!have_data) {
        print_message("skip: the shared data are absent\n");
        skip();
    }
}

static const char *in_room(const char *name)
{
    static char path[100];

    snprintf(path, sizeof path, "%s/%s", room, name);
    return path;
}

/* ROOM/to, a link to ROOM/from or to SHARED/data/from. */
static void link_file(const char *to, const char *from, bool of_room)
{
    char path[200], *target = of_room ? file_join(room, from) : shared_data(from);

    snprintf(path, sizeof path, "%s/%s", room, to);
    assert_int_equal(symlink(target, path), 0);
    free(target);
}

static void write_json(const char *name, cJSON *json)
{
    char *text = cJSON_PrintUnformatted(json);

    assert_non_null(text);
    put(name, text);
    cJSON_free(text);
}

/* Moves the outputs of a task's tests into a fresh list. */
static cJSON *take_outputs(cJSON *task)
{
    cJSON *outputs = cJSON_CreateArray(), *test;

    cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(task, "test"))
        cJSON_AddItemToArray(outputs, cJSON_DetachItemFromObjectCaseSensitive(test, "output"));
    return outputs;
}

static int only_json(const struct dirent *entry)
{
    return strstr(entry->d_name, ".json") != NULL;
}

/* The folder of ARC-AGI-1's set as ROOM/combined/arc-agi_SET_{challenges,solutions}.json; of
 * training the first tasks as the placeholder ROOM/test.json too. */
static void combine(const char *folder, const char *set)
{
    cJSON *challenges = cJSON_CreateObject(), *solutions = cJSON_CreateObject();
    cJSON *placeholder = cJSON_CreateObject();
    struct dirent **entries;
    struct error err = { 0 };
    char path[600], name[100];

    snprintf(path, sizeof path, "%s/data/%s", folder, set);
    int count = scandir(path, &entries, only_json, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        cJSON *task;
        snprintf(path, sizeof path, "%s/data/%s/%s", folder, set, entries[i]->d_name);
        snprintf(name, sizeof name, "%.8s", entries[i]->d_name);
        assert_int_equal(json_read_file(&task, path, JSON_DATA_LIMIT, &err), 0);
        cJSON_AddItemToObject(solutions, name, take_outputs(task));
        cJSON_AddItemToObject(challenges, name, task);
        if (i < PLACEHOLDERS)
            cJSON_AddItemToObject(placeholder, name, cJSON_Duplicate(task, true));
        free(entries[i]);
    }
    free(entries);
    snprintf(name, sizeof name, "combined/arc-agi_%s_challenges.json", set);
    write_json(name, challenges);
    snprintf(name, sizeof name, "combined/arc-agi_%s_solutions.json", set);
    write_json(name, solutions);
    if (strcmp(set, "training") == 0)
        write_json("test.json", placeholder);
    cJSON_Delete(challenges);
    cJSON_Delete(solutions);
    cJSON_Delete(placeholder);
}

static int make_combined(void **state)
{
    int rc = make_room(state);
    char *path = format_string("%s/data/arc-agi-1", shared_folder());

    have_data = access(path, R_OK) == 0;
    if (have_data) {
        combine(path, "training");
        combine(path, "evaluation");
    }
    free(path);
    return rc;
}

static void arc_agi_1_is_the_same_in_folders_and_in_combined_files(void **state)
{
    struct data_set *folders, *combined;

    (void)state;
    need_data();
    char *path = shared_data("arc-agi-1");
    assert_null(open_with(&folders, path, NULL));
    assert_null(open_with(&combined, in_room("combined"), NULL));
    assert_string_equal(data_set_info(combined)->counts,
                        "read evaluation 400, training 400; 800 tasks trained on, 400 tested, "
                        "copies of 1 of them trained on");
    assert_string_equal(data_set_hash(folders), data_set_hash(combined));
    data_set_close(folders);
    /* The contest's folder has a test file that repeats training tasks, without solutions. */
    link_file("combined/arc-agi_test_challenges.json", "test.json", true);
    expect_words(in_room("combined"), NULL,
                 "read evaluation 400, test 240 (a placeholder: all stand in other sets), "
                 "training 400; 800 tasks trained on, 400 tested, ");
    struct data_set *contest;
    assert_null(open_with(&contest, in_room("combined"), NULL));
    assert_string_equal(data_set_hash(contest), data_set_hash(combined));
    data_set_close(contest);
    data_set_close(combined);
    free(path);
}

static void of_a_folder_of_all_sets_those_of_a_published_mix_are_chosen(void **state)
{
    static const char *const ends[] = { "challenges", "solutions" };

    (void)state;
    need_data();
    for (int i = 0; i < 2; i++) {
        char to[100], from[100];
        snprintf(to, sizeof to, "combined/arc-agi_training2_%s.json", ends[i]);
        snprintf(from, sizeof from, "arc-agi-2/arc-agi_training2_%s.json", ends[i]);
        link_file(to, from, false);
        snprintf(to, sizeof to, "combined/arc-agi_evaluation2_%s.json", ends[i]);
        snprintf(from, sizeof from, "arc-agi-2/arc-agi_evaluation2_%s.json", ends[i]);
        link_file(to, from, false);
        snprintf(to, sizeof to, "combined/arc-agi_concept_%s.json", ends[i]);
        snprintf(from, sizeof from, "concept-arc/arc-agi_concept_%s.json", ends[i]);
        link_file(to, from, false);
    }
    expect_words(in_room("combined"),
                 (const char *const[]){ "data.train_sets", "training,evaluation,concept",
                                        "data.test_sets", "evaluation", NULL },
                 "; 960 tasks trained on, 400 tested, ");
    expect_words(in_room("combined"),
                 (const char *const[]){ "data.train_sets", "training2,evaluation2,concept",
                                        "data.test_sets", "evaluation2", NULL },
                 "; 1280 tasks trained on, 120 tested; left out: ");
    /* Of all sets together one task has two contents. */
    expect_refusal(in_room("combined"), NULL, "the task ac0c5833 stands in ");
}

static void sources_of_both_editions_are_one_mix(void **state)
{
    (void)state;
    need_data();
    char *one = shared_data("arc-agi-1"), *two = shared_data("arc-agi-2");
    char *concept = shared_data("concept-arc");
    char *list = format_string("%s,%s,%s", one, two, concept);
    expect_words(
        list,
        (const char *const[]){ "data.train_sets", "training,training2,concept",
                               "data.test_sets", "evaluation2", NULL },
        "; 1169 tasks trained on, 120 tested; left out: 391 in two sets and taken once");
    free(list);
    /* One task has two contents: an evaluation task of the first edition. */
    list = format_string("%s,%s", one, two);
    expect_refusal(list, NULL, "the task ac0c5833 stands in ");
    expect_words(
        list, (const char *const[]){ "data.duplicates", "last", NULL },
        "; 1147 tasks trained on, 514 tested, copies of 1 of them trained on; left out: "
        "772 in two sets and taken once (375 of them as evaluation tasks), 1 of a name "
        "that is taken from another set (data.duplicates)");
    free(list);
    free(one);
    free(two);
    free(concept);
}

static void the_published_builder_counts_the_same(void **state)
{
    char path[500];
    struct data_set *set;

    (void)state;
    snprintf(path, sizeof path, "%s/golden/reference_dataset/source", shared_folder());
    if (access(path, R_OK) != 0) {
        print_message("skip: %s is absent\n", path);
        skip();
    }
    /* The folder has Sudoku files beside, which would come first. */
    static const char *const names[] = { "training-challenges", "training-solutions",
                                         "evaluation-challenges", "evaluation-solutions" };
    put("reference/README", "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char from[600], to[200], *target;
        snprintf(from, sizeof from, "%s/arc-agi_%s.json", path, names[i]);
        snprintf(to, sizeof to, "%s/reference/arc-agi_%s.json", room, names[i]);
        target = realpath(from, NULL);
        assert_non_null(target);
        assert_int_equal(symlink(target, to), 0);
        free(target);
    }
    const char *fault = open_with(&set, in_room("reference"),
                                  (const char *const[]){ "data.num_aug", "4", NULL });
    if (fault != NULL)
        fail_msg("%s", fault);
    /* Of its dataset.json, and of the shapes of its arrays. */
    const struct data_info *info = data_set_info(set);
    assert_int_equal(info->num_puzzle_identifiers, 36);
    assert_int_equal(info->groups, 7);
    assert_int_equal(info->puzzles, 35);
    assert_int_equal(info->examples, 165);
    assert_true(info->mean_puzzle_examples > 4.714285714285713 &&
                info->mean_puzzle_examples < 4.714285714285715);
    assert_int_equal(info->test_rows, 15);
    assert_int_equal(info->tasks_evaluation, 3);
    assert_int_equal(info->seq_len, 900);
    assert_int_equal(info->vocab_size, 12);
    data_set_close(set);
}

/* re-arc: as many pairs a file as wanted, in tasks/ beside metadata.json. */
static void put_pairs(const char *name, int count)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s{\"input\":[[%d]],\"output\":[[%d]]}", i == 0 ? "[" : ", ", i % 10,
                i / 10 % 10);
    fputs("]", out);
    fclose(out);
    put(name, text);
    free(text);
}

static void lists_of_pairs_are_trained_on_and_never_tested(void **state)
{
    struct data_set *set, *other;
    char name[DATA_NAME_SIZE], *list;

    (void)state;
    put("rearc/metadata.json", "{\"00d62c1b\": {}}");
    put_pairs("rearc/tasks/00d62c1b.json", 1000);
    put_pairs("rearc/tasks/0a0a0a0a.json", 1000);
    put("few/training/00d62c1b.json", TASK(1));
    put("few/evaluation/e0.json", TASK(2));
    list = format_string("%s/few,%s/rearc", room, room);
    expect_words(list, (const char *const[]){ "data.num_aug", "3", NULL },
                 "read training 1, evaluation 1, re-arc 2; 4 tasks trained on, 1 tested");
    assert_null(open_with(&set, list, NULL));
    /* Pairs of demonstrations, and of tests that are not scored: 1 + 2 + 1000 + 1000. */
    assert_int_equal(data_set_info(set)->examples, 2003);
    assert_int_equal(data_set_info(set)->groups, 4);
    assert_int_equal(data_set_info(set)->test_rows, 1);
    assert_string_equal(data_set_task_name(set, SPLIT_TRAIN, 2, name), "re-arc-0a0a0a0a");
    /* One pair more is another data set. */
    put_pairs("rearc/tasks/0a0a0a0a.json", 1001);
    assert_null(open_with(&other, list, NULL));
    assert_string_not_equal(data_set_hash(set), data_set_hash(other));
    data_set_close(set);
    data_set_close(other);
    expect_refusal(list, (const char *const[]){ "data.test_sets", "re-arc", NULL },
                   "the set re-arc is of lists of pairs");
    expect_refusal(in_room("rearc"), NULL, "no evaluation task among 2 tasks");
    free(list);
}

static void bad_lists_of_pairs_are_named_with_their_place(void **state)
{
    static const char *const faults[][2] = {
        { "[]", "task re-arc-bad: a list of 0 pairs; expected at least 1" },
        { "[3]", "list, pair 1: expected an object with \"input\" and \"output\"" },
        { "[" PAIR(1, 2) ",{\"input\":[[1]]}]",
          "list, pair 2, output: expected a list of rows" },
        { "[" PAIR(1, 2) "," PAIR(1, 12) "]", "pair 2, output, row 1, column 1: colour 12" },
        { "{\"train\":[],\"test\":[" PAIR(1, 2) "]}", "0 train and 1 test pairs" },
        { "{\"train\":[" PAIR(1, 2) "],\"test\":[]}", "1 train and 0 test pairs" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        put("badlist/tasks/bad.json", faults[i][0]);
        expect_refusal(in_room("badlist"), NULL, "badlist/tasks/bad.json: ");
        expect_refusal(in_room("badlist"), NULL, faults[i][1]);
    }
    put_pairs("badlist/tasks/bad.json", 10001);
    expect_refusal(in_room("badlist"), NULL,
                   "a list of 10001 pairs; expected at least 1 and at most");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arc_agi_1_is_the_same_in_folders_and_in_combined_files),
        cmocka_unit_test(of_a_folder_of_all_sets_those_of_a_published_mix_are_chosen),
        cmocka_unit_test(sources_of_both_editions_are_one_mix),
        cmocka_unit_test(the_published_builder_counts_the_same),
        cmocka_unit_test(lists_of_pairs_are_trained_on_and_never_tested),
        cmocka_unit_test(bad_lists_of_pairs_are_named_with_their_place),
    };

    return cmocka_run_group_tests_name("public layouts", tests, make_combined, remove_room);
}
