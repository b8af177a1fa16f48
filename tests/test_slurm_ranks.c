/* test_slurm_ranks.c - one run on ranks of two nodes of a real Slurm, which both of its launchers
 * start: the same bits as in one process. With HRMLAB_LONG only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/cluster.h"
#include "support/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With MPI; `make test` builds it where Open MPI is installed. */
static const char MPI_WORKER[] = "build/mpi/hrmlab-worker";

#define RUN(members)                                                                           \
    "{\"name\": \"t\", \"set\": {" CLUSTER_SMALL_RUN ", \"train.max_steps\": %d,"              \
    " \"train.gradient_lanes\": 4}, \"evaluate\": {\"eval.halt_max_steps\": [1, 2]}" members   \
    "}"

/* On one core; and on two nodes, started by the launcher. */
static const char ONE[] = RUN("");
static const char TWO[] = RUN(", \"resources\": {\"ranks\": 2},"
                              " \"slurm\": {\"additional_parameters\": [\"nodes=2\","
                              " \"ntasks-per-node=1\"], \"setup\": \"%s\"}");

static const char MPIRUN[] = "true";
static const char SRUN[] = "export HRMLAB_LAUNCHER='srun --mpi=pmix'";

static bool has_cluster;

/* Skips where there is no MPI, and says so. */
static bool has_mpi(void)
{
    char absolute[4096];

    if (access(MPI_WORKER, X_OK) == 0 && system("mpirun --version >/dev/null 2>&1") == 0) {
        assert_non_null(realpath(MPI_WORKER, absolute));
        assert_int_equal(setenv("HRMLAB_WORKER", absolute, 1), 0);
        return true;
    }
    print_message("# skip: no %s, or no mpirun (apt install libopenmpi-dev openmpi-bin; make "
                  "build/mpi/hrmlab-worker)\n",
                  MPI_WORKER);
    return false;
}

static int start_cluster(void **state)
{
    (void)state;
    if (getenv("HRMLAB_LONG") == NULL)
        print_message("# skip: only with HRMLAB_LONG\n");
    else if (has_mpi())
        has_cluster = cluster_start(2);
    return 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    if (has_cluster)
        cluster_stop();
    return 0;
}

static void need_cluster(void)
{
    if (!has_cluster)
        skip();
}

/* Of a run of so many steps in one process. */
static char *local_results(int steps)
{
    struct place place;
    char spec[2000];

    snprintf(spec, sizeof spec, ONE, steps);
    cluster_place(&place, spec);
    assert_int_equal(place_finish(place_start(&place, "run", place.spec, NULL)), 0);
    char *results = place_ask(&place, PLACE_STATE);
    place_remove(&place);
    return results;
}

static pid_t start_on_two_nodes(struct place *place, int steps, const char *launcher)
{
    char spec[2000];

    snprintf(spec, sizeof spec, TWO, steps, launcher);
    cluster_place(place, spec);
    return place_start(place, "run", place->spec, "--executor", "slurm", NULL);
}

static void ranks_on_two_nodes_find_what_one_process_finds(void **state)
{
    static const char *const launchers[] = { MPIRUN, SRUN };

    (void)state;
    need_cluster();
    char *expected = local_results(20);
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        struct place place;

        assert_int_equal(place_finish(start_on_two_nodes(&place, 20, launchers[i])), 0);
        place_expect(&place, "SELECT group_concat(outcome || host) FROM attempt",
                     "donenode[1-2]");
        place_expect(&place, PLACE_STATE, expected);
        place_remove(&place);
    }
    free(expected);
}

/* Its two ranks stop at a checkpoint, and two others go on from there. */
static void ranks_of_a_job_that_nears_its_limit_go_on_in_the_next_one(void **state)
{
    static const char *const launchers[] = { MPIRUN, SRUN };

    (void)state;
    need_cluster();
    char *expected = local_results(400);
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
        struct place place;
        char command[200];

        pid_t runner = start_on_two_nodes(&place, 400, launchers[i]);
        snprintf(command, sizeof command,
                 "ls %s/runs/*/attempts/1/checkpoint-1.safetensors 2>/dev/null | wc -l",
                 place.workspace);
        assert_true(cluster_wait_for(command, "1"));
        free(cluster_ask("squeue --me -h -o %%A | xargs scancel --batch --signal=USR1"));
        assert_int_equal(place_finish(runner), 0);
        place_expect(&place, "SELECT group_concat(number || outcome) FROM attempt",
                     "1job time-out,2done");
        place_expect(&place, "SELECT failures FROM job", "0");
        place_expect(&place, PLACE_STATE, expected);
        place_remove(&place);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_on_two_nodes_find_what_one_process_finds),
        cmocka_unit_test(ranks_of_a_job_that_nears_its_limit_go_on_in_the_next_one),
    };

    setenv("HRMLAB_SLURM_PACE", "0.3", 1); /* its clients are idle here */
    return cmocka_run_group_tests_name("slurm_ranks", tests, start_cluster, stop_cluster);
}
