"""What is known of one face, predicted or true, whatever it was made of: a map, a mesh, points, angles, a volume.

All shapes lie in pixels of the source picture: 0-based, y down, z towards the viewer. A measure asks a shape for what
it compares; a shape that cannot give it raises `Lacking` with the reason, which goes into the scores instead of a
number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pipeline.geometry.frames import CropTransform
from pipeline.geometry.similarity import umeyama
from pipeline.morphable import MorphableModel

UPRIGHT = np.array([1.0, -1.0, 1.0])


class Lacking(Exception):
    """A face does not have what a measure compares; the text says what is missing."""


class Degenerate(Exception):
    """All points of a prediction lie in one place: nothing can be fitted to it, and it gets the worst score."""


@dataclass(frozen=True, eq=False)
class Filled:
    """A voxel volume.

    Attributes:
        voxels: (D, H, W) uint8 of 0 and 1.
        transform: from the picture to its x and y.
        variant, depth_scale: how a mesh is filled to such a volume.
    """

    voxels: np.ndarray
    transform: CropTransform
    variant: str
    depth_scale: float


class Shape:
    """One face. ``origin`` is the number that its file gives to the first pixel, 0 or 1: protocols with legacy pixels
    compare the files' own numbers. ``named`` are further point sets. ``pose`` are (3,) pitch, yaw, roll in radians
    where the file says them. ``what`` names the kind in messages."""

    what = "a face"
    origin = 0
    named: Mapping[str, np.ndarray] = MappingProxyType({})
    pose: np.ndarray | None = None

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
        if name not in self.named:
            raise Lacking(f"{self.what} has no points {name}")
        return self.named[name]

    def camera(self) -> np.ndarray:
        """(3, 3) model frame (y up) -> pixels (y up): a scaled rotation, or nearly one."""
        raise Lacking(f"{self.what} has no rotation")

    def forget(self) -> None:
        """Drop what was computed from the data, once a face is scored."""

    def volume(self) -> Filled | None:
        """The voxel volume, where that is what was predicted."""
        return None


def fitted_rotation(mean: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(3, 3), model frame -> pixels, y up: of the similarity that takes points (K, 3) of the mean face to the same
    points in a picture; `Degenerate` where these lie in one place."""
    upright = points * UPRIGHT
    if not np.ptp(upright, axis=0).max() > 0:
        raise Degenerate
    return umeyama(mean, upright).rotation


class PointsShape(Shape):
    """Points alone.

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
        mean: np.ndarray,
        named: Mapping[str, np.ndarray] | None = None,
        origin: int = 0,
    ) -> None:
        self._landmarks = landmarks
        self._mean = mean
        self.named = named or {}
        self.origin = origin

    @property
    def finite(self) -> bool:
        if self._landmarks is not None:
            return bool(np.isfinite(self._landmarks).all())
        return any(bool(np.isfinite(points).any()) for points in self.named.values())

    def landmarks(self) -> np.ndarray:
        return super().landmarks() if self._landmarks is None else np.asarray(self._landmarks, np.float64)

    def camera(self) -> np.ndarray:
        points = self.landmarks()
        if points.shape[1] != 3:
            raise Lacking("2D landmarks have no rotation")
        return fitted_rotation(self._mean, points)


class PoseShape(Shape):
    """Head angles alone: (3,) pitch, yaw, roll in degrees, 300W-LP's convention."""

    what = "a prediction of angles"

    def __init__(self, degrees: np.ndarray) -> None:
        self.pose = np.radians(np.asarray(degrees, np.float64))

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.pose).all())
