/* live_screen.c - a block of lines drawn over in place, in one write per drawing. */
#include "live_screen.h"

#include "text.h"
#include "text_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

bool live_lines_init(struct live_lines *out, int most)
{
    *out = (struct live_lines){ .most = most };
    out->items = calloc((size_t)most, sizeof *out->items);
    return out->items != NULL;
}

void live_lines_release(struct live_lines *lines)
{
    free(lines->items);
    *lines = (struct live_lines){ 0 };
}

struct live_line *live_lines_add(struct live_lines *lines)
{
    struct live_line *line = &lines->items[lines->count - (lines->count == lines->most)];

    lines->count += lines->count < lines->most;
    *line = (struct live_line){ 0 };
    return line;
}

/* Bytes of text that fit into width columns. */
static size_t fitting(const char *text, int width)
{
    size_t size = strlen(text), used = 0;
    int columns = 0;

    while (used < size) {
        size_t length = text_character(NULL, text + used, size - used);
        length = length > 0 ? length : 1;
        columns += text_columns(text + used, length);
        if (columns > width)
            break;
        used += length;
    }
    return used;
}

void live_screen_size(const struct live_screen *screen, int *width, int *height)
{
    struct winsize size = { 0 };

    if (ioctl(fileno(screen->out), TIOCGWINSZ, &size) < 0)
        size = (struct winsize){ 0 };
    *width = size.ws_col >= 20 ? size.ws_col : 80;
    *height = size.ws_row >= 4 ? size.ws_row : 24;
}

bool live_screen_resized(const struct live_screen *screen)
{
    int width, height;

    live_screen_size(screen, &width, &height);
    return screen->drawn > 0 && (width != screen->width || height != screen->height);
}

/* Texts come from workers, too: nothing of them may steer the terminal. */
static void put_line(FILE *frame, const struct live_line *line, int width, bool color)
{
    char text[LIVE_LINE];
    const char *before = !color ? "" : line->bad ? "\033[31m" : line->strong ? "\033[1m" : "";

    snprintf(text, sizeof text, "%s", line->text);
    text[text_make_printable(text, strlen(text), "")] = '\0';
    fprintf(frame, "%s%.*s%s\033[K\n", before, (int)fitting(text, width), text,
            before[0] != '\0' ? "\033[0m" : "");
}

bool live_screen_draw(struct live_screen *screen, const struct live_lines *lines, bool color)
{
    char *frame = NULL;
    size_t size = 0;
    bool resized = live_screen_resized(screen);
    FILE *to = text_stream_open(&frame, &size);

    if (to == NULL)
        return false;
    live_screen_size(screen, &screen->width, &screen->height);
    if (resized)
        fputs("\033[2J\033[H", to);
    else if (screen->drawn > 0)
        fprintf(to, "\033[%dA\r", screen->drawn);
    int shown = lines->count < screen->height ? lines->count : screen->height - 1;
    for (int i = 0; i < shown; i++)
        put_line(to, &lines->items[i], screen->width - 1, color);
    fputs("\033[J", to);
    if (fclose(to) != 0)
        return false;
    fwrite(frame, 1, size, screen->out);
    fflush(screen->out);
    free(frame);
    screen->drawn = shown;
    return true;
}

void live_screen_leave(struct live_screen *screen)
{
    screen->drawn = 0;
}

void live_screen_erase(struct live_screen *screen)
{
    if (screen->drawn > 0)
        fprintf(screen->out, "\033[%dA\r\033[J", screen->drawn);
    fflush(screen->out);
    screen->drawn = 0;
}

void live_lines_print(const struct live_lines *lines, FILE *out, int width)
{
    for (int i = 0; i < lines->count; i++) {
        char text[LIVE_LINE];

        snprintf(text, sizeof text, "%s", lines->items[i].text);
        text[text_make_printable(text, strlen(text), "")] = '\0';
        fprintf(out, "%.*s\n", (int)fitting(text, width), text);
    }
}
