/*
 * report_page.h - a report in HTML, taken apart: its words, the cells of its tables, and
 * the shapes and labels of its figures, in their order, each with the place where it
 * stands.
 */
#ifndef TESTS_REPORT_PAGE_H
#define TESTS_REPORT_PAGE_H

enum page_kind {
    PAGE_WORDS,   /* of headings, paragraphs, notes, captions, links */
    PAGE_CELL,    /* of a table's body */
    PAGE_CODE,    /* of a <pre> */
    PAGE_PICTURE, /* begins a figure: its title */
    PAGE_CHART,   /* begins a chart of the figure; text empty */
    PAGE_ABOUT,   /* what a figure tells about itself (<desc>) */
    PAGE_SHAPE,   /* line, box, circle or path; text: its tooltip, "" without one */
    PAGE_LABEL    /* text in a figure */
};

enum { PAGE_COLUMNS = 24 };

struct page_item {
    enum page_kind kind;
    char tag[12], class_name[32];
    char section[16]; /* its id; "" before the first */
    char *text;       /* owned; entities decoded */
    /* of a cell */
    const char *caption;             /* of its table; borrowed */
    const char *heads[PAGE_COLUMNS]; /* of its table; borrowed */
    int row, column;
    /* of a line its ends, of other shapes the box around it; of a label its point */
    double x1, y1, x2, y2;
    double x, y; /* the middle of both */
};

struct report_page {
    struct page_item *items; /* owned */
    int count;
};

/* Takes apart a well-formed page (markup_fault()); fails the test otherwise. */
void report_page_read(struct report_page *out, const char *html);
void report_page_release(struct report_page *page);
/* The cell of the same row under the head of that title, the nth (from 0) of this
 * title; fails the test if there is none. */
const char *page_cell(const struct report_page *page, const struct page_item *cell,
                      const char *head, int nth);

#endif
