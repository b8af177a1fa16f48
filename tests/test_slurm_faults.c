/* test_slurm_faults.c - many faults of a real Slurm, its nodes and the runner, one after the other:
 * every run is done once, with the bits that the executor local finds. With HRMLAB_LONG only;
 * HRMLAB_FAULTS says how many (default 100). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "file.h"
#include "support/cluster.h"
#include "support/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { NODES = 3, USUAL_FAULTS = 100, SETTLE_S = 600 };

/* Twelve runs; with %d runs in a job. */
static const char SPEC[] =
    "{\"name\": \"t\", \"seeds\": [1, 2, 3], \"set\": {\"data.canvas\": 8,"
    " \"arch.hidden_size\": 16, \"arch.num_heads\": 2, \"arch.H_layers\": 1,"
    " \"arch.L_layers\": 1, \"arch.ffn_multiple\": 16, \"arch.puzzle_emb_ndim\": 16,"
    " \"arch.halt_max_steps\": 2, \"train.global_batch_size\": 8,"
    " \"train.lr_warmup_steps\": 5, \"train.max_steps\": 400,"
    " \"train.checkpoint_interval\": 0.05, \"retries.delay\": 0, \"retries.max\": 1000},"
    " \"grid\": {\"arch.name\": [\"hrm\", \"transformer\"], \"train.lr\": [0.01, 0.02]},"
    " \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}, \"slurm\": {\"runs_per_job\": %d}}";

/* What goes wrong; all are shell commands but the first. JOB: a job that runs. */
static const struct {
    const char *name, *command;
} FAULTS[] = {
    { "runner killed", NULL },
    { "slurmd killed",
      "n=node$(shuf -i 1-3 -n 1); tests/support/mini_slurm.sh kill $n; sleep 1;"
      " tests/support/mini_slurm.sh revive $n" },
    { "controller killed", "tests/support/mini_slurm.sh kill slurmctld; sleep 2;"
                           " tests/support/mini_slurm.sh revive slurmctld" },
    { "job cancelled", "scancel $JOB" },
    { "job put back", "scontrol update jobid=$JOB requeue=1; scontrol requeue $JOB" },
    { "time limit near", "scancel --batch --signal=USR1 $JOB" },
    { "time limit",
      "scontrol update jobid=$JOB endtime=$(date -d '+1 sec' +%Y-%m-%dT%H:%M:%S)" },
    { "preempted",
      "sbatch --quiet --partition=high --exclusive --output=/dev/null --wrap true" },
    { "node down",
      "n=node$(shuf -i 1-3 -n 1); scontrol update nodename=$n state=down reason=test; sleep 1;"
      " scontrol update nodename=$n state=resume" },
    { "nodes cannot start jobs", "touch $PROLOG/fails; sleep 2; rm $PROLOG/fails" },
};

enum { FAULT_KINDS = sizeof FAULTS / sizeof *FAULTS };

static bool has_cluster;
static char prolog[] = "/tmp/hrmlab-prolog-XXXXXX"; /* a directory; with "fails" in it, no node
                                                     * starts a job */

/* Slurm's settings: a partition that preempts, and a prolog that fails on command. */
static void set_conf(void)
{
    char conf[400];

    assert_non_null(mkdtemp(prolog));
    setenv("PROLOG", prolog, 1);
    free(cluster_ask("printf '#!/bin/sh\\n[ ! -e %s/fails ]\\n' >%s/run; chmod +x %s/run",
                     prolog, prolog, prolog));
    snprintf(conf, sizeof conf,
             "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\nProlog=%s/run\n"
             "PartitionName=high Nodes=ALL PriorityTier=10 DefaultTime=1 State=UP",
             prolog);
    setenv("MINI_SLURM_CONF_EXTRA", conf, 1);
}

static int start_cluster(void **state)
{
    (void)state;
    if (getenv("HRMLAB_LONG") == NULL) {
        print_message("# skip: only with HRMLAB_LONG\n");
        return 0;
    }
    place_use_release(NULL);
    set_conf();
    has_cluster = cluster_start(NODES);
    return 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    if (has_cluster)
        cluster_stop();
    if (getenv("PROLOG") != NULL)
        free(cluster_ask("rm -r %s", prolog));
    return 0;
}

static void make(struct place *place, int runs_per_job)
{
    char spec[2000];
    struct error err = { 0 };

    place_make(place);
    snprintf(spec, sizeof spec, SPEC, runs_per_job);
    assert_int_equal(file_write_atomic(place->spec, spec, strlen(spec), &err), 0);
}

static char *local_results(void)
{
    struct place place;

    make(&place, 1);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *results = place_ask(&place, PLACE_STATE);
    place_remove(&place);
    return results;
}

/* Slurm cancels them, which nobody has asked for; later the nodes are well again. */
static void jobs_that_no_node_can_start_are_tried_again(void **state)
{
    struct place place;

    (void)state;
    if (!has_cluster)
        skip();
    char *expected = local_results();
    make(&place, 1);
    free(cluster_ask("touch %s/fails", prolog));
    pid_t runner = place_start(&place, "run", place.spec, "--executor", "slurm", NULL);
    assert_true(place_wait_for(
        &place, "SELECT count(*) > 0 FROM attempt WHERE outcome = 'launch failure'", "1"));
    free(cluster_ask("rm %s/fails; scontrol update nodename=node[1-3] state=resume", prolog));
    assert_int_equal(place_finish(runner), 0);
    place_expect(&place, "SELECT count(*) FROM attempt WHERE outcome = 'cancelled'", "0");
    place_expect(&place, "SELECT max(failures) > 0 FROM job", "1");
    place_expect(&place, PLACE_STATE, expected);
    place_remove(&place);
    free(expected);
}

/* Lets one thing go wrong. */
static void let_fail(int kind, pid_t *runner)
{
    if (FAULTS[kind].command == NULL) {
        if (*runner > 0)
            kill(*runner, SIGKILL);
        return;
    }
    /* a node that could not start a job starts none until it is told to */
    free(cluster_ask("for n in node1 node2 node3; do scontrol update nodename=$n state=resume;"
                     " done 2>&1; JOB=$(squeue --me -h -t R -o %%i --array | shuf -n 1);"
                     " (%s) 2>&1",
                     FAULTS[kind].command));
}

/* Sees to it that a runner is at work; cancelled jobs are queued again. True: all are done. */
static bool keep_working(const struct place *place, pid_t *runner)
{
    int status = 0;

    if (*runner > 0 && waitpid(*runner, &status, WNOHANG) == 0)
        return false;
    *runner = 0;
    char *open = place_ask(place, "SELECT count(*) FROM job WHERE state <> 'done'");
    bool all_done = strcmp(open, "0") == 0;
    free(open);
    if (all_done)
        return true;
    (void)place_finish(place_start(place, "retry", "all", NULL));
    *runner = place_start(place, "work", "--executor", "slurm", NULL);
    return false;
}

/* One grid: faults at irregular times until all is done. Returns how many there were. */
static int work_through_faults(int most, int runs_per_job, const char *expected, int *counts)
{
    struct place place;
    int count = 0;

    make(&place, runs_per_job);
    pid_t runner = place_start(&place, "run", place.spec, "--executor", "slurm", NULL);
    assert_true(place_wait_for(
        &place, "SELECT count(*) > 0 FROM attempt WHERE state = 'running'", "1"));
    double began_at = clock_monotonic_s();
    while (!keep_working(&place, &runner)) {
        place_sleep_ms(500 + rand() % 2500);
        int kind = rand() % FAULT_KINDS;
        if (count < most) {
            let_fail(kind, &runner);
            counts[kind]++;
            count++;
        }
        if (clock_monotonic_s() - began_at > SETTLE_S * (double)(1 + count / 10))
            fail_msg("not done after %d faults (%s)", count, place.directory);
    }
    place_expect(&place, PLACE_STATE, expected);
    char *attempts = place_ask(&place, "SELECT count(*) || ' attempts: ' || (SELECT"
                                       " group_concat(n || ' ' || outcome, ', ') FROM (SELECT"
                                       " count(*) AS n, outcome FROM attempt GROUP BY outcome))"
                                       " FROM attempt");
    print_message("# %d faults, %d runs in a job, %.0f s; %s\n", count, runs_per_job,
                  clock_monotonic_s() - began_at, attempts);
    free(attempts);
    place_remove(&place);
    return count;
}

static void every_run_is_done_once_with_the_same_bits_through_many_faults(void **state)
{
    const char *asked = getenv("HRMLAB_FAULTS");
    int most = asked != NULL ? atoi(asked) : USUAL_FAULTS, count = 0;
    int counts[FAULT_KINDS] = { 0 };

    (void)state;
    if (!has_cluster)
        skip();
    srand(1);
    char *expected = local_results();
    for (int round = 0; count < most; round++)
        count += work_through_faults(most - count < 20 ? most - count : 20,
                                     round % 2 == 0 ? 1 : 3, expected, counts);
    for (int i = 0; i < FAULT_KINDS; i++)
        print_message("# %d x %s\n", counts[i], FAULTS[i].name);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_that_no_node_can_start_are_tried_again),
        cmocka_unit_test(every_run_is_done_once_with_the_same_bits_through_many_faults),
    };

    return cmocka_run_group_tests_name("slurm_faults", tests, start_cluster, stop_cluster);
}
