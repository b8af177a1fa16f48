/*
 * kind_sudoku.h - Sudoku, generated or from CSV files.
 */
#ifndef WORKER_KIND_SUDOKU_H
#define WORKER_KIND_SUDOKU_H

#include "kind.h"

extern const struct data_kind KIND_SUDOKU;

#endif
