/*
 * sudoku.h - generates Sudoku puzzles with a single solution, of side 4, 6 or 9.
 *
 * Boxes are 2 x 2, 2 rows x 3 columns, 3 x 3. Cells are row-major, 0 is blank.
 */
#ifndef WORKER_SUDOKU_H
#define WORKER_SUDOKU_H

#include "error.h"
#include "random.h"

#include <stdbool.h>

enum { SUDOKU_MAX_SIDE = 9, SUDOKU_MAX_CELLS = 81 };

struct sudoku {
    int side;
    uint8_t question[SUDOKU_MAX_CELLS], answer[SUDOKU_MAX_CELLS];
    int backtracks; /* wrong guesses of the solver below: the difficulty */
};

/* What a puzzle is to be like. */
struct sudoku_wish {
    int side;
    int givens;         /* cells are removed down to this number at most; 0: no bound */
    int min_backtracks; /* least difficulty */
    int max_backtracks; /* greatest difficulty; 0: no bound */
};

/*
 * Draws a puzzle: a random solved grid from which cells are removed in random order
 * while the solution stays unique, until none can be removed. ERROR_FORMAT if a bounded
 * number of tries finds no puzzle with a number of backtracks in the range.
 */
int sudoku_make(struct sudoku *out, const struct sudoku_wish *wish,
                struct random_stream *stream, struct error *err) MUST_CHECK;

/*
 * Counts solutions up to limit. The solver fills the blank with the fewest candidates
 * (the first of these), digits in ascending order. *backtracks (may be NULL) is the
 * number of digits tried in vain before the first solution.
 */
int sudoku_count_solutions(const uint8_t *cells, int side, int limit, int *backtracks);

/* Rows and columns of a box. */
void sudoku_boxes(int side, int *rows, int *columns);

/* Whether every row, column and box holds every digit. Cells must be 0 to side. */
bool sudoku_is_solved(const uint8_t *cells, int side);

/* A shuffle keeps a puzzle valid: transpose (not for side 6, whose boxes are not
 * square), then new[i][j] = map[x[row[i]][column[j]]]. */
struct sudoku_shuffle {
    bool transpose;
    uint8_t row[SUDOKU_MAX_SIDE], column[SUDOKU_MAX_SIDE];
    uint8_t map[SUDOKU_MAX_SIDE + 1]; /* map[0] = 0 */
};
void sudoku_shuffle_draw(struct sudoku_shuffle *out, int side, struct random_stream *stream);
void sudoku_shuffle_apply(uint8_t *out, const uint8_t *in, int side,
                          const struct sudoku_shuffle *shuffle);

#endif
