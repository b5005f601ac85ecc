"""The 18 of 68 landmarks that 2DASL works with, and what it asks of them (spec landmarks 4.1, 4.2)."""

from __future__ import annotations

import torch
from torch import Tensor

SINGLE = (17, 19, 21, 22, 24, 26, 36, 37, 39, 42, 43, 45, 31, 30, 35, 48, 62, 54)
OTHER = (17, 19, 21, 22, 24, 26, 36, 40, 39, 42, 46, 45, 31, 30, 35, 48, 66, 54)
"""AFLW's points without ears and chin: brows, eyes with their centres, nose, mouth with its centre. Each is the mean of
two of the 68 landmarks, which are the same one but for the three centres."""

PUBLISHED = (0.5,) * 7 + (1.0, 0.5, 0.5, 1.0, 0.5, 0.5, 2.0, 0.5, 1.0, 2.0, 1.0)
"""Factors of the points' errors in the public repository (lmsMask_18pts of advers_proj_utils_3.py, commit ead2e164):
2 for the nose's tip and the mouth's centre, 1 for the eyes' centres and the mouth's corners, 0.5 for the others."""


def eighteen(points: Tensor) -> Tensor:
    """(B, 18, d) of the landmarks (B, 68, d)."""
    return (points[:, SINGLE] + points[:, OTHER]) / 2


def landmark_map(points: Tensor, side: int, wrap: bool = False) -> Tensor:
    """The facial landmark map (B, 1, S, S): -1, and +1 in the cells (floor y, floor x) of the 18 points.

    points: (B, 68, 2) px of the S x S crop; those outside count for the nearest cell of its border, those that are not
    finite for none. wrap: as the released code, which clamps the 68 at S - 1 alone and lets negative cells count from
    the other side.
    """
    found = eighteen(points.clamp(max=side - 1) if wrap else points).float()
    known = torch.isfinite(found).all(-1, keepdim=True)
    cells = found.nan_to_num().clamp(-(2**24), 2**24).floor().long()
    cells = cells.remainder(side) if wrap else cells.clamp(0, side - 1)
    column, row = torch.nn.functional.one_hot(cells, side).to(found.dtype).unbind(2)
    with torch.autocast(found.device.type, enabled=False):
        return ((row * known).mT @ column > 0).to(found.dtype)[:, None] * 2 - 1
