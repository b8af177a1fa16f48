/* data_command.c - parses the command line, enters the sandbox, calls the
 * subcommand. */
#include "data_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "log.h"
#include "sandbox.h"

static const char USAGE[] =
    "usage: hrmlab-worker data build|show|check|order [--output PATH] "
    "[--layout NAME] [--svg FILE] "
    "[--color WHEN] [--progress WHEN] [KEY=VALUE]... (such as data.path=DIR) [-- NAME...]";

static const struct {
    const char *name;
    data_command_fn *run;
    bool writes_directory;           /* --output is a directory, which is created */
    bool output, layout, svg, names; /* what it accepts */
} COMMANDS[] = {
    { "build", data_build, true, .output = true, .layout = true },
    { "show", data_show, false, .svg = true, .names = true },
    { "check", data_check, false, .output = false },
    { "order", data_order, false, .output = true },
};
enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static int set_value(struct config *config, const char *word, struct error *err)
{
    const char *equals = strchr(word, '=');
    char key[128];

    if ((size_t)(equals - word) >= sizeof key)
        return error_set(err, ERROR_FORMAT, "%.100s: expected KEY=VALUE", word);
    snprintf(key, sizeof key, "%.*s", (int)(equals - word), word);
    return config_set_text(config, key, equals + 1, "data", err);
}

/* The place of the option's value if word is an option, otherwise NULL. */
static const char **option_of(struct data_request *request, const char *word)
{
    if (strcmp(word, "--output") == 0)
        return &request->output;
    if (strcmp(word, "--layout") == 0)
        return &request->layout;
    if (strcmp(word, "--svg") == 0)
        return &request->svg;
    if (strcmp(word, "--progress") == 0)
        return &request->progress;
    return strcmp(word, "--color") == 0 ? &request->color : NULL;
}

/* Reads options, settings and, behind "--", names, which may look like either. */
static int read_words(struct data_request *request, int count, char **words, struct error *err)
{
    int rc = config_init(&request->config, err), i = 0;

    for (; i < count && rc == 0 && strcmp(words[i], "--") != 0; i++) {
        const char **option = option_of(request, words[i]);
        if (option != NULL && i + 1 < count)
            *option = words[++i];
        else if (option == NULL && strchr(words[i], '=') != NULL)
            rc = set_value(&request->config, words[i], err);
        else
            rc = error_set(err, ERROR_FORMAT, "%s", USAGE);
    }
    if (i < count) { /* at "--" */
        request->names = words + i + 1;
        request->name_count = count - i - 1;
    }
    if (rc == 0)
        rc = config_resolve(&request->config, "data", err);
    return rc;
}

/* Refuses options and names that the subcommand does not have. */
static int check_words(const struct data_request *request, int which, struct error *err)
{
    const char *name = COMMANDS[which].name;
    const char *option = request->output != NULL && !COMMANDS[which].output   ? "--output"
                         : request->layout != NULL && !COMMANDS[which].layout ? "--layout"
                         : request->svg != NULL && !COMMANDS[which].svg       ? "--svg"
                                                                              : NULL;

    if (option != NULL)
        return error_set(err, ERROR_FORMAT, "data %s has no option %s; %s", name, option,
                         strcmp(option, "--svg") == 0 ? "data show has it"
                         : strcmp(option, "--layout") == 0
                             ? "data build has it"
                             : "data build and data order have it");
    if (request->name_count > 0 && !COMMANDS[which].names)
        return error_set(err, ERROR_FORMAT,
                         "data %s %.60s: names of tasks are for data show; data.tasks chooses "
                         "tasks",
                         name, request->names[0]);
    return 0;
}

/* The folder of a file. Newly allocated; NULL: no memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL   ? strdup(".")
           : slash == path ? strdup("/")
                           : format_string("%.*s", (int)(slash - path), path);
}

/* Allows the process to write to the output that was asked for, and nowhere else. */
static int confine(const struct data_request *request, bool writes_directory, struct error *err)
{
    const char *written = request->output != NULL ? request->output : request->svg;
    bool whole = writes_directory && request->output != NULL;
    char *folder = written == NULL ? NULL : whole ? strdup(written) : folder_of(written);
    struct sandbox sandbox;
    int rc = written != NULL && folder == NULL ? error_no_memory(err, "a path") : 0;

    if (rc == 0 && whole)
        rc = file_make_directories(folder, err);
    if (rc == 0)
        sandbox_enter(&sandbox, folder);
    free(folder);
    return rc;
}

int data_command(int argc, char **argv, struct error *err)
{
    struct data_request request = { .color = "auto", .progress = "auto" };
    int which = 0;

    log_setup("hrmlab", LOG_INFO); /* users start this command as hrmlab */
    while (which < COMMAND_COUNT && (argc < 1 || strcmp(argv[0], COMMANDS[which].name) != 0))
        which++;
    if (which == COMMAND_COUNT)
        return error_set(err, ERROR_FORMAT, "%s", USAGE);
    int rc = read_words(&request, argc - 1, argv + 1, err);
    if (rc == 0)
        rc = check_words(&request, which, err);
    if (rc == 0)
        rc = confine(&request, COMMANDS[which].writes_directory, err);
    if (rc == 0)
        rc = COMMANDS[which].run(&request, err);
    config_release(&request.config);
    return rc;
}
