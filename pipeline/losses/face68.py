"""The 68 landmarks of a face model as a differentiable function of the 62 parameters (spec landmarks 3.1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pipeline.morphable.model import MorphableModel
from pipeline.morphable.params62 import CAMERA, COUNT, EXPRESSION, SHAPE
from pipeline.records import FacemillError


class Face68(torch.nn.Module):
    """Raw parameters (B, 62) -> landmarks (B, 68, 3) in px of the S x S crop, 0-based, y down.

    The same points as ``pipeline.morphable.params62.crop_points(..., legacy="exact", keypoints=True)``, for a batch and
    with gradients: V = sR (mean + shape a + expression b) + t in the y-up 1-based frame, then x - 1 and S - y.

    model: gives the 68 points' basis, its first 40 shape and 10 expression modes; a model with fewer has zeros there,
    as its parameters have (`params62.join`). side: S.

    Buffers, which follow ``.to`` and ``.double``: ``mean`` (68, 3), ``shape`` (68, 3, 40), ``expression``
    (68, 3, 10), float32 in the model frame. They are computed with in their own precision, autocast or not.
    """

    def __init__(self, model: MorphableModel, side: int):
        super().__init__()
        self.side = side
        keypoints = model.keypoints
        self.register_buffer("mean", _tensor(model.mean[keypoints]), persistent=False)
        for name, basis, part in (
            ("shape", model.shape_basis, SHAPE),
            ("expression", model.expression_basis, EXPRESSION),
        ):
            modes = np.zeros((len(keypoints), 3, part.stop - part.start), np.float32)
            known = basis[keypoints][:, :, : modes.shape[2]]
            modes[:, :, : known.shape[2]] = known
            self.register_buffer(name, _tensor(modes), persistent=False)

    def forward(self, parameters: Tensor) -> Tensor:
        """The landmarks. `FacemillError` for another shape than (B, 62)."""
        if parameters.dim() != 2 or parameters.shape[1] != COUNT:
            raise FacemillError(f"expected parameters (B, {COUNT}), found shape {tuple(parameters.shape)}")
        with torch.autocast(parameters.device.type, enabled=False):
            parameters = parameters.to(self.mean.dtype)
            camera = parameters[:, CAMERA].unflatten(1, (3, 4))
            surface = self.mean.flatten() + parameters[:, SHAPE] @ self.shape.flatten(0, 1).T
            surface = surface + parameters[:, EXPRESSION] @ self.expression.flatten(0, 1).T
            points = surface.unflatten(1, (-1, 3)) @ camera[:, :, :3].mT + camera[:, None, :, 3]
            x, y, z = points.unbind(-1)
            return torch.stack([x - 1, self.side - y, z], dim=-1)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
