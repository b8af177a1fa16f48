/* test_layouts.c - data files in every layout: ARC sets, Sudoku CSV; and what is said of bad ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/data_room.h"

#include "data_facts.h"
#include "data_set.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "settings.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* training: t0, t1; evaluation: e0. */
static void put_sets(const char *folder, char joint)
{
    static const char *const sets[][3] = {
        { "training", "{\"t0\":" HIDDEN(3) ",\"t1\":" HIDDEN(4) "}",
          "{\"t0\":[[[2]]],\"t1\":[[[2]]]}" },
        { "evaluation", "{\"e0\":" HIDDEN(5) "}", "{\"e0\":[[[2]]]}" },
    };
    char name[100];

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/arc-agi_%s%cchallenges.json", folder, sets[i][0],
                 joint);
        put(name, sets[i][1]);
        snprintf(name, sizeof name, "%s/arc-agi_%s%csolutions.json", folder, sets[i][0], joint);
        put(name, sets[i][2]);
    }
}

static void a_folder_of_sources_is_no_source(void **state)
{
    char *path = file_join(room, "sources");

    (void)state;
    put_sets("sources/arc", '_');
    expect_refusal(path, NULL, "sources/arc in it is a source of its own, with combined files");
    free(path);
}

static void combined_files_may_have_underscores_or_hyphens(void **state)
{
    (void)state;
    put_sets("under", '_');
    put_sets("hyphen", '-');
    char *under = file_join(room, "under"), *hyphen = file_join(room, "hyphen");
    struct data_set *a, *b;
    assert_null(open_with(&a, under, NULL));
    assert_null(open_with(&b, hyphen, NULL));
    assert_int_equal(data_set_info(a)->groups, 3);
    assert_int_equal(data_set_info(a)->tasks_evaluation, 1);
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    data_set_close(a);
    data_set_close(b);
    free(under);
    free(hyphen);
}

/* Names of sets go into JSON, which is UTF-8. */
static void names_of_sets_are_whole_characters(void **state)
{
    char file[200] = "long/", want[80] = "read ";

    (void)state;
    strcat(file, "aa");
    strcat(want, "aa");
    for (int i = 0; i < 35; i++) { /* of 63 bytes the last is half a character */
        strcat(file, "\xd0\xb9");
        strcat(want, i < 30 ? "\xd0\xb9" : "");
    }
    put(strcat(file, "_challenges.json"), "{\"t\":" TASK(1) "}");
    char *path = file_join(room, "long");
    struct data_set *set;
    assert_null(open_with(&set, path, NULL));
    assert_memory_equal(data_set_info(set)->counts, strcat(want, " 1;"), strlen(want));
    data_set_close(set);
    free(path);
    put("bytes/caf\xe9_challenges.json", "{\"t\":" TASK(1) "}");
    path = file_join(room, "bytes");
    expect_refusal(path, NULL, "expected UTF-8 without control characters: rename the file");
    free(path);
}

static void folders_of_folders_are_read_and_names_that_clash_get_their_folder(void **state)
{
    char name[DATA_NAME_SIZE];
    struct data_set *set;

    (void)state;
    put("concept/corpus/Above/Above1.json", TASK(3));
    put("concept/corpus/Above/1.json", TASK(4));
    put("concept/corpus/Copy/1.json", TASK(5));
    char *path = file_join(room, "concept");
    assert_null(open_with(&set, path, NULL));
    assert_int_equal(data_set_info(set)->tasks_evaluation, 3);
    assert_string_equal(data_set_task_name(set, SPLIT_TEST, 0, name), "Above-1");
    assert_string_equal(data_set_task_name(set, SPLIT_TEST, 1, name), "Above1");
    assert_string_equal(data_set_task_name(set, SPLIT_TEST, 2, name), "Copy-1");
    data_set_close(set);
    free(path);
}

static void only_sets_called_evaluation_are_tested_unless_others_are_named(void **state)
{
    (void)state;
    put_sets("mix", '_');
    put("mix/arc-agi_concept_challenges.json", "{\"c0\":" HIDDEN(6) ",\"c1\":" HIDDEN(7) "}");
    put("mix/arc-agi_concept_solutions.json", "{\"c0\":[[[2]]],\"c1\":[[[2]]]}");
    char *path = file_join(room, "mix");
    expect_tasks(path, NULL, 5, 1);
    expect_words(path, NULL,
                 "concept 2, evaluation 1, training 2; 5 tasks trained on, 1 tested");
    expect_tasks(path, (const char *const[]){ "data.test_sets", "concept", NULL }, 5, 2);
    expect_tasks(path, (const char *const[]){ "data.test_sets", " concept ,evaluation", NULL },
                 5, 3);
    expect_tasks(path,
                 (const char *const[]){ "data.train_sets", "training", "data.test_sets",
                                        "evaluation", NULL },
                 2, 1);
    expect_words(path, (const char *const[]){ "data.train_sets", "training", NULL },
                 "2 in no set of data.train_sets and data.test_sets");
    expect_refusal(
        path, (const char *const[]){ "data.test_sets", "conzept", NULL },
        "no set \"conzept\" in the data; the sets are concept, evaluation, training");
    expect_tasks(path, (const char *const[]){ "data.tasks", "t0 ,e0", NULL }, 2, 1);
    expect_refusal(path, (const char *const[]){ "data.tasks", "t0,e9 ", NULL }, "\"e9\"");
    free(path);
}

static void a_task_in_two_sets_is_taken_once_or_both_files_are_named(void **state)
{
    (void)state;
    put_sets("kaggle", '_');
    put("kaggle/arc-agi_test_challenges.json", "{\"t0\":" HIDDEN(3) ",\"e0\":" HIDDEN(5) "}");
    put("kaggle/sample_submission.json", "{}");
    char *path = file_join(room, "kaggle");
    expect_tasks(path, NULL, 3, 1);
    expect_words(path, NULL, "test 2 (a placeholder: all stand in other sets)");
    /* Named, it is tested: its tasks are those of the other sets, with their solutions. */
    expect_tasks(path, (const char *const[]){ "data.test_sets", "test", NULL }, 3, 2);
    put("kaggle/arc-agi_test_challenges.json", "{\"t0\":" HIDDEN(8) "}");
    expect_refusal(path, NULL, "arc-agi_training_challenges.json and in ");
    expect_refusal(path, NULL, "arc-agi_test_challenges.json, with different pairs");
    /* Hidden tasks of their own are tested beside the evaluation set. */
    put("kaggle/arc-agi_test_challenges.json", "{\"h0\":" HIDDEN(8) "}");
    expect_tasks(path, NULL, 4, 2);
    expect_words(path, NULL, "2 tested (1 of them without solutions)");
    free(path);
}

static void data_without_an_evaluation_task_are_refused_for_that_reason(void **state)
{
    (void)state;
    put("train/training/a.json", TASK(3));
    char *path = file_join(room, "train");
    expect_refusal(path, NULL, "no evaluation task among 1 tasks");
    expect_refusal(path, (const char *const[]){ "data.subset", "evaluation-only", NULL },
                   "no evaluation task among 1 tasks");
    free(path);
}

static void concept_arc_beside_arc_agi_2_is_trained_on_and_not_scored(void **state)
{
    static const char *const files[] = { "arc-agi-2/arc-agi_evaluation2",
                                         "concept-arc/arc-agi_concept",
                                         "arc-agi-2/arc-agi_training2" };
    static const char *const ends[] = { "_challenges.json", "_solutions.json" };
    struct error err;

    (void)state;
    for (int i = 0; i < 6; i++) {
        char from[500], *target, to[300];
        snprintf(from, sizeof from, "%s/data/%s%s", shared_folder(), files[i / 2], ends[i % 2]);
        target = realpath(from, NULL);
        if (target == NULL) {
            print_message("skip: the shared data are absent\n");
            skip();
        }
        snprintf(to, sizeof to, "%s/published/%s", room, strrchr(from, '/') + 1);
        char *folder = file_join(room, "published");
        assert_int_equal(file_make_directories(folder, &err), 0);
        assert_int_equal(symlink(target, to), 0);
        free(folder);
        free(target);
    }
    char *path = file_join(room, "published");
    expect_tasks(path, NULL, 1280, 120);
    free(path);
}

#define Q4 "1...3412.1.343.1"
#define A4 "1234341221434321"
#define B4 "2143432112343412"

static void sudoku_csv_files_are_read_with_or_without_a_header(void **state)
{
    int32_t inputs[16], labels[16], id;

    (void)state;
    put("plain/train.csv", "s," Q4 "," A4 ",3\r\ns," Q4 "," A4 ",9\r\n");
    put("plain/test.csv", "\"a, \"\"b\"\"\",\"" Q4 "\"," A4 ",5\n\n");
    put("named/train.csv", "\xEF\xBB\xBFrating,answer,question\n3," A4 "," Q4 "\n9," A4 "," Q4);
    put("named/test.csv", "question,answer,rating\n" Q4 "," A4 ",5\n");
    char *plain = file_join(room, "plain"), *named = file_join(room, "named");
    struct data_set *set;
    const char *fault = open_with(&set, plain, NULL);
    if (fault != NULL)
        fail_msg("%s", fault);
    assert_int_equal(data_set_info(set)->groups, 2);
    assert_int_equal(data_set_info(set)->test_rows, 1);
    assert_int_equal(data_set_info(set)->seq_len, 16);
    assert_int_equal(data_set_info(set)->vocab_size, 6);
    data_set_row(set, SPLIT_TEST, 0, NULL, inputs, labels, &id);
    assert_int_equal(id, 0);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(inputs[i], Q4[i] == '.' ? 1 : 1 + Q4[i] - '0');
        assert_int_equal(labels[i], 1 + A4[i] - '0');
    }
    data_set_close(set);
    expect_tasks(named, NULL, 2, 1);
    expect_tasks(named, (const char *const[]){ "data.min_difficulty", "5", NULL }, 1, 1);
    expect_tasks(named, (const char *const[]){ "data.sudoku_train", "1", NULL }, 1, 1);
    expect_refusal(named, (const char *const[]){ "data.min_difficulty", "6", NULL },
                   "below data.min_difficulty");
    free(plain);
    free(named);
}

static void one_sudoku_csv_is_split_and_the_choice_is_seeded(void **state)
{
    char text[4000] = "source,question,answer,rating\n";
    struct data_set *a, *b, *c;

    (void)state;
    for (int i = 0; i < 40; i++)
        strcat(text, "s," Q4 "," A4 ",1\n");
    put("one/all.csv", text);
    char *path = file_join(room, "one/all.csv");
    const char *const settings[] = { "data.sudoku_train", "7", "data.sudoku_test", "5", NULL };
    const char *const other[] = {
        "data.sudoku_train", "7", "data.sudoku_test", "5", "data.generator_seed", "1", NULL
    };
    expect_tasks(path, NULL, 20, 20);
    assert_null(open_with(&a, path, settings));
    assert_null(open_with(&b, path, settings));
    assert_null(open_with(&c, path, other));
    assert_int_equal(data_set_info(a)->groups, 7);
    assert_int_equal(data_set_info(a)->test_rows, 5);
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    assert_string_not_equal(data_set_hash(a),
                            data_set_hash(c)); /* rows' numbers name puzzles */
    data_set_close(a);
    data_set_close(b);
    data_set_close(c);
    free(path);
}

static void bad_sudoku_rows_are_named_with_row_and_column(void **state)
{
    static const struct {
        const char *row, *words;
    } cases[] = {
        { "s," Q4 "," A4 ",x", "bad.csv: row 2, column rating: expected a number" },
        { "s," Q4 "," A4 ",", "row 2, column rating" },
        { "s," Q4 "," A4 ",99999999999999999999", "rating: expected a number from 0 to 1e15" },
        { "s," Q4 "," A4 ",-1", "row 2, column rating" },
        { "s," Q4 "," B4 ",1",
          "row 2, column answer: cell 1 (row 1, column 1 of the board) is 2" },
        { "s,................,1234341221434312,1", "row 2, column answer: not a solved board" },
        { "s," Q4 ",123434122143432.,1",
          "column answer: character 16 is \".\"; expected a digit" },
        { "s,................,1234234134124123,1", "not a solved board" }, /* its boxes */
        { "s,5...3412.1.343.1," A4 ",1", "column question: character 1 is \"5\"" },
        { "s,1...3412.1.343.\t," A4 ",1", "column question: character 16 is the byte 0x09" },
        { "s,1...," A4 ",1", "column question: 4 characters; expected 16" },
        { "s," Q4,
          "row 2: 2 columns, separated by commas; expected source,question,answer,rating" },
        { "s,\"" Q4 "," A4 ",1", "row 2: a quote is not closed" },
        { "s,\"" Q4 "\"x," A4 ",1", "row 2: text behind a quoted field" },
        { "s,1\"2\"," A4 ",1", "row 2: a quote inside a field" },
        { "\ns," Q4 "," A4 ",1", "row 2: the row is empty" },
        { "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "row 2: more than 16 columns" },
    };
    char *path = file_join(room, "bad.csv"), text[400];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "s," Q4 "," A4 ",1\n%s\n", cases[i].row);
        put("bad.csv", text);
        expect_refusal(path, NULL, cases[i].words);
    }
    put("bad.csv", "hello,world\n");
    expect_refusal(path, NULL, "row 1: 2 columns");
    put("bad.csv", "a,b,c,1\n");
    expect_refusal(path, NULL, "expected a puzzle of 81 (9 x 9), 36 (6 x 6) or 16 (4 x 4)");
    put("bad.csv", "question,answer\n" Q4 "," A4 "\n" Q4 "," A4 "\n");
    expect_refusal(path, (const char *const[]){ "data.min_difficulty", "1", NULL },
                   "no column rating");
    put("bad.csv", "");
    expect_refusal(path, NULL, "0 puzzles read");
    put("bad.csv",
        "question,answer\r" Q4 "," A4 "\r" Q4 "," A4 "\r"); /* read as a header alone */
    expect_refusal(path, NULL, "row 1: a carriage return inside it; expected line ends");
    put("half/train.csv", "s," Q4 "," A4 ",1\n");
    char *half = file_join(room, "half");
    expect_refusal(half, NULL, "there is no test.csv beside");
    free(half);
    free(path);
}

static void a_row_longer_than_the_limit_is_refused_and_long_files_stream(void **state)
{
    size_t size = 3 << 20;
    char *text = malloc(size + 1), *path = file_join(room, "long.csv");

    (void)state;
    memset(text, '1', size);
    text[size] = '\0';
    put("long.csv", text);
    expect_refusal(path, NULL, "row 1: more than 65536 bytes");
    /* Rows that lie across the ends of the reader's buffer. */
    static const char row[] = "s," Q4 "," A4 ",1\n";
    size_t rows = size / (sizeof row - 1);
    for (size_t i = 0; i < rows; i++)
        memcpy(text + i * (sizeof row - 1), row, sizeof row);
    put("long.csv", text);
    expect_tasks(
        path, (const char *const[]){ "data.sudoku_train", "0", "data.sudoku_test", "1", NULL },
        (int)rows - 1, 1);
    free(text);
    free(path);
}

static void get_facts(struct data_facts *out, const char *path, const char *directory)
{
    struct config config;
    struct error err = { 0 };

    assert_int_equal(config_init(&config, &err), 0);
    assert_int_equal(config_set_text(&config, "data.path", path, "test", &err), 0);
    assert_int_equal(config_resolve(&config, "test", &err), 0);
    if (data_facts_get(out, &config, directory, "test", &err) < 0)
        fail_msg("%s", err.message);
    config_release(&config);
}

/* The only file of the directory; fresh. */
static char *only_file(const char *directory)
{
    DIR *entries = opendir(directory);
    char *found = NULL;

    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.') {
            assert_null(found);
            found = file_join(directory, entry->d_name);
        }
    closedir(entries);
    return found;
}

/* Gives the cached facts other counts, with a checksum that agrees if honest. */
static void change_cache(const char *path, bool honest)
{
    cJSON *root = NULL;
    struct error err = { 0 };
    char sum[17];

    assert_int_equal(json_read_file(&root, path, 1 << 20, &err), 0);
    cJSON *body = cJSON_GetObjectItemCaseSensitive(root, "body");
    cJSON_ReplaceItemInObjectCaseSensitive(cJSON_GetObjectItemCaseSensitive(body, "facts"),
                                           "counts", cJSON_CreateString("cached"));
    char *text = json_canonical(body);
    snprintf(sum, sizeof sum, "%016" PRIx64, hash_xxh3(text, strlen(text)));
    if (honest)
        cJSON_ReplaceItemInObjectCaseSensitive(root, "checksum", cJSON_CreateString(sum));
    char *all = cJSON_PrintUnformatted(root);
    assert_int_equal(file_write_atomic(path, all, strlen(all), &err), 0);
    cJSON_free(all);
    cJSON_free(text);
    cJSON_Delete(root);
}

/* Until files written now are old enough to be cached. */
static void let_files_age(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 80000000 }, NULL);
}

static void facts_are_cached_until_a_file_or_folder_changes(void **state)
{
    struct data_facts first, second;
    char hash[HASH_HEX_SIZE];

    (void)state;
    put("tasks/evaluation/a.json", TASK(3));
    put("cache/.keep", "");
    char *tasks = file_join(room, "tasks"), *cache = file_join(room, "cache");
    let_files_age();
    get_facts(&first, tasks, cache);
    memcpy(hash, first.hash, sizeof hash);
    char *file = only_file(cache);
    assert_non_null(file);
    change_cache(file, true); /* to see that it is the cache that answers */
    get_facts(&second, tasks, cache);
    assert_string_equal(second.counts, "cached");
    assert_string_equal(second.hash, first.hash);
    assert_int_equal(second.info.groups, first.info.groups);
    assert_int_equal(second.info.train_rows, first.info.train_rows);
    data_facts_release(&second);
    data_facts_release(&first);
    put("tasks/evaluation/b.json", TASK(4)); /* one more file */
    let_files_age();
    get_facts(&second, tasks, cache);
    assert_int_equal(second.info.groups, 2);
    assert_string_not_equal(second.hash, hash);
    memcpy(hash, second.hash, sizeof hash);
    data_facts_release(&second);
    put("tasks/evaluation/b.json", TASK(5)); /* other content of the same size */
    get_facts(&second, tasks, cache);
    assert_string_not_equal(second.hash, hash);
    data_facts_release(&second);
    free(file);
    free(tasks);
    free(cache);
}

static void wrong_cache_files_are_ignored_and_written_anew(void **state)
{
    struct data_facts facts;
    struct error err = { 0 };

    (void)state;
    put("tasks/evaluation/a.json", TASK(3));
    put("cache/.keep", "");
    char *tasks = file_join(room, "tasks"), *cache = file_join(room, "cache");
    let_files_age();
    for (int i = 0; i < 3; i++) {
        get_facts(&facts, tasks, cache);
        assert_non_null(strstr(facts.counts, "1 tested"));
        data_facts_release(&facts);
        char *file = only_file(cache);
        assert_non_null(file);
        if (i == 0)
            change_cache(file, false);
        else
            assert_int_equal(file_write_atomic(file, "[{\"\n", 4, &err), 0);
        free(file);
    }
    get_facts(&facts, tasks, "/nonexistent"); /* nowhere to write */
    assert_non_null(strstr(facts.counts, "1 tested"));
    data_facts_release(&facts);
    free(tasks);
    free(cache);
}

static void content_hashes_of_built_in_data_are_those_of_the_first_release(void **state)
{
    static const char *const sudoku[] = {
        "data.sudoku_side", "9", "data.sudoku_train", "20", "data.sudoku_test", "5", NULL
    };
    struct data_set *set;

    (void)state;
    assert_null(open_with(&set, "builtin:arc-style", NULL));
    assert_string_equal(data_set_hash(set),
                        "b1dbc51a4a31612e1ac5c27aaf3c0397d0a4943f1c1f93f07700d4f8bce316a8");
    data_set_close(set);
    assert_null(open_with(&set, "builtin:sudoku", sudoku));
    assert_string_equal(data_set_hash(set),
                        "1ec0f4874e2f2f28be66cb70b8f8abe0c9aaebf22ee02917340848b59e25deb2");
    data_set_close(set);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)
    const struct CMUnitTest tests[] = {
        IN_ROOM(a_folder_of_sources_is_no_source),
        IN_ROOM(combined_files_may_have_underscores_or_hyphens),
        IN_ROOM(names_of_sets_are_whole_characters),
        IN_ROOM(folders_of_folders_are_read_and_names_that_clash_get_their_folder),
        IN_ROOM(only_sets_called_evaluation_are_tested_unless_others_are_named),
        IN_ROOM(a_task_in_two_sets_is_taken_once_or_both_files_are_named),
        IN_ROOM(data_without_an_evaluation_task_are_refused_for_that_reason),
        IN_ROOM(concept_arc_beside_arc_agi_2_is_trained_on_and_not_scored),
        IN_ROOM(sudoku_csv_files_are_read_with_or_without_a_header),
        IN_ROOM(one_sudoku_csv_is_split_and_the_choice_is_seeded),
        IN_ROOM(bad_sudoku_rows_are_named_with_row_and_column),
        IN_ROOM(facts_are_cached_until_a_file_or_folder_changes),
        IN_ROOM(wrong_cache_files_are_ignored_and_written_anew),
        IN_ROOM(content_hashes_of_built_in_data_are_those_of_the_first_release),
        IN_ROOM(a_row_longer_than_the_limit_is_refused_and_long_files_stream),
    };

    return cmocka_run_group_tests_name("layouts", tests, NULL, NULL);
}
