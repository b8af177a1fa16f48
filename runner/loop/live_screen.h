/*
 * live_screen.h - lines that are drawn over in place, at the end of what a terminal
 * shows.
 *
 * No mode of the terminal is ever changed: however the program ends, even by SIGKILL,
 * the last drawing stays, and the cursor is at the beginning of the line below it.
 */
#ifndef RUNNER_LIVE_SCREEN_H
#define RUNNER_LIVE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

enum { LIVE_LINE = 600 };

struct live_lines {
    struct live_line {
        char text[LIVE_LINE];
        bool strong, bad; /* in colour */
    } * items;            /* owned */
    int count, most;
};

/* false: no memory. */
bool live_lines_init(struct live_lines *out, int most);
void live_lines_release(struct live_lines *lines);
/* The next line, empty; beyond most it is the last one again. */
struct live_line *live_lines_add(struct live_lines *lines);

struct live_screen {
    FILE *out;         /* borrowed; a terminal */
    int drawn;         /* lines, above the cursor */
    int width, height; /* of the terminal when they were drawn */
};

/* The terminal's size now. */
void live_screen_size(const struct live_screen *screen, int *width, int *height);
/* Whether the terminal has changed its size since the last drawing. */
bool live_screen_resized(const struct live_screen *screen);

/*
 * Draws the lines over those drawn last, none wider than the terminal and no more than
 * fit on it. After a change of its size the terminal may have broken the old lines
 * anew, so that their place is not known: it is cleared, and they are drawn at its top.
 * false: no memory, and nothing is drawn.
 */
bool live_screen_draw(struct live_screen *screen, const struct live_lines *lines, bool color);
/* What is drawn stays, and the next drawing comes below it. */
void live_screen_leave(struct live_screen *screen);
/* What is drawn goes away. */
void live_screen_erase(struct live_screen *screen);

/* The lines as plain text, each cut at width columns. */
void live_lines_print(const struct live_lines *lines, FILE *out, int width);

#endif
