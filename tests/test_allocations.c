/*
 * test_allocations.c - an allocation of a command fails: it is done nevertheless, or says so, and
 * given again it ends the same. Release programs under faults/shim.c; some allocations in `make
 * test`, many in `make test-faults` (HRMLAB_LONG), chosen from all places of the program alike;
 * each with HRMLAB_EVERY=1 (from the first on), or HRMLAB_EVERY=1001-2000 of them: hours, but for
 * one command (HRMLAB_ONLY='* verify').
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/fault.h"
#include "support/selection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Workspaces that commands start from: without anything, queued, with failed jobs, done by the null
 * worker, done by the real one. */
enum beginning { NOTHING, QUEUED, FAILED, DONE, TRAINED };

/* A command that a person gives; SPEC and HASH stand for the spec's path and a run's hash. */
struct command {
    const char *words[5];
    enum beginning from;
    bool changes;     /* the workspace: each time a fresh one, which must recover */
    bool says_same;   /* its standard output depends on the workspace alone */
    const char *mark; /* of an error on standard output; NULL: "error: " on standard error */
};

/* Not const, as a test's state in cmocka is not. */
static struct command COMMANDS[] = {
    { { "plan", "SPEC" }, DONE, false, true, NULL },
    { { "status" }, QUEUED, false, false, NULL },
    { { "results", "t" }, TRAINED, false, true, NULL },
    { { "compare", "t", "--matrix" }, TRAINED, false, true, NULL },
    { { "compare", "t", "--axis", "arch.name" }, TRAINED, false, true, NULL },
    { { "tasks", "t" }, TRAINED, false, true, NULL },
    { { "curves", "t" }, TRAINED, false, true, NULL },
    { { "report", "t", "--format", "markdown" }, TRAINED, false, true, NULL },
    { { "axes" }, DONE, false, true, NULL },
    { { "axes", "schema" }, DONE, false, true, NULL },
    { { "show", "HASH" }, TRAINED, false, true, NULL },
    { { "logs", "HASH" }, TRAINED, false, true, NULL },
    { { "doctor" }, DONE, false, false, " fault " },
    { { "verify", "HASH" }, DONE, false, true, NULL },
    { { "run", "SPEC" }, NOTHING, true, true, NULL },
    { { "work" }, QUEUED, true, true, NULL },
    { { "rebuild" }, DONE, true, true, NULL },
    { { "queue", "SPEC" }, NOTHING, true, true, NULL },
    { { "cancel", "t" }, QUEUED, true, true, NULL },
    { { "retry", "t" }, FAILED, true, true, NULL },
};

/* A workspace of a beginning, DIR/1 and so on: made once, copied as often as commands want. */
static void make_beginning(const struct fault *f, enum beginning beginning)
{
    struct place place = f->place;

    snprintf(place.workspace, sizeof place.workspace, "%s/%d", f->place.directory, beginning);
    if (access(place.workspace, F_OK) == 0)
        return;
    place_use_release(beginning == FAILED ? "crash" : beginning == TRAINED ? NULL : "ok");
    int code = place_finish(place_start(&place, beginning == QUEUED ? "queue" : "run",
                                        place.spec, "--set", "retries.max=0", NULL));
    assert_int_equal(code, beginning == FAILED ? 1 : 0);
    place_use_release("ok");
}

static void begin_from(const struct fault *f, enum beginning beginning)
{
    char command[200];

    snprintf(command, sizeof command, "rm -rf %s", f->place.workspace);
    assert_int_equal(system(command), 0);
    if (beginning == NOTHING)
        return;
    snprintf(command, sizeof command, "cp -a %s/%d %s", f->place.directory, beginning,
             f->place.workspace);
    assert_int_equal(system(command), 0);
}

/* Runs the command; its output and messages as fresh texts. */
static int give(const struct fault *f, const struct command *command, char **out, char **errors)
{
    const char *words[6] = { 0 };
    char *hash = NULL;

    for (int i = 0; i < 5 && command->words[i] != NULL; i++) {
        words[i] = strcmp(command->words[i], "SPEC") == 0 ? f->place.spec : command->words[i];
        if (strcmp(words[i], "HASH") == 0) /* only then: a rebuild cut short has no database */
            words[i] = hash =
                place_ask(&f->place, "SELECT hash FROM run ORDER BY hash LIMIT 1");
    }
    int code = place_run(&f->place, words, out, errors);
    free(hash);
    return code;
}

/* The same command without a fault, which may find nothing left to do. */
static void give_again(const struct fault *f, const struct command *command, int n)
{
    char *out, *errors;

    assert_true(place_becomes_quiet(&f->place));
    int code = give(f, command, &out, &errors);
    if (code != 0 && code != 2)
        fail_msg("hrmlab %s after a failed allocation %d: exit %d, it says: %.300s",
                 command->words[0], n, code, errors);
    free(out);
    free(errors);
}

/* An allocation, and the program's calls that lead to it. */
struct allocation {
    uint64_t stack;
    int number; /* from 1 on */
};

/* What a command does when nothing happens. */
struct learned {
    struct allocation *allocations; /* ordered by their stacks; owned */
    int count;
    char *out;
    char *state; /* when it has been given again, and then the run */
};

static int compare_stacks(const void *a, const void *b)
{
    const struct allocation *x = a, *y = b;

    return x->stack != y->stack ? (x->stack < y->stack ? -1 : 1) : x->number - y->number;
}

/* Reads the file of FAULT_STACKS. */
static void read_stacks(struct learned *learned, const char *file)
{
    struct error err = { 0 };
    char *data;
    size_t size;

    if (file_read(&data, &size, file, 1 << 24, &err) < 0)
        fail_msg("%s", err.message);
    learned->count = (int)(size / sizeof(uint64_t));
    learned->allocations = calloc((size_t)learned->count + 1, sizeof *learned->allocations);
    assert_non_null(learned->allocations);
    for (int i = 0; i < learned->count; i++) {
        memcpy(&learned->allocations[i].stack, data + (size_t)i * sizeof(uint64_t),
               sizeof(uint64_t));
        learned->allocations[i].number = i + 1;
    }
    qsort(learned->allocations, (size_t)learned->count, sizeof *learned->allocations,
          compare_stacks);
    free(data);
}

static struct learned learn_command(const struct fault *f, const struct command *command)
{
    struct learned learned = { 0 };
    char file[60], *errors;

    snprintf(file, sizeof file, "%s/stacks", f->place.directory);
    begin_from(f, command->from);
    if (!command->changes)
        give_again(f, command, 0); /* the first in a copied workspace notes that it is one */
    setenv("FAULT_STACKS", file, 1);
    fault_arm(f, "hrmlab", 0, "nomem");
    int code = give(f, command, &learned.out, &errors);
    fault_disarm();
    if (code != 0)
        fail_msg("hrmlab %s: exit %d, %s", command->words[0], code, errors);
    free(errors);
    read_stacks(&learned, file);
    if (command->changes) {
        give_again(f, command, 0);
        assert_int_equal(place_finish(fault_start_run(f)), 0);
        learned.state = place_ask(&f->place, PLACE_STATE);
    }
    return learned;
}

static int count_lines_with(const char *text, const char *words)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}

static bool names_memory(const char *text, const char *mark)
{
    return count_lines_with(text, mark) == 1 && strcasestr(text, "memory") != NULL;
}

/* Either it was done nevertheless, or there is one error, which says that memory ran out: in the
 * command's own list, or where errors go when it had no list to give. */
static void check_answer(const struct command *command, int n, int code, const char *out,
                         const char *errors, const char *expected)
{
    bool told = code == 3 && (names_memory(errors, "hrmlab: error: ") ||
                              (command->mark != NULL && names_memory(out, command->mark)));

    if (code == 0 && command->says_same && strcmp(out, expected) != 0)
        fail_msg("hrmlab %s, allocation %d fails: exit 0, but it says: %.300s",
                 command->words[0], n, out);
    if (code != 0 && !told)
        fail_msg("hrmlab %s, allocation %d fails: exit %d, it says: %.300s%.300s",
                 command->words[0], n, code, out, errors);
}

/* Where the allocations of the stack that begins there end. */
static int end_of_stack(const struct learned *learned, int begin)
{
    int end = begin + 1;

    while (end < learned->count &&
           learned->allocations[end].stack == learned->allocations[begin].stack)
        end++;
    return end;
}

static int count_stacks(const struct learned *learned)
{
    int count = 0;

    for (int begin = 0; begin < learned->count; begin = end_of_stack(learned, begin))
        count++;
    return count;
}

/* The number of an allocation, the i-th of so many points evenly over the stacks: most
 * allocations are SQLite's, in few calls of the program. */
static int choose_allocation(const struct learned *learned, int i, int points)
{
    int64_t stacks = count_stacks(learned);
    int64_t within = (int64_t)random_below(&fault_stream, (uint64_t)stacks);
    int64_t left = (i * stacks + within) / points;
    int begin = 0;

    for (; left > 0; left--)
        begin = end_of_stack(learned, begin);
    int count = end_of_stack(learned, begin) - begin;
    return learned->allocations[begin + (int)random_below(&fault_stream, (uint64_t)count)]
        .number;
}

/* Gives the command, with its n-th allocation failing. Returns whether it did. */
static bool fail_allocation(const struct fault *f, const struct command *command, int n,
                            const struct learned *learned)
{
    char *out, *errors;

    fault_arm(f, "hrmlab", n, "nomem");
    int code = give(f, command, &out, &errors);
    fault_disarm();
    bool hit = fault_struck(f);
    unlink(f->mark);
    check_answer(command, n, code, out, errors, learned->out);
    free(out);
    free(errors);
    if (command->changes) {
        give_again(f, command, n);
        fault_expect_end(f, command->words[0], n, learned->state);
    }
    return hit;
}

/* Fails allocations of the command, each in a run of its own: so many points, or with 0 each
 * from first to last. */
static void fail_allocations(const struct fault *f, const struct command *command, int first,
                             int last, int points)
{
    struct learned learned = learn_command(f, command);
    int hits = 0;

    last = last < learned.count ? last : learned.count;
    assert_true(first >= 1 && first <= last);
    if (points == 0 || points > last - first + 1)
        points = last - first + 1;
    bool each = points == last - first + 1;
    for (int i = 0; i < points; i++) {
        int n = each ? first + i : choose_allocation(&learned, i, points);

        if (command->changes)
            begin_from(f, command->from);
        hits += fail_allocation(f, command, n, &learned);
    }
    print_message("hrmlab %s: %d of %d allocations failed, of %d stacks\n", command->words[0],
                  hits, learned.count, count_stacks(&learned));
    free(learned.allocations);
    free(learned.out);
    free(learned.state);
    assert_true(hits >= points * 9 / 10);
}

/* The place that all commands share. */
static struct fault shared;

static void failed_allocations_are_errors_and_harm_nothing(void **state)
{
    const struct command *command = *state;
    const char *every = getenv("HRMLAB_EVERY");
    int first = 1, last = INT32_MAX;
    int wanted = every != NULL     ? 0 /* all */
                 : fault_is_long() ? (command->changes ? 100 : 400)
                                   : (command->changes ? 2 : 12);

    if (command->from != NOTHING)
        make_beginning(&shared, command->from);
    if (every != NULL)
        sscanf(every, "%d-%d", &first, &last);
    fail_allocations(&shared, command, first, last, wanted);
}

static int make_place(void **state)
{
    fault_set_up(state);
    fault_begin(&shared);
    return 0;
}

static int remove_place(void **state)
{
    fault_end(&shared);
    return fault_tear_down(state);
}

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

/* A test for each command, named after it: "allocations of compare --matrix". */
int main(void)
{
    static char names[COMMAND_COUNT][60];
    struct CMUnitTest tests[COMMAND_COUNT];

    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *const *words = COMMANDS[i].words;
        const char *option = words[2] != NULL ? words[2] : words[1];
        bool tells = option != NULL && (option[0] == '-' || strcmp(option, "schema") == 0);

        snprintf(names[i], sizeof names[i], "allocations of %s%s%s", words[0], tells ? " " : "",
                 tells ? option : "");
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = failed_allocations_are_errors_and_harm_nothing,
            .initial_state = &COMMANDS[i],
        };
    }
    select_tests();
    return cmocka_run_group_tests_name("allocations", tests, make_place, remove_place);
}
