"""The chart: where a point (u, v) of the unit square lies on the head, and back.

u runs around the head (the seam is on the back's midline), v upwards from the neck's edge to the crown. The face
takes four fifths of the width and seven tenths of the height. Between the lips the chart has a lens of its own,
which holds the inside of the mouth: on the bare head its two rims lie on one line.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.morphable.procedural.head import CROWN, HAIRLINE, JAW, NECK, locate, rows_at
from pipeline.morphable.procedural.outlines import LENS_HALF, height

PLANE = np.array([312.0, 253.0])
"""Millimetres per unit of u and v in the face."""

LENS_HEIGHT = 5.0
_REACH_UP, _REACH_DOWN = 18.0, 26.0

_TURN = np.array([[0.0, 0.0], [0.355, 43.0], [0.71, 86.0], [0.88, 116.0], [1.0, 180.0]])
_LEVEL = np.array([[0.0, NECK], [0.12, JAW], [0.47, -28.5], [0.82, HAIRLINE], [1.0, CROWN]])
_THETA_OF_S = PchipInterpolator(_TURN[:, 0], np.radians(_TURN[:, 1]))
_B_OF_V = PchipInterpolator(_LEVEL[:, 0], _LEVEL[:, 1])
_GRID = np.linspace(0.0, 1.0, 4097)


def theta_of_u(u: np.ndarray) -> np.ndarray:
    """Angle around the head for u in 0.5..1 (the side x >= 0)."""
    return _THETA_OF_S(np.clip(2.0 * np.asarray(u) - 1.0, 0.0, 1.0))


def lens(x: np.ndarray) -> np.ndarray:
    """Half the height of the mouth's lens at ``|x|``, in units of b; zero beyond its corners."""
    share = np.clip(1.0 - (np.asarray(x) / LENS_HALF) ** 2, 0.0, 1.0)
    return LENS_HEIGHT * share**0.45


def levels(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where chart points of the side x >= 0 lie.

    Returns:
        theta (n,), level b (n,) on the bare head, and place t (n,) across the mouth's lens: 1 on the upper
        lip's rim, -1 on the lower's, 2 above and -2 below the lens.
    """
    theta, chart_b = theta_of_u(u), _B_OF_V(v)
    x = rows_at(chart_b)["half_width"] * np.sin(theta)
    line, half = height("lip_line", x), lens(x)
    offset = chart_b - line
    front = theta < np.pi / 3
    inside = front & (half > 0) & (np.abs(offset) <= half)
    t = np.where(inside, offset / np.where(half > 0, half, 1.0), np.where(offset >= 0, 2.0, -2.0))
    reach = np.where(offset > 0, _REACH_UP, _REACH_DOWN)
    stretched = np.maximum(np.abs(offset) - half, 0.0) * reach / (reach - half)
    near = front & (np.abs(offset) < reach)
    return theta, np.where(near, line + np.sign(offset) * stretched, chart_b), t


def chart_of(theta: np.ndarray, b: np.ndarray, side: np.ndarray | int = 0) -> np.ndarray:
    """(n, 2) chart points of the places (theta, b) on the bare head, 0 <= theta <= pi.

    ``side`` says which rim of the mouth's lens is meant (1 upper, -1 lower, 0: whichever b is nearer to).
    """
    theta, b = np.broadcast_arrays(np.asarray(theta, np.float64), np.asarray(b, np.float64))
    chart_b = b.copy()
    for _ in range(30):
        x = rows_at(chart_b)["half_width"] * np.sin(theta)
        line, half = height("lip_line", x), lens(x)
        offset = b - line
        sign = np.where(np.asarray(side) != 0, side, np.where(offset >= 0, 1, -1))
        reach = np.where(sign > 0, _REACH_UP, _REACH_DOWN)
        distance = np.maximum(offset * sign, 0.0)
        near = (theta < np.pi / 3) & (distance < reach)
        chart_b = np.where(near, line + sign * (half + distance * (reach - half) / reach), b)
    u = 0.5 + 0.5 * np.interp(theta, _THETA_OF_S(_GRID), _GRID)
    return np.stack([u, np.interp(chart_b, _B_OF_V(_GRID), _GRID)], axis=-1)


def chart_of_front(x: np.ndarray, y: np.ndarray, side: np.ndarray | int = 0) -> np.ndarray:
    """(n, 2) chart points of frontal points with x >= 0, as chart_of."""
    return chart_of(*locate(np.asarray(x, np.float64), np.asarray(y, np.float64)), side)
