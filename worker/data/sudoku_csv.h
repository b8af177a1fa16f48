/*
 * sudoku_csv.h - Sudoku puzzles from CSV files, as the public Sudoku-Extreme set has
 * them.
 *
 * Columns: source, question, answer, rating; a header line with these names may stand
 * first, in any order, and source and rating may be absent then. Question and answer
 * have one character a cell, row by row: 81 (9 x 9), 36 (6 x 6) or 16 (4 x 4), a digit,
 * or in questions "." or "0" for a blank cell. The rating is the number of backtracks
 * of the publishers' solver.
 */
#ifndef WORKER_SUDOKU_CSV_H
#define WORKER_SUDOKU_CSV_H

#include "boards.h"

/*
 * Appends the puzzles of a file whose rating is at least min_rating. boards->side is
 * taken from the first puzzle if it is 0, and all must have it. Every answer must be a
 * full valid board that agrees with its question. *easier, *read: puzzles below
 * min_rating, puzzles in all. ERROR_FORMAT names file, row, column and what was
 * expected.
 */
int sudoku_csv_read(struct boards *boards, const char *path, double min_rating, int *easier,
                    int *read, struct error *err) MUST_CHECK;

#endif
