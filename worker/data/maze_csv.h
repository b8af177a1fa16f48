/*
 * maze_csv.h - mazes from a CSV file of the public form.
 *
 * Question and answer have side * side characters, row by row: # wall, space, S, G, and
 * in the answer o for the path. Spaces are data.
 */
#ifndef WORKER_MAZE_CSV_H
#define WORKER_MAZE_CSV_H

#include "board_csv.h"

board_parse_fn maze_csv_parse;

/* *is: the first puzzle of the file has walls, or a start and a goal: no other board
 * has. False when it cannot be read. The only error is ERROR_NOMEM. */
int maze_csv_recognises(bool *is, const char *path, struct error *err) MUST_CHECK;

#endif
