"""What depth, PNCC and visibility share: the face's mesh drawn into its crop by the z-buffer."""

from __future__ import annotations

import numpy as np

from pipeline.geometry.mesh import Raster, rasterize
from pipeline.morphable import MorphableModel
from pipeline.records import Reason
from pipeline.targets.base import Problem


def draw(vertices: np.ndarray, model: MorphableModel, side: int) -> Raster | Problem:
    """The whole mesh, vertices (N, 3) in px of the crop, in a picture of `side` px; a mesh that covers none of its
    pixels is `Reason.MESH_OUTSIDE_FRAME`."""
    raster = rasterize(vertices, model.triangles, side, side)
    if raster.mask.any():
        return raster
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    detail = f"the mesh spans x {low[0]:.4g} to {high[0]:.4g}, y {low[1]:.4g} to {high[1]:.4g} of {side} px"
    return Problem(Reason.MESH_OUTSIDE_FRAME, 0.0, detail)
