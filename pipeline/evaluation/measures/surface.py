"""Error of the reconstructed surface after alignment, over the distance between the eyes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.evaluation.measures.base import BaseMeasure, Grid
from pipeline.evaluation.shapes import Degenerate, Lacking, Shape
from pipeline.evaluation.truth import Truth
from pipeline.metrics.reconstruction import corresponding_point_error, nearest_point_error


class SurfaceError(BaseMeasure):
    """Error of the face's surface over the 3D outer interocular distance, after alignment."""

    kind: Literal["surface"]
    correspondence: Literal["nearest", "known"] = Field(
        description="nearest: rigid ICP; known: one similarity fit"
    )
    truth: Literal["face", "scan"] = Field("face", description="the dense face points, or a 3D scan's face")
    grid: Grid = Field(256, description="side of the map that dense face points are texels of")
    every: int = Field(
        1, ge=1, description="so many true points stand for one of them; the prediction keeps all"
    )
    coarse: int = Field(1, ge=1, description="the first ICP rounds use every so many true points; 1: none do")
    iterations: int = Field(50, ge=0, description="most ICP rounds, of the first and again of the last")
    tolerance: float = Field(1e-5, ge=0, description="relative change of the mean distance that ends ICP")

    @property
    def further(self) -> bool:
        return self.truth == "scan"

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the interocular distance."""
        landmarks, true68 = predicted.landmarks(), truth.landmarks("original")
        if min(landmarks.shape[1], true68.shape[1]) < 3:
            raise Lacking("2D landmarks place no surface")
        if not np.ptp(landmarks, axis=0).max() > 0:
            raise Degenerate
        wanted = truth.shape.points("scan") if self.truth == "scan" else truth.shape.face(self.grid)
        if self.correspondence == "known":
            return corresponding_point_error(predicted.face(self.grid), wanted, true68)
        return nearest_point_error(
            predicted.face(self.grid),
            wanted[:: self.every],
            landmarks,
            true68,
            coarse=self.coarse,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )
