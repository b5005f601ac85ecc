"""The head without its features: a surface lofted through horizontal curves.

Lengths are millimetres. In this package y = 0 is the nasion and z = 0 the tragion until the model is assembled.
The measures follow the adult means of Farkas, Anthropometry of the Head and Face (1994), women and men averaged:
nasion to gnathion 117, bizygomatic width 135, bigonial 100, head length 191, head width 148, vertex to gnathion
222. Each row of the table is one curve around the head.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

NECK, JAW, HAIRLINE, CROWN = -175.0, -117.0, 60.0, 168.0
"""Values of b at the neck's edge, the mandible's edge, the hairline and the crown."""

_COLUMNS = ("y_front", "y_side", "y_back", "bend", "half_width", "z_front", "z_side", "z_back", "flat")
_ROWS = (
    # b      front  side   back  bend  width  zf    zs    zb    flat
    (-175.0, -160.0, -140.0, -122.0, 2.0, 54.0, 32.0, -14.0, -68.0, 1.00),
    (-158.0, -142.0, -121.0, -102.0, 2.2, 51.0, 34.0, -12.0, -64.0, 1.00),
    (-143.0, -126.5, -103.0, -85.0, 2.6, 50.0, 43.0, -7.0, -63.0, 1.00),
    (-128.0, -121.5, -90.0, -70.0, 3.0, 51.0, 68.0, 3.0, -66.0, 1.00),
    (-117.0, -117.0, -80.0, -60.0, 2.8, 54.5, 86.0, 5.0, -71.0, 1.03),
    (-104.0, -104.0, -71.0, -50.0, 3.2, 58.5, 92.5, 6.0, -76.0, 1.06),
    (-90.0, -90.0, -63.0, -38.0, 4.0, 61.8, 95.5, 7.5, -81.0, 1.06),
    (-72.0, -72.0, -54.0, -27.0, 4.0, 64.6, 97.5, 8.0, -86.0, 1.04),
    (-52.0, -52.0, -42.0, -17.0, 4.0, 66.5, 98.0, 7.0, -90.0, 1.00),
    (-30.0, -30.0, -27.0, -7.0, 4.0, 69.0, 96.5, 6.0, -93.0, 0.98),
    (-8.0, -8.0, -8.0, 4.0, 4.0, 69.5, 93.5, 4.0, -96.0, 0.96),
    (15.0, 15.0, 15.0, 18.0, 4.0, 69.5, 94.0, 0.0, -97.0, 0.90),
)
_DOME_FROM = 40.0
_DOME_STEPS = 9


def _table() -> np.ndarray:
    rows = [list(row) for row in _ROWS]
    for angle in np.linspace(0.0, np.pi / 2, _DOME_STEPS):
        c, s = np.cos(angle), np.sin(angle)
        b = _DOME_FROM + (CROWN - _DOME_FROM) * angle / (np.pi / 2)
        y = _DOME_FROM + 65.0 * s
        ring = max(c**0.92, 0.004)
        rows.append(
            [
                b,
                y,
                y,
                y - 2.0 * c,
                4.0,
                71.5 * ring,
                -6.0 + 97.5 * ring,
                -6.0 - 4.0 * c,
                -6.0 - 88.0 * ring,
                0.86,
            ]
        )
    return np.array(rows)


_TABLE = _table()
_CURVES = CubicSpline(_TABLE[:, 0], _TABLE[:, 1:])


def rows_at(b: np.ndarray) -> dict[str, np.ndarray]:
    """The parameters of the horizontal curves at the levels ``b`` (any shape), by column name."""
    values = _CURVES(np.asarray(b, dtype=np.float64))
    return {name: values[..., index] for index, name in enumerate(_COLUMNS)}


def loft(theta: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Points of the bare head.

    Args:
        theta: (n,) angle around the vertical axis in radians, 0 in front, pi/2 at the side x > 0.
        b: (n,) level, which is y on the front's midline between chin and forehead.

    Returns:
        (n, 3) millimetres.
    """
    row = rows_at(b)
    sine, cosine = np.sin(theta), np.cos(theta)
    ahead = np.clip(cosine, 0.0, 1.0)
    behind = np.clip(-cosine, 0.0, 1.0)
    side = np.abs(sine) ** row["bend"]
    y_far = np.where(cosine >= 0, row["y_front"], row["y_back"])
    y = y_far + (row["y_side"] - y_far) * side
    z = row["z_side"] + (row["z_front"] - row["z_side"]) * ahead ** row["flat"]
    z = z - (row["z_side"] - row["z_back"]) * behind**0.95
    return np.stack([row["half_width"] * sine, y, z], axis=-1)


def locate(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(theta, b) of the points of the bare head's front with these frontal coordinates, for |theta| < pi/2."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    b = y.copy()
    theta = np.zeros_like(x)
    for _ in range(40):
        theta = np.arcsin(np.clip(x / rows_at(b)["half_width"], -1.0, 1.0))
        b = b + 0.8 * (y - loft(theta, b)[..., 1])
    return theta, b


def locate_side(y: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(theta, b) of the points of the bare head's side x > 0 near the ear with this height and depth."""
    b, theta = np.asarray(y, dtype=np.float64).copy(), np.full(np.shape(y), np.pi / 2)
    for _ in range(80):
        place = loft(theta, b)
        b = b + 0.6 * (y - place[..., 1])
        theta = np.clip(theta + 0.006 * (place[..., 2] - z), 0.5, 2.6)
    return theta, b
