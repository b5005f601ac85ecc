"""Lips, the groove under the nose, and the pocket behind the lips with teeth, gums and a dark throat."""

from __future__ import annotations

import numpy as np

from pipeline.morphable.procedural.outlines import LENS_HALF, MOUTH_HALF, height
from pipeline.morphable.procedural.relief import smooth_step

LIP_GAP = 0.05
"""Half the gap between the resting lips."""

POCKET = np.array(
    # t across the lens, up, back (millimetres from the rim), for a column in the mouth's middle
    [
        (-1.0, 0.0, 0.0),
        (-0.9, 0.3, 2.4),
        (-0.76, -5.0, 6.2),
        (-0.64, -3.6, 7.0),
        (-0.42, -0.4, 8.4),
        (-0.22, -4.0, 11.0),
        (0.0, -1.0, 16.0),
        (0.22, 2.0, 10.0),
        (0.42, -2.8, 6.0),
        (0.64, 2.0, 5.2),
        (0.76, 4.5, 4.8),
        (0.9, -0.3, 2.2),
        (1.0, 0.0, 0.0),
    ]
)
TEETH = (0.38, 0.68)
"""|t| between which the pocket's sheet is teeth."""


def add_lips(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Raises lips and philtrum on the points (n, 3) of the front; the sign of t (n,) tells upper from lower."""
    x, y = np.abs(points[:, 0]), points[:, 1]
    near = (x < 34.0) & (y > -96.0) & (y < -52.0) & (points[:, 2] > 40.0)
    px, py = x[near], y[near]
    line, top, bottom = (height(name, px) for name in ("lip_line", "lip_top", "lip_bottom"))
    full = np.clip(1.0 - (px / (MOUTH_HALF + 1.5)) ** 2, 0.0, 1.0) ** 0.6
    upper = t[near] >= 0
    edge = np.where(upper, top - line, line - bottom)
    across = np.abs(py - line) / np.maximum(edge, 1.2)
    beyond = np.maximum(np.abs(py - line) - edge, 0.0)
    roll = np.sqrt(np.clip(1.0 - (1.0 - np.clip(across / 0.45, 0.0, 1.0)) ** 2, 0.0, 1.0))
    swell_up = 0.4 + 3.8 * roll
    swell_down = 0.4 + 4.0 * roll - 1.2 * np.clip(across - 0.4, 0.0, 1.0)
    fade = np.exp(-0.5 * (beyond / np.where(upper, 5.0, 4.0)) ** 2)
    vermilion_edge = np.where(upper, 0.45, 0.15) * np.exp(-0.5 * ((across - 1.0) * edge / 0.9) ** 2)
    raised = full * (np.where(upper, swell_up, swell_down) * fade + vermilion_edge)
    corner = -1.6 * np.exp(-0.5 * (((px - MOUTH_HALF) / 2.2) ** 2 + ((py - line) / 2.0) ** 2))
    groove = smooth_step((py + 66.0) / 4.0) * smooth_step((-52.0 - py) / 5.0)
    philtrum = groove * (0.5 * np.exp(-0.5 * ((px - 4.6) / 1.6) ** 2) - 0.8 * np.exp(-0.5 * (px / 2.2) ** 2))
    gap = np.where(upper, 1.0, -1.0) * LIP_GAP * np.exp(-np.abs(py - line) / 2.0) * (full > 0) * full
    moved = points.copy()
    moved[near, 2] += raised + corner + philtrum
    moved[near, 1] += gap
    return moved


def pocket(points: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Folds the points (n, 3) on the lips' line with a place t (n,) in the lens into the mouth."""
    inside = np.abs(t) <= 1.0
    share = np.clip(1.0 - (np.abs(points[inside, 0]) / LENS_HALF) ** 2, 0.0, 1.0) ** 0.5
    up = np.interp(t[inside], POCKET[:, 0], POCKET[:, 1])
    back = np.interp(t[inside], POCKET[:, 0], POCKET[:, 2])
    arch = 0.012 * points[inside, 0] ** 2 * smooth_step(back / 6.0)
    moved = points.copy()
    moved[inside, 1] += up * (0.04 + 0.96 * share) * (share > 0)
    moved[inside, 2] -= (back * (0.3 + 0.7 * share) + arch) * (share > 0)
    return moved
