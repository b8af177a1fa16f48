/* maze_csv.c - reads mazes strictly. */
#include "maze_csv.h"

#include "maze.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The side of a square with so many cells; 0: not a valid size. */
static int side_of(size_t cells)
{
    for (int side = MAZE_MIN_SIDE; side <= MAZE_MAX_SIDE; side++)
        if ((size_t)(side * side) == cells)
            return side;
    return 0;
}

static int check_length(const struct board_csv *row, const char *column, size_t length,
                        int side, struct error *err)
{
    char text[200];

    if (length == (size_t)(side * side))
        return 0;
    snprintf(text, sizeof text,
             "%zu characters; expected %d, one for each cell of %d x %d (spaces count)", length,
             side * side, side, side);
    return board_csv_fault(row, column, text, err);
}

static int read_cells(uint8_t *out, const struct board_csv *row, const char *column,
                      const struct csv_field *field, struct error *err)
{
    char text[200];

    for (size_t i = 0; i < field->length; i++) {
        const char *at = memchr(MAZE_CHARACTERS, field->text[i], MAZE_KINDS);
        if (at == NULL) {
            unsigned char c = (unsigned char)field->text[i];
            snprintf(text, sizeof text,
                     isprint(c) ? "character %zu is \"%c\"; expected #, space, S, G or o"
                                : "character %zu is the byte 0x%02x; expected #, space, S, G "
                                  "or o",
                     i + 1, c);
            return board_csv_fault(row, column, text, err);
        }
        out[i] = (uint8_t)(at - MAZE_CHARACTERS);
    }
    return 0;
}

/* Checks that a question has one start, one goal, and no path. */
static int check_question(const uint8_t *question, int side, const struct board_csv *row,
                          struct error *err)
{
    int counts[MAZE_KINDS] = { 0 };
    char text[200];

    for (int i = 0; i < side * side; i++)
        counts[question[i]]++;
    if (counts[MAZE_START] == 1 && counts[MAZE_GOAL] == 1 && counts[MAZE_PATH] == 0)
        return 0;
    snprintf(text, sizeof text, "%d S, %d G and %d o; expected one S, one G and no o",
             counts[MAZE_START], counts[MAZE_GOAL], counts[MAZE_PATH]);
    return board_csv_fault(row, "question", text, err);
}

/* Checks that the answer is the question with spaces replaced by the path. */
static int check_answer(const uint8_t *question, const uint8_t *answer, int side,
                        const struct board_csv *row, struct error *err)
{
    char text[200];

    for (int i = 0; i < side * side; i++) {
        if (answer[i] == question[i] || (question[i] == MAZE_SPACE && answer[i] == MAZE_PATH))
            continue;
        snprintf(text, sizeof text,
                 "character %d (row %d, column %d of the maze) is \"%c\", but the question has "
                 "\"%c\" there",
                 i + 1, i / side + 1, i % side + 1, MAZE_CHARACTERS[answer[i]],
                 MAZE_CHARACTERS[question[i]]);
        return board_csv_fault(row, "answer", text, err);
    }
    return 0;
}

/* Checks that the cells drawn as o join S and G. They need not be a shortest path. */
static int check_path(const uint8_t *question, const uint8_t *answer, int side,
                      const struct board_csv *row, struct error *err)
{
    char text[200];
    int at = maze_path_gap(question, answer, side);

    if (at < 0)
        return 0;
    snprintf(
        text, sizeof text,
        answer[at] == MAZE_GOAL
            ? "no path of o leads from S to G (character %d, row %d, column %d of the maze)"
            : "character %d (row %d, column %d of the maze) is an o that is not connected "
              "with S; expected one path",
        at + 1, at / side + 1, at % side + 1);
    return board_csv_fault(row, "answer", text, err);
}

int maze_csv_parse(uint8_t *question, uint8_t *answer, int *side, const struct board_csv *row,
                   struct error *err)
{
    char text[200];
    int rc = 0;

    if (*side == 0)
        *side = side_of(row->question.length);
    if (*side == 0) {
        snprintf(text, sizeof text, "%zu characters; expected a square of side %d to %d",
                 row->question.length, MAZE_MIN_SIDE, MAZE_MAX_SIDE);
        return board_csv_fault(row, "question", text, err);
    }
    rc = check_length(row, "question", row->question.length, *side, err);
    if (rc == 0)
        rc = check_length(row, "answer", row->answer.length, *side, err);
    if (rc == 0)
        rc = read_cells(question, row, "question", &row->question, err);
    if (rc == 0)
        rc = read_cells(answer, row, "answer", &row->answer, err);
    if (rc == 0)
        rc = check_question(question, *side, row, err);
    if (rc == 0)
        rc = check_answer(question, answer, *side, row, err);
    if (rc == 0)
        rc = check_path(question, answer, *side, row, err);
    return rc;
}

static bool has(const struct csv_field *field, int cell)
{
    return memchr(field->text, MAZE_CHARACTERS[cell], field->length) != NULL;
}

int maze_csv_recognises(bool *is, const char *path, struct error *err)
{
    struct board_csv reader;
    int rc = board_csv_open(&reader, path, err);

    *is = false;
    if (rc < 0)
        return rc == ERROR_NOMEM ? rc : 0;
    rc = board_csv_next(&reader, err);
    if (rc > 0)
        *is = has(&reader.question, MAZE_WALL) ||
              (has(&reader.question, MAZE_START) && has(&reader.question, MAZE_GOAL));
    board_csv_close(&reader);
    return rc == ERROR_NOMEM ? rc : 0;
}
