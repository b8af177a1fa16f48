/*
 * browser.h - a real browser for the tests of the live pages: Chromium without a
 * window, led over a pipe by the DevTools protocol. One page is open in it. Whatever is
 * wrong with the browser, and every exception of what browser_ask() evaluates, ends the
 * test.
 */
#ifndef TESTS_SUPPORT_BROWSER_H
#define TESTS_SUPPORT_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct browser {
    pid_t pid;
    int to, from; /* pipes */
    char *buffer; /* what has been read of it */
    size_t size, room;
    int last_id;
    char session[80]; /* of the page */
    char origin[80];  /* where the page may load from */
    char *faults;     /* exceptions; errors and warnings of its console; a line each */
    char *strays;     /* addresses of other places that were asked for, a line each */
    int loads;        /* pages that have been loaded */
    int full, same;   /* answers with status 200 and 304 */
};

/* Debian's chromium or chromium-headless-shell; NULL: none is installed. */
const char *browser_program(void);
/* Starts it with an empty page; what it keeps is below the directory. */
void browser_start(struct browser *out, const char *directory);
void browser_stop(struct browser *browser);

/* Goes to the address and waits until it is loaded and its script has run. All that
 * the page asks for from now on must have the address's host and port. */
void browser_open(struct browser *browser, const char *address);
/* Evaluates an expression (of a promise: what it promises) in the page; as fresh
 * text. */
char *browser_ask(struct browser *browser, const char *expression);
/* The expression is this text. */
void browser_expect(struct browser *browser, const char *expression, const char *expected);
/* It becomes this text, within a minute. */
void browser_wait_for(struct browser *browser, const char *expression, const char *expected);
/* Waits until so many more answers of that kind (&browser->same) have come, for at
 * most a minute. */
void browser_wait_for_answers(struct browser *browser, const int *count, int more);

/* A key is pressed: "Enter", "Space" or "Tab". */
void browser_press(struct browser *browser, const char *key);
/* The text is typed where the keyboard is. */
void browser_type(struct browser *browser, const char *text);
/* The mouse is moved to the middle of the element that the expression gives, and
 * pressed there. */
void browser_point(struct browser *browser, const char *element);
void browser_click(struct browser *browser, const char *element);

#endif
