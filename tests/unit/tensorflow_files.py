"""Writes TensorFlow checkpoints as TensorFlow does, bit by bit, with nothing of the reader."""

import struct
from pathlib import Path

import numpy as np

KINDS = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19}
RESTART_EVERY = 16


def slow_crc32c(data):
    """The checksum a bit at a time."""
    register = 0xFFFFFFFF
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(data):
    checksum = slow_crc32c(data)
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def fixed32(field, value):
    return varint(field << 3 | 5) + struct.pack("<I", value)


def snappy(data):
    """Raw snappy: literals, and copies of 4 to 11 bytes (kind 1), of up to 64 (kind 2) and beyond 64 KiB (kind 4)."""
    out, place, pending = bytearray(varint(len(data))), 0, bytearray()

    def flush():
        if pending:
            count = len(pending) - 1
            if count < 60:
                out.append(count << 2)
            else:
                width = (count.bit_length() + 7) // 8
                out.append((59 + width) << 2)
                out.extend(count.to_bytes(width, "little"))
            out.extend(pending)
            pending.clear()

    while place < len(data):
        back, count = 0, 0
        start = data.rfind(data[place : place + 4], 0, place + 3) if place + 4 <= len(data) else -1
        if 0 <= start < place:
            back, count = place - start, 4
            while count < 64 and place + count < len(data) and data[start + count] == data[place + count]:
                count += 1
        if not count:
            pending.append(data[place])
            place += 1
            continue
        flush()
        if count < 12 and back < 2048:
            out += bytes([1 | (count - 4) << 2 | back >> 8 << 5, back & 255])
        elif back < 65536:
            out += bytes([2 | (count - 1) << 2]) + back.to_bytes(2, "little")
        else:
            out += bytes([3 | (count - 1) << 2]) + back.to_bytes(4, "little")
        place += count
    flush()
    return bytes(out)


def block(rows):
    """Rows of (key, value) with their keys' common beginnings left out."""
    out, restarts, last = bytearray(), [], b""
    for count, (key, value) in enumerate(rows):
        shared = 0
        if count % RESTART_EVERY == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(out) + b"".join(struct.pack("<I", r) for r in (*restarts, len(restarts)))


def write_table(path, rows, per_block=1000, packed=False):
    """A LevelDB table of sorted rows."""
    data = bytearray()

    def add(content):
        stored, kind = (snappy(content), b"\1") if packed else (content, b"\0")
        handle = varint(len(data)) + varint(len(stored))
        data.extend(stored + kind + struct.pack("<I", masked(stored + kind)))
        return handle

    rows = sorted(rows)
    parts = [rows[start : start + per_block] for start in range(0, len(rows), per_block)]
    index = [(part[-1][0], add(block(part))) for part in parts]
    footer = add(block([])) + add(block(index))
    data.extend(footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))
    Path(path).write_bytes(data)


def entry(kind, shape, shard, offset, data, checksum=True):
    dimensions = b"".join(text(2, number(1, side)) for side in shape)
    message = number(1, kind) + text(2, dimensions)
    message += number(3, shard) if shard else b""
    message += number(4, offset) if offset else b""
    message += number(5, len(data))
    return message + (fixed32(6, masked(data)) if checksum else b"")


def write_checkpoint(prefix, variables, shards=1, checksums=True, extra=(), **table):
    """Variables by name, dealt to the files of numbers in turn; ``extra`` are rows of the index as they stand."""
    files = [bytearray() for _ in range(shards)]
    rows = [(b"", number(1, shards) + text(3, number(1, 1))), *extra]
    for place, (name, values) in enumerate(sorted(variables.items())):
        values = np.asarray(values)
        data, shard = values.tobytes(), place % shards
        kind = KINDS[values.dtype.name]
        message = entry(kind, values.shape, shard, len(files[shard]), data, checksums)
        rows.append((name.encode(), message))
        files[shard] += data
    write_table(f"{prefix}.index", rows, **table)
    for shard, data in enumerate(files):
        Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(data)
