/* terminal.c - a screen of characters, fed from a pseudo-terminal. */
#include "support/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/place.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

void terminal_start(struct terminal *terminal, const char *program, const char *workspace,
                    const char *const *words, int rows, int columns)
{
    struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
    char *argv[16] = { strdup(program), strdup("--workspace"), strdup(workspace) };
    int count = 3;

    memset(terminal, 0, sizeof *terminal);
    terminal->rows = rows;
    terminal->columns = columns;
    for (int i = 0; words[i] != NULL && count < 15; i++)
        argv[count++] = strdup(words[i]);
    terminal->pid = forkpty(&terminal->master, NULL, NULL, &size);
    assert_true(terminal->pid >= 0);
    if (terminal->pid == 0) {
        execv(argv[0], argv);
        _exit(127);
    }
    for (int i = 0; i < count; i++)
        free(argv[i]);
}

static void clear_from(struct terminal *t, int row, int column, int rows)
{
    for (int r = row; r < rows; r++)
        for (int c = r == row ? column : 0; c < TERMINAL_COLUMNS; c++)
            t->cells[r][c][0] = '\0';
}

static void next_row(struct terminal *t)
{
    if (t->row + 1 < t->rows) {
        t->row++;
        return;
    }
    memmove(t->cells[0], t->cells[1], sizeof t->cells - sizeof t->cells[0]);
    clear_from(t, t->rows - 1, 0, t->rows);
}

static void put_character(struct terminal *t, const char *character, size_t length)
{
    if (t->column >= t->columns) {
        next_row(t);
        t->column = 0;
    }
    memcpy(t->cells[t->row][t->column], character, length);
    t->cells[t->row][t->column][length] = '\0';
    t->column++;
}

void terminal_resize(struct terminal *terminal, int rows, int columns)
{
    struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
    struct terminal *old = malloc(sizeof *old);

    assert_non_null(old);
    *old = *terminal;
    terminal->rows = rows;
    terminal->columns = columns;
    clear_from(terminal, 0, 0, TERMINAL_ROWS);
    terminal->row = terminal->column = 0;
    for (int r = 0; r < old->row; r++) { /* the cursor stands at the start of a line */
        int used = old->columns;
        while (used > 0 && old->cells[r][used - 1][0] == '\0')
            used--;
        for (int c = 0; c < used; c++)
            put_character(terminal, old->cells[r][c][0] != '\0' ? old->cells[r][c] : " ",
                          strlen(old->cells[r][c]));
        next_row(terminal);
        terminal->column = 0;
    }
    free(old);
    assert_int_equal(ioctl(terminal->master, TIOCSWINSZ, &size), 0);
}

void terminal_send(struct terminal *terminal, const char *keys)
{
    assert_int_equal(write(terminal->master, keys, strlen(keys)), (int)strlen(keys));
}

static void do_sequence(struct terminal *t)
{
    char last = t->sequence[t->sequence_size - 1];
    int number = atoi(t->sequence + 2);

    if (last == 'A')
        t->row = t->row > number ? t->row - number : 0;
    else if (last == 'H')
        t->row = t->column = 0;
    else if (last == 'K')
        clear_from(t, t->row, t->column, t->row + 1);
    else if (last == 'J' && number == 2)
        clear_from(t, 0, 0, TERMINAL_ROWS);
    else if (last == 'J')
        clear_from(t, t->row, t->column, TERMINAL_ROWS);
    else if (last != 'm') /* a colour, which ends where its line does */
        t->steered = true;
    t->sequence_size = 0;
}

/* Takes text; bytes that it does not take yet, of a character that is cut off, are left. */
static size_t feed(struct terminal *t, const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        char c = text[at];
        size_t length = 1;
        if (t->sequence_size > 0 || c == '\033') {
            assert_true(t->sequence_size + 1 < TERMINAL_SEQUENCE);
            t->sequence[t->sequence_size++] = c;
            t->sequence[t->sequence_size] = '\0';
            if (t->sequence_size > 2 && c >= '@')
                do_sequence(t);
        } else if (c == '\n') {
            next_row(t);
        } else if (c == '\r') {
            t->column = 0;
        } else {
            length = text_character(NULL, text + at, size - at);
            if (length == 0)
                return at;
            put_character(t, text + at, length);
        }
        at += length;
    }
    return at;
}

/* What has come within the time; false: the end, or nothing. */
static bool read_more(struct terminal *t, int milliseconds, bool *ended)
{
    static char text[4096];
    static size_t left;
    struct pollfd ready = { .fd = t->master, .events = POLLIN };

    if (poll(&ready, 1, milliseconds) <= 0)
        return false;
    ssize_t count = read(t->master, text + left, sizeof text - left);
    if (count <= 0) {
        *ended = true;
        left = 0;
        return false;
    }
    size_t size = left + (size_t)count, taken = feed(t, text, size);
    left = size - taken;
    memmove(text, text + taken, left);
    return true;
}

void terminal_wait_for(struct terminal *terminal, const char *words)
{
    bool ended = false;

    for (int i = 0; i < 600 && !ended; i++) {
        char *screen = terminal_text(terminal);
        bool there = strstr(screen, words) != NULL;
        free(screen);
        if (there)
            return;
        read_more(terminal, 100, &ended);
    }
    char *screen = terminal_text(terminal);
    print_message("the screen:\n%s\n", screen);
    free(screen);
    fail_msg("the screen never showed \"%s\"", words);
}

void terminal_settle(struct terminal *terminal)
{
    bool ended = false;

    while (read_more(terminal, 400, &ended))
        continue;
}

char *terminal_text(const struct terminal *terminal)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    for (int r = 0; r < terminal->rows; r++) {
        int used = terminal->columns;
        while (used > 0 && terminal->cells[r][used - 1][0] == '\0')
            used--;
        for (int c = 0; c < used; c++)
            fputs(terminal->cells[r][c][0] != '\0' ? terminal->cells[r][c] : " ", out);
        fputc('\n', out);
    }
    assert_int_equal(fclose(out), 0);
    return text;
}

int terminal_finish(struct terminal *terminal)
{
    bool ended = false;

    while (!ended)
        read_more(terminal, 1000, &ended);
    return place_finish(terminal->pid);
}

void terminal_release(struct terminal *terminal)
{
    close(terminal->master);
}
