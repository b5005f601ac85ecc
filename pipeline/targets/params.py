"""The 62 parameters of a face in its crop: camera, 40 shape and 10 expression coefficients (spec F.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import COUNT, crop_camera, join
from pipeline.records import Field
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made

if TYPE_CHECKING:
    from pipeline.config import TargetSettings


@TARGETS.register("params")
class ParamsTarget:
    """Raw parameters for a crop of side `settings.size`; see `pipeline.targets.base.Target`.

    The camera takes the model frame to the y-up, 1-based frame of the crop, as 3DDFA's does; whitening belongs to
    the training set and is done there.
    """

    def __init__(self, settings: TargetSettings) -> None:
        self.side = settings.size
        self.fields = {
            "params": Field("float64", (COUNT,), "3x4 camera row by row, 40 shape, 10 expression; raw")
        }
        self.attributes = {"params_side": self.side}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"params": (62,) float64}."""
        camera = crop_camera(context.camera, context.height, context.transform)
        return Made({"params": join(camera, context.shape, context.expression)}, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(62,) float64, raw."""
        return np.asarray(stored["params"], np.float64)
