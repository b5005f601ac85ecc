"""The 62 parameters of 3DDFA and its descendants (spec prn_vrn_3ddfa F.3): camera, shape and expression in one vector.

[0:12] row-major 3x4 [sR | t], [12:52] 40 shape, [52:62] 10 expression coefficients, raw (already times sigma). The
camera takes the model frame to the y-up 1-based frame of the network's S x S crop. Networks predict whitened values,
raw = value * std + mean; the statistics travel with the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.geometry.camera import apply_camera, flip_matrix, unflip_matrix
from pipeline.geometry.frames import CropTransform
from pipeline.morphable.model import MorphableModel
from pipeline.records import FacemillError

CAMERA, SHAPE, EXPRESSION = slice(0, 12), slice(12, 52), slice(52, 62)
COUNT = 62


def join(camera: np.ndarray, shape: np.ndarray, expression: np.ndarray) -> np.ndarray:
    """(62,) float64 of a (3, 4) camera and coefficient vectors: longer ones are cut, shorter ones filled with 0."""
    out = np.zeros(COUNT)
    out[CAMERA] = np.asarray(camera, np.float64).reshape(12)
    for part, values in ((SHAPE, shape), (EXPRESSION, expression)):
        values = np.asarray(values, np.float64).ravel()[: part.stop - part.start]
        out[part.start : part.start + len(values)] = values
    return out


def split(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Camera (..., 3, 4), shape (..., 40) and expression (..., 10) of raw parameters (..., 62)."""
    p = np.asarray(parameters, np.float64)
    if p.shape[-1] != COUNT:
        raise FacemillError(f"expected 62 parameters in the last axis, found shape {p.shape}")
    return p[..., CAMERA].reshape(*p.shape[:-1], 3, 4), p[..., SHAPE], p[..., EXPRESSION]


def crop_camera(camera: np.ndarray, height: float, transform: CropTransform) -> np.ndarray:
    """A picture's camera (3, 4) in Matlab's frame (`camera.pose_matrix`) as the camera of its crop, same convention.

    The depth is scaled with the crop; its offset k t_z is kept.
    """
    image = flip_matrix(camera, height) * transform.scale
    image[:2, 3] += transform.offset
    return unflip_matrix(image, transform.size)


def picture_camera(camera: np.ndarray, height: float, transform: CropTransform) -> np.ndarray:
    """The inverse of `crop_camera`: the camera of a crop as one of the picture."""
    image = flip_matrix(camera, transform.size)
    image[:2, 3] -= transform.offset
    return unflip_matrix(image / transform.scale, height)


def crop_points(
    parameters: np.ndarray,
    model: MorphableModel,
    size: int,
    *,
    legacy: str = "exact",
    keypoints: bool = False,
) -> np.ndarray:
    """Vertices (N, 3), or the 68 keypoints alone, float64 in px of the S x S crop of one raw (62,) vector.

    legacy: 'exact' (0-based, y down), '3ddfa' (y = S + 1 - y, x and z untouched: 1-based) or '3ddfa_v2'
    (x - 1, y = S - y, z - 1).
    """
    camera, shape, expression = split(parameters)
    surface = model.landmarks if keypoints else model.vertices
    points = apply_camera(surface(shape, expression), camera)
    offsets = {"exact": (-1, 0, 0), "3ddfa": (0, 1, 0), "3ddfa_v2": (-1, 0, -1)}
    if legacy not in offsets:
        raise FacemillError(f"unknown pixel convention {legacy!r}; known: {', '.join(offsets)}")
    return points * [1, -1, 1] + np.add(offsets[legacy], (0, size, 0))


def roi_points(points: np.ndarray, roi: np.ndarray, size: int = 120) -> np.ndarray:
    """Points (..., 3) of an S x S crop in the picture it was cut from by a box x1, y1, x2, y2, as 3DDFA maps them:
    corner and scale per axis, no half pixel; z by the mean scale."""
    x1, y1, x2, y2 = (float(value) for value in roi)
    sx, sy = (x2 - x1) / size, (y2 - y1) / size
    return np.asarray(points, np.float64) * [sx, sy, (sx + sy) / 2] + [x1, y1, 0.0]


@dataclass(frozen=True, eq=False)
class Whitening:
    """Mean and standard deviation (62,) of the parameters of a training set."""

    mean: np.ndarray
    std: np.ndarray

    def __post_init__(self) -> None:
        if self.mean.shape != (COUNT,) or self.std.shape != (COUNT,) or not (self.std > 0).all():
            raise FacemillError("expected 62 means and 62 positive standard deviations for whitening")

    @classmethod
    def fit(cls, parameters: np.ndarray, floor: float = 1e-12) -> Whitening:
        """Statistics of (n, 62) raw parameters; a parameter that never changes gets the standard deviation 1."""
        p = np.asarray(parameters, np.float64)
        std = p.std(axis=0)
        return cls(p.mean(axis=0), np.where(std > floor, std, 1.0))

    def whiten(self, parameters: np.ndarray) -> np.ndarray:
        """Raw (..., 62) -> whitened."""
        return (np.asarray(parameters, np.float64) - self.mean) / self.std

    def raw(self, whitened: np.ndarray) -> np.ndarray:
        """Whitened (..., 62) -> raw."""
        return np.asarray(whitened, np.float64) * self.std + self.mean
