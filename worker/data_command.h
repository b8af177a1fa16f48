/*
 * data_command.h - `hrmlab-worker data build|show|check|order`: the table of
 * subcommands that read data without training, and their common arguments.
 *
 * A subcommand is a file data_NAME.c with one function, and a line in the table.
 */
#ifndef WORKER_DATA_COMMAND_H
#define WORKER_DATA_COMMAND_H

#include "error.h"
#include "settings.h"

/* The arguments of a subcommand. Texts are borrowed from the command line; NULL: not
 * given. */
struct data_request {
    struct config config; /* resolved */
    const char *output;   /* --output: the directory or file to write */
    const char *layout;   /* --layout: format of the output */
    const char *svg;      /* --svg: the SVG file to write */
    const char *color;    /* --color: auto, always or never */
    const char *progress; /* --progress: auto or never */
    char **names;         /* of tasks */
    int name_count;
};

/* Prints to stdout. */
typedef int data_command_fn(const struct data_request *request, struct error *err);

data_command_fn data_build, data_show, data_check, data_order;

/*
 * argv: a subcommand, then in any order --output, --layout, --svg, --color and
 * --progress with their values, and KEY=VALUE settings; then, behind "--", names of
 * tasks. Confines the process first (sandbox.h):
 * it writes below --output, or beside --svg, and nowhere else. 0 or a negative
 * error_code.
 */
int data_command(int argc, char **argv, struct error *err) MUST_CHECK;

#endif
