/* grid.c - dihedral transforms, colours, hashes of small grids. */
#include "grid.h"

#include <assert.h>
#include <string.h>

bool grid_equal(const struct grid *a, const struct grid *b)
{
    return a->rows == b->rows && a->columns == b->columns &&
           memcmp(a->cells, b->cells, (size_t)a->rows * a->columns) == 0;
}

uint64_t grid_fingerprint(const struct grid *grid)
{
    unsigned char bytes[2 + GRID_MAX_CELLS];
    size_t count = (size_t)grid->rows * grid->columns;

    bytes[0] = grid->rows;
    bytes[1] = grid->columns;
    memcpy(bytes + 2, grid->cells, count);
    return hash_xxh3(bytes, 2 + count);
}

void grid_transform(struct grid *out, const struct grid *in, int transform)
{
    int R = in->rows, C = in->columns;
    bool swaps = transform == 1 || transform == 3 || transform == 6 || transform == 7;

    assert(out != in && transform >= 0 && transform < GRID_TRANSFORMS);
    out->rows = (uint8_t)(swaps ? C : R);
    out->columns = (uint8_t)(swaps ? R : C);
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++) {
            int to_r = r, to_c = c;
            switch (transform) {
            case 1: /* a quarter turn left: the right column becomes the top row */
                to_r = C - 1 - c, to_c = r;
                break;
            case 2:
                to_r = R - 1 - r, to_c = C - 1 - c;
                break;
            case 3:
                to_r = c, to_c = R - 1 - r;
                break;
            case 4:
                to_c = C - 1 - c;
                break;
            case 5:
                to_r = R - 1 - r;
                break;
            case 6:
                to_r = c, to_c = r;
                break;
            case 7: /* quarter turn, then left-right: mirrored at the other diagonal */
                to_r = C - 1 - c, to_c = R - 1 - r;
                break;
            default:
                break;
            }
            out->cells[to_r * out->columns + to_c] = in->cells[r * C + c];
        }
}

int grid_inverse_transform(int transform)
{
    static const int inverse[GRID_TRANSFORMS] = { 0, 3, 2, 1, 4, 5, 6, 7 };

    assert(transform >= 0 && transform < GRID_TRANSFORMS);
    return inverse[transform];
}

void grid_recolour(struct grid *grid, const uint8_t map[GRID_COLOURS])
{
    int count = grid->rows * grid->columns;

    for (int i = 0; i < count; i++)
        grid->cells[i] = map[grid->cells[i]];
}

void grid_hash(char hex[HASH_HEX_SIZE], const struct grid *grid)
{
    unsigned char bytes[2 + GRID_MAX_CELLS];
    size_t count = (size_t)grid->rows * grid->columns;

    bytes[0] = grid->rows;
    bytes[1] = grid->columns;
    memcpy(bytes + 2, grid->cells, count);
    hash_hex(hex, bytes, 2 + count);
}
