/* sudoku_csv.c - strict reading of Sudoku puzzles. */
#include "sudoku_csv.h"

#include "csv.h"
#include "sudoku.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Which column of the file holds what; -1: it has none. */
struct columns {
    int question, answer, rating;
};

struct reader {
    struct csv csv;
    struct csv_row row;
    struct columns columns;
};

static int fault(const struct reader *r, const char *column, const char *what,
                 struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: row %" PRId64 ", column %s: %s", r->csv.path,
                     r->row.number, column, what);
}

static bool field_is(const struct csv_field *field, const char *name)
{
    return field->length == strlen(name) && strncasecmp(field->text, name, field->length) == 0;
}

/* Takes the columns from the first row; true if that was a header. */
static bool read_header(struct reader *r)
{
    struct columns found = { -1, -1, -1 };

    for (int i = 0; i < r->row.count; i++) {
        if (field_is(&r->row.fields[i], "question"))
            found.question = i;
        else if (field_is(&r->row.fields[i], "answer"))
            found.answer = i;
        else if (field_is(&r->row.fields[i], "rating"))
            found.rating = i;
    }
    bool header = found.question >= 0 && found.answer >= 0;
    r->columns = header ? found : (struct columns){ 1, 2, 3 };
    return header;
}

/* Names the first character of the field that is no cell. */
static int bad_cell(const struct reader *r, int side, bool blanks, const char *column,
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
    return fault(r, column, text, err);
}

/* The cells of a field; 0 is blank. */
static int read_cells(uint8_t *out, const struct reader *r, int side, bool blanks,
                      const char *column, const struct csv_field *field, struct error *err)
{
    char text[200];
    uint8_t most = 0, least = UINT8_MAX;

    if (field->length != (size_t)(side * side)) {
        snprintf(text, sizeof text, "%zu characters; expected %d, one for each cell of %d x %d",
                 field->length, side * side, side, side);
        return fault(r, column, text, err);
    }
    /* Without branches, so that it is vectorised. */
    for (size_t i = 0; i < field->length; i++) {
        char c = field->text[i];
        uint8_t cell = (uint8_t)((c == '.' ? '0' : c) - '0');
        out[i] = cell;
        most = cell > most ? cell : most;
        least = cell < least ? cell : least;
    }
    return most > side || (!blanks && least == 0)
               ? bad_cell(r, side, blanks, column, field, out, err)
               : 0;
}

static int find_side(const struct reader *r, struct error *err)
{
    char text[200];

    switch (r->row.fields[r->columns.question].length) {
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
             r->row.fields[r->columns.question].length);
    return fault(r, "question", text, err);
}

static int check_answer(const struct reader *r, const uint8_t *question, const uint8_t *answer,
                        int side, struct error *err)
{
    char text[200];

    for (int i = 0; i < side * side; i++)
        if (question[i] != 0 && question[i] != answer[i]) {
            snprintf(text, sizeof text,
                     "cell %d (row %d, column %d of the board) is %d, but the question has %d "
                     "there",
                     i + 1, i / side + 1, i % side + 1, answer[i], question[i]);
            return fault(r, "answer", text, err);
        }
    if (!sudoku_is_solved(answer, side))
        return fault(r, "answer",
                     "not a solved board: a digit stands twice in a row, column or box", err);
    return 0;
}

static int read_rating(double *out, const struct reader *r, struct error *err)
{
    const struct csv_field *field = &r->row.fields[r->columns.rating];
    char text[40], *end;

    *out = -1.0;
    if (field->length > 0 && field->length < sizeof text) {
        memcpy(text, field->text, field->length);
        text[field->length] = '\0';
        *out = strtod(text, &end);
        if (*end != '\0' || isspace((unsigned char)text[0]) || !(*out >= 0 && *out <= 1e15))
            *out = -1.0;
    }
    return *out < 0 ? fault(r, "rating", "expected a number, 0 or more", err) : 0;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int read_puzzle(struct boards *boards, const struct reader *r, double min_rating,
                       int *easier, struct error *err)
{
    uint8_t question[SUDOKU_MAX_CELLS], answer[SUDOKU_MAX_CELLS];
    const struct columns *c = &r->columns;
    double rating = 0;
    int rc = 0;

    if (r->row.count <= larger(larger(c->question, c->answer), c->rating))
        return error_set(err, ERROR_FORMAT,
                         "%s: row %" PRId64
                         ": %d columns; expected source,question,answer,rating",
                         r->csv.path, r->row.number, r->row.count);
    if (boards->side == 0)
        rc = boards->side = find_side(r, err);
    if (rc >= 0)
        rc = read_cells(question, r, boards->side, true, "question",
                        &r->row.fields[c->question], err);
    if (rc == 0)
        rc = read_cells(answer, r, boards->side, false, "answer", &r->row.fields[c->answer],
                        err);
    if (rc == 0)
        rc = check_answer(r, question, answer, boards->side, err);
    if (rc == 0 && c->rating >= 0)
        rc = read_rating(&rating, r, err);
    if (rc < 0)
        return rc;
    if (rating < min_rating) {
        ++*easier;
        return 0;
    }
    return boards_add(boards, question, answer, (int32_t)r->row.number, err);
}

/* Blank lines may stand at the end of the file, and nowhere else. */
static int check_blank(const struct reader *r, bool *blank, struct error *err)
{
    bool now = r->row.count == 1 && r->row.fields[0].length == 0;

    if (*blank && !now)
        return error_set(err, ERROR_FORMAT, "%s: row %" PRId64 ": the row is empty",
                         r->csv.path, r->row.number - 1);
    *blank = now;
    return 0;
}

int sudoku_csv_read(struct boards *boards, const char *path, double min_rating, int *easier,
                    int *read, struct error *err)
{
    struct reader r = { .columns = { 1, 2, 3 } };
    bool blank = false;
    int rc = csv_open(&r.csv, path, err), more = rc;

    *easier = *read = 0;
    if (rc < 0)
        return rc;
    while (rc == 0 && (more = csv_next(&r.csv, &r.row, err)) > 0) {
        rc = check_blank(&r, &blank, err);
        if (rc < 0 || blank || (r.row.number == 1 && read_header(&r)))
            continue;
        rc = read_puzzle(boards, &r, min_rating, easier, err);
        ++*read;
    }
    csv_close(&r.csv);
    if (rc == 0 && more < 0)
        rc = more;
    if (rc == 0 && min_rating > 0 && r.columns.rating < 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: the file has no column rating, which data.min_difficulty needs",
                       path);
    return rc;
}
