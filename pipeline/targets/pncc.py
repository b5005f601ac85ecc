"""PNCC: the mean face's normalised coordinates as colours, drawn on the posed face (Zhu et al. 2016; spec A.4).

The code is the mean of the face model in use, each axis stretched to its own least and greatest value over the whole
mesh. 3DDFA takes the mean shape, 3DDFA_V2 mean shape and mean expression without ears and neck.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.mesh import normalized_code, pncc
from pipeline.morphable import MorphableModel
from pipeline.records import Field
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made, Problem
from pipeline.targets.drawing import draw

if TYPE_CHECKING:
    from pipeline.config import TargetSettings


@lru_cache(maxsize=4)
def face_code(model: MorphableModel) -> np.ndarray:
    """Codes (N, 3) float32 in 0..1 of a face model's mean, made once."""
    return normalized_code(model.mean)


@TARGETS.register("pncc")
class PnccTarget:
    """PNCC of side `settings.size`, black where there is no face; see `pipeline.targets.base.Target`."""

    def __init__(self, settings: TargetSettings) -> None:
        self.side = settings.size
        unit = "255 times the mean face's x, y, z, each from its least to its greatest; black: no face"
        self.fields = {"pncc": Field("uint8", (self.side, self.side, 3), unit)}
        self.attributes = {"pncc_side": self.side, "pncc_scale": 255}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"pncc": (S, S, 3) uint8}; a mesh that no pixel shows is `Reason.MESH_OUTSIDE_FRAME`."""
        raster = draw(vertices, model, self.side)
        if isinstance(raster, Problem):
            return Made({}, raster)
        colours = pncc(raster, model.triangles, face_code(model))
        return Made({"pncc": np.rint(255 * colours).astype(np.uint8)}, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(S, S, 3) float32 in 0..1."""
        return np.asarray(stored["pncc"], np.float32) / 255
