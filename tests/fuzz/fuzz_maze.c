/*
 * fuzz_maze.c - mazes from a CSV file.
 */
#include "fuzz.h"

#include "error.h"
#include "maze.h"
#include "maze_csv.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boards boards = { 0 };
    struct error err = { 0 };
    struct grid question, answer;
    char path[200];
    int easier, read;

    snprintf(path, sizeof path, "%s/input.csv", fuzz_directory("input.csv", data, size));
    int rc = board_csv_read(&boards, path, 1, maze_csv_parse, &easier, &read, &err);
    fuzz_expect_message(rc, &err);
    for (int i = 0; i < boards.count; i++) {
        boards_get(&boards, i, &question, &answer);
        for (int c = 0; c < boards.side * boards.side; c++)
            if (question.cells[c] >= MAZE_PATH || answer.cells[c] > MAZE_PATH)
                abort();
        maze_path_is_shortest(question.cells, answer.cells, boards.side);
        if (maze_path_gap(question.cells, answer.cells, boards.side) >= 0)
            abort();
    }
    boards_release(&boards);
    return 0;
}
