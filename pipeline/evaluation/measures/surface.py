"""Error of the reconstructed surface after alignment: the recipes of PRNet, of VRN, of 2DASL's script, and others."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.evaluation.measures.base import BaseMeasure, Grid
from pipeline.evaluation.shapes import Degenerate, Lacking, Shape
from pipeline.evaluation.truth import Truth
from pipeline.geometry.closing import submesh
from pipeline.geometry.similarity import umeyama
from pipeline.metrics.normalisers import outer_interocular
from pipeline.metrics.reconstruction import (
    corresponding_point_error,
    dasl_script_error,
    nearest_point_error,
    rigid_nearest_error,
)
from pipeline.metrics.scan import scan_to_mesh_error


class _Cloud(BaseMeasure):
    """Which true points a measure of surfaces compares."""

    truth: Literal["face", "scan"] = Field("face", description="the dense face points, or a 3D scan's face")
    grid: Grid = Field(256, description="side of the map that dense face points are texels of")
    every: int = Field(
        1, ge=1, description="so many true points stand for one of them; the prediction keeps all"
    )

    @property
    def further(self) -> bool:
        return self.truth == "scan"

    def points(self, truth: Truth) -> np.ndarray:
        """The true points (N, 3)."""
        whole = truth.shape.points("scan") if self.truth == "scan" else truth.shape.face(self.grid)
        return whole[:: self.every]


class _Searched(_Cloud):
    """The end of an iterative search."""

    iterations: int = Field(50, ge=0, description="most rounds of ICP, of the first and again of the last")
    tolerance: float = Field(1e-5, ge=0, description="relative change of the mean distance that ends ICP")


class NearestError(_Searched):
    """PRNet's figure as far as it is known: a similarity of the landmarks, rigid ICP, nearest predicted points."""

    kind: Literal["nearest"]
    coarse: int = Field(1, ge=1, description="the first ICP rounds use every so many true points; 1: none do")

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the 3D outer interocular distance."""
        landmarks, true68 = landmarks_of(predicted, truth)
        return nearest_point_error(
            predicted.face(self.grid),
            self.points(truth),
            landmarks,
            true68,
            coarse=self.coarse,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )


class RigidError(_Searched):
    """VRN's figure: rigid ICP to which no fit of a size goes before."""

    kind: Literal["rigid"]
    start: Literal["means", "depth", "landmarks"] = Field(
        "depth",
        description="what is laid on each other first: the clouds' means, their mean depths, or the landmarks",
    )
    measured: Literal["moved", "unmoved"] = Field(
        "unmoved", description="distances after ICP, or before it between the pairs that it found"
    )
    search: Literal["from_fixed", "from_moving"] = Field(
        "from_fixed", description="whose points look for their nearest: the truth's or the prediction's"
    )

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the 3D outer interocular distance."""
        landmarks, true68 = landmarks_of(predicted, truth)
        return rigid_nearest_error(
            predicted.face(self.grid),
            self.points(truth),
            true68,
            start=self.start,
            predicted68=landmarks,
            measured=self.measured,
            search=self.search,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )


class ScriptError(BaseMeasure):
    """The figure of 2DASL's 3DReconstruction script, over sqrt(w h) of all true vertices."""

    kind: Literal["script"]
    correspondence: Literal["index", "nearest"] = Field(
        "index", description="vertices of one number, as the script has it, or the nearest ones"
    )
    every: int = Field(50, ge=1, description="so many vertices, predicted and true, stand for one of them")
    tolerance: float = Field(
        0.01, ge=0, description="change of the mean squared distance, px2, that ends the turns"
    )

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the dense box."""
        found = predicted.vertices("all")
        if not np.ptp(found, axis=0).max() > 0:
            raise Degenerate
        return dasl_script_error(
            found,
            truth.shape.vertices("all"),
            correspondence=self.correspondence,
            every=self.every,
            tolerance=self.tolerance,
        )


class KnownError(_Cloud):
    """Mean distance of corresponding face points after the best similarity (SADRNet)."""

    kind: Literal["known"]

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the 3D outer interocular distance."""
        _, true68 = landmarks_of(predicted, truth)
        return corresponding_point_error(predicted.face(self.grid)[:: self.every], self.points(truth), true68)


class ScanError(_Searched):
    """Mean distance of a scan's points to the predicted mesh, wherever on a triangle, after ICP against it."""

    kind: Literal["scan_to_mesh"]
    with_scale: bool = Field(False, description="ICP solves for a scale too")
    trim: float = Field(0.0, ge=0, lt=1, description="share of the worst pairs that ICP leaves out")

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Per cent of the 3D outer interocular distance."""
        landmarks, true68 = landmarks_of(predicted, truth)
        vertices, model = predicted.vertices("face"), predicted.model
        _, triangles = submesh(model.triangles, model.face_mask)
        return scan_to_mesh_error(
            self.points(truth),
            vertices,
            triangles,
            initial=umeyama(landmarks, true68),
            with_scale=self.with_scale,
            size=float(outer_interocular(true68)),
            trim=self.trim,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )


def landmarks_of(predicted: Shape, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true landmarks (68, 3); `Lacking` where one side has no depth, `Degenerate` for a prediction in one
    place."""
    landmarks, true68 = predicted.landmarks(), truth.landmarks("original")
    if min(landmarks.shape[1], true68.shape[1]) < 3:
        raise Lacking("2D landmarks place no surface")
    if not np.ptp(landmarks, axis=0).max() > 0:
        raise Degenerate
    return landmarks, true68
