/* runner_main.c - hrmlab: finds the command, maps its error to the documented exit
 * code. */
#include "error.h"
#include "exit_code.h"
#include "file.h"
#include "json.h"
#include "log.h"
#include "options.h"

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

static const struct command {
    const char *name, *arguments, *meaning;
    int least, most; /* positional arguments */
    command_fn *run;
} COMMANDS[] = {
    { "run", "SPEC", "queue a spec and work until it is done", 1, 1, command_run },
    { "queue", "SPEC...", "queue specs for a runner to work on", 1, 1000, command_queue },
    { "work", "", "work until the queue is empty; takes over what is still running", 0, 0,
      command_work },
    { "plan", "SPEC", "what would run, what is there already and why, the cost", 1, 1,
      command_plan },
    { "status", "", "how far every experiment is", 0, 0, command_status },
    { "results", "[EXPERIMENT]", "the table of arms: means, spread, seeds", 0, 1,
      command_results },
    { "compare", "[EXPERIMENT] [ARM ARM]",
      "differences with intervals: --axis KEY, two arms, or --matrix", 0, 3, command_compare },
    { "show", "RUN", "everything about a run, by the beginning of its hash", 1, 1,
      command_show },
    { "logs", "RUN", "the worker's log of a run's last attempt (--follow)", 1, 1,
      command_logs },
    { "cancel", "TARGET", "stop jobs of an experiment, a run, or all", 1, 1, command_cancel },
    { "retry", "TARGET", "queue failed, cancelled or quarantined jobs again", 1, 1,
      command_retry },
    { "verify", "RUN", "train a run again from scratch and compare it bit for bit", 1, 1,
      command_verify },
    { "rebuild", "", "a new database from the workspace's specs and journals", 0, 0,
      command_rebuild },
    { "remove", "EXPERIMENT", "take an experiment out; its runs are left to gc", 1, 1,
      command_remove },
    { "gc", "", "what nobody needs, in bytes by reason; with --force, delete it", 0, 0,
      command_gc },
    { "axes", "[schema]", "every setting: bounds, default, meaning", 0, 1, command_axes },
    { "doctor", "", "this machine, its libraries, the workspace", 0, 0, command_doctor },
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static void print_help(const struct command *only)
{
    printf("usage: hrmlab COMMAND [options]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (only == NULL || only == &COMMANDS[i])
            printf("  %-8s %-22s %s\n", COMMANDS[i].name, COMMANDS[i].arguments,
                   COMMANDS[i].meaning);
    printf(
        "\n"
        "  --workspace DIR      where everything is kept (HRMLAB_WORKSPACE, "
        "./hrmlab-workspace)\n"
        "  --set KEY=VALUE      override a setting of the spec; an axis shrinks to the value\n"
        "  --where KEY=VALUE    only such arms (also != < <= > >=)\n"
        "  --format F           table, json, csv or markdown\n"
        "  --metric M           pass_at_1 ... pass_at_1000, per_token_accuracy, "
        "exact_accuracy\n"
        "  --axis KEY, --matrix what compare compares\n"
        "  --jobs N             threads at once (default: one per core)\n"
        "  --max-fails N        start nothing more after N failed jobs; --keep-going: never "
        "stop\n"
        "  --dry-run, --quiet, --follow, --all, --color auto|always|never, --version\n\n"
        "exit: 0 done, 1 some runs failed, 2 usage or bad input, 3 environment, 130 "
        "interrupted\n"
        "(state safe)\n");
}

static const struct command *find_command(const char *name, struct error *err)
{
    const char *names[COMMAND_COUNT];

    for (int i = 0; i < COMMAND_COUNT; i++) {
        names[i] = COMMANDS[i].name;
        if (strcmp(name, names[i]) == 0)
            return &COMMANDS[i];
    }
    const char *nearest = json_nearest_name(name, names, COMMAND_COUNT);
    error_set(err, ERROR_FORMAT, "unknown command \"%.60s\"%s%s%s", name,
              nearest != NULL ? "; did you mean \"" : "; see hrmlab --help",
              nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    return NULL;
}

/* hrmlab-worker beside this program, or what HRMLAB_WORKER names. Fresh. */
static char *find_worker(void)
{
    char self[4096];
    const char *named = getenv("HRMLAB_WORKER");

    if (named != NULL && named[0] != '\0') {
        char *absolute = realpath(named, NULL);
        return absolute != NULL ? absolute : strdup(named);
    }
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return strdup("hrmlab-worker");
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    return format_string("%.*s/hrmlab-worker", (int)(slash - self), self);
}

/* --set changes a spec, or how jobs are executed. */
static bool takes_settings(const struct command *command)
{
    return command->run == command_run || command->run == command_queue ||
           command->run == command_plan || command->run == command_retry;
}

static int run_command(struct options *options, const struct command *command, int *exit_code,
                       struct error *err)
{
    if (options->help) {
        print_help(command);
        return 0;
    }
    if (options->argument_count < command->least || options->argument_count > command->most)
        return error_set(err, ERROR_FORMAT, "usage: hrmlab %s %s [options]; see hrmlab --help",
                         command->name, command->arguments);
    if (options->set_count > 0 && !takes_settings(command))
        return error_set(err, ERROR_FORMAT,
                         "hrmlab %s: --set is for run, queue, plan and retry; --where chooses "
                         "among results",
                         command->name);
    if (options->force && command->run != command_gc)
        return error_set(err, ERROR_FORMAT, "hrmlab %s: --force is for gc", command->name);
    if (options->dry_run && command->run != command_run && command->run != command_gc)
        return error_set(
            err, ERROR_FORMAT,
            "hrmlab %s: --dry-run is for run; hrmlab plan SPEC says what a spec needs",
            command->name);
    return command->run(options, exit_code, err);
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = { 0 };
    int exit_code = 0;

    setlocale(LC_CTYPE, "C.UTF-8"); /* for column widths; numbers stay plain */
    signal(SIGPIPE, SIG_IGN);
    /* Workers must not inherit the caller's descriptors. They stay open in this
     * process, for <(...) of a shell. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    log_setup("hrmlab", LOG_INFO);
    int rc = options_read(&options, argc, argv, &err);
    if (rc < 0) {
        log_error("%s", err.message);
        return error_exit_code((enum error_code)rc);
    }
    char *worker = find_worker();
    options.worker_program = worker;
    const struct command *command = NULL;
    if (options.version) {
        printf("hrmlab %s (%s)\n", HRMLAB_VERSION, HRMLAB_COMMIT);
    } else if (options.command == NULL || strcmp(options.command, "help") == 0) {
        print_help(NULL);
        exit_code = options.help || options.command != NULL ? EXIT_DONE : EXIT_BAD_INPUT;
    } else {
        command = find_command(options.command, &err);
        rc = command == NULL ? ERROR_FORMAT : run_command(&options, command, &exit_code, &err);
    }
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
    return exit_code;
}
