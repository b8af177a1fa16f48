/*
 * data_command.h - `hrmlab-worker data build|show|check`: puzzles as files, on screen,
 * checked.
 */
#ifndef WORKER_DATA_COMMAND_H
#define WORKER_DATA_COMMAND_H

#include "error.h"

/* argv[0] is build, show or check. Prints to stdout. 0 or a negative error_code. */
int data_command(int argc, char **argv, struct error *err) MUST_CHECK;

#endif
