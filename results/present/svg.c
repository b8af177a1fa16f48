/* svg.c - the writer of pictures. */
#include "svg.h"

#include "error.h"
#include "markup.h"
#include "number.h"
#include "text_stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct svg {
    FILE *out;
    char *text; /* when out is closed */
    size_t size;
};

enum { HEAT_LEVELS = 16 };

/* Okabe and Ito's colours, told apart by the colour-blind; lighter ones on a dark
 * ground. Every rule names the picture's class: pictures stand in pages, too. */
static const char STYLE[] =
    ".hf text{font:12px system-ui,'Liberation Sans',Arial,sans-serif;fill:#222}"
    ".hf .title{font-size:15px;font-weight:600}"
    ".hf .panel{font-weight:600}"
    ".hf .small{font-size:11px}"
    ".hf text.muted{fill:#595959}"
    ".hf .ground{fill:#fff}"
    ".hf .axis{stroke:#595959;stroke-width:1;fill:none}"
    ".hf .grid{stroke:#e4e4e4;stroke-width:1;fill:none}"
    ".hf .zero{stroke:#595959;stroke-width:1;stroke-dasharray:2 3;fill:none}"
    ".hf .ink{stroke:#222;stroke-width:1.5;fill:none}"
    ".hf .faint{stroke:#8a8a8a;stroke-width:1.5;fill:none}"
    ".hf .absent{fill:#f2f2f2;stroke:#c8c8c8;stroke-dasharray:3 3}"
    ".hf .line{fill:none;stroke-width:2;stroke-linejoin:round}"
    ".hf .thin{fill:none;stroke-width:1.2}"
    ".hf .band{stroke:none;fill-opacity:.16}"
    ".hf .hollow{stroke-width:1.6;fill:none}"
    ".hf .bar{stroke:none;fill-opacity:.85}"
#define SERIES(name, color)                                                                    \
    ".hf ." name "{stroke:" color ";fill:" color "}"                                           \
    ".hf ." name ".line,.hf ." name ".thin,.hf ." name ".hollow{fill:none}"                    \
    ".hf ." name ".band,.hf ." name ".bar{stroke:none}"
    // clang-format off
    SERIES("s0", "#0072b2") SERIES("s1", "#d55e00") SERIES("s2", "#009e73")
    SERIES("s3", "#b65f92") SERIES("s4", "#b87f00") SERIES("s5", "#3a9bd4")
    SERIES("s6", "#555555") SERIES("s7", "#7b5fb5") SERIES("reference", "#222")
    // clang-format on
    ".hf .s1.line{stroke-dasharray:7 3}.hf .s2.line{stroke-dasharray:2 3}"
    ".hf .s3.line{stroke-dasharray:9 3 2 3}.hf .s5.line{stroke-dasharray:5 2}"
    ".hf .s6.line{stroke-dasharray:1 4}.hf .s7.line{stroke-dasharray:12 4}"
    ".hf .again.line{stroke-dasharray:3 2 8 2 3 5}"
    ".hf .reference.line{stroke-dasharray:4 4;stroke-width:1.2}"
    ".hf .higher{stroke:#0072b2;fill:#0072b2;stroke-width:2}"
    ".hf .lower{stroke:#d55e00;fill:#d55e00;stroke-width:2}"
    ".hf .open{stroke:#767676;fill:#767676;stroke-width:2}"
    "@media screen and (prefers-color-scheme:dark){"
    ".hf text{fill:#e6e6e6}.hf text.muted{fill:#b0b0b0}"
    ".hf .ground{fill:#16181c}.hf .axis,.hf .zero{stroke:#b0b0b0}.hf .grid{stroke:#34373d}"
    ".hf .ink{stroke:#e6e6e6}.hf .faint{stroke:#8a8a8a}"
    ".hf .absent{fill:#22252b;stroke:#4a4d55}"
    // clang-format off
    SERIES("s0", "#56b4e9") SERIES("s1", "#f08a4b") SERIES("s2", "#2fc79c")
    SERIES("s3", "#e39bc3") SERIES("s4", "#f2b134") SERIES("s5", "#9ad4f5")
    SERIES("s6", "#b8b8b8") SERIES("s7", "#b7a3ec") SERIES("reference", "#e6e6e6")
    // clang-format on
    ".hf .higher{stroke:#56b4e9;fill:#56b4e9}.hf .lower{stroke:#f08a4b;fill:#f08a4b}"
    ".hf .open{stroke:#9a9a9a;fill:#9a9a9a}}";
#undef SERIES

/* Levels of heat maps, which rise from near the ground: light to dark, on a dark ground
 * dark to light, so that they are read without colours, too. Text on them is black or
 * white, with a contrast of 4.5 at least. */
static const char HEAT_STYLE[] =
#define HEAT(name, color, text)                                                                \
    ".hf rect." name "{fill:" color "}.hf text." name "{fill:" text "}"
    // clang-format off
    HEAT("v0", "#f3f7fb", "#000") HEAT("v1", "#e7f0f8", "#000")
    HEAT("v2", "#dbe8f5", "#000") HEAT("v3", "#cfe1f1", "#000")
    HEAT("v4", "#c0d8ed", "#000") HEAT("v5", "#a8cce7", "#000")
    HEAT("v6", "#8fc0e0", "#000") HEAT("v7", "#77b4d9", "#000")
    HEAT("v8", "#61a6d2", "#000") HEAT("v9", "#4d96c9", "#000")
    HEAT("v10", "#3a85c0", "#000") HEAT("v11", "#2675b7", "#fff")
    HEAT("v12", "#1c64a6", "#fff") HEAT("v13", "#155392", "#fff")
    HEAT("v14", "#0f417f", "#fff") HEAT("v15", "#08306b", "#fff")
    "@media screen and (prefers-color-scheme:dark){"
    HEAT("v0", "#1e242c", "#fff") HEAT("v1", "#1e2d3d", "#fff")
    HEAT("v2", "#1d364e", "#fff") HEAT("v3", "#1d3f5e", "#fff")
    HEAT("v4", "#1d496f", "#fff") HEAT("v5", "#1f5581", "#fff")
    HEAT("v6", "#206093", "#fff") HEAT("v7", "#216ca4", "#fff")
    HEAT("v8", "#2779b4", "#fff") HEAT("v9", "#3286c1", "#000")
    HEAT("v10", "#3d93ce", "#000") HEAT("v11", "#47a0dc", "#000")
    HEAT("v12", "#5baee5", "#000") HEAT("v13", "#72bcee", "#000")
    HEAT("v14", "#88caf6", "#000") HEAT("v15", "#9fd8ff", "#000") "}";
// clang-format on
#undef HEAT

const char *svg_style(void)
{
    return STYLE;
}

const char *svg_heat_style(void)
{
    return HEAT_STYLE;
}

/* Hundredths of a pixel are enough. */
static void write_length(FILE *out, double value)
{
    char text[NUMBER_TEXT_SIZE];

    fputs(number_trimmed(text, value, 2), out);
}

static void write_attribute(struct svg *svg, const char *name, double value)
{
    fprintf(svg->out, " %s=\"", name);
    write_length(svg->out, value);
    fputc('"', svg->out);
}

static void write_class(struct svg *svg, const char *class_name)
{
    fputs(" class=\"", svg->out);
    markup_text(svg->out, class_name);
    fputc('"', svg->out);
}

/* Ends a shape's tag, with the tooltip inside it. */
static void end_shape(struct svg *svg, const char *element, const char *tooltip)
{
    if (tooltip == NULL) {
        fputs("/>\n", svg->out);
        return;
    }
    fputs("><title>", svg->out);
    markup_text(svg->out, tooltip);
    fprintf(svg->out, "</title></%s>\n", element);
}

int svg_create(struct svg **out, double width, double height, const char *title,
               const char *description, bool standalone, struct error *err)
{
    struct svg *svg = calloc(1, sizeof *svg);

    *out = NULL;
    if (svg != NULL)
        svg->out = text_stream_open(&svg->text, &svg->size);
    if (svg == NULL || svg->out == NULL) {
        free(svg);
        return error_no_memory(err, "a figure");
    }
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"hf\" role=\"img\"", svg->out);
    write_attribute(svg, "width", width);
    write_attribute(svg, "height", height);
    fputs(" viewBox=\"0 0 ", svg->out);
    write_length(svg->out, width);
    fputc(' ', svg->out);
    write_length(svg->out, height);
    fputs("\">\n<title>", svg->out);
    markup_text(svg->out, title);
    fputs("</title>\n<desc>", svg->out);
    markup_text(svg->out, description);
    fputs("</desc>\n", svg->out);
    if (standalone) {
        fprintf(svg->out, "<style>%s%s</style>\n", STYLE, HEAT_STYLE);
        svg_rect(svg, "ground", 0, 0, width, height, NULL);
    }
    *out = svg;
    return 0;
}

void svg_destroy(struct svg *svg)
{
    if (svg == NULL)
        return;
    fclose(svg->out);
    free(svg->text);
    free(svg);
}

int svg_finish(struct svg *svg, char **out, struct error *err)
{
    fputs("</svg>\n", svg->out);
    bool fails = fclose(svg->out) != 0;

    *out = svg->text;
    free(svg);
    return fails ? error_no_memory(err, "a figure") : 0;
}

void svg_group(struct svg *svg, double x, double y)
{
    fputs("<g transform=\"translate(", svg->out);
    write_length(svg->out, x);
    fputc(' ', svg->out);
    write_length(svg->out, y);
    fputs(")\">\n", svg->out);
}

void svg_end_group(struct svg *svg)
{
    fputs("</g>\n", svg->out);
}

void svg_line(struct svg *svg, const char *class_name, double x1, double y1, double x2,
              double y2, const char *tooltip)
{
    fputs("<line", svg->out);
    write_class(svg, class_name);
    write_attribute(svg, "x1", x1);
    write_attribute(svg, "y1", y1);
    write_attribute(svg, "x2", x2);
    write_attribute(svg, "y2", y2);
    end_shape(svg, "line", tooltip);
}

static void write_box(struct svg *svg, double x, double y, double width, double height)
{
    write_attribute(svg, "x", x);
    write_attribute(svg, "y", y);
    write_attribute(svg, "width", width);
    write_attribute(svg, "height", height);
}

void svg_rect(struct svg *svg, const char *class_name, double x, double y, double width,
              double height, const char *tooltip)
{
    fputs("<rect", svg->out);
    write_class(svg, class_name);
    write_box(svg, x, y, width, height);
    end_shape(svg, "rect", tooltip);
}

void svg_cell(struct svg *svg, unsigned color, double x, double y, double width, double height,
              const char *tooltip)
{
    fprintf(svg->out, "<rect fill=\"#%06x\"", color & 0xffffffU);
    write_box(svg, x, y, width, height);
    end_shape(svg, "rect", tooltip);
}

static void write_points(struct svg *svg, const double *points, int count)
{
    for (int i = 0; i < count; i++) {
        fputs(i == 0 ? "M" : "L", svg->out);
        write_length(svg->out, points[2 * i]);
        fputc(' ', svg->out);
        write_length(svg->out, points[2 * i + 1]);
    }
}

void svg_path(struct svg *svg, const char *class_name, const double *points, int count,
              bool closed)
{
    if (count < 2)
        return;
    fputs("<path", svg->out);
    write_class(svg, class_name);
    fputs(" d=\"", svg->out);
    write_points(svg, points, count);
    fputs(closed ? "Z\"/>\n" : "\"/>\n", svg->out);
}

/* Corners of the marks on a circle of radius 1; the first mark is the circle itself. */
static const struct {
    int count;
    double corners[16];
} MARKS[SVG_SERIES] = {
    { 0, { 0 } },
    { 4, { -.85, -.85, .85, -.85, .85, .85, -.85, .85 } },
    { 3, { 0, -1.15, 1.05, .8, -1.05, .8 } },
    { 4, { 0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0 } },
    { 3, { 0, 1.15, 1.05, -.8, -1.05, -.8 } },
    { 4, { -1.2, -.5, 1.2, -.5, 1.2, .5, -1.2, .5 } },
    { 6, { 1.1, 0, .55, .95, -.55, .95, -1.1, 0, -.55, -.95, .55, -.95 } },
    { 4, { -.5, -1.2, .5, -1.2, .5, 1.2, -.5, 1.2 } },
};

const char *svg_series_class(char out[SVG_CLASS_SIZE], int style, const char *kind)
{
    if (style == SVG_REFERENCE)
        snprintf(out, SVG_CLASS_SIZE, "reference %s", kind);
    else
        snprintf(out, SVG_CLASS_SIZE, "s%d %s%s", style % SVG_SERIES, kind,
                 style >= SVG_SERIES ? " again" : "");
    return out;
}

/* Which of the marks: those of the second half are shifted against the colours. */
static int mark_of(int style)
{
    enum { SHIFT = 3, OF_REFERENCE = 6 };

    return style == SVG_REFERENCE ? OF_REFERENCE
                                  : (style + style / SVG_SERIES * SHIFT) % SVG_SERIES;
}

const char *svg_heat_class(char out[SVG_CLASS_SIZE], double share)
{
    double inside = share <= 0 ? 0 : share >= 1 ? 1 : share;

    snprintf(out, SVG_CLASS_SIZE, "v%d", (int)lround(inside * (HEAT_LEVELS - 1)));
    return out;
}

void svg_mark(struct svg *svg, int style, double x, double y, double radius, bool hollow,
              const char *tooltip)
{
    int index = mark_of(style);
    char class_name[SVG_CLASS_SIZE];
    double points[16] = { 0 };

    svg_series_class(class_name, style, hollow ? "hollow" : "mark");
    if (MARKS[index].count == 0) {
        fputs("<circle", svg->out);
        write_class(svg, class_name);
        write_attribute(svg, "cx", x);
        write_attribute(svg, "cy", y);
        write_attribute(svg, "r", radius);
        end_shape(svg, "circle", tooltip);
        return;
    }
    for (int i = 0; i < MARKS[index].count; i++) {
        points[2 * i] = x + radius * MARKS[index].corners[2 * i];
        points[2 * i + 1] = y + radius * MARKS[index].corners[2 * i + 1];
    }
    fputs("<path", svg->out);
    write_class(svg, class_name);
    fputs(" d=\"", svg->out);
    write_points(svg, points, MARKS[index].count);
    fputs("Z\"", svg->out);
    end_shape(svg, "path", tooltip);
}

static void write_text(struct svg *svg, const char *class_name, const char *text)
{
    if (class_name[0] != '\0')
        write_class(svg, class_name);
    fputc('>', svg->out);
    markup_text(svg->out, text);
    fputs("</text>\n", svg->out);
}

void svg_text(struct svg *svg, const char *class_name, double x, double y,
              enum svg_anchor anchor, const char *text)
{
    static const char *const ANCHORS[] = { "", " text-anchor=\"middle\"",
                                           " text-anchor=\"end\"" };

    fputs("<text", svg->out);
    write_attribute(svg, "x", x);
    write_attribute(svg, "y", y);
    fputs(ANCHORS[anchor], svg->out);
    write_text(svg, class_name, text);
}

void svg_text_upwards(struct svg *svg, const char *class_name, double x, double y,
                      const char *text)
{
    fputs("<text text-anchor=\"middle\" transform=\"translate(", svg->out);
    write_length(svg->out, x);
    fputc(' ', svg->out);
    write_length(svg->out, y);
    fputs(") rotate(-90)\"", svg->out);
    write_text(svg, class_name, text);
}

double svg_text_width(const char *text, double font_size)
{
    double width = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (((unsigned char)*p & 0xc0) == 0x80)
            continue; /* not the first byte of a character */
        if ((unsigned char)*p >= 0xe3)
            width += 1; /* from U+3000 on: Chinese, Japanese, Korean */
        else if (strchr("ijl.,:;'|!() ft[]", *p) != NULL)
            width += 0.33;
        else if (strchr("mwMW@%", *p) != NULL)
            width += 0.88;
        else
            width += (*p >= 'A' && *p <= 'Z') ? 0.68 : 0.57;
    }
    return width * font_size;
}
