"""The eyes: a ball in the orbit, lids that lie on it, and the colours' map of iris and pupil."""

from __future__ import annotations

import numpy as np

from pipeline.morphable.procedural.outlines import EYE_CENTRE, height, lid_distance
from pipeline.morphable.procedural.relief import smooth_step

BALL_DEPTH = 67.4
_BALL = np.array([16.2, 13.2, 12.0])
LID = 1.6
IRIS = 5.9
PUPIL = 2.1
PUPIL_OFFSET = np.array([0.4, 0.3])
"""From the eye's centre to the pupil's, of a person who looks at the camera."""


def ball_height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """z of the eye's surface under frontal points; the outer corner lies deeper than the inner one."""
    dx, dy = np.abs(x) - EYE_CENTRE[0], y - EYE_CENTRE[1]
    share = np.clip((dx / _BALL[0]) ** 2 + (dy / _BALL[1]) ** 2, 0.0, 0.97)
    return BALL_DEPTH + _BALL[2] * np.sqrt(1.0 - share) - 0.20 * dx


def _lid_height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """z of the lids' surface: along the ball as far as it faces forward, then level."""
    dx, dy = np.abs(x) - EYE_CENTRE[0], y - EYE_CENTRE[1]
    share = np.clip((dx / _BALL[0]) ** 2 + 0.45 * np.tanh((dy / _BALL[1]) ** 2 / 0.45), 0.0, 0.93)
    return BALL_DEPTH + _BALL[2] * np.sqrt(1.0 - share) - 0.20 * dx - 0.35 * np.maximum(dx - 12.0, 0.0) + LID


def iris_distance(points: np.ndarray) -> np.ndarray:
    """Millimetres (n,) from the pupil's centre of a person who looks at the camera."""
    return np.hypot(
        np.abs(points[:, 0]) - EYE_CENTRE[0] - PUPIL_OFFSET[0], points[:, 1] - EYE_CENTRE[1] - PUPIL_OFFSET[1]
    )


def add_eyes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lays lids and eyeballs on the points (n, 3) of the front.

    Returns:
        the moved points and, for each, the signed distance to the lids' edge (negative on the eyeball,
        large away from the eyes).
    """
    x, y = np.abs(points[:, 0]), points[:, 1]
    distance = np.full(len(points), 99.0)
    near = (x > 4.0) & (x < 62.0) & (np.abs(y - EYE_CENTRE[1]) < 26.0) & (points[:, 2] > 30.0)
    px, py = x[near], y[near]
    d = lid_distance(np.stack([px, py], axis=1))
    distance[near] = d
    ball = ball_height(px, py)
    cornea = 0.7 * np.clip(1.0 - (iris_distance(points[near]) / 6.6) ** 2, 0.0, 1.0)
    above = smooth_step((py - EYE_CENTRE[1]) / 5.0)
    width = 9.0 + 2.0 * above + 2.0 * smooth_step((px - 42.0) / 6.0)
    weight = 1.0 - smooth_step((d - 0.4) / width)
    crease = -1.3 * above * np.exp(-0.5 * ((d - 4.6) / 0.9) ** 2) * smooth_step((47.0 - px) / 4.0)
    fold = 0.9 * above * np.exp(-0.5 * ((d - 7.4) / 1.8) ** 2)
    bag = 0.5 * (1 - above) * np.exp(-0.5 * ((d - 3.0) / 1.5) ** 2)
    tip = np.exp(-0.5 * ((px - 16.0) / 2.2) ** 2)
    lid = _lid_height(px, py) - 0.6 * LID * tip + 0.5 * (1.0 - np.exp(-np.maximum(d, 0.0) / 3.0))
    skin = points[near, 2] + (lid - points[near, 2]) * weight + crease + fold + bag
    rim = smooth_step(-d / 0.6)
    moved = points.copy()
    moved[near, 2] = np.where(d >= 0, skin, (ball + cornea) * rim + lid * (1.0 - rim))
    return moved, distance


def opening(x: np.ndarray) -> np.ndarray:
    """Height of the eye's opening at ``|x|``, zero beyond the corners."""
    return np.maximum(height("upper_lid", x) - height("lower_lid", x), 0.0)
