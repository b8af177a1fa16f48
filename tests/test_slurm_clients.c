/* test_slurm_clients.c - the executor slurm with clients that fail (support/fake_slurm.sh), which a
 * real Slurm does too seldom: each end has its cause, nothing is submitted twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "error.h"
#include "file.h"
#include "support/cluster.h"
#include "support/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Four runs of fake_worker. */
static const char NULL_RUNS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3, 4], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}}";
/* Three in one job. */
static const char NULL_PILOT[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}, \"slurm\": {\"runs_per_job\": 3}}";
static const char BAD_SETUP[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 40}, \"slurm\":"
    " {\"setup\": \"true\\ntrue\"}}";
/* Three in one job, whose script ends before the first. */
static const char ENDING_SETUP[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40, \"retries.max\": 0}, \"slurm\": {\"runs_per_job\": 3,"
    " \"setup\": [\"while [ -e $FAKE_WORKER_HOLD ]; do sleep 0.1; done\","
    " \"set -e\", \"false\"]}}";
/* Whose script takes longer before its worker than a worker may be silent. */
static const char SLOW_SETUP[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 40},"
    " \"resources\": {\"hang_s\": 8}, \"slurm\": {\"setup\": \"sleep 12\"}}";
/* Three in one job, and one in another. */
static const char NULL_PILOTS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3, 4], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}, \"slurm\": {\"runs_per_job\": 3}}";
/* Three, none of which may take longer than ten minutes. */
static const char LIMITED_PILOT[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}, \"resources\": {\"time_limit_min\": 10},"
    " \"slurm\": {\"runs_per_job\": 3}}";
/* Four of two cores each, and of one thread. */
static const char WIDE_RUNS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3, 4], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}, \"slurm\": {\"cpus_per_task\": 2}}";
/* Four of two threads each; and what their workspace says. */
static const char NARROW_RUNS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3, 4], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 40}, \"resources\": {\"threads\": 2}}";
static const char NARROW[] = "{\"slurm\": {\"cpus_per_task\": 1}}";
/* Whose retries wait for some minutes. */
static const char DELAYED_RUN[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 40},"
    " \"retries\": {\"delay\": 200}}";
static const char NULL_RUN[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 40}}";

/* A runner with fake_slurm.sh in a mode, and fake_worker. */
struct fake_run {
    const char *spec, *mode;
    struct place place;
    pid_t runner; /* 0: its test has ended it */
};

/* All begin together, since they mostly wait; each test waits for its own. */
static struct fake_run runs[] = {
    { .spec = NULL_RUN, .mode = "oom" },
    { .spec = NULL_RUN, .mode = "over-memory" },
    { .spec = NULL_RUN, .mode = "time-out" },
    { .spec = NULL_RUN, .mode = "preempted" },
    { .spec = NULL_RUN, .mode = "launch-fails" },
    { .spec = NULL_RUN, .mode = "put-back" },
    { .spec = NULL_RUN, .mode = "put-back-later" },
    { .spec = NULL_PILOT, .mode = "launch-fails" },
    { .spec = NULL_RUN, .mode = "cancelled-early" },
    { .spec = NULL_RUN, .mode = "begins-late" },
    { .spec = NULL_RUN, .mode = "requeued" },
    { .spec = NULL_RUN, .mode = "unknown" },
    { .spec = NULL_RUN, .mode = "number-reused" },
    { .spec = NULL_RUN, .mode = "accounted" },
    { .spec = NULL_RUN, .mode = "accounted-later" },
    { .spec = NULL_RUN, .mode = "accounted-never" },
    { .spec = NULL_RUNS, .mode = "accounted-array" },
    { .spec = NULL_RUN, .mode = "fails" },
    { .spec = NULL_RUN, .mode = "slow" },
    { .spec = NULL_RUN, .mode = "garbled" },
    { .spec = NULL_RUN, .mode = "no-answer" },
    { .spec = NULL_RUNS, .mode = "no-answer" },
    { .spec = NULL_RUNS, .mode = "warned" },
    { .spec = NULL_RUN, .mode = "deaf" },
    { .spec = NULL_PILOTS, .mode = "waits" },
    { .spec = NULL_RUNS, .mode = "limited" },
    { .spec = NULL_RUNS, .mode = "small-arrays" },
    { .spec = NULL_RUN, .mode = "refuses" },
    { .spec = SLOW_SETUP, .mode = "plain" },
};
enum { RUNS = sizeof runs / sizeof *runs };

/* PATH of the tests, in front of which the fake clients come. */
static char *path;

/* A place with fake clients in that mode. */
static void make_fakes(struct place *place, const char *spec, const char *mode)
{
    char text[4096], here[1000];
    struct error err = { 0 };

    cluster_place(place, spec);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(text, sizeof text,
             "mkdir %s/fake && for p in sbatch squeue scancel scontrol sacct; do"
             " ln -s %s/tests/support/fake_slurm.sh %s/fake/$p || exit 1; done;"
             " touch %s/fake/hold",
             place->directory, here, place->directory, place->directory);
    assert_int_equal(system(text), 0);
    snprintf(text, sizeof text, "%s/fake/mode", place->directory);
    assert_int_equal(file_write_atomic(text, mode, strlen(mode), &err), 0);
}

/* Programs that are started from now on find the fake clients of that place. */
static void use_fakes(const struct place *place)
{
    char text[4096];

    snprintf(text, sizeof text, "%s/fake", place->directory);
    setenv("FAKE_SLURM", text, 1);
    snprintf(text, sizeof text, "%s/fake/hold", place->directory);
    setenv("FAKE_WORKER_HOLD", text, 1);
    snprintf(text, sizeof text, "%s/fake:%s", place->directory, path);
    setenv("PATH", text, 1);
}

static void start(struct fake_run *run)
{
    struct place *place = &run->place;

    make_fakes(place, run->spec, run->mode);
    use_fakes(place);
    run->runner = place_start(place, "run", place->spec, "--executor", "slurm", NULL);
    setenv("PATH", path, 1);
}

/* Jobs last no longer than they must. */
static void release_jobs(const struct place *place)
{
    free(cluster_ask("rm -f %s/fake/hold", place->directory));
}

static int start_all(void **state)
{
    const char *before = getenv("PATH");

    (void)state;
    path = strdup(before != NULL ? before : "");
    assert_non_null(path);
    setenv("HRMLAB_SLURM_PACE", "0.1", 1);      /* no controller has to be spared */
    setenv("SQUEUE_PARTITION", "elsewhere", 1); /* a user's, which must not matter */
    setenv("SBATCH_ARRAY_INX", "0-2", 1);
    setenv("SLURM_ARRAY_TASK_ID", "3", 1); /* where the runner is part of an array */
    setenv("FAKE_WORKER_MODE", "slow", 1);
    setenv("FAKE_WORKER_REAL", place_worker(), 1);
    setenv("HRMLAB_WORKER", place_fake_worker(), 1);
    for (int i = 0; i < RUNS; i++)
        start(&runs[i]);
    return 0;
}

/* Those whose test failed before it came to them. */
static int end_all(void **state)
{
    (void)state;
    for (int i = 0; i < RUNS; i++)
        if (runs[i].runner != 0) {
            kill(runs[i].runner, SIGKILL);
            (void)place_finish(runs[i].runner);
            place_kill_all(&runs[i].place); /* its jobs, and clients that it has called */
            place_remove(&runs[i].place);
        }
    free(path);
    return 0;
}

static struct fake_run *find_run(const char *spec, const char *mode)
{
    int i = 0;

    while (i < RUNS && (runs[i].spec != spec || strcmp(runs[i].mode, mode) != 0))
        i++;
    assert_in_range(i, 0, RUNS - 1);
    return &runs[i];
}

/* Waits for the runner of the spec in that mode, and sets *place to its place, which the caller
 * removes; the exit code. */
static int run_with_fakes(struct place *place, const char *spec, const char *mode)
{
    struct fake_run *run = find_run(spec, mode);

    *place = run->place;
    int code = place_finish(run->runner);
    run->runner = 0;
    return code;
}

/* One run, done in the end; how its attempts ended, what counts as a failure, and how many jobs
 * were submitted. */
static void expect_with_fakes(const char *mode, const char *outcomes, const char *failures,
                              const char *jobs)
{
    struct place place;

    assert_int_equal(run_with_fakes(&place, NULL_RUN, mode), 0);
    place_expect(&place,
                 "SELECT group_concat(outcome) FROM (SELECT * FROM attempt ORDER BY number)",
                 outcomes);
    place_expect(&place, "SELECT failures FROM job", failures);
    char *submitted = cluster_ask("ls %s/fake/jobs | wc -l", place.directory);
    assert_string_equal(submitted, jobs);
    free(submitted);
    place_remove(&place);
}

static void a_job_out_of_memory_is_tried_again(void **state)
{
    (void)state;
    expect_with_fakes("oom", "out of memory,done", "1", "2");
    expect_with_fakes("over-memory", "out of memory,done", "1", "2");
}

/* It has no checkpoint, so that the next job would be no longer than the first. */
static void a_job_that_its_limit_ends_without_a_warning_is_tried_again(void **state)
{
    (void)state;
    expect_with_fakes("time-out", "job time-out,done", "1", "2");
}

/* One sync is enough: the next job is submitted at once, and waits with Slurm. */
static void a_retry_that_has_to_wait_is_submitted_by_the_same_sync(void **state)
{
    struct place place;

    (void)state;
    make_fakes(&place, DELAYED_RUN, "oom-held");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "sync", NULL)), 0);
    assert_true(place_output_has(&place, "1 job goes on"));
    place_expect(&place, "SELECT group_concat(ifnull(outcome, 'open')) FROM attempt",
                 "out of memory,open");
    /* 200 s, give or take a quarter */
    char *waits = cluster_ask("grep -l '^#SBATCH --begin=now+[12][0-9][0-9]$' %s/slurm/*.sh |"
                              " wc -l; ls %s/fake/jobs | wc -l",
                              place.workspace, place.directory);
    assert_string_equal(waits, "1\n2");
    free(waits);
    release_jobs(&place);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, "SELECT state FROM job", "done");
    setenv("PATH", path, 1);
    place_remove(&place);
}

static void a_preempted_job_goes_on_and_is_no_failure(void **state)
{
    (void)state;
    expect_with_fakes("preempted", "preempted,done", "0", "2");
}

static void a_job_that_its_node_cannot_start_is_tried_again(void **state)
{
    (void)state;
    expect_with_fakes("launch-fails", "launch failure,done", "1", "2");
    expect_with_fakes("put-back", "launch failure,done", "1", "2");
    expect_with_fakes("put-back-later", "launch failure,done", "1", "2");
}

/* A pilot of three runs: it fails all of them, and each has its own next attempt. */
static void all_runs_of_a_job_that_cannot_be_started_are_tried_again(void **state)
{
    struct place place;

    (void)state;
    assert_int_equal(run_with_fakes(&place, NULL_PILOT, "launch-fails"), 0);
    place_expect(&place,
                 "SELECT group_concat(number || outcome) FROM"
                 " (SELECT * FROM attempt ORDER BY run_id, number)",
                 "1launch failure,2done,1launch failure,2done,1launch failure,2done");
    place_expect(&place, "SELECT group_concat(failures) FROM job", "1,1,1");
    place_remove(&place);
}

static void a_job_that_somebody_cancels_while_it_waits_stays_cancelled(void **state)
{
    struct place place;

    (void)state;
    assert_int_equal(run_with_fakes(&place, NULL_RUN, "cancelled-early"), 1);
    place_expect(&place, "SELECT state || cause || failures FROM job", "cancelledcancelled0");
    place_remove(&place);
}

/* Its mark says that it has begun, and the list, which is older, that it waits. */
static void a_job_that_begins_while_it_is_listed_is_the_only_one(void **state)
{
    (void)state;
    expect_with_fakes("begins-late", "done", "0", "1");
}

/* The next list has it waiting as well. */
static void a_job_that_is_put_back_after_it_has_begun_is_preempted(void **state)
{
    (void)state;
    expect_with_fakes("requeued", "preempted,done", "0", "2");
}

/* One sync waits for the list that tells, and submits the next job. */
static void a_job_that_is_put_back_is_submitted_anew_by_one_sync(void **state)
{
    struct place place;

    (void)state;
    make_fakes(&place, NULL_RUN, "requeued");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "sync", NULL)), 0);
    place_expect(&place, "SELECT outcome FROM attempt WHERE number = 1", "preempted");
    char *submitted = cluster_ask("ls %s/fake/jobs | wc -l", place.directory);
    assert_string_equal(submitted, "2");
    free(submitted);
    release_jobs(&place);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, "SELECT state || failures FROM job", "done0");
    setenv("PATH", path, 1);
    place_remove(&place);
}

static void lines_before_a_worker_that_take_long_are_no_hang(void **state)
{
    struct place place;

    (void)state;
    assert_int_equal(run_with_fakes(&place, SLOW_SETUP, "plain"), 0);
    place_expect(&place, "SELECT group_concat(outcome) FROM attempt", "done");
    place_expect(&place, "SELECT host FROM attempt", "node1");
    place_remove(&place);
}

static void a_job_that_no_list_has_any_more_ended_as_its_worker_says(void **state)
{
    (void)state;
    expect_with_fakes("unknown", "done", "0", "1");
}

static void a_job_whose_number_another_job_has_ended_as_its_worker_says(void **state)
{
    (void)state;
    expect_with_fakes("number-reused", "done", "0", "1");
}

static void an_end_that_no_list_has_is_asked_of_the_accounting(void **state)
{
    (void)state;
    expect_with_fakes("accounted", "node failure,done", "0", "2");
    expect_with_fakes("accounted-later", "node failure,done", "0", "2");
}

/* Four that had not begun: none is tried again. */
static void an_array_that_somebody_cancelled_is_known_from_the_accounting(void **state)
{
    struct place place;

    (void)state;
    assert_int_equal(run_with_fakes(&place, NULL_RUNS, "accounted-array"), 1);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT state || failures) FROM job",
                 "4cancelled0");
    place_remove(&place);
}

/* Its worker wrote no end. */
static void an_end_that_the_accounting_never_tells_is_a_lost_worker(void **state)
{
    (void)state;
    expect_with_fakes("accounted-never", "lost worker,done", "1", "2");
}

static void a_controller_that_fails_is_asked_again(void **state)
{
    (void)state;
    expect_with_fakes("fails", "done", "0", "1");
}

static void a_slow_controller_is_waited_for(void **state)
{
    (void)state;
    expect_with_fakes("slow", "done", "0", "1");
}

static void nothing_is_concluded_from_a_garbled_list(void **state)
{
    (void)state;
    expect_with_fakes("garbled", "done", "0", "1");
}

static void a_job_whose_number_got_lost_is_found_by_its_name(void **state)
{
    (void)state;
    expect_with_fakes("no-answer", "done", "0", "1");
}

/* Also where a site's own words come before those that tell of a time-out. */
static void an_array_whose_number_got_lost_is_found_by_its_name(void **state)
{
    static const char *const modes[] = { "no-answer", "warned" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct place place;

        assert_int_equal(run_with_fakes(&place, NULL_RUNS, modes[i]), 0);
        place_expect(&place, "SELECT count(*) || group_concat(DISTINCT outcome) FROM attempt",
                     "4done");
        char *calls = cluster_ask("wc -c <%s/fake/sbatch.calls", place.directory);
        assert_string_equal(calls, "1");
        free(calls);
        place_remove(&place);
    }
}

static void an_end_that_a_controller_has_not_heard_is_asked_for_again(void **state)
{
    struct place *place = &find_run(NULL_RUN, "deaf")->place, ended;

    (void)state;
    assert_true(place_wait_for(place, "SELECT state FROM job", "running"));
    assert_int_equal(place_finish(place_start(place, "cancel", "t", NULL)), 0);
    assert_int_equal(run_with_fakes(&ended, NULL_RUN, "deaf"), 1);
    place_expect(&ended, "SELECT state FROM job", "cancelled");
    place_remove(&ended);
}

/* The array of four is refused, and submitted in two parts; likewise where arrays cannot have as
 * many. */
static void an_array_that_is_too_large_is_submitted_in_parts(void **state)
{
    static const char *const modes[] = { "limited", "small-arrays" }, *const calls[] = { "3",
                                                                                         "2" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct place place;

        assert_int_equal(run_with_fakes(&place, NULL_RUNS, modes[i]), 0);
        place_expect(&place, "SELECT count(*) || group_concat(DISTINCT outcome) FROM attempt",
                     "4done");
        char *made = cluster_ask("wc -c <%s/fake/sbatch.calls", place.directory);
        assert_string_equal(made, calls[i]);
        free(made);
        place_remove(&place);
    }
}

/* It would have nothing to do, when it comes to its turn. */
static void a_waiting_job_whose_runs_are_all_cancelled_is_cancelled(void **state)
{
    struct place *place = &find_run(NULL_PILOTS, "waits")->place, ended;

    (void)state;
    assert_true(
        place_wait_for(place, "SELECT count(*) FROM attempt WHERE place LIKE '% job %'", "4"));
    assert_int_equal(place_finish(place_start(place, "cancel", "t", NULL)), 0);
    assert_int_equal(run_with_fakes(&ended, NULL_PILOTS, "waits"), 1);
    place_expect(&ended, "SELECT count(*) || group_concat(DISTINCT state) FROM job",
                 "4cancelled");
    char *states = cluster_ask("cat %s/fake/jobs/*/state", ended.directory);
    assert_string_equal(states, "CANCELLED\nCANCELLED");
    free(states);
    place_remove(&ended);
}

/* Jobs of two cores each, five cores at a time, and four: those that an earlier runner has submitted
 * count as well. */
static void a_later_runner_submits_no_more_than_the_first_might(void **state)
{
    struct place place;

    (void)state;
    make_fakes(&place, WIDE_RUNS, "held");
    use_fakes(&place);
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, "--executor",
                                              "slurm", "--jobs", "5", NULL)),
                     0);
    assert_int_equal(place_finish(place_start(&place, "sync", "--jobs", "4", NULL)), 0);
    char *submitted = cluster_ask("ls %s/fake/jobs/*/pid | wc -l", place.directory);
    assert_string_equal(submitted, "2");
    free(submitted);
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_true(place_output_has(&place, "2 jobs are with Slurm and no runner is running"));
    assert_true(place_output_has(&place, "2 jobs are queued and no runner is running"));
    assert_int_equal(place_finish(place_start(&place, "watch", "--plain", NULL)), 0);
    assert_true(place_output_has(&place, "jobs of Slurm go on without a runner"));
    release_jobs(&place);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT outcome) FROM attempt",
                 "4done");
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* Of one core each, as the workspace wants it: four fit, whatever their threads. */
static void jobs_are_as_wide_as_the_cores_that_they_ask_for(void **state)
{
    struct place place;
    struct error err = { 0 };

    (void)state;
    make_fakes(&place, NARROW_RUNS, "waits");
    use_fakes(&place);
    char *settings = file_join(place.workspace, "settings.json");
    assert_int_equal(file_make_directories(place.workspace, &err), 0);
    assert_int_equal(file_write_atomic(settings, NARROW, strlen(NARROW), &err), 0);
    free(settings);
    assert_int_equal(
        place_finish(place_start(&place, "plan", place.spec, "--executor", "slurm", NULL)), 0);
    assert_true(place_output_has(&place, "#SBATCH --cpus-per-task=1"));
    assert_int_equal(place_finish(place_start(&place, "queue", place.spec, "--executor",
                                              "slurm", "--jobs", "4", NULL)),
                     0);
    assert_true(place_output_has(&place, "4 jobs go on"));
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* Where no runner is at work. */
static void jobs_are_cancelled_by_one_call(void **state)
{
    struct place place;
    char command[200];

    (void)state;
    make_fakes(&place, NULL_RUNS, "held");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    snprintf(command, sizeof command, "find %s -name journal.jsonl | wc -l", place.workspace);
    assert_true(cluster_wait_for(command, "4"));
    assert_int_equal(place_finish(place_start(&place, "cancel", "t", NULL)), 0);
    char *calls = cluster_ask("wc -c <%s/fake/scancel.calls", place.directory);
    assert_string_equal(calls, "1");
    free(calls);
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_false(place_output_has(&place, "with Slurm")); /* what was cancelled is not open */
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT state) FROM job",
                 "4cancelled");
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* The first run of the job is at work when its node fails, while no runner lives: the others are
 * queued again and have not failed, also where somebody has asked for the status before. */
static void who_asks_for_the_status_changes_nothing(void **state)
{
    struct place place;
    char command[200];

    (void)state;
    make_fakes(&place, NULL_PILOT, "held");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    snprintf(command, sizeof command, "find %s -name journal.jsonl | wc -l", place.workspace);
    assert_true(cluster_wait_for(command, "1"));
    free(cluster_ask("cd %s/fake/jobs/1 && kill -STOP $(cat pid) && pkill -KILL -P $(cat pid);"
                     " kill -KILL $(cat pid); echo NODE_FAIL >state",
                     place.directory));
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_true(place_output_has(&place, "node failure"));
    assert_true(place_output_has(&place, "never started"));
    char *unbegun = cluster_ask("ls %s/runs/*/attempts/1/slurm.place | wc -l", place.workspace);
    assert_string_equal(unbegun, "2");
    free(unbegun);
    release_jobs(&place);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place,
                 "SELECT group_concat(outcome) FROM"
                 " (SELECT outcome FROM attempt WHERE number = 1 ORDER BY run_id)",
                 "node failure,never started,never started");
    place_expect(&place, "SELECT group_concat(state || failures) FROM job",
                 "done0,done0,done0");
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* A run's time limit is its own: its job has worked on others before. */
static void an_attempt_of_a_shared_job_is_as_old_as_itself(void **state)
{
    struct place place;
    char command[200];

    (void)state;
    make_fakes(&place, LIMITED_PILOT, "aged");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    snprintf(command, sizeof command, "find %s -name journal.jsonl | wc -l", place.workspace);
    assert_true(cluster_wait_for(command, "1"));
    pid_t worker = place_start(&place, "work", "--executor", "slurm", NULL);
    for (int i = 0; i < 300 && !place_output_has(&place, "taken over"); i++)
        place_sleep_ms(100);
    release_jobs(&place);
    assert_int_equal(place_finish(worker), 0);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT outcome) FROM attempt",
                 "3done");
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* Other jobs go on, and so does it when its settings are mended. */
static void a_job_whose_settings_no_script_can_hold_fails(void **state)
{
    struct place place;

    (void)state;
    make_fakes(&place, BAD_SETUP, "plain");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--executor", "slurm", NULL)), 1);
    place_expect(&place, "SELECT state || cause || (message LIKE '%must be one line') FROM job",
                 "failedbad job1");
    assert_int_equal(
        place_finish(place_start(&place, "retry", "t", "--set", "slurm.setup=true", NULL)), 0);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, "SELECT state FROM job", "done");
    setenv("PATH", path, 1);
    place_remove(&place);
}

/* They end when no runner lives. */
static void the_lines_before_its_worker_fail_all_runs_of_a_job(void **state)
{
    struct place place;
    char command[200];

    (void)state;
    make_fakes(&place, ENDING_SETUP, "held");
    use_fakes(&place);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    release_jobs(&place);
    snprintf(command, sizeof command,
             "ps -o stat= -p $(cat %s/fake/jobs/1/pid) | grep -c '^[^Z]'", place.directory);
    assert_true(cluster_wait_for(command, "0"));
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 1);
    place_expect(&place, "SELECT count(*) || group_concat(DISTINCT state) FROM job", "3failed");
    place_expect(&place, "SELECT count(*) FROM attempt", "3");
    setenv("PATH", path, 1);
    place_remove(&place);
}

static void a_job_that_slurm_refuses_ends_the_runner_with_its_reason(void **state)
{
    struct place place;

    (void)state;
    assert_int_equal(run_with_fakes(&place, NULL_RUN, "refuses"), 3);
    assert_true(place_output_has(&place, "Invalid partition name"));
    place_expect(&place, "SELECT state || failures FROM job", "queued0");
    place_expect(&place, "SELECT outcome FROM attempt", "never started");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_out_of_memory_is_tried_again),
        cmocka_unit_test(a_job_that_its_limit_ends_without_a_warning_is_tried_again),
        cmocka_unit_test(a_retry_that_has_to_wait_is_submitted_by_the_same_sync),
        cmocka_unit_test(a_preempted_job_goes_on_and_is_no_failure),
        cmocka_unit_test(a_job_that_its_node_cannot_start_is_tried_again),
        cmocka_unit_test(all_runs_of_a_job_that_cannot_be_started_are_tried_again),
        cmocka_unit_test(a_job_that_somebody_cancels_while_it_waits_stays_cancelled),
        cmocka_unit_test(a_job_that_begins_while_it_is_listed_is_the_only_one),
        cmocka_unit_test(a_job_that_is_put_back_after_it_has_begun_is_preempted),
        cmocka_unit_test(a_job_that_is_put_back_is_submitted_anew_by_one_sync),
        cmocka_unit_test(lines_before_a_worker_that_take_long_are_no_hang),
        cmocka_unit_test(a_job_that_no_list_has_any_more_ended_as_its_worker_says),
        cmocka_unit_test(a_job_whose_number_another_job_has_ended_as_its_worker_says),
        cmocka_unit_test(an_end_that_no_list_has_is_asked_of_the_accounting),
        cmocka_unit_test(an_array_that_somebody_cancelled_is_known_from_the_accounting),
        cmocka_unit_test(an_end_that_the_accounting_never_tells_is_a_lost_worker),
        cmocka_unit_test(a_controller_that_fails_is_asked_again),
        cmocka_unit_test(a_slow_controller_is_waited_for),
        cmocka_unit_test(nothing_is_concluded_from_a_garbled_list),
        cmocka_unit_test(a_job_whose_number_got_lost_is_found_by_its_name),
        cmocka_unit_test(an_array_whose_number_got_lost_is_found_by_its_name),
        cmocka_unit_test(an_end_that_a_controller_has_not_heard_is_asked_for_again),
        cmocka_unit_test(an_array_that_is_too_large_is_submitted_in_parts),
        cmocka_unit_test(a_waiting_job_whose_runs_are_all_cancelled_is_cancelled),
        cmocka_unit_test(a_later_runner_submits_no_more_than_the_first_might),
        cmocka_unit_test(jobs_are_as_wide_as_the_cores_that_they_ask_for),
        cmocka_unit_test(jobs_are_cancelled_by_one_call),
        cmocka_unit_test(who_asks_for_the_status_changes_nothing),
        cmocka_unit_test(an_attempt_of_a_shared_job_is_as_old_as_itself),
        cmocka_unit_test(a_job_whose_settings_no_script_can_hold_fails),
        cmocka_unit_test(the_lines_before_its_worker_fail_all_runs_of_a_job),
        cmocka_unit_test(a_job_that_slurm_refuses_ends_the_runner_with_its_reason),
    };

    return cmocka_run_group_tests_name("slurm_clients", tests, start_all, end_all);
}
