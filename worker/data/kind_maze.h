/*
 * kind_maze.h - mazes, generated or from CSV files.
 */
#ifndef WORKER_KIND_MAZE_H
#define WORKER_KIND_MAZE_H

#include "kind.h"

extern const struct data_kind KIND_MAZE;

#endif
