/* worker_call.c - starts the worker and waits for it. */
#include "worker_call.h"

#include "error.h"
#include "exit_code.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The exit code of hrmlab for the worker's end. The worker has printed the message. */
static int exit_code_of(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGINT ? EXIT_STOPPED : EXIT_ENVIRONMENT;
    int code = WEXITSTATUS(status);
    return code <= EXIT_ENVIRONMENT || code == EXIT_STOPPED ? code : EXIT_ENVIRONMENT;
}

int worker_call(char *const *words, int *exit_code, struct error *err)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    int number = posix_spawn(&pid, words[0], NULL, NULL, words, environ);
    if (number != 0)
        return error_set(err, ERROR_SPAWN,
                         "start %s: %s; HRMLAB_WORKER names another hrmlab-worker", words[0],
                         strerror(number));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    *exit_code = exit_code_of(status);
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGINT)
        return error_set(err, ERROR_ENVIRONMENT, "%s %s ended by signal %d", words[0], words[1],
                         WTERMSIG(status));
    return 0;
}
