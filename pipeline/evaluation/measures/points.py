"""Normalised mean error of points that correspond: landmarks, dense face points, vertices, visible points."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from pipeline.evaluation.measures.base import BaseMeasure, Grid
from pipeline.evaluation.shapes import Degenerate, Lacking, Shape
from pipeline.evaluation.truth import LABELS, Truth
from pipeline.metrics.alignment import ALIGNMENTS
from pipeline.metrics.normalisers import box_size, interocular_2d, interocular_3d
from pipeline.metrics.points import nme

Rows = Annotated[list[int], Field(min_length=1)]
VISIBLE = {"visible21": "aflw21", "visible34": "lfpa34"}
"""Points of a data set that are compared where they are visible -> their name in its annotation."""
FITTED_ALIGNMENTS = ("rigid", "similarity")
FITTED, BOX = "landmarks68_fit", "lfpa_box"
"""AFLW's 68 fitted landmarks, and AFLW-LFPA's own boxes, by their names in annotations."""


class PointError(BaseMeasure):
    """Normalised mean error (NME): the mean distance of corresponding points over a size of the true face."""

    kind: Literal["points"]
    points: Literal["landmarks68", "face", "vertices", "noneck", "visible21", "visible34"] = Field(
        description="68 landmarks, dense face points (texels), all vertices, those without ears and neck, or a data "
        "set's 21 or 34 points where they are visible"
    )
    dimensions: Literal[2, 3] = Field(description="2 leaves depth out")
    align: Literal["none", "z_min", "z_mean", "rigid", "similarity"] = Field(
        "none", description="what is done to the prediction first; depth has no origin of its own"
    )
    normaliser: Literal["box68", "box_points", "box_labels", "interocular_2d", "interocular_3d"] = Field(
        "box68",
        description="of the truth: sqrt(w h) of its 68 landmarks, of the points compared, or of the data set's own "
        "box; or the distance of the outer eye corners",
    )
    labels: Literal["original", "reannotated"] = Field(
        "original", description="which annotation of the 68 landmarks is the truth"
    )
    pixels: Literal["exact", "legacy"] = Field(
        "exact",
        description="legacy compares the numbers in the files, whether they count pixels from 0 or 1, as papers did",
    )
    grid: Grid = Field(256, description="side of the map that dense face points are texels of")
    mapping: list[Rows] | None = Field(
        None, description="visible points: for each the rows of the 68 landmarks whose mean it is"
    )

    @property
    def further(self) -> bool:
        return self.points in VISIBLE or self.labels != "original"

    @model_validator(mode="after")
    def _fits(self) -> PointError:
        if self.dimensions == 2 and self.align in ("z_min", "z_mean"):
            raise ValueError(
                f"align: expected a rule for depth with 3 dimensions alone, found {self.align} with 2"
            )
        count = {"visible21": 21, "visible34": 34}.get(self.points)
        if self.mapping is not None and len(self.mapping) != count:
            raise ValueError(f"mapping: expected rows for {count or 'no'} points, found {len(self.mapping)}")
        if self.mapping is not None and not all(0 <= row < 68 for rows in self.mapping for row in rows):
            raise ValueError("mapping: expected rows of the 68 landmarks, 0 to 67")
        return self

    def score(self, predicted: Shape, truth: Truth) -> float:
        """NME in per cent."""
        wanted = self.true_points(truth)
        found = self._predicted(predicted)
        shown = np.isfinite(wanted).all(axis=1)
        if not shown.any():
            raise Lacking("none of the true points is visible")
        columns = min(found.shape[1], wanted.shape[1])
        if self.dimensions > columns:
            side = "the prediction" if found.shape[1] < 3 else "the truth"
            raise Lacking(f"{side} has no depth")
        found, wanted = found[shown, :columns], wanted[shown, :columns]
        if self.pixels == "legacy":
            step = np.array([1.0, 1.0, 0.0])[:columns]
            found, wanted = found + predicted.origin * step, wanted + self._origin(truth) * step
        if not np.isfinite(found).all() or (self.align in FITTED_ALIGNMENTS and not _has_extent(found)):
            raise Degenerate
        if self.align != "none":
            found, wanted = ALIGNMENTS[self.align](found, wanted)
        return float(nme(found[:, : self.dimensions], wanted[:, : self.dimensions], self.size(truth)))

    def size(self, truth: Truth) -> float:
        """The size of the true face by which errors are divided, px of the picture; `Lacking` where it has none."""
        size = self._size(truth)
        if not (np.isfinite(size) and size > 0):
            raise Lacking(f"the true points have no extent: {self.normaliser} is {size:g}")
        return size

    def _size(self, truth: Truth) -> float:
        if self.normaliser == "box_points":
            points = self.true_points(truth)
            return float(box_size(points[np.isfinite(points).all(axis=1)]))
        if self.normaliser == "box_labels":
            return float(box_size(truth.shape.points(BOX)))
        landmarks = self._true68(truth)
        if self.normaliser == "box68":
            return float(box_size(landmarks))
        if self.normaliser == "interocular_2d":
            return float(interocular_2d(landmarks))
        if landmarks.shape[1] < 3:
            raise Lacking("the true landmarks have no depth")
        return float(interocular_3d(landmarks))

    def true_points(self, truth: Truth) -> np.ndarray:
        """The true points (K, 2 or 3) that are compared; NaN where one is not visible."""
        if self.points in VISIBLE:
            return truth.shape.points(VISIBLE[self.points])
        if self.points == "landmarks68":
            return truth.landmarks(self.labels)
        return self._surface(truth.shape)

    def _predicted(self, predicted: Shape) -> np.ndarray:
        """The predicted points (K, 2 or 3); visible ones given as such, else as means of predicted landmarks."""
        if self.points == "landmarks68":
            return predicted.landmarks()
        if self.points not in VISIBLE:
            return self._surface(predicted)
        try:
            return predicted.points(VISIBLE[self.points])
        except Lacking:
            if self.mapping is None:
                raise
        landmarks = predicted.landmarks()
        return np.stack([landmarks[rows].mean(axis=0) for rows in self.mapping])

    def _surface(self, shape: Shape) -> np.ndarray:
        if self.points == "face":
            return shape.face(self.grid)
        return shape.vertices("all" if self.points == "vertices" else "face")

    def _origin(self, truth: Truth) -> int:
        """The number of the first pixel in the file of the true points."""
        return truth.origin(VISIBLE.get(self.points) or LABELS[self.labels])

    def _true68(self, truth: Truth) -> np.ndarray:
        if self.points == "visible21":
            try:
                return truth.shape.points(FITTED)
            except Lacking:
                return truth.landmarks("original")
        return truth.landmarks(self.labels)


def _has_extent(points: np.ndarray) -> bool:
    return bool(np.ptp(points, axis=0).max() > 0)
