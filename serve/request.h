/*
 * request.h - the address of a request: the parts of its path and its values, decoded.
 */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "error.h"

enum { REQUEST_LONGEST = 4000 }; /* bytes of an address */

struct request {
    char *memory; /* owned; the texts below are in it */
    const char *parts[4];
    int part_count; /* "/run/12ab": 2; "/": 0 */
    struct {
        const char *name, *value;
    } values[8];
    int value_count;
};

/* Reads "/run/12ab?name=value". ERROR_FORMAT: it is not such an address. */
int request_parse(struct request *out, const char *address, struct error *err) MUST_CHECK;
void request_release(struct request *request);

/* The first value of this name; NULL: there is none. */
const char *request_value(const struct request *request, const char *name);

#endif
