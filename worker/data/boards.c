/* boards.c - packing and choosing boards. */
#include "boards.h"

#include "hash.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
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
    int32_t *rating = realloc(boards->rating, (size_t)capacity * sizeof *rating);
    if (rating != NULL)
        boards->rating = rating;
    if (cells == NULL || number == NULL || rating == NULL)
        return error_no_memory(err, "the boards");
    boards->capacity = capacity;
    return 0;
}

static void pack(uint8_t *restrict out, const uint8_t *restrict cells, int count)
{
    int pairs = count / 2;

    for (int i = 0; i < pairs; i++)
        out[i] = (uint8_t)(cells[2 * i] | cells[2 * i + 1] << 4);
    if (count % 2 == 1)
        out[pairs] = cells[count - 1];
}

int boards_add(struct boards *boards, const uint8_t *question, const uint8_t *answer,
               int32_t number, int32_t rating, struct error *err)
{
    int rc = boards->count == boards->capacity ? grow(boards, err) : 0;

    if (rc < 0)
        return rc;
    uint8_t *at = boards->cells + (size_t)boards->count * 2 * stride(boards);
    pack(at, question, boards->side * boards->side);
    pack(at + stride(boards), answer, boards->side * boards->side);
    boards->rating[boards->count] = rating;
    boards->number[boards->count++] = number;
    return 0;
}

void boards_release(struct boards *boards)
{
    free(boards->cells);
    free(boards->number);
    free(boards->rating);
    boards->cells = NULL;
    boards->number = boards->rating = NULL;
    boards->count = boards->capacity = boards->train = 0;
}

static void unpack(struct grid *restrict out, const uint8_t *restrict packed, int side)
{
    int pairs = side * side / 2;

    out->rows = out->columns = (uint8_t)side;
    for (int i = 0; i < pairs; i++) {
        out->cells[2 * i] = packed[i] & 15;
        out->cells[2 * i + 1] = packed[i] >> 4;
    }
    if (side % 2 == 1)
        out->cells[side * side - 1] = packed[pairs] & 15;
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
    if (same == boards->count) /* all boards in their order: nothing to move */
        return 0;
    uint8_t *cells = malloc(room * size);
    int32_t *number = malloc(room * sizeof *number);
    int32_t *rating = malloc(room * sizeof *rating);

    if (cells == NULL || number == NULL || rating == NULL) {
        free(cells);
        free(number);
        free(rating);
        return error_no_memory(err, "the boards");
    }
    for (int i = 0; i < count; i++) {
        assert(list[i] >= 0 && list[i] < boards->count);
        memcpy(cells + (size_t)i * size, boards->cells + (size_t)list[i] * size, size);
        number[i] = boards->number[list[i]];
        rating[i] = boards->rating[list[i]];
    }
    free(boards->cells);
    free(boards->number);
    free(boards->rating);
    boards->cells = cells;
    boards->number = number;
    boards->rating = rating;
    boards->count = count;
    boards->capacity = (int)room;
    return 0;
}

/* The packed question of a board. */
static const uint8_t *question_of(const struct boards *boards, int index)
{
    return boards->cells + (size_t)index * 2 * stride(boards);
}

/* The place in a hash table (size a power of two; -1: free) of the board with the same
 * question, or the free place where it belongs. */
static size_t find_place(const int32_t *table, size_t size, const struct boards *boards,
                         int index)
{
    const uint8_t *question = question_of(boards, index);
    size_t length = stride(boards), at = (size_t)hash_xxh3(question, length) & (size - 1);

    while (table[at] >= 0 && memcmp(question_of(boards, table[at]), question, length) != 0)
        at = (at + 1) & (size - 1);
    return at;
}

int boards_find_copies(int32_t *copy_of, int *tested, const struct boards *boards,
                       struct error *err)
{
    int first = boards->train;
    size_t tests = (size_t)(boards->count - first), size = 16;

    while (size < 2 * tests)
        size *= 2;
    int32_t *table = malloc(size * sizeof *table);
    bool *copied = calloc(tests + 1, sizeof *copied); /* by the first of equal tests */

    *tested = 0;
    if (table == NULL || copied == NULL) {
        free(table);
        free(copied);
        return error_no_memory(err, "the boards");
    }
    for (size_t i = 0; i < size; i++)
        table[i] = -1;
    for (int i = first; i < boards->count; i++) {
        size_t at = find_place(table, size, boards, i);

        table[at] = table[at] < 0 ? i : table[at];
    }
    for (int i = 0; i < first; i++) {
        copy_of[i] = table[find_place(table, size, boards, i)];
        if (copy_of[i] >= 0)
            copied[copy_of[i] - first] = true;
    }
    for (int i = first; i < boards->count; i++)
        *tested += copied[table[find_place(table, size, boards, i)] - first];
    free(table);
    free(copied);
    return 0;
}

void board_release(void *content)
{
    boards_release(content);
    free(content);
}

void board_task(const void *content, int index, struct data_task *out)
{
    const struct boards *boards = content;
    bool trained = index < boards->train;

    *out = (struct data_task){
        .evaluation = !trained, .trained = true, .demonstrations = trained, .tests = !trained
    };
}

void board_task_name(const void *content, int index, char out[DATA_NAME_SIZE])
{
    const struct boards *boards = content;

    snprintf(out, DATA_NAME_SIZE, "%s-%07" PRId32, boards->name[index >= boards->train],
             boards->number[index]);
}

bool board_pair(const void *content, int index, int pair, struct grid *input,
                struct grid *output)
{
    (void)pair; /* a board has one pair */
    boards_get(content, index, input, output);
    return true;
}

void board_tokens(int32_t *inputs, int32_t *labels, const struct grid *input,
                  const struct grid *output, int side, struct random_stream *stream)
{
    (void)stream; /* a board fills its canvas */
    for (int i = 0; i < side * side; i++) {
        inputs[i] = 1 + input->cells[i];
        labels[i] = 1 + output->cells[i];
    }
}

int32_t board_rating(const void *content, int index)
{
    return ((const struct boards *)content)->rating[index];
}

void board_answer(struct grid *out, const int32_t *predictions, int side)
{
    out->rows = out->columns = (uint8_t)side;
    for (int i = 0; i < side * side; i++)
        out->cells[i] = (uint8_t)(predictions[i] - 1);
}
