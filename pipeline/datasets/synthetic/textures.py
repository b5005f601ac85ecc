"""Grey patterns that multiply a part's colour pixel by pixel, and smooth random fields they are made from."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import cv2
import numpy as np

from pipeline.seeding import rng

SIDE = 256
_STRIDE_BITS = 13
_OFFSET, _STRIDE = 4096, 1 << _STRIDE_BITS


class Texture(IntEnum):
    """Which pattern a surface carries."""

    PLAIN = 0
    SKIN = 1
    STRANDS = 2
    CURLS = 3
    CLOTH = 4
    KNIT = 5


def smooth_noise(
    generator: np.random.Generator, cells: tuple[int, int], shape: tuple[int, int]
) -> np.ndarray:
    """Float32 field of ``shape`` with unit variance before the cubic enlargement from ``cells`` random values."""
    small = generator.standard_normal((max(cells[0], 2), max(cells[1], 2)), dtype=np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def fractal_noise(
    generator: np.random.Generator, cells: int, octaves: int, shape: tuple[int, int], fall: float = 0.55
) -> np.ndarray:
    """Sum of smooth fields, each twice as fine and ``fall`` times as strong as the one before; about unit variance."""
    total = np.zeros(shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        count = min(cells << octave, *shape)
        total += fall**octave * smooth_noise(generator, (count, count), shape)
        power += fall ** (2 * octave)
    return total / np.float32(power**0.5)


def _periodic(tile: np.ndarray) -> np.ndarray:
    """The tile blended with itself moved by half, so that its borders meet."""
    half = SIDE // 2
    moved = np.roll(tile, (half, half), (0, 1))
    ramp = np.clip((np.abs(np.arange(SIDE) - half + 0.5) / half - 0.6) / 0.4, 0, 1)
    weight = np.maximum(ramp[:, None], ramp[None])
    return tile * (1 - weight) + moved * weight


@lru_cache(maxsize=1)
def atlas() -> np.ndarray:
    """(kinds, SIDE, SIDE) float32 gains about 1, periodic; the same in every run."""
    generator = rng("synthetic", "textures")
    tiles = np.ones((len(Texture), SIDE, SIDE), np.float32)
    shape = (SIDE, SIDE)
    pores = fractal_noise(generator, 40, 2, shape)
    tiles[Texture.SKIN] = 1 + 0.035 * pores
    fine = smooth_noise(generator, (10, 256), shape) + 0.7 * smooth_noise(generator, (4, 90), shape)
    coarse = smooth_noise(generator, (3, 30), shape)
    tiles[Texture.STRANDS] = np.exp(0.30 * fine + 0.28 * coarse)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    ridges = (
        0.7
        - np.abs(smooth_noise(generator, (44, 44), shape))
        - 0.4 * np.abs(smooth_noise(generator, (90, 70), shape))
    )
    tiles[Texture.CURLS] = np.exp(0.75 * ridges + 0.25 * fractal_noise(generator, 10, 3, shape))
    weave = np.sin(2 * np.pi * x * 64) * np.sin(2 * np.pi * y * 64)
    tiles[Texture.CLOTH] = 1 + 0.07 * weave + 0.10 * fractal_noise(generator, 5, 4, shape)
    ribs = np.abs(np.sin(np.pi * x * 26)) * (
        0.8 + 0.2 * np.sin(2 * np.pi * (y * 40 + np.abs(x * 26 % 1 - 0.5)))
    )
    tiles[Texture.KNIT] = 0.55 + 0.6 * ribs
    return np.stack([_periodic(tile) for tile in tiles]).astype(np.float32)


def fold(kind: Texture, coordinates: np.ndarray) -> np.ndarray:
    """Texel coordinates (N, 2) float32 of one pattern in the form that ``sample`` wants: its number in the first."""
    across = np.clip(coordinates[:, 0] + _OFFSET, 0, _STRIDE - 1) + int(kind) * _STRIDE
    return np.stack([across, coordinates[:, 1] + _OFFSET], 1).astype(np.float32)


def sample(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Gains (n,) float32 at folded coordinates (n,), the patterns repeated without end."""
    column, row = across.astype(np.int32), along.astype(np.int32)
    index = column >> _STRIDE_BITS
    index *= SIDE * SIDE
    column &= SIDE - 1
    row &= SIDE - 1
    row *= SIDE
    index += row
    index += column
    return np.take(atlas().ravel(), index)
