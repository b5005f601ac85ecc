"""Checkpoints of TensorFlow's second format, read without TensorFlow.

`<prefix>.index` is a LevelDB table from a variable's name to a message that says its type, shape, file and place (the
empty name: how many files there are); `<prefix>.data-0000k-of-0000n` hold the numbers.
Source: github.com/tensorflow/tensorflow, core/protobuf/tensor_bundle.proto and core/util/tensor_bundle.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.io.crc32c import crc32c, masked
from pipeline.io.leveldb import read_table, varint
from pipeline.records import FacemillError
from pipeline.registry import suggestion

TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 10: "?", 19: "<f2"}
"""TensorFlow's numbers of the types that are read."""
NAMED = "float32, float64, int32, int64, bool and half"
SUFFIX = re.compile(r"\.(index|data-\d{5}-of-\d{5})$")
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Entry:
    """Where a variable stands: TensorFlow's number of its type, its shape, the file, first byte, bytes, checksum."""

    kind: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int | None
    sliced: bool


class Checkpoint(Mapping[str, np.ndarray]):
    """The variables of a checkpoint by name, each read when it is asked for.

    path: the prefix, or one of the checkpoint's files.

    Raises FacemillError for a file that is missing, damaged, cut short or no checkpoint; when a variable is asked for,
    also for a name that it does not hold and for a type that is not read.
    """

    def __init__(self, path: str | Path):
        self.prefix = SUFFIX.sub("", str(path))
        self.index = Path(f"{self.prefix}.index")
        if not self.index.is_file():
            raise FacemillError(
                f"no file {self.index}; expected a TensorFlow checkpoint: {self.index.name} and "
                f"{Path(self.prefix).name}.data-00000-of-00001 beside it"
            )
        rows = dict(read_table(self.index))
        if b"" not in rows:
            raise FacemillError(f"{self.index}: expected a TensorFlow checkpoint's header, found none")
        try:
            self.shards = _shards(rows.pop(b""))
            self.entries = {key.decode(): _entry(value) for key, value in rows.items()}
        except (ValueError, IndexError, TypeError) as error:
            raise FacemillError(
                f"{self.index}: expected a TensorFlow checkpoint's entries, found {error}"
            ) from error

    @staticmethod
    def at(path: str | Path) -> bool:
        """Whether ``path`` names a TensorFlow checkpoint: its prefix, or one of its files, be it there or not."""
        return SUFFIX.search(str(path)) is not None or Path(f"{path}.index").is_file()

    @property
    def files(self) -> list[Path]:
        """The index and every file of numbers."""
        return [self.index, *(self._file(shard) for shard in range(self.shards))]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.entries:
            raise FacemillError(
                f"{self.index}: no variable {name!r} among its {len(self)}.{suggestion(name, list(self))}"
            )
        entry = self.entries[name]
        if entry.kind not in TYPES or entry.sliced:
            found = "a variable cut into slices" if entry.sliced else f"TensorFlow's type number {entry.kind}"
            raise FacemillError(f"{self.index}: {name}: expected {NAMED} in one piece, found {found}")
        dtype = np.dtype(TYPES[entry.kind])
        if math.prod(entry.shape) * dtype.itemsize != entry.size:
            raise FacemillError(
                f"{self.index}: {name}: {entry.size} bytes do not hold {entry.shape} of {dtype}"
            )
        data = self._bytes(name, entry)
        if entry.checksum is not None and masked(crc32c(data)) != entry.checksum:
            raise FacemillError(
                f"{self._file(entry.shard)}: {name}: expected the checksum {entry.checksum:08x}, found another: the "
                "file is damaged or belongs to another index; fetch it again"
            )
        return np.frombuffer(data, dtype).reshape(entry.shape).copy()

    def _file(self, shard: int) -> Path:
        return Path(f"{self.prefix}.data-{shard:05d}-of-{self.shards:05d}")

    def _bytes(self, name: str, entry: Entry) -> bytes:
        path, end = self._file(entry.shard), entry.offset + entry.size
        try:
            length = path.stat().st_size
            if length < end:
                raise FacemillError(
                    f"{path}: expected {name} in bytes {entry.offset} to {end}, found a file of {length}: it is cut "
                    "short; fetch it again"
                )
            with path.open("rb") as file:
                file.seek(entry.offset)
                return file.read(entry.size)
        except OSError as error:
            raise FacemillError(
                f"cannot read {path}: {error.strerror}; {self.index.name} names it for {name}"
            ) from error


def _shards(header: bytes) -> int:
    fields = _fields(header)
    if _one(fields, 2, 0):
        raise ValueError("numbers with their high byte first")
    count = _one(fields, 1, 0)
    if not 0 < count < 100_000:
        raise ValueError(f"{count} files of numbers")
    return count


def _entry(message: bytes) -> Entry:
    fields = _fields(message)
    shape = _one(fields, 2, b"")
    return Entry(
        kind=_one(fields, 1, 0),
        shape=tuple(_one(_fields(dimension), 1, 0) for dimension in _fields(shape).get(2, [])),
        shard=_one(fields, 3, 0),
        offset=_one(fields, 4, 0),
        size=_one(fields, 5, 0),
        checksum=_one(fields, 6, 0) if 6 in fields else None,
        sliced=7 in fields,
    )


def _one(fields: Mapping[int, list], number: int, default: int | bytes) -> int | bytes:
    """A field's last value, as the wire format has it; ValueError for another kind than the default's."""
    value = fields[number][-1] if number in fields else default
    if type(value) is not type(default):
        raise ValueError(f"another kind of value in field {number}")
    return value


def _fields(message: bytes) -> dict[int, list]:
    """The fields of a protocol buffer message by number: integers, and bytes for texts and inner messages.

    ValueError or IndexError for bytes that are none."""
    found: dict[int, list] = {}
    place = 0
    while place < len(message):
        tag, place = varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = varint(message, place)
        elif kind in (FIXED_32, FIXED_64, BYTES):
            size = {FIXED_32: 4, FIXED_64: 8}.get(kind)
            if size is None:
                size, place = varint(message, place)
            value, place = message[place : place + size], place + size
            if place > len(message):
                raise ValueError("a message that ends early")
            value = value if kind == BYTES else int.from_bytes(value, "little")
        else:
            raise ValueError(f"a field of kind {kind}")
        found.setdefault(number, []).append(value)
    return found
