/*
 * test_allocations.c - an allocation of a command fails: it is done nevertheless, or says so, and
 * given again it ends the same; one of the server's fails: the page is as ever, or is refused,
 * and is there when it is asked for again. Release programs under faults/shim.c; some allocations
 * in `make test`, many in `make test-faults` (HRMLAB_LONG), chosen from all places of the program
 * alike; each with HRMLAB_EVERY=1 (from the first on), or HRMLAB_EVERY=1001-2000 of them: hours,
 * but for one command (HRMLAB_ONLY='* verify *').
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/fault.h"
#include "support/page_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Workspaces that commands start from: without anything, queued, with failed jobs, done by the null
 * worker, done by the real one. */
enum beginning { NOTHING, QUEUED, FAILED, DONE, TRAINED };

enum { MOST_WORDS = 8 };

enum trait {
    CHANGES = 1,   /* the workspace: each time a fresh one, which must recover */
    SAYS_SAME = 2, /* its standard output depends on the workspace alone */
    BY_WORKER = 4, /* the worker that it calls lacks memory */
    IN_PIECES = 8, /* it writes several files, one after another */
};

/* A command that a person gives. Words in capitals stand for: the spec's path, a run's hash and
 * its last weights, a task of it, and what the command writes, a file or a folder of the test's
 * directory. */
struct command {
    const char *words[MOST_WORDS];
    enum beginning from;
    unsigned traits;
    const char *mark; /* of an error on standard output; NULL: "error: " on standard error */
};

/* Not const, as a test's state in cmocka is not. */
static struct command COMMANDS[] = {
    { { "plan", "SPEC" }, DONE, SAYS_SAME, NULL },
    { { "plan", "SPEC" }, DONE, SAYS_SAME | BY_WORKER, NULL },
    { { "status" }, QUEUED, 0, NULL },
    { { "results", "t" }, TRAINED, SAYS_SAME, NULL },
    { { "compare", "t", "--matrix" }, TRAINED, SAYS_SAME, NULL },
    { { "compare", "t", "--axis", "arch.name" }, TRAINED, SAYS_SAME, NULL },
    { { "tasks", "t" }, TRAINED, SAYS_SAME, NULL },
    { { "curves", "t" }, TRAINED, SAYS_SAME, NULL },
    { { "report", "t", "--format", "markdown" }, TRAINED, SAYS_SAME, NULL },
    { { "report", "t", "--format", "markdown" }, TRAINED, SAYS_SAME | BY_WORKER, NULL },
    { { "axes" }, DONE, SAYS_SAME, NULL },
    { { "axes", "schema" }, DONE, SAYS_SAME, NULL },
    { { "show", "HASH" }, TRAINED, SAYS_SAME, NULL },
    { { "show", "HASH", "--task", "TASK", "--steps" }, TRAINED, SAYS_SAME | BY_WORKER, NULL },
    { { "logs", "HASH" }, TRAINED, SAYS_SAME, NULL },
    { { "watch", "t" }, TRAINED, SAYS_SAME, NULL },
    { { "export", "OUT" }, TRAINED, SAYS_SAME, NULL },
    { { "export", "OUT", "--format", "tensorboard" }, TRAINED, SAYS_SAME, NULL },
    { { "plot", "t", "--figure", "all", "-o", "OUT" }, TRAINED, SAYS_SAME | IN_PIECES, NULL },
    { { "data", "show", "SPEC" }, DONE, SAYS_SAME, NULL },
    { { "data", "show", "SPEC" }, DONE, SAYS_SAME | BY_WORKER, NULL },
    { { "data", "build", "SPEC", "-o", "OUT" }, DONE, SAYS_SAME | BY_WORKER | IN_PIECES, NULL },
    { { "doctor" }, DONE, 0, " fault " },
    { { "verify", "HASH" }, DONE, SAYS_SAME, NULL },
    { { "run", "SPEC" }, NOTHING, CHANGES | SAYS_SAME, NULL },
    { { "work" }, QUEUED, CHANGES | SAYS_SAME, NULL },
    { { "rebuild" }, DONE, CHANGES | SAYS_SAME, NULL },
    { { "rebuild" }, DONE, CHANGES | SAYS_SAME | BY_WORKER, NULL },
    { { "queue", "SPEC" }, NOTHING, CHANGES | SAYS_SAME, NULL },
    { { "queue", "SPEC" }, NOTHING, CHANGES | SAYS_SAME | BY_WORKER, NULL },
    { { "cancel", "t" }, QUEUED, CHANGES | SAYS_SAME, NULL },
    { { "retry", "t" }, FAILED, CHANGES | SAYS_SAME, NULL },
    { { "sync" }, DONE, CHANGES | SAYS_SAME, NULL },
    { { "import", "WEIGHTS" }, TRAINED, CHANGES | SAYS_SAME, NULL },
    { { "note", "t", "seen" }, DONE, CHANGES | SAYS_SAME, NULL },
    { { "gc", "--force" }, DONE, CHANGES, NULL },
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

/* What a word of a command stands for; fresh. The database is asked only where that is needed: a
 * rebuild cut short leaves none. */
static char *meaning_of(const struct fault *f, const char *word)
{
    if (strcmp(word, "SPEC") == 0)
        return strdup(f->place.spec);
    if (strcmp(word, "OUT") == 0)
        return format_string("%s/out.d", f->place.directory);
    if (strcmp(word, "HASH") == 0)
        return place_ask(&f->place, "SELECT hash FROM run ORDER BY hash LIMIT 1");
    if (strcmp(word, "TASK") == 0)
        return place_ask(&f->place, "SELECT min(task) FROM task_outcome");
    if (strcmp(word, "WEIGHTS") != 0)
        return strdup(word);
    char *file = place_ask(&f->place, "SELECT min(file) FROM checkpoint");
    char *path = format_string("%s/%s", f->place.workspace, file);

    free(file);
    return path;
}

/* Runs the command; its output and messages as fresh texts. */
static int give(const struct fault *f, const struct command *command, char **out, char **errors)
{
    char *words[MOST_WORDS + 1] = { 0 };

    for (int i = 0; i < MOST_WORDS && command->words[i] != NULL; i++)
        words[i] = meaning_of(f, command->words[i]);
    int code = place_run(&f->place, (const char *const *)words, out, errors);
    for (int i = 0; i < MOST_WORDS; i++)
        free(words[i]);
    return code;
}

/* Lists what the command has written, a line with checksum and path for each file, and removes
 * it, also what it would have given the name in the end. Fresh. */
static char *take_written(const struct fault *f)
{
    char *command = format_string("cd %s && find out.d* .out.d* -type f 2>/dev/null | sort |"
                                  " xargs -r -d '\\n' sha256sum && rm -rf out.d* .out.d*",
                                  f->place.directory);
    FILE *from = popen(command, "r");
    char *text = calloc(1, 1 << 16);

    assert_non_null(from);
    assert_non_null(text);
    size_t size = fread(text, 1, (1 << 16) - 1, from);
    assert_int_equal(pclose(from), 0);
    assert_true(size < (1 << 16) - 1);
    free(command);
    return text;
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
    free(take_written(f));
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
    char *written; /* as take_written() lists it */
    char *state;   /* when it has been given again, and then the run */
};

static void release_learned(struct learned *learned)
{
    free(learned->allocations);
    free(learned->out);
    free(learned->written);
    free(learned->state);
}

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

static const char *program_of(const struct command *command)
{
    return (command->traits & BY_WORKER) != 0 ? "hrmlab-worker" : "hrmlab";
}

static struct learned learn_command(const struct fault *f, const struct command *command)
{
    struct learned learned = { 0 };
    char file[60], *errors;

    snprintf(file, sizeof file, "%s/stacks", f->place.directory);
    begin_from(f, command->from);
    if ((command->traits & CHANGES) == 0)
        give_again(f, command, 0); /* the first in a copied workspace notes that it is one */
    setenv("FAULT_STACKS", file, 1);
    fault_arm(f, program_of(command), 0, "nomem");
    int code = give(f, command, &learned.out, &errors);
    fault_disarm();
    if (code != 0)
        fail_msg("hrmlab %s: exit %d, %s", command->words[0], code, errors);
    free(errors);
    learned.written = take_written(f);
    read_stacks(&learned, file);
    if ((command->traits & CHANGES) != 0) {
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

/* The line with which hrmlab refers to its worker's error is none of its own. */
static bool names_memory(const char *text, const char *mark)
{
    int errors = count_lines_with(text, mark) - count_lines_with(text, "its message is above");

    return errors == 1 && strcasestr(text, "memory") != NULL;
}

/* Either it was done nevertheless, and what only reads has nothing to say of memory; or there is
 * one error, which says that memory ran out: in the command's own list, or where errors go when it
 * had no list to give. */
static void check_answer(const struct command *command, int n, int code, const char *out,
                         const char *errors, const char *expected)
{
    bool told = code == 3 && (names_memory(errors, ": error: ") ||
                              (command->mark != NULL && names_memory(out, command->mark)));

    if (code == 0 && (command->traits & SAYS_SAME) != 0 && strcmp(out, expected) != 0)
        fail_msg("hrmlab %s, allocation %d fails: exit 0, but it says: %.300s",
                 command->words[0], n, out);
    bool lacking =
        strcasestr(errors, "no memory") != NULL || strcasestr(errors, "out of memory") != NULL;

    if (code == 0 && (command->traits & CHANGES) == 0 && lacking)
        fail_msg("hrmlab %s, allocation %d fails: exit 0, but %.300s", command->words[0], n,
                 errors);
    if (code != 0 && !told)
        fail_msg("hrmlab %s, allocation %d fails: exit %d, it says: %.300s%.300s",
                 command->words[0], n, code, out, errors);
}

/* All that it writes is there, or nothing; of several files, each that is there is whole. */
static void check_written(const struct command *command, int n, int code, const char *written,
                          const char *expected)
{
    bool right = strcmp(written, code == 0 ? expected : "") == 0;

    if (code != 0 && (command->traits & IN_PIECES) != 0) {
        right = true;
        for (const char *line = written, *end; *line != '\0'; line = end) {
            end = line + strcspn(line, "\n") + 1;
            right = right && memmem(expected, strlen(expected), line, (size_t)(end - line));
        }
    }
    if (!right)
        fail_msg("hrmlab %s, allocation %d fails: exit %d, it has written: %.600s",
                 command->words[0], n, code, written);
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

    fault_arm(f, program_of(command), n, "nomem");
    int code = give(f, command, &out, &errors);
    fault_disarm();
    bool hit = fault_struck(f);
    unlink(f->mark);
    check_answer(command, n, code, out, errors, learned->out);
    free(out);
    free(errors);
    char *written = take_written(f);
    check_written(command, n, code, written, learned->written);
    free(written);
    if ((command->traits & CHANGES) != 0) {
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

        if ((command->traits & CHANGES) != 0)
            begin_from(f, command->from);
        hits += fail_allocation(f, command, n, &learned);
    }
    print_message("hrmlab %s: %d of %d allocations failed, of %d stacks\n", command->words[0],
                  hits, learned.count, count_stacks(&learned));
    release_learned(&learned);
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
                 : fault_is_long() ? ((command->traits & CHANGES) != 0 ? 100 : 400)
                                   : ((command->traits & CHANGES) != 0 ? 2 : 12);

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
    setenv("HRMLAB_SANDBOX", "off", 1); /* the shim writes its mark elsewhere */
    return 0;
}

static int remove_place(void **state)
{
    unsetenv("HRMLAB_SANDBOX");
    fault_end(&shared);
    return fault_tear_down(state);
}

/* ---- pages of the server ---- */

/* Words in capitals stand for what they do in commands. */
static const char *const PAGES[] = {
    "/",
    "/experiment/t",
    "/run/HASH",
    "/task/t/TASK",
    "/queue",
    "/compare?a=arch.name%3Dhrm&b=arch.name%3Dtransformer",
    "/figure/t/outer_steps.svg",
    "/page.css",
};
enum { PAGE_COUNT = sizeof PAGES / sizeof *PAGES };

/* The address of a page; fresh. */
static char *address_of(const struct fault *f, const char *page)
{
    static const char *const WORDS[] = { "HASH", "TASK" };
    char *address = strdup(page);

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const char *at = strstr(page, WORDS[i]);

        if (at != NULL) {
            char *meaning = meaning_of(f, WORDS[i]);

            free(address);
            address = format_string("%.*s%s", (int)(at - page), page, meaning);
            free(meaning);
        }
    }
    return address;
}

/* Starts the server with an n-th allocation that fails, 0: none. */
static void start_server(struct page_server *server, const struct fault *f, int n)
{
    fault_arm(f, "hrmlab-serve", n, "nomem");
    page_server_start(server, f->place.workspace, NULL);
    fault_disarm();
}

/* Asks the server, fresh, for the page (NULL: nothing) and ends it. */
static struct learned learn_page(const struct fault *f, const char *address)
{
    struct learned learned = { 0 };
    struct page_server server;
    char *file = format_string("%s/stacks", f->place.directory);

    setenv("FAULT_STACKS", file, 1);
    start_server(&server, f, 0);
    if (address != NULL)
        learned.out = page_body(&server, address);
    assert_int_equal(page_server_stop(&server), 130);
    read_stacks(&learned, file);
    free(file);
    return learned;
}

/* Leaves the allocations from the first number on. */
static void keep_from(struct learned *learned, int first)
{
    int kept = 0;

    for (int i = 0; i < learned->count; i++)
        if (learned->allocations[i].number >= first)
            learned->allocations[kept++] = learned->allocations[i];
    learned->count = kept;
}

/* The page with the n-th allocation failing, and once more. An answer that could not be begun is
 * none: the connection is closed. */
static void fail_allocation_of_page(const struct fault *f, const char *address, int n,
                                    const char *expected)
{
    struct page_server server;
    struct page_reply reply, again;

    start_server(&server, f, n);
    page_get(&reply, &server, address, "");
    /* otherwise it fails in the next answer: the server has made others than it did when it was
     * learned */
    bool struck = fault_struck(f);
    page_get(&again, &server, address, "");
    assert_int_equal(page_server_stop(&server), 130);
    bool same = reply.status == 200 && strcmp(reply.body, expected) == 0;
    bool refused = reply.status == 503 && strcasestr(reply.body, "memory") != NULL;
    if (!same && !refused && reply.status != 0)
        fail_msg("%s, allocation %d fails: status %d, %.300s", address, n, reply.status,
                 reply.body);
    if (struck && (again.status != 200 || strcmp(again.body, expected) != 0))
        fail_msg("%s, after allocation %d has failed: status %d, %.300s", address, n,
                 again.status, again.body);
    page_reply_release(&reply);
    page_reply_release(&again);
    unlink(f->mark);
}

static void failed_allocations_of_a_page_refuse_it_once(void **state)
{
    const char *const *page = *state;
    int points = getenv("HRMLAB_EVERY") != NULL ? INT32_MAX : fault_is_long() ? 200 : 5;

    make_beginning(&shared, TRAINED);
    begin_from(&shared, TRAINED);
    char *address = address_of(&shared, *page);
    struct learned without = learn_page(&shared, NULL), learned = learn_page(&shared, address);

    keep_from(&learned, without.count);
    points = points < learned.count ? points : learned.count;
    assert_true(points > 0);
    for (int i = 0; i < points; i++)
        fail_allocation_of_page(&shared, address, choose_allocation(&learned, i, points),
                                learned.out);
    release_learned(&learned);
    release_learned(&without);
    free(address);
}

/* ---- the tests ---- */

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

/* "allocations of compare t --matrix". */
static void name_command(char *out, size_t size, const struct command *command)
{
    size_t used = (size_t)snprintf(out, size, "allocations of");

    for (int i = 0; i < MOST_WORDS && command->words[i] != NULL && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s", command->words[i]);
    if ((command->traits & BY_WORKER) != 0 && used < size)
        snprintf(out + used, size - used, ", the worker's");
}

/* A test for each command and page. */
int main(void)
{
    static char names[COMMAND_COUNT + PAGE_COUNT][100];
    struct CMUnitTest tests[COMMAND_COUNT + PAGE_COUNT];

    for (int i = 0; i < COMMAND_COUNT; i++) {
        name_command(names[i], sizeof names[i], &COMMANDS[i]);
        tests[i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = failed_allocations_are_errors_and_harm_nothing,
            .initial_state = &COMMANDS[i],
        };
    }
    for (int i = 0; i < PAGE_COUNT; i++) {
        char *name = names[COMMAND_COUNT + i];

        snprintf(name, sizeof names[0], "allocations of the page %s", PAGES[i]);
        tests[COMMAND_COUNT + i] = (struct CMUnitTest){
            .name = name,
            .test_func = failed_allocations_of_a_page_refuse_it_once,
            .initial_state = (void *)(uintptr_t)&PAGES[i],
        };
    }
    return cmocka_run_group_tests_name("allocations", tests, make_place, remove_place);
}
