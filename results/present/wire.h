/*
 * wire.h - writes messages of protocol buffers: fields one after another, each with its
 * number and the way in which it is encoded.
 *
 * A lack of memory is remembered in failed; functions do nothing after it.
 */
#ifndef RESULTS_WIRE_H
#define RESULTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message. Zeroed: empty. */
struct wire {
    unsigned char *bytes; /* owned */
    size_t size, room;
    bool failed;
};

void wire_integer(struct wire *wire, int field, uint64_t value);
void wire_double(struct wire *wire, int field, double value);
void wire_float(struct wire *wire, int field, float value);
void wire_text(struct wire *wire, int field, const char *text);
/* Adds a message as a field and releases it. */
void wire_message(struct wire *wire, int field, struct wire *inner);
void wire_release(struct wire *wire);

#endif
