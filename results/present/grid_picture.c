/* grid_picture.c - draws a grid cell by cell. */
#include "grid_picture.h"

#include "arc_colors.h"
#include "svg.h"

#include <stdio.h>

enum { MOST_CELLS = 30, MOST_SIDE = 200, MOST_CELL = 20 };

/* The grid's size; false: not a grid of 1 to 30 rows of equal length. */
static bool measure(const cJSON *rows, int *height, int *width)
{
    const cJSON *row;

    *height = cJSON_IsArray(rows) ? cJSON_GetArraySize(rows) : 0;
    *width = *height > 0 ? cJSON_GetArraySize(rows->child) : 0;
    if (*height < 1 || *height > MOST_CELLS || *width < 1 || *width > MOST_CELLS)
        return false;
    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *cell;

        if (!cJSON_IsArray(row) || cJSON_GetArraySize(row) != *width)
            return false;
        cJSON_ArrayForEach(cell, row) if (!cJSON_IsNumber(cell) || cell->valueint < 0 ||
                                          cell->valueint >= ARC_COLOR_COUNT) return false;
    }
    return true;
}

int grid_picture(char **out, const cJSON *rows, const char *title, struct error *err)
{
    int height, width, y = 0;
    struct svg *svg;
    char size[40];

    *out = NULL;
    if (!measure(rows, &height, &width))
        return error_set(err, ERROR_FORMAT,
                         "not a grid: expected up to %d rows of equal length with 0 to %d",
                         MOST_CELLS, ARC_COLOR_COUNT - 1);
    int longer = height > width ? height : width;
    double side = MOST_SIDE / longer < MOST_CELL ? MOST_SIDE / longer : MOST_CELL;

    snprintf(size, sizeof size, "%d x %d cells", height, width);
    int rc = svg_create(&svg, width * side + 1, height * side + 1, title, size, false, err);
    if (rc != 0)
        return rc;
    const cJSON *row, *cell;
    cJSON_ArrayForEach(row, rows)
    {
        int x = 0;

        cJSON_ArrayForEach(cell, row)
        {
            char number[12];

            snprintf(number, sizeof number, "%d", cell->valueint);
            svg_cell(svg, (unsigned)ARC_COLORS[cell->valueint], x * side, y * side, side - 1,
                     side - 1, number);
            x++;
        }
        y++;
    }
    return svg_finish(svg, out, err);
}
