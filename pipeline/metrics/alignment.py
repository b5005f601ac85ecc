"""What is done to two sets of 3D points before they are compared.

Under weak perspective the depth of a face has no origin, so a 3D error needs a rule that fixes one. Papers differ,
and the choice moves the figure by 0.6 to 1.0 points and can turn a ranking round (spec/landmarks 5): a protocol names
its rule. A protocol of the face's shape alone takes the pose out as well.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.geometry.similarity import umeyama
from pipeline.records import FacemillError

Pair = tuple[np.ndarray, np.ndarray]


def none(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """The points as they are, in float64."""
    return np.array(predicted, dtype=np.float64), np.array(truth, dtype=np.float64)


def z_min(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """Each set with its own rearmost point at z = 0 (2DASL's scripts).

    Args:
        predicted, truth: (..., K, 3), z towards the viewer.

    Returns:
        Two new float64 arrays of the same shapes.
    """
    return _shifted(predicted, np.min), _shifted(truth, np.min)


def z_mean(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """Each set with the mean of its z at 0 (SADRNet's and reshow's scripts); arguments as `z_min`."""
    return _shifted(predicted, np.mean), _shifted(truth, np.mean)


def rigid(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """The prediction turned and shifted onto the truth, in least squares over all points, which correspond.

    Args:
        predicted, truth: (..., K, 3) of one shape, the same unit.

    Returns:
        The moved prediction and the truth, new float64 arrays.
    """
    return _fitted(predicted, truth, with_scale=False)


def similarity(predicted: np.ndarray, truth: np.ndarray) -> Pair:
    """The same with a scale (Procrustes; SADRNet's reconstruction figure); arguments as `rigid`, any units."""
    return _fitted(predicted, truth, with_scale=True)


ALIGNMENTS: dict[str, Callable[[np.ndarray, np.ndarray], Pair]] = {
    "none": none,
    "z_min": z_min,
    "z_mean": z_mean,
    "rigid": rigid,
    "similarity": similarity,
}


def _shifted(points: np.ndarray, origin: Callable[..., np.ndarray]) -> np.ndarray:
    shifted = np.array(points, dtype=np.float64)
    if shifted.ndim < 2 or shifted.shape[-1] != 3:
        raise FacemillError(f"depth alignment: expected points (..., K, 3), found {shifted.shape}")
    shifted[..., 2] -= origin(shifted[..., 2], axis=-1, keepdims=True)
    return shifted


def _fitted(predicted: np.ndarray, truth: np.ndarray, with_scale: bool) -> Pair:
    moved, fixed = none(predicted, truth)
    if moved.shape != fixed.shape or moved.ndim < 2 or moved.shape[-1] != 3:
        raise FacemillError(
            f"alignment of points: expected two arrays (..., K, 3), found {moved.shape} and {fixed.shape}"
        )
    for face in np.ndindex(moved.shape[:-2]):
        moved[face] = umeyama(moved[face], fixed[face], with_scale=with_scale).apply(moved[face])
    return moved, fixed
