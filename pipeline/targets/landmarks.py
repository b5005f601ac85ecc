"""The 68 landmarks of a face in its crop, iBUG order, with depth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.morphable import MorphableModel
from pipeline.records import Field
from pipeline.registry import TARGETS
from pipeline.targets.base import Context, Made

if TYPE_CHECKING:
    from pipeline.config import TargetSettings


@TARGETS.register("landmarks")
class LandmarksTarget:
    """Landmarks in px of a crop of side `settings.size`; see `pipeline.targets.base.Target`.

    They are the annotation's own where it has some, else the face model's keypoints.
    """

    def __init__(self, settings: TargetSettings) -> None:
        self.side = settings.size
        unit = f"px of the {self.side} px crop, z from the rearmost landmark"
        self.fields = {"landmarks": Field("float32", (68, 3), unit)}
        self.attributes = {"landmarks_side": self.side}

    def make(self, vertices: np.ndarray, model: MorphableModel, context: Context) -> Made:
        """{"landmarks": (68, 3) float32}."""
        points = vertices[model.keypoints] if context.landmarks is None else context.landmarks
        placed = np.array(points, np.float64)
        placed[:, 2] -= placed[:, 2].min()
        return Made({"landmarks": placed.astype(np.float32)}, None)

    def decode(self, stored: Mapping[str, np.ndarray]) -> np.ndarray:
        """(68, 3) float32 px."""
        return np.asarray(stored["landmarks"], np.float32)
