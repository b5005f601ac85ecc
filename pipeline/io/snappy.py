"""Snappy's raw format, unpacked in Python: what older writers compress the blocks of their tables with.

Source: github.com/google/snappy, format_description.txt.
"""

from __future__ import annotations

from pipeline.records import FacemillError

LITERAL, COPY_1, COPY_2, COPY_4 = range(4)


def unpack(data: bytes) -> bytes:
    """The bytes that were packed; FacemillError for data that end early, point before their start, or unpack to
    another length than they say."""
    try:
        return _unpack(data)
    except IndexError:
        raise FacemillError("expected whole snappy data, found an end in the middle of an element") from None


def _unpack(data: bytes) -> bytes:
    length, place = _varint(data)
    out = bytearray()
    while place < len(data):
        tag = data[place]
        kind, place = tag & 3, place + 1
        if kind == LITERAL:
            count = (tag >> 2) + 1
            if count > 60:
                width = count - 60
                count = _number(data, place, width) + 1
                place += width
            if place + count > len(data):
                raise IndexError
            out += data[place : place + count]
            place += count
            continue
        if kind == COPY_1:
            count, back = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[place]
            place += 1
        else:
            width = 2 if kind == COPY_2 else 4
            count, back = (tag >> 2) + 1, _number(data, place, width)
            place += width
        if not 0 < back <= len(out):
            raise FacemillError(
                f"expected snappy data, found a copy from {back} bytes before byte {len(out)}"
            )
        for _ in range(count):  # a copy may reach into itself
            out.append(out[-back])
    if len(out) != length:
        raise FacemillError(f"expected snappy data of {length} bytes, found {len(out)}")
    return bytes(out)


def _varint(data: bytes) -> tuple[int, int]:
    value = shift = place = 0
    while True:
        octet = data[place]
        value |= (octet & 127) << shift
        place, shift = place + 1, shift + 7
        if octet < 128:
            return value, place


def _number(data: bytes, place: int, width: int) -> int:
    if place + width > len(data):
        raise IndexError
    return int.from_bytes(data[place : place + width], "little")
