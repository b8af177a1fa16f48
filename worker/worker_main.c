/* worker_main.c - hrmlab-worker: arguments, BLAS environment, exit codes. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blas_environment.h"
#include "data_command.h"
#include "describe.h"
#include "engine_setup.h"
#include "error.h"
#include "exit_code.h"
#include "execute.h"
#include "file.h"
#include "job.h"
#include "keeper.h"
#include "kept_answers.h"
#include "log.h"
#include "probe.h"
#include "provenance.h"
#include "rank_process.h"
#include "steps.h"

static const char USAGE[] =
    "usage: hrmlab-worker [--ranks=N] run DIR  run the job of DIR/job.json, an attempt's\n"
    "                                 directory, in N processes (1) of a launcher such as\n"
    "                                 mpirun, which starts `hrmlab-worker rank DIR`\n"
    "       hrmlab-worker describe [DIR]  configurations (a JSON list on stdin) to sizes and\n"
    "                                 hashes; DIR: where those of data are cached\n"
    "       hrmlab-worker probe       what the engine gets on this machine, as JSON\n"
    "       hrmlab-worker data ...    write or look at built-in data; `data --help`\n"
    "       hrmlab-worker steps ...   a model's answers to a task, for `hrmlab show --task`\n"
    "       hrmlab-worker answers ... the answers kept of some tasks, for `hrmlab report`\n"
    "       hrmlab-worker --help | --version\n"
    "\n"
    "hrmlab starts this program by itself. Environment: HRMLAB_KERNELS (base, avx2, avx512, "
    "avx512_bf16),\n"
    "HRMLAB_BLAS_CORE (an OpenBLAS core, such as Haswell), HRMLAB_SANDBOX=off,\n"
    "HRMLAB_LAUNCHER (of ranks; mpirun --bind-to none --oversubscribe). Inherited\n"
    "OPENBLAS_*, OMP_*, GOTO_*, MKL_* and VECLIB_* variables are replaced.\n"
    "Exit: 0 done, 2 bad arguments, job or data, 3 environment, 4 diverged, 5 data changed,\n"
    "6 out of memory, 7 disk full, 130 stopped.\n";

/* Whether it is an attempt's worker, which writes what it finds wrong to its
 * journal. */
static bool writes_journal(int argc, char **argv)
{
    return argc > 2 &&
           (strcmp(argv[argc - 2], "run") == 0 || strcmp(argv[argc - 2], "rank") == 0);
}

/* Closes inherited descriptors except 0 to 2: a lock or a pipe would otherwise stay
 * open for the worker's life. Of a rank the one stays by which srun --mpi=pmi2 talks to
 * it. */
static void close_inherited_descriptors(int argc, char **argv)
{
    bool is_rank = argc > 1 && strcmp(argv[1], "rank") == 0;
    const char *text = is_rank ? getenv("PMI_FD") : NULL;
    int spared = text != NULL ? (int)strtol(text, NULL, 10) : -1;

    if (writes_journal(argc, argv))
        file_close_from(3, spared);
}

/* Opens missing standard descriptors, so that no other file gets number 0 to 2 and
 * with it log lines. */
static void open_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

/* Takes "--ranks=N" from the front of the arguments; without it *ranks is 1. */
static int take_ranks(int *ranks, int *argc, char ***argv, struct error *err)
{
    static const char OPTION[] = "--ranks=";
    char *end, *text = *argc > 1 ? (*argv)[1] : NULL;

    *ranks = 1;
    if (text == NULL || strncmp(text, OPTION, sizeof OPTION - 1) != 0)
        return 0;
    text += sizeof OPTION - 1;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > 1024)
        return error_set(err, ERROR_FORMAT, "--ranks=%s: expected a number from 1 to 1024",
                         text);
    *ranks = (int)value;
    --*argc;
    ++*argv;
    return 0;
}

static int run(const char *directory, int ranks, const struct blas_environment *environment,
               int *exit_code, struct error *err)
{
    struct execute_request request = { .directory = directory, .environment = environment };
    struct rank_launch launch = { .directory = directory, .ranks = ranks };

    if (ranks > 1)
        return keeper_run_launcher(exit_code, directory, rank_launch, &launch, err);
    return keeper_run(exit_code, directory, execute_job, &request, err);
}

static int no_arguments(int argc, char **argv, struct error *err)
{
    if (argc == 2)
        return 0;
    return error_set(err, ERROR_FORMAT, "%s takes no arguments, found \"%s\"", argv[1],
                     argv[2]);
}

static int dispatch(int argc, char **argv, const struct blas_environment *environment,
                    int *exit_code, struct error *err)
{
    int ranks, rc = take_ranks(&ranks, &argc, &argv, err);

    if (rc < 0)
        return rc;
    const char *command = argc > 1 ? argv[1] : "";

    if (ranks > 1 && strcmp(command, "run") != 0)
        return error_set(err, ERROR_FORMAT, "--ranks is for run, found \"%s\"", command);

    if (strcmp(command, "run") == 0) {
        if (argc != 3)
            return error_set(err, ERROR_FORMAT, "run takes one directory, found %d arguments",
                             argc - 2);
        return run(argv[2], ranks, environment, exit_code, err);
    }
    if (strcmp(command, "rank") == 0) {
        if (argc != 3)
            return error_set(err, ERROR_FORMAT, "rank takes one directory, found %d arguments",
                             argc - 2);
        return rank_process_run(exit_code, argv[2], environment, err);
    }
    if (strcmp(command, "describe") == 0) {
        if (argc > 3)
            return error_set(err, ERROR_FORMAT,
                             "describe takes at most one directory, found %d arguments",
                             argc - 2);
        return describe_stream(STDIN_FILENO, argc == 3 ? argv[2] : NULL, err);
    }
    if (strcmp(command, "probe") == 0) {
        rc = no_arguments(argc, argv, err);
        return rc < 0 ? rc : probe_print(environment, err);
    }
    if (strcmp(command, "steps") == 0)
        return steps_command(argc - 2, argv + 2, err);
    if (strcmp(command, "answers") == 0)
        return kept_answers_command(argc - 2, argv + 2, err);
    if (strcmp(command, "data") == 0)
        return data_command(argc - 2, argv + 2, err);
    return error_set(
        err, ERROR_FORMAT,
        "unknown command \"%s\" (run, describe, probe, data, steps or answers; see --help)",
        command);
}

int main(int argc, char **argv)
{
    struct blas_environment environment = { 0 };
    struct error err = { 0 };
    int exit_code = 0, rc;

    close_inherited_descriptors(argc, argv);
    open_standard_descriptors();
    log_setup("hrmlab-worker", LOG_INFO);
    if (argc < 2) {
        log_error("a command is missing (run, describe, probe or data; see --help)");
        return EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) {
        if (strcmp(argv[1], "--help") == 0)
            fputs(USAGE, stdout);
        else
            printf("hrmlab-worker %s\n", provenance_version());
        return fflush(stdout) == 0 ? EXIT_DONE : EXIT_ENVIRONMENT;
    }
    rc = file_require_descriptors(&err);
    if (rc == 0)
        rc = blas_environment_enforce(&environment, argv, &err);
    /* with `run`, the worker writes this to its journal */
    if (rc == 0 && !writes_journal(argc, argv))
        rc = engine_setup_environment(&err);
    if (rc == 0)
        rc = dispatch(argc, argv, &environment, &exit_code, &err);
    if (rc < 0) {
        log_error("%s", err.message);
        exit_code = error_exit_code((enum error_code)rc);
    }
    blas_environment_release(&environment);
    if (fflush(stdout) != 0 && exit_code == EXIT_DONE) {
        log_error("standard output cannot be written");
        exit_code = EXIT_ENVIRONMENT;
    }
    return exit_code;
}
