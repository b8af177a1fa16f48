/* report_page.c - reads the tags that a report has, and no others. */
#include "report_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITEMS = 20000, TAG_SIZE = 4000 };

struct reader {
    struct report_page *page;
    const char *at;
    char section[16];
    const char *caption, *heads[PAGE_COLUMNS];
    int head_count, row, column;
    bool in_head;   /* of a table */
    bool in_figure; /* <title> is that of the figure or of a shape */
    struct page_item *shape;
};

/* Text up to the next tag, entities decoded, newly allocated. */
static char *read_text(struct reader *reader)
{
    static const struct {
        const char *entity, *text;
    } ENTITIES[] = {
        { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&#39;", "'" }
    };
    size_t length = strcspn(reader->at, "<"), used = 0;
    const char *end = reader->at + length;
    char *text = malloc(length + 1);

    assert_non_null(text);
    while (reader->at < end) {
        size_t taken = 1;
        char byte = *reader->at;

        for (size_t i = 0; byte == '&' && i < sizeof ENTITIES / sizeof *ENTITIES; i++)
            if (strncmp(reader->at, ENTITIES[i].entity, strlen(ENTITIES[i].entity)) == 0) {
                byte = ENTITIES[i].text[0];
                taken = strlen(ENTITIES[i].entity);
            }
        text[used++] = byte;
        reader->at += taken;
    }
    text[used] = '\0';
    return text;
}

/* The value of an attribute; "" without it. */
static const char *attribute(const char *tag, const char *name, char *out, size_t size)
{
    char begin[40];

    snprintf(begin, sizeof begin, " %s=\"", name);
    const char *found = strstr(tag, begin);

    out[0] = '\0';
    if (found != NULL) {
        found += strlen(begin);
        snprintf(out, size, "%.*s", (int)strcspn(found, "\""), found);
    }
    return out;
}

static double number_of(const char *tag, const char *name)
{
    char text[40];

    return strtod(attribute(tag, name, text, sizeof text), NULL);
}

static struct page_item *add_item(struct reader *reader, enum page_kind kind, const char *tag)
{
    assert_true(reader->page->count < MOST_ITEMS);
    struct page_item *item = &reader->page->items[reader->page->count++];

    *item = (struct page_item){ .kind = kind, .text = strdup("") };
    snprintf(item->tag, sizeof item->tag, "%.*s", (int)strcspn(tag, " />"), tag);
    attribute(tag, "class", item->class_name, sizeof item->class_name);
    snprintf(item->section, sizeof item->section, "%s", reader->section);
    return item;
}

/* The box around "M1 2L3 4...Z". */
static void path_box(struct page_item *item, const char *path)
{
    bool first = true;

    for (char *at = (char *)(uintptr_t)path; *at != '\0';) {
        if (strchr("MLZ ", *at) != NULL) {
            at++;
            continue;
        }
        double x = strtod(at, &at), y = strtod(at, &at);

        item->x1 = first || x < item->x1 ? x : item->x1;
        item->x2 = first || x > item->x2 ? x : item->x2;
        item->y1 = first || y < item->y1 ? y : item->y1;
        item->y2 = first || y > item->y2 ? y : item->y2;
        first = false;
    }
}

static void add_shape(struct reader *reader, const char *tag)
{
    struct page_item *item = add_item(reader, PAGE_SHAPE, tag);
    char path[TAG_SIZE];

    if (strcmp(item->tag, "line") == 0) {
        item->x1 = number_of(tag, "x1");
        item->x2 = number_of(tag, "x2");
        item->y1 = number_of(tag, "y1");
        item->y2 = number_of(tag, "y2");
    } else if (strcmp(item->tag, "circle") == 0) {
        item->x1 = item->x2 = number_of(tag, "cx");
        item->y1 = item->y2 = number_of(tag, "cy");
    } else if (strcmp(item->tag, "rect") == 0) {
        item->x1 = number_of(tag, "x");
        item->y1 = number_of(tag, "y");
        item->x2 = item->x1 + number_of(tag, "width");
        item->y2 = item->y1 + number_of(tag, "height");
    } else {
        path_box(item, attribute(tag, "d", path, sizeof path));
    }
    item->x = (item->x1 + item->x2) / 2;
    item->y = (item->y1 + item->y2) / 2;
    reader->shape = item;
}

static void add_cell(struct reader *reader, const char *tag)
{
    struct page_item *item = add_item(reader, PAGE_CELL, tag);

    item->caption = reader->caption;
    memcpy(item->heads, reader->heads, sizeof item->heads);
    item->row = reader->row;
    item->column = reader->column++;
    assert_true(item->column < reader->head_count);
}

static bool is(const char *tag, const char *name)
{
    size_t length = strlen(name);

    return strncmp(tag, name, length) == 0 && strchr(" />", tag[length]) != NULL;
}

/* A tag that begins something. */
static void begin(struct reader *reader, const char *tag)
{
    static const char *const WORDS[] = { "h1", "h2", "h3", "h4", "p", "th", "caption", "a" };
    static const char *const SHAPES[] = { "line", "rect", "circle", "path" };

    if (is(tag, "section"))
        attribute(tag, "id", reader->section, sizeof reader->section);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (is(tag, WORDS[i]))
            add_item(reader, PAGE_WORDS, tag);
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++)
        if (is(tag, SHAPES[i]))
            add_shape(reader, tag);
    if (is(tag, "table")) {
        reader->head_count = reader->row = 0;
        memset(reader->heads, 0, sizeof reader->heads);
    } else if (is(tag, "tr")) {
        reader->column = 0;
    } else if (is(tag, "td")) {
        add_cell(reader, tag);
    } else if (is(tag, "pre")) {
        add_item(reader, PAGE_CODE, tag);
    } else if (is(tag, "svg")) {
        reader->in_figure = true;
        reader->shape = NULL;
    } else if (is(tag, "title") && reader->in_figure && reader->shape == NULL) {
        add_item(reader, PAGE_PICTURE, tag);
    } else if (is(tag, "desc")) {
        add_item(reader, PAGE_ABOUT, tag);
    } else if (is(tag, "g")) {
        add_item(reader, PAGE_CHART, tag);
    } else if (is(tag, "text")) {
        struct page_item *item = add_item(reader, PAGE_LABEL, tag);

        item->x1 = item->x2 = number_of(tag, "x");
        item->y1 = item->y2 = number_of(tag, "y");
    }
}

static void end(struct reader *reader, const char *name)
{
    const struct page_item *last = &reader->page->items[reader->page->count - 1];

    if (strcmp(name, "th>") == 0 && reader->head_count < PAGE_COLUMNS)
        reader->heads[reader->head_count++] = last->text;
    else if (strcmp(name, "caption>") == 0)
        reader->caption = last->text;
    else if (strcmp(name, "tr>") == 0 && last->kind == PAGE_CELL)
        reader->row++;
    else if (strcmp(name, "svg>") == 0)
        reader->in_figure = false;
}

/* Gives text to what began before it. */
static void take_text(struct reader *reader, char *text)
{
    struct page_item *last = &reader->page->items[reader->page->count - 1];
    char *whole;

    if (reader->page->count == 0 || text[strspn(text, " \n")] == '\0') {
        free(text);
        return;
    }
    assert_true(asprintf(&whole, "%s%s", last->text, text) >= 0);
    free(last->text);
    free(text);
    last->text = whole;
}

void report_page_read(struct report_page *out, const char *html)
{
    struct reader reader = { .page = out, .at = strstr(html, "<body>") };

    *out = (struct report_page){ .items = calloc(MOST_ITEMS, sizeof *out->items) };
    assert_non_null(out->items);
    assert_non_null(reader.at);
    while (*reader.at != '\0') {
        if (*reader.at != '<') {
            take_text(&reader, read_text(&reader));
            continue;
        }
        size_t length = strcspn(reader.at, ">") + 1;
        char tag[TAG_SIZE];

        snprintf(tag, sizeof tag, "%.*s", (int)length - 1, reader.at + 1);
        reader.at += length;
        if (tag[0] == '/')
            end(&reader, tag + 1);
        else
            begin(&reader, tag);
    }
}

void report_page_release(struct report_page *page)
{
    for (int i = 0; i < page->count; i++)
        free(page->items[i].text);
    free(page->items);
    *page = (struct report_page){ 0 };
}

const char *page_cell(const struct report_page *page, const struct page_item *cell,
                      const char *head, int nth)
{
    const struct page_item *first = cell - cell->column;

    for (int c = 0; c < PAGE_COLUMNS && cell->heads[c] != NULL; c++)
        if (strcmp(cell->heads[c], head) == 0 && nth-- == 0) {
            assert_true(first + c < page->items + page->count && first[c].column == c);
            return first[c].text;
        }
    fail_msg("no column %s in the table \"%s\"", head, cell->caption);
    return "";
}
