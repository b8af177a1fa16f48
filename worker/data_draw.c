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
    int box_rows, box_columns;   /* the grid's size if it has no boxes */
    const struct grid *solution; /* cells that differ are marked; NULL: none is known */
};

static struct drawing drawing_of(const struct data_kind *kind, const struct grid *grid,
                                 enum draw_depth depth)
{
    struct drawing d = { kind,
                         grid,
                         depth,
                         grid->rows > 0 ? grid->rows : 1,
                         grid->columns > 0 ? grid->columns : 1,
                         NULL };

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

/* Whether a cell of the grid is not as in the solution; where the sizes differ, all
 * are. */
static bool is_wrong(const struct grid *grid, const struct grid *solution, int cell)
{
    return solution != NULL &&
           (grid->rows != solution->rows || grid->columns != solution->columns ||
            grid->cells[cell] != solution->cells[cell]);
}

/* One of the three channels of a colour 0xRRGGBB, 0 to 255. */
static int channel(int32_t colour, int shift)
{
    return (int)((unsigned)colour >> shift & 255);
}

/* Whether black is read better on the colour than white. */
static bool is_bright(int32_t colour)
{
    return channel(colour, 16) + 2 * channel(colour, 8) + channel(colour, 0) > 510;
}

static void print_cell(FILE *out, const struct drawing *d, int cell)
{
    struct data_look look = d->kind->look(d->grid->cells[cell]);
    int red = channel(look.colour, 16), green = channel(look.colour, 8),
        blue = channel(look.colour, 0);
    bool wrong = is_wrong(d->grid, d->solution, cell);
    const char *ink = wrong ? is_bright(look.colour) ? "\033[30m" : "\033[97m" : "";

    if (d->depth == DRAW_PLAIN || look.colour == DATA_NO_COLOUR)
        fprintf(out, "%c%c", wrong ? '*' : ' ', look.text);
    else if (d->depth == DRAW_24_BIT)
        fprintf(out, "\033[48;2;%d;%d;%dm%s%s\033[0m", red, green, blue, ink,
                wrong ? "><" : "  ");
    else
        fprintf(out, "\033[48;5;%dm%s%s\033[0m",
                16 + 36 * level_of(red) + 6 * level_of(green) + level_of(blue), ink,
                wrong ? "><" : "  ");
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
            print_cell(out, d, row * columns + c);
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

enum { GAP = 3 }; /* columns between drawings */

static int item_width(const struct drawing *d, const struct draw_item *item)
{
    int drawn = drawing_width(d), caption = (int)strlen(item->caption);

    return drawn > caption ? drawn : caption;
}

static struct drawing drawing_of_item(const struct data_kind *kind,
                                      const struct draw_item *item, enum draw_depth depth)
{
    struct drawing d = drawing_of(kind, item->grid, depth);

    d.solution = item->solution;
    return d;
}

/* How many of the items, one at least, fit side by side; *height: the lines of the
 * highest. */
static int fitting_items(int *height, const struct data_kind *kind,
                         const struct draw_item *items, int count, int width)
{
    int used = 0, fit = 0;

    *height = 0;
    for (; fit < count; fit++) {
        struct drawing d = drawing_of_item(kind, &items[fit], DRAW_PLAIN);

        used += GAP + item_width(&d, &items[fit]);
        if (fit > 0 && used > width)
            break;
        *height = drawing_height(&d) > *height ? drawing_height(&d) : *height;
    }
    return fit;
}

void draw_items(FILE *out, const struct data_kind *kind, const struct draw_item *items,
                int count, enum draw_depth depth, int width)
{
    for (int first = 0, fit, height; first < count; first += fit) {
        fit = fitting_items(&height, kind, items + first, count - first, width);
        for (int line = -1; line < height; line++) {
            for (int i = first; i < first + fit; i++) {
                struct drawing d = drawing_of_item(kind, &items[i], depth);
                int wide = item_width(&d, &items[i]), drawn = drawing_width(&d);

                if (line < 0) {
                    fprintf(out, "%*s%-*s", GAP, "", wide, items[i].caption);
                    continue;
                }
                fprintf(out, "%*s", GAP, "");
                print_line(out, &d, line, false);
                fprintf(out, "%*s", wide - drawn, "");
            }
            fputc('\n', out);
        }
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

/* The squares of kinds with colours have the same in light and in dark surroundings;
 * ground, text and squares without a colour follow them. Rules name the drawing's
 * class: drawings stand in reports, too. */
static const char STYLE[] =
    ".hd text{fill:#222}.hd .ground,.hd .plain{fill:#fff}.hd .square{stroke:#888}"
    ".hd .box{fill:none;stroke:#222;stroke-width:2}"
    ".hd .wrong{fill:none;stroke-width:2}.hd .wrong.frame{stroke:#c24a00}"
    ".hd .wrong.bright{stroke:#000}.hd .wrong.deep{stroke:#fff}"
    "@media screen and (prefers-color-scheme:dark){.hd text{fill:#e6e6e6}.hd "
    ".ground{fill:#16181c}"
    ".hd .plain{fill:#22252b}.hd .box{stroke:#e6e6e6}.hd .wrong.frame{stroke:#f08a4b}}";

void draw_svg_begin(FILE *out, const struct draw_svg *svg)
{
    int width = svg->width < 320 ? 320 : svg->width, height = svg->height + MARGIN;

    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hd\" width=\"%d\" "
            "height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"monospace\" "
            "font-size=\"12\">\n"
            "<style>%s</style>\n"
            "<rect class=\"ground\" width=\"100%%\" height=\"100%%\"/>\n",
            width, height, width, height, STYLE);
}

static void print_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '&' || *text == '<' || *text == '>')
            fputs(*text == '&' ? "&amp;" : *text == '<' ? "&lt;" : "&gt;", out);
        else
            fputc(*text, out);
}

/* A cell's square, with its character if it has no colour. */
static void svg_square(FILE *out, struct data_look look, int left, int top)
{
    bool plain = look.colour == DATA_NO_COLOUR;

    fprintf(out, "<rect class=\"square%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
            plain ? " plain" : "", left, top, CELL, CELL);
    if (!plain)
        fprintf(out, " fill=\"#%06x\"", (unsigned)look.colour);
    fputs("/>\n", out);
    if (plain && look.text != '.')
        fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%c</text>\n",
                left + CELL / 2, top + CELL * 3 / 4, look.text);
}

/* Marks a wrong cell: a frame around a character, which stays readable; a cross over a
 * square, black on bright colours and white on deep ones. */
static void svg_wrong(FILE *out, struct data_look look, int left, int top)
{
    enum { INSET = 2, CROSS = 3 };

    if (look.colour == DATA_NO_COLOUR)
        fprintf(out, "<path class=\"wrong frame\" d=\"M%d %dh%dv%dh%dz\"/>\n", left + INSET,
                top + INSET, CELL - 2 * INSET, CELL - 2 * INSET, 2 * INSET - CELL);
    else
        fprintf(out, "<path class=\"wrong %s\" d=\"M%d %dl%d %dm0 %dl%d %d\"/>\n",
                is_bright(look.colour) ? "bright" : "deep", left + CROSS, top + CROSS,
                CELL - 2 * CROSS, CELL - 2 * CROSS, 2 * CROSS - CELL, 2 * CROSS - CELL,
                CELL - 2 * CROSS);
}

static void svg_grid(FILE *out, const struct data_kind *kind, const struct grid *grid,
                     const struct grid *solution, int x, int y)
{
    struct drawing d = drawing_of(kind, grid, DRAW_PLAIN);

    for (int i = 0; i < grid->rows * grid->columns; i++) {
        struct data_look look = kind->look(grid->cells[i]);
        int left = x + CELL * (i % grid->columns), top = y + CELL * (i / grid->columns);

        svg_square(out, look, left, top);
        if (is_wrong(grid, solution, i))
            svg_wrong(out, look, left, top);
    }
    for (int r = d.box_rows; r < grid->rows; r += d.box_rows)
        fprintf(out, "<path class=\"box\" d=\"M%d %dh%d\"/>\n", x, y + CELL * r,
                CELL * grid->columns);
    for (int c = d.box_columns; c < grid->columns; c += d.box_columns)
        fprintf(out, "<path class=\"box\" d=\"M%d %dv%d\"/>\n", x + CELL * c, y,
                CELL * grid->rows);
}

void draw_svg_pair(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                   const char *title, const struct grid *input, const struct grid *output)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\">", MARGIN, svg->at + TITLE * 2 / 3);
    print_escaped(out, title);
    fputs("</text>\n", out);
    svg_grid(out, kind, input, NULL, MARGIN, svg->at + TITLE);
    if (output != NULL)
        svg_grid(out, kind, output, NULL, 3 * MARGIN + CELL * input->columns, svg->at + TITLE);
    svg->at += svg_height(input, output);
}

/* MOST_LINE: two grids of 30 columns side by side, a little more than a report's
 * page. */
enum { MOST_LINE = 1040, GAP_OF_ITEMS = 24, TENTHS_OF_LETTER = 73 };

static int svg_item_width(const struct draw_item *item)
{
    int drawn = CELL * item->grid->columns;
    int caption = (int)strlen(item->caption) * TENTHS_OF_LETTER / 10;

    return GAP_OF_ITEMS + (drawn > caption ? drawn : caption);
}

/* How many of the items, one at least, fit side by side; *width and *height: of their
 * line. */
static int fit_svg_items(int *width, int *height, const struct draw_item *items, int count)
{
    int fit = 0, rows = 0;

    *width = MARGIN;
    for (; fit < count; fit++) {
        int wider = *width + svg_item_width(&items[fit]);

        if (fit > 0 && wider > MOST_LINE)
            break;
        *width = wider;
        rows = items[fit].grid->rows > rows ? items[fit].grid->rows : rows;
    }
    *height = TITLE + CELL * rows + MARGIN;
    return fit;
}

void draw_svg_add_items(struct draw_svg *svg, const struct draw_item *items, int count)
{
    svg->height += TITLE;
    for (int first = 0, width, height; first < count;) {
        first += fit_svg_items(&width, &height, items + first, count - first);
        svg->width = width > svg->width ? width : svg->width;
        svg->height += height;
    }
}

static void svg_item(FILE *out, const struct data_kind *kind, const struct draw_item *item,
                     int x, int y)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\">", x, y + TITLE * 2 / 3);
    print_escaped(out, item->caption);
    fputs("</text>\n", out);
    if (item->grid->rows == 0 || item->grid->columns == 0)
        fprintf(out, "<text x=\"%d\" y=\"%d\">(no cells)</text>\n", x,
                y + TITLE + CELL * 3 / 4);
    svg_grid(out, kind, item->grid, item->solution, x, y + TITLE);
}

void draw_svg_items(FILE *out, struct draw_svg *svg, const struct data_kind *kind,
                    const char *title, const struct draw_item *items, int count)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">", MARGIN,
            svg->at + TITLE * 2 / 3);
    print_escaped(out, title);
    fputs("</text>\n", out);
    svg->at += TITLE;
    for (int first = 0, fit, width, height; first < count; first += fit) {
        int x = MARGIN;

        fit = fit_svg_items(&width, &height, items + first, count - first);
        for (int i = first; i < first + fit; i++) {
            svg_item(out, kind, &items[i], x, svg->at);
            x += svg_item_width(&items[i]);
        }
        svg->at += height;
    }
}

void draw_svg_end(FILE *out)
{
    fputs("</svg>\n", out);
}
