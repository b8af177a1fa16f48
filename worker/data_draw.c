/* data_draw.c - draws coloured squares by escape sequences or as SVG. */
#include "data_draw.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool has(const char *variable, const char *word)
{
    const char *value = getenv(variable);

    return value != NULL && strstr(value, word) != NULL;
}

enum draw_depth draw_depth_of(FILE *out, const char *color)
{
    const char *refused = getenv("NO_COLOR");
    bool always = strcmp(color, "always") == 0;

    if (strcmp(color, "never") == 0)
        return DRAW_PLAIN;
    if (!always && ((refused != NULL && refused[0] != '\0') || !isatty(fileno(out))))
        return DRAW_PLAIN;
    if (has("COLORTERM", "truecolor") || has("COLORTERM", "24bit"))
        return DRAW_24_BIT;
    return always || has("TERM", "256color") ? DRAW_256 : DRAW_PLAIN;
}

int draw_width_of(FILE *out)
{
    struct winsize size = { 0 };

    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* A grid, and the size of the boxes between which lines are drawn. */
struct drawing {
    const struct data_kind *kind;
    const struct grid *grid;
    enum draw_depth depth;
    int box_rows, box_columns; /* the grid's size if it has no boxes */
};

static struct drawing drawing_of(const struct data_kind *kind, const struct grid *grid,
                                 enum draw_depth depth)
{
    struct drawing d = { kind, grid, depth, grid->rows > 0 ? grid->rows : 1,
                         grid->columns > 0 ? grid->columns : 1 };

    if (kind->boxes != NULL && grid->rows > 0)
        kind->boxes(grid->rows, &d.box_rows, &d.box_columns);
    return d;
}

/* Number of lines between the boxes of count rows or columns. */
static int lines_between(int count, int box)
{
    return count == 0 ? 0 : (count - 1) / box;
}

static int drawing_height(const struct drawing *d)
{
    return d->grid->rows + lines_between(d->grid->rows, d->box_rows);
}

/* Width in the terminal: two columns per cell and per line. */
static int drawing_width(const struct drawing *d)
{
    return 2 * (d->grid->columns + lines_between(d->grid->columns, d->box_columns));
}

/* The nearest of the 6 levels of a channel in the 256-colour palette; its index. */
static int level_of(int value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

static void print_cell(FILE *out, const struct drawing *d, uint8_t cell)
{
    struct data_look look = d->kind->look(cell);
    int red = look.colour >> 16 & 255, green = look.colour >> 8 & 255, blue = look.colour & 255;

    if (d->depth == DRAW_PLAIN || look.colour == DATA_NO_COLOUR)
        fprintf(out, " %c", look.text);
    else if (d->depth == DRAW_24_BIT)
        fprintf(out, "\033[48;2;%d;%d;%dm  \033[0m", red, green, blue);
    else
        fprintf(out, "\033[48;5;%dm  \033[0m",
                16 + 36 * level_of(red) + 6 * level_of(green) + level_of(blue));
}

/* Prints one line of the terminal, padded to the drawing's width unless it is the
 * last drawing. */
static void print_line(FILE *out, const struct drawing *d, int line, bool last)
{
    int columns = d->grid->columns, row = line - line / (d->box_rows + 1);

    if (line >= drawing_height(d)) {
        fprintf(out, "%*s", last ? 0 : drawing_width(d), "");
        return;
    }
    for (int c = 0; c < columns; c++) {
        bool between = line % (d->box_rows + 1) == d->box_rows;
        if (c > 0 && c % d->box_columns == 0)
            fputs(between ? "-+" : " |", out);
        if (between)
            fputs("--", out);
        else
            print_cell(out, d, d->grid->cells[row * columns + c]);
    }
}

static void print_drawing(FILE *out, const struct drawing *d)
{
    for (int line = 0; line < drawing_height(d); line++) {
        fputs("   ", out);
        print_line(out, d, line, true);
        fputc('\n', out);
    }
}

void draw_pair(FILE *out, const struct data_kind *kind, const struct grid *input,
               const struct grid *output, enum draw_depth depth, int width)
{
    static const char ARROW[] = "  -> ";
    struct drawing in = drawing_of(kind, input, depth);

    if (output == NULL) {
        print_drawing(out, &in);
        return;
    }
    struct drawing to = drawing_of(kind, output, depth);
    int height =
        drawing_height(&in) > drawing_height(&to) ? drawing_height(&in) : drawing_height(&to);
    if (3 + drawing_width(&in) + (int)strlen(ARROW) + drawing_width(&to) > width) {
        print_drawing(out, &in);
        fputs("   ->\n", out);
        print_drawing(out, &to);
        return;
    }
    for (int line = 0; line < height; line++) {
        fputs("   ", out);
        print_line(out, &in, line, false);
        fprintf(out, "%*s", (int)strlen(ARROW), line == 0 ? ARROW : "");
        print_line(out, &to, line, true);
        fputc('\n', out);
    }
}

enum { CELL = 16, MARGIN = 16, TITLE = 24 }; /* pixels */

static int svg_height(const struct grid *input, const struct grid *output)
{
    int rows = output != NULL && output->rows > input->rows ? output->rows : input->rows;

    return TITLE + CELL * rows + MARGIN;
}

void draw_svg_add(struct draw_svg *svg, const struct grid *input, const struct grid *output)
{
    int columns = input->columns + (output != NULL ? output->columns : 0);
    int width = 4 * MARGIN + CELL * columns;

    svg->width = width > svg->width ? width : svg->width;
    svg->height += svg_height(input, output);
}

void draw_svg_begin(FILE *out, const struct draw_svg *svg)
{
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"monospace\" font-size=\"12\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
            svg->width < 320 ? 320 : svg->width, svg->height + MARGIN);
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '&' || *text == '<' || *text == '>')
            fputs(*text == '&' ? "&amp;" : *text == '<' ? "&lt;" : "&gt;", out);
        else
            fputc(*text, out);
}

static void svg_grid(FILE *out, const struct data_kind *kind, const struct grid *grid, int x,
                     int y)
{
    struct drawing d = drawing_of(kind, grid, DRAW_PLAIN);

    for (int i = 0; i < grid->rows * grid->columns; i++) {
        struct data_look look = kind->look(grid->cells[i]);
        int left = x + CELL * (i % grid->columns), top = y + CELL * (i / grid->columns);
        fprintf(out,
                "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%06x\" "
                "stroke=\"#888888\"/>\n",
                left, top, CELL, CELL,
                look.colour == DATA_NO_COLOUR ? 0xffffffU : (unsigned)look.colour);
        if (look.colour == DATA_NO_COLOUR && look.text != '.')
            fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%c</text>\n",
                    left + CELL / 2, top + CELL * 3 / 4, look.text);
    }
    for (int r = d.box_rows; r < grid->rows; r += d.box_rows)
        fprintf(out, "<path d=\"M%d %dh%d\" stroke=\"#000000\" stroke-width=\"2\"/>\n", x,
                y + CELL * r, CELL * grid->columns);
    for (int c = d.box_columns; c < grid->columns; c += d.box_columns)
        fprintf(out, "<path d=\"M%d %dv%d\" stroke=\"#000000\" stroke-width=\"2\"/>\n",
                x + CELL * c, y, CELL * grid->rows);
}

void draw_svg_pair(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                   const char *title, const struct grid *input, const struct grid *output)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\">", MARGIN, svg->at + TITLE * 2 / 3);
    print_escaped(out, title);
    fputs("</text>\n", out);
    svg_grid(out, kind, input, MARGIN, svg->at + TITLE);
    if (output != NULL)
        svg_grid(out, kind, output, 3 * MARGIN + CELL * input->columns, svg->at + TITLE);
    svg->at += svg_height(input, output);
}

void draw_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}
