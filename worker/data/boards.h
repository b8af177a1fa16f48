/*
 * boards.h - many square boards with their answers, packed: a CSV file may hold
 * millions.
 *
 * A board is a question and an answer of side x side cells, each cell a value of 0 to
 * 15 (four bits). A 9 x 9 board takes 90 bytes, 3.8 million of them 340 MB.
 */
#ifndef WORKER_BOARDS_H
#define WORKER_BOARDS_H

#include "error.h"
#include "kind.h"

struct boards {
    int side;  /* of all; set before the first is added */
    int count; /* boards trained on, then boards tested on */
    int train; /* number of boards trained on */
    int capacity;
    uint8_t *cells; /* owned: (capacity, 2, boards_stride()): question, answer */
    /* owned: (capacity): number of the row in the file, or of the generated board */
    int32_t *number;
    int32_t *rating; /* owned: (capacity): difficulty, a whole number >= 0 */
    /* static: the board's name begins with it: trained on, tested on */
    const char *name[2];
};

/* Appends a board; cells are one byte each, row-major. */
int boards_add(struct boards *boards, const uint8_t *question, const uint8_t *answer,
               int32_t number, int32_t rating, struct error *err) MUST_CHECK;
void boards_release(struct boards *boards);

/* Question and answer of board number index, from 0. Either may be NULL. */
void boards_get(const struct boards *boards, int index, struct grid *question,
                struct grid *answer);

/* Reduces the boards to the count boards of the list (indices, each at most once),
 * in the list's order. */
int boards_keep(struct boards *boards, const int *list, int count,
                struct error *err) MUST_CHECK;

/*
 * Finds the boards trained on whose question is that of a board tested on. copy_of:
 * (boards->train) gets the index of that board, or -1. *tested: number of boards tested
 * on of which there is such a copy.
 */
int boards_find_copies(int32_t *copy_of, int *tested, const struct boards *boards,
                       struct error *err) MUST_CHECK;

/*
 * Functions of a kind (kind.h) whose content is such boards: a task of one pair each,
 * which fills its canvas; token 0 is PAD, a cell's token is 1 more than its value.
 */
void board_release(void *content);
void board_task(const void *content, int index, struct data_task *out);
void board_task_name(const void *content, int index, char out[DATA_NAME_SIZE]);
bool board_pair(const void *content, int index, int pair, struct grid *input,
                struct grid *output);
void board_tokens(int32_t *inputs, int32_t *labels, const struct grid *input,
                  const struct grid *output, int side, struct random_stream *stream);
int32_t board_rating(const void *content, int index);
/* The whole board; PAD, which is no cell, becomes 255. */
void board_answer(struct grid *out, const int32_t *predictions, int side);

#endif
