"""Intersection over union of voxel volumes."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from pipeline.evaluation.measures.base import BaseMeasure
from pipeline.evaluation.shapes import Filled, Lacking, Shape
from pipeline.evaluation.truth import Truth
from pipeline.geometry.euler import nearest_rotation
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.volume import place_depth, voxelize
from pipeline.metrics.volume import iou
from pipeline.morphable import MorphableModel
from pipeline.registry import FRAMES, unknown
from pipeline.targets.volume import WIDTH, face_mesh


def _known_frame(name: str) -> str:
    if name not in FRAMES:
        raise ValueError(unknown("frame", name, FRAMES.names()))
    return name


class VolumeOverlap(BaseMeasure):
    """Intersection over union of the predicted and the true volume, 1 at best.

    A predicted volume is compared in its own crop. A predicted mesh or map is filled in the same way as the truth, in
    the crop that a frame cuts by the true landmarks.
    """

    kind: Literal["volume"]
    variant: Literal["frontal_backfill", "solid", "shell"] = Field(
        "solid", description="how a mesh is filled"
    )
    depth_scale: float = Field(1.25, gt=0, description="k of z' = k (z - mean z) + 100; the papers' 2 clips")
    frame: Annotated[str, AfterValidator(_known_frame)] = Field(
        "fan192", description="crop recipe, for predictions that are no volumes"
    )

    def score(self, predicted: Shape, truth: Truth) -> float:
        """0 to 1."""
        model = truth.shape.model
        given = predicted.volume()
        if given is not None:
            self._require(given)
            return iou(given.voxels, self._filled(truth.shape, model, given.transform.resized(WIDTH)))
        transform = FRAMES[self.frame]().from_landmarks(truth.landmarks("original")[:, :2]).resized(WIDTH)
        return iou(self._filled(predicted, model, transform), self._filled(truth.shape, model, transform))

    def _require(self, given: Filled) -> None:
        """`Lacking` for a volume that is filled in another way than this measure's."""
        if (given.variant, given.depth_scale) != (self.variant, self.depth_scale):
            raise Lacking(
                f"a volume filled as {given.variant} with depth times {given.depth_scale:g} is not compared with one "
                f"filled as {self.variant} with {self.depth_scale:g}"
            )

    def _filled(self, shape: Shape, model: MorphableModel, transform: CropTransform) -> np.ndarray:
        """(200, 192, 192) uint8."""
        _, closure = face_mesh(model)
        placed = place_depth(transform.apply(shape.vertices("face")), self.depth_scale)
        rotation = None
        if self.variant == "frontal_backfill":
            rotation = nearest_rotation(shape.camera())[1]
        return voxelize(
            placed,
            closure.triangles,
            self.variant,
            rotation=rotation,
            depth_scale=self.depth_scale,
            closure=closure,
        ).dense()
