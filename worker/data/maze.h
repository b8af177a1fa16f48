/*
 * maze.h - square mazes with a start, a goal and the shortest path between them.
 *
 * Cells are row-major. A path goes from cell to cell above, below, left or right that
 * is no wall.
 */
#ifndef WORKER_MAZE_H
#define WORKER_MAZE_H

#include "error.h"
#include "grid.h"
#include "random.h"

enum {
    MAZE_WALL,
    MAZE_SPACE,
    MAZE_START,
    MAZE_GOAL,
    MAZE_PATH, /* in answers: a space on the path */
    MAZE_KINDS,
    MAZE_MIN_SIDE = 3,
    MAZE_MAX_SIDE = GRID_MAX_SIDE
};

extern const char MAZE_CHARACTERS[MAZE_KINDS + 1]; /* of the cells above: "# SGo" */

struct maze {
    int side;
    uint8_t question[GRID_MAX_CELLS], answer[GRID_MAX_CELLS];
    int steps; /* of the shortest path */
};

/*
 * Draws a maze of side 5 to 30. A random depth-first search on the odd rows and
 * columns makes one path between any two cells; then a share (open) of the walls
 * between neighbours is removed. The start is drawn at random, the goal from the cells
 * that have a single shortest path from the start, of at least min_path steps. A maze
 * of even side has two walls at the right and at the bottom. ERROR_FORMAT if a bounded
 * number of tries finds none.
 */
int maze_make(struct maze *out, int side, int min_path, double open,
              struct random_stream *stream, struct error *err) MUST_CHECK;

/* Whether the cells that answer marks as MAZE_PATH are exactly the cells of a
 * shortest path through question's maze, without its ends. Other cells of answer do
 * not matter. */
bool maze_path_is_shortest(const uint8_t *question, const uint8_t *answer, int side);

/*
 * The cell at which answer's path fails to join question's start and goal, whatever its
 * length: the goal, if no cells marked as MAZE_PATH lead to it, or else the first cell
 * so marked that is not connected with the start. -1: every marked cell is connected
 * and the goal is reached. question has a start and a goal.
 */
int maze_path_gap(const uint8_t *question, const uint8_t *answer, int side);

#endif
