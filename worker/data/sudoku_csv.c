/* sudoku_csv.c - reads Sudoku puzzles strictly. */
#include "sudoku_csv.h"

#include "sudoku.h"

#include <ctype.h>
#include <stdio.h>

/* Reports the first character of the field that is not a cell. */
static int bad_cell(const struct board_csv *r, int side, bool blanks, const char *column,
                    const struct csv_field *field, const uint8_t *cells, struct error *err)
{
    char text[200];
    size_t i = 0;

    while (i + 1 < field->length && cells[i] <= side && (blanks || cells[i] > 0))
        i++;
    if (isprint((unsigned char)field->text[i]))
        snprintf(text, sizeof text, "character %zu is \"%c\"; expected a digit from 1 to %d%s",
                 i + 1, field->text[i], side, blanks ? ", or . or 0 for a blank cell" : "");
    else
        snprintf(text, sizeof text, "character %zu is the byte 0x%02x; expected digits", i + 1,
                 (unsigned char)field->text[i]);
    return board_csv_fault(r, column, text, err);
}

/* Converts digits, and "." to 0. It has no branches so that the compiler vectorises
 * it. Returns whether a digit is outside least to most. */
static bool read_digits(uint8_t *restrict out, const char *restrict text, int count,
                        uint8_t least, uint8_t most)
{
    uint8_t wrong = 0;

    for (int i = 0; i < count; i++) {
        uint8_t c = (uint8_t)text[i];
        uint8_t digit = (uint8_t) - (c != '.'); /* all bits set, or none */
        uint8_t cell = (uint8_t)(c - '0') & digit;
        out[i] = cell;
        wrong |= (uint8_t)((cell < least) | (cell > most));
    }
    return wrong != 0;
}

/* Reads the cells of a field; 0 is blank. */
static int read_cells(uint8_t *out, const struct board_csv *r, int side, bool blanks,
                      const char *column, const struct csv_field *field, struct error *err)
{
    char text[200];

    if (field->length != (size_t)(side * side)) {
        snprintf(text, sizeof text, "%zu characters; expected %d, one for each cell of %d x %d",
                 field->length, side * side, side, side);
        return board_csv_fault(r, column, text, err);
    }
    return read_digits(out, field->text, side * side, blanks ? 0 : 1, (uint8_t)side)
               ? bad_cell(r, side, blanks, column, field, out, err)
               : 0;
}

static int find_side(const struct board_csv *r, struct error *err)
{
    char text[200];

    switch (r->question.length) {
    case 16:
        return 4;
    case 36:
        return 6;
    case 81:
        return 9;
    }
    snprintf(text, sizeof text,
             "%zu characters; expected a puzzle of 81 (9 x 9), 36 (6 x 6) or 16 (4 x 4), or a "
             "header with the columns question and answer",
             r->question.length);
    return board_csv_fault(r, "question", text, err);
}

static int check_answer(const struct board_csv *r, const uint8_t *question,
                        const uint8_t *answer, int side, struct error *err)
{
    char text[200];

    for (int i = 0; i < side * side; i++)
        if (question[i] != 0 && question[i] != answer[i]) {
            snprintf(text, sizeof text,
                     "cell %d (row %d, column %d of the board) is %d, but the question has %d "
                     "there",
                     i + 1, i / side + 1, i % side + 1, answer[i], question[i]);
            return board_csv_fault(r, "answer", text, err);
        }
    if (!sudoku_is_solved(answer, side))
        return board_csv_fault(
            r, "answer", "not a solved board: a digit stands twice in a row, column or box",
            err);
    return 0;
}

int sudoku_csv_parse(uint8_t *question, uint8_t *answer, int *side, const struct board_csv *row,
                     struct error *err)
{
    int rc = 0;

    if (*side == 0)
        rc = *side = find_side(row, err);
    if (rc >= 0)
        rc = read_cells(question, row, *side, true, "question", &row->question, err);
    if (rc == 0)
        rc = read_cells(answer, row, *side, false, "answer", &row->answer, err);
    return rc == 0 ? check_answer(row, question, answer, *side, err) : rc;
}
