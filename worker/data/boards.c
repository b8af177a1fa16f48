/* boards.c - packing and choosing boards. */
#include "boards.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static size_t stride(const struct boards *boards)
{
    return ((size_t)boards->side * (size_t)boards->side + 1) / 2;
}

static int grow(struct boards *boards, struct error *err)
{
    int capacity = boards->capacity == 0 ? 256 : boards->capacity + boards->capacity / 2;

    if (boards->capacity > INT_MAX / 2)
        return error_set(err, ERROR_FORMAT, "more than %d boards", boards->capacity);
    uint8_t *cells = realloc(boards->cells, (size_t)capacity * 2 * stride(boards));
    if (cells != NULL)
        boards->cells = cells;
    int32_t *number = realloc(boards->number, (size_t)capacity * sizeof *number);
    if (number != NULL)
        boards->number = number;
    if (cells == NULL || number == NULL)
        return error_no_memory(err, "the boards");
    boards->capacity = capacity;
    return 0;
}

static void pack(uint8_t *out, const uint8_t *cells, int count)
{
    for (int i = 0; i + 1 < count; i += 2)
        *out++ = (uint8_t)(cells[i] | cells[i + 1] << 4);
    if (count % 2 == 1)
        *out = cells[count - 1];
}

int boards_add(struct boards *boards, const uint8_t *question, const uint8_t *answer,
               int32_t number, struct error *err)
{
    int rc = boards->count == boards->capacity ? grow(boards, err) : 0;

    if (rc < 0)
        return rc;
    uint8_t *at = boards->cells + (size_t)boards->count * 2 * stride(boards);
    pack(at, question, boards->side * boards->side);
    pack(at + stride(boards), answer, boards->side * boards->side);
    boards->number[boards->count++] = number;
    return 0;
}

void boards_release(struct boards *boards)
{
    free(boards->cells);
    free(boards->number);
    boards->cells = NULL;
    boards->number = NULL;
    boards->count = boards->capacity = boards->train = 0;
}

static void unpack(struct grid *out, const uint8_t *packed, int side)
{
    out->rows = out->columns = (uint8_t)side;
    for (int i = 0; i < side * side; i++)
        out->cells[i] = packed[i / 2] >> (i % 2 * 4) & 15;
}

void boards_get(const struct boards *boards, int index, struct grid *question,
                struct grid *answer)
{
    assert(index >= 0 && index < boards->count);
    const uint8_t *at = boards->cells + (size_t)index * 2 * stride(boards);

    if (question != NULL)
        unpack(question, at, boards->side);
    if (answer != NULL)
        unpack(answer, at + stride(boards), boards->side);
}

int boards_keep(struct boards *boards, const int *list, int count, struct error *err)
{
    size_t size = 2 * stride(boards), room = count > 0 ? (size_t)count : 1;
    int same = 0;

    while (same < count && list[same] == same)
        same++;
    if (same == boards->count) /* all, as they are */
        return 0;
    uint8_t *cells = malloc(room * size);
    int32_t *number = malloc(room * sizeof *number);

    if (cells == NULL || number == NULL) {
        free(cells);
        free(number);
        return error_no_memory(err, "the boards");
    }
    for (int i = 0; i < count; i++) {
        assert(list[i] >= 0 && list[i] < boards->count);
        memcpy(cells + (size_t)i * size, boards->cells + (size_t)list[i] * size, size);
        number[i] = boards->number[list[i]];
    }
    free(boards->cells);
    free(boards->number);
    boards->cells = cells;
    boards->number = number;
    boards->count = count;
    boards->capacity = (int)room;
    return 0;
}
