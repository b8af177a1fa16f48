/* test_slurm_calls.c - calls of Slurm's client programs: their environment, what their answers mean,
 * how much is submitted at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "slurm_environment.h"
#include "slurm_tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_given(char *const *environment, const char *name)
{
    size_t length = strlen(name);

    while (*environment != NULL &&
           (strncmp(*environment, name, length) != 0 || (*environment)[length] != '='))
        environment++;
    return *environment != NULL;
}

/* What the script says counts, and a user's habits where it says nothing. */
static void variables_change_nothing_that_a_script_says(void **state)
{
    static const char options[] = "#SBATCH --open-mode=append\n#SBATCH --no-requeue\n"
                                  "#SBATCH --time=5\n#SBATCH --mem=10M\n#SBATCH --exclusive\n";
    static const struct {
        const char *name;
        bool always, here;
    } variables[] = {
        { "SBATCH_ARRAY_INX", false, false },   { "SBATCH_WAIT", false, false },
        { "SBATCH_CLUSTERS", false, false },    { "SBATCH_REQUEUE", false, false },
        { "SBATCH_OPEN_MODE", true, false },    { "SBATCH_TIMELIMIT", true, false },
        { "SBATCH_MEM_PER_CPU", true, false },  { "SBATCH_EXCLUSIVE", true, false },
        { "SBATCH_PARTITION", true, true },     { "SBATCH_ACCOUNT", true, true },
        { "SBATCH_OPEN", true, true },          { "SQUEUE_USERS", false, false },
        { "SLURM_ARRAY_JOB_ID", false, false }, { "SLURM_TEST_CONF", true, true }
    };
    enum { COUNT = sizeof variables / sizeof *variables };
    char *before[COUNT];

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        before[i] = getenv(variables[i].name);
        setenv(variables[i].name, before[i] != NULL ? before[i] : "1", 1);
    }
    char **always = slurm_environment(""), **here = slurm_environment(options);
    assert_non_null(always);
    assert_non_null(here);
    for (int i = 0; i < COUNT; i++) {
        if (is_given(always, variables[i].name) != variables[i].always ||
            is_given(here, variables[i].name) != variables[i].here)
            fail_msg("%s", variables[i].name);
        if (before[i] == NULL)
            unsetenv(variables[i].name);
    }
    free(always);
    free(here);
}

static void what_was_not_answered_is_known_by_its_words(void **state)
{
    static const struct {
        const char *words;
        bool unanswered;
    } cases[] = {
        { "Kill job error on job id 1: Socket timed out on send/recv operation", true },
        { "Kill job error on job id 1: Message receive failure", true },
        { "Batch job submission failed: Slurm backup controller in standby mode", true },
        { "Batch job submission failed: Protocol authentication error", true },
        { "Batch job submission failed: Unable to create job record, try again", true },
        { "Try again with more memory. Batch job submission failed: Invalid account", false },
        { "Kill job error on job id 1: Invalid job id specified", false },
        { "Batch job submission failed: Invalid qos specification", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_answer answer = { .exit_status = 1 };

        snprintf(answer.errors, sizeof answer.errors, "sbatch: error: %s", cases[i].words);
        if (slurm_is_unanswered(&answer) != cases[i].unanswered)
            fail_msg("%s", cases[i].words);
    }
}

/* Each submission that is accepted makes the next one larger. */
static void parts_grow_no_further_than_an_array(void **state)
{
    char directory[] = "/tmp/hrmlab-parts-XXXXXX", attempt[100], accepted[] = "12";
    struct slurm slurm = { .array_size = 1000, .part_size = 1, .pace = 1.0 };
    struct slurm_task task = { .head.executor = &slurm.head, .head.directory = attempt };
    const struct client_answer answer = { .output = accepted };
    struct error err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(directory));
    slurm.head.tasks = &task.head;
    for (int i = 1; i <= 40; i++) {
        struct slurm_script script = { strdup(""), strdup(""), .per_job = 1 };
        struct slurm_call call;

        snprintf(attempt, sizeof attempt, "%s/runs/0123456789abcdef/attempts/%d", directory, i);
        assert_int_equal(slurm_batch_join(&slurm.batches, &task.place, attempt, &script, &err),
                         0);
        task.step = SLURM_TO_SUBMIT;
        if (!slurm_submit_next(&call, &slurm))
            fail_msg("%d: %s", i, slurm.fault.message);
        call.done(&slurm, &answer);
        slurm_call_release(&call);
        assert_in_range(slurm.part_size, 0, 2000);
    }
    while (slurm.batches != NULL)
        slurm_batch_drop(&slurm.batches, slurm.batches);
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

/* Of a job that is COMPLETING squeue lists the nodes that are not free yet. */
static void an_attempt_keeps_the_nodes_that_are_free_again(void **state)
{
    static const struct {
        const char *list, *host;
    } cases[] = {
        { "7|COMPLETING|0:01|n2|n.0|\n", "n2" }, /* seen for the first time */
        { "7|RUNNING|0:01|n[1-2]|n.0|\n", "n[1-2]" },
        { "7|COMPLETING|0:02|n1|n.0|\n", "n[1-2]" },
        { "7|RUNNING|0:01|n[3-4]|n.0|\n", "n[3-4]" },
    };
    char directory[] = "/tmp/hrmlab-nodes-XXXXXX";
    struct slurm slurm = { .pace = 1.0 };
    struct slurm_task task = { .head.executor = &slurm.head,
                               .head.directory = directory,
                               .step = SLURM_SUBMITTED,
                               .place = { .name = "n", .per_job = 1, .job = "7" } };
    struct error err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(directory));
    slurm.head.tasks = &task.head;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(slurm_jobs_read(&slurm.listed, cases[i].list, false, &err), 0);
        slurm_follow_all(&slurm);
        assert_string_equal(task.head.host, cases[i].host);
        slurm_jobs_release(&slurm.listed);
    }
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_change_nothing_that_a_script_says),
        cmocka_unit_test(what_was_not_answered_is_known_by_its_words),
        cmocka_unit_test(parts_grow_no_further_than_an_array),
        cmocka_unit_test(an_attempt_keeps_the_nodes_that_are_free_again),
    };

    return cmocka_run_group_tests_name("slurm_calls", tests, NULL, NULL);
}
