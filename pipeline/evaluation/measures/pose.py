"""Error of the head's rotation: per Euler angle by a named decode, or as one angle between two rotations."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.evaluation.measures.base import BaseMeasure
from pipeline.evaluation.shapes import Degenerate, Lacking, Shape
from pipeline.evaluation.truth import Truth
from pipeline.geometry.euler import decode_angles, nearest_rotation, rotation_from_angles
from pipeline.metrics.pose import angle_errors, geodesic_deg

ANGLES = ("pitch", "yaw", "roll")
FLAT = 1e-9
"""A camera whose least singular value is no larger a part of its largest turns nothing: it has no rotation."""


class PoseError(BaseMeasure):
    """Error of the predicted rotation: that of the camera where the prediction has one, else that of the similarity
    which takes the mean face to the predicted points."""

    kind: Literal["pose"]
    measure: Literal["mean", "pitch", "yaw", "roll", "geodesic"] = Field(
        description="mean absolute error of the three Euler angles, one of them, or the angle between rotations"
    )
    decode: Literal["exact", "synergynet", "3ddfa", "3ddfa_v2"] = Field(
        "exact", description="Euler angles of a rotation; only exact gives 300W-LP's own angles back"
    )
    rotation: Literal["polar", "rows"] = Field(
        "polar",
        description="of a camera: the nearest rotation, or two unit rows and their cross product (P2sRt)",
    )
    wrap: bool = Field(True, description="the shorter way round the circle; false: the plain difference")
    either: bool = Field(
        True, description="of the two triples of angles that one rotation has, the one nearer to the label"
    )

    def score(self, predicted: Shape, truth: Truth) -> float:
        """Degrees."""
        if not np.isfinite(truth.angles).all():
            raise Lacking("the truth has no angles")
        if self.measure == "geodesic":
            said = predicted.pose
            rotation = self._rotation(predicted) if said is None else rotation_from_angles(*said)
            return float(geodesic_deg(rotation, rotation_from_angles(*truth.angles)))
        errors = self._errors(predicted, np.degrees(truth.angles))
        return float(errors.mean() if self.measure == "mean" else errors[ANGLES.index(self.measure)])

    def _errors(self, predicted: Shape, truth_deg: np.ndarray) -> np.ndarray:
        """(3,) degrees, pitch, yaw, roll."""
        angles = predicted.pose
        if angles is None:
            angles = decode_angles(self._rotation(predicted), self.decode)
        pitch, yaw, roll = angles
        names = [angles, (pitch + np.pi, np.pi - yaw, roll + np.pi)] if self.either else [angles]
        found = [angle_errors(np.degrees(name), truth_deg, wrap=self.wrap) for name in names]
        return min(found, key=np.sum)

    def _rotation(self, predicted: Shape) -> np.ndarray:
        camera = predicted.camera()
        sizes = np.linalg.svd(camera, compute_uv=False)
        if sizes[2] <= FLAT * sizes[0]:
            raise Degenerate
        return rows_rotation(camera) if self.rotation == "rows" else nearest_rotation(camera)[1]


def rows_rotation(matrix: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) as 3DDFA's P2sRt makes it of a camera: two unit rows and their cross product, which is one only
    as far as the rows stand at right angles."""
    first, second = (row / np.linalg.norm(row) for row in np.asarray(matrix, np.float64)[:2])
    return np.stack([first, second, np.cross(first, second)])
