"""Bones and soft parts of the bare face: brow ridge, orbit, cheekbone, temple, chin, and the hair's volume."""

from __future__ import annotations

import numpy as np


def bump(points: np.ndarray, centre: tuple[float, ...], width: tuple[float, ...]) -> np.ndarray:
    """Gaussian of height 1 around ``centre`` with these standard deviations, over |x| and what follows."""
    spread = np.zeros(len(points))
    for axis, (middle, sigma) in enumerate(zip(centre, width, strict=True)):
        value = np.abs(points[:, 0]) if axis == 0 else points[:, axis]
        spread += ((value - middle) / sigma) ** 2
    return np.exp(-0.5 * spread)


def smooth_step(value: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, smooth between."""
    value = np.clip(value, 0.0, 1.0)
    return value * value * (3.0 - 2.0 * value)


def blend_max(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """The larger of two heights with a rounded valley where they meet; ``radius`` in millimetres."""
    gap = np.maximum(radius - np.abs(a - b), 0.0) / radius
    return np.maximum(a, b) + gap * gap * radius * 0.25


_FORWARD = (
    # height, (x, y), (sigma x, sigma y)
    (1.7, (19.0, 9.0), (13.0, 5.0)),
    (1.8, (40.0, 12.0), (10.0, 5.5)),
    (1.8, (0.0, 12.0), (10.0, 7.0)),
    (-3.2, (0.0, -3.0), (9.0, 7.0)),
    (-7.2, (26.5, -8.0), (13.0, 9.0)),
    (-6.0, (14.0, -9.0), (4.5, 7.5)),
    (3.2, (45.0, -29.0), (12.0, 9.0)),
    (1.8, (27.0, -33.0), (9.0, 9.0)),
    (-3.0, (46.0, -66.0), (12.0, 15.0)),
    (-2.0, (27.5, -72.0), (6.0, 7.0)),
    (3.6, (0.0, -104.0), (11.0, 8.0)),
    (1.5, (11.0, -107.0), (7.0, 6.0)),
    (-3.4, (0.0, -89.5), (15.0, 4.2)),
    (-2.0, (17.0, -94.0), (7.0, 8.0)),
    (1.2, (16.0, 38.0), (16.0, 14.0)),
)
_SIDEWAYS = (
    # width, (x, y, z), (sigma x, sigma y, sigma z)
    (-3.2, (62.0, 14.0, 38.0), (14.0, 15.0, 15.0)),
    (2.6, (62.0, -27.0, 42.0), (14.0, 8.0, 18.0)),
    (-3.5, (60.0, -60.0, 42.0), (14.0, 12.0, 16.0)),
    (1.8, (57.0, -78.0, 14.0), (12.0, 9.0, 12.0)),
)


def sculpt(points: np.ndarray) -> np.ndarray:
    """Moves points of the bare head (n, 3) to where bone and fat have them; features come later."""
    moved = points.copy()
    facing = smooth_step((points[:, 2] - 8.0) / 22.0)
    for height, centre, width in _FORWARD:
        moved[:, 2] += height * facing * bump(points, centre, width)
    for out, centre, width in _SIDEWAYS:
        moved[:, 0] += out * np.sign(points[:, 0]) * bump(points, centre, width)
    fold = _nasolabial(points)
    moved[:, 2] += facing * fold
    return moved


def _nasolabial(points: np.ndarray) -> np.ndarray:
    """The fold from the nose's wing past the mouth's corner: a groove with the cheek's edge beside it."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    share = np.clip((-46.0 - y) / 32.0, 0.0, 1.0)
    line = 20.0 + 13.5 * share**0.9
    along = smooth_step((-38.0 - y) / 22.0) * smooth_step((y + 86.0) / 18.0)
    groove = np.exp(-0.5 * ((x - line) / 1.9) ** 2)
    cheek = np.exp(-0.5 * ((x - line - 6.0) / 4.0) ** 2)
    return along * (1.1 * cheek - 0.9 * groove)


def hairline(theta: np.ndarray) -> np.ndarray:
    """Level b at which the hair begins, by the angle around the head."""
    degrees = np.degrees(theta)
    knots = [0.0, 14.0, 32.0, 50.0, 64.0, 74.0, 80.0, 86.0, 100.0, 116.0, 135.0, 155.0, 180.0]
    level = [57.0, 60.0, 62.0, 46.0, 30.0, 8.0, -22.0, 0.0, 16.0, -20.0, -90.0, -118.0, -124.0]
    return np.interp(degrees, knots, level)


def hair_share(theta: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far a place is inside the hair: 0 on skin, 1 from 10 mm inside (30 behind the ears)."""
    return smooth_step((b - hairline(theta)) / (10.0 + 20.0 * smooth_step((theta - 1.7) / 0.5)))


def add_hair(points: np.ndarray, theta: np.ndarray, b: np.ndarray, bald: np.ndarray) -> np.ndarray:
    """Short hair on the scalp, thinner at its edge; none where ``bald`` (n,) is 1."""
    outward = points - np.array([0.0, 20.0, -8.0])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    thick = 0.2 + 3.6 * smooth_step((b - hairline(theta)) / 80.0)
    return points + outward * (thick * hair_share(theta, b) * (1.0 - bald))[:, None]
