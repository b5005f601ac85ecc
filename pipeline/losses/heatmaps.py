"""Heat-maps of landmarks as training targets, and the losses of stacked networks that paint them.

Two kinds of answer: a map of numbers, learnt by its squared distance to a Gaussian of peak 1 (Newell et al., ECCV
2016; Bulat and Tzimiropoulos, ICCV 2017; Jackson et al., ICCV 2017), and logits, whose softmax over the map's cells
is learnt by its cross entropy with the same Gaussian made to sum to one, which needs fewer updates.

Points are in cells: the centre of the cell in column i, row j lies at (i, j).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch


def gaussians(points: torch.Tensor, side: int, sigma: float) -> torch.Tensor:
    """Points (B, K, 2) in cells -> Gaussians (B, K, side, side) of peak 1 and standard deviation `sigma` cells.

    They are centred where the points are, between the cells too. A point outside the map paints what reaches into it;
    one that is NaN paints nothing.
    """
    span = torch.arange(side, device=points.device, dtype=points.dtype)
    columns, rows = torch.exp(-0.5 / sigma**2 * (span - points[..., None]) ** 2).nan_to_num().unbind(-2)
    return rows[..., :, None] * columns[..., None, :]


def distributions(points: torch.Tensor, side: int, sigma: float) -> torch.Tensor:
    """Points (B, K, 2) in cells -> (B, K, side * side) Gaussians of `sigma` cells that each sum to one, row by row;
    a point beyond the map gives the nearest of its border, NaN the same value everywhere."""
    span = torch.arange(side, device=points.device, dtype=points.dtype)
    distance = (span - points[..., None].clamp(0, side - 1)) ** 2
    columns, rows = (-distance.nan_to_num() / (2 * sigma**2)).softmax(-1).unbind(-2)
    return (rows[..., :, None] * columns[..., None, :]).flatten(-2)


def heatmap_mse(stacks: Sequence[torch.Tensor], target: torch.Tensor) -> list[torch.Tensor]:
    """The mean squared distance of each stack's maps (B, K, h, w) to the target's (B, K, h, w), as `gaussians` gives
    them, over all cells: a scalar a stack, in float32."""
    return [(maps.float() - target.float()).square().mean() for maps in stacks]


def heatmap_entropy(stacks: Sequence[torch.Tensor], target: torch.Tensor) -> list[torch.Tensor]:
    """The mean cross entropy over landmarks of each stack's logits (B, K, h, w) with the target (B, K, h * w), as
    `distributions` gives it: a scalar a stack, in float32."""
    logarithms = [maps.float().flatten(2).log_softmax(-1) for maps in stacks]
    return [-(target.float() * logarithm).sum(-1).mean() for logarithm in logarithms]


def activate(logits: torch.Tensor, sigma: float) -> torch.Tensor:
    """Logits (B, K, h, w) trained by cross entropy -> heat-maps in float32 in which a certain answer is the Gaussian
    of `sigma` cells and peak 1: the softmax over all cells times 2 pi sigma^2."""
    return logits.float().flatten(2).softmax(-1).view(logits.shape) * (2 * torch.pi * sigma**2)
