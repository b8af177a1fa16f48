/* board_csv.c - reads rows of boards, whatever is on them. */
#include "board_csv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { QUESTION, ANSWER, RATING };

int board_csv_fault(const struct board_csv *r, const char *column, const char *what,
                    struct error *err)
{
    return error_set(err, ERROR_FORMAT, "%s: row %" PRId64 ", column %s: %s", r->csv.path,
                     r->row.number, column, what);
}

int board_csv_open(struct board_csv *out, const char *path, struct error *err)
{
    *out = (struct board_csv){ .columns = { 1, 2, 3 } };
    return csv_open(&out->csv, path, err);
}

void board_csv_close(struct board_csv *reader)
{
    csv_close(&reader->csv);
}

/* Takes the columns from the first row; true if that was a header. */
static bool read_header(struct board_csv *r)
{
    static const char *const names[] = { "question", "answer", "rating" };
    int found[3] = { -1, -1, -1 };

    for (int i = 0; i < r->row.count; i++)
        for (int n = 0; n < 3; n++)
            if (r->row.fields[i].length == strlen(names[n]) &&
                strncasecmp(r->row.fields[i].text, names[n], strlen(names[n])) == 0)
                found[n] = i;
    if (found[QUESTION] < 0 || found[ANSWER] < 0)
        return false;
    memcpy(r->columns, found, sizeof found);
    return true;
}

static int read_rating(struct board_csv *r, struct error *err)
{
    const struct csv_field *field = &r->row.fields[r->columns[RATING]];
    char text[40], *end;

    r->rating = -1.0;
    if (field->length > 0 && field->length < sizeof text) {
        memcpy(text, field->text, field->length);
        text[field->length] = '\0';
        r->rating = strtod(text, &end);
        if (*end != '\0' || isspace((unsigned char)text[0]) ||
            !(r->rating >= 0 && r->rating <= 1e15))
            r->rating = -1.0;
    }
    if (r->rating >= 0)
        return 0;
    return board_csv_fault(r, "rating",
                           r->row.number == 1
                               ? "expected a number from 0 to 1e15, or a header with the "
                                 "columns question and answer"
                               : "expected a number from 0 to 1e15",
                           err);
}

static int take_fields(struct board_csv *r, struct error *err)
{
    for (int n = 0; n < 3; n++)
        if (r->row.count <= r->columns[n])
            return error_set(err, ERROR_FORMAT,
                             "%s: row %" PRId64 ": %d column%s, separated by commas; expected "
                             "source,question,answer,rating, or a header with the names "
                             "question and answer",
                             r->csv.path, r->row.number, r->row.count,
                             r->row.count == 1 ? "" : "s");
    r->question = r->row.fields[r->columns[QUESTION]];
    r->answer = r->row.fields[r->columns[ANSWER]];
    r->rating = 0;
    return r->columns[RATING] >= 0 ? read_rating(r, err) : 0;
}

/* Blank lines may only stand at the end of the file. */
static int check_blank(struct board_csv *r, struct error *err)
{
    bool now = r->row.count == 1 && r->row.fields[0].length == 0;

    if (r->blank && !now)
        return error_set(err, ERROR_FORMAT, "%s: row %" PRId64 ": the row is empty",
                         r->csv.path, r->row.number - 1);
    r->blank = now;
    return 0;
}

int board_csv_next(struct board_csv *r, struct error *err)
{
    for (;;) {
        int rc = csv_next(&r->csv, &r->row, err);
        if (rc <= 0)
            return rc;
        rc = check_blank(r, err);
        if (rc < 0)
            return rc;
        if (r->blank || (r->row.number == 1 && read_header(r)))
            continue;
        rc = take_fields(r, err);
        return rc < 0 ? rc : 1;
    }
}

int board_csv_read(struct boards *boards, const char *path, double min_rating,
                   board_parse_fn *parse, int *easier, int *read, struct error *err)
{
    uint8_t question[BOARD_MAX_CELLS], answer[BOARD_MAX_CELLS];
    struct board_csv r;
    int rc = board_csv_open(&r, path, err), more = 0;

    *easier = *read = 0;
    if (rc < 0)
        return rc;
    while (rc == 0 && (more = board_csv_next(&r, err)) > 0) {
        rc = parse(question, answer, &boards->side, &r, err);
        ++*read;
        if (rc == 0 && r.rating < min_rating)
            ++*easier;
        else if (rc == 0)
            rc = boards_add(boards, question, answer, (int32_t)r.row.number,
                            r.rating < INT32_MAX ? (int32_t)r.rating : INT32_MAX, err);
    }
    board_csv_close(&r);
    if (rc == 0 && more < 0)
        rc = more;
    if (rc == 0 && min_rating > 0 && r.columns[RATING] < 0)
        rc = error_set(err, ERROR_FORMAT,
                       "%s: the file has no column rating, which data.min_difficulty needs",
                       path);
    return rc;
}
