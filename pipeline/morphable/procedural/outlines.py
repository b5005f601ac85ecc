"""Contours of eyes, brows and lips, and the 68 landmarks, on the side x > 0 in frontal millimetres.

Measures from Farkas (1994): en-en 33, ex-ex 90, eye fissure height 11, al-al 34, nasion to subnasale 52, ch-ch 52,
upper and lower vermilion 8 and 10, stomion to gnathion 45.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

EYE_CENTRE = np.array([30.6, -6.7])
INNER_CANTHUS = np.array([16.5, -8.6])
OUTER_CANTHUS = np.array([44.0, -6.9])
LID_LANDMARKS = (25.5, 35.5)
MOUTH_HALF = 26.0
LENS_HALF = 23.5

_UPPER_LID = (
    (16.5, -8.6),
    (18.5, -6.6),
    (25.5, -2.6),
    (31.5, -1.4),
    (37.0, -2.4),
    (42.0, -5.4),
    (44.0, -6.9),
)
_LOWER_LID = (
    (16.5, -8.6),
    (19.0, -9.7),
    (25.5, -11.5),
    (31.5, -12.1),
    (37.0, -11.2),
    (42.0, -8.3),
    (44.0, -6.9),
)
_BROW_TOP = ((11.5, 10.0), (15.0, 12.8), (23.0, 15.2), (33.0, 16.8), (42.0, 14.2), (51.0, 6.8))
_BROW_BOTTOM = ((11.5, 5.0), (15.0, 6.2), (23.0, 8.4), (33.0, 10.8), (42.0, 10.3), (51.0, 5.6))
_LIP_TOP = (
    (0.0, -65.2),
    (2.0, -64.5),
    (5.2, -63.4),
    (9.0, -64.0),
    (16.0, -66.6),
    (22.0, -69.8),
    (26.0, -72.0),
)
_LIP_BOTTOM = ((0.0, -82.4), (8.0, -81.6), (16.0, -78.4), (22.0, -74.9), (26.0, -72.0))
_LIP_LINE = ((0.0, -72.6), (4.0, -72.2), (10.0, -71.9), (18.0, -72.3), (26.0, -72.0))


def _curve(points: tuple[tuple[float, float], ...]) -> PchipInterpolator:
    table = np.array(points)
    return PchipInterpolator(table[:, 0], table[:, 1], extrapolate=False)


_CURVES = {
    "upper_lid": _curve(_UPPER_LID),
    "lower_lid": _curve(_LOWER_LID),
    "brow_top": _curve(_BROW_TOP),
    "brow_bottom": _curve(_BROW_BOTTOM),
    "lip_top": _curve(_LIP_TOP),
    "lip_bottom": _curve(_LIP_BOTTOM),
    "lip_line": _curve(_LIP_LINE),
}


def height(name: str, x: np.ndarray) -> np.ndarray:
    """y of a contour at ``|x|``, held constant beyond its ends."""
    curve = _CURVES[name]
    return curve(np.clip(np.abs(x), curve.x[0], curve.x[-1]))


def lid_outline(count: int) -> np.ndarray:
    """Closed lid contour at even distances, (2 count, 2): inner canthus, upper lid, outer canthus, lower lid back.

    The nearest points are moved onto the lid landmarks.
    """
    share = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 2001))
    dense = INNER_CANTHUS[0] + (OUTER_CANTHUS[0] - INNER_CANTHUS[0]) * share
    sides = []
    for name in ("upper_lid", "lower_lid"):
        length = np.cumsum(
            np.hypot(np.diff(dense, prepend=dense[0]), np.diff(height(name, dense), prepend=-8.6))
        )
        x = np.interp(np.linspace(0.0, length[-1], count + 1), length, dense)
        for landmark in LID_LANDMARKS:
            x[np.argmin(np.abs(x - landmark))] = landmark
        sides.append(np.stack([x, height(name, x)], axis=1))
    return np.concatenate([sides[0][:-1], sides[1][:0:-1]])


def lid_distance(points: np.ndarray) -> np.ndarray:
    """Signed distance (n,) of frontal points (n, 2) with x > 0 to the lid contour, negative inside the eye."""
    ring = lid_outline(48)
    along, up = (np.roll(ring, -1, axis=0) - ring).T
    x, y = points[:, 0], points[:, 1]
    dx, dy = x[:, None] - ring[:, 0], y[:, None] - ring[:, 1]
    share = np.clip((dx * along + dy * up) / (along**2 + up**2), 0.0, 1.0)
    dx -= share * along
    dy -= share * up
    distance = np.sqrt((dx**2 + dy**2).min(axis=1))
    inside = (x > INNER_CANTHUS[0]) & (x < OUTER_CANTHUS[0])
    inside &= (y < height("upper_lid", x)) & (y > height("lower_lid", x))
    return np.where(inside, -distance, distance)


def inside_brow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far inside the brow frontal points are, 0 at its edge and 1 on its middle line; negative outside."""
    top, bottom = height("brow_top", x), height("brow_bottom", x)
    middle, half = (top + bottom) / 2, np.maximum((top - bottom) / 2, 0.4)
    across = 1.0 - np.abs(y - middle) / half
    beyond = np.maximum(11.5 - np.abs(x), 0.0) + np.maximum(np.abs(x) - 51.0, 0.0)
    return across - beyond / 2.0


CONTOUR = {
    8: (0.0, -117.0),
    9: (17.5, -117.0),
    10: (35.5, -117.0),
    11: (53.0, -117.0),
    12: (68.0, -114.0),
    13: (75.5, -103.0),
    14: (79.0, -78.0),
    15: (81.0, -42.0),
    16: (82.0, -12.0),
}
"""Contour landmarks on the side x > 0: angle theta in degrees and level b."""

FRONT = {
    22: (13.0, 11.4),
    23: (22.5, 15.0),
    24: (32.5, 16.7),
    25: (42.0, 14.1),
    26: (50.0, 7.2),
    27: (0.0, -4.0),
    28: (0.0, -16.0),
    29: (0.0, -28.5),
    30: (0.0, -40.6),
    33: (0.0, -53.4),
    34: (6.6, -52.6),
    35: (12.4, -51.7),
    42: tuple(INNER_CANTHUS),
    43: (LID_LANDMARKS[0], -2.6),
    44: (LID_LANDMARKS[1], float(_CURVES["upper_lid"](LID_LANDMARKS[1]))),
    45: tuple(OUTER_CANTHUS),
    46: (LID_LANDMARKS[1], float(_CURVES["lower_lid"](LID_LANDMARKS[1]))),
    47: (LID_LANDMARKS[0], -11.5),
    51: (0.0, -65.2),
    52: (5.2, -63.4),
    53: (16.0, -66.6),
    54: (26.0, -72.0),
    55: (16.0, -78.4),
    56: (8.0, -81.6),
    57: (0.0, -82.4),
}
"""Frontal landmarks on the side x >= 0: (x, y)."""

LIPS = {62: (0.0, 1), 63: (9.5, 1), 64: (LENS_HALF, 0), 65: (9.5, -1), 66: (0.0, -1)}
"""Inner lip landmarks on the side x >= 0: (x, side of the mouth opening)."""

MIRROR = np.concatenate(
    [
        np.arange(16, -1, -1),
        np.arange(26, 16, -1),
        np.arange(27, 31),
        np.arange(35, 30, -1),
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
        np.arange(54, 47, -1),
        np.arange(59, 54, -1),
        np.arange(64, 59, -1),
        np.arange(67, 64, -1),
    ]
)
"""Number of the landmark on the other side, (68,)."""
