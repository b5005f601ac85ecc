"""The ears as relief on the side of the head: helix, antihelix, concha, tragus and lobe (ear length 62, width 34)."""

from __future__ import annotations

import numpy as np

from pipeline.morphable.procedural.relief import smooth_step

CENTRE = np.array([-27.0, -15.0])
"""(y, z) of the ear's middle."""
_HALF_LENGTH, _HALF_WIDTH = 31.0, 17.0
_LEAN = np.radians(8.0)
_OUT = np.array([0.92, 0.0, -0.39])


def ear_place(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where points (n, 3) of the head's side are on the ear: p backwards, q upwards, radius e (1 is the edge)."""
    y, z = points[:, 1] - CENTRE[0], points[:, 2] - CENTRE[1]
    q = (y * np.cos(_LEAN) - z * np.sin(_LEAN)) / _HALF_LENGTH
    p = (-z * np.cos(_LEAN) - y * np.sin(_LEAN)) / _HALF_WIDTH
    radius = np.hypot(p / _width(q), q)
    return p, q, np.where(np.abs(points[:, 0]) > 40.0, radius, 9.0)


def add_ears(points: np.ndarray) -> np.ndarray:
    """Raises the ear on the points (n, 3) of a head."""
    p, q, e = ear_place(points)
    inside = 1.0 - smooth_step((e - 0.88) / 0.27)
    front_open = smooth_step((p + 0.75) / 0.35)
    flare = 0.5 + 11.0 * smooth_step((p + 1.0) / 1.8)
    helix_part = np.maximum(smooth_step((p + 0.35) / 0.4), smooth_step((q - 0.25) / 0.3))
    helix_part *= smooth_step((q + 0.55) / 0.3)
    helix = 2.8 * helix_part * np.exp(-0.5 * ((e - 0.86) / 0.10) ** 2)
    scapha = -2.2 * helix_part * np.exp(-0.5 * ((e - 0.66) / 0.09) ** 2)
    antihelix = 1.8 * smooth_step((p + 0.1) / 0.3) * np.exp(-0.5 * ((e - 0.46) / 0.10) ** 2)
    concha = -7.5 * np.exp(-0.5 * (((p + 0.12) / 0.30) ** 2 + ((q + 0.12) / 0.26) ** 2))
    upper_hollow = -2.0 * np.exp(-0.5 * (((p - 0.05) / 0.25) ** 2 + ((q - 0.42) / 0.12) ** 2))
    tragus = 3.0 * np.exp(-0.5 * (((p + 0.72) / 0.14) ** 2 + ((q + 0.12) / 0.13) ** 2))
    relief = helix + scapha + antihelix + (concha + upper_hollow) * front_open + tragus
    height = inside * (flare + relief)
    push = height[:, None] * _OUT
    push[:, 0] *= np.sign(points[:, 0])
    return points + push


def rim(radius: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(y, z) of ``count`` points on the line of constant ear radius."""
    angle = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    q = radius * np.sin(angle)
    p = radius * np.cos(angle) * _width(q)
    back, up = p * _HALF_WIDTH, q * _HALF_LENGTH
    return (
        CENTRE[0] + up * np.cos(_LEAN) - back * np.sin(_LEAN),
        CENTRE[1] - up * np.sin(_LEAN) - back * np.cos(_LEAN),
    )


def _width(q: np.ndarray) -> np.ndarray:
    return 1.0 + 0.22 * np.clip(q, -1.0, 1.0) - 0.1 * np.clip(q, 0.0, 1.0) ** 2
