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

int data_kind_find(const struct data_kind **out, const char *path, struct error *err)
{
    bool is = false;
    int rc = 0;

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS && !is && rc == 0; i++) {
        *out = KINDS[i];
        rc = KINDS[i]->recognises(&is, path, err);
    }
    return rc;
}
