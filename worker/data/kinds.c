/* kinds.c - the table of data kinds: a line for each. */
#include "kinds.h"

#include "kind_arc.h"
#include "kind_built.h"
#include "kind_maze.h"
#include "kind_sudoku.h"

#include <stddef.h>

/* The first kind that recognises a path is used. Mazes come before Sudoku, which
 * accepts every CSV file. The last kind accepts every path. */
static const struct data_kind *const KINDS[] = { &KIND_BUILT, &KIND_MAZE, &KIND_SUDOKU,
                                                 &KIND_ARC };

const struct data_kind *data_kind_find(const char *path)
{
    size_t i = 0;

    while (i + 1 < sizeof KINDS / sizeof *KINDS && !KINDS[i]->recognises(path))
        i++;
    return KINDS[i];
}
