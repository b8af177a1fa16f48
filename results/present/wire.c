/* wire.c - the encoding of protocol buffers. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

/* How a field's value is encoded. */
enum { VARINT = 0, EIGHT_BYTES = 1, LENGTH_FIRST = 2, FOUR_BYTES = 5 };

static void put(struct wire *wire, const void *data, size_t size)
{
    if (wire->failed || size == 0)
        return;
    if (wire->size + size > wire->room) {
        size_t room = 2 * (wire->size + size);
        unsigned char *bytes = realloc(wire->bytes, room);

        if (bytes == NULL) {
            wire->failed = true;
            return;
        }
        wire->bytes = bytes;
        wire->room = room;
    }
    memcpy(wire->bytes + wire->size, data, size);
    wire->size += size;
}

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_varint(struct wire *wire, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;

    do {
        bytes[size] = (unsigned char)(value & 0x7f);
        value >>= 7;
        bytes[size++] |= (unsigned char)(value != 0 ? 0x80 : 0);
    } while (value != 0);
    put(wire, bytes, size);
}

static void put_key(struct wire *wire, int field, int encoding)
{
    put_varint(wire, (uint64_t)field << 3 | (uint64_t)encoding);
}

/* The lowest size bytes of bits, the lowest first. */
static void put_little_endian(struct wire *wire, uint64_t bits, size_t size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    put(wire, bytes, size);
}

void wire_integer(struct wire *wire, int field, uint64_t value)
{
    put_key(wire, field, VARINT);
    put_varint(wire, value);
}

void wire_double(struct wire *wire, int field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(wire, field, EIGHT_BYTES);
    put_little_endian(wire, bits, 8);
}

void wire_float(struct wire *wire, int field, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(wire, field, FOUR_BYTES);
    put_little_endian(wire, bits, 4);
}

void wire_text(struct wire *wire, int field, const char *text)
{
    size_t size = strlen(text);

    put_key(wire, field, LENGTH_FIRST);
    put_varint(wire, size);
    put(wire, text, size);
}

void wire_message(struct wire *wire, int field, struct wire *inner)
{
    put_key(wire, field, LENGTH_FIRST);
    put_varint(wire, inner->size);
    put(wire, inner->bytes, inner->size);
    wire->failed = wire->failed || inner->failed;
    wire_release(inner);
}

void wire_release(struct wire *wire)
{
    free(wire->bytes);
    *wire = (struct wire){ 0 };
}
