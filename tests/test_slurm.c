/* test_slurm.c - attempts as jobs of a real Slurm: the same results as on this machine, every run
 * done once, whoever ends, stops or restarts what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "fence.h"
#include "file.h"
#include "settings.h"
#include "slurm_batch.h"
#include "slurm_jobs.h"
#include "slurm_tasks.h"
#include "support/cluster.h"
#include "support/place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRID(settings)                                                                         \
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 20},"             \
    " \"grid\": {\"arch.name\": [\"hrm\", \"transformer\"], \"train.lr\": [0.01, 0.02]},"      \
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}, \"slurm\": {" settings "}}"

/* Four jobs of one array. */
static const char GRID_AS_ARRAY[] =
    GRID("\"mem_gb\": 2, \"array_parallelism\": 3, \"setup\": [\"true\", \"echo 'set up'\"],"
         " \"additional_parameters\": [\"nice=1\", \"-p main -N1\"]");

/* Two jobs, of three runs and of one. */
static const char GRID_AS_PILOTS[] = GRID("\"runs_per_job\": 3");

/* One run, long enough to be met in the middle. */
static const char LONG_RUN[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 250},"
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}}";

/* Two in an array, of which both need more memory than they have asked for. */
static const char LARGE_RUNS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 100000, \"retries.max\": 0}, \"slurm\": {\"mem_gb\": 0.004}}";

/* Three such in one job. */
static const char LONG_PILOT[] =
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": 400},"
    " \"grid\": {\"train.lr\": [0.01, 0.02, 0.03]}, \"slurm\": {\"runs_per_job\": 3}}";

static const char TWO_RUNS[] =
    "{\"name\": \"t\", \"seeds\": [1, 2], \"set\": {" CLUSTER_SMALL_RUN
    ", \"train.max_steps\": 20}}";

static bool has_cluster;
static char *expected; /* what the executor local finds for the grid; owned */

/* What the executor local finds for a spec, fresh text. */
static char *local_results(const char *spec)
{
    struct place place;

    cluster_place(&place, spec);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *results = place_ask(&place, PLACE_STATE);
    place_remove(&place);
    return results;
}

static int start_cluster(void **state)
{
    (void)state;
    /* memory is counted, and not there: a job may ask for much, and uses what it uses */
    setenv("MINI_SLURM_MEM", "64000", 1);
    setenv("MINI_SLURM_CONF_EXTRA",
           "DefMemPerCPU=8000\nJobAcctGatherType=jobacct_gather/linux\n"
           "JobAcctGatherFrequency=task=1\nJobAcctGatherParams=OverMemoryKill",
           1);
    has_cluster = cluster_start(2);
    return 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    cluster_stop();
    free(expected);
    return 0;
}

static void need_cluster(void)
{
    if (!has_cluster)
        skip();
}

static void need_long(void)
{
    if (getenv("HRMLAB_LONG") == NULL) {
        print_message("# skip: only with HRMLAB_LONG\n");
        skip();
    }
}

/* ---- lists ---- */

static void a_list_that_is_garbled_or_cut_is_no_list(void **state)
{
    static const char *const bad[] = { "slurm_load_jobs error: Unexpected message\n",
                                       "12|RUNNING|0:01|node1|x|\n13|RUN",
                                       "12|RUNNING|0:01|node1|x", "|RUNNING|1|n|x|\n",
                                       "12|running|1|n|x|\n" };
    struct slurm_jobs jobs;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(slurm_jobs_read(&jobs, bad[i], false, &err), ERROR_FORMAT);
    assert_int_equal(slurm_jobs_read(&jobs, "", false, &err), 0);
    assert_int_equal(jobs.count, 0);
    slurm_jobs_release(&jobs);
}

static void jobs_are_found_by_id_or_name_with_their_states(void **state)
{
    struct slurm_jobs jobs;
    struct error err;

    (void)state;
    assert_int_equal(slurm_jobs_read(&jobs,
                                     "7|RUNNING|1-02:03:04|node1|a|b.0|\n"
                                     "8|OUT_OF_MEMORY|0:09||c.3|\n9|NEW_STATE|0:00||d\n\ne|\n"
                                     "10_2|PENDING|0:00||c.4|\n",
                                     false, &err),
                     0);
    const struct slurm_job *job = slurm_jobs_find_named(&jobs, "a|b", 0);
    assert_non_null(job);
    assert_int_equal((int)job->age_s, 86400 + 2 * 3600 + 3 * 60 + 4);
    assert_string_equal(job->nodes, "node1");
    assert_int_equal(slurm_jobs_find(&jobs, "8")->state->cause, OUTCOME_OUT_OF_MEMORY);
    assert_int_equal(slurm_jobs_find(&jobs, "9")->state->phase, SLURM_UNKNOWN);
    assert_string_equal(slurm_jobs_find(&jobs, "9")->name, "d\n\ne");
    assert_null(slurm_jobs_find(&jobs, "10"));
    assert_string_equal(slurm_jobs_find(&jobs, "10_2")->id, "10_2");
    assert_string_equal(slurm_jobs_find_named(&jobs, "c", 3)->id, "8");
    assert_string_equal(slurm_jobs_find_named(&jobs, "c", 6)->id, "10_2");
    assert_null(slurm_jobs_find_named(&jobs, "c", 4));
    slurm_jobs_release(&jobs);
    assert_int_equal(slurm_jobs_read(&jobs,
                                     "7|CANCELLED by 0|None assigned|a\n8|FAILED|n1|b.0\n"
                                     "9_[3,5-9:2,12%2]|CANCELLED|None assigned|c.0\n",
                                     true, &err),
                     0);
    static const char *const covered[] = { "9_3", "9_5", "9_7", "9_12" }, *const others[] = {
        "9_2", "9_6", "9_11", "9_13", "9", "19_3"
    };
    for (size_t i = 0; i < sizeof covered / sizeof *covered; i++)
        assert_ptr_equal(slurm_jobs_find(&jobs, covered[i]), &jobs.items[2]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_null(slurm_jobs_find(&jobs, others[i]));
    assert_int_equal(jobs.items[0].state->cause, OUTCOME_CANCELLED);
    assert_string_equal(jobs.items[0].nodes, "");
    assert_string_equal(jobs.items[1].nodes, "n1");
    assert_string_equal(jobs.items[1].name, "b.0");
    slurm_jobs_release(&jobs);
}

static void a_job_that_was_put_back_is_known_by_its_own_line(void **state)
{
    static const char list[] = "7_1                  0\n7_12      2      \n8      1\nx\n9";

    (void)state;
    assert_false(slurm_was_put_back(list, "7_1"));
    assert_true(slurm_was_put_back(list, "7_12"));
    assert_true(slurm_was_put_back(list, "8"));
    assert_false(slurm_was_put_back(list, "9"));
    assert_false(slurm_was_put_back("", "8"));
}

static void a_job_that_was_ended_for_its_memory_is_known_by_its_own_line(void **state)
{
    static const char log[] =
        "slurmstepd-node1: error: StepId=12.batch exceeded memory limit (9 > 8), being killed\n"
        "slurmstepd-node1: error: Exceeded job memory limit\n"
        "slurmstepd: error: Job 7 exceeded memory limit (9 > 8), being killed\n"
        "slurmstepd: error: *** JOB 5 ON node1 CANCELLED AT 2026-11-29T23:53:05 ***\n";

    (void)state;
    assert_true(slurm_ended_for_memory(log, 12));
    assert_true(slurm_ended_for_memory(log, 7));
    assert_false(slurm_ended_for_memory(log, 1));
    assert_false(slurm_ended_for_memory(log, 5));
    assert_false(slurm_ended_for_memory(" exceeded memory limit", 0));
    assert_false(slurm_ended_for_memory("", 12));
}

/* Slurm forgets it at once, and no list has it any more. */
static void an_element_that_was_taken_off_its_array_is_known_by_the_others(void **state)
{
    static const char waiting[] = "7_1|PENDING|0:00||n.0|\n7_4|PENDING|0:00||n.0|\n",
                      next[] = "7_1|COMPLETED|0:01|n1|n.0|\n7_3|PENDING|0:00||n.0|\n",
                      begun[] = "7_1|COMPLETED|0:01|n1|n.0|\n7_4|PENDING|0:00||n.0|\n",
                      alone[] = "8_1|PENDING|0:00||n.0|\n7_1|PENDING|0:00||other.0|\n",
                      past[] = "7_[4]|PENDING|None assigned|n.0\n";
    static const struct {
        const char *list;
        double unseen_s;
        bool past, log, taken_off;
    } cases[] = {
        { begun, 10.0, false, false, true },    { begun, 250.0, false, false, false },
        { waiting, 250.0, false, false, true }, { waiting, 10.0, false, true, false },
        { next, 250.0, false, false, true },    { next, 250.0, false, true, false },
        { alone, 10.0, false, false, false },   { past, 250.0, true, false, true },
        { "", 10.0, false, false, false },
    };
    char directory[] = "/tmp/hrmlab-element-XXXXXX";
    struct slurm_task task = { .head.directory = directory,
                               .place = {
                                   .name = "n", .index = 2, .per_job = 1, .job = "7_2" } };
    struct error err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(slurm_place_save(directory, &task.place, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slurm_jobs jobs;

        free(cluster_ask("rm -f %s/log", directory));
        if (cases[i].log)
            free(cluster_ask("touch %s/log", directory));
        task.seen_at = clock_monotonic_s() - cases[i].unseen_s;
        assert_int_equal(slurm_jobs_read(&jobs, cases[i].list, cases[i].past, &err), 0);
        if (slurm_was_taken_off(&task, &jobs, cases[i].past) != cases[i].taken_off)
            fail_msg("case %zu", i);
        slurm_jobs_release(&jobs);
    }
    snprintf(task.place.job, sizeof task.place.job, "7"); /* no array */
    struct slurm_jobs none = { 0 };
    assert_false(slurm_was_taken_off(&task, &none, true));
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

/* ---- batches ---- */

/* Adds attempts/NUMBER of a run to the batches, for so many ranks and threads. */
static void join(struct slurm_batch **batches, int number, const char *ranks,
                 const char *threads)
{
    struct slurm_script script = { 0 };
    struct slurm_place place;
    struct config config;
    struct error err = { 0 };
    char directory[100];

    assert_int_equal(config_init(&config, &err), 0);
    assert_int_equal(config_set_text(&config, "resources.ranks", ranks, "test", &err), 0);
    assert_int_equal(config_set_text(&config, "resources.threads", threads, "test", &err), 0);
    assert_int_equal(slurm_script_make(&script, "/bin/true", &config, &err), 0);
    snprintf(directory, sizeof directory, "/ws/runs/r/attempts/%d", number);
    assert_int_equal(slurm_batch_join(batches, &place, directory, &script, &err), 0);
    config_release(&config);
}

static void attempts_of_an_array_have_equally_many_ranks_and_threads(void **state)
{
    struct slurm_batch *batches = NULL;

    (void)state;
    join(&batches, 1, "1", "2");
    join(&batches, 2, "2", "1");
    join(&batches, 3, "2", "2");
    join(&batches, 4, "2", "1");
    assert_int_equal(batches->count, 1);
    assert_int_equal(batches->next->count, 2);
    assert_int_equal(batches->next->next->count, 1);
    assert_null(batches->next->next->next);
    assert_non_null(strstr(batches->next->script.options, "--ntasks=2\n"));
    while (batches != NULL)
        slurm_batch_drop(&batches, batches);
}

static void options_that_take_jobs_out_of_sight_are_refused(void **state)
{
    static const struct {
        const char *option;
        int code;
    } cases[] = { { "array=0-3", ERROR_FORMAT },   { "--wait", ERROR_FORMAT },
                  { "clusters=x", ERROR_FORMAT },  { "test-only", ERROR_FORMAT },
                  { "--arr 0-3", ERROR_FORMAT },   { "cluster=x", ERROR_FORMAT },
                  { "-a0-3", ERROR_FORMAT },       { "-M x", ERROR_FORMAT },
                  { "-QW", ERROR_FORMAT },         { "exclusive --array=0-3", ERROR_FORMAT },
                  { "-N 1 -a 0-3", ERROR_FORMAT }, { "-N 1\n", ERROR_FORMAT },
                  { "wait-all-nodes=1", 0 },       { "-JWa", 0 },
                  { "comment='x --wait -a'", 0 },  { "exclusive", 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slurm_script script = { 0 };
        struct config config;
        struct error err = { 0 };

        assert_int_equal(config_init(&config, &err), 0);
        assert_int_equal(config_set_text(&config, "slurm.additional_parameters",
                                         cases[i].option, "test", &err),
                         0);
        assert_int_equal(slurm_script_make(&script, "/bin/true", &config, &err), cases[i].code);
        slurm_script_release(&script);
        config_release(&config);
    }
}

/* Each is a line of its own by its long name, which the environment's variables have. */
static void options_are_taken_as_sbatch_takes_them(void **state)
{
    static const struct {
        const char *text, *lines;
    } cases[] = {
        { "nice=1", "#SBATCH --nice=1\n" },
        { "--gres tmp:1G", "#SBATCH --gres tmp:1G\n" },
        { "-N 1", "#SBATCH --nodes 1\n" },
        { "-pdebug", "#SBATCH --partition=debug\n" },
        { " -HO  --mem=1 -t 5 ", "#SBATCH --hold\n#SBATCH --overcommit\n#SBATCH --mem=1\n"
                                 "#SBATCH --time 5\n" },
        { "comment=\"a -N 'b\" -Q", "#SBATCH --comment=\"a -N 'b\"\n#SBATCH --quiet\n" },
        { "-Z 1", "#SBATCH -Z 1\n" },
        { "[\"-N 1\", \"exclusive\"]", "#SBATCH --nodes 1\n#SBATCH --exclusive\n" },
        { " ", "\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slurm_script script = { 0 };
        struct config config;
        struct error err = { 0 };

        assert_int_equal(config_init(&config, &err), 0);
        assert_int_equal(config_set_text(&config, "slurm.additional_parameters", cases[i].text,
                                         "test", &err),
                         0);
        assert_int_equal(slurm_script_make(&script, "/bin/true", &config, &err), 0);
        size_t length = strlen(script.options), size = strlen(cases[i].lines);
        assert_true(length >= size);
        assert_string_equal(script.options + length - size, cases[i].lines);
        slurm_script_release(&script);
        config_release(&config);
    }
}

/* Its worker takes a second to write its checkpoint. */
static void a_script_that_is_warned_waits_for_its_worker_whatever_is_set(void **state)
{
    char directory[] = "/tmp/hrmlab-script-XXXXXX", program[100], runs[100];
    static const char worker[] = "#!/bin/bash\n"
                                 "trap 'sleep 1; touch \"$2/written\"; exit 5' TERM\n"
                                 "touch \"$2/runs\"\n"
                                 "while :; do sleep 0.1; done\n";
    char attempt[] = "r/attempts/1", *const attempts[] = { attempt }, *text;
    struct slurm_script script;
    struct config config;
    struct error err = { 0 };

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(program, sizeof program, "%s/worker", directory);
    snprintf(runs, sizeof runs, "%s/runs", directory);
    assert_int_equal(file_write_atomic(program, worker, strlen(worker), &err), 0);
    assert_int_equal(config_init(&config, &err), 0);
    assert_int_equal(config_set_text(&config, "slurm.setup", "set -eu", "test", &err), 0);
    assert_int_equal(slurm_script_make(&script, program, &config, &err), 0);
    assert_int_equal(slurm_script_text(&text, &script, runs, attempts, 1, &err), 0);
    snprintf(program, sizeof program, "%s/script", directory);
    assert_int_equal(file_write_atomic(program, text, strlen(text), &err), 0);
    char *written = cluster_ask(
        "cd %s && chmod +x worker && mkdir -p runs/r/attempts/1 && cd runs/r/attempts/1 &&"
        " touch slurm.place && { bash ../../../../script & } &&"
        " for i in $(seq 1200); do [ -e runs ] && break; sleep 0.05; done; kill -USR1 $!; wait "
        "$!;"
        " ls written",
        directory);
    assert_string_equal(written, "written");
    free(written);
    free(text);
    slurm_script_release(&script);
    config_release(&config);
    assert_int_equal(file_remove_tree(directory, &err), 0);
}

/* ---- on a cluster ---- */

static void a_grid_is_one_array_and_finds_what_the_executor_local_finds(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    expected = local_results(GRID_AS_ARRAY);
    cluster_place(&place, GRID_AS_ARRAY);
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--executor", "slurm", NULL)), 0);
    place_expect(&place, PLACE_STATE, expected);
    place_expect(&place, "SELECT group_concat(DISTINCT executor) || count(*) FROM attempt",
                 "slurm4");
    place_expect(&place, "SELECT count(*) FROM attempt WHERE host NOT LIKE 'node%'", "0");
    place_expect(&place,
                 "SELECT count(DISTINCT substr(place, 1, instr(place, ' index')))"
                 " FROM attempt WHERE place LIKE '%\\_%' ESCAPE '\\'",
                 "1");
    place_remove(&place);
}

/* Slurm replaces what follows a percent sign in the name of a job's log, unless there is a
 * backslash in it. */
static void a_workspace_may_have_any_name(void **state)
{
    static const char *const names[] = { "100%j", "a\\b", "%A\\%%\\\\" };

    (void)state;
    need_cluster();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct place place;

        cluster_place(&place, TWO_RUNS);
        snprintf(place.workspace, sizeof place.workspace, "%s/%s", place.directory, names[i]);
        assert_int_equal(
            place_finish(place_start(&place, "run", place.spec, "--executor", "slurm", NULL)),
            0);
        char *logs = cluster_ask("ls '%s'/slurm/*.log | wc -l", place.workspace);
        assert_string_equal(logs, "1");
        free(logs);
        place_remove(&place);
    }
}

static void what_was_queued_is_submitted_at_once_and_synced_later(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    cluster_place(&place, GRID_AS_PILOTS);
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "local", NULL)), 2);
    /* Until queue has returned, no job begins: one that ends before would not go on. */
    free(cluster_ask("scontrol update PartitionName=main State=DOWN"));
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    assert_true(place_output_has(&place, "4 jobs go on"));
    free(cluster_ask("scontrol update PartitionName=main State=UP"));
    assert_true(cluster_wait_for("squeue --noheader --array && echo empty", "empty"));
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "0");
    assert_int_equal(place_finish(place_start(&place, "sync", NULL)), 0);
    place_expect(&place, "SELECT count(*) FROM attempt WHERE place LIKE '% per 3 job %'", "4");
    if (expected != NULL)
        place_expect(&place, PLACE_STATE, expected);
    place_remove(&place);
}

/* One before, and one after the first list that a later runner has asked for. */
static void elements_of_an_array_that_are_cancelled_while_they_wait_stay_so(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    cluster_place(&place, GRID_AS_ARRAY);
    free(cluster_ask("scontrol update PartitionName=main State=DOWN"));
    assert_int_equal(
        place_finish(place_start(&place, "queue", place.spec, "--executor", "slurm", NULL)), 0);
    char *array = cluster_ask("squeue --me -h -t PENDING -o %%F");
    free(cluster_ask("scancel %s_2", array));
    pid_t runner = place_start(&place, "work", "--executor", "slurm", NULL);
    assert_true(
        place_wait_for(&place, "SELECT count(*) FROM job WHERE state = 'cancelled'", "1"));
    free(cluster_ask("scancel %s_0", array));
    free(array);
    assert_true(
        place_wait_for(&place, "SELECT count(*) FROM job WHERE state = 'cancelled'", "2"));
    free(cluster_ask("scontrol update PartitionName=main State=UP"));
    assert_int_equal(place_finish(runner), 0);
    place_expect(&place,
                 "SELECT count(*) || group_concat(DISTINCT outcome) FROM"
                 " (SELECT outcome FROM attempt ORDER BY outcome)",
                 "4cancelled,done");
    place_expect(&place, "SELECT count(*) FROM job WHERE state = 'done'", "2");
    place_remove(&place);
}

static void
jobs_go_on_when_the_runner_is_interrupted_or_killed_or_the_database_lost(void **state)
{
    static const int signals[] = { SIGINT, SIGKILL };
    struct place place;

    (void)state;
    need_cluster();
    cluster_place(&place, LONG_RUN);
    for (int i = 0; i < 2; i++) {
        pid_t runner = i == 0
                           ? place_start(&place, "run", place.spec, "--executor", "slurm", NULL)
                           : place_start(&place, "work", "--executor", "slurm", NULL);
        assert_true(place_wait_for(
            &place, "SELECT count(*) FROM attempt WHERE state = 'running'", "1"));
        kill(runner, signals[i]);
        assert_int_equal(place_finish(runner), i == 0 ? 130 : 128 + SIGKILL);
    }
    assert_int_equal(place_finish(place_start(&place, "status", NULL)), 0);
    assert_true(place_output_has(&place, "Slurm job "));
    assert_int_equal(place_finish(place_start(&place, "rebuild", NULL)), 0);
    assert_true(place_output_has(&place, "1 worker is still running"));
    assert_int_equal(place_finish(place_start(&place, "work", NULL)), 0);
    place_expect(&place, "SELECT count(*) || group_concat(outcome) FROM attempt", "1done");
    place_expect(&place, "SELECT state FROM job", "done");
    place_remove(&place);
}

/* ---- faults of a real cluster ---- */

static void jobs_that_slurm_ends_for_their_memory_are_out_of_memory(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    cluster_place(&place, LARGE_RUNS);
    assert_int_equal(
        place_finish(place_start(&place, "run", place.spec, "--executor", "slurm", NULL)), 1);
    place_expect(&place, "SELECT group_concat(state || cause) FROM job",
                 "failedout of memory,failedout of memory");
    place_remove(&place);
}

/* A runner at work on the run, whose first job runs. */
static pid_t start_long_run(struct place *place)
{
    cluster_place(place, LONG_RUN);
    pid_t runner = place_start(place, "run", place->spec, "--executor", "slurm", NULL);
    assert_true(
        place_wait_for(place, "SELECT count(*) FROM attempt WHERE state = 'running'", "1"));
    return runner;
}

/* Waits until the run's newest attempt, the number-th, has written a checkpoint. */
static void wait_for_checkpoint(const struct place *place, int number)
{
    char command[200];

    snprintf(command, sizeof command,
             "ls %s/runs/*/attempts/%d/checkpoint-1.safetensors | wc -l", place->workspace,
             number);
    assert_true(cluster_wait_for(command, "1"));
}

/* Warned ahead of its limit; then cancelled by somebody else, and tried again. */
static void a_run_goes_on_in_the_next_job_with_the_same_bits_on_other_cores(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    char *results = local_results(LONG_RUN);
    pid_t runner = start_long_run(&place);
    wait_for_checkpoint(&place, 1);
    free(cluster_ask("squeue --me -h -o %%A | xargs scancel --batch --signal=USR1"));
    assert_true(
        place_wait_for(&place, "SELECT outcome FROM attempt WHERE number = 1", "job time-out"));
    wait_for_checkpoint(&place, 2);
    free(cluster_ask("scancel --me"));
    assert_int_equal(place_finish(runner), 1);
    place_expect(&place, "SELECT state || cause || failures FROM job", "cancelledcancelled0");
    assert_int_equal(
        place_finish(place_start(&place, "retry", "all", "--set", "resources.threads=2", NULL)),
        0);
    assert_int_equal(place_finish(place_start(&place, "work", "--executor", "slurm", NULL)), 0);
    place_expect(&place, PLACE_STATE, results);
    free(results);
    place_remove(&place);
}

/* The first of the three runs, and the second, whose turn has not come. */
static void two_runs_of_a_job_are_cancelled_and_the_third_is_done(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    cluster_place(&place, LONG_PILOT);
    pid_t runner = place_start(&place, "run", place.spec, "--executor", "slurm", NULL);
    assert_true(
        place_wait_for(&place, "SELECT count(*) FROM attempt WHERE state = 'running'", "1"));
    for (int i = 1; i <= 2; i++) {
        char sql[100];

        snprintf(sql, sizeof sql, "SELECT substr(hash, 1, 12) FROM run WHERE run_id = %d", i);
        char *hash = place_ask(&place, sql);
        assert_int_equal(place_finish(place_start(&place, "cancel", hash, NULL)), 0);
        free(hash);
    }
    assert_int_equal(place_finish(runner), 1);
    place_expect(&place, "SELECT group_concat(state) FROM (SELECT * FROM job ORDER BY run_id)",
                 "cancelled,cancelled,done");
    place_expect(&place, "SELECT count(*) FROM attempt", "3");
    place_remove(&place);
}

/* The node goes down, the controller is restarted: with HRMLAB_LONG only. */
static void a_run_whose_node_fails_goes_on_elsewhere_with_the_same_bits(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    need_long();
    char *results = local_results(LONG_RUN);
    pid_t runner = start_long_run(&place);
    char *node = place_ask(&place, "SELECT host FROM attempt");
    free(cluster_ask("scontrol update nodename=%s state=down reason=test", node));
    assert_int_equal(place_finish(runner), 0);
    free(cluster_ask("scontrol update nodename=%s state=resume", node));
    free(node);
    place_expect(&place,
                 "SELECT group_concat(outcome) FROM (SELECT * FROM attempt ORDER BY number)",
                 "node failure,done");
    place_expect(&place, "SELECT failures FROM job", "0");
    place_expect(&place, PLACE_STATE, results);
    free(results);
    place_remove(&place);
}

/* Holds the processes of the first attempt, as a file system that hangs would: no signal but
 * SIGKILL reaches them, not even Slurm's SIGCONT. Their numbers, fresh text; NULL: the
 * system does not let this process do so. */
static char *hold_workers(const struct place *place)
{
    char *pids = cluster_ask("for p in /proc/[0-9]*; do"
                             " grep -qz '^%s/runs/.*/attempts/1' $p/cmdline 2>/dev/null &&"
                             " readlink $p/exe | grep -q hrmlab-worker && echo ${p#/proc/};"
                             " done",
                             place->workspace);
    char *end = pids;
    int status;

    assert_true(pids[0] != '\0');
    for (char *at = pids; *at != '\0'; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);

        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0) {
            print_message("# skip: this system does not let a test hold a process: %s\n",
                          strerror(errno));
            free(pids);
            return NULL;
        }
        assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, __WALL), pid);
        end += strspn(end, "\n");
    }
    return pids;
}

/* Without any warning it could act on, it writes nothing more when its job's time is over:
 * with HRMLAB_LONG only. */
static void a_run_that_its_limit_kills_goes_on_from_its_last_checkpoint(void **state)
{
    struct place place;

    (void)state;
    need_cluster();
    need_long();
    char *results = local_results(LONG_RUN);
    pid_t runner = start_long_run(&place);
    wait_for_checkpoint(&place, 1);
    char *pids = hold_workers(&place);
    if (pids != NULL)
        free(cluster_ask("scontrol update jobid=$(squeue --me -h -o %%A)"
                         " endtime=$(date -d '+1 sec' +%%Y-%%m-%%dT%%H:%%M:%%S)"));
    assert_int_equal(place_finish(runner), 0);
    if (pids != NULL) {
        char *last_words = cluster_ask("ls %s/runs/*/attempts/1/exit.json 2>/dev/null | wc -l",
                                       place.workspace);
        assert_string_equal(last_words, "0");
        free(last_words);
        place_expect(
            &place, "SELECT group_concat(outcome) FROM (SELECT * FROM attempt ORDER BY number)",
            "job time-out,done");
        place_expect(&place, "SELECT failures FROM job", "0");
        char *resumed =
            cluster_ask("grep -ch '\"type\":\"resume\"' %s/runs/*/attempts/2/journal.jsonl",
                        place.workspace);
        assert_string_equal(resumed, "1");
        free(resumed);
    }
    free(pids);
    place_expect(&place, PLACE_STATE, results);
    free(results);
    place_remove(&place);
}

/* ---- fencing ---- */

static void only_the_newest_attempt_counts(void **state)
{
    char root[] = "/tmp/hrmlab-fence-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(root));
    free(cluster_ask("mkdir -p %s/attempts/9 %s/attempts/10 %s/other/1 %s/other/2", root, root,
                     root, root));
    char *nine = format_string("%s/attempts/9", root),
         *ten = format_string("%s/attempts/10", root);
    char *other = format_string("%s/other/1", root);
    assert_int_equal(fence_newer_attempt(nine), 10);
    assert_int_equal(fence_newer_attempt(ten), 0);
    assert_int_equal(fence_newer_attempt(other), 0);
    free(nine);
    free(ten);
    free(other);
    free(cluster_ask("rm -rf %s", root));
}

/* Its node was given up, and another attempt began; it lives on. */
static void a_stale_worker_notices_and_stops(void **state)
{
    struct place place;

    (void)state;
    cluster_place(&place, LONG_RUN);
    pid_t runner = place_start(&place, "run", place.spec, NULL);
    assert_true(
        place_wait_for(&place, "SELECT count(*) FROM attempt WHERE state = 'running'", "1"));
    free(cluster_ask("for d in %s/runs/*/attempts; do mkdir $d/2; done", place.workspace));
    assert_int_equal(place_finish(runner), 0);
    char *journal = cluster_ask("grep -h '\"type\":\"end\"' %s/runs/*/attempts/1/journal.jsonl",
                                place.workspace);
    assert_non_null(strstr(journal, "attempt 2 has taken the place of this one"));
    free(journal);
    place_expect(&place, "SELECT group_concat(number || outcome) FROM attempt",
                 "1stopped,3done");
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_that_is_garbled_or_cut_is_no_list),
        cmocka_unit_test(jobs_are_found_by_id_or_name_with_their_states),
        cmocka_unit_test(a_job_that_was_put_back_is_known_by_its_own_line),
        cmocka_unit_test(an_element_that_was_taken_off_its_array_is_known_by_the_others),
        cmocka_unit_test(a_job_that_was_ended_for_its_memory_is_known_by_its_own_line),
        cmocka_unit_test(attempts_of_an_array_have_equally_many_ranks_and_threads),
        cmocka_unit_test(options_that_take_jobs_out_of_sight_are_refused),
        cmocka_unit_test(options_are_taken_as_sbatch_takes_them),
        cmocka_unit_test(a_script_that_is_warned_waits_for_its_worker_whatever_is_set),
        cmocka_unit_test(a_grid_is_one_array_and_finds_what_the_executor_local_finds),
        cmocka_unit_test(a_workspace_may_have_any_name),
        cmocka_unit_test(what_was_queued_is_submitted_at_once_and_synced_later),
        cmocka_unit_test(elements_of_an_array_that_are_cancelled_while_they_wait_stay_so),
        cmocka_unit_test(
            jobs_go_on_when_the_runner_is_interrupted_or_killed_or_the_database_lost),
        cmocka_unit_test(jobs_that_slurm_ends_for_their_memory_are_out_of_memory),
        cmocka_unit_test(a_run_goes_on_in_the_next_job_with_the_same_bits_on_other_cores),
        cmocka_unit_test(two_runs_of_a_job_are_cancelled_and_the_third_is_done),
        cmocka_unit_test(a_run_whose_node_fails_goes_on_elsewhere_with_the_same_bits),
        cmocka_unit_test(a_run_that_its_limit_kills_goes_on_from_its_last_checkpoint),
        cmocka_unit_test(only_the_newest_attempt_counts),
        cmocka_unit_test(a_stale_worker_notices_and_stops),
    };

    setenv("HRMLAB_SLURM_PACE", "0.3", 1); /* its clients are idle here */
    return cmocka_run_group_tests_name("slurm", tests, start_cluster, stop_cluster);
}
