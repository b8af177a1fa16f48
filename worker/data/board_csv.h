/*
 * board_csv.h - CSV files of boards: the columns source, question, answer and rating, a
 * header with these names, in any order, or none.
 */
#ifndef WORKER_BOARD_CSV_H
#define WORKER_BOARD_CSV_H

#include "boards.h"
#include "csv.h"

enum { BOARD_MAX_CELLS = GRID_MAX_CELLS };

struct board_csv {
    struct csv csv;
    struct csv_row row;
    int columns[3]; /* of question, answer, rating; -1: the file has none */
    bool blank;     /* whether the last row was blank */
    /* of the current row; the rating is 0 if the file has none */
    struct csv_field question, answer;
    double rating;
};

/* path must live as long as the reader. */
int board_csv_open(struct board_csv *out, const char *path, struct error *err) MUST_CHECK;
void board_csv_close(struct board_csv *reader);

/* Reads the next row with a board. Returns 1, 0 at the end of the file, or an error
 * that names file and row. */
int board_csv_next(struct board_csv *reader, struct error *err) MUST_CHECK;

/* Returns ERROR_FORMAT with the message "FILE: row N, column COLUMN: WHAT". */
int board_csv_fault(const struct board_csv *reader, const char *column, const char *what,
                    struct error *err) MUST_CHECK;

/*
 * What a kind makes of a row: side * side cells of each field. *side is 0 for the first
 * row, which sets it; later ones must have it, too.
 */
typedef int board_parse_fn(uint8_t *question, uint8_t *answer, int *side,
                           const struct board_csv *row, struct error *err);

/*
 * Adds the boards of a file that have min_rating or more.
 *   *easier  rows with a lower rating
 *   *read    all rows
 * ERROR_FORMAT names file, row and column.
 */
int board_csv_read(struct boards *boards, const char *path, double min_rating,
                   board_parse_fn *parse, int *easier, int *read, struct error *err) MUST_CHECK;

#endif
