"""The weighted loss of position maps (Feng et al., ECCV 2018, eq. 1; spec prn_vrn C.4)."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.losses.base import Losses
from pipeline.records import FacemillError
from pipeline.registry import LOSSES


class _PosmapLoss(torch.nn.Module):
    """A weighted mean over texels, and the mean over the batch.

    weights: (S, S), finite, none negative, not all zero; only their ratios matter (the paper's: landmarks 16, eyes,
    nose and mouth 4, face 3, neck 0). `FacemillError` for others.
    """

    def __init__(self, weights: np.ndarray):
        super().__init__()
        weights = np.asarray(weights, np.float64)
        if weights.ndim != 2 or not np.isfinite(weights).all() or weights.min() < 0 or not weights.any():
            raise FacemillError(
                f"expected loss weights (S, S), finite, not negative, not all zero; found shape {weights.shape}"
            )
        self.register_buffer("weights", torch.from_numpy(weights / weights.sum()).float())

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> Losses:
        """Losses with the part "position" of maps (B, 3, S, S) in one unit, computed in float32."""
        difference = prediction.float() - target.float()
        return Losses({"position": (self.distance(difference) * self.weights).sum((1, 2)).mean()})

    def distance(self, difference: torch.Tensor) -> torch.Tensor:
        """(B, S, S) from differences (B, 3, S, S)."""
        raise NotImplementedError


@LOSSES.register("posmap_norm")
class PosmapNorm(_PosmapLoss):
    """The weighted mean Euclidean distance, as equation 1 is written; where two maps agree its gradient is zero."""

    def distance(self, difference: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(difference, dim=1)


@LOSSES.register("posmap_squared")
class PosmapSquared(_PosmapLoss):
    """The weighted mean squared distance, as the paper's text calls it."""

    def distance(self, difference: torch.Tensor) -> torch.Tensor:
        return difference.square().sum(1)
