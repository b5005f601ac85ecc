"""What differs between people: named displacement fields on the mean head, in millimetres for one sigma.

The sizes follow the standard deviations in Farkas (1994): face width and height about 4 %, nose width and inner eye
distance 2 to 2.5 mm, nose length 3 mm, lips and chin height 2 to 3 mm.
"""

from __future__ import annotations

import numpy as np

from pipeline.morphable.procedural import ears, outlines
from pipeline.morphable.procedural.anatomy import Anatomy
from pipeline.morphable.procedural.relief import bump, smooth_step

_PUSHES = (
    # centre (x, y), sigma (x, y), direction for x > 0: each one field
    ((0.0, -106.0), (17.0, 14.0), (0.0, 0.0, 3.0)),
    ((13.0, -108.0), (11.0, 11.0), (2.4, 0.0, 0.4)),
    ((47.0, -26.0), (14.0, 12.0), (2.0, 0.0, 2.0)),
    ((46.0, -60.0), (13.0, 15.0), (2.6, 0.0, 2.6)),
    ((56.0, -78.0), (14.0, 12.0), (3.0, -1.6, 0.0)),
    ((0.0, -43.0), (10.0, 9.0), (0.0, 0.0, 2.6)),
    ((0.0, -43.0), (10.0, 8.0), (0.0, 2.0, 0.6)),
    ((0.0, -14.0), (8.0, 11.0), (0.0, 0.0, 2.0)),
    ((9.0, -16.0), (5.0, 12.0), (1.2, 0.0, 0.2)),
    ((13.5, -46.5), (5.5, 6.5), (2.0, 0.0, 0.2)),
    ((5.5, -42.0), (5.0, 6.0), (1.2, 0.0, 0.0)),
    ((0.0, -23.0), (6.0, 6.5), (0.0, 0.0, 1.5)),
    ((31.0, -7.0), (15.0, 13.0), (1.7, 0.0, 0.0)),
    ((31.0, -7.0), (16.0, 13.0), (0.0, 1.3, 0.0)),
    ((31.0, -7.0), (17.0, 13.0), (0.0, 0.0, -1.8)),
    ((33.0, 13.0), (20.0, 6.0), (0.0, 1.7, 0.0)),
    ((16.0, 11.0), (10.0, 6.0), (-0.8, 1.4, 0.0)),
    ((28.0, 10.0), (18.0, 7.0), (0.0, 0.0, 1.8)),
    ((0.0, -72.0), (24.0, 11.0), (0.0, 1.9, 0.0)),
    ((0.0, -72.0), (17.0, 10.0), (0.0, 0.0, 1.8)),
    ((0.0, -89.0), (16.0, 6.0), (0.0, 0.0, -1.3)),
    ((0.0, 48.0), (40.0, 16.0), (0.0, 0.0, -3.0)),
    ((61.0, 14.0), (14.0, 15.0), (2.2, 0.0, 1.0)),
    ((0.0, -126.0), (26.0, 8.0), (0.0, -2.6, 0.6)),
    ((24.0, -24.0), (9.0, 8.0), (0.0, 0.0, 1.3)),
)


def fields(head: Anatomy) -> list[np.ndarray]:
    """(N, 3) fields, each the displacement of one sigma: symmetric ones first, then small asymmetric ones."""
    return [*_wholes(head), *_pushes(head), *_parts(head), *_waves(head), *_asymmetric(head)]


def _wholes(head: Anatomy) -> list[np.ndarray]:
    """Width, height, depth and the thirds of the face."""
    x, y, z = head.points.T
    rest = np.zeros_like(x)
    lower = smooth_step((-60.0 - y) / 50.0)
    below_eyes = smooth_step((-8.0 - y) / 48.0)
    high = smooth_step((y - 10.0) / 60.0)
    rear = smooth_step((20.0 - z) / 90.0)
    jaw = np.exp(-0.5 * ((y + 92.0) / 20.0) ** 2) * smooth_step((z + 25.0) / 40.0)
    neck = smooth_step((-112.0 - y) / 25.0)
    return [
        np.stack([0.042 * x, rest, rest], axis=1),
        np.stack([rest, 0.040 * (y + 40.0), rest], axis=1),
        np.stack([rest, rest, 0.035 * (z - 40.0)], axis=1),
        np.stack([rest, -3.2 * lower, rest], axis=1),
        np.stack([rest, -2.6 * below_eyes, rest], axis=1),
        np.stack([rest, 3.5 * high, rest], axis=1),
        np.stack([rest, rest, -5.0 * rear], axis=1),
        np.stack([0.065 * x * jaw, rest, rest], axis=1),
        np.stack([rest, 0.5 * lower, 3.0 * lower * smooth_step((z - 10.0) / 60.0)], axis=1),
        np.stack([0.06 * x * neck, rest, 0.06 * (z + 10.0) * neck], axis=1),
    ]


def _pushes(head: Anatomy) -> list[np.ndarray]:
    front = smooth_step((head.bare[:, 2] - 5.0) / 30.0)
    result = []
    for centre, width, direction in _PUSHES:
        field = (bump(head.bare, centre, width) * front)[:, None] * np.array(direction)
        field[:, 0] *= np.tanh(head.bare[:, 0] / 4.0)
        result.append(field)
    return result


def _parts(head: Anatomy) -> list[np.ndarray]:
    """Eye size and slant, mouth width, lip thickness, ear size and flare."""
    x, y = np.abs(head.bare[:, 0]), head.bare[:, 1]
    sign = np.sign(head.bare[:, 0])
    rest = np.zeros_like(x)
    front = smooth_step((head.bare[:, 2] - 5.0) / 30.0)
    eye = bump(head.bare, tuple(outlines.EYE_CENTRE), (13.0, 10.0)) * front
    dx, dy = x - outlines.EYE_CENTRE[0], y - outlines.EYE_CENTRE[1]
    mouth = bump(head.bare, (0.0, -72.0), (26.0, 9.0)) * front
    line = outlines.height("lip_line", x)
    rim = np.where(np.abs(head.t) <= 1.0, 0.0, y - line)
    thick = rim * np.exp(-0.5 * (rim / 8.0) ** 2) * (x < 40) * np.exp(-0.5 * (x / 20.0) ** 2) * front
    _, q, e = ears.ear_place(head.bare)
    ear = 1.0 - smooth_step((e - 0.6) / 0.9)
    return [
        np.stack([0.06 * dx * sign * eye, 0.12 * dy * eye, rest], axis=1),
        np.stack([rest, 0.085 * dx * eye, rest], axis=1),
        np.stack([rest, 0.16 * dy * eye, rest], axis=1),
        np.stack([0.085 * head.bare[:, 0] * mouth, rest, rest], axis=1),
        np.stack([rest, 0.16 * thick, rest], axis=1),
        np.stack([rest, 0.16 * thick * (rim > 0), rest], axis=1),
        np.stack([2.4 * sign * ear, rest, -1.0 * ear], axis=1),
        np.stack([rest, 2.6 * q * ear, rest], axis=1),
    ]


def _wave(head: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """A smooth random displacement, wavelengths 80 to 200 mm, one millimetre rms in the middle."""
    field = np.zeros((len(head.points), 3))
    for _ in range(4):
        direction = rng.standard_normal(3)
        direction *= 2 * np.pi / (np.linalg.norm(direction) * rng.uniform(80.0, 200.0))
        field += np.cos(head.points @ direction + rng.uniform(0, 2 * np.pi))[:, None] * rng.standard_normal(3)
    return field / np.sqrt(2.0)


def _waves(head: Anatomy) -> list[np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(20))
    flip = np.array([-1.0, 1.0, 1.0])
    waves = [_wave(head, rng) for _ in range(8)]
    return [0.65 * (wave + wave[head.twin] * flip) / 2 for wave in waves]


def _asymmetric(head: Anatomy) -> list[np.ndarray]:
    """Nose aside, jaw aside, mouth askew, one eye higher, a few waves."""
    front = smooth_step((head.bare[:, 2] - 5.0) / 30.0)
    side = np.tanh(head.bare[:, 0] / 12.0)
    rest = np.zeros_like(front)
    nose = bump(head.bare, (0.0, -40.0), (9.0, 12.0)) * front
    jaw = smooth_step((-66.0 - head.points[:, 1]) / 40.0) * front
    mouth = bump(head.bare, (0.0, -73.0), (24.0, 10.0)) * front
    eye = bump(head.bare, tuple(outlines.EYE_CENTRE), (16.0, 14.0)) * front
    rng = np.random.Generator(np.random.PCG64(21))
    flip = np.array([-1.0, 1.0, 1.0])
    waves = [_wave(head, rng) for _ in range(3)]
    return [
        np.stack([1.0 * nose, rest, rest], axis=1),
        np.stack([1.3 * jaw, rest, rest], axis=1),
        np.stack([rest, 0.9 * mouth * side, rest], axis=1),
        np.stack([rest, 0.6 * eye * side, rest], axis=1),
        *[0.35 * (wave - wave[head.twin] * flip) / 2 for wave in waves],
    ]
