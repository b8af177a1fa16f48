"""read_events.py FOLDER [TAG] - reads TensorBoard event files with nothing but Python.

Checks the length and both checksums (CRC-32C, computed here) of every record, and prints
how many files and scalars there are; with TAG the values of that series as CSV. Ends with
an error at the first damaged record.
"""
import struct
import sys
from pathlib import Path

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        size, crc = struct.unpack_from("<QI", data, at)
        body = data[at + 12 : at + 12 + size]
        (body_crc,) = struct.unpack_from("<I", data, at + 12 + size)
        if crc != masked_crc(data[at : at + 8]) or body_crc != masked_crc(body):
            sys.exit(f"{path}: byte {at}: a checksum does not match")
        yield body
        at += 16 + size


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(message):
    """(number, value) of each field; values of eight and four bytes as float."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        elif key & 7 == 2:
            size, at = varint(message, at)
            value, at = message[at : at + size], at + size
        else:
            size = 8 if key & 7 == 1 else 4
            (value,) = struct.unpack_from("<d" if size == 8 else "<f", message, at)
            at += size
        yield key >> 3, value


def scalars(path):
    for record in records(path):
        event = dict(fields(record))
        for number, value in fields(event.get(5, b"")):
            parts = dict(fields(value))
            if number == 1 and 2 in parts:
                yield parts[1].decode(), event.get(2, 0), event[1], parts[2]


def main():
    files = sorted(Path(sys.argv[1]).rglob("*tfevents*"))
    found = [(f, *scalar) for f in files for scalar in scalars(f)]
    if len(sys.argv) > 2:
        print("run,step,wall_time,value")
        for path, tag, step, time, value in found:
            if tag == sys.argv[2]:
                print(f'"{path.parent.relative_to(sys.argv[1])}",{step},{time:.3f},{value:.9g}')
    else:
        tags = len({tag for _, tag, *_ in found})
        print(f"{len(files)} files, {len(found)} scalars of {tags} tags, checksums right")


main()
