/*
 * data_command.h - `hrmlab-worker data build|show|check|order`: the table of what can
 * be done with data apart from training, and what all of it is asked with.
 *
 * A subcommand is a file data_NAME.c with one function, and a line in the table.
 */
#ifndef WORKER_DATA_COMMAND_H
#define WORKER_DATA_COMMAND_H

#include "error.h"
#include "settings.h"

/* What a subcommand is asked; texts are borrowed from the command line, NULL where they
 * are not given. */
struct data_request {
    struct config config; /* resolved */
    const char *output;   /* --output: the directory or file that is written */
    const char *layout;   /* --layout: of what is written */
    const char *svg;      /* --svg: the file that is written */
    const char *color;    /* --color: auto, always or never */
    char **names;         /* words that are neither options nor settings */
    int name_count;
};

/* Prints to stdout. */
typedef int data_command_fn(const struct data_request *request, struct error *err);

data_command_fn data_build, data_show, data_check, data_order;

/*
 * argv: a subcommand, then in any order --output, --layout, --svg and --color with
 * their values, KEY=VALUE settings and names. Confines the process first (sandbox.h):
 * it writes below --output, or beside --svg, and nowhere else. 0 or a negative
 * error_code.
 */
int data_command(int argc, char **argv, struct error *err) MUST_CHECK;

#endif
