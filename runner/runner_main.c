/* runner_main.c - hrmlab: runs the command and exits with the code of its error. */
#include "commands.h"
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "log.h"
#include "options.h"
#include "pager.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HRMLAB_VERSION
#define HRMLAB_VERSION "unknown"
#endif
#ifndef HRMLAB_COMMIT
#define HRMLAB_COMMIT "unknown"
#endif

/* A program of this house: the one that the variable names, or name beside this
 * program. Newly allocated. */
static char *find_program(const char *variable, const char *name)
{
    char self[4096];
    const char *named = getenv(variable);

    if (named != NULL && named[0] != '\0') {
        char *absolute = realpath(named, NULL);
        return absolute != NULL ? absolute : strdup(named);
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return strdup(name);
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    return format_string("%.*s/%s", (int)(slash - self), self, name);
}

static int run_command(const struct command *command, struct options *options, int *exit_code,
                       struct error *err)
{
    struct pager pager = { 0 };

    if ((command->options & COMMAND_PAGES) != 0)
        pager_start(&pager, options);
    int rc = command->run(options, exit_code, err);
    pager_finish(&pager);
    return rc;
}

/* Runs the command of the command line. */
static int run(struct options *options, int *exit_code, struct error *err)
{
    const struct command *command;
    int rc = commands_check(&command, options, err);

    if (rc < 0)
        return rc;
    if (options->version)
        printf("hrmlab %s (%s)\n", HRMLAB_VERSION, HRMLAB_COMMIT);
    else if (command != NULL && !options->help)
        return run_command(command, options, exit_code, err);
    else
        commands_print_help(command, stdout);
    if (options->command == NULL && !options->help && !options->version)
        *exit_code = EXIT_BAD_INPUT;
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = { 0 };
    struct error err = { 0 };
    int exit_code = 0;

    /* for the width of text in columns; numbers keep the C format */
    setlocale(LC_CTYPE, "C.UTF-8");
    signal(SIGPIPE, SIG_IGN);
    /* Workers must not inherit the caller's descriptors. In this process they stay
     * open, because <(...) of a shell refers to them. */
    file_close_on_exec(3);
    log_setup("hrmlab", LOG_INFO);
    int rc = file_require_descriptors(&err);
    if (rc == 0)
        rc = options_read(&options, argc, argv, &err);
    if (rc != 0) {
        log_error("%s", err.message);
        return error_exit_code((enum error_code)rc);
    }
    char *worker = find_program("HRMLAB_WORKER", "hrmlab-worker");
    char *serve = find_program("HRMLAB_SERVE", "hrmlab-serve");
    options.worker_program = worker;
    options.serve_program = serve;
    options.commands = COMMANDS;
    if (options.quiet)
        log_setup("hrmlab", LOG_WARNING);
    rc = worker == NULL || serve == NULL ? error_no_memory(&err, "names of programs")
                                         : run(&options, &exit_code, &err);
    if (rc < 0) {
        log_error("%s", err.message);
        exit_code = error_exit_code((enum error_code)rc);
    }
    if (fflush(stdout) != 0 && exit_code == 0) {
        log_error("standard output cannot be written");
        exit_code = EXIT_ENVIRONMENT;
    }
    options_release(&options);
    free(worker);
    free(serve);
    return exit_code;
}
