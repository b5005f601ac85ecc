"""The truth of one picture: a shape, the head's angles, and the lists of yaws by which papers put it into bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import Shape
from pipeline.evaluation.surfaces import AnnotationShape

LABELS = {"original": None, "reannotated": "landmarks68_re"}
"""Label set of the 68 landmarks -> the name of its points in an annotation; None: the annotation's landmarks."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of the one face of a picture.

    shape: in pixels of the picture. angles: (3,) pitch, yaw, roll in radians, NaN where they are unknown. yaws:
    degrees by the name of a list. origins: number of the first pixel in point sets that count otherwise than the shape.
    problem: why nothing of this is known, where that is so.
    """

    picture: str
    shape: Shape
    angles: np.ndarray = field(default_factory=lambda: np.full(3, np.nan))
    yaws: Mapping[str, float] = field(default_factory=dict)
    origins: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""

    def yaw(self, name: str) -> float:
        """The true yaw in degrees by one list; NaN where it has none for this picture."""
        return float(self.yaws.get(name, np.nan))

    def landmarks(self, labels: str) -> np.ndarray:
        """The 68 landmarks (68, 2 or 3) of a label set; `Lacking` where the truth does not have it."""
        name = LABELS[labels]
        return self.shape.landmarks() if name is None else self.shape.points(name)

    def origin(self, points: str | None = None) -> int:
        """The number of the first pixel in the file of a point set; None: of the shape."""
        return self.origins.get(points, self.shape.origin) if points else self.shape.origin


def of_annotation(picture: str, annotation: FaceAnnotation, chart: Chart) -> Truth:
    """The truth that a data set's annotation gives; nothing dense is computed before a measure asks for it.

    The list "fitted" is the yaw that the data set states itself, else that of its pose.
    """
    angles = np.full(3, np.nan) if annotation.pose is None else np.asarray(annotation.pose[:3], np.float64)
    yaws = {"fitted": float(np.degrees(angles[1])), **annotation.yaws_deg}
    if annotation.yaw_deg is not None:
        yaws["fitted"] = annotation.yaw_deg
    return Truth(picture, AnnotationShape(chart, annotation), angles, yaws, annotation.origins)


def unreadable(picture: str, problem: str) -> Truth:
    """The truth of a picture whose annotation says nothing usable, and why."""
    return Truth(picture, Shape(), problem=problem)


def short(picture: str) -> str:
    """The last part of a picture's id: predictions are mostly named by it alone."""
    return picture.rpartition("/")[2]
