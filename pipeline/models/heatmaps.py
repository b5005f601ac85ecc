"""Landmarks out of heat-maps inside networks: the torch twin of the sub-pixel mode of `pipeline.detect.heatmaps`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 2  # cells about the peak


def decode(heatmaps: Tensor) -> Tensor:
    """Heat-maps (B, K, h, w) -> points (B, K, 2) float32 in cells, the centre of the cell in column i, row j at (i, j).

    A point is the centre of mass of the positive values within two cells of the peak (the first of equals); where
    there is none, the peak's cell.
    """
    maps = heatmaps.float()
    width = maps.shape[-1]
    best = maps.flatten(2).argmax(-1)
    peak = torch.stack([best % width, best // width], -1)
    span = torch.arange(2 * WINDOW + 1, device=maps.device)
    columns, rows = (peak[..., None] + span).unbind(-2)
    padded = F.pad(maps.clamp(min=0), (WINDOW,) * 4)
    places = rows[..., :, None] * padded.shape[-1] + columns[..., None, :]
    window = padded.flatten(2).gather(2, places.flatten(2)).view(places.shape)
    away = span - WINDOW
    shift = torch.stack([(window.sum(-2) * away).sum(-1), (window.sum(-1) * away).sum(-1)], -1)
    total = window.sum((-2, -1))[..., None]
    return peak + torch.where(total > 0, shift / total, torch.zeros_like(shift))


def to_cells(points, scale: float):
    """Points in px of an input, array or tensor, -> cells of a map that is `scale` times smaller; both share their
    outer pixel edges."""
    return (points + 0.5) / scale - 0.5


def from_cells(points, scale: float):
    """Inverse of `to_cells`."""
    return (points + 0.5) * scale - 0.5
