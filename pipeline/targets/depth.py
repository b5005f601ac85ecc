"""Depth of the face at each pixel centre of its crop: z of the nearest triangle there, by the z-buffer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.geometry.mesh import depth_image
from pipeline.morphable import MorphableModel
from pipeline.records import Field
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made, Problem
from pipeline.targets.drawing import draw
from pipeline.targets.posmap import positions

if TYPE_CHECKING:
    from pipeline.config import TargetSettings

BACKGROUND = -1.0
"""Where there is no face; z on the face is 0 or more."""
GREY = "1 + 254 (z - least) / (greatest - least) over the face, rounded; background 0"


@TARGETS.register("depth")
class DepthTarget:
    """z of the nearest surface in a crop of side `settings.size`; see `pipeline.targets.base.Target`.

    z is px of the crop from the rearmost vertex of the whole mesh, as in a position map; background -1.
    """

    def __init__(self, settings: TargetSettings) -> None:
        self.side = settings.size
        unit = f"px of the {self.side} px crop from the rearmost vertex, nearer is larger; {BACKGROUND:g}: no face"
        self.fields = {"depth": Field("float32", (self.side, self.side), unit)}
        self.attributes = {"depth_side": self.side, "depth_background": BACKGROUND, "depth_grey": GREY}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"depth": (S, S) float32}; a mesh that no pixel shows is `Reason.MESH_OUTSIDE_FRAME`."""
        raster = draw(positions(vertices), model, self.side)
        if isinstance(raster, Problem):
            return Made({}, raster)
        return Made({"depth": np.where(raster.mask, raster.depth, np.float32(BACKGROUND))}, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(S, S) float32 px, -1 where there is no face."""
        return np.asarray(stored["depth"], np.float32)


def grey_picture(depth: np.ndarray) -> np.ndarray:
    """A stored depth (S, S) as people look at it, (S, S) uint8: farthest 1, nearest 255, no face 0."""
    return depth_image(depth, depth != BACKGROUND)
