"""The vertices of a face model as a differentiable function of the 62 parameters (spec landmarks 3.1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pipeline.morphable.model import MorphableModel
from pipeline.morphable.params62 import CAMERA, COUNT, EXPRESSION, SHAPE
from pipeline.records import FacemillError


class FaceSurface(torch.nn.Module):
    """Raw parameters (B, 62) -> vertices (B, n, 3) in px of the S x S crop, 0-based, y down.

    The same points as ``pipeline.morphable.params62.crop_points(..., legacy="exact")``, for a batch and with
    gradients: V = sR (mean + shape a + expression b) + t in the y-up 1-based frame, then x - 1 and S - y.

    model: gives the basis, its first 40 shape and 10 expression modes; a model with fewer has zeros there, as its
    parameters have (`params62.join`). side: S. vertices: (n,) the numbers of those wanted, None for all.

    Buffers, which follow ``.to`` and ``.double``: ``mean`` (n, 3), ``shape`` (n, 3, 40), ``expression`` (n, 3, 10),
    float32 in the model frame. They are computed with in their own precision, autocast or not.
    """

    def __init__(self, model: MorphableModel, side: int, vertices: np.ndarray | None = None):
        super().__init__()
        self.side = side
        wanted = slice(None) if vertices is None else vertices
        self.register_buffer("mean", _tensor(model.mean[wanted]), persistent=False)
        for name, basis, part in (
            ("shape", model.shape_basis, SHAPE),
            ("expression", model.expression_basis, EXPRESSION),
        ):
            known = basis[wanted][:, :, : part.stop - part.start]
            modes = np.zeros((*known.shape[:2], part.stop - part.start), np.float32)
            modes[:, :, : known.shape[2]] = known
            self.register_buffer(name, _tensor(modes), persistent=False)

    def forward(self, parameters: Tensor, rows: Tensor | None = None) -> Tensor:
        """The vertices, or those of ``rows`` (m,) int64 alone. `FacemillError` for another shape than (B, 62)."""
        surface = self.model_frame(parameters, rows)
        with torch.autocast(parameters.device.type, enabled=False):
            camera = parameters.to(self.mean.dtype)[:, CAMERA].unflatten(1, (3, 4))
            points = surface @ camera[:, :, :3].mT + camera[:, None, :, 3]
            x, y, z = points.unbind(-1)
            return torch.stack([x - 1, self.side - y, z], dim=-1)

    def model_frame(self, parameters: Tensor, rows: Tensor | None = None) -> Tensor:
        """The same vertices (B, m, 3) before the camera, in the model frame."""
        if parameters.dim() != 2 or parameters.shape[1] != COUNT:
            raise FacemillError(f"expected parameters (B, {COUNT}), found shape {tuple(parameters.shape)}")
        mean, shape, expression = self.basis(rows)
        with torch.autocast(parameters.device.type, enabled=False):
            parameters = parameters.to(mean.dtype)
            surface = mean.flatten() + parameters[:, SHAPE] @ shape.flatten(0, 1).T
            surface = surface + parameters[:, EXPRESSION] @ expression.flatten(0, 1).T
            return surface.unflatten(1, (-1, 3))

    def basis(self, rows: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """mean (m, 3), shape (m, 3, 40) and expression (m, 3, 10) of ``rows``, None for all."""
        arrays = self.mean, self.shape, self.expression
        return arrays if rows is None else tuple(array[rows] for array in arrays)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))
