/*
 * markup_check.h - whether a text is well-formed XML, for the tests of pictures and
 * reports.
 */
#ifndef TESTS_MARKUP_CHECK_H
#define TESTS_MARKUP_CHECK_H

#include <stddef.h>

/* Elements closed in the order in which they were opened, attributes quoted, no bare &
 * or <, one root, no control characters. A <!DOCTYPE ...> may come first; the content of
 * <style> is not looked at. NULL: well-formed; else what is wrong, valid until the next
 * call. */
const char *markup_fault(const char *text);

#endif
