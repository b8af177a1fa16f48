/*
 * sudoku_csv.h - Sudoku puzzles from a CSV file of the public form.
 *
 * Question and answer have 81, 36 or 16 digits, row by row; . or 0 in the question is a
 * blank cell. The answer is a solved board that agrees with the question.
 */
#ifndef WORKER_SUDOKU_CSV_H
#define WORKER_SUDOKU_CSV_H

#include "board_csv.h"

board_parse_fn sudoku_csv_parse;

#endif
