"""Ten expressions as displacement fields on the mean head, in millimetres for one sigma."""

from __future__ import annotations

import numpy as np

from pipeline.morphable.procedural import eyes, outlines
from pipeline.morphable.procedural.anatomy import Anatomy
from pipeline.morphable.procedural.relief import bump, smooth_step

HINGE = np.array([-25.0, 5.0])
"""(y, z) of the axis about which the jaw turns."""


def jaw_share(head: Anatomy) -> np.ndarray:
    """(N,) how far each vertex follows the jaw: 1 on lower lip, teeth and chin, 0 on the upper lip and above."""
    x = np.abs(head.bare[:, 0])
    pocket = np.abs(head.t) <= 1.0
    away = np.where(pocket, 0.0, np.abs(outlines.height("lip_line", x) - head.bare[:, 1]))
    corner = 1.0 - smooth_step((outlines.MOUTH_HALF - x) / 16.0)
    near = 0.5 * corner * np.exp(-away / (9.0 + np.maximum(x - outlines.MOUTH_HALF, 0.0)))
    near = near * np.where(pocket, np.clip((np.abs(head.t) - 0.6) / 0.4, 0.0, 1.0), 1.0)
    share = np.where(head.t < 0, 1.0 - near, near)
    throat = np.clip(0.5 - head.t / 0.3, 0.0, 1.0)
    share = np.where(np.abs(head.t) < 0.15, throat, share)
    share *= smooth_step((head.b + 152.0) / 38.0)
    return share * (1.0 - smooth_step((head.theta - np.radians(72)) / np.radians(30)))


def fields(head: Anatomy) -> list[tuple[str, bool, np.ndarray]]:
    """(name, one way only, (N, 3) displacement at one sigma) of the ten expressions."""
    return [
        ("jaw open", True, _jaw(head)),
        ("smile", True, _smile(head)),
        ("mouth corners down", True, _corners_down(head)),
        ("pucker", True, _pucker(head)),
        ("lips apart", True, _lips_apart(head)),
        ("brows up", False, _brows_up(head)),
        ("brows together", True, _frown(head)),
        ("eyes closed", True, _eyes_closed(head)),
        ("cheeks puffed", True, _puff(head)),
        ("one-sided smile", False, _smile(head) * 0.7 * np.tanh(head.bare[:, :1] / 9.0)),
    ]


def _push(head: Anatomy, centre: tuple, width: tuple, direction: tuple) -> np.ndarray:
    """A symmetric push: ``direction`` is for x > 0, and the sideways part fades on the midline."""
    share = bump(head.bare, centre, width) * smooth_step((head.bare[:, 2] - 5.0) / 25.0)
    field = share[:, None] * np.array(direction, dtype=np.float64)
    field[:, 0] *= np.tanh(head.bare[:, 0] / 4.0)
    return field


def _jaw(head: Anatomy) -> np.ndarray:
    arm = head.points[:, 1:] - HINGE
    turn = np.radians(7.5) * jaw_share(head)
    field = np.stack([np.zeros(len(turn)), -arm[:, 1] * turn, 0.55 * arm[:, 0] * turn], axis=1)
    narrow = bump(head.bare, (26.0, -72.0), (9.0, 12.0)) * smooth_step((head.bare[:, 2] - 5.0) / 25.0)
    field[:, 0] -= 1.1 * np.tanh(head.bare[:, 0] / 8.0) * narrow
    return field


def _smile(head: Anatomy) -> np.ndarray:
    field = _push(head, (27.0, -72.0), (14.0, 12.0), (3.8, 3.9, -2.2))
    field += _push(head, (40.0, -42.0), (12.0, 11.0), (1.0, 2.4, 1.6))
    field += _push(head, (0.0, -68.0), (14.0, 6.0), (0.0, 0.6, -1.0))
    return field + _push(head, (31.0, -14.0), (11.0, 3.5), (0.0, 0.8, 0.2))


def _corners_down(head: Anatomy) -> np.ndarray:
    field = _push(head, (26.0, -73.0), (11.0, 11.0), (0.5, -3.2, -0.5))
    return field + _push(head, (0.0, -92.0), (14.0, 9.0), (0.0, 1.4, 1.2))


def _pucker(head: Anatomy) -> np.ndarray:
    share = bump(head.bare, (0.0, -73.0), (19.0, 13.0)) * smooth_step((head.bare[:, 2] - 20.0) / 25.0)
    lips = bump(head.bare, (0.0, -73.0), (13.0, 9.0)) * smooth_step((head.bare[:, 2] - 20.0) / 25.0)
    return np.stack([-0.19 * head.bare[:, 0] * share, 0.0 * share, 3.6 * lips], axis=1)


def _lips_apart(head: Anatomy) -> np.ndarray:
    x, y = np.abs(head.bare[:, 0]), head.bare[:, 1]
    line = outlines.height("lip_line", x)
    wide = np.clip(1.0 - (x / outlines.MOUTH_HALF) ** 2, 0.0, 1.0)
    front = smooth_step((head.bare[:, 2] - 40.0) / 20.0) * (head.theta < 1.2)
    away = np.exp(-0.5 * ((y - line) / 9.0) ** 2) * wide * front
    soft = np.where(np.abs(head.t) <= 1.0, np.clip((np.abs(head.t) - 0.72) / 0.28, 0.0, 1.0), 1.0)
    lift = np.where(head.t > 0, 2.0, -2.6) * away * soft
    field = np.stack([np.zeros_like(lift), lift, np.zeros_like(lift)], axis=1)
    return field + _push(head, (26.0, -72.0), (8.0, 8.0), (1.8, 0.0, -1.0))


def _brows_up(head: Anatomy) -> np.ndarray:
    field = _push(head, (33.0, 15.0), (19.0, 8.0), (0.0, 3.4, 0.0))
    field += _push(head, (12.0, 13.0), (9.0, 8.0), (0.0, 1.8, 0.0))
    field += _push(head, (24.0, 34.0), (22.0, 10.0), (0.0, 1.2, 0.0))
    lifted = (head.lid >= 0) & (head.lid < 12) & (head.bare[:, 1] > outlines.EYE_CENTRE[1])
    steady = smooth_step(np.where(lifted, head.lid, 12.0) / 9.0)
    inside = (head.lid < 0) | ((head.lid < 12) & ~lifted)
    return field * np.where(inside, 0.0, 0.15 + 0.85 * steady)[:, None]


def _frown(head: Anatomy) -> np.ndarray:
    field = _push(head, (15.0, 10.0), (8.0, 6.0), (-2.0, -2.2, 0.8))
    field += _push(head, (32.0, 13.0), (10.0, 6.0), (-0.8, -1.4, 0.3))
    return field * np.where(head.lid < 0, 0.0, smooth_step(head.lid / 6.0))[:, None]


def _eyes_closed(head: Anatomy) -> np.ndarray:
    x, y = np.abs(head.bare[:, 0]), head.bare[:, 1]
    opening = eyes.opening(x)
    upper = (y > outlines.EYE_CENTRE[1] - 1.5) & (y >= outlines.height("upper_lid", x) - 0.5)
    moving = upper & (head.lid > -0.35) & (head.lid < 9.0)
    share = np.where(moving, 1.0 - smooth_step(head.lid / 9.0), 0.0)
    drop = -0.97 * opening * share
    target = eyes.ball_height(x, y + drop) + eyes.LID + 0.7
    forward = np.where(moving, np.maximum(target - head.points[:, 2], 0.0) * share, 0.0)
    forward += np.where(moving, (target - head.points[:, 2]) * share**2 * (target < head.points[:, 2]), 0.0)
    field = np.stack([np.zeros_like(drop), drop, forward], axis=1)
    return 0.4 * field


def _puff(head: Anatomy) -> np.ndarray:
    field = _push(head, (42.0, -62.0), (12.0, 13.0), (2.6, 0.0, 2.4))
    return field + _push(head, (0.0, -73.0), (14.0, 9.0), (0.0, 0.0, 0.8))
