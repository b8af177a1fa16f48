/* maze.c - draws mazes and computes distances in them. */
#include "maze.h"

#include <assert.h>
#include <string.h>

enum { MAX_TRIES = 2000 };

const char MAZE_CHARACTERS[MAZE_KINDS + 1] = "# SGo";

/* Distances of all cells from one cell. */
struct distances {
    int steps[GRID_MAX_CELLS]; /* -1: unreachable */
    int ways[GRID_MAX_CELLS];  /* number of shortest paths to it; 2: more than one */
};

/* Lists the cells next to at, up to four. Returns how many. */
static int neighbours(int out[4], int at, int side)
{
    int r = at / side, c = at % side, count = 0;

    if (r > 0)
        out[count++] = at - side;
    if (r + 1 < side)
        out[count++] = at + side;
    if (c > 0)
        out[count++] = at - 1;
    if (c + 1 < side)
        out[count++] = at + 1;
    return count;
}

/* Computes distances. With drawn, only the spaces that drawn marks as MAZE_PATH are
 * entered; NULL: all spaces. */
static void measure(struct distances *out, const uint8_t *cells, const uint8_t *drawn, int side,
                    int from)
{
    int queue[GRID_MAX_CELLS], head = 0, tail = 0, beside[4];

    for (int i = 0; i < side * side; i++)
        out->steps[i] = -1;
    memset(out->ways, 0, sizeof out->ways);
    out->steps[from] = 0;
    out->ways[from] = 1;
    queue[tail++] = from;
    while (head < tail) {
        int at = queue[head++];
        for (int n = neighbours(beside, at, side); n > 0; n--) {
            int next = beside[n - 1];
            bool closed =
                cells[next] == MAZE_WALL ||
                (drawn != NULL && cells[next] == MAZE_SPACE && drawn[next] != MAZE_PATH);
            if (closed)
                continue;
            if (out->steps[next] < 0) {
                out->steps[next] = out->steps[at] + 1;
                queue[tail++] = next;
            }
            if (out->steps[next] == out->steps[at] + 1) {
                int ways = out->ways[next] + out->ways[at];
                out->ways[next] = ways > 2 ? 2 : ways;
            }
        }
    }
}

/* Carves a maze without loops into the odd rows and columns below odd; all other
 * cells are walls. */
static void carve(uint8_t *cells, int side, int odd, struct random_stream *stream)
{
    static const int STEPS[4][2] = { { -2, 0 }, { 2, 0 }, { 0, -2 }, { 0, 2 } };
    int stack[GRID_MAX_CELLS], depth = 0, rooms = odd / 2;
    int first = 1 + 2 * (int)random_below(stream, (uint64_t)rooms);

    memset(cells, MAZE_WALL, (size_t)(side * side));
    stack[depth++] = first * side + 1 + 2 * (int)random_below(stream, (uint64_t)rooms);
    cells[stack[0]] = MAZE_SPACE;
    while (depth > 0) {
        int at = stack[depth - 1], r = at / side, c = at % side, order[4] = { 0, 1, 2, 3 };
        bool dead_end = true;

        random_shuffle(stream, order, 4);
        for (int i = 0; i < 4 && dead_end; i++) {
            int to_r = r + STEPS[order[i]][0], to_c = c + STEPS[order[i]][1];
            if (to_r < 0 || to_c < 0 || to_r >= odd || to_c >= odd ||
                cells[to_r * side + to_c] != MAZE_WALL)
                continue;
            cells[(r + to_r) / 2 * side + (c + to_c) / 2] = MAZE_SPACE;
            cells[to_r * side + to_c] = MAZE_SPACE;
            stack[depth++] = to_r * side + to_c;
            dead_end = false;
        }
        if (dead_end)
            depth--;
    }
}

/* Removes a random share of the remaining walls between two neighbouring rooms. */
static void open_walls(uint8_t *cells, int side, int odd, double share,
                       struct random_stream *stream)
{
    int walls[GRID_MAX_CELLS], count = 0;

    for (int r = 1; r < odd - 1; r++)
        for (int c = 1; c < odd - 1; c++)
            if ((r + c) % 2 == 1 && cells[r * side + c] == MAZE_WALL)
                walls[count++] = r * side + c;
    random_shuffle(stream, walls, count);
    for (int i = 0; i < (int)(share * count + 0.5); i++)
        cells[walls[i]] = MAZE_SPACE;
}

static int farthest(const struct distances *distances, int cells)
{
    int best = 0;

    for (int i = 1; i < cells; i++)
        if (distances->steps[i] > distances->steps[best])
            best = i;
    return best;
}

/* Whether a long enough path exists, judged by the cell farthest from the cell
 * farthest from first. In a maze with loops this may miss a longer path, but seldom
 * does. */
static bool is_long_enough(struct distances *room, const uint8_t *cells, int side, int first,
                           int min_path)
{
    measure(room, cells, NULL, side, first);
    measure(room, cells, NULL, side, farthest(room, side * side));
    return room->steps[farthest(room, side * side)] >= min_path;
}

/* Draws start and goal; false if no two cells qualify. */
static bool choose_ends(int *start, int *goal, struct distances *distances,
                        const uint8_t *cells, int side, int min_path,
                        struct random_stream *stream)
{
    int spaces[GRID_MAX_CELLS], goals[GRID_MAX_CELLS], count = 0, found = 0;

    for (int i = 0; i < side * side; i++)
        if (cells[i] == MAZE_SPACE)
            spaces[count++] = i;
    random_shuffle(stream, spaces, count);
    if (!is_long_enough(distances, cells, side, spaces[0], min_path))
        return false;
    for (int s = 0; s < count && found == 0; s++) {
        *start = spaces[s];
        measure(distances, cells, NULL, side, *start);
        for (int i = 0; i < side * side; i++)
            if (distances->steps[i] >= min_path && distances->ways[i] == 1)
                goals[found++] = i;
    }
    if (found > 0)
        *goal = goals[random_below(stream, (uint64_t)found)];
    return found > 0;
}

/* The cell before at on the only shortest path to it. */
static int before(const struct distances *distances, int at, int side)
{
    int beside[4], count = neighbours(beside, at, side), found = at;

    for (int n = 0; n < count; n++)
        if (distances->steps[beside[n]] == distances->steps[at] - 1)
            found = beside[n];
    return found;
}

int maze_make(struct maze *out, int side, int min_path, double open,
              struct random_stream *stream, struct error *err)
{
    int odd = side - (side % 2 == 0), start = 0, goal = 0, tries = 0;
    struct distances distances;

    out->side = side;
    do {
        if (tries++ == MAX_TRIES)
            return error_set(err, ERROR_FORMAT,
                             "data.maze_min_path = %d: no path so long in %d mazes of side %d; "
                             "lower it, or raise data.maze_side",
                             min_path, MAX_TRIES, side);
        carve(out->question, side, odd, stream);
        open_walls(out->question, side, odd, open, stream);
    } while (!choose_ends(&start, &goal, &distances, out->question, side, min_path, stream));
    out->question[start] = MAZE_START;
    out->question[goal] = MAZE_GOAL;
    out->steps = distances.steps[goal];
    memcpy(out->answer, out->question, sizeof out->answer);
    for (int at = before(&distances, goal, side); at != start;
         at = before(&distances, at, side))
        out->answer[at] = MAZE_PATH;
    return 0;
}

/* The first cell of a kind; -1: there is none. */
static int find(const uint8_t *cells, int side, uint8_t kind)
{
    const uint8_t *at = memchr(cells, kind, (size_t)(side * side));

    return at == NULL ? -1 : (int)(at - cells);
}

bool maze_path_is_shortest(const uint8_t *question, const uint8_t *answer, int side)
{
    int start = find(question, side, MAZE_START), goal = find(question, side, MAZE_GOAL);
    struct distances all, drawn;
    int count = 0;

    if (start < 0 || goal < 0)
        return false;
    for (int i = 0; i < side * side; i++) {
        if (answer[i] != MAZE_PATH)
            continue;
        if (question[i] != MAZE_SPACE)
            return false;
        count++;
    }
    measure(&all, question, NULL, side, start);
    measure(&drawn, question, answer, side, start);
    return all.steps[goal] > 0 && drawn.steps[goal] == all.steps[goal] &&
           count == all.steps[goal] - 1;
}

int maze_path_gap(const uint8_t *question, const uint8_t *answer, int side)
{
    int start = find(question, side, MAZE_START), goal = find(question, side, MAZE_GOAL);
    struct distances drawn;

    assert(start >= 0 && goal >= 0);
    measure(&drawn, question, answer, side, start);
    if (drawn.steps[goal] < 0)
        return goal;
    for (int i = 0; i < side * side; i++)
        if (answer[i] == MAZE_PATH && drawn.steps[i] < 0)
            return i;
    return -1;
}
