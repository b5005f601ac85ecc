"""Shapes that have the surface of a face: position maps, meshes, parameters of the face model, annotations."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np

from pipeline.datasets.base import FaceAnnotation
from pipeline.evaluation.chart import Chart
from pipeline.evaluation.shapes import UPRIGHT, Lacking, Shape, fitted_rotation
from pipeline.geometry.frames import CropTransform
from pipeline.morphable import MorphableModel
from pipeline.morphable.params62 import crop_points, roi_points, split

POSE_GRID = 64
"""Side of the map whose texels the rotation of a surface is fitted to."""
SIDE = 120
"""Of the crop in whose pixels 62 parameters lie."""


class Surface(Shape):
    """What maps and meshes share.

    Args:
        chart: of the face model.
    """

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self._face = cache(self.dense)

    @property
    def model(self) -> MorphableModel:
        return self.chart.model

    def face(self, grid: int) -> np.ndarray:
        return self._face(grid)

    def dense(self, grid: int) -> np.ndarray:
        """The points that `face` gives, made anew."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what was computed from the data, once a face is scored."""
        self._face.cache_clear()
        self.__dict__.pop("_vertices", None)

    def camera(self) -> np.ndarray:
        """The rotation of the similarity that takes the mean face to the dense points."""
        return fitted_rotation(self.chart.canonical(POSE_GRID), self.face(POSE_GRID))


def all_finite(*arrays: np.ndarray | None) -> bool:
    """Whether every number of the arrays that are there is finite."""
    return all(bool(np.isfinite(array).all()) for array in arrays if array is not None)


class MapShape(Surface):
    """A position map.

    Args:
        chart: of the face model.
        position_map: (S, S, 3) in pixels of the picture.
    """

    what = "a position map"

    def __init__(self, chart: Chart, position_map: np.ndarray) -> None:
        super().__init__(chart)
        self.position_map = position_map

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.position_map).all())

    def landmarks(self) -> np.ndarray:
        return self._landmarks

    @cached_property
    def _landmarks(self) -> np.ndarray:
        return self.chart.landmarks(self.position_map)

    def dense(self, grid: int) -> np.ndarray:
        return self.chart.dense(self.position_map, grid)

    def vertices(self, part: str) -> np.ndarray:
        return self.chart.vertices(self.position_map, part)


class _GivenPoints(Surface):
    """Dense points as a file gives them; its array stays the only copy of all of them.

    Args:
        chart: of the face model.
        points: (N, 3) in the file's own numbers.
        origin: number of its first pixel.
        landmarks: (68, 2 or 3) known apart from the points, 0-based.
    """

    def __init__(
        self, chart: Chart, points: np.ndarray, origin: int = 0, landmarks: np.ndarray | None = None
    ) -> None:
        super().__init__(chart)
        self.origin = origin
        self._given = np.asarray(points)
        self._landmarks = landmarks

    @property
    def finite(self) -> bool:
        return all_finite(self._given, self._landmarks)

    def landmarks(self) -> np.ndarray:
        return self._at(self.keypoints) if self._landmarks is None else self._landmarks

    @property
    def keypoints(self) -> np.ndarray:
        """(68,) rows of the landmarks among the points."""
        raise NotImplementedError

    def _at(self, rows: np.ndarray | slice) -> np.ndarray:
        """Some of the points as 0-based float64."""
        return self._given[rows] - np.array([self.origin, self.origin, 0.0])


class MeshShape(_GivenPoints):
    """Vertices of the face model's mesh: all, or those without ears, neck and scalp."""

    what = "a mesh"

    @property
    def whole(self) -> bool:
        """Whether all vertices of the face model are there."""
        return len(self._given) == len(self.model.mean)

    @property
    def keypoints(self) -> np.ndarray:
        return self.model.keypoints if self.whole else self.chart.face_keypoints

    def dense(self, grid: int) -> np.ndarray:
        if not self.whole:
            raise Lacking("a mesh without ears and neck has no texels at the rim of the face")
        return self.chart.dense_of(self._at(slice(None)), grid)

    def vertices(self, part: str) -> np.ndarray:
        if part == "all" and not self.whole:
            raise Lacking("a mesh without ears and neck lacks these vertices")
        return self._at(self.model.face_mask if part == "face" and self.whole else slice(None))


class TexelShape(_GivenPoints):
    """The dense points of a 256 x 256 map without the map, one for each texel of the face in row-major order: PRNet's
    meshes."""

    what = "a mesh of texels"

    @property
    def keypoints(self) -> np.ndarray:
        rows = self.chart.texels_of_landmarks
        if rows is None:
            raise Lacking(f"{self.what} of the face model {self.model.name} has none at some landmarks")
        return rows

    def dense(self, grid: int) -> np.ndarray:
        if grid != self.chart.texel_grid:
            raise Lacking(f"{self.what} of a {self.chart.texel_grid} map has none of a {grid} map")
        return self._at(slice(None))

    def vertices(self, part: str) -> np.ndarray:
        raise Lacking(f"{self.what} has no vertices of the face model")

    def camera(self) -> np.ndarray:
        grid = self.chart.texel_grid
        return fitted_rotation(self.chart.canonical(grid), self.face(grid))


class ParamsShape(Surface):
    """62 raw parameters of the face model; nothing is computed before it is asked for.

    Args:
        chart: of the face model.
        parameters: (62,).
        origin: number of the first pixel of the points that they give.
        roi: (4,) box of the crop that they lie in, x1, y1, x2, y2; None: they give pixels of the picture, y down.
        convention: of a crop, one of CONVENTIONS.
        landmarks: (68, 2 or 3) known apart from the parameters.
    """

    what = "a prediction of parameters"

    def __init__(
        self,
        chart: Chart,
        parameters: np.ndarray,
        origin: int = 0,
        roi: np.ndarray | None = None,
        convention: str = "exact",
        landmarks: np.ndarray | None = None,
    ) -> None:
        super().__init__(chart)
        self.origin = origin
        self._parameters = np.asarray(parameters, np.float64)
        self._roi, self._convention = roi, convention
        self._landmarks = landmarks

    @property
    def finite(self) -> bool:
        return all_finite(self._parameters, self._roi, self._landmarks)

    def landmarks(self) -> np.ndarray:
        return self._placed(keypoints=True) if self._landmarks is None else self._landmarks

    def dense(self, grid: int) -> np.ndarray:
        return self.chart.dense_of(self._vertices, grid)

    def vertices(self, part: str) -> np.ndarray:
        return self._vertices[self.model.face_mask] if part == "face" else self._vertices

    def camera(self) -> np.ndarray:
        matrix = split(self._parameters)[0][:, :3]
        return matrix * UPRIGHT[:, None] if self._roi is None else matrix

    @cached_property
    def _vertices(self) -> np.ndarray:
        return self._placed(keypoints=False)

    def _placed(self, *, keypoints: bool) -> np.ndarray:
        if self._roi is None:
            camera, shape, expression = split(self._parameters)
            surface = (self.model.landmarks if keypoints else self.model.vertices)(shape, expression)
            points = surface @ camera[:, :3].T + camera[:, 3]
        else:
            legacy = self._convention
            points = crop_points(self._parameters, self.model, SIDE, legacy=legacy, keypoints=keypoints)
            points = roi_points(points, self._roi, SIDE)
        return points - [self.origin, self.origin, 0]


class CropParamsShape(ParamsShape):
    """62 raw parameters of a crop that a transform cut.

    Args:
        chart: of the face model.
        parameters: (62,).
        transform: from the picture to the crop.
    """

    def __init__(self, chart: Chart, parameters: np.ndarray, transform: CropTransform) -> None:
        super().__init__(chart, parameters)
        self._transform = transform

    def camera(self) -> np.ndarray:
        return split(self._parameters)[0][:, :3]

    def _placed(self, *, keypoints: bool) -> np.ndarray:
        points = crop_points(self._parameters, self.model, self._transform.size, keypoints=keypoints)
        return self._transform.invert(points)


class AnnotationShape(Surface):
    """The truth, from a data set's annotation: the face model placed by its parameters, or points alone."""

    what = "the truth"

    def __init__(self, chart: Chart, annotation: FaceAnnotation) -> None:
        super().__init__(chart)
        self.annotation = annotation
        self.origin = annotation.origin
        self.named = annotation.points

    def landmarks(self) -> np.ndarray:
        if self.annotation.dense:
            return self.annotation.landmarks(self.chart.model)
        if self.annotation.landmarks68 is None:
            raise Lacking(f"{self.what} has no 68 landmarks")
        return self.annotation.landmarks68

    def dense(self, grid: int) -> np.ndarray:
        return self.chart.dense_of(self._vertices, grid)

    def vertices(self, part: str) -> np.ndarray:
        return self._vertices[self.model.face_mask] if part == "face" else self._vertices

    @cached_property
    def _vertices(self) -> np.ndarray:
        if not self.annotation.dense:
            raise Lacking(f"{self.what} has no parameters of a face model")
        return self.annotation.vertices(self.model)

    def camera(self) -> np.ndarray:
        if self.annotation.pose is None and self.annotation.camera is None:
            raise Lacking(f"{self.what} has no pose")
        return self.annotation.matrix[:, :3]
