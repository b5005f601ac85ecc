"""The loss of volumes: voxelwise cross entropy against column intervals (Jackson et al., ICCV 2017; spec prn_vrn E.4).

A volume's target is never made: 29.5 MB a face in the paper's size, against 0.3 MB of intervals. The loss walks through
the depth in chunks and asks of each slice how much of it the intervals cover.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

CHUNK = {"cpu": 1 << 17, "cuda": 1 << 26}
"""Voxels whose target is held at a time: few enough for a processor's cache, or many enough to keep a GPU busy."""


def volume_entropy(logits: Tensor, runs: Tensor) -> Tensor:
    """The mean over voxels of the binary cross entropy between sigmoid(logits) and the occupancy; a float32 scalar.

    Args:
        logits: (B, D, H, W).
        runs: (B, R, H, W, 2) first and end of R runs a column that do not overlap, in slices: slice k reaches from k to
            k + 1, and its occupancy is the share of it that the runs cover. A run that ends where it begins is none.
    """
    return _Entropy.apply(logits, runs)


def volume_overlap(logits: Tensor, runs: Tensor) -> tuple[Tensor, Tensor]:
    """How much of each volume is inside both and inside at least one, (B,) float32 in voxels: a voxel is inside where
    its logit is above 0, and where at least half of its slice is covered. Arguments as `volume_entropy`."""
    both = logits.new_zeros(len(logits), dtype=torch.float32)
    either = torch.zeros_like(both)
    for _, part, covered in _chunks(logits, runs):
        found, true = part > 0, covered >= 0.5
        both += (found & true).sum((1, 2, 3))
        either += (found | true).sum((1, 2, 3))
    return both, either


class Occupancy:
    """How much of each slice the runs of `volume_entropy` cover, some slices at a time. The first run of every column
    is asked at once; the few columns that have more are asked by themselves."""

    def __init__(self, runs: Tensor):
        self._first = runs[:, 0].movedim(-1, 0).contiguous()
        low, high = runs[:, 1:].unbind(-1)
        self._batch, self._row, self._column = (high > low).any(1).nonzero(as_tuple=True)
        self._several = runs[self._batch, :, self._row, self._column]

    def of(self, first: int, end: int) -> Tensor:
        """(B, end - first, H, W) from 0 to 1: the share of slices ``first`` to ``end`` - 1 that the runs cover."""
        slices = torch.arange(first, end, device=self._first.device, dtype=self._first.dtype)
        covered = _share(*self._first[:, :, None], slices[:, None, None])
        if len(self._several):
            whole = _share(*self._several[..., None].unbind(2), slices).sum(1)
            covered[self._batch, :, self._row, self._column] = whole
        return covered


def _share(low: Tensor, high: Tensor, slices: Tensor) -> Tensor:
    """The share of slices that single runs from ``low`` to ``high`` cover; their shapes broadcast."""
    return (high - slices).clamp_(0, 1).sub_((low - slices).clamp_(0, 1))


def _chunks(logits: Tensor, runs: Tensor) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Some slices: which, their logits in float32 or more, and their occupancy."""
    count, depth, height, width = logits.shape
    runs = runs.to(_precise(logits))
    occupancy = Occupancy(runs)
    step = max(1, CHUNK[logits.device.type] // (count * height * width))
    for first in range(0, depth, step):
        end = min(first + step, depth)
        yield slice(first, end), logits[:, first:end].to(runs.dtype), occupancy.of(first, end)


def _precise(logits: Tensor) -> torch.dtype:
    return torch.promote_types(logits.dtype, torch.float32)


class _Entropy(torch.autograd.Function):
    """Loss and gradient (sigmoid - occupancy) in one walk through the depth; the gradient is what is kept."""

    @staticmethod
    def forward(context, logits: Tensor, runs: Tensor) -> Tensor:
        wanted = context.needs_input_grad[0]
        gradient = torch.empty_like(logits) if wanted else None
        total = torch.zeros((), dtype=torch.float64, device=logits.device)
        for where, part, covered in _chunks(logits, runs):
            share = part.sigmoid()
            entropy = part.clamp(min=0).addcmul_(part, covered, value=-1)
            total += entropy.sub_(torch.maximum(share, 1 - share).log_()).sum().double()
            if wanted:
                torch.sub(share, covered, out=gradient[:, where]).mul_(1 / logits.numel())
        if wanted:
            context.save_for_backward(gradient)
        return (total / logits.numel()).to(_precise(logits))

    @staticmethod
    def backward(context, upstream: Tensor) -> tuple[Tensor, None]:
        (gradient,) = context.saved_tensors
        return (gradient if upstream == 1 else gradient * upstream), None
