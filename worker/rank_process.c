/* rank_process.c - starts the launcher; waits for a rank's worker. */
#include "rank_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exchange.h"
#include "execute.h"
#include "exit_code.h"
#include "file.h"
#include "job_state.h"
#include "keeper.h"
#include "log.h"
#include "mpi_exchange.h"
#include "rank_service.h"
#include "report.h"

/* ---- The launcher. ---- */

/* Puts the words of text, which it cuts up, into list. Returns their number. */
static int split_words(char **list, char *text)
{
    char *rest = NULL;
    int count = 0;

    for (char *word = strtok_r(text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest))
        list[count++] = word;
    return count;
}

/* What Open MPI needs to know. A variable that is set stays: a site may know better. */
static void set_variables(void)
{
    if (geteuid() == 0) { /* in a container, where it means nothing */
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
    }
    /* The sandbox forbids to read another process's memory. */
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    /* Fragments of a message under way, 3 by default: ranks that exchange gradients
     * during a backward pass look after their messages now and then only. */
    setenv("OMPI_MCA_pml_ob1_send_pipeline_depth", "256", 0);
}

/* What starts the ranks: as many words as the site needs. */
static const char *launcher_line(void)
{
    const char *asked = getenv("HRMLAB_LAUNCHER");

    return asked != NULL && asked[strspn(asked, " ")] != '\0'
               ? asked
               : "mpirun --bind-to none --oversubscribe";
}

/* Replaces this process. Returns only on failure. */
static int execute_launcher(const struct rank_launch *launch, struct error *err)
{
    char number[16], self[PATH_MAX] = "", *text = strdup(launcher_line());
    char *const own[] = { (char[]){ "-n" }, number, self, (char[]){ "rank" },
                          (char *)(uintptr_t)launch->directory };
    enum { OWN = sizeof own / sizeof *own };
    /* every second byte begins a word, at most; and a NULL */
    char **words = text != NULL ? calloc(strlen(text) / 2 + OWN + 2, sizeof *words) : NULL;
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    int rc = 0;

    if (!mpi_exchange_is_built())
        rc = error_set(err, ERROR_ENVIRONMENT, "resources.ranks is %d, but " MPI_EXCHANGE_HOW,
                       launch->ranks);
    else if (length < 0)
        rc = error_set(err, ERROR_ENVIRONMENT, "/proc/self/exe: %s", strerror(errno));
    else if (words == NULL)
        rc = error_no_memory(err, "the words of the launcher");
    if (rc == 0) {
        snprintf(number, sizeof number, "%d", launch->ranks);
        memcpy(words + split_words(words, text), own, sizeof own);
        set_variables();
        /* until the launcher passes it on to the ranks */
        signal(SIGUSR1, SIG_IGN);
        execvp(words[0], words);
        rc = error_set(err, ERROR_ENVIRONMENT,
                       "cannot start the %d ranks: %s: %s (Debian: openmpi-bin; "
                       "HRMLAB_LAUNCHER names another launcher, such as \"srun --mpi=pmix\")",
                       launch->ranks, words[0], strerror(errno));
    }
    free(words);
    free(text);
    return rc;
}

/* Writes the failure to the journal, as a worker would. */
static void report_failure(const char *directory, const struct error *failure)
{
    const struct report_end end = { .status = OUTCOME_FAILED };
    struct report report;
    struct error err;
    char *path = file_join(directory, "journal.jsonl");
    int rc = path == NULL ? error_no_memory(&err, "a path") : report_open(&report, path, &err);

    if (rc == 0) {
        rc = report_error(&report, OUTCOME_ENVIRONMENT, failure->message, &err);
        if (rc == 0)
            rc = report_end(&report, &end, &err);
        report_close(&report);
    }
    if (rc < 0)
        log_error("%s", err.message);
    free(path);
}

int rank_launch(void *launch)
{
    const struct rank_launch *request = launch;
    struct error err;

    if (execute_launcher(request, &err) < 0) {
        log_error("%s", err.message);
        report_failure(request->directory, &err);
    }
    return EXIT_ENVIRONMENT;
}

/* ---- The process of a rank. ---- */

/* The number that the launcher has given this process; -1: none. */
static int number_of_rank(void)
{
    static const char *const NAMES[] = { "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                                         "SLURM_PROCID" };

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *text = getenv(NAMES[i]);
        char *end;
        long number = text != NULL ? strtol(text, &end, 10) : -1;

        if (text != NULL && end != text && *end == '\0' && number >= 0 && number < INT_MAX)
            return (int)number;
    }
    return -1;
}

static int work(const char *directory, const struct blas_environment *environment)
{
    struct execute_request request = { .directory = directory, .environment = environment };
    struct exchange exchange;
    struct error err;
    int rc = mpi_exchange_open(&exchange, &err), code = 0;

    if (rc == 0 && exchange.rank == 0) {
        request.exchange = &exchange;
        code = execute_job(&request);
    } else if (rc == 0) {
        rc = rank_serve(&exchange, &err);
    }
    if (rc < 0) {
        log_error("%s", err.message);
        return error_exit_code((enum error_code)rc);
    }
    mpi_exchange_close();
    return code;
}

/* Notes which rank was lost, unless another was before. */
static void note_lost(const char *directory, int rank, int signal_number)
{
    char *path = file_join(directory, KEEPER_LOST_FILE), text[40];
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    int length = snprintf(text, sizeof text, "%d %d\n", rank, signal_number);

    if (fd >= 0) {
        if (write(fd, text, (size_t)length) != length)
            log_warning("cannot write %s: %s", path, strerror(errno));
        close(fd);
    }
    free(path);
}

/* Waits for the child. *signals: those that are blocked. */
static int wait_for(pid_t child, const sigset_t *signals, int rank)
{
    bool asked = rank > 0; /* the others stop when rank 0 does */
    int status = 0;

    while (waitpid(child, &status, WNOHANG) != child) {
        int number = sigwaitinfo(signals, NULL);

        if (number > 0 && number != SIGCHLD && !asked) {
            kill(child, SIGTERM);
            asked = true;
        }
    }
    return status;
}

int rank_process_run(int *exit_code, const char *directory,
                     const struct blas_environment *environment, struct error *err)
{
    static const int SIGNALS[] = { SIGTERM, SIGINT, SIGUSR1, SIGCHLD };
    int rank = number_of_rank();
    pid_t own = getpid(), launcher = getppid();
    sigset_t signals;

    if (!mpi_exchange_is_built())
        return error_set(err, ERROR_ENVIRONMENT, MPI_EXCHANGE_HOW);
    if (rank < 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "rank: no launcher has started this process; hrmlab does that "
                         "(resources.ranks)");
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        sigaddset(&signals, SIGNALS[i]);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no rank outlives its launcher */
    if (getppid() != launcher)
        return error_set(err, ERROR_ENVIRONMENT, "the launcher has ended");
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return error_set(err, ERROR_SPAWN, "cannot start rank %d: fork: %s", rank,
                         strerror(errno));
    if (child == 0) {
        keeper_become_worker(own, &signals);
        exit(work(directory, environment));
    }
    int status = wait_for(child, &signals, rank);
    if (WIFSIGNALED(status))
        note_lost(directory, rank, WTERMSIG(status));
    *exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}
