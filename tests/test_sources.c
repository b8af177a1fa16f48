/* test_sources.c - data of several sources; files of task names. */
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
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a data.path of two places in the room is written as. */
static const char *both(const char *a, const char *b)
{
    static char list[300];

    snprintf(list, sizeof list, "%s/%s,%s/%s", room, a, room, b);
    return list;
}

/* one: training t0, evaluation e0; two: training t1, evaluation e1; concept: corpus/X/c0. */
static void put_sources(void)
{
    put("one/training/t0.json", TASK(1));
    put("one/evaluation/e0.json", TASK(2));
    put("two/training/t1.json", TASK(3));
    put("two/evaluation/e1.json", TASK(4));
    put("concept/corpus/X/c0.json", TASK(5));
}

static void several_sources_are_one_data_set_in_whatever_order(void **state)
{
    struct data_set *a, *b, *alone;

    (void)state;
    put_sources();
    expect_tasks(both("one", "two"), NULL, 4, 2);
    expect_words(both("one", "two"), NULL,
                 "read one/training 1, one/evaluation 1, two/training 1, two/evaluation 1");
    assert_null(open_with(&a, both("one", "concept"), NULL));
    assert_null(open_with(&b, both("concept", "one"), NULL));
    assert_string_equal(data_set_hash(a), data_set_hash(b));
    /* ConceptARC is trained on, unless it is named. */
    assert_int_equal(data_set_info(a)->tasks_evaluation, 1);
    assert_int_equal(data_set_info(a)->groups, 3);
    data_set_close(a);
    data_set_close(b);
    expect_tasks(both("one", "concept"),
                 (const char *const[]){ "data.test_sets", "concept", NULL }, 3, 1);
    /* A list of one is that one; the content is the same in any case. */
    char list[100];
    snprintf(list, sizeof list, "[\"%s/one\"]", room);
    assert_null(open_with(&a, list, NULL));
    snprintf(list, sizeof list, "%s/one", room);
    assert_null(open_with(&alone, list, NULL));
    assert_string_equal(data_set_hash(a), data_set_hash(alone));
    data_set_close(a);
    data_set_close(alone);
    snprintf(list, sizeof list, "%s/one,builtin:arc-style", room);
    expect_tasks(list, NULL, 2 + 37, 1 + 37);
}

static void sets_of_one_name_are_told_apart_by_their_source(void **state)
{
    (void)state;
    put_sources();
    expect_tasks(both("one", "two"),
                 (const char *const[]){ "data.test_sets", "two/evaluation", NULL }, 4, 1);
    expect_tasks(both("one", "two"),
                 (const char *const[]){ "data.test_sets", "evaluation", "data.train_sets",
                                        "two/evaluation,training", NULL },
                 3, 2);
    expect_refusal(both("one", "two"),
                   (const char *const[]){ "data.test_sets", "three/evaluation", NULL },
                   "the sets are one/training, one/evaluation, two/training, two/evaluation");
}

static void a_task_of_two_sources_is_taken_once_or_both_its_files_are_named(void **state)
{
    (void)state;
    put_sources();
    put("two/training/e0.json", TASK(2));
    expect_tasks(both("one", "two"), NULL, 4, 2);
    expect_words(both("one", "two"), NULL, "left out: 1 in two sets and taken once");
    put("two/training/e0.json", TASK(9));
    expect_refusal(both("one", "two"), NULL, "one/evaluation/e0.json and in ");
    expect_refusal(both("one", "two"), NULL, "two/training/e0.json, with different pairs");
}

/* e0 is an evaluation task of one, and stands with other pairs in training of two. */
static void of_two_contents_of_a_task_the_wanted_one_is_taken_and_tested(void **state)
{
    static const char *const first[] = { "data.duplicates", "first", NULL };
    static const char *const last[] = { "data.duplicates", "last", NULL };
    struct data_set *one, *two, *alone;
    char path[100], list[300];

    (void)state;
    put_sources();
    put("two/training/e0.json", TASK(9));
    expect_refusal(both("one", "two"), NULL, "data.duplicates=first or last");
    expect_tasks(both("one", "two"), first, 4, 2);
    expect_tasks(both("one", "two"), last, 4, 2);
    expect_words(both("one", "two"), first,
                 "left out: 1 of a name that is taken from another set (data.duplicates)");
    assert_null(open_with(&one, both("one", "two"), first));
    assert_null(open_with(&two, both("one", "two"), last));
    assert_string_not_equal(data_set_hash(one), data_set_hash(two));
    data_set_close(two);
    /* The first of these sources is the last of those. */
    assert_null(open_with(&two, both("two", "one"), last));
    assert_string_equal(data_set_hash(one), data_set_hash(two));
    data_set_close(two);
    /* The content is that of the source without the other's task. */
    snprintf(path, sizeof path, "%s/two/training/e0.json", room);
    assert_int_equal(unlink(path), 0);
    assert_null(open_with(&alone, both("one", "two"), NULL));
    assert_string_equal(data_set_hash(one), data_set_hash(alone));
    data_set_close(one);
    data_set_close(alone);
    /* A task whose solution is known goes before a hidden one; equal ones are one. */
    put("two/training/e0.json", TASK(9));
    put("one/evaluation/e0.json", HIDDEN(2));
    put("three/training/e0.json", TASK(9));
    snprintf(list, sizeof list, "%s,%s/three", both("one", "two"), room);
    expect_words(list, first, "left out: 1 in two sets and taken once, 1 of a name that");
}

static void a_source_that_cannot_be_one_is_named(void **state)
{
    (void)state;
    put_sources();
    put("boards.csv", "1234341221434321,1234341221434321\n");
    expect_refusal(both("one", "nowhere"), NULL, "nowhere: No such file");
    expect_refusal(both("one", "boards.csv"), NULL, "a list of sources is for ARC tasks");
    char list[100];
    snprintf(list, sizeof list, "%s/one,builtin:sudoku", room);
    expect_refusal(list, NULL, "builtin:sudoku in a list of sources");
    expect_refusal("[\"a\",3]", NULL, "expected text, or a list of texts");
    expect_refusal("a,,b", NULL, "expected text, or a list of texts");
    expect_refusal("[]", NULL, "expected text, or a list of texts");
    put("comma,name/evaluation/e.json", TASK(1)); /* a path with a comma that is there */
    snprintf(list, sizeof list, "%s/comma,name", room);
    expect_tasks(list, NULL, 1, 1);
}

/* Places that no data can be read from are refused at once, as bad input. */
static void places_that_cannot_be_read_are_refused(void **state)
{
    char path[100], list[200];

    (void)state;
    put("loop/evaluation/t.json", TASK(1));
    snprintf(path, sizeof path, "%s/loop/evaluation/u.json", room);
    assert_int_equal(symlink("u.json", path), 0);
    expect_refusal(path, NULL, "symbolic links");
    snprintf(path, sizeof path, "%s/loop", room);
    expect_refusal(path, NULL, "loop/evaluation/u.json: Too many levels of symbolic links");
    snprintf(path, sizeof path, "%s/folders", room);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(list, sizeof list, "%s/data", path); /* a folder that has itself as data/ */
    assert_int_equal(symlink(".", list), 0);
    expect_refusal(path, NULL, "no task files");
    snprintf(path, sizeof path, "%s/pipe.csv", room);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refusal(path, NULL, "pipe.csv: expected a regular file");
    put("one/evaluation/t.json", TASK(1));
    snprintf(list, sizeof list, "%s/one", room);
    expect_refusal(list, (const char *const[]){ "data.batch_order", path, NULL },
                   "pipe.csv: expected a .npy file, found something else");
    expect_refusal(list, (const char *const[]){ "data.tasks", "@", NULL },
                   "expected the path of a file of names behind the @");
    snprintf(path, sizeof path, "%s/one/evaluation/t.json", room);
    assert_int_equal(chmod(path, 0), 0);
    if (access(path, R_OK) < 0) /* root reads it all the same */
        expect_refusal(list, NULL, "t.json: Permission denied");
}

static void a_file_may_name_the_tasks(void **state)
{
    static const char *const lines[][2] = {
        { "\xEF\xBB\xBF# two of them\r\n e0 \r\n\r\nt0 # a comment\r\n", NULL },
        { "e0\nt0", NULL },
        { "e0\nt0\nt0\n", NULL },
        { "e0\n\n t9 \n", "ids.txt:3: there is no task \"t9\" in the data" },
        { "# nothing\n\n", "ids.txt: no names of tasks; expected one a line" },
        { "e0\n\x01\n", "ids.txt:2: expected the name of a task" },
    };
    char path[100], file[100];

    (void)state;
    put_sources();
    put("one/training/t5.json", TASK(6));
    snprintf(path, sizeof path, "%s/one", room);
    snprintf(file, sizeof file, "@%s/ids.txt", room);
    const char *const pairs[] = { "data.tasks", file, NULL };
    expect_refusal(path, pairs, "data.tasks: ");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        put("ids.txt", lines[i][0]);
        if (lines[i][1] == NULL)
            expect_tasks(path, pairs, 2, 1);
        else
            expect_refusal(path, pairs, lines[i][1]);
    }
    /* As many as wanted, and the same data as the names themselves give. */
    struct data_set *named, *listed;
    put("ids.txt", "t0\ne0\n");
    assert_null(open_with(&named, path, pairs));
    assert_null(open_with(&listed, path, (const char *const[]){ "data.tasks", "e0,t0", NULL }));
    assert_string_equal(data_set_hash(named), data_set_hash(listed));
    data_set_close(named);
    data_set_close(listed);
}

/* Writes ROOM/name, packed by gzip. */
static void put_packed(const char *name, const char *content)
{
    char command[400];

    put(name, content);
    snprintf(command, sizeof command, "gzip -nf %s/%s", room, name);
    assert_int_equal(system(command), 0);
}

static void files_may_be_packed_by_gzip(void **state)
{
    struct data_set *plain, *packed;
    char path[100];

    (void)state;
    put_sources();
    snprintf(path, sizeof path, "%s/one", room);
    assert_null(open_with(&plain, path, NULL));
    put_packed("packed/training/t0.json", TASK(1));
    put_packed("packed/evaluation/e0.json", TASK(2));
    snprintf(path, sizeof path, "%s/packed", room);
    assert_null(open_with(&packed, path, NULL));
    assert_string_equal(data_set_hash(plain), data_set_hash(packed));
    data_set_close(packed);
    /* Challenges and solutions, either of them packed. */
    put_packed("c/arc-agi_training_challenges.json", "{\"t0\":" HIDDEN(1) "}");
    put("c/arc-agi_training_solutions.json", "{\"t0\":[[[2]]]}");
    put("c/arc-agi_evaluation_challenges.json", "{\"e0\":" HIDDEN(2) "}");
    put_packed("c/arc-agi_evaluation_solutions.json", "{\"e0\":[[[2]]]}");
    snprintf(path, sizeof path, "%s/c", room);
    assert_null(open_with(&packed, path, NULL));
    assert_string_equal(data_set_hash(plain), data_set_hash(packed));
    data_set_close(packed);
    data_set_close(plain);
}

/* A file ROOM/bad/evaluation/e0.json.gz of size bytes of text, packed, then cut or changed. */
static void damage(size_t size, const char *how)
{
    char command[600], *text = malloc(size + 1);

    memset(text, ' ', size);
    text[size] = '\0';
    put_packed("bad/evaluation/e0.json", text);
    snprintf(command, sizeof command, "cd %s/bad/evaluation && %s", room, how);
    assert_int_equal(system(command), 0);
    free(text);
}

static void bad_packed_files_are_named_with_their_byte(void **state)
{
    static const struct {
        size_t size;
        const char *how, *words;
    } cases[] = {
        { 1000, "head -c 20 e0.json.gz > x && mv x e0.json.gz",
          "e0.json.gz: byte 20: the gzip data are cut off" },
        { 1000, "echo more >> e0.json.gz", ": something else follows the gzip data" },
        { 1000, "gzip -dc e0.json.gz > x && mv x e0.json.gz", "byte 0: no gzip data" },
        { 1000, ": > e0.json.gz", "byte 0: no gzip data" },
        { 1000, "printf '\\377\\377' | dd of=e0.json.gz bs=1 seek=12 conv=notrunc 2>x; rm x",
          ": damaged gzip data" },
        { (size_t)70 << 20, ":", "unpacked it is larger than the limit of 67108864 bytes" },
        { 1000, ":", "e0.json.gz" }, /* sound gzip, but no JSON */
    };
    char path[100];

    (void)state;
    snprintf(path, sizeof path, "%s/bad", room);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        damage(cases[i].size, cases[i].how);
        expect_refusal(path, NULL, cases[i].words);
    }
}

/* The places that a spec's one arm has, comma-separated. Fresh. */
static char *places_of_spec(const char *const *overrides, int count)
{
    struct error err = { 0 };
    struct spec *spec;
    char *path = file_join(room, "specs/spec.json");

    if (spec_read(&spec, path, NULL, overrides, count, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(spec->arm_count, 1);
    char *text = format_string("%s %s", config_text(&spec->arms[0].config, DATA_PATH),
                               config_text(&spec->arms[0].config, DATA_TASKS));
    spec_destroy(spec);
    free(path);
    return text;
}

static void sources_of_a_spec_are_relative_to_the_file_that_says_them(void **state)
{
    char expected[500], here[200];

    (void)state;
    put_sources();
    put("ids.txt", "e0\n");
    put("specs/spec.json", "{\"name\": \"s\", \"set\": {\"data.path\": [\"../one\", "
                           "\"../two\"], \"data.tasks\": \"@../ids.txt\"}}");
    char *said = places_of_spec(NULL, 0);
    snprintf(expected, sizeof expected, "[\"%s/one\",\"%s/two\"] @%s/ids.txt", room, room,
             room);
    assert_string_equal(said, expected);
    free(said);
    /* With --set from the current folder. */
    assert_non_null(getcwd(here, sizeof here));
    said =
        places_of_spec((const char *const[]){ "data.path=worker,model", "data.tasks=a,b" }, 2);
    snprintf(expected, sizeof expected, "[\"%s/worker\",\"%s/model\"] a,b", here, here);
    assert_string_equal(said, expected);
    free(said);
    /* An axis of lists; a rule that takes one of them away. */
    put("specs/spec.json",
        "{\"name\": \"s\", \"grid\": {\"data.path\": [[\"../one\", \"../two\"], \"../one\"]},"
        " \"exclude\": [{\"data.path\": [[\"../one\", \"../two\"]]}]}");
    said = places_of_spec(NULL, 0);
    snprintf(expected, sizeof expected, "%s/one ", room);
    assert_string_equal(said, expected);
    free(said);
}

static void the_published_mix_gives_the_published_split(void **state)
{
    char *arc = shared_data("arc-agi-1"), *concept = shared_data("concept-arc");
    char *list = format_string("%s,%s", arc, concept);

    (void)state;
    expect_words(list, NULL,
                 "read training 400, evaluation 400, concept 160; 960 tasks trained on, 400 "
                 "tested");
    free(list);
    free(arc);
    free(concept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_room, remove_room)
        TEST(several_sources_are_one_data_set_in_whatever_order),
        TEST(sets_of_one_name_are_told_apart_by_their_source),
        TEST(a_task_of_two_sources_is_taken_once_or_both_its_files_are_named),
        TEST(of_two_contents_of_a_task_the_wanted_one_is_taken_and_tested),
        TEST(a_source_that_cannot_be_one_is_named),
        TEST(places_that_cannot_be_read_are_refused),
        TEST(a_file_may_name_the_tasks),
        TEST(files_may_be_packed_by_gzip),
        TEST(bad_packed_files_are_named_with_their_byte),
        TEST(sources_of_a_spec_are_relative_to_the_file_that_says_them),
        TEST(the_published_mix_gives_the_published_split),
    };

    return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
