"""CRC-32C (Castagnoli), as LevelDB's tables and TensorFlow's checkpoints guard their bytes.

Python's standard library has the other CRC-32 only. The register of a CRC is linear over the bits of what it reads, so
the bytes are cut into as many lanes as fit, all lanes advance together in numpy, and neighbours are joined in pairs:
a hundred megabytes take about a second.
Source: RFC 3720, appendix B.4; the mask: github.com/google/leveldb, util/crc32c.h.
"""

from __future__ import annotations

import numpy as np

POLYNOMIAL = 0x82F63B78
MASK_DELTA = 0xA282EAD8
BITS = np.uint32(1) << np.arange(32, dtype=np.uint32)


def _table() -> np.ndarray:
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(POLYNOMIAL), values >> 1)
    return values.astype(np.uint32)


TABLE = _table()


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of ``data``: 0 for none, 0xE3069283 for the digits 123456789."""
    octets = np.frombuffer(data, np.uint8)
    lanes = 1 << (len(octets).bit_length() // 2)
    length = -(-len(octets) // lanes)
    lined = np.zeros(lanes * length, np.uint8)
    # zeros before the first byte leave an empty register empty
    lined[lined.size - len(octets) :] = octets
    register = np.zeros(lanes, np.uint32)
    for column in np.ascontiguousarray(lined.reshape(lanes, length).T):
        register = _advance(register ^ column)
    operator = _zeros(length)
    while register.size > 1:
        register = _apply(operator, register[0::2]) ^ register[1::2]
        operator = _apply(operator, operator)
    begun = _apply(_zeros(len(octets)), np.array([0xFFFFFFFF], np.uint32))
    return int(register[0] ^ begun[0] ^ np.uint32(0xFFFFFFFF))


def masked(checksum: int) -> int:
    """A checksum as files store it: turned right by 15 bits plus a constant, as they hold checksums of checksums."""
    turned = (checksum >> 15) | (checksum << 17)
    return (turned + MASK_DELTA) & 0xFFFFFFFF


def _advance(register: np.ndarray) -> np.ndarray:
    """The registers one byte on, the byte already in their low bits."""
    return TABLE[register & 0xFF] ^ (register >> 8)


def _zeros(count: int) -> np.ndarray:
    """What ``count`` zero bytes do to a register: where each of its 32 bits goes."""
    result, step = BITS.copy(), _advance(BITS)
    while count:
        if count & 1:
            result = _apply(step, result)
        step = _apply(step, step)
        count >>= 1
    return result


def _apply(operator: np.ndarray, registers: np.ndarray) -> np.ndarray:
    """A linear map of registers, given by the images of their bits."""
    out = np.zeros_like(registers)
    for bit, image in zip(BITS, operator, strict=True):
        out ^= np.where(registers & bit, image, np.uint32(0))
    return out
