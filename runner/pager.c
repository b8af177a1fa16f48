/* pager.c - a shell with the pager behind standard output. */
#include "pager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "table.h"

/* Whether a directory of PATH has the program. */
static bool is_installed(const char *program)
{
    const char *path = getenv("PATH");
    char file[4096];

    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        int size = snprintf(file, sizeof file, "%.*s/%s", (int)length, path, program);

        if (size > 0 && (size_t)size < sizeof file && access(file, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

static const char *pager_command(void)
{
    const char *own = getenv("HRMLAB_PAGER"), *common = getenv("PAGER"),
               *terminal = getenv("TERM");
    /* On a dumb one less waits for a key before it shows anything. */
    bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    const char *command = own != NULL                     ? own
                          : common != NULL                ? common
                          : !dumb && is_installed("less") ? "less -FRX"
                                                          : "";

    return command[0] != '\0' && strcmp(command, "cat") != 0 ? command : NULL;
}

/* In the child: reads from the pipe. */
static void become_pager(const char *command, const int ends[2])
{
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

void pager_start(struct pager *pager, struct options *options)
{
    const char *command = pager_command();
    int width = table_terminal_width(stdout), ends[2];

    pager->pid = 0;
    if (width <= 0 || command == NULL || !format_is_for_people(options->format))
        return;
    if (pipe(ends) != 0)
        return;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        become_pager(command, ends);
    if (pid > 0) {
        dup2(ends[1], STDOUT_FILENO);
        table_assume_width(width);
        if (options->color == COLOR_AUTO)
            options->color = COLOR_ALWAYS;
        signal(SIGINT, SIG_IGN); /* Ctrl-C is the pager's */
        pager->pid = pid;
    }
    close(ends[0]);
    close(ends[1]);
}

void pager_finish(struct pager *pager)
{
    if (pager->pid == 0)
        return;
    fflush(stdout); /* fails if the pager was left early, which is no error */
    clearerr(stdout);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        close(nowhere);
    } else {
        close(STDOUT_FILENO);
    }
    while (waitpid(pager->pid, NULL, 0) < 0)
        continue;
    pager->pid = 0;
}
