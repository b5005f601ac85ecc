"""Which vertices of the face its crop shows, by the z-buffer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.mesh import visible_vertices
from pipeline.morphable import MorphableModel
from pipeline.records import Field
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made, Problem
from pipeline.targets.drawing import draw

if TYPE_CHECKING:
    from pipeline.config import TargetSettings

TOLERANCE = 1 / 192
"""How far behind the surface in front of it a vertex may lie and still be seen, as a share of the crop's side."""


@TARGETS.register("visibility")
class VisibilityTarget:
    """One flag a vertex, drawn in a crop of side `settings.size`; see `pipeline.targets.base.Target`.

    A vertex outside the crop is not seen. Only the mesh hides: hair, hands and glasses are not in it.
    """

    def __init__(self, settings: TargetSettings) -> None:
        self.side = settings.size
        self.tolerance = TOLERANCE * self.side
        self.fields = {
            "visibility": Field("uint8", ("N",), "1: the crop shows this vertex of the face model")
        }
        self.attributes = {"visibility_side": self.side, "visibility_tolerance": self.tolerance}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"visibility": (N,) uint8 of 0 and 1}; a mesh that no pixel shows is `Reason.MESH_OUTSIDE_FRAME`."""
        raster = draw(vertices, model, self.side)
        if isinstance(raster, Problem):
            return Made({}, raster)
        seen = visible_vertices(raster, vertices, model.triangles, self.tolerance)
        return Made({"visibility": seen.astype(np.uint8)}, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(N,) bool."""
        return np.asarray(stored["visibility"]).astype(bool)
