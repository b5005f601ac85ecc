"""The nose: bridge, tip, wings, columella and nostrils, as heights over the frontal plane."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.morphable.procedural.relief import blend_max, smooth_step

_RIDGE = np.array(
    # y, z of the ridge, radius of its back, slope of its sides
    [
        (-62.0, 88.0, 4.0, 1.2),
        (-55.0, 96.0, 3.2, 1.6),
        (-52.5, 101.5, 3.0, 1.9),
        (-50.0, 107.0, 3.5, 1.9),
        (-47.5, 112.8, 4.0, 1.6),
        (-44.3, 116.0, 5.0, 1.2),
        (-41.0, 116.6, 5.0, 1.25),
        (-36.0, 113.0, 5.5, 1.3),
        (-28.0, 106.6, 6.0, 1.4),
        (-20.0, 100.4, 6.5, 1.25),
        (-12.0, 94.8, 7.5, 1.1),
        (-4.0, 91.0, 9.0, 0.9),
        (4.0, 90.5, 11.0, 0.7),
        (14.0, 88.0, 14.0, 0.6),
    ]
)
_PROFILE = PchipInterpolator(_RIDGE[:, 0], _RIDGE[:, 1:])

WING = np.array([11.2, -46.0, 93.8])
_WING_SIZE = np.array([6.3, 6.6, 9.6])
NOSTRIL = np.array([6.9, -49.6])


def add_nose(points: np.ndarray) -> np.ndarray:
    """Raises the nose on the points (n, 3) of the front and opens the nostrils."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    near = (x < 28.0) & (y > -62.0) & (y < 14.0) & (points[:, 2] > 40.0)
    moved = points.copy()
    px, py, z = x[near], y[near], points[near, 2]
    ridge, radius, slope = _PROFILE(py).T
    bridge = ridge - np.sqrt(radius**2 + (slope * px) ** 2) + radius
    bridge -= 0.11 * np.maximum(px - 8.0, 0.0) ** 2 * smooth_step((-16.0 - py) / 18.0)
    z = blend_max(z, bridge, 7.0)
    wing = _dome(px, py, WING, _WING_SIZE)
    z = blend_max(z, wing, 5.0)
    moved[near, 2] = z - _nostril(px, py)
    return moved


def nostril_share(points: np.ndarray) -> np.ndarray:
    """How deep in a nostril frontal points (n, 2 or 3) are: 1 in its middle, falling to 0 outside."""
    return _nostril(np.abs(points[:, 0]), points[:, 1]) / 8.0


def _dome(x: np.ndarray, y: np.ndarray, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
    share = ((x - centre[0]) / size[0]) ** 2 + ((y - centre[1]) / size[1]) ** 2
    top = np.sqrt(np.clip(1.0 - share, 0.0, 1.0))
    return centre[2] + size[2] * top - 30.0 * np.clip(share - 1.0, 0.0, 3.0)


def _nostril(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    along, across = (x - NOSTRIL[0]), (y - NOSTRIL[1] - 0.12 * (x - NOSTRIL[0]))
    share = (along / 3.4) ** 2 + (across / 1.9) ** 2
    return 8.0 * np.exp(-(share**1.5))
