/* test_executor.c - the scheduler over an executor that delays, loses and reorders: every run is
 * done once, and what is found is what the executor local finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "executor_local.h"
#include "executors.h"
#include "file.h"
#include "options.h"
#include "store.h"
#include "supervise.h"
#include "support/fake_executor.h"
#include "support/place.h"
#include "workspace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct executor_type *const FAKES[] = { &fake_executor, &executor_local, NULL };

static const char SPEC[] =
    "{\"name\": \"t\", \"set\": {\"data.canvas\": 8, \"arch.hidden_size\": 16,"
    " \"arch.num_heads\": 2, \"arch.H_layers\": 1, \"arch.L_layers\": 1,"
    " \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16, \"arch.halt_max_steps\": 2,"
    " \"train.max_steps\": 20, \"train.global_batch_size\": 8, \"train.lr_warmup_steps\": 5,"
    " \"train.checkpoint_interval\": 0.05, \"retries.delay\": 0},"
    " \"grid\": {\"arch.name\": [\"hrm\", \"transformer\"], \"train.lr\": [0.01, 0.02]},"
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}}";

/* A workspace in which that grid is queued. */
static void queue_grid(struct place *place)
{
    struct error err = { 0 };

    place_make(place);
    assert_int_equal(file_write_atomic(place->spec, SPEC, strlen(SPEC), &err), 0);
    assert_int_equal(place_finish(place_start(place, "queue", place->spec, NULL)), 0);
}

/* The runner's loop, in this process. */
static struct supervise_result work_by(const struct place *place,
                                       const struct executor_type *const *types,
                                       const char *executor)
{
    const struct options options = { .worker_program = place_worker(),
                                     .executor = executor,
                                     .jobs = 3,
                                     .keep_going = true,
                                     .quiet = true,
                                     .color = COLOR_NEVER };
    struct supervise_result result = { 0 };
    struct workspace workspace;
    struct store *store = NULL;
    struct error err = { 0 };
    char holder[WORKSPACE_HOLDER];
    bool held = false;
    int rc = workspace_open(&workspace, place->workspace, &err);

    if (rc == 0)
        rc = store_open(&store, workspace.path, STORE_WRITE, &err);
    if (rc == 0)
        rc = workspace_lock(&workspace, &held, holder, sizeof holder, &err);
    if (rc == 0)
        rc = supervise(&result, store, &workspace, &options, types, "t", &err);
    if (rc < 0)
        fail_msg("%s", err.message);
    assert_true(held);
    store_close(store);
    workspace_close(&workspace);
    return result;
}

static struct supervise_result work(const struct place *place,
                                    const struct executor_type *const *types)
{
    return work_by(place, types, NULL);
}

static char *expected; /* what the executor local finds */

static int find_expected(void **state)
{
    struct place place;

    (void)state;
    place_use_release(NULL);
    queue_grid(&place);
    assert_int_equal(work(&place, EXECUTORS).done, 4);
    expected = place_ask(&place, PLACE_STATE);
    place_expect(&place, "SELECT group_concat(DISTINCT executor) FROM attempt", "local");
    place_remove(&place);
    return 0;
}

static int forget_expected(void **state)
{
    (void)state;
    free(expected);
    return 0;
}

static void a_grid_is_done_once_however_late_its_starts_and_ends_are_told(void **state)
{
    struct place place;

    (void)state;
    fake_script = (struct fake_script){ .start_delay = 4, .reorder = true };
    queue_grid(&place);
    assert_int_equal(work(&place, FAKES).done, 4);
    place_expect(&place, PLACE_STATE, expected);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT executor) FROM attempt",
                 "4fake");
    assert_int_equal(fake_script.started, 4);
    assert_int_equal(fake_script.started_twice, 0);
    assert_true(fake_script.polls_pending > 0 && fake_script.reordered > 0);
    place_remove(&place);
}

static void lost_attempts_are_tried_again_by_their_causes(void **state)
{
    static const struct fake_loss losses[] = { { 0, OUTCOME_NODE_FAILURE },
                                               { 1, OUTCOME_OUT_OF_MEMORY },
                                               { 2, OUTCOME_PREEMPTED },
                                               { 4, OUTCOME_NODE_FAILURE } };
    struct place place;

    (void)state;
    fake_script = (struct fake_script){
        .start_delay = 2, .reorder = true, .losses = losses, .loss_count = 4
    };
    queue_grid(&place);
    assert_int_equal(work(&place, FAKES).done, 4);
    place_expect(&place, PLACE_STATE, expected);
    place_expect(&place,
                 "SELECT group_concat(outcome || ' ' || n) FROM (SELECT outcome, count(*) AS n"
                 " FROM attempt GROUP BY outcome ORDER BY outcome)",
                 "done 4,node failure 2,out of memory 1,preempted 1");
    /* the machine's faults do not count against retries.max */
    place_expect(&place, "SELECT sum(failures) FROM job", "1");
    assert_int_equal(fake_script.started, 8);
    assert_int_equal(fake_script.started_twice, 0);
    assert_int_equal(fake_script.lost, 4);
    place_remove(&place);
}

/* The loop in a process of its own, which ends in its first start. */
static void work_and_die(const struct place *place)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        work(place, FAKES);
        _exit(0);
    }
    assert_int_equal(place_finish(pid), 128 + SIGKILL);
}

static void an_attempt_whose_start_was_not_recorded_is_found_and_not_started_again(void **state)
{
    struct place place;

    (void)state;
    fake_script = (struct fake_script){ .die_after_start = true };
    queue_grid(&place);
    work_and_die(&place);
    place_expect(&place,
                 "SELECT count(*) FROM attempt WHERE state = 'starting' AND place LIKE"
                 " 'fake boot %'",
                 "1");
    fake_script = (struct fake_script){ .reorder = true };
    assert_int_equal(work(&place, FAKES).done, 4);
    place_expect(&place, PLACE_STATE, expected);
    place_expect(&place, "SELECT count(*) FROM attempt", "4");
    assert_int_equal(fake_script.started, 3);
    place_remove(&place);
}

static void an_attempt_that_was_recorded_and_never_started_costs_nothing(void **state)
{
    struct place place;

    (void)state;
    fake_script = (struct fake_script){ .die_before_start = true };
    queue_grid(&place);
    work_and_die(&place);
    fake_script = (struct fake_script){ 0 };
    assert_int_equal(work(&place, FAKES).done, 4);
    place_expect(&place, PLACE_STATE, expected);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt WHERE outcome <> 'done'",
                 "never started");
    place_expect(&place, "SELECT sum(failures) FROM job", "0");
    place_remove(&place);
}

static void an_attempt_of_an_executor_that_is_not_there_is_left_alone(void **state)
{
    struct place place;

    (void)state;
    fake_script = (struct fake_script){ .die_after_start = true };
    queue_grid(&place);
    work_and_die(&place);
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 3);
    assert_true(place_output_has(&place, "was started by the executor \"fake\""));
    place_expect(&place, "SELECT group_concat(state) FROM attempt", "starting");
    fake_script = (struct fake_script){ 0 };
    assert_int_equal(work(&place, FAKES).done, 4);
    place_expect(&place, PLACE_STATE, expected);
    place_remove(&place);
}

static void the_executor_that_starts_is_chosen_by_its_name(void **state)
{
    struct place place;

    (void)state;
    fake_script = (struct fake_script){ 0 };
    queue_grid(&place);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "fake", NULL)), 2);
    assert_true(place_output_has(&place, "no such executor; there are: local"));
    assert_int_equal(work_by(&place, FAKES, "local").done, 4);
    assert_int_equal(fake_script.started, 0);
    place_expect(&place, PLACE_STATE, expected);
    place_remove(&place);
}

/* Cores in a list as "0,2,4-7". */
static int count_cores(const char *list)
{
    int count = 0;

    for (const char *at = list; *at != '\0'; at += *at == ',') {
        char *end;
        long first = strtol(at, &end, 10);
        long last = *end == '-' ? strtol(end + 1, &end, 10) : first;

        at = end;
        assert_true(last >= first && (*at == ',' || *at == '\0'));
        count += (int)(last - first) + 1;
    }
    return count;
}

enum { MANY = 400 };

/* The list of its cores has 799 characters where there are two. */
static void an_attempt_of_many_cores_is_recorded_with_all_of_them(void **state)
{
    char *real = strdup(place_worker());
    struct place place;

    (void)state;
    place_make(&place);
    place_use_fake("ok");
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, "--set",
                                              "resources.threads=400", "--jobs", "400", NULL)),
                     0);
    char *cpus = place_ask(&place, "SELECT cpus FROM attempt");
    assert_int_equal(count_cores(cpus), MANY);
    free(cpus);
    setenv("HRMLAB_WORKER", real, 1);
    free(real);
    place_remove(&place);
}

static void an_adopted_attempt_keeps_all_of_its_cores(void **state)
{
    const struct executor_setup setup = { .program = "true", .slots = MANY };
    const struct executor_needs needs = { .threads = MANY };
    struct executor_task *task;
    struct executor *executor;
    struct error err = { 0 };
    struct place place;
    char *job = strdup("{\"cpus\": ["), *path;

    (void)state;
    place_make(&place);
    assert_int_equal(executor_local.open(&executor, &setup, &err), 0);
    assert_int_equal(executor_local.prepare(executor, &task, place.directory, &needs, &err), 0);
    for (int i = 0; i < MANY; i++) {
        char *longer = format_string("%s%s%d", job, i > 0 ? "," : "", task->cores[i]);

        free(job);
        job = longer;
    }
    char *whole = format_string("%s]}", job);
    path = file_join(place.directory, "job.json");
    assert_int_equal(file_write_atomic(path, whole, strlen(whole), &err), 0);
    executor_local.release(task);
    assert_int_equal(executor_local.free_slots(executor), MANY);
    assert_int_equal(
        executor_local.adopt(executor, &task, place.directory, "boot another", &err), 0);
    assert_int_equal(executor_local.free_slots(executor), 0);
    executor_local.release(task);
    executor_local.close(executor);
    free(path);
    free(whole);
    free(job);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_done_once_however_late_its_starts_and_ends_are_told),
        cmocka_unit_test(lost_attempts_are_tried_again_by_their_causes),
        cmocka_unit_test(
            an_attempt_whose_start_was_not_recorded_is_found_and_not_started_again),
        cmocka_unit_test(an_attempt_that_was_recorded_and_never_started_costs_nothing),
        cmocka_unit_test(an_attempt_of_an_executor_that_is_not_there_is_left_alone),
        cmocka_unit_test(the_executor_that_starts_is_chosen_by_its_name),
        cmocka_unit_test(an_attempt_of_many_cores_is_recorded_with_all_of_them),
        cmocka_unit_test(an_adopted_attempt_keeps_all_of_its_cores),
    };

    return cmocka_run_group_tests_name("executor", tests, find_expected, forget_expected);
}
