/*
 * fuzz_csv.c - Sudoku puzzles from a CSV file.
 */
#include "fuzz.h"

#include "error.h"
#include "sudoku.h"
#include "sudoku_csv.h"

#include <stdio.h>
#include <stdlib.h>

/* What is taken is a solved board and a question that agrees with it. */
static void check(const struct boards *boards)
{
    struct grid question, answer;

    for (int i = 0; i < boards->count; i++) {
        boards_get(boards, i, &question, &answer);
        if (!sudoku_is_solved(answer.cells, boards->side) ||
            sudoku_count_solutions(answer.cells, boards->side, 2, NULL) != 1)
            abort();
        for (int c = 0; c < boards->side * boards->side; c++)
            if (question.cells[c] != 0 && question.cells[c] != answer.cells[c])
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boards boards = { 0 };
    struct error err = { 0 };
    char path[200];
    int easier, read;

    snprintf(path, sizeof path, "%s/input.csv", fuzz_directory("input.csv", data, size));
    int rc = board_csv_read(&boards, path, 1, sudoku_csv_parse, &easier, &read, &err);
    fuzz_expect_message(rc, &err);
    check(&boards);
    boards_release(&boards);
    return 0;
}
