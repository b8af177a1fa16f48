/* document.c - writes HTML, pages of hrmlab-serve, and Markdown. */
#include "document.h"

#include "error.h"
#include "markup.h"
#include "svg.h"
#include "text.h"
#include "text_stream.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct document {
    enum document_form form;
    FILE *out;
    char *text; /* when out is closed */
    size_t size;
    bool section;    /* whether a section is open */
    bool incomplete; /* a part of the text is missing for lack of memory */
    int columns, column;
    enum document_column kinds[DOCUMENT_COLUMNS];
};

/* For the screen, light and dark, and for A4 paper. */
static const char STYLE[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,'Liberation Sans',Arial,sans-serif;color:#222;"
    "background:#fff;max-width:76rem;margin:0 auto;padding:1rem 1.2rem 4rem;"
    "overflow-wrap:break-word}"
    "h1{font-size:1.7rem;line-height:1.25;margin:1rem 0 .3rem}"
    "h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-bottom:1px solid #c8c8c8}"
    "h3{font-size:1.05rem;margin:1.4rem 0 .4rem}h4{font-size:1rem;margin:1rem 0 .3rem}"
    "caption{text-align:left;color:#595959;font-size:.86rem;padding:.2rem 0}"
    "p,pre{max-width:60rem}p{margin:.5rem 0}.note{color:#595959;font-size:.86rem}"
    "nav{font-size:.9rem}nav a{margin-right:1rem;white-space:nowrap}a{color:#0062a3}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-size:.88rem;margin:.5rem 0}"
    "th,td{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}"
    "th{border-bottom:1px solid #595959}tbody tr:nth-child(even){background:#f5f6f8}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".t{white-space:nowrap}"
    "figure{margin:1rem 0}figcaption{font-size:.88rem}svg{max-width:100%;height:auto}"
    ".wide>svg{min-width:36rem}" /* narrower, its letters could not be read */
    ".grids{display:inline-block;vertical-align:top;max-width:100%;margin-right:2rem}"
    ".grids figcaption{contain:inline-size}"
    "pre{font-size:.82rem;background:#f5f6f8;padding:.6rem .8rem;overflow-x:auto;"
    "white-space:pre-wrap;overflow-wrap:anywhere}"
    "@media screen and (prefers-color-scheme:dark){"
    "body{color:#e6e6e6;background:#16181c}h2{border-color:#4a4d55}.note,caption{color:#b0b0b0}"
    "a{color:#7cc0f5}th{border-color:#b0b0b0}tbody tr:nth-child(even),pre{background:#20242a}}"
    "@page{size:A4;margin:16mm 14mm}"
    "@media print{body{font-size:10.5pt;max-width:none;padding:0}nav{display:none}"
    "pre{font-size:7.5pt;line-height:1.3;orphans:4;widows:8}p:not(.note)+pre{break-inside:"
    "avoid}"
    "h2,h3,h4,caption,h3+.note{break-after:avoid}figure,tr,figcaption{break-inside:avoid}"
    "thead,tbody tr:nth-child(-n+3):not(:last-child){break-after:avoid}"
    "tbody tr:nth-last-child(-n+2){break-before:avoid}"
    "h3+p,.wide+.note{break-before:avoid}thead{display:table-header-group}"
    "p:has(+.wide),h2+p:has(+h3),h2+p:has(+pre){break-after:avoid;break-inside:avoid}"
    ".grids{margin:.2rem .5rem .2rem 0}.grids svg{zoom:.85}"
    ".wide{overflow:visible}.wide>svg{min-width:0;max-height:255mm}"
    "table{font-size:8.5pt}th,td{padding-right:.5rem}}";

/* Decodes an entity that Markdown does not need; 0: there is none. */
static char plain_of(const char **at)
{
    static const struct {
        const char *entity;
        char plain;
    } QUOTES[] = { { "&#39;", '\'' }, { "&quot;", '"' } };

    for (size_t i = 0; i < sizeof QUOTES / sizeof *QUOTES; i++)
        if (strncmp(*at, QUOTES[i].entity, strlen(QUOTES[i].entity)) == 0) {
            *at += strlen(QUOTES[i].entity) - 1;
            return QUOTES[i].plain;
        }
    return 0;
}

/* Escapes Markdown's special characters with a backslash, also where a table's cell
 * would end or a line would begin a list. Line ends become spaces. */
static void write_plain(struct document *document, const char *text)
{
    char *escaped;
    size_t size;
    FILE *copy = text_stream_open(&escaped, &size);

    if (copy != NULL)
        markup_text(copy, text); /* escapes < > &, removes control characters */
    if (copy == NULL || fclose(copy) != 0) {
        document->incomplete = true;
        return;
    }
    for (const char *p = escaped; *p != '\0'; p++) {
        char plain = plain_of(&p);

        if (plain == 0 &&
            (strchr("\\`*_[]|~", *p) != NULL || (p == escaped && strchr("#-+", *p) != NULL)))
            fputc('\\', document->out);
        fputc(plain != 0 ? plain : *p, document->out);
    }
    free(escaped);
}

static void write_text(struct document *document, const char *text)
{
    if (document->form != DOCUMENT_MARKDOWN)
        markup_text(document->out, text);
    else if (text != NULL)
        write_plain(document, text);
}

static bool is_html(const struct document *document)
{
    return document->form != DOCUMENT_MARKDOWN;
}

enum document_form document_form(const struct document *document)
{
    return document->form;
}

const char *document_style(void)
{
    return STYLE;
}

/* Begins a document without content. */
static int begin(struct document **out, enum document_form form, struct error *err)
{
    struct document *document = calloc(1, sizeof *document);

    *out = NULL;
    if (document != NULL)
        document->out = text_stream_open(&document->text, &document->size);
    if (document == NULL || document->out == NULL) {
        free(document);
        return error_no_memory(err, "a report");
    }
    document->form = form;
    *out = document;
    return 0;
}

static void begin_html(struct document *document)
{
    fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
          "<head><meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
          document->out);
}

int document_create(struct document **out, enum document_form form, const char *title,
                    struct error *err)
{
    struct document *document;
    int rc = begin(&document, form, err);

    *out = document;
    if (rc != 0)
        return rc;
    if (form == DOCUMENT_HTML) {
        begin_html(document);
        fputs("<meta http-equiv=\"Content-Security-Policy\" "
              "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<title>",
              document->out);
        write_text(document, title);
        fprintf(document->out, "</title>\n<style>%s%s%s</style>\n</head>\n<body>\n<main>\n<h1>",
                STYLE, svg_style(), svg_heat_style());
        write_text(document, title);
        fputs("</h1>\n", document->out);
    } else {
        fputs("# ", document->out);
        write_text(document, title);
        fputs("\n\n", document->out);
    }
    return 0;
}

/* Writes an attribute with its value escaped. */
static void write_attribute(struct document *document, const char *name, const char *value)
{
    fprintf(document->out, " %s=\"", name);
    markup_text(document->out, value);
    fputc('"', document->out);
}

static void write_navigation(struct document *document, const struct document_frame *frame)
{
    fputs("<header><nav aria-label=\"Pages\">", document->out);
    for (int i = 0; i < frame->link_count; i++) {
        const char *address = frame->links[i][0];

        fputs("<a", document->out);
        write_attribute(document, "href", address);
        if (frame->current != NULL && strcmp(frame->current, address) == 0)
            write_attribute(document, "aria-current", "page");
        fputc('>', document->out);
        write_text(document, frame->links[i][1]);
        fputs("</a> ", document->out);
    }
    /* what the script says: whether the page is kept up to date, what is pointed at */
    fputs("</nav><p id=\"live\" role=\"status\"></p></header>\n"
          "<div id=\"tip\" aria-hidden=\"true\"></div>\n",
          document->out);
}

int document_create_page(struct document **out, const struct document_frame *frame,
                         const char *title, struct error *err)
{
    struct document *document;
    int rc = begin(&document, DOCUMENT_PAGE, err);

    *out = document;
    if (rc != 0)
        return rc;
    begin_html(document);
    fputs("<title>", document->out);
    write_text(document, title);
    fputs(" - hrmlab</title>\n<link rel=\"icon\" href=\"data:,\"/>\n<link rel=\"stylesheet\"",
          document->out);
    write_attribute(document, "href", frame->style);
    fputs("/>\n<script defer=\"defer\"", document->out);
    write_attribute(document, "src", frame->script);
    fputs("></script>\n</head>\n<body>\n"
          "<a class=\"skip\" href=\"#content\">Skip to the content</a>\n",
          document->out);
    write_navigation(document, frame);
    fputs("<main id=\"content\" tabindex=\"-1\">\n<h1>", document->out);
    write_text(document, title);
    fputs("</h1>\n", document->out);
    return 0;
}

void document_destroy(struct document *document)
{
    if (document == NULL)
        return;
    fclose(document->out);
    free(document->text);
    free(document);
}

int document_finish(struct document *document, char **out, struct error *err)
{
    if (is_html(document))
        fprintf(document->out, "%s</main>\n</body>\n</html>\n",
                document->section ? "</section>\n" : "");
    bool fails = fclose(document->out) != 0 || document->incomplete;

    *out = fails ? NULL : document->text;
    if (fails)
        free(document->text);
    free(document);
    return fails ? error_no_memory(err, "a report") : 0;
}

void document_section(struct document *document, const char *id, const char *title)
{
    if (is_html(document)) {
        fprintf(document->out, "%s<section id=\"", document->section ? "</section>\n" : "");
        write_text(document, id);
        fputs("\"><h2>", document->out);
        write_text(document, title);
        fputs("</h2>\n", document->out);
    } else {
        fputs("## ", document->out);
        write_text(document, title);
        fputs("\n\n", document->out);
    }
    document->section = true;
}

/* Writes a block of text between tags, or between empty lines. */
static void write_block(struct document *document, const char *before, const char *after,
                        const char *markdown, const char *text)
{
    document->incomplete = document->incomplete || text == NULL;
    fputs(is_html(document) ? before : markdown, document->out);
    write_text(document, text);
    fputs(is_html(document) ? after : "\n\n", document->out);
}

void document_heading(struct document *document, const char *title)
{
    write_block(document, "<h3>", "</h3>\n", "### ", title);
}

void document_subheading(struct document *document, const char *title)
{
    write_block(document, "<h4>", "</h4>\n", "#### ", title);
}

void document_paragraph(struct document *document, const char *text)
{
    write_block(document, "<p>", "</p>\n", "", text);
}

void document_say(struct document *document, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    document_paragraph(document, text);
    free(text);
}

void document_note(struct document *document, const char *text)
{
    write_block(document, "<p class=\"note\">", "</p>\n", "", text);
}

void document_code(struct document *document, const char *text)
{
    if (is_html(document)) {
        fputs("<pre>", document->out);
        markup_lines(document->out, text);
        fputs("</pre>\n", document->out);
        return;
    }
    fputs("    ", document->out); /* an indented block, which no text can end */
    for (const char *p = text; *p != '\0'; p++)
        if (*p == '\n')
            fputs(p[1] != '\0' ? "\n    " : "", document->out);
        else if ((unsigned char)*p >= ' ' && *p != 0x7f)
            fputc(*p, document->out);
    fputs("\n\n", document->out);
}

void document_contents(struct document *document, const char *const (*sections)[2], int count)
{
    if (!is_html(document))
        return;
    fputs("<nav aria-label=\"Sections\">", document->out);
    for (int i = 0; i < count; i++) {
        fputs("<a href=\"#", document->out);
        write_text(document, sections[i][0]);
        fputs("\">", document->out);
        write_text(document, sections[i][1]);
        fputs("</a> ", document->out);
    }
    fputs("</nav>\n", document->out);
}

/* Writes a link around the text if the document is a page and there is a target. */
static void begin_link(struct document *document, const struct document_target *target)
{
    if (target == NULL || document->form != DOCUMENT_PAGE)
        return;
    char *address = markup_path(target->page, target->name, target->detail);

    document->incomplete = document->incomplete || address == NULL;
    fputs("<a", document->out);
    write_attribute(document, "href", address);
    fputc('>', document->out);
    free(address);
}

static void end_link(struct document *document, const struct document_target *target)
{
    if (target != NULL && document->form == DOCUMENT_PAGE)
        fputs("</a>", document->out);
}

void document_link(struct document *document, const char *text,
                   const struct document_target *target)
{
    fputs(is_html(document) ? "<p>" : "", document->out);
    begin_link(document, target);
    write_text(document, text);
    end_link(document, target);
    fputs(is_html(document) ? "</p>\n" : "\n\n", document->out);
}

static void begin_html_table(struct document *document, const char *caption,
                             const struct document_head *heads, int count)
{
    /* what scrolls sideways must be within reach of the keyboard */
    fputs("<div class=\"wide\" role=\"region\" tabindex=\"0\"", document->out);
    write_attribute(document, "aria-label", caption);
    fputs("><table>\n<caption>", document->out);
    write_text(document, caption);
    fputs("</caption>\n<thead><tr>", document->out);
    for (int i = 0; i < count; i++) {
        fputs(heads[i].kind == DOCUMENT_NUMBER ? "<th scope=\"col\" class=\"n\">"
                                               : "<th scope=\"col\">",
              document->out);
        write_text(document, heads[i].title);
        fputs("</th>", document->out);
    }
    fputs("</tr></thead>\n<tbody>\n", document->out);
}

void document_table(struct document *document, const char *caption,
                    const struct document_head *heads, int count)
{
    assert(count > 0 && count <= DOCUMENT_COLUMNS);
    document->columns = count;
    document->column = 0;
    for (int i = 0; i < count; i++)
        document->kinds[i] = heads[i].kind;
    if (is_html(document)) {
        begin_html_table(document, caption, heads, count);
        return;
    }
    for (int i = 0; i < count; i++) {
        fputs("| ", document->out);
        write_text(document, heads[i].title);
        fputc(' ', document->out);
    }
    fputs("|\n", document->out);
    for (int i = 0; i < count; i++)
        fputs(heads[i].kind == DOCUMENT_NUMBER ? "|--:" : "|---", document->out);
    fputs("|\n", document->out);
}

/* Writes a cell's text. A time is broken between day and hour alone: a browser would
 * break it at a hyphen. */
static void write_cell_text(struct document *document, const char *text)
{
    enum { DAY = 10 };
    char time[32];

    snprintf(time, sizeof time, "%s", text != NULL ? text : "");
    if (!text_shorten_time(time)) {
        write_text(document, text);
    } else if (!is_html(document)) {
        write_text(document, time);
    } else {
        fprintf(document->out, "<span class=\"t\">%.*s </span><wbr/>", DAY, time);
        fprintf(document->out, "<span class=\"t\">%s</span>", time + DAY + 1);
    }
}

/* target: where a page of hrmlab-serve leads to; NULL: no link. */
static void add_cell(struct document *document, const char *text, bool strong,
                     const struct document_target *target)
{
    static const char *const BEGINS[] = { [DOCUMENT_TEXT] = "<td>",
                                          [DOCUMENT_LINE] = "<td class=\"t\">",
                                          [DOCUMENT_NUMBER] = "<td class=\"n\">" };
    bool last = document->column == document->columns - 1;

    if (is_html(document)) {
        fputs(document->column == 0 ? "<tr>" : "", document->out);
        fputs(BEGINS[document->kinds[document->column]], document->out);
        begin_link(document, target);
        fputs(strong ? "<strong>" : "", document->out);
        write_cell_text(document, text);
        fputs(strong ? "</strong>" : "", document->out);
        end_link(document, target);
        fputs("</td>", document->out);
        fputs(last ? "</tr>\n" : "", document->out);
    } else {
        bool marked = strong && text != NULL && text[0] != '\0';

        fputs(marked ? "| **" : "| ", document->out);
        write_cell_text(document, text);
        fputs(marked ? "** " : " ", document->out);
        fputs(last ? "|\n" : "", document->out);
    }
    document->column = last ? 0 : document->column + 1;
}

void document_cell(struct document *document, const char *text)
{
    add_cell(document, text, false, NULL);
}

void document_strong_cell(struct document *document, const char *text)
{
    add_cell(document, text, true, NULL);
}

void document_link_cell(struct document *document, const char *text,
                        const struct document_target *target)
{
    add_cell(document, text, false, target);
}

void document_table_end(struct document *document)
{
    assert(document->column == 0);
    fputs(is_html(document) ? "</tbody></table></div>\n" : "\n", document->out);
}

void document_picture(struct document *document, const char *title, const char *svg,
                      const char *file_name)
{
    if (is_html(document)) {
        /* it scrolls sideways where there is little room, as tables do */
        fprintf(document->out, "<figure class=\"wide\" tabindex=\"0\">%s", svg);
        if (document->form == DOCUMENT_PAGE && file_name != NULL) {
            fputs("<figcaption><a", document->out);
            write_attribute(document, "href", file_name);
            fputs(">", document->out);
            write_text(document, title);
            fputs(", as a file</a></figcaption>", document->out);
        }
        fputs("</figure>\n", document->out);
        return;
    }
    fputs("![", document->out);
    write_text(document, title);
    fputs("](", document->out);
    /* spaces and brackets would end the link */
    for (const char *p = file_name; *p != '\0'; p++)
        if (strchr(" ()<>\"'\\%", *p) != NULL || (unsigned char)*p <= ' ')
            fprintf(document->out, "%%%02X", (unsigned char)*p);
        else
            fputc(*p, document->out);
    fputs(")\n\n", document->out);
}

void document_pictures(struct document *document, const char *title, char *const *svgs,
                       int count)
{
    assert(is_html(document));
    fputs("<figure class=\"grids\">", document->out);
    if (title != NULL)
        write_block(document, "<figcaption>", "</figcaption>\n", "", title);
    for (int i = 0; i < count; i++)
        fputs(svgs[i], document->out);
    fputs("</figure>\n", document->out);
}

void document_progress(struct document *document, double share, const char *text)
{
    assert(document->form == DOCUMENT_PAGE);
    fprintf(document->out, "<p class=\"progress\"><progress max=\"100\" value=\"%d\"",
            (int)(100.0 * share));
    write_attribute(document, "aria-label", "share of the work that is done");
    fputs("></progress> ", document->out);
    write_text(document, text);
    fputs("</p>\n", document->out);
}

static void write_options(struct document *document, const struct document_field *field)
{
    bool known = !field->closed;

    for (int i = 0; i < field->choice_count; i++) {
        bool chosen = field->closed && strcmp(field->choices[i], field->value) == 0;

        known = known || chosen;
        fputs("<option", document->out);
        write_attribute(document, "value", field->choices[i]);
        fputs(chosen ? " selected=\"selected\">" : ">", document->out);
        if (field->closed)
            write_text(document, field->choices[i]);
        fputs("</option>", document->out);
    }
    if (known)
        return;
    fputs("<option selected=\"selected\">", document->out);
    write_text(document, field->value);
    fputs("</option>", document->out);
}

/* A list to choose from. */
static void write_list_field(struct document *document, const struct document_field *field)
{
    fputs("<select", document->out);
    write_attribute(document, "id", field->name);
    write_attribute(document, "name", field->name);
    fputc('>', document->out);
    write_options(document, field);
    fputs("</select>", document->out);
}

/* A line of text, for which the choices are proposed. */
static void write_text_field(struct document *document, const struct document_field *field)
{
    fputs("<input type=\"text\" autocomplete=\"off\"", document->out);
    write_attribute(document, "id", field->name);
    write_attribute(document, "name", field->name);
    write_attribute(document, "value", field->value);
    fprintf(document->out, " list=\"choices-%s\"/><datalist id=\"choices-%s\">", field->name,
            field->name);
    write_options(document, field);
    fputs("</datalist>", document->out);
}

void document_form_of_fields(struct document *document, const char *address,
                             const struct document_field *fields, int field_count,
                             const char *button)
{
    assert(document->form == DOCUMENT_PAGE);
    fputs("<form method=\"get\"", document->out);
    write_attribute(document, "action", address);
    fputs(">\n", document->out);
    for (int i = 0; i < field_count; i++) {
        fputs("<p><label", document->out);
        write_attribute(document, "for", fields[i].name);
        fputc('>', document->out);
        write_text(document, fields[i].title);
        fputs("</label> ", document->out);
        if (fields[i].closed)
            write_list_field(document, &fields[i]);
        else
            write_text_field(document, &fields[i]);
        fputs("</p>\n", document->out);
    }
    fputs("<p><button type=\"submit\">", document->out);
    write_text(document, button);
    fputs("</button></p>\n</form>\n", document->out);
}
