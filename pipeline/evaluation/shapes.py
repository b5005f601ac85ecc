"""What is known of one face, predicted or true, whatever it was made of: a map, a mesh, points, angles, a volume.

All shapes lie in pixels of the source picture: 0-based, y down, z towards the viewer. A measure asks a shape for what
it compares; a shape that cannot give it raises `Lacking` with the reason, which goes into the scores instead of a
number.
"""

from __future__ import annotations

from functools import cache, cached_property, partial

import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.geometry.euler import rotation_from_angles
from pipeline.geometry.frames import CropTransform
from pipeline.geometry.similarity import umeyama
from pipeline.morphable import MorphableModel

POSE_GRID = 64
"""Side of the map whose texels the rotation of a surface is fitted to."""
UPRIGHT = np.array([1.0, -1.0, 1.0])


class Lacking(Exception):
    """A face does not have what a measure compares; the text says what is missing."""


class Shape:
    """One face. ``origin`` is the number that its file gives to the first pixel, 0 or 1: protocols with legacy pixels
    compare the files' own numbers. ``what`` names the kind in messages."""

    what = "a face"
    origin = 0

    @property
    def finite(self) -> bool:
        """Whether all its numbers are finite: a prediction that is not has failed."""
        return True

    @property
    def model(self) -> MorphableModel:
        """The face model whose vertices it has."""
        raise Lacking(f"{self.what} has no face model")

    def landmarks(self) -> np.ndarray:
        """The 68 landmarks (68, 2 or 3) float64."""
        raise Lacking(f"{self.what} has no 68 landmarks")

    def face(self, grid: int) -> np.ndarray:
        """The dense face points (M, 3), texels of a ``grid`` x ``grid`` map."""
        raise Lacking(f"{self.what} has no dense face points")

    def vertices(self, part: str) -> np.ndarray:
        """Vertices (N, 3) of the face model's mesh: part "all", or "face" without ears, neck and scalp."""
        raise Lacking(f"{self.what} has no vertices of the face model")

    def points(self, name: str) -> np.ndarray:
        """A point set that a file gives under this name ("aflw21", "lfpa34"), (K, 2 or 3)."""
        raise Lacking(f"{self.what} has no points {name}")

    def camera(self) -> np.ndarray:
        """(3, 3) model frame (y up) -> pixels (y up): a scaled rotation, or nearly one."""
        raise Lacking(f"{self.what} has no rotation")

    def angles(self) -> np.ndarray | None:
        """(3,) pitch, yaw, roll in radians where angles are what the file holds, else None."""
        return None

    def volume(self) -> tuple[np.ndarray, CropTransform] | None:
        """A voxel volume (D, H, W) with the way from the picture to its x and y, where that is what the file holds."""
        return None


class _Surface(Shape):
    """What maps and meshes share: the camera is the similarity that takes the mean face to the dense points."""

    chart: Chart

    @property
    def model(self) -> MorphableModel:
        return self.chart.model

    def camera(self) -> np.ndarray:
        upright = self.face(POSE_GRID) * UPRIGHT
        if not np.ptp(upright, axis=0).max() > 0:
            raise Degenerate
        return umeyama(self.chart.canonical(POSE_GRID), upright).rotation


class Degenerate(Exception):
    """All points of a prediction lie in one place: nothing can be fitted to it, and it gets the worst score."""


class MapShape(_Surface):
    """A position map.

    Args:
        chart: of the face model.
        position_map: (S, S, 3) in pixels of the picture.
    """

    what = "a position map"

    def __init__(self, chart: Chart, position_map: np.ndarray) -> None:
        self.chart = chart
        self.position_map = position_map
        self._face = cache(partial(chart.dense, position_map))

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.position_map).all())

    def landmarks(self) -> np.ndarray:
        return self._landmarks

    @cached_property
    def _landmarks(self) -> np.ndarray:
        return self.chart.landmarks(self.position_map)

    def face(self, grid: int) -> np.ndarray:
        return self._face(grid)

    def vertices(self, part: str) -> np.ndarray:
        return self.chart.vertices(self.position_map, part)


class MeshShape(_Surface):
    """Vertices of the face model's mesh.

    Args:
        chart: of the face model.
        vertices: (N, 3), all of the model's or those without ears, neck and scalp.
        matrix: (3, 3) camera, model frame -> pixels, y up, where it is known.
        origin: of the file.
    """

    what = "a mesh"

    def __init__(
        self, chart: Chart, vertices: np.ndarray, matrix: np.ndarray | None = None, origin: int = 0
    ) -> None:
        self.chart = chart
        self.whole = len(vertices) == len(chart.model.mean)
        self._vertices = np.asarray(vertices)
        self._face = cache(partial(chart.dense_of, self._vertices))
        self._matrix = matrix
        self.origin = origin

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self._vertices).all())

    def landmarks(self) -> np.ndarray:
        rows = self.chart.model.keypoints if self.whole else self.chart.face_keypoints
        return self._vertices[rows].astype(np.float64)

    def face(self, grid: int) -> np.ndarray:
        if not self.whole:
            raise Lacking("a mesh without ears and neck has no texels at the rim of the face")
        return self._face(grid)

    def vertices(self, part: str) -> np.ndarray:
        if part == "face" and self.whole:
            return self._vertices[self.chart.model.face_mask]
        if part == "all" and not self.whole:
            raise Lacking("a mesh without ears and neck lacks these vertices")
        return self._vertices

    def camera(self) -> np.ndarray:
        if self._matrix is not None:
            return self._matrix
        if not self.whole:
            raise Lacking("a mesh without ears and neck, and without a camera, has no rotation")
        return super().camera()


class TexelShape(Shape):
    """The dense points of a 256 x 256 map without the map: PRNet's meshes.

    Args:
        chart: of the face model, with the texels that the points are of.
        points: (M, 3), one for each texel of the face in row-major order.
        origin: of the file.
    """

    what = "a mesh of PRNet"

    def __init__(self, chart: Chart, points: np.ndarray, origin: int = 0) -> None:
        self.chart = chart
        self._points = np.asarray(points)
        self.origin = origin

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self._points).all())

    def landmarks(self) -> np.ndarray:
        return self._points[self.chart.texels_of_landmarks].astype(np.float64)

    def face(self, grid: int) -> np.ndarray:
        if grid == self.chart.texel_grid:
            return self._points
        raise Lacking(f"{self.what} has texels of a {self.chart.texel_grid} map, not of one of {grid}")

    def camera(self) -> np.ndarray:
        upright = self._points * UPRIGHT
        if not np.ptp(upright, axis=0).max() > 0:
            raise Degenerate
        return umeyama(self.chart.canonical(self.chart.texel_grid), upright).rotation


class PointsShape(Shape):
    """Landmarks alone.

    Args:
        landmarks: (68, 2 or 3), or None where only other points are known.
        mean: (68, 3) landmarks of the mean face, model frame, to which the rotation of 3D landmarks is fitted.
        named: further point sets by name.
        origin: of the file.
    """

    what = "a prediction of points"

    def __init__(
        self,
        landmarks: np.ndarray | None,
        mean: np.ndarray | None = None,
        named: dict[str, np.ndarray] | None = None,
        origin: int = 0,
    ) -> None:
        self._landmarks = landmarks
        self._mean = mean
        self._named = named or {}
        self.origin = origin

    @property
    def finite(self) -> bool:
        given = [] if self._landmarks is None else [self._landmarks]
        return all(bool(np.isfinite(points).all()) for points in [*given, *self._named.values()])

    def landmarks(self) -> np.ndarray:
        if self._landmarks is None:
            return super().landmarks()
        return np.asarray(self._landmarks, np.float64)

    def points(self, name: str) -> np.ndarray:
        return self._named[name] if name in self._named else super().points(name)

    def camera(self) -> np.ndarray:
        points = self.landmarks()
        if points.shape[1] != 3 or self._mean is None:
            raise Lacking("2D landmarks have no rotation")
        if not np.ptp(points, axis=0).max() > 0:
            raise Degenerate
        return umeyama(self._mean, points * UPRIGHT).rotation


class PoseShape(Shape):
    """Head angles alone: (3,) pitch, yaw, roll in degrees, 300W-LP's convention."""

    what = "a prediction of angles"

    def __init__(self, degrees: np.ndarray) -> None:
        self._angles = np.radians(np.asarray(degrees, np.float64))

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self._angles).all())

    def angles(self) -> np.ndarray:
        return self._angles

    def camera(self) -> np.ndarray:
        return rotation_from_angles(*self._angles)


class VolumeShape(Shape):
    """A voxel volume (D, H, W) of 0 and 1, and the transform from the picture to its x and y."""

    what = "a volume"

    def __init__(self, volume: np.ndarray, transform: CropTransform) -> None:
        self._volume = (volume, transform)

    def volume(self) -> tuple[np.ndarray, CropTransform]:
        return self._volume


class AnnotationShape(Shape):
    """The truth, from a data set's annotation: the face model placed by its parameters, or points alone."""

    what = "the truth"

    def __init__(self, chart: Chart, annotation: FaceAnnotation) -> None:
        self.chart = chart
        self.annotation = annotation
        self.origin = annotation.origin
        self._face = cache(lambda grid: chart.dense_of(self._dense, grid))

    @property
    def model(self) -> MorphableModel:
        return self.chart.model

    def landmarks(self) -> np.ndarray:
        if self.annotation.dense:
            return self.annotation.landmarks(self.chart.model)
        if self.annotation.landmarks68 is None:
            return super().landmarks()
        return self.annotation.landmarks68

    def face(self, grid: int) -> np.ndarray:
        return self._face(grid)

    def vertices(self, part: str) -> np.ndarray:
        return self._dense[self.chart.model.face_mask] if part == "face" else self._dense

    @cached_property
    def _dense(self) -> np.ndarray:
        if not self.annotation.dense:
            raise Lacking(f"{self.what} has no parameters of a face model")
        return self.annotation.vertices(self.chart.model)

    def points(self, name: str) -> np.ndarray:
        found = self.annotation.points.get(name)
        return super().points(name) if found is None else found

    def camera(self) -> np.ndarray:
        if self.annotation.pose is None and self.annotation.camera is None:
            return super().camera()
        return self.annotation.matrix[:, :3]
