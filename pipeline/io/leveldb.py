"""Tables of LevelDB's format: sorted keys and values in blocks, each with its checksum. Read whole.

A block holds entries (bytes shared with the key before, bytes of its own, bytes of the value, the two texts) and the
places where a key is written out in full; behind it stand one byte for its packing and a checksum. The file ends with
a footer: where the index of the blocks is, and a magic number.
Source: github.com/google/leveldb, doc/table_format.md and table/format.cc.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.io import snappy
from pipeline.io.crc32c import crc32c, masked
from pipeline.records import FacemillError

MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER, RESTART = 48, 5, 4
PLAIN, SNAPPY = 0, 1


class _Short(Exception):
    """Bytes end where more were announced."""


def read_table(path: str | Path) -> list[tuple[bytes, bytes]]:
    """Every key and value of a table, in the order of the file.

    Raises FacemillError for a file that is missing, is no table, is cut short, or whose bytes do not fit their
    checksums.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FacemillError(f"cannot read {path}: {error.strerror}") from error
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise FacemillError(
            f"{path}: expected a table that ends with LevelDB's magic number, found {len(data)} bytes that do not: "
            "it is damaged or cut short, or no such table; fetch it again"
        )
    try:
        _, _, place = _handle(data[-FOOTER:-8], 0)
        offset, size, _ = _handle(data[-FOOTER:-8], place)
        index = list(_entries(_block(data, offset, size, path)))
        found: list[tuple[bytes, bytes]] = []
        for _, handle in index:
            offset, size, _ = _handle(handle, 0)
            found.extend(_entries(_block(data, offset, size, path)))
    except _Short:
        raise FacemillError(f"{path}: expected a whole table, found a damaged one; fetch it again") from None
    return found


def varint(data: bytes, place: int) -> tuple[int, int]:
    """The number of seven bits a byte that begins at ``place``, and the place behind it; IndexError where it ends
    early, ValueError where it is longer than 64 bits."""
    value = 0
    for shift in range(0, 70, 7):
        octet = data[place]
        value |= (octet & 127) << shift
        place += 1
        if octet < 128:
            return value, place
    raise ValueError("a number of more than 64 bits")


def _handle(data: bytes, place: int) -> tuple[int, int, int]:
    offset, place = _count(data, place)
    size, place = _count(data, place)
    return offset, size, place


def _count(data: bytes, place: int) -> tuple[int, int]:
    try:
        return varint(data, place)
    except (IndexError, ValueError):
        raise _Short from None


def _block(data: bytes, offset: int, size: int, path: Path) -> bytes:
    end = offset + size
    if end + TRAILER > len(data):
        raise _Short
    stored = int.from_bytes(data[end + 1 : end + TRAILER], "little")
    if masked(crc32c(data[offset : end + 1])) != stored:
        raise FacemillError(
            f"{path}: expected the checksum {stored:08x} over bytes {offset} to {end + 1}, found another: the file is "
            "damaged; fetch it again"
        )
    packing, block = data[end], data[offset:end]
    if packing == SNAPPY:
        try:
            return snappy.unpack(block)
        except FacemillError as error:
            raise FacemillError(f"{path}: block at byte {offset}: {error}") from error
    if packing != PLAIN:
        raise FacemillError(
            f"{path}: expected blocks that are plain or packed with snappy, found kind {packing}"
        )
    return block


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < RESTART:
        raise _Short
    end = len(block) - RESTART * (1 + int.from_bytes(block[-RESTART:], "little"))
    if end < 0:
        raise _Short
    key, place = b"", 0
    while place < end:
        shared, place = _count(block, place)
        own, place = _count(block, place)
        size, place = _count(block, place)
        if shared > len(key) or place + own + size > end:
            raise _Short
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + size]
        place += size
