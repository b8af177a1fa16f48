/* table_wrap.c - breaks texts between words, shares the width of a line. */
#include "table_wrap.h"

#include "text.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Columns of a word; of a path that takes most of the line, of its widest part. */
static int word_columns(const char *word, size_t length, int limit)
{
    int whole = text_columns(word, length), widest = 0;
    size_t begin = 0;

    if (limit == 0 || whole <= limit / 2)
        return whole;
    for (size_t i = 0; i < length; i++)
        if (word[i] == '/' || i + 1 == length) {
            int part = text_columns(word + begin, i + 1 - begin);

            widest = part > widest ? part : widest;
            begin = i + 1;
        }
    return widest;
}

int wrap_longest_word(const char *text, int limit)
{
    int longest = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        int width = word_columns(text, length, limit);

        if (limit > 0 && width > limit) /* it is broken, but not into many pieces */
            width = limit / 2;
        longest = width > longest ? width : longest;
        text += length + strspn(text + length, " ");
    }
    return longest;
}

/* Bytes of a word that is wider than width up to the last slash that fits; all of them
 * if there is none. */
static size_t path_length(const char *word, size_t length, int width)
{
    size_t fitting = 0;

    for (size_t i = 0; i < length && text_columns(word, i + 1) <= width; i++)
        if (word[i] == '/')
            fitting = i + 1;
    return fitting > 0 ? fitting : length;
}

size_t wrap_line_length(const char *text, int width)
{
    size_t all = strlen(text), taken = 0;

    if (width == 0 || text_columns(text, all) <= width)
        return all;
    for (;;) {
        size_t spaces = strspn(text + taken, " ");
        size_t word = strcspn(text + taken + spaces, " ");

        if (word == 0)
            return all;
        if (taken > 0 && text_columns(text, taken + spaces + word) > width)
            return taken;
        if (text_columns(text + spaces, word) > width)
            return spaces + path_length(text + spaces, word, width);
        taken += spaces + word;
    }
}

size_t wrap_cell_length(const char *text, int width)
{
    size_t length = wrap_line_length(text, width), fitting = 0, mark = 0;

    if (width == 0 || text_columns(text, length) <= width)
        return length;
    for (size_t i = 1; i <= length && text_columns(text, i) <= width; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) /* a character begins there */
            fitting = i;
        if (strchr("/-_.,=", text[i - 1]) != NULL)
            mark = i;
    }
    return mark > 0 ? mark : fitting > 0 ? fitting : length;
}

/* ---- widths ---- */

enum { MOST_ROWS = 200 }; /* looked at: more rows are like the first ones */

/* How many lines each text takes at each width. */
struct line_counts {
    const struct wrap_columns *columns;
    int rows, widths; /* widths: from the smallest one on */
    uint8_t *lines;   /* owned: (rows, count, widths) */
    uint8_t *height;  /* owned: (rows) lines of a row at the widths chosen so far */
    uint8_t *others;  /* owned: (rows) the same without the column at hand */
};

static int lines_at(const struct line_counts *counts, int row, int column, int wider)
{
    return counts->lines[((size_t)row * (size_t)counts->columns->count + (size_t)column) *
                             (size_t)counts->widths +
                         (size_t)wider];
}

static int count_lines(const char *text, int width)
{
    int lines = 1;

    for (;;) {
        text += wrap_cell_length(text, width);
        text += strspn(text, " ");
        if (*text == '\0' || lines == UINT8_MAX)
            return lines;
        lines++;
    }
}

static int make_counts(struct line_counts *out, const struct wrap_columns *columns, int room)
{
    int rows = columns->rows < MOST_ROWS ? columns->rows : MOST_ROWS, widths = room + 1;
    size_t size = (size_t)rows * (size_t)columns->count * (size_t)widths;

    *out = (struct line_counts){ .columns = columns,
                                 .rows = rows,
                                 .widths = widths,
                                 .lines = calloc(size + 1, 1),
                                 .height = calloc((size_t)rows + 1, 1),
                                 .others = calloc((size_t)rows + 1, 1) };
    if (out->lines == NULL || out->height == NULL || out->others == NULL)
        return -1;
    uint8_t *at = out->lines;

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns->count; c++)
            for (int w = 0; w < widths; w++, at++) {
                int width = columns->least[c] + w;

                *at = 1;
                if (!columns->hidden[c] && width <= columns->natural[c])
                    *at = (uint8_t)count_lines(columns->texts[r * columns->count + c], width);
            }
    return 0;
}

static void release_counts(struct line_counts *counts)
{
    free(counts->lines);
    free(counts->height);
    free(counts->others);
}

/* Lines of every row at these widths, the column (-1: none) left out. */
static void measure_rows(uint8_t *out, const struct line_counts *counts, const int *widths,
                         int without)
{
    const struct wrap_columns *columns = counts->columns;

    for (int r = 0; r < counts->rows; r++) {
        out[r] = 1;
        for (int c = 0; c < columns->count; c++) {
            int lines = c == without || columns->hidden[c]
                            ? 1
                            : lines_at(counts, r, c, widths[c] - columns->least[c]);

            out[r] = lines > out[r] ? (uint8_t)lines : out[r];
        }
    }
}

/* Lines that the rows save if the column becomes wider. */
static int lines_saved(const struct line_counts *counts, const int *widths, int column,
                       int wider)
{
    int now = widths[column] - counts->columns->least[column], saved = 0;

    for (int r = 0; r < counts->rows; r++) {
        int lines = lines_at(counts, r, column, now + wider), others = counts->others[r];

        saved += counts->height[r] - (lines > others ? lines : others);
    }
    return saved;
}

/* Makes the column wider by which most lines are saved for each of its columns; returns
 * by how much, 0: none saves any. */
static int widen_best(int *widths, struct line_counts *counts, int room)
{
    const struct wrap_columns *columns = counts->columns;
    int best = -1, by = 1, most = 0;

    measure_rows(counts->height, counts, widths, -1);
    for (int c = 0; c < columns->count; c++) {
        int left = columns->hidden[c] ? 0 : columns->natural[c] - widths[c];

        measure_rows(counts->others, counts, widths, c);
        for (int wider = 1; wider <= left && wider <= room; wider++) {
            int saved = lines_saved(counts, widths, c, wider);

            if (saved * by > most * wider) {
                best = c;
                by = wider;
                most = saved;
            }
        }
    }
    if (best < 0)
        return 0;
    widths[best] += by;
    return by;
}

static int sum_of(const uint8_t *heights, int rows)
{
    int sum = 0;

    for (int r = 0; r < rows; r++)
        sum += heights[r];
    return sum;
}

/* Lines of the rows if one column gives so many columns to another; INT_MAX: it
 * cannot. */
static int lines_after(int *widths, struct line_counts *counts, int from, int to, int by)
{
    const struct wrap_columns *columns = counts->columns;

    if (columns->hidden[from] || columns->hidden[to] ||
        widths[from] - by < columns->least[from] || widths[to] + by > columns->natural[to])
        return INT_MAX;
    widths[from] -= by;
    widths[to] += by;
    measure_rows(counts->others, counts, widths, -1);
    widths[from] += by;
    widths[to] -= by;
    return sum_of(counts->others, counts->rows);
}

/* Moves width from one column to another where that saves most lines; false:
 * nowhere. */
static bool exchange_best(int *widths, struct line_counts *counts)
{
    const struct wrap_columns *columns = counts->columns;
    int giver = -1, taker = -1, best_by = 0;

    measure_rows(counts->height, counts, widths, -1);
    int least = sum_of(counts->height, counts->rows);

    for (int from = 0; from < columns->count; from++)
        for (int to = 0; to < columns->count; to++)
            for (int by = 1; from != to && by < counts->widths; by++) {
                int lines = lines_after(widths, counts, from, to, by);

                if (lines >= least)
                    continue;
                least = lines;
                giver = from;
                taker = to;
                best_by = by;
            }
    if (giver < 0)
        return false;
    widths[giver] -= best_by;
    widths[taker] += best_by;
    return true;
}

/* Gives what is left to all columns in turn. Returns what nobody needs. */
static int widen_all(int *widths, const struct wrap_columns *columns, int room)
{
    for (bool wider = true; wider && room > 0;) {
        wider = false;
        for (int c = 0; c < columns->count && room > 0; c++)
            if (!columns->hidden[c] && widths[c] < columns->natural[c]) {
                widths[c]++;
                room--;
                wider = true;
            }
    }
    return room;
}

int wrap_share(int *widths, const struct wrap_columns *columns, int room)
{
    struct line_counts counts;
    int wanted = 0;

    for (int c = 0; c < columns->count; c++) {
        widths[c] = columns->least[c];
        wanted += columns->hidden[c] ? 0 : columns->natural[c] - columns->least[c];
    }
    if (room <= 0)
        return 0;
    if (wanted > room) {
        int rc = make_counts(&counts, columns, room);

        for (int taken = 1; rc == 0 && taken > 0; room -= taken)
            taken = widen_best(widths, &counts, room);
        if (rc == 0)
            room = widen_all(widths, columns, room);
        while (rc == 0 && exchange_best(widths, &counts))
            continue;
        release_counts(&counts);
        if (rc != 0)
            return rc;
    }
    widen_all(widths, columns, room);
    return 0;
}
