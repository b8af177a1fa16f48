/*
 * commands.h - the table of commands: their names, arguments and functions. The
 * parser, the help, the suggestions and (checked by a test) the man page follow it. A
 * new command is an entry here and a function in runner/command/.
 */
#ifndef RUNNER_COMMANDS_H
#define RUNNER_COMMANDS_H

#include "error.h"
#include "options.h"

#include <stdio.h>

struct command {
    const char *name;
    const char *arguments; /* positional ones, as the usage line shows them; "": none */
    const char *meaning;   /* one line, at most 46 columns */
    /* for its own help, in lines of at most 78 columns; NULL: none */
    const char *details;
    int least, most; /* positional arguments */
    /* OPTION_BITs that it accepts besides COMMAND_COMMON, COMMAND_PAGES, ... */
    uint64_t options;
    command_fn *run;
};

/* Options that every command accepts. */
#define COMMAND_COMMON                                                                         \
    (OPTION_BIT(OPTION_WORKSPACE) | OPTION_BIT(OPTION_QUIET) | OPTION_BIT(OPTION_COLOR) |      \
     OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

/* Among its options: what it prints may be long, and on a terminal a pager shows it. */
#define COMMAND_PAGES OPTION_BIT(63)

/* Among its options: it writes the format of event files (tensorboard). */
#define COMMAND_EVENTS OPTION_BIT(62)

/* In the order of the help; ended by a NULL name. */
extern const struct command COMMANDS[];

/* Finds the command in the options and checks its options and, without --help, the
 * number of its arguments. *out NULL and 0: no command is given. ERROR_FORMAT, with
 * a suggestion, for unknown words. A format of HRMLAB_FORMAT that the command lacks
 * becomes a table. */
int commands_check(const struct command **out, struct options *options,
                   struct error *err) MUST_CHECK;

/* Prints the help of one command, with only its options; NULL: all commands. At most
 * 80 columns wide. */
void commands_print_help(const struct command *command, FILE *out);
/* Prints the help of one command as a man page. */
void commands_print_man(const struct command *command, FILE *out);

#endif
