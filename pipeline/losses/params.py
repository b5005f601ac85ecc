"""Losses of the 62 parameters: PDC, WPDC and VDC of 3DDFA (spec prn_vrn_3ddfa F.7, landmarks 4.2).

Paper: X. Zhu et al., "Face Alignment in Full Pose Range: A 3D Total Solution", PAMI 2019. Formulas and constants are
those of the published code (github.com/cleardusk/3DDFA, MIT), which differ from the paper's in what the docstrings say.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pipeline.losses.base import PIXELS
from pipeline.losses.surface import FaceSurface
from pipeline.morphable.model import MorphableModel

DEPTH = 11
"""The entry of the parameters that moves the face along z: no picture shows it, so no loss counts it."""
EPSILON = 1e-6
SCALE = 0.00057339936
"""px, of a crop of `PIXELS`, per unit of the model frame of 3DDFA's mean camera."""


class _ParameterLoss(torch.nn.Module):
    """A loss of whitened parameters that knows a face. model: the face model. side: S of the crops, px."""

    def __init__(self, model: MorphableModel, side: int):
        super().__init__()
        self.surface = FaceSurface(model, side)
        self.register_buffer("keypoints", torch.from_numpy(np.int64(model.keypoints)), persistent=False)

    def cast(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Tensors in the precision of the face's buffers."""
        return tuple(value.to(self.surface.mean.dtype) for value in values)


class Wpdc(_ParameterLoss):
    """The weighted parameter distance cost: mean over (B, 62) of w (y - t)^2, y and t whitened.

    A parameter's weight is about how far its error moves the face: |raw error| times the norm of its coordinate of the
    predicted surface over 68 + n vertices (camera), sqrt(68 + n) (translation), or ``SCALE`` times the norm of its mode
    over them (shape, expression); plus 1e-6, divided by the face's largest, 0 for `DEPTH`. Weights carry no gradient.
    The published code takes the surface of the predicted coefficients. Its constant is the scale of a 120 px crop: a
    crop of S px gets S / 120 of it, in a frame that shows faces smaller than `roi120` a little more than the camera.
    """

    def forward(
        self, prediction: Tensor, target: Tensor, mean: Tensor, std: Tensor, vertices: Tensor
    ) -> Tensor:
        """The loss, a scalar. mean, std: (62,) of the whitening. vertices: (n,) int64, beside the keypoints."""
        with torch.autocast(prediction.device.type, enabled=False):
            prediction, target, mean, std = self.cast(prediction, target, mean, std)
            weights = self.weights(prediction, target, mean, std, vertices)
            return (weights * (prediction - target).square()).mean()

    @torch.no_grad()
    def weights(
        self, prediction: Tensor, target: Tensor, mean: Tensor, std: Tensor, vertices: Tensor
    ) -> Tensor:
        """(B, 62) in 0..1."""
        rows = torch.cat([self.keypoints, vertices])
        _, shape, expression = self.surface.basis(rows)
        surface = self.surface.model_frame(prediction * std + mean, rows)
        axes = torch.linalg.vector_norm(surface, dim=1)
        shift = torch.full_like(axes[:, :1], len(rows) ** 0.5)
        modes = torch.linalg.vector_norm(torch.cat([shape, expression], dim=2), dim=(0, 1))
        modes = modes * (SCALE * self.surface.side / PIXELS)
        moved = torch.cat([axes, shift] * 3 + [modes.expand(len(axes), -1)], dim=1)
        weights = moved * ((prediction - target) * std).abs() + EPSILON
        weights[:, DEPTH] = 0
        return weights / weights.amax(1, keepdim=True)


class Vdc(_ParameterLoss):
    """The vertex distance cost: mean over (B, n, 3) of the squared differences of coordinates in px of the crop, the
    predicted z offset (`DEPTH`) replaced by the true one."""

    def forward(
        self, prediction: Tensor, target: Tensor, mean: Tensor, std: Tensor, vertices: Tensor | None = None
    ) -> Tensor:
        """The loss, a scalar, of all vertices, or of the keypoints and ``vertices`` (n,) int64. mean, std: (62,) of
        the whitening that prediction and target (B, 62) have."""
        rows = None if vertices is None else torch.cat([self.keypoints, vertices])
        with torch.autocast(prediction.device.type, enabled=False):
            prediction, target, mean, std = self.cast(prediction, target, mean, std)
            predicted, true = prediction * std + mean, target * std + mean
            predicted = torch.cat(
                [predicted[:, :DEPTH], true[:, DEPTH : DEPTH + 1], predicted[:, DEPTH + 1 :]], 1
            )
            return (self.surface(predicted, rows) - self.surface(true, rows)).square().mean()
