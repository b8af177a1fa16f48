/*
 * terminal.h - hrmlab on a pseudo-terminal, and what its screen shows then. Knows the sequences
 * that hrmlab uses; any other one that changes a mode is noted as steering.
 */
#ifndef TESTS_SUPPORT_TERMINAL_H
#define TESTS_SUPPORT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TERMINAL_ROWS = 60, TERMINAL_COLUMNS = 200, TERMINAL_SEQUENCE = 32 };

struct terminal {
    pid_t pid;
    int master;
    int rows, columns;
    int row, column;                                /* of the cursor */
    char cells[TERMINAL_ROWS][TERMINAL_COLUMNS][5]; /* a character of UTF-8 each; "" blank */
    char sequence[TERMINAL_SEQUENCE]; /* an escape sequence that is not complete */
    size_t sequence_size;
    bool steered; /* a mode was changed */
};

/* Starts PROGRAM --workspace WORKSPACE WORD... (NULL-terminated) on a terminal of that size. */
void terminal_start(struct terminal *terminal, const char *program, const char *workspace,
                    const char *const *words, int rows, int columns);
/* Lines that no longer fit are broken, as most terminals do. */
void terminal_resize(struct terminal *terminal, int rows, int columns);
void terminal_send(struct terminal *terminal, const char *keys);
/* Reads until the screen has these words; fails the test after a minute. */
void terminal_wait_for(struct terminal *terminal, const char *words);
/* Reads until nothing has come for two seconds' time of drawing. */
void terminal_settle(struct terminal *terminal);
/* What the screen shows, lines without the blanks at their ends; fresh. */
char *terminal_text(const struct terminal *terminal);
/* Reads to the end. The exit code, or 128 and the signal. */
int terminal_finish(struct terminal *terminal);
void terminal_release(struct terminal *terminal);

#endif
