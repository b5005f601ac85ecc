"""What a protocol can measure on one face: point errors, the reconstructed surface, the head's pose.

Each measure is a settings block of a protocol file with a method that turns a face into one number.
"""

from __future__ import annotations

import math
from functools import cache, cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from pipeline.config import Strict
from pipeline.evaluation.chart import Chart
from pipeline.geometry.euler import angles_from_rotation, rotation_from_angles
from pipeline.geometry.similarity import umeyama
from pipeline.metrics.alignment import ALIGNMENTS
from pipeline.metrics.normalisers import box_size, outer_interocular
from pipeline.metrics.points import nme
from pipeline.metrics.pose import angle_errors, geodesic_deg
from pipeline.metrics.reconstruction import corresponding_point_error, nearest_point_error

Grid = Annotated[int, Field(ge=16, le=512)]


class Truth:
    """The truth of one face, in pixels of the source picture (0-based, y down, z nearer is larger).

    Args:
        chart: of the face model.
        landmarks: (68, 3) true landmarks.
        vertices: (N, 3) true dense vertices, from the truth's parameters through the face model.
        angles: (3,) true pitch, yaw, roll in radians.
    """

    def __init__(self, chart: Chart, landmarks: np.ndarray, vertices: np.ndarray, angles: np.ndarray) -> None:
        self.chart = chart
        self.landmarks = landmarks
        self.vertices = vertices
        self.angles = angles
        self.dense = cache(self._dense)

    def _dense(self, grid: int) -> np.ndarray:
        """(M, 3) dense face points, texels of a ``grid`` x ``grid`` map."""
        return self.chart.dense_of(self.vertices, grid)


class Face:
    """A prediction and its truth.

    Args:
        truth: what is true of the face.
        position_map: (S, S, 3) predicted map, already taken back to the picture: in the truth's frame.
    """

    def __init__(self, truth: Truth, position_map: np.ndarray) -> None:
        self.truth = truth
        self.position_map = position_map
        self.dense = cache(self._dense)

    @cached_property
    def landmarks(self) -> np.ndarray:
        """(68, 3) landmarks read off the predicted map."""
        return self.truth.chart.landmarks(self.position_map)

    def _dense(self, grid: int) -> np.ndarray:
        """(M, 3) dense face points of the prediction, texels of a ``grid`` x ``grid`` map."""
        return self.truth.chart.dense(self.position_map, grid)


class _Measure(Strict):
    """What all measures share."""

    def leaves_out(self, angles: np.ndarray) -> bool:
        """Whether a face with these true pitch, yaw and roll, (3,) radians, does not count, whatever is predicted."""
        return False


class PointError(_Measure):
    """Normalised mean error of points that correspond."""

    kind: Literal["points"]
    points: Literal["landmarks68", "face"] = Field(description="the 68 landmarks, or the dense face points")
    dimensions: Literal[2, 3] = Field(description="2 leaves depth out")
    align: Literal["none", "z_min", "z_mean"] = Field("none", description="where depth has its origin")
    normaliser: Literal["box68", "box_points", "interocular"] = Field(
        "box68",
        description="of the truth: sqrt(w h) of the 68 landmarks, of the points compared, or 3D outer interocular",
    )
    pixels: Literal["exact", "legacy"] = Field(
        "exact",
        description="legacy compares 0-based predictions with the data set's own 1-based truth, as papers did",
    )
    grid: Grid = Field(256, description="side of the map that dense points are texels of")

    def score(self, face: Face) -> float:
        """NME in per cent."""
        if self.points == "landmarks68":
            predicted, truth = face.landmarks, face.truth.landmarks
        else:
            predicted, truth = face.dense(self.grid), face.truth.dense(self.grid)
        if self.pixels == "legacy":
            truth = truth + np.array([1.0, 1.0, 0.0])
        predicted, truth = ALIGNMENTS[self.align](predicted, truth)
        if self.normaliser == "interocular":
            size = outer_interocular(face.truth.landmarks)
        else:
            size = box_size(face.truth.landmarks if self.normaliser == "box68" else truth)
        return float(nme(predicted[:, : self.dimensions], truth[:, : self.dimensions], size))


class SurfaceError(_Measure):
    """Error of the face's surface over the 3D outer interocular distance, after alignment."""

    kind: Literal["surface"]
    correspondence: Literal["nearest", "known"] = Field(
        description="nearest: rigid ICP; known: one similarity fit"
    )
    truth_grid: Grid = Field(48, description="side of the map that the truth's points are texels of")
    prediction_grid: Grid = Field(256, description="the same for the predicted cloud that is searched")
    coarse: int = Field(1, ge=1, description="the first ICP rounds use every so many true points; 1: none do")
    iterations: int = Field(50, ge=0, description="most ICP rounds, of the first and again of the last")
    tolerance: float = Field(1e-5, ge=0, description="relative change of the mean distance that ends ICP")

    def score(self, face: Face) -> float:
        """Per cent of the interocular distance; infinite for a prediction in one place, which no fit can move."""
        if not _has_extent(face.landmarks):
            return math.inf
        truth = face.truth.dense(self.truth_grid)
        if self.correspondence == "known":
            return corresponding_point_error(face.dense(self.truth_grid), truth, face.truth.landmarks)
        return nearest_point_error(
            face.dense(self.prediction_grid),
            truth,
            face.landmarks,
            face.truth.landmarks,
            coarse=self.coarse,
            iterations=self.iterations,
            tolerance=self.tolerance,
        )


class PoseError(_Measure):
    """Error of the rotation that takes the mean face to the predicted dense points."""

    kind: Literal["pose"]
    measure: Literal["mean", "pitch", "yaw", "roll", "geodesic"] = Field(
        description="mean absolute error of the three Euler angles, one of them, or the angle between rotations"
    )
    exclude_beyond: float | None = Field(
        99.0, description="leave out faces with a true angle beyond it, degrees"
    )
    grid: Grid = Field(64, description="side of the map that the fitted points are texels of")

    def leaves_out(self, angles: np.ndarray) -> bool:
        """Whether a true angle of (3,) radians lies beyond the limit; never where the angles are unknown (NaN)."""
        return self.exclude_beyond is not None and bool(
            np.abs(np.degrees(angles)).max() > self.exclude_beyond
        )

    def score(self, face: Face) -> float | None:
        """Degrees; None for a face that the protocol leaves out, infinite for a prediction in one place."""
        truth = np.degrees(face.truth.angles)
        if self.leaves_out(face.truth.angles):
            return None
        upright = face.dense(self.grid) * np.array([1.0, -1.0, 1.0])
        if not _has_extent(upright):
            return math.inf
        rotation = umeyama(face.truth.chart.canonical(self.grid), upright).rotation
        if self.measure == "geodesic":
            return float(geodesic_deg(rotation, rotation_from_angles(*face.truth.angles)))
        errors = _nearest_name(angles_from_rotation(rotation), truth)
        if self.measure == "mean":
            return float(errors.mean())
        return float(errors[("pitch", "yaw", "roll").index(self.measure)])


Measure = Annotated[PointError | SurfaceError | PoseError, Field(discriminator="kind")]


def _has_extent(points: np.ndarray) -> bool:
    return bool(np.ptp(points, axis=0).max() > 0)


def _nearest_name(angles: np.ndarray, truth_deg: np.ndarray) -> np.ndarray:
    """Errors (3,) in degrees. A rotation has two triples of Euler angles, (p, y, r) and (p + pi, pi - y, r + pi); the
    one nearer to the label counts, since labels go beyond a yaw of 90 degrees and a decoded yaw does not."""
    pitch, yaw, roll = angles
    names = np.array([[pitch, yaw, roll], [pitch + np.pi, np.pi - yaw, roll + np.pi]])
    errors = angle_errors(np.degrees(names), np.broadcast_to(truth_deg, (2, 3)))
    return errors[errors.sum(axis=1).argmin()]
