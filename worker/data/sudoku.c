/* sudoku.c - generates, solves and shuffles Sudoku. */
#include "sudoku.h"

#include "error.h"

#include <string.h>

enum { MAX_TRIES = 2000 };

struct solver {
    int side, box_rows, box_columns;
    uint8_t cells[SUDOKU_MAX_CELLS];
    uint16_t row[SUDOKU_MAX_SIDE], column[SUDOKU_MAX_SIDE],
        box[SUDOKU_MAX_SIDE]; /* digits used */
    int limit, found, backtracks;
    uint8_t first[SUDOKU_MAX_CELLS]; /* the first solution */
    struct random_stream *stream;    /* NULL: digits ascending; else in random order */
};

void sudoku_boxes(int side, int *rows, int *columns)
{
    *rows = side == 9 ? 3 : 2;
    *columns = side / *rows;
}

static void solver_shape(struct solver *s, int side)
{
    memset(s, 0, sizeof *s);
    s->side = side;
    sudoku_boxes(side, &s->box_rows, &s->box_columns);
}

static int box_of(const struct solver *s, int r, int c)
{
    return r / s->box_rows * (s->side / s->box_columns) + c / s->box_columns;
}

static void toggle(struct solver *s, int at, int digit)
{
    int r = at / s->side, c = at % s->side;
    uint16_t bit = (uint16_t)(1u << digit);

    s->row[r] ^= bit;
    s->column[c] ^= bit;
    s->box[box_of(s, r, c)] ^= bit;
}

static unsigned candidates(const struct solver *s, int at)
{
    int r = at / s->side, c = at % s->side;
    unsigned used = (unsigned)s->row[r] | s->column[c] | s->box[box_of(s, r, c)];

    return ~used & ((1u << (s->side + 1)) - 2u);
}

/* Loads a board into the solver. False if two givens contradict each other. */
static bool solver_load(struct solver *s, const uint8_t *cells)
{
    for (int at = 0; at < s->side * s->side; at++) {
        if (cells[at] == 0)
            continue;
        if (cells[at] > s->side || (candidates(s, at) & (1u << cells[at])) == 0)
            return false;
        s->cells[at] = cells[at];
        toggle(s, at, cells[at]);
    }
    return true;
}

/* Recursion depth is at most 81. */
static void solve(struct solver *s)
{
    int best = -1, fewest = SUDOKU_MAX_SIDE + 1, digits[SUDOKU_MAX_SIDE], count = 0;

    for (int at = 0; at < s->side * s->side && fewest > 1; at++) {
        if (s->cells[at] != 0)
            continue;
        int n = __builtin_popcount(candidates(s, at));
        if (n < fewest) {
            fewest = n;
            best = at;
        }
    }
    if (best < 0) {
        if (s->found++ == 0)
            memcpy(s->first, s->cells, sizeof s->first);
        return;
    }
    for (int digit = 1; digit <= s->side; digit++)
        if (candidates(s, best) & (1u << digit))
            digits[count++] = digit;
    if (s->stream != NULL)
        random_shuffle(s->stream, digits, count);
    for (int i = 0; i < count && s->found < s->limit; i++) {
        int before = s->found;
        s->cells[best] = (uint8_t)digits[i];
        toggle(s, best, digits[i]);
        solve(s);
        toggle(s, best, digits[i]);
        s->cells[best] = 0;
        s->backtracks += before == 0 && s->found == 0;
    }
}

int sudoku_count_solutions(const uint8_t *cells, int side, int limit, int *backtracks)
{
    struct solver s;

    solver_shape(&s, side);
    s.limit = limit;
    if (solver_load(&s, cells))
        solve(&s);
    if (backtracks != NULL)
        *backtracks = s.backtracks;
    return s.found;
}

/* Called for every row of files with millions of rows: it sets bits instead of
 * searching. */
bool sudoku_is_solved(const uint8_t *cells, int side)
{
    int box_rows, box_columns;
    unsigned all = (1u << (side + 1)) - 2u, columns[SUDOKU_MAX_SIDE] = { 0 };
    unsigned boxes[SUDOKU_MAX_SIDE] = { 0 }; /* of the band of boxes that r lies in */
    unsigned good = all;

    sudoku_boxes(side, &box_rows, &box_columns);
    for (int r = 0; r < side; r++) {
        unsigned row = 0;
        for (int box = 0, c = 0; c < side; box++)
            for (int i = 0; i < box_columns; i++, c++) {
                unsigned bit = 1u << cells[r * side + c];
                row |= bit;
                columns[c] |= bit;
                boxes[box] |= bit;
            }
        good &= row;
        for (int box = 0; (r + 1) % box_rows == 0 && box < side / box_columns; box++) {
            good &= boxes[box];
            boxes[box] = 0;
        }
    }
    for (int c = 0; c < side; c++)
        good &= columns[c];
    return good == all;
}

static void draw_one(struct sudoku *out, int side, int givens, struct random_stream *stream)
{
    struct solver s;
    int order[SUDOKU_MAX_CELLS], cells = side * side, left = cells;

    solver_shape(&s, side);
    s.limit = 1;
    s.stream = stream;
    solve(&s);
    memset(out, 0, sizeof *out);
    out->side = side;
    memcpy(out->answer, s.first, (size_t)cells);
    memcpy(out->question, s.first, (size_t)cells);
    for (int i = 0; i < cells; i++)
        order[i] = i;
    random_shuffle(stream, order, cells);
    for (int i = 0; i < cells && left > givens; i++) {
        uint8_t kept = out->question[order[i]];
        out->question[order[i]] = 0;
        left--;
        if (sudoku_count_solutions(out->question, side, 2, NULL) != 1) {
            out->question[order[i]] = kept;
            left++;
        }
    }
    sudoku_count_solutions(out->question, side, 1, &out->backtracks);
}

int sudoku_make(struct sudoku *out, const struct sudoku_wish *wish,
                struct random_stream *stream, struct error *err)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        draw_one(out, wish->side, wish->givens, stream);
        if (out->backtracks >= wish->min_backtracks &&
            (wish->max_backtracks == 0 || out->backtracks <= wish->max_backtracks))
            return 0;
    }
    return error_set(
        err, ERROR_FORMAT,
        "data.sudoku_min_backtracks = %d, data.sudoku_max_backtracks = %d: no such "
        "%d x %d puzzle in %d tries; widen them",
        wish->min_backtracks, wish->max_backtracks, wish->side, wish->side, MAX_TRIES);
}

/* Shuffles groups of lines of the given size, and the lines within each group. */
static void shuffle_lines(uint8_t *out, int groups, int size, struct random_stream *stream)
{
    int order[SUDOKU_MAX_SIDE], within[SUDOKU_MAX_SIDE], at = 0;

    for (int g = 0; g < groups; g++)
        order[g] = g;
    random_shuffle(stream, order, groups);
    for (int g = 0; g < groups; g++) {
        for (int i = 0; i < size; i++)
            within[i] = order[g] * size + i;
        random_shuffle(stream, within, size);
        for (int i = 0; i < size; i++)
            out[at++] = (uint8_t)within[i];
    }
}

void sudoku_shuffle_draw(struct sudoku_shuffle *out, int side, struct random_stream *stream)
{
    int box_rows, box_columns, digits[SUDOKU_MAX_SIDE];

    sudoku_boxes(side, &box_rows, &box_columns);
    memset(out, 0, sizeof *out);
    out->transpose = random_below(stream, 2) == 1 && box_rows == box_columns;
    shuffle_lines(out->row, side / box_rows, box_rows, stream);
    shuffle_lines(out->column, side / box_columns, box_columns, stream);
    for (int i = 0; i < side; i++)
        digits[i] = i + 1;
    random_shuffle(stream, digits, side);
    for (int i = 0; i < side; i++)
        out->map[i + 1] = (uint8_t)digits[i];
}

void sudoku_shuffle_apply(uint8_t *out, const uint8_t *in, int side,
                          const struct sudoku_shuffle *shuffle)
{
    for (int i = 0; i < side; i++)
        for (int j = 0; j < side; j++) {
            int r = shuffle->row[i], c = shuffle->column[j];
            int from = shuffle->transpose ? c * side + r : r * side + c;
            out[i * side + j] = shuffle->map[in[from]];
        }
}
