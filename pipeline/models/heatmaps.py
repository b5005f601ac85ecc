"""Landmarks out of heat-maps inside networks: the torch twin of the sub-pixel mode of `pipeline.detect.heatmaps`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

WINDOW = 2  # cells about the peak, for Gaussians of one cell


def decode(heatmaps: Tensor, window: int = WINDOW) -> Tensor:
    """Heat-maps (B, K, h, w) -> points (B, K, 2) float32 in cells, the centre of the cell in column i, row j at (i, j).

    A point is the centre of mass of the positive values within ``window`` cells of the peak (the first of equals);
    where there is none, the peak's cell. A window of less than two sigmas of the maps' Gaussians pulls points to the
    middles of cells.
    """
    maps = heatmaps.float()
    width = maps.shape[-1]
    best = maps.flatten(2).argmax(-1)
    peak = torch.stack([best % width, best // width], -1)
    span = torch.arange(2 * window + 1, device=maps.device)
    columns, rows = (peak[..., None] + span).unbind(-2)
    padded = F.pad(maps.clamp(min=0), (window,) * 4)
    places = rows[..., :, None] * padded.shape[-1] + columns[..., None, :]
    around = padded.flatten(2).gather(2, places.flatten(2)).view(places.shape)
    away = span - window
    shift = torch.stack([(around.sum(-2) * away).sum(-1), (around.sum(-1) * away).sum(-1)], -1)
    total = around.sum((-2, -1))[..., None]
    return peak + torch.where(total > 0, shift / total, torch.zeros_like(shift))


def to_cells(points, scale: float):
    """Points in px of an input, array or tensor, -> cells of a map that is `scale` times smaller; both share their
    outer pixel edges."""
    return (points + 0.5) / scale - 0.5


def from_cells(points, scale: float):
    """Inverse of `to_cells`."""
    return (points + 0.5) * scale - 0.5
